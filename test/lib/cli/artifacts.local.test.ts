/** A component from its build to the buckets of every region, by the commands that people type. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeImagesCommand, ECRClient, GetLifecyclePolicyCommand, GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readAccountsFile } from '../../../lib/registry/index.ts';
import { cellctl, run } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { engines } from '../../_helpers/engines.ts';
import { pushImage } from '../../_helpers/images.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';
import { runbook } from '../../_helpers/runbook.ts';

let cloud: TestCloud;
let folder: string;
let dist: string;
/** Of the image of version 2.0.0, which was pushed before any other region was used. */
let digest: string;

const as = async (account: string, ...args: string[]) => cellctl([...args, '--organization', folder], await cloud.environment(account));
const tooling = (...args: string[]) => as('tooling', ...args);
const IMAGE = ['--image', 'registry.example/orders-api:1.0.0'];
const publish = (...args: string[]) =>
  tooling('component', 'publish', 'orders-api', '--from', dist, '--release', '1.0.0', ...IMAGE, ...args);

const bucket = async (region: string) => `acme-cell-artifacts-${(await readAccountsFile(cloud.accountsFile)).control['tooling']}-${region}`;
const s3 = async (region: string) => new S3Client({ ...(await cloud.client('tooling', region)), forcePathStyle: true });
const ecr = async (region: string) => new ECRClient(await cloud.client('tooling', region));
async function object(region: string, key: string): Promise<string> {
  const { Body } = await (await s3(region)).send(new GetObjectCommand({ Bucket: await bucket(region), Key: key }));
  return (await Body?.transformToString()) ?? '';
}

beforeAll(async () => {
  cloud = await TestCloud.start();
  folder = await definitionsFolder();
  // All cells at home, as long as nobody says otherwise.
  await rm(join(folder, 'cells', 'charlie.ts'));
  dist = await mkdtemp(join(tmpdir(), 'cell-factory-dist-'));
  await run('make', ['-s', '-C', 'examples/orders-api', 'pipeline-build']);
  await cp('examples/orders-api/cdk.out', dist, { recursive: true });
  const { code, stderr } = await as('management', 'init');
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => cloud.stop());

describe('a component', () => {
  test('is published from its build, byte for byte', async () => {
    const { code, stdout, stderr } = await publish('--commit', 'abc123');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^published orders-api 1\.0\.0, sha256:[0-9a-f]{12}, to eu-west-1\n$/);
    const [built, published] = await Promise.all([
      readFile(join(dist, 'orders-api.template.json'), 'utf8'),
      object('eu-west-1', 'artifacts/orders-api/1.0.0/files/orders-api.template.json'),
    ]);
    expect(published).toBe(built);
  });

  test('is listed, with who, when and from what', async () => {
    const { stdout } = await tooling('component', 'releases', 'orders-api');
    expect(stdout).toMatch(/VERSION +DIGEST +PUBLISHED +BY +COMMIT\n1\.0\.0 +sha256:[0-9a-f]{12} +20\S+Z +\S+@\S+ +abc123/);
    expect(JSON.parse((await tooling('component', 'releases', 'orders-api', '--json')).stdout)).toMatchObject({
      component: 'orders-api',
      releases: [{ version: '1.0.0', kind: 'cloudformation', commit: 'abc123', images: { ImageUri: 'registry.example/orders-api:1.0.0' } }],
    });
  });

  test('is not published again, and never as something else', async () => {
    expect((await publish()).stdout).toMatch(/^unchanged: orders-api 1\.0\.0, .* published by /);
    const { code, stderr } = await publish('--image', 'registry.example/orders-api:6.6.6');
    expect(code).toBe(2);
    expect(stderr).toMatch(/ARTIFACT_DIFFERS: orders-api 1\.0\.0 was published by \S+ at \S+, with another image ImageUri/);
  });

  test('that was packaged where no container engine answers is published after its tree, on purpose', async () => {
    const out = join(await mkdtemp(join(tmpdir(), 'cell-factory-package-')), 'dist');
    const words = ['orders-api', '--assembly', dist, '--image', 'ImageUri=examples/orders-api', '--release', '1.1.0', '--out', out];
    const packaged = await cellctl(['component', 'package', ...words, '--json'], await engines('none'));
    const { images } = JSON.parse(packaged.stdout) as { images: { ImageUri: { tree: { sha256: string } } } };
    const { code, stdout } = await tooling('component', 'publish', 'orders-api', '--from', out, '--allow-unbuilt', '--json');
    const tag = `tree-${images.ImageUri.tree.sha256.slice(0, 12)}`;
    expect({ code, manifest: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      manifest: {
        version: '1.1.0',
        images: { ImageUri: expect.stringMatching(new RegExp(`^\\d{12}\\.dkr\\.ecr\\.\\{region\\}\\..*/orders-api:${tag}$`)) },
      },
    });
  });

  test('names an image in its own repository by digest', async () => {
    digest = await pushImage(await ecr('eu-west-1'), 'orders-api', '2.0.0');
    const { control } = await readAccountsFile(cloud.accountsFile);
    const uri = `${control['tooling']}.dkr.ecr.{region}.amazonaws.com/orders-api@${digest}`;
    expect((await publish('--release', '2.0.0', '--image', uri)).stdout).toMatch(/^published orders-api 2\.0\.0/);
  });

  test('stays as it was published: a second write is refused by S3', async () => {
    const put = new PutObjectCommand({
      Bucket: await bucket('eu-west-1'),
      Key: 'artifacts/orders-api/1.0.0/manifest.json',
      Body: '{}',
      IfNoneMatch: '*',
    });
    await expect((await s3('eu-west-1')).send(put)).rejects.toThrow(/condition/i);
  });
});

describe('a cell in a region that is new', () => {
  beforeAll(async () => {
    const alpha = await readFile(join(folder, 'cells', 'alpha.ts'), 'utf8');
    await writeFile(
      join(folder, 'cells', 'charlie.ts'),
      alpha
        .replace("'alpha'", "'charlie'")
        .replace("'eu-west-1'", "'us-east-1'")
        .replace(/10\.0\.\d+\.0\/20/, '10.0.96.0/20'),
    );
  });

  test('is seen by plan, which names the command for tooling', async () => {
    const { differences } = JSON.parse((await tooling('plan', '--json')).stdout) as { differences: { name: string; action: string }[] };
    expect(differences.filter(({ action }) => action === 'cellctl deploy --tooling').map(({ name }) => name)).toEqual([
      'Artifacts-us-east-1',
      'Artifacts',
    ]);
  });

  test('has nothing to publish to before that', async () => {
    const { code, stderr } = await publish();
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/NOT_INITIALIZED: there is no bucket \S+-us-east-1[\s\S]*deploy --tooling/),
    });
  });

  test('gets its bucket without credentials of management, and what was published', async () => {
    const deployed = await tooling('deploy', '--tooling', '--json');
    expect({ code: deployed.code, stacks: JSON.parse(deployed.stdout) }).toEqual({
      code: 0,
      stacks: {
        stacks: [
          { stackName: 'Registry', region: 'eu-west-1', state: 'unchanged' },
          { stackName: 'Domain', region: 'eu-west-1', state: 'unchanged' },
          { stackName: 'Artifacts-us-east-1', region: 'us-east-1', state: 'deployed' },
          { stackName: 'Artifacts', region: 'eu-west-1', state: 'deployed' },
          { stackName: 'Rollouts', region: 'eu-west-1', state: 'unchanged' },
        ],
        brought: ['2.0.0', '1.1.0', '1.0.0'].map((version) => ({ component: 'orders-api', version, region: 'us-east-1' })),
      },
    });
    expect((await publish()).stdout).toMatch(/unchanged: [^\n]*\n$/);
    for (const name of ['1.0.0/manifest.json', '2.0.0/files/orders-api.template.json']) {
      const key = `artifacts/orders-api/${name}`;
      expect(await object('us-east-1', key)).toBe(await object('eu-west-1', key));
    }
  });

  test('has the images that were pushed before, which ECR copies to no region that came later', async () => {
    const there = await ecr('us-east-1');
    const repositoryName = 'orders-api';
    const { imageDetails = [] } = await there.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageDigest: digest }] }));
    expect(imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags])).toEqual([[digest, ['2.0.0']]]);
    const { policyText = '' } = await there.send(new GetRepositoryPolicyCommand({ repositoryName }));
    expect(policyText).toContain('aws:PrincipalOrgID');
    await expect(there.send(new GetLifecyclePolicyCommand({ repositoryName }))).resolves.toBeDefined();
  });

  test('needs nothing more, then', async () => {
    const { code, stdout, stderr } = await tooling(...runbook('cellctl deploy --tooling'));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/unchanged/g)).toHaveLength(5);
    expect((await tooling('plan', '--json')).stdout).not.toContain('--tooling');
    expect(await cloud.skipped()).toEqual([]);
  });
});

test('versions says that nothing runs where nothing is, and hides nothing', async () => {
  const { code, stdout } = await tooling('versions');
  expect(code).toBe(0);
  expect(stdout).toMatch(/CELL +STAGE +ORDERS-API\n/);
  expect(stdout).toContain('orders-api  nowhere in production');
});
