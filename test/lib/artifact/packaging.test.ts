import { mkdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Build, readBuild } from '../../../lib/artifact/build.ts';
import { ContainerEngine } from '../../../lib/artifact/containers.ts';
import { type PackageRequest, packageComponent } from '../../../lib/artifact/packaging.ts';
import type { Message } from '../../../lib/messages.ts';
import type { Run } from '../../../lib/program.ts';
import { FactoryError } from '../../../lib/registry/index.ts';

const ID = `sha256:${'1'.repeat(64)}`;
const TEMPLATE = 'orders-api.template.json';

/** A folder with an assembly in `cdk.out`, and an image's context in `.`. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cell-factory-package-'));
  await mkdir(join(folder, 'cdk.out'));
  const artifacts = { 'orders-api': { type: 'aws:cloudformation:stack', properties: { templateFile: TEMPLATE } } };
  await writeFile(join(folder, 'cdk.out/manifest.json'), JSON.stringify({ artifacts }));
  await writeFile(join(folder, `cdk.out/${TEMPLATE}`), '{"Resources": {}}');
  await writeFile(join(folder, 'Dockerfile'), 'FROM x\n');
  await writeFile(join(folder, '.dockerignore'), 'cdk.out\ndist\nmanifests\n');
  await mkdir(join(folder, 'manifests'));
  await writeFile(join(folder, 'manifests/service.yaml'), 'kind: Service\n');
  await writeFile(join(folder, 'manifests/deployment.yaml'), 'kind: Deployment\n');
});

/** An engine that does what it is told, and remembers it. Only the programs named answer. */
function engines(answering: readonly string[], told: string[][] = []): Run {
  return async (program, words) => {
    told.push([program, ...words]);
    if (!answering.includes(program)) return { code: 1, stdout: '', stderr: 'no server' };
    const file = words[words.indexOf('--iidfile') + 1];
    if (words[0] === 'build' && file !== undefined) await writeFile(file, `${ID}\n`);
    return { code: 0, stdout: '', stderr: '' };
  };
}

const request = (change: Partial<PackageRequest> = {}): PackageRequest => ({
  component: 'orders-api',
  version: '1.0.0',
  commit: 'abc123',
  source: { assembly: join(folder, 'cdk.out') },
  images: { ImageUri: folder },
  out: join(folder, 'dist'),
  ...change,
});
const pack = (change: Partial<PackageRequest> = {}, run = engines([]), messages: Message[] = []) =>
  packageComponent(
    request(change),
    (message) => messages.push(message),
    () => ContainerEngine.find(run),
  );

async function failureOf(work: Promise<unknown>): Promise<FactoryError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FactoryError) return error;
  throw new Error(`no FactoryError but ${String(error)}`);
}

describe('packaging a component', () => {
  test('leaves its template, byte for byte, and says what it is', async () => {
    const messages: Message[] = [];
    const { build } = await pack({}, engines([]), messages);
    expect(build).toEqual({
      schemaVersion: 1,
      component: 'orders-api',
      version: '1.0.0',
      commit: 'abc123',
      files: { [TEMPLATE]: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 17 } },
      parameters: {},
      images: { ImageUri: { status: 'not built', tree: { files: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } } },
      kind: 'cloudformation',
      template: TEMPLATE,
    });
    expect(await readdir(join(folder, 'dist'))).toEqual(['component.json', TEMPLATE]);
    expect(await readFile(join(folder, 'dist', TEMPLATE), 'utf8')).toBe('{"Resources": {}}');
    expect(messages.map(({ text }) => text)).toEqual(['not built: none of docker, podman, finch answers; digested 2 files instead']);
  });

  test('builds the image with the engine that answers, for what cells run', async () => {
    const told: string[][] = [];
    const { build } = await pack({}, engines(['podman', 'finch'], told));
    expect(build.images).toEqual({ ImageUri: { status: 'built', reference: 'orders-api:1.0.0', id: ID } });
    expect(told.map(([program, word]) => `${program} ${word}`)).toEqual(['docker info', 'podman info', 'podman build']);
    expect(told[2]).toEqual(expect.arrayContaining(['--platform', 'linux/arm64', '--tag', 'orders-api:1.0.0', folder]));
  });

  test('gives each of several images a tag of its own', async () => {
    const { build } = await pack({ images: { ImageUri: folder, Migrations: folder } }, engines(['docker']));
    expect(Object.values(build.images).map((image) => 'reference' in image && image.reference)).toEqual([
      'orders-api:1.0.0-imageuri',
      'orders-api:1.0.0-migrations',
    ]);
  });

  test('whose image can’t be built fails with what the engine says, and leaves nothing', async () => {
    const run: Run = async (_, [word]) => ({ code: word === 'info' ? 0 : 1, stdout: '', stderr: 'step 1\nno such base image\n' });
    expect(await failureOf(pack({}, run))).toMatchObject({ code: 'IMAGE_FAILED', message: expect.stringContaining('no such base image') });
    expect(await readdir(folder)).not.toContain('dist');
  });

  test('takes manifests as they are, of a folder or one by one', async () => {
    const { build, files } = await pack({ source: { manifests: join(folder, 'manifests') } });
    expect(build).toMatchObject({ kind: 'kubernetes', manifests: ['deployment.yaml', 'service.yaml'] });
    expect(files.get('service.yaml')).toBe('kind: Service\n');
    const one = await pack({ source: { manifests: join(folder, 'manifests/service.yaml') }, images: {} });
    expect(one.build).toMatchObject({ manifests: ['service.yaml'], images: {} });
    expect(await readdir(join(folder, 'dist'))).toEqual(['component.json', 'service.yaml']);
  });

  test('takes the template of each cell, where the component is their foundations', async () => {
    const source = {
      foundations: new Map([
        ['bravo.template.json', '{"Resources":{}}'],
        ['alpha.template.json', '{"Resources": {}}'],
        ['x.zip.base64', 'eA=='],
      ]),
    };
    const { build, files } = await pack({ component: 'foundations', source, images: {} });
    expect(build).toMatchObject({ kind: 'foundation', template: '{cell}.template.json' });
    expect(Object.keys(build.files)).toEqual(['alpha.template.json', 'bravo.template.json', 'x.zip.base64']);
    expect(files.get('bravo.template.json')).toBe('{"Resources":{}}');
    await expect(readBuild(join(folder, 'dist'), { kind: 'cloudformation' })).rejects.toMatchObject({
      problems: [expect.objectContaining({ message: 'is foundation, not cloudformation' })],
    });
  });

  test('again gives the same bytes', async () => {
    await pack();
    const first = await readFile(join(folder, 'dist/component.json'), 'utf8');
    await pack();
    expect(await readFile(join(folder, 'dist/component.json'), 'utf8')).toBe(first);
  });

  test('of the same commit gives the same bytes in another clone, also where nothing is ignored', async () => {
    await rm(join(folder, '.dockerignore'));
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, '.git/index'), 'one');
    await pack();
    const first = await readFile(join(folder, 'dist/component.json'), 'utf8');
    await writeFile(join(folder, '.git/index'), 'other');
    await pack();
    expect(await readFile(join(folder, 'dist/component.json'), 'utf8')).toBe(first);
  });

  test.each<[string, () => Partial<PackageRequest>, string, string]>([
    ['a name that is none', () => ({ component: 'Orders;' }), 'USAGE', '"Orders;" is no name'],
    ['a version that is none', () => ({ version: '../1' }), 'ARTIFACT_INVALID', '"../1" is no version'],
    ['a commit that is none', () => ({ commit: 'main' }), 'ARTIFACT_INVALID', '"main" is no commit'],
    ['an image without a Dockerfile', () => ({ images: { ImageUri: tmpdir() } }), 'ARTIFACT_INVALID', 'holds no Dockerfile'],
    ['another component’s assembly', () => ({ component: 'billing' }), 'COMPONENT_UNKNOWN', 'holds no stack called billing'],
    ['a folder without manifests', () => ({ source: { manifests: join(folder, 'cdk.out/..') } }), 'ARTIFACT_INVALID', 'holds no manifest'],
    ['manifests that are not there', () => ({ source: { manifests: '/nowhere' } }), 'ARTIFACT_INVALID', '/nowhere can’t be read'],
    [
      'a folder with a folder for a manifest',
      () => {
        mkdirSync(join(folder, 'manifests/more.yaml'));
        return { source: { manifests: join(folder, 'manifests') } };
      },
      'ARTIFACT_INVALID',
      'manifests/more.yaml can’t be read',
    ],
    ['a folder of something else', () => ({ out: folder }), 'REFUSED', 'holds what no packaging left there: .dockerignore, Dockerfile'],
  ])('refuses %s', async (_, change, code, reason) => {
    const error = await failureOf(pack(change()));
    expect({ code: error.code, message: error.message.replaceAll("'", '’') }).toEqual({ code, message: expect.stringContaining(reason) });
    expect(await readdir(folder)).not.toContain('dist');
  });
});

describe('a build', () => {
  const dist = () => join(folder, 'dist');
  const rewrite = async (change: (build: Build) => unknown) => {
    const build = JSON.parse(await readFile(join(dist(), 'component.json'), 'utf8')) as Build;
    await writeFile(join(dist(), 'component.json'), JSON.stringify(change(build)));
  };
  beforeEach(async () => {
    await pack();
  });

  const file = { sha256: '0'.repeat(64), bytes: 1 };
  test.each<[string, () => Promise<unknown>, string, string]>([
    ['with a changed file', () => writeFile(join(dist(), TEMPLATE), '{"Resources": []}'), `files.${TEMPLATE}.sha256`, 'not'],
    [
      'with another size',
      () => rewrite((build) => ({ ...build, files: { [TEMPLATE]: { ...build.files[TEMPLATE], bytes: 3 } } })),
      `files.${TEMPLATE}.bytes`,
      'is 17, not 3',
    ],
    ['without a file', () => rm(join(dist(), TEMPLATE)), `files.${TEMPLATE}`, 'is missing'],
    ['with a file too many', () => writeFile(join(dist(), 'more.json'), ''), 'more.json', 'does not name it'],
    ['with a folder', () => mkdir(join(dist(), 'more')), 'more', 'is a folder or a link'],
    ['with a link out of it', () => symlink('/etc/hostname', join(dist(), 'host')), 'host', 'is a folder or a link'],
    [
      'that names a file outside',
      () => rewrite((build) => ({ ...build, files: { ...build.files, '../Dockerfile': file } })),
      'files.../Dockerfile',
      'leaves the folder',
    ],
    [
      'that names itself',
      () => rewrite((build) => ({ ...build, files: { ...build.files, 'component.json': file } })),
      'files.component.json',
      'no file of its own',
    ],
    ['whose template is none of its files', () => rewrite((build) => ({ ...build, template: 'x.json' })), 'template', 'x.json is none'],
    ['of another component', () => rewrite((build) => ({ ...build, component: 'billing' })), 'component', 'is billing, not orders-api'],
    ['of another version', () => rewrite((build) => ({ ...build, version: '2' })), 'version', 'is 2, not 1.0.0'],
    ['of another commit', () => rewrite((build) => ({ ...build, commit: 'ffff' })), 'commit', 'is ffff, not abc123'],
    ['with an unknown field', () => rewrite((build) => ({ ...build, more: 1 })), 'component.json', 'more'],
    [
      'with a pretended image',
      () => rewrite((build) => ({ ...build, images: { ImageUri: { status: 'built', id: 'x' } } })),
      'images.ImageUri.id',
      'sha256:',
    ],
    [
      'of foundations with one template for all',
      () => rewrite((build) => ({ ...build, kind: 'foundation' })),
      'template',
      'must hold {cell}',
    ],
    [
      'of foundations without any',
      async () => {
        await rm(join(dist(), TEMPLATE));
        await rewrite((build) => ({ ...build, kind: 'foundation', template: '{cell}.json', files: {} }));
      },
      'template',
      '{cell}.json is none of its files',
    ],
    ['of another version of its schema', () => rewrite((build) => ({ ...build, schemaVersion: 2 })), 'schemaVersion', '1'],
  ])('%s is refused', async (_, lie, path, message) => {
    await lie();
    const error = await failureOf(readBuild(dist(), { component: 'orders-api', version: '1.0.0', commit: 'abc123' }));
    expect(error).toMatchObject({
      code: 'ARTIFACT_INVALID',
      problems: expect.arrayContaining([expect.objectContaining({ path, message: expect.stringContaining(message) })]),
    });
  });

  test('is refused with all that is wrong at once', async () => {
    await writeFile(join(dist(), TEMPLATE), Buffer.from([0xff]));
    await writeFile(join(dist(), 'more.json'), '');
    await rewrite((build) => ({ ...build, component: 'billing', files: { ...build.files, '../x': file, 'gone.json': file } }));
    const { problems } = await failureOf(readBuild(dist(), { component: 'orders-api', kind: 'kubernetes' }));
    expect(problems.map(({ path }) => path).sort()).toEqual(
      [
        'component',
        'files.../x',
        'files.gone.json',
        `files.${TEMPLATE}`,
        `files.${TEMPLATE}.bytes`,
        `files.${TEMPLATE}.sha256`,
        'kind',
        'more.json',
      ].sort(),
    );
  });

  test.each([
    ['no component.json', () => rm(join(dist(), 'component.json')), 'is missing'],
    ['one that is no JSON', () => writeFile(join(dist(), 'component.json'), '{'), 'is no JSON'],
  ])('with %s is none', async (_, lie, reason) => {
    await lie();
    const error = await failureOf(readBuild(dist()));
    expect({ code: error.code, message: error.message }).toEqual({ code: 'ARTIFACT_INVALID', message: expect.stringContaining(reason) });
  });
});
