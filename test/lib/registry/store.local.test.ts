import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../../lib/aws/s3.ts';
import { S3Objects } from '../../../lib/aws/s3-objects.ts';
import { draft, type Organization, RegistryStore, serialize } from '../../../lib/registry/index.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { cell, registry } from '../../_helpers/organization.ts';

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
const numbers = async () => (await store.history(50)).map(({ revision: number }) => number);

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

  test('at once by many that each add a cell: all are in it, each in a revision of its own', async () => {
    await store.publish(organization(), { by: 'base' });
    const names = Array.from({ length: 8 }, (_, index) => `c${index}`);
    const results = await Promise.all(
      names.map((name, index) =>
        new RegistryStore(new S3Objects(s3, bucket)).publish(
          { ...organization(), cells: { ...organization().cells, [name]: cell(name, 30 + index) } },
          { by: name, base: 1 },
        ),
      ),
    );
    expect(results.map(({ registry: { published } }) => published.revision).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Object.keys((await store.latest())?.organization.cells ?? {})).toEqual(expect.arrayContaining(names));
    expect(await store.verify()).toEqual({ revisions: 9, flaws: [] });
  });
});

describe('twenty publishers as processes of their own, a third of them killed', () => {
  /** Runs one; kills it some time after it began to publish. @returns the revision it reported */
  const publisher = async (name: string, block: string, kill: boolean): Promise<number | undefined> => {
    const { region, credentials } = await cloud.client('management');
    const child = spawn('node', ['test/_helpers/publisher.js', bucket, name, block], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        NODE_NO_WARNINGS: '1',
        AWS_ENDPOINT_URL: cloud.running.endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      // Some die at once, some in the middle, some after they were done.
      if (kill && said === 'publishing\n') setTimeout(() => child.kill('SIGKILL'), Math.random() * 250);
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (!kill) expect({ name, code, signal }).toEqual({ name, code: 0, signal: null });
    const revision = /published (\d+)/.exec(said)?.[1];
    return revision === undefined ? undefined : Number(revision);
  };

  test('leave every revision readable, numbers without gaps or doubles, and lose no entry', async () => {
    await store.publish(organization(), { by: 'base' });
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const reported = await Promise.all(names.map((name, index) => publisher(name, `10.7.${index * 4}.0/22`, index % 3 === 0)));
    const successful = names.filter((_, index) => reported[index] !== undefined);
    expect(successful.length).toBeGreaterThanOrEqual(13);
    expect(new Set(reported.filter((revision) => revision !== undefined)).size).toBe(successful.length);

    // What a publisher that died has left, the next one completes; then nothing is amiss.
    const { organization: newest, published } = (await store.latest()) ?? registry();
    const last = await store.publish({ ...newest, domain: 'example.org' }, { by: 'next', base: published?.revision });
    const { revisions, flaws } = await store.verify();
    expect({ flaws, revisions }).toEqual({ flaws: [], revisions: last.registry.published.revision });
    expect((await store.latest())?.published).toMatchObject({ revision: revisions, by: 'next' });

    const history = await Promise.all(Array.from({ length: revisions }, (_, index) => store.revision(index + 1)));
    const cellsOf = (index: number) => Object.keys(history[index]?.organization.cells ?? {}).filter((name) => name.startsWith('p'));
    for (const index of history.keys()) expect(cellsOf(index)).toEqual(expect.arrayContaining(index === 0 ? [] : cellsOf(index - 1)));
    expect(cellsOf(history.length - 1)).toEqual(expect.arrayContaining(successful));
    for (const [index, revision] of reported.entries()) {
      if (revision !== undefined) expect(history[revision - 1]?.published.by).toBe(names[index]);
    }
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
    await expect(store.latest()).rejects.toMatchObject({ message: expect.stringContaining('though there are revisions') });
  });
});
