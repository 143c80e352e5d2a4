import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Organization, RegistryStore } from '../../../lib/registry/index.ts';
import { type ReaderOptions, RegistryReader } from '../../../lib/registry/reader.ts';
import { MemoryObjects } from '../../_helpers/objects.ts';
import { cell, googleCell, registry } from '../../_helpers/organization.ts';

let objects: MemoryObjects;
let store: RegistryStore;
let requests: string[];
let down: Error | undefined;
let time: number;
let folder: string;

/** S3 as a reader sees it: GetObject with If-None-Match, on a bucket in memory, and out of order when the test says so. */
const s3 = {
  send: async ({ input }: GetObjectCommand) => {
    const { Key = '', IfNoneMatch } = input;
    requests.push(IfNoneMatch === undefined ? Key : `${Key} if changed`);
    if (down) throw down;
    const found = await objects.get(Key);
    if (!found) throw Object.assign(new Error('no such key'), { name: 'NoSuchKey' });
    if (found.etag === IfNoneMatch) throw Object.assign(new Error('not modified'), { $metadata: { httpStatusCode: 304 } });
    return { ETag: found.etag, Body: { transformToString: async () => found.text } };
  },
} as unknown as S3Client;

beforeEach(async () => {
  objects = new MemoryObjects();
  store = new RegistryStore(objects);
  requests = [];
  down = undefined;
  time = Date.UTC(2026, 0, 1);
  folder = await mkdtemp(join(tmpdir(), 'reader-'));
});

const reader = (options: Partial<ReaderOptions> = {}) =>
  new RegistryReader({ bucket: 'acme-cell-registry-200000000000', region: 'eu-west-1', s3, now: () => time, ...options });
const kept = () => reader({ cacheFile: join(folder, 'cache', 'registry.json') });
const organization = (change: Parameters<typeof registry>[0] = () => undefined): Organization => registry(change).organization;
const publish = (content = organization()) => store.publish(content, { by: 'ada' });
const another = (name: string, index: number) => organization((input) => Object.assign(input.cells, { [name]: cell(name, index) }));
const unreachable = () => Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });

describe('a reader', () => {
  test('gives the newest registry, and asks again only when that is too old; unchanged, it downloads nothing', async () => {
    await publish();
    const it = reader({ maxAgeSeconds: 30 });
    const first = await it.read();
    expect(first).toMatchObject({ revision: 1, publisher: 'ada', stale: undefined, confirmedAt: new Date(time) });
    time += 29_000;
    expect(await it.read()).toBe(first);
    expect(requests).toEqual(['latest.json', 'revisions/00000001.json']);
    time += 1_000;
    expect((await it.read()).confirmedAt).toEqual(new Date(time));
    expect(requests.slice(2)).toEqual(['latest.json if changed']);
    await publish(another('delta', 30));
    time += 30_000;
    expect((await it.read()).findCell('delta').name).toBe('delta');
    expect(requests.slice(3)).toEqual(['latest.json if changed', 'revisions/00000002.json']);
  });

  test('shares one request among all who ask at once', async () => {
    await publish();
    const it = reader();
    const snapshots = await Promise.all(Array.from({ length: 10 }, () => it.read()));
    expect(new Set(snapshots).size).toBe(1);
    expect(requests).toHaveLength(2);
  });

  test('has the life of cells', async () => {
    await store.note('alpha', 'built', new Date(time));
    await publish();
    const snapshot = await reader().read();
    expect(snapshot.lifeOf('alpha')).toEqual({ state: 'active', since: '2026-01-01T00:00:00.000Z' });
    expect(snapshot.lifeOf('bravo')).toBeUndefined();
  });
});

describe('a look-up', () => {
  test('finds cells by name, account and stage, in the order in which a change reaches them', async () => {
    const { cells, ...rest } = organization((input) =>
      Object.assign(input.cells, { busy: cell('busy', 30, { trafficWeight: 9 }), quiet: cell('quiet', 31, { importance: 'low' }) }),
    );
    await publish({ ...rest, cells: { ...cells, golf: { ...googleCell('golf'), importance: 'high' } } });
    const it = await reader().read();
    expect(it.cells.map(({ name }) => name)).toEqual(['staging', 'quiet', 'alpha', 'bravo', 'busy', 'golf']);
    expect(it.cellsOf('staging').map(({ name }) => name)).toEqual(['staging']);
    expect(it.findCellByAccount('400000000001').name).toBe('alpha');
    expect(it.findCellByAccount('acme-golf').name).toBe('golf');
    expect(it.tryFindComponent('billing')?.dependsOn).toEqual(['orders-api']);
  });

  test('of what is not there throws, or gives undefined; names of JavaScript’s own are no cells', async () => {
    await publish();
    const it = await reader().read();
    for (const name of ['zulu', 'constructor', '__proto__']) {
      expect(it.tryFindCell(name)).toBeUndefined();
      expect(it.tryFindComponent(name)).toBeUndefined();
      expect(it.lifeOf(name)).toBeUndefined();
      expect(() => it.findCell(name)).toThrow(expect.objectContaining({ code: 'CELL_UNKNOWN' }));
    }
    expect(it.tryFindCellByAccount('999999999999')).toBeUndefined();
    expect(() => it.findCellByAccount('999999999999')).toThrow(expect.objectContaining({ code: 'CELL_UNKNOWN' }));
  });
});

describe('when S3 can’t be reached', () => {
  test('what is known is served, and said to be stale; it asks again only after a while', async () => {
    await publish();
    const it = reader();
    const before = await it.read();
    down = unreachable();
    time += 3_600_000;
    expect(await it.read()).toMatchObject({ revision: 1, stale: 'connect ETIMEDOUT', confirmedAt: before.confirmedAt });
    const asked = requests.length;
    await it.read();
    expect(requests).toHaveLength(asked);
    down = undefined;
    time += 60_000;
    expect(await it.read()).toMatchObject({ stale: undefined, confirmedAt: new Date(time) });
  });

  test('a new process serves what an earlier one has kept, with the time when S3 last confirmed it', async () => {
    await publish();
    const first = kept();
    await first.read();
    time += 60_000;
    await first.read();
    down = unreachable();
    time += 86_400_000;
    expect(await kept().read()).toMatchObject({
      revision: 1,
      stale: 'connect ETIMEDOUT',
      confirmedAt: new Date(Date.UTC(2026, 0, 1) + 60_000),
    });
    down = undefined;
    requests = [];
    expect(await kept().read()).toMatchObject({ revision: 1, stale: undefined });
    expect(requests).toEqual(['latest.json']);
  });

  test('what is known is served no longer than it may be', async () => {
    await publish();
    const it = reader({ maxStalenessSeconds: 600 });
    await it.read();
    down = unreachable();
    time += 600_000;
    expect(await it.read()).toMatchObject({ stale: 'connect ETIMEDOUT' });
    time += 61_000;
    await expect(it.read()).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('confirmed 661 s ago'),
    });
  });

  test.each([
    ['nothing was published', undefined, /nothing was published yet/, /cellctl publish/],
    ['reading is forbidden', Object.assign(new Error('Access Denied'), { name: 'AccessDenied' }), /Access Denied/, /s3:GetObject/],
    ['the bucket is another', Object.assign(new Error('gone'), { name: 'NoSuchBucket' }), /gone/, /bucket and region/],
    ['there is no network', unreachable(), /ETIMEDOUT/, /network/],
  ])('with nothing to fall back to it says so: %s', async (_, error, message, fix) => {
    down = error;
    await expect(reader().read()).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });
});

describe('what is damaged is never served', () => {
  const spoil = (key: string, change: (text: string) => string) => objects.objects.set(key, change(objects.objects.get(key) ?? ''));

  test.each([
    ['a changed document', 'revisions/00000002.json', (text: string) => text.replace('10.0.16.0/20', '10.0.96.0/20'), /content has digest/],
    [
      'another revision under its key',
      'revisions/00000002.json',
      () => objects.objects.get('revisions/00000001.json') ?? '',
      /not what the pointer says/,
    ],
    ['a document of a later version', 'revisions/00000002.json', () => '{"schemaVersion":99}', /install|schema version 99/],
    ['a pointer that is none', 'latest.json', () => 'x', /is no pointer/],
    ['a pointer that went back', 'latest.json', () => pointerToOne, /went back from revision 2 to 1/],
  ])('%s: the last good registry is, with the reason', async (what, key, change, reason) => {
    await publish();
    pointerToOne = objects.objects.get('latest.json') ?? '';
    const it = reader();
    if (!what.includes('went back')) await it.read();
    await publish(another('delta', 30));
    if (what.includes('went back')) await it.read();
    spoil(key, change);
    time += 61_000;
    expect(await it.read()).toMatchObject({ revision: what.includes('went back') ? 2 : 1, stale: expect.stringMatching(reason) });
  });
  let pointerToOne = '';

  test.each([
    ['half a file', (text: string) => text.slice(0, text.length / 2)],
    ['a changed one', (text: string) => text.replace('10.0.16.0/20', '10.0.96.0/20')],
    ['nothing', () => ''],
  ])('%s on disk counts as none, and is replaced', async (_, change) => {
    await publish();
    await kept().read();
    const file = join(folder, 'cache', 'registry.json');
    const good = await readFile(file, 'utf8');
    await writeFile(file, change(good));
    down = unreachable();
    await expect(kept().read()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    down = undefined;
    expect((await kept().read()).revision).toBe(1);
    expect(await readFile(file, 'utf8')).toBe(good);
  });
});

describe('what a reader gives', () => {
  test('can’t be changed by one who reads, for all the others', async () => {
    await publish();
    const it = await reader().read();
    expect(() => Object.assign(it.findCell('alpha'), { region: 'mars' })).toThrow(TypeError);
    expect(() => Object.assign(it.organization.cells['alpha'] ?? {}, { region: 'mars' })).toThrow(TypeError);
    expect(() => (it.cells as unknown[]).pop()).toThrow(TypeError);
  });

  test.each([{ bucket: '' }, { region: '' }, { maxAgeSeconds: -1 }, { maxStalenessSeconds: Number.NaN }, { timeoutSeconds: 0 }])(
    'is asked for with options that make sense, not with %p',
    (options) => {
      expect(() => reader(options)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );
});

describe('the file on disk', () => {
  test('is swapped in whole, and nothing else is left there', async () => {
    await publish();
    await Promise.all([kept().read(), kept().read(), kept().read()]);
    expect(await readdir(join(folder, 'cache'))).toEqual(['registry.json']);
  });

  test('of another registry is none: a wrong bucket is not served from it', async () => {
    await publish();
    await kept().read();
    down = Object.assign(new Error('gone'), { name: 'NoSuchBucket' });
    const wrong = reader({ cacheFile: join(folder, 'cache', 'registry.json'), bucket: 'acme-cell-registry-999999999999' });
    await expect(wrong.read()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });

  test('comes back when somebody removes it', async () => {
    await publish();
    const it = kept();
    await it.read();
    await rm(join(folder, 'cache'), { recursive: true });
    time += 61_000;
    expect(await it.read()).toMatchObject({ stale: undefined, notSaved: undefined });
    expect(await readdir(join(folder, 'cache'))).toEqual(['registry.json']);
  });

  test('that can’t be written keeps nobody from reading; the snapshot says so', async () => {
    await publish();
    await writeFile(join(folder, 'cache'), 'a file where a folder should be');
    expect(await kept().read()).toMatchObject({ revision: 1, stale: undefined, notSaved: expect.stringMatching(/EEXIST|ENOTDIR/) });
  });
});
