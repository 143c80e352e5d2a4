/** The reader as others get it: packed, installed into an empty folder, and used there by what its package says. */
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../../lib/aws/s3.ts';
import { S3Objects } from '../../../lib/aws/s3-objects.ts';
import { RegistryStore } from '../../../lib/registry/index.ts';
import { run } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { registry } from '../../_helpers/organization.ts';

const BUCKET = 'acme-cell-registry-200000000000';
let cloud: TestCloud;
let folder: string;
let environment: Record<string, string>;

const packageJson = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, Record<string, string>>;

beforeAll(async () => {
  cloud = await TestCloud.start();
  const { region, credentials } = await cloud.client('management');
  environment = await cloud.environment('management');
  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  const s3 = s3Client({ region, credentials: async () => credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  const store = new RegistryStore(new S3Objects(s3, BUCKET));
  await store.note('alpha', 'built');
  await store.publish(registry().organization, { by: 'ada' });
  delete process.env['AWS_ENDPOINT_URL'];

  folder = await mkdtemp(join(tmpdir(), 'reader-package-'));
  const built = join(folder, 'built');
  expect(await run('npx', ['jiti', 'tools/reader-package.ts', built])).toMatchObject({ code: 0 });
  expect(await run('npm', ['pack', built, '--pack-destination', folder])).toMatchObject({ code: 0 });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const installed = join(folder, 'installed');
  await mkdir(installed);
  const npm = ['install', '--prefix', installed, '--no-audit', '--no-fund', '--no-package-lock', resolve(folder, tarball)];
  expect(await run('npm', npm)).toMatchObject({ code: 0 });
});
afterAll(() => cloud.stop());

describe('the reader’s package', () => {
  test('has three dependencies, of the factory’s own versions, and nothing of the CDK', async () => {
    const { dependencies = {} } = await packageJson(join(folder, 'installed/node_modules/cell-factory/package.json'));
    expect(Object.keys(dependencies)).toEqual(['@aws-sdk/client-s3', 'canonicalize', 'zod']);
    expect((await packageJson('package.json'))['dependencies']).toMatchObject(dependencies);
    expect(await readdir(join(folder, 'installed/node_modules'))).not.toEqual(expect.arrayContaining(['aws-cdk-lib']));
  });

  test('reads a registry, keeps it, and serves it when the cloud is gone', async () => {
    const file = join(folder, 'installed', 'read.mjs');
    await writeFile(
      file,
      `import { RegistryReader } from 'cell-factory/registry';
       const options = { bucket: process.argv[2], region: 'eu-west-1', cacheFile: 'cache/registry.json', timeoutSeconds: 5 };
       const registry = await new RegistryReader(options).read();
       const { name, region } = registry.findCellByAccount('400000000001');
       console.log(JSON.stringify({ revision: registry.revision, name, region, life: registry.lifeOf(name).state, stale: registry.stale !== undefined }));`,
    );
    const read = (variables: Record<string, string>) => run('env', ['-C', join(folder, 'installed'), 'node', file, BUCKET], variables);
    const alpha = { revision: 1, name: 'alpha', region: 'eu-west-1', life: 'active' };
    const fresh = await read(environment);
    expect({ ...fresh, stdout: JSON.parse(fresh.stdout || '{}') }).toMatchObject({ code: 0, stdout: { ...alpha, stale: false } });
    const stale = await read({ ...environment, AWS_ENDPOINT_URL: 'http://localhost:9' });
    expect({ ...stale, stdout: JSON.parse(stale.stdout || '{}') }).toMatchObject({ code: 0, stdout: { ...alpha, stale: true } });
  });

  test('has types that hold without the factory’s sources', async () => {
    const program = `import { defineCell, type Cell, RegistryReader } from 'cell-factory/registry';
      const registry = await new RegistryReader({ bucket: 'b', region: 'r' }).read();
      export const cells: readonly Cell[] = registry.cellsOf('production');
      export const cell = defineCell({ name: 'a', stage: 'production', region: 'r', network: { block: '10.0.0.0/20' } });
      // @ts-expect-error there is no such stage
      registry.cellsOf('test');`;
    await writeFile(join(folder, 'installed', 'use.mts'), program);
    const tsc = resolve('node_modules/.bin/tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
    expect(await run('env', ['-C', join(folder, 'installed'), tsc, ...options, 'use.mts'])).toMatchObject({ code: 0, stdout: '' });
  });

  test('would be published as it is: make publish-reader, dry', async () => {
    const { code, stdout, stderr } = await run('make', ['-s', 'publish-reader', 'DRY_RUN=1']);
    expect({ code, published: stdout.includes('+ cell-factory@') }).toEqual({ code: 0, published: true });
    expect(stderr).toContain('restricted access (dry-run)');
  });
});
