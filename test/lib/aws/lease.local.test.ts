import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Leases } from '../../../lib/aws/lease.ts';
import { s3Client } from '../../../lib/aws/s3.ts';
import type { Session } from '../../../lib/aws/session.ts';
import { TestCloud } from '../../_helpers/cloud.ts';

const BUCKET = 'lease-test';
let cloud: TestCloud;
let session: Session;

beforeAll(async () => {
  cloud = await TestCloud.start();
  const { region, credentials } = await cloud.client('management');
  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  session = { region, credentials: async () => credentials };
  await s3Client(session).send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await cloud.stop();
});

const leases = (holder: string) => new Leases(session, BUCKET, holder);
const isFree = (name: string) =>
  s3Client(session)
    .send(new GetObjectCommand({ Bucket: BUCKET, Key: `locks/${name}.json` }))
    .then(
      () => false,
      () => true,
    );

describe('a lease', () => {
  test('is held by one at a time; the others are told who holds it', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 300));
      inside -= 1;
      return 'done';
    };
    const results = await Promise.allSettled(['ada', 'bob', 'cyd'].map((holder) => leases(holder).hold('alpha', work)));
    expect(most).toBe(1);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'LOCKED',
          message: expect.stringMatching(/alpha is being worked on by (ada|bob|cyd)/),
        });
    }
  });

  test('is given back when the work ends, well or not', async () => {
    await leases('ada').hold('bravo', async () => undefined);
    expect(await isFree('bravo')).toBe(true);
    await expect(leases('ada').hold('bravo', async () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
    expect(await isFree('bravo')).toBe(true);
  });

  test('of a holder that died is taken over when it has run out, by one of those who want it', async () => {
    const dead = { holder: 'dead', since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:01:00Z' };
    await s3Client(session).send(new PutObjectCommand({ Bucket: BUCKET, Key: 'locks/charlie.json', Body: JSON.stringify(dead) }));
    expect(await leases('ada').hold('charlie', async () => 'done')).toBe('done');
  });
});
