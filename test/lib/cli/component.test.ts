/** A component from nothing to a build that can be published, by the commands that people type, without a cloud. */
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readComponent } from '../../../lib/isolation/inputs.ts';
import { writeSkeleton } from '../../../pipelines/skeleton.ts';
import { cellctl, run } from '../../_helpers/cellctl.ts';
import { engines } from '../../_helpers/engines.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

let parent: string;
let without: Record<string, string>;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'cell-factory-new-'));
  without = await engines('none');
});

describe.each(['cloudformation', 'kubernetes'] as const)('a new component of kind %s', (kind) => {
  const name = `new-${kind}`;
  const folder = () => join(parent, name);

  test('is written, with what to do next', async () => {
    const { code, stdout, stderr } = await cellctl(['component', 'new', name, '--kind', kind, '--folder', folder()]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [`cellctl component check ${folder()} --build`, `registry/components/${name}.ts`, `path: '/${name}*'`])
      expect(stdout).toContain(part);
    expect(stdout.includes("kind: 'kubernetes'")).toBe(kind === 'kubernetes');
  });

  test('keeps the contract as it is, build and all', async () => {
    const { code, stdout, stderr } = await cellctl(['component', 'check', folder(), '--build'], without);
    expect({ code, stderr, broken: stdout.split('\n').filter((line) => line.startsWith('✗')) }).toEqual({
      code: 0,
      stderr: '',
      broken: [],
    });
    expect(stdout).toMatch(/✓ dist +component\.json, and .* as it says; ImageUri not built\n/);
  });

  test('holds no placeholder, and is made of its name only where that belongs', async () => {
    const files = (await readdir(folder(), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')));
    expect(files.map((entry) => entry.name)).toEqual(
      expect.arrayContaining(['.gitignore', '.dockerignore', 'Makefile', 'Dockerfile', 'README.md']),
    );
    expect(texts.filter((text) => text.includes('__'))).toEqual([]);
  });

  test('is not written over what is there', async () => {
    const { code, stderr } = await cellctl(['component', 'new', 'other', '--kind', kind, '--folder', folder()]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^REFUSED: .* holds .*; nothing was written\n/) });
    expect(await readFile(join(folder(), 'package.json'), 'utf8')).toContain(`"${name}"`);
  });
});

test('a component is not called what a Makefile or a shell would heed', async () => {
  const folder = join(parent, 'bad');
  for (const name of ['a$(id)', '`id`', 'a;id', 'a b', "a'", 'a"', 'a\nb', '../a', 'A', '-a', 'a-', `a${'b'.repeat(63)}`, '']) {
    await expect(writeSkeleton(name, 'kubernetes', folder)).rejects.toThrow('is no name of a component');
  }
  await expect(stat(folder)).rejects.toThrow('ENOENT');
  const { code, stderr } = await cellctl(['component', 'new', 'a;id', '--kind', 'kubernetes', '--folder', folder]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('USAGE: "a;id" is no name of a component') });
});

test('a value that the pipeline hands over is no command', async () => {
  const folder = join(parent, 'new-kubernetes');
  const hostile = { ...without, CELL_FACTORY: resolve('.'), COMPONENT_VERSION: '1"; touch hacked; "', COMMIT: '$(touch hacked)' };
  expect((await run('make', ['-s', '-C', folder, 'pipeline-build'], hostile)).stderr).toContain('is no version');
  expect(await readdir(folder)).not.toContain('hacked');
});

describe('cellctl component check', () => {
  test('says what is missing, ends with 1, and says the same as JSON', async () => {
    const folder = join(parent, 'poor');
    await mkdir(folder);
    await writeFile(join(folder, 'Makefile'), 'pipeline-build:\n\t@:\n');
    const { code, stdout } = await cellctl(['component', 'check', folder]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✓ pipeline-build +has a recipe\n✗ pipeline-publish +is missing\n +fix: write it: it publishes/);
    expect(stdout).toMatch(/\npoor does not keep the contract: 5 of 10\n$/);
    const machine = await cellctl(['component', 'check', folder, '--json']);
    expect(machine.code).toBe(1);
    expect(JSON.parse(machine.stdout)).toMatchObject({ component: 'poor', kept: false, items: expect.any(Array) });
  });

  test('knows the component of a folder from the registry', async () => {
    const { stdout } = await cellctl(['component', 'check', 'examples/orders-api', '--organization', await definitionsFolder()]);
    expect(stdout).toMatch(/✓ kind +cloudformation, as the registry says\n/);
  });
});

describe('a build', () => {
  const TEMPLATE = {
    Metadata: { 'Cell/Requests': 'embedded metric format' },
    Parameters: { ImageUri: { Type: 'String' } },
    Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
  };
  let cdkOut: string;
  beforeAll(async () => {
    cdkOut = join(parent, 'cdk.out');
    await mkdir(cdkOut);
    const artifacts = { 'orders-api': { type: 'aws:cloudformation:stack', properties: { templateFile: 'orders-api.template.json' } } };
    await writeFile(join(cdkOut, 'manifest.json'), JSON.stringify({ artifacts }));
    await writeFile(join(cdkOut, 'orders-api.template.json'), JSON.stringify(TEMPLATE));
    await writeFile(join(parent, 'Dockerfile'), 'FROM scratch\n');
  });

  const image = () => ['--image', `ImageUri=${join(parent, 'new-kubernetes')}`];
  const pack = (out: string, environment: Record<string, string>, ...more: string[]) =>
    cellctl(
      ['component', 'package', 'orders-api', '--assembly', cdkOut, '--release', '1.0.0', '--out', join(parent, out), ...image(), ...more],
      environment,
    );
  /** Publishes what lies there, in an organization that has no tooling yet: whoever gets that far has passed every check. */
  const publish = async (out: string, args: readonly string[] = [], environment: Record<string, string> = {}) => {
    const base = ['component', 'publish', 'orders-api', '--from', join(parent, out), '--organization', await definitionsFolder()];
    const { code, stderr } = await cellctl([...base, ...args], { CELL_FACTORY_ACCOUNTS: '/nowhere/accounts.json', ...environment });
    return `${code} ${stderr}`;
  };
  const LOCAL = { AWS_ENDPOINT_URL: 'http://localhost:1' };

  test('without a container engine says so, and is published only on purpose', async () => {
    const { code, stdout, stderr } = await pack('unbuilt', without);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('none of docker, podman, finch answers') });
    expect(stdout).toMatch(
      /^packaged orders-api 1\.0\.0 in .*: orders-api\.template\.json\n {2}ImageUri: not built, of 4 files, tree [0-9a-f]{12}\n$/,
    );
    expect(await publish('unbuilt')).toMatch(/^2 IMAGE_NOT_BUILT: .*\nfix: .*--image ImageUri=<uri>/);
    expect(await publish('unbuilt', ['--allow-unbuilt'])).toMatch(/^2 REFUSED: --allow-unbuilt .* may reach customers/);
    expect(await publish('unbuilt', ['--allow-unbuilt'], LOCAL)).toMatch(/^2 NOT_INITIALIZED/);
    expect(await publish('unbuilt', ['--image', 'registry.example/orders-api:1'])).toMatch(/^2 NOT_INITIALIZED/);
    expect(await publish('unbuilt', ['--image', 'Other=registry.example/orders-api:1'])).toMatch(/^2 IMAGE_NOT_BUILT/);
  });

  test('with one is built, and that is said on stderr', async () => {
    const { code, stderr } = await pack('built', await engines('builds'), '--commit', 'abc123');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('built orders-api:1.0.0 with docker') });
    const build = JSON.parse(await readFile(join(parent, 'built/component.json'), 'utf8')) as unknown;
    expect(build).toMatchObject({
      images: { ImageUri: { status: 'built', reference: 'orders-api:1.0.0', id: `sha256:${'1'.repeat(64)}` } },
    });
    expect(await publish('built')).toMatch(/^2 NOT_INITIALIZED/);
  });

  test('is what isolation is checked of, like the assembly that it is made from', async () => {
    const [packaged, assembly] = await Promise.all(['built', 'cdk.out'].map((each) => readComponent('orders-api', join(parent, each))));
    expect(packaged).toEqual({ name: 'orders-api', template: TEMPLATE });
    expect(assembly).toEqual(packaged);
    await expect(readComponent('billing', join(parent, 'built'))).rejects.toThrow('is no cloud assembly');
  });

  test('says which version and commit it is; others are refused, both at once', async () => {
    const said = await publish('built', ['--release', '2.0.0', '--commit', 'def456']);
    expect(said).toMatch(/^2 ARTIFACT_INVALID: .* has 2 problems\n/);
    expect(said).toContain('version  is 1.0.0, not 2.0.0');
    expect(said).toContain('commit  is abc123, not def456');
    expect(await publish('built', ['--release', '1.0.0', '--commit', 'abc123'])).toMatch(/^2 NOT_INITIALIZED/);
  });

  test('that lies is refused before anything is asked of anybody', async () => {
    await pack('lying', without);
    await writeFile(join(parent, 'lying/orders-api.template.json'), '{}');
    expect(await publish('lying')).toMatch(/^2 ARTIFACT_INVALID: .*\n.*files\.orders-api\.template\.json\.sha256/);
  });

  test('for Kubernetes is not published yet, nor as what the registry does not say', async () => {
    const manifests = join(parent, 'new-kubernetes/manifests');
    await cellctl(['component', 'package', 'orders-api', '--manifests', manifests, '--release', '1', '--out', join(parent, 'charts')]);
    expect(await publish('charts')).toMatch(/^2 ARTIFACT_INVALID: [\s\S]*kind {2}is kubernetes, not cloudformation/);
    const folder = await definitionsFolder();
    const change = async (file: string, from: string, to: string) =>
      writeFile(join(folder, file), (await readFile(join(folder, file), 'utf8')).replace(from, to));
    await change('components/orders-api.ts', "name: 'orders-api',", "name: 'orders-api', kind: 'kubernetes',");
    await change('cells/alpha.ts', "name: 'alpha',", "name: 'alpha', platforms: ['ecs', 'eks'],");
    const { code, stderr } = await cellctl([
      'component',
      'publish',
      'orders-api',
      '--from',
      join(parent, 'charts'),
      '--organization',
      folder,
    ]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^REFUSED: .*Kubernetes.*; nothing was published/) });
  });

  test('that is a plain assembly needs a version', async () => {
    expect(await publish('cdk.out')).toMatch(/^2 USAGE: no --release/);
    expect(await publish('cdk.out', ['--release', '1.0.0', '--image', 'registry.example/orders-api:1'])).toMatch(/^2 NOT_INITIALIZED/);
  });
});
