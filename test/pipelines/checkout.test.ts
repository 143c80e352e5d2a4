/** What a machine gets of a repository that isn't as plain as most are. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { run } from '../../lib/program.ts';
import { FactoryError } from '../../lib/registry/index.ts';
import { type CloneOptions, withClone } from '../../pipelines/checkout.ts';

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12\n`;

let origin: string;
const git = (folder: string, ...words: string[]) =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-c', 'protocol.file.allow=always', '-C', folder, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

async function made(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'cell-factory-origin-')), name);
  await mkdir(join(folder, 'my service'), { recursive: true });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  await commit(folder, files);
  return folder;
}
async function commit(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '-m', 'x');
  return git(folder, 'rev-parse', 'HEAD');
}
const cloned = <T>(change: Partial<CloneOptions>, work: (folder: string) => Promise<T>) =>
  withClone({ url: `file://${origin}`, path: '.', branch: 'main', ...change }, run, work);
const failure = async (change: Partial<CloneOptions>) => {
  const error: unknown = await cloned(change, async () => 'no error').catch((thrown: unknown) => thrown);
  if (error instanceof FactoryError) return { code: error.code, message: error.message, fix: error.fix };
  throw new Error(`no FactoryError but ${String(error)}`);
};

beforeEach(async () => {
  origin = await made('my repository', { Makefile: 'x:\n', 'my service/Makefile': 'y:\n' });
});

test('spaces in the address and in the folder are part of their names', async () => {
  const text = await cloned({ path: 'my service' }, (folder) => readFile(join(folder, 'Makefile'), 'utf8'));
  expect(text).toBe('y:\n');
});

test('a submodule is an empty folder: whoever needs it fetches it in the build', async () => {
  const other = await made('other', { secret: 'z' });
  git(origin, 'submodule', '--quiet', 'add', other, 'other');
  await commit(origin, {});
  expect(await cloned({}, (folder) => readdir(join(folder, 'other')))).toEqual([]);
});

test('a large file of LFS is its pointer: whoever needs it pulls it in the build', async () => {
  await commit(origin, { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'model.bin': POINTER });
  expect(await cloned({}, (folder) => readFile(join(folder, 'model.bin'), 'utf8'))).toBe(POINTER);
});

test('after a force-push the newest commit is built; one that no branch has any more is refused by its name', async () => {
  const first = git(origin, 'rev-parse', 'HEAD');
  const lost = await commit(origin, { Makefile: 'lost:\n' });
  git(origin, 'reset', '--quiet', '--hard', first);
  const kept = await commit(origin, { Makefile: 'kept:\n' });
  expect(await cloned({}, async (folder) => git(folder, 'rev-parse', 'HEAD'))).toBe(kept);
  expect(await cloned({ commit: first }, async (folder) => git(folder, 'rev-parse', 'HEAD'))).toBe(first);
  expect(await failure({ commit: lost, url: `file://${origin}` })).toMatchObject({
    code: 'REPOSITORY_UNREACHABLE',
    message: expect.stringContaining(lost),
  });
});

test.each([
  ['branch', async () => git(origin, 'branch', '-m', 'main', 'trunk'), 'main'],
  [
    'folder',
    async () => {
      await rename(join(origin, 'my service'), join(origin, 'service'));
      await commit(origin, {});
    },
    'has no folder my service',
  ],
  ['repository', async () => rm(origin, { recursive: true }), 'not appear to be a git repository'],
])('a %s that has moved is named, with the way out', async (_, move, said) => {
  await move();
  const { code, message, fix } = await failure({ path: 'my service' });
  expect({ code, said: message.includes(said), fix: fix !== undefined && fix !== '' }).toEqual({
    code: 'REPOSITORY_UNREACHABLE',
    said: true,
    fix: true,
  });
  expect(message).toContain(origin);
});
