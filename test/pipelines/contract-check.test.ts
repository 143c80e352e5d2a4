import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { described } from '../../lib/artifact/build.ts';
import { run } from '../../lib/program.ts';
import { FactoryError } from '../../lib/registry/index.ts';
import { isUrl, withClone } from '../../pipelines/checkout.ts';
import { CONTRACT_TARGETS, CONTRACT_VARIABLES } from '../../pipelines/contract.ts';
import { type CheckOptions, checkContract } from '../../pipelines/contract-check.ts';
import { parseDatabase } from '../../pipelines/makefile.ts';
import { component } from '../_helpers/organization.ts';

const NAMES = CONTRACT_TARGETS.map(({ name }) => name);
const WHOLE = NAMES.map((name) => `${name}:\n\t@echo ${name}\n`).join('\n');

async function repository(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-contract-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}
const options = (change: Partial<CheckOptions> = {}): CheckOptions => ({
  component: 'billing',
  entry: undefined,
  build: false,
  factory: '/factory',
  ...change,
});
const check = async (folder: string, change?: Partial<CheckOptions>) => checkContract(folder, options(change));
/** What is not kept, by its name. */
const broken = async (folder: string, change?: Partial<CheckOptions>) =>
  Object.fromEntries((await check(folder, change)).filter(({ kept }) => !kept).map(({ what, found }) => [what, found]));
const makefile = (text: string) => repository({ Makefile: text });

/** A recipe that leaves a build of Kubernetes, changed by what the test is about. */
function leaves(change: object = {}): string {
  const files = { 's.yaml': described(Buffer.from('kind: Service\n')) };
  const build = { schemaVersion: 1, component: '$$COMPONENT', version: '$$COMPONENT_VERSION', files, parameters: {}, images: {} };
  const json = JSON.stringify({ ...build, kind: 'kubernetes', manifests: ['s.yaml'], ...change }).replaceAll('"', '\\"');
  const recipe = `@mkdir dist && echo 'kind: Service' > dist/s.yaml && echo "${json}" > dist/component.json`;
  return WHOLE.replace('@echo pipeline-build', () => recipe);
}

describe('the contract', () => {
  test('sets every variable in targets that there are', () => {
    for (const { targets } of CONTRACT_VARIABLES) expect(NAMES).toEqual(expect.arrayContaining([...targets]));
  });
});

describe('a component', () => {
  test.each(['examples/orders-api', 'pipelines/foundations'])('of our own, %s, keeps the contract', async (folder) => {
    expect(await broken(folder)).toEqual({});
  });

  test('that has every target keeps the contract, and none is made', async () => {
    const folder = await makefile(WHOLE.replaceAll('@echo', '@touch'));
    const items = await check(folder);
    expect(items.filter(({ kept }) => !kept)).toEqual([]);
    expect(items.map(({ what }) => what)).toEqual(['component', 'repository', 'kind', 'Makefile', ...NAMES]);
    expect(NAMES.filter((name) => existsSync(join(folder, name)))).toEqual([]);
  });

  test.each(NAMES)('without %s hears of it, and how to mend it', async (name) => {
    const folder = await makefile(WHOLE.replace(`${name}:`, 'other:').replaceAll(`\n${name}:`, '\nother:'));
    const items = (await check(folder)).filter(({ kept }) => !kept);
    expect(items).toEqual([{ what: name, kept: false, found: 'is missing', fix: expect.stringContaining('write it: it ') }]);
  });

  test('with targets that do nothing, not even that, hears of each', async () => {
    expect(await broken(await makefile('.PHONY: integration-test\nintegration-test: pipeline-build\n\npipeline-build:\n\t@:\n'))).toEqual(
      Object.fromEntries(NAMES.slice(1).map((name) => [name, name === 'integration-test' ? 'has no recipe' : 'is missing'])),
    );
  });

  test.each([
    ['several targets at once', `${NAMES.join(' ')}:\n\t@echo $@\n`],
    ['double colons and a recipe in line', NAMES.map((name) => `${name}:: ; @echo ${name}`).join('\n')],
    ['an included file', 'include other.mk\n'],
  ])('may write its Makefile with %s', async (_, text) => {
    const folder = await repository({ Makefile: text, 'other.mk': WHOLE });
    expect(await broken(folder)).toEqual({});
  });

  test('whose Makefile only mentions targets has none of them', async () => {
    const text = `define TEXT\n${NAMES.join(':\n')}:\n\t@echo\nendef\n# pipeline-build:\nall: pipeline-publish\n\t@echo pipeline-build:\n`;
    expect(Object.keys(await broken(await makefile(text)))).toEqual(NAMES);
  });

  test('without a Makefile hears of all at once', async () => {
    expect(Object.keys(await broken(await repository({})))).toEqual(['Makefile', ...NAMES]);
  });

  test('whose Makefile is none hears which line', async () => {
    expect(await broken(await makefile('pipeline-build:\n  echo spaces\n'))).toEqual({
      Makefile: expect.stringContaining('Makefile:2: *** missing separator'),
    });
  });

  test('that is not there is one problem, and so is a name that is none', async () => {
    expect(await broken('/nowhere')).toEqual({ folder: '/nowhere is no folder' });
    expect(await broken(await makefile(WHOLE), { component: 'No Name' })).toEqual({
      component: expect.stringContaining('"No Name" is no name'),
    });
  });

  test('is compared with its entry in the registry', async () => {
    const items = await check(await makefile(WHOLE), { entry: component('billing', 100, { kind: 'kubernetes' }) });
    expect(items).toContainEqual({ what: 'kind', kept: true, found: 'kubernetes, as the registry says' });
  });
});

describe('a build', () => {
  test('that is whole is kept, and made in a copy', async () => {
    const folder = await makefile(leaves());
    expect(await broken(folder, { build: true })).toEqual({});
    expect(existsSync(join(folder, 'dist'))).toBe(false);
  });

  test('that fails says how', async () => {
    const folder = await makefile(WHOLE.replace('@echo pipeline-build', '@echo no compiler >&2; exit 3'));
    expect(await broken(folder, { build: true })).toEqual({ build: expect.stringMatching(/failed \(2\): no compiler\n.*Error 3/) });
  });

  test.each<[string, object, string, string]>([
    ['does not heed the version', { version: '1.0.0' }, 'dist: version', 'is 1.0.0, not 0.0.0-check'],
    ['is of another component', { component: 'orders' }, 'dist: component', 'is orders, not billing'],
    ['lies about its files', { files: { 's.yaml': { sha256: '0'.repeat(64), bytes: 14 } } }, 'dist: files.s.yaml.sha256', 'not 0000'],
    ['is no build', { schemaVersion: 7 }, 'dist: schemaVersion', '1'],
  ])('that %s is not kept', async (_, change, what, found) => {
    expect(await broken(await makefile(leaves(change)), { build: true })).toEqual({ [what]: expect.stringContaining(found) });
  });

  test('of another kind than the registry’s is not kept', async () => {
    const entry = component('billing', 100);
    expect(await broken(await makefile(leaves()), { build: true, entry })).toEqual({ 'dist: kind': 'is kubernetes, not cloudformation' });
  });

  test('that leaves nothing is not kept, by a path that means something', async () => {
    expect(await broken(await makefile(WHOLE), { build: true })).toEqual({ dist: 'dist/component.json is missing' });
  });

  test('sees what the contract says, and nobody’s credentials', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
    try {
      const show = '@env | grep -E "^(AWS_|COMPONENT|CELL_FACTORY|MAKEFILES)" >&2; exit 1';
      const { build = '' } = await broken(await makefile(WHOLE.replace('@echo pipeline-build', show)), { build: true });
      expect(build).toContain('COMPONENT=billing');
      expect(build).toContain('COMPONENT_VERSION=0.0.0-check');
      expect(build).toContain('CELL_FACTORY=/factory');
      expect(build).not.toContain('AWS_');
    } finally {
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });
});

test('make’s database is read in the words of make 3.81, too', () => {
  const old =
    "# Files\n\n# Not a target:\nsrc:\n#  x\n\na b: src\n#  commands to execute (from `Makefile', line 2):\n\t@echo\n\nc:\n#  Phony target\n\nX := 1\n";
  expect([...parseDatabase(old)]).toEqual([
    ['a', { recipe: true }],
    ['b', { recipe: true }],
    ['c', { recipe: false }],
  ]);
});

describe('a repository', () => {
  const git = (folder: string, ...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-C', folder, ...words]);
  const failureOf = async (url: string, path = '.') => {
    const error: unknown = await withClone({ url, path }, run, async () => undefined).catch((thrown: unknown) => thrown);
    if (error instanceof FactoryError) return { code: error.code, message: error.message };
    throw new Error(`no FactoryError but ${String(error)}`);
  };

  test('is cloned for the time of the check, also a folder of it', async () => {
    const origin = await repository({});
    await mkdir(join(origin, 'services'));
    await writeFile(join(origin, 'services/Makefile'), WHOLE);
    git(origin, 'init', '--quiet');
    git(origin, 'add', '.');
    git(origin, 'commit', '--quiet', '-m', 'x');
    let seen = '';
    const items = await withClone({ url: `file://${origin}`, path: 'services' }, run, (folder) => {
      seen = folder;
      return check(folder);
    });
    expect(items.filter(({ kept }) => !kept)).toEqual([]);
    expect(items).toContainEqual({ what: 'repository', kept: true, found: expect.stringMatching(/^git, at [0-9a-f]{7}/) });
    expect(existsSync(seen)).toBe(false);
    expect(await failureOf(`file://${origin}`, '../..')).toEqual({ code: 'USAGE', message: '../.. leaves the repository' });
    expect(await failureOf(`file://${origin}`, 'services/gone')).toEqual({
      code: 'REPOSITORY_UNREACHABLE',
      message: `the newest commit of file://${origin} has no folder services/gone`,
    });
  });

  test('that can’t be cloned is an error, with git’s last line', async () => {
    expect(await failureOf('file:///nowhere/at/all')).toEqual({
      code: 'REPOSITORY_UNREACHABLE',
      message: expect.stringMatching(/^git can't clone file:\/\/\/nowhere\/at\/all: \S.*(exist|repository)/i),
    });
  });

  test.each([
    ['--upload-pack=touch x', 'would be an option of git'],
    ['http://example.com/x', 'git is not allowed http://'],
    ['ftp://example.com/x', 'git is not allowed ftp://'],
  ])('is not cloned from %s', async (url, reason) => {
    expect(await failureOf(url)).toEqual({ code: 'USAGE', message: expect.stringContaining(reason) });
  });

  test('is told from a path', () => {
    expect(['https://x/y', 'git@github.com:acme/x.git', 'file:///x'].map(isUrl)).toEqual([true, true, true]);
    expect(['.', 'a/b', '/x:y', 'ext::sh -c x', 'C:x'].map(isUrl)).toEqual([false, false, false, false, false]);
  });
});

describe("GitHub's tokens", () => {
  const numbers = { ownerId: 123456, repositoryId: 456789, createdAt: '2026-08-01T09:00:00Z' };
  const item = async (change: Partial<CheckOptions>) =>
    (await check(await makefile(WHOLE), change)).find(({ what }) => what === "GitHub's tokens");
  const entry = (github?: { ownerId: number; repositoryId: number }) =>
    component('billing', 100, {
      repository: { url: 'https://github.com/acme/billing', branch: 'main', path: '.', ...(github ? { github } : {}) },
    });
  const right = 'write repository: { …, github: { ownerId: 123456, repositoryId: 456789 } } in its registry entry';

  test('are no item where nobody has asked GitHub', async () => {
    expect(await item({ entry: entry() })).toBeUndefined();
  });

  test('of a repository made since they carry numbers need the numbers in the registry, and the item says which', async () => {
    expect(await item({ numbers, entry: entry() })).toMatchObject({
      kept: false,
      found: expect.stringContaining('made on 2026-08-01'),
      fix: right,
    });
    const { ownerId, repositoryId } = numbers;
    expect(await item({ numbers, entry: entry({ ownerId, repositoryId }) })).toMatchObject({ kept: true });
  });

  test('of an older repository carry names, as far as its age tells', async () => {
    const older = { ...numbers, createdAt: '2026-07-14T23:59:59Z' };
    expect(await item({ numbers: older, entry: entry() })).toMatchObject({
      kept: true,
      found: expect.stringContaining('alsoByName: true'),
    });
  });

  test('of a repository that somebody else has made under the same name are not trusted', async () => {
    const found = await item({ numbers, entry: entry({ ownerId: 1, repositoryId: 2 }) });
    expect(found).toMatchObject({ kept: false, found: 'carry owner 123456 and repository 456789; the registry has 1 and 2' });
  });

  test('that GitHub tells nothing about keep nobody from checking the rest', async () => {
    expect(await item({ numbers: { unknown: 'GitHub answers 404' } })).toMatchObject({
      kept: true,
      found: 'not looked at: GitHub answers 404',
    });
  });
});
