import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { s3Client } from '../../lib/aws/s3.ts';
import { draft, type Organization, RegistryStore, S3Objects, serialize } from '../../registry/index.ts';
import { TestCloud } from '../_helpers/cloud.ts';
import { cell, registry } from '../_helpers/organization.ts';

jest.setTimeout(60_000);

let cloud: TestCloud;
let s3: S3Client;
let store: RegistryStore;
let bucket: string;
let buckets = 0;

/** An organization that differs from every other in one cell. */
const organization = (index = 0): Organization =>
  registry((input) => {
    if (index > 0) Object.assign(input.cells, { [`c${index}`]: cell(`c${index}`, 20 + index) });
  }).organization;
const revision = (number: number, content: Organization) => ({
  ...draft(content),
  published: { revision: number, at: '2026-01-01T00:00:00.000Z', by: 'ada' },
});
const write = (key: string, body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
const numbers = async () => (await store.history(50)).map(({ published }) => published.revision);

beforeAll(async () => {
  cloud = await TestCloud.start();
  const client = await cloud.client('management');
  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  s3 = s3Client({ region: client.region, credentials: async () => client.credentials });
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await cloud.stop();
});
beforeEach(async () => {
  buckets += 1;
  bucket = `store-test-${buckets}`;
  store = new RegistryStore(new S3Objects(s3, bucket));
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
});

describe('publishing', () => {
  test('gives revisions without gaps, and the newest is what was written last', async () => {
    for (const index of [0, 1, 2]) await store.publish(organization(index), { by: 'ada' });
    expect(await numbers()).toEqual([3, 2, 1]);
    const latest = await store.latest();
    expect(latest?.organization).toEqual(organization(2));
    expect(latest?.published).toMatchObject({ revision: 3, by: 'ada' });
  });

  test('writes nothing when nothing changed', async () => {
    await store.publish(organization(), { by: 'ada' });
    expect(await store.publish(organization(), { by: 'bob' })).toMatchObject({
      changed: false,
      registry: { published: { revision: 1, by: 'ada' } },
    });
    expect(await numbers()).toEqual([1]);
  });

  test('completes the revision of a publisher that died before it moved the pointer', async () => {
    await store.publish(organization(), { by: 'ada' });
    await write('revisions/00000002.json', serialize(revision(2, organization(1))));
    expect((await store.latest())?.published.revision).toBe(1);
    expect(await store.publish(organization(2), { by: 'bob' })).toMatchObject({
      changed: true,
      rolledForward: 2,
      registry: { published: { revision: 3 } },
    });
    expect(await numbers()).toEqual([3, 2, 1]);
  });

  test('at once by many: each revision is one publisher’s, the others are told', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        new RegistryStore(new S3Objects(s3, bucket)).publish(organization(index + 1), { by: `p${index}` }),
      ),
    );
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.registry.published.revision] : []));
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'PUBLISH_CONFLICT' });
    expect(won.length).toBeGreaterThan(0);
    expect(new Set(won).size).toBe(won.length);
    // Whoever comes next finds everything in order, also a revision whose publisher lost the pointer to somebody's roll-forward.
    await store.publish(organization(40), { by: 'next' });
    const all = await numbers();
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => all.length - index));
    expect((await store.latest())?.organization).toEqual(organization(40));
  });
});

describe('reading', () => {
  test('an empty registry has no newest revision and no history', async () => {
    expect(await store.latest()).toBeUndefined();
    expect(await store.history(5)).toEqual([]);
  });

  test('a revision that is missing or was changed is refused, and named', async () => {
    await store.publish(organization(), { by: 'ada' });
    await expect(store.revision(9)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
    await write('revisions/00000001.json', serialize(revision(1, organization(1))).replace('10.1.80.0/20', '10.9.0.0/20'));
    await expect(store.latest()).rejects.toMatchObject({
      code: 'DOCUMENT_INVALID',
      message: expect.stringContaining('revisions/00000001.json'),
    });
    await write('revisions/00000001.json', serialize(revision(7, organization())));
    await expect(store.revision(1)).rejects.toMatchObject({ message: expect.stringContaining('holds revision 7') });
  });

  test('a pointer that is no pointer is refused', async () => {
    await store.publish(organization(), { by: 'ada' });
    await write('latest.json', '{"revision":"new"}');
    await expect(store.latest()).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'latest.json' }));
    expect(await store.latest()).toBeUndefined();
  });
});
