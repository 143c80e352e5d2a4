/**
 * The life of an organization's cells on a local cloud, by the commands that people type. The tests build on each other,
 * as the commands do: each one's first half is the state that the one before left.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStackEventsCommand, GetTemplateCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Leases } from '../../../lib/aws/lease.ts';
import { parseDocument, updateAccountsFile } from '../../../lib/registry/index.ts';
import { cellctlProcess, run, startCellctl } from '../../_helpers/cellctl.ts';
import type { TestCloud } from '../../_helpers/cloud.ts';
import { eventually } from '../../_helpers/eventually.ts';
import { Factory, json } from '../../_helpers/factory.ts';
import { runbook } from '../../_helpers/runbook.ts';

let factory: Factory;
let cloud: TestCloud;
let folder: string;
const COMPONENT = 'examples/orders-api/cdk.out';
const CELLS = ['staging', 'alpha', 'charlie'];
const tooling = (...args: string[]) => factory.tooling(...args);
const lockFile = () => factory.lockFile();

/** Does `work` with the leases of the organization, as ada. */
async function withLeases<T>(work: (leases: Leases) => Promise<T>): Promise<T> {
  const { region, credentials } = await cloud.client('tooling');
  const { control } = await lockFile();
  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  try {
    return await work(
      new Leases({ region, credentials: async () => credentials }, `acme-cell-registry-${control['tooling']}`, 'ada@laptop'),
    );
  } finally {
    delete process.env['AWS_ENDPOINT_URL'];
  }
}

beforeAll(async () => {
  factory = await Factory.startWithAccounts();
  ({ cloud, folder } = factory);
});
afterAll(() => factory?.stop());

describe('deploy', () => {
  test('a cell that CloudFormation refuses is reported with resource and reason, and stops none of its siblings', async () => {
    // Somebody has taken a name that charlie's foundation needs.
    const { cells } = await lockFile();
    const intruder = await run(
      'npx',
      ['cdk', 'deploy', '--app', 'node test/_helpers/intruder.js', '--require-approval', 'never', '--output', join(folder, 'cdk.out')],
      {
        ...(await cloud.environment('tooling')),
        INTRUDED: `${cells['charlie']}/us-east-1`,
      },
    );
    expect(intruder.code).toBe(0);
    const { code, stdout, stderr } = await tooling('deploy', '--all', '--json');
    expect(code).toBe(1);
    const results = json(stdout)['cells'] as { cell: string; state: string; error?: { message: string } }[];
    expect(results.map(({ cell, state }) => `${cell} ${state}`)).toEqual(['staging deployed', 'alpha deployed', 'charlie failed']);
    expect(results[2]?.error?.message).toMatch(/^Cell-charlie: ParameterName\w+ \(AWS::SSM::Parameter\): .*already exists/);
    expect(stderr).toContain('"code":"DEPLOY_FAILED"');
  });

  test('run again carries on: what is done stays as it is, what failed is done', async () => {
    const destroyed = await run(
      'npx',
      ['cdk', 'destroy', '--force', '--app', 'node test/_helpers/intruder.js', '--output', join(folder, 'cdk.out')],
      {
        ...(await cloud.environment('tooling')),
        INTRUDED: `${(await lockFile()).cells['charlie']}/us-east-1`,
      },
    );
    expect(destroyed.code).toBe(0);
    // As people start it: in a process of its own, with the CDK's validation of every template.
    const environment = { ...(await cloud.environment('tooling')), CDK_VALIDATION: 'true' };
    const words = ['deploy', '--all', '--json', '--concurrency', '2', '--organization', folder];
    const { code, stdout } = await cellctlProcess(words, environment);
    const results = json(stdout)['cells'] as { cell: string; state: string }[];
    expect({ code, results: results.map(({ cell, state }) => `${cell} ${state}`) }).toEqual({
      code: 0,
      results: ['staging unchanged', 'alpha unchanged', 'charlie deployed'],
    });
  });

  test('leaves nothing that differs once the life of its cells is published, and nothing that is declared and not there', async () => {
    expect((await tooling('plan')).stdout).toMatch(/revision 1 doesn't know the life of alpha, charlie, staging +cellctl publish/);
    expect(await tooling('publish')).toMatchObject({ code: 0, stdout: expect.stringContaining('published revision 2') });
    const { code, stdout } = await tooling('plan', '--exit-code');
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 0, first: 'nothing differs: acme, 3 cells are as the registry says' });
    // This list can only shrink.
    expect((await cloud.skipped()).map(({ stack, type }) => `${stack} ${type}`)).toEqual([]);
  });

  test('is refused for a cell that somebody else works on, naming them', async () => {
    const blocked = await withLeases((leases) => leases.hold('alpha/Cell-alpha', () => tooling('deploy', 'alpha')));
    expect(blocked.code).toBe(1);
    expect(blocked.stderr).toContain('LOCKED: alpha/Cell-alpha is being worked on by ada@laptop');
  });

  test('two at once: one cell is never deployed by both, and the cell is well afterwards', async () => {
    await writeFile(
      join(folder, 'cells', 'alpha.ts'),
      (await readFile(join(folder, 'cells', 'alpha.ts'), 'utf8')).replace(
        "importance: 'low'",
        "importance: 'low', tags: { reason: 'test' }",
      ),
    );
    const both = await Promise.all([tooling('deploy', 'alpha', '--json'), tooling('deploy', 'alpha', '--json')]);
    expect(both.map(({ code }) => code)).toContain(0);
    for (const { code, stderr } of both) if (code !== 0) expect(stderr).toContain('"code":"LOCKED"');
    const { cells } = await lockFile();
    expect(Object.keys(cells)).toContain('alpha');
    const inside = new CloudFormationClient(await cloud.client('alpha'));
    const { StackEvents = [] } = await inside.send(new DescribeStackEventsCommand({ StackName: 'Cell-alpha' }));
    const updates = StackEvents.filter(
      (event) => event.LogicalResourceId === 'Cell-alpha' && event.ResourceStatus === 'UPDATE_IN_PROGRESS',
    );
    expect(updates).toHaveLength(1);
    expect((await tooling('plan', 'alpha', '--json')).stdout).toContain('cellctl publish');
  });
});

describe('an interrupted deployment', () => {
  test('gives its locks back, so that the next run carries on at once', async () => {
    const running = startCellctl(['deploy', 'alpha', '--json', '--organization', folder], await cloud.environment('tooling'));
    await withLeases(async (leases) => {
      const holder = () => leases.holderOf('alpha/Cell-alpha');
      await eventually('the deployment to hold the lease of alpha', async () => (await holder()) !== undefined, { pause: 10 });
      running.kill('SIGINT');
      expect(await running.ended()).toMatchObject({ code: 130 });
      expect(await holder()).toBeUndefined();
    });
    expect(await tooling('deploy', 'alpha')).toMatchObject({ code: 0 });
  });
});

describe('the plain CDK', () => {
  const cdk = async (...args: string[]) => {
    const output = await mkdtemp(join(tmpdir(), 'cell-factory-cdk-'));
    const finished = await run(
      'npx',
      ['cdk', ...args, '-c', `organization=${folder}`, '--output', output],
      await cloud.environment('tooling'),
    );
    const built = (await readdir(output)).filter((file) => file.endsWith('.template.json'));
    return { ...finished, built };
  };

  test('lists every stack, and builds none', async () => {
    const { code, stdout } = await cdk('ls');
    expect({ code, stacks: stdout.trim().split('\n') }).toEqual({
      code: 0,
      stacks: [
        'Vending',
        'Registry',
        'Domain',
        'Artifacts-us-east-1',
        'Artifacts',
        'Rollouts',
        'Pipelines',
        'Pipeline-orders-api',
        ...CELLS.flatMap((cell) => [`Delegation-${cell}`, `Cell-${cell}`]),
      ],
    });
  });

  test('diffs and deploys one cell, and builds only that', async () => {
    const diff = await cdk('diff', 'Cell-alpha');
    expect({ code: diff.code, built: diff.built, same: /no differences/.test(diff.stdout + diff.stderr) }).toEqual({
      code: 0,
      built: ['Cell-alpha.template.json', 'Delegation-alpha.template.json'],
      same: true,
    });
    const deploy = await cdk('deploy', 'Cell-alpha', '--require-approval', 'never');
    expect({ code: deploy.code, built: deploy.built }).toEqual({
      code: 0,
      built: ['Cell-alpha.template.json', 'Delegation-alpha.template.json'],
    });
    expect(deploy.stdout + deploy.stderr).toContain('(no changes)');
  });

  test('without zones in the lock file is deployed by nobody; accounts reads them, and no subnet moves', async () => {
    const recorded = (await lockFile()).zones;
    await updateAccountsFile(cloud.accountsFile, (file) => ({ ...file, zones: {} }));
    const inside = await cloud.client('staging');
    const template = async () =>
      (await new CloudFormationClient(inside).send(new GetTemplateCommand({ StackName: 'Cell-staging' }))).TemplateBody ?? '';
    const subnets = async () => {
      const { Subnets = [] } = await new EC2Client(inside).send(
        new DescribeSubnetsCommand({ Filters: [{ Name: 'default-for-az', Values: ['false'] }] }),
      );
      return Object.fromEntries(Subnets.map(({ SubnetId = '', AvailabilityZone }) => [SubnetId, AvailabilityZone]));
    };
    const before = await subnets();
    // Its subnets have names of zones: CloudFormation's choice may be another.
    const named = await cdk('deploy', 'Cell-staging', '--require-approval', 'never');
    expect({ ...named, code: named.code !== 0 }).toMatchObject({ code: true, stderr: expect.stringContaining('cellctl accounts staging') });
    expect(await template()).not.toContain('Fn::GetAZs');
    // As a factory did that knew no zones.
    const zones = recorded['staging'] ?? [];
    const chosen = (zone: string) => `{ "Fn::Select": [${zones.indexOf(zone)}, { "Fn::GetAZs": "" }] }`;
    const former = (await template()).replaceAll(/"(eu-west-1[a-z])"/g, (_, zone: string) => chosen(zone));
    const updated = { StackName: 'Cell-staging', Capabilities: ['CAPABILITY_NAMED_IAM' as const] };
    await new CloudFormationClient(inside).send(new UpdateStackCommand({ ...updated, TemplateBody: JSON.stringify(JSON.parse(former)) }));
    expect(await template()).toContain('Fn::GetAZs');
    expect(await subnets()).toEqual(before);

    const refused = await tooling('deploy', 'staging');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('CELL_WITHOUT_ZONES') });
    expect(refused.stderr).toContain('cellctl accounts staging');
    expect((await tooling('plan', 'staging')).stdout).toMatch(/deploy refuses until `cellctl\s+accounts staging`/);

    // Fn::GetAZs would choose others now.
    const added = { method: 'POST', body: JSON.stringify({ region: 'eu-west-1', id: 'euw1-az4' }) };
    expect((await fetch(`${cloud.running.endpoint}/moto-api/cell-factory/zones`, added)).status).toBe(204);
    expect(await tooling('accounts')).toMatchObject({ code: 0 });
    expect((await lockFile()).zones).toEqual(recorded);
    const plan = await tooling('plan', 'staging');
    expect(plan.stdout).not.toMatch(/DESTRUCTIVE|Subnet/);
    expect(await tooling('deploy', 'staging')).toMatchObject({ code: 0 });
    expect(await template()).not.toContain('Fn::GetAZs');
    expect(await subnets()).toEqual(before);
  });
});

test('a foundation that fails in staging is not begun in production', async () => {
  const { stdout, code } = await withLeases((leases) => leases.hold('staging/Cell-staging', () => tooling('deploy', '--all', '--json')));
  const cells = json(stdout)['cells'] as { cell: string; state: string }[];
  expect({ code, cells: cells.map(({ cell, state }) => `${cell} ${state}`) }).toEqual({
    code: 1,
    cells: ['staging failed', 'alpha skipped', 'charlie skipped'],
  });
});

describe('a component', () => {
  test('is built once, published once, and rolled out to every cell as the same bytes', async () => {
    expect((await run('make', ['-s', '-C', 'examples/orders-api', 'pipeline-build'])).code).toBe(0);
    const image = '111122223333.dkr.ecr.{region}.amazonaws.com/orders-api:1.2.3';
    const published = await tooling('component', 'publish', 'orders-api', '--from', COMPONENT, '--image', image, '--release', '1.2.3');
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' });
    const { code } = await tooling(...'rollout start orders-api --release 1.2.3 --time-scale 0.0001 --yes --watch'.split(' '));
    expect(code).toBe(0);
    const status = await tooling('status', '--json');
    const cells = json(status.stdout)['cells'] as { components: Record<string, unknown> }[];
    expect(cells.map(({ components }) => components['orders-api'])).toEqual(
      CELLS.map(() => ({ version: '1.2.3', status: 'CREATE_COMPLETE' })),
    );
    const built = JSON.parse(await readFile(join(COMPONENT, 'orders-api.template.json'), 'utf8')) as unknown;
    for (const cell of CELLS) {
      const inside = new CloudFormationClient(await cloud.client(cell, cell === 'charlie' ? 'us-east-1' : 'eu-west-1'));
      const { TemplateBody = '' } = await inside.send(new GetTemplateCommand({ StackName: 'orders-api' }));
      expect(JSON.parse(TemplateBody)).toEqual(built);
    }
  });

  test.each([
    ['carts', 'no such component: carts'],
    ['orders-api', 'is no cloud assembly'],
  ])('that is unknown or not built is refused: %s', async (name, reason) => {
    const { code, stderr } = await tooling('component', 'publish', name, '--from', join(folder, 'nothing'), '--release', '1');
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });
});

describe('status', () => {
  test('proves that no account sees another’s resources', async () => {
    const { code, stdout } = await tooling('status', '--resources', '--json');
    expect(code).toBe(0);
    const { inventories, checkedPairs, violations } = json(stdout)['isolation'] as {
      inventories: { cell: string; accountId: string; resources: { arn: string; cell: string }[] }[];
      checkedPairs: number;
      violations: string[];
    };
    expect({ checkedPairs, violations }).toEqual({ checkedPairs: 6, violations: [] });
    for (const { cell, accountId, resources } of inventories) {
      expect(resources.length).toBeGreaterThan(40);
      expect(new Set(resources.map((resource) => resource.cell))).toEqual(new Set([cell]));
      expect(resources.filter(({ arn }) => arn.includes(accountId)).length).toBeGreaterThan(0);
    }
  });
});

describe('destroy', () => {
  test('refuses a production cell that nobody has retired', async () => {
    const { code, stderr } = await tooling('destroy', 'alpha', '--yes');
    expect(code).toBe(2);
    expect(stderr).toMatch(/REFUSED: alpha is a production cell, and its intent is "active"\nfix: .*intent: 'retiring'/);
  });

  test('asks, and without a terminal says how to answer', async () => {
    const { code, stderr } = await tooling('destroy', 'staging');
    expect({ code, usage: stderr.includes('--yes') }).toEqual({ code: 2, usage: true });
  });

  test('deletes components and foundation, leaves the account, and is done when run again', async () => {
    const { code, stdout } = await tooling('destroy', 'staging', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('deleted: orders-api, Cell-staging');
    expect(stdout).toContain(`stays: account ${(await lockFile()).cells['staging']}`);
    expect((await tooling('destroy', 'staging', '--yes')).stdout).toContain('staging has no stacks');
    const status = json((await tooling('status', 'staging', '--json')).stdout)['cells'] as { foundation?: string }[];
    expect(status[0]?.foundation).toBeUndefined();
  });

  test('deletes a production cell that is retiring, whose protection it lifts first; with a component that has left', async () => {
    const file = join(folder, 'cells', 'charlie.ts');
    await writeFile(file, (await readFile(file, 'utf8')).replace("importance: 'high'", "importance: 'high', intent: 'retiring'"));
    const entry = join(folder, 'components', 'orders-api.ts');
    const kept = await readFile(entry, 'utf8');
    await rm(entry);
    const planned = await tooling('plan', 'charlie');
    const { code, stdout, stderr } = await tooling('destroy', 'charlie', '--yes');
    await writeFile(entry, kept);
    expect(planned.stdout).toContain('orders-api goes with `cellctl component remove orders-api`');
    expect({ code, stderr: stderr.includes('✗') }).toEqual({ code: 0, stderr: false });
    expect(stdout).toContain('deleted: orders-api, Cell-charlie');
  });
});

describe('the published registry', () => {
  const alpha = () => join(folder, 'cells', 'alpha.ts');
  const edit = async (file: string, from: string, to: string) => writeFile(file, (await readFile(file, 'utf8')).replace(from, to));

  test('shows what differs between two revisions, entry by entry and value by value', async () => {
    expect(await tooling('publish')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/published revision 3[\s\S]*~ cells.alpha\n[\s\S]*~ cells.charlie/),
    });
    const { code, stdout } = await tooling('registry', 'diff', '2', '3', '--exit-code');
    expect(code).toBe(1);
    expect(stdout).toMatch(/cells.alpha.tags.reason +- +"test"/);
    expect(stdout).toMatch(/cells.charlie.intent +"active" +"retiring"/);
    expect(stdout).toMatch(/life.charlie.state +"active" +"retired"/);
    expect(await tooling('registry', 'diff', '3', '--exit-code')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing differs'),
    });
  });

  test('goes back to an old revision by publishing it again', async () => {
    expect(await tooling('registry', 'rollback', '2')).toMatchObject({ code: 0, stdout: expect.stringContaining('published revision 4') });
    const { organization } = parseDocument((await tooling('registry', 'show', '--json')).stdout, 'shown');
    expect(organization.cells['charlie']).toMatchObject({ intent: 'active' });
    expect((await tooling('plan')).stdout).toMatch(/revision 4 has another cells.alpha, cells.charlie/);
    expect(await tooling('publish')).toMatchObject({ stdout: expect.stringContaining('published revision 5') });
  });

  test('puts definitions that started from an older revision on top of what came since', async () => {
    await edit(alpha(), "importance: 'low'", "importance: 'normal'");
    expect(await tooling('publish', '--base', '9')).toMatchObject({ code: 1, stderr: expect.stringContaining('REVISION_NOT_FOUND') });
    const { code, stderr } = await tooling('publish', '--base', '2');
    expect({ code, first: stderr.split('\n')[0] }).toEqual({
      code: 1,
      first: expect.stringMatching(/^PUBLISH_CONFLICT: revision 5 by .* also changed cells.alpha since revision 2$/),
    });
    expect(await tooling('publish', '--base', '5')).toMatchObject({ code: 0, stdout: expect.stringContaining('published revision 6') });
  });

  test('keeps a cell that exists, even when its definition is gone', async () => {
    const text = await readFile(alpha(), 'utf8');
    await rm(alpha());
    const { code, stderr } = await tooling('publish');
    // What is published can be looked at all the same.
    expect(await tooling('registry', 'show')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^revision 6 /) });
    await writeFile(alpha(), text);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cells\.alpha {2}there is no definition, but the cell exists: account \d{12} in accounts\.json {2}CELL_REMOVED/);
    expect(stderr).toContain('fix: restore cells/alpha.ts');
  });

  test('is verified: every revision readable, unchanged and in order', async () => {
    expect(await tooling(...runbook('cellctl registry verify'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^6 revisions, without gaps/),
    });
    const { control } = await lockFile();
    const s3 = new S3Client({ ...(await cloud.client('tooling')), forcePathStyle: true });
    const key = { Bucket: `acme-cell-registry-${control['tooling']}`, Key: 'revisions/00000002.json' };
    const text = (await (await s3.send(new GetObjectCommand(key))).Body?.transformToString()) ?? '';
    await s3.send(new PutObjectCommand({ ...key, Body: text.replace('eu-west-1', 'eu-west-2') }));
    const { code, stdout } = await tooling('registry', 'verify', '--json');
    expect({ code, flaws: json(stdout)['flaws'] }).toEqual({
      code: 1,
      flaws: [{ key: key.Key, message: expect.stringContaining('content has digest'), fix: expect.stringContaining('restore') }],
    });
    await s3.send(new PutObjectCommand({ ...key, Body: text }));
  });
});
