/** What a change would lose is shown before it is made, and is not made by accident. On a local cloud, by the commands that people type. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DeleteAlarmsCommand, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteParameterCommand, GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deployStack } from '../../../lib/aws/toolkit.ts';
import { readAccountsFile } from '../../../lib/registry/index.ts';
import { refuseLosses } from '../../../lib/review/losses.ts';
import { cellctl } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';
import { runbook } from '../../_helpers/runbook.ts';

let cloud: TestCloud;
let folder: string;
const as = async (account: string, ...args: string[]) => cellctl([...args, '--organization', folder], await cloud.environment(account));
const tooling = (...args: string[]) => as('tooling', ...args);
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

const definition = (cell: string) => join(folder, 'cells', `${cell}.ts`);

/** Does `work` while the definition of `cell` says `to` instead of `from`. */
async function whileDefined<T>(cell: string, from: string, to: string, work: () => Promise<T>): Promise<T> {
  const text = await readFile(definition(cell), 'utf8');
  expect(text).toContain(from);
  await writeFile(definition(cell), text.replace(from, to));
  try {
    return await work();
  } finally {
    await writeFile(definition(cell), text);
  }
}

const inside = async (cell: string) => new CloudFormationClient(await cloud.client(cell));
const updatedAt = async (cell: string) => {
  const { Stacks = [] } = await (await inside(cell)).send(new DescribeStacksCommand({ StackName: `Cell-${cell}` }));
  return Stacks[0]?.LastUpdatedTime?.toISOString();
};
const templateOf = async (cell: string) => {
  const { TemplateBody = '' } = await (await inside(cell)).send(new GetTemplateCommand({ StackName: `Cell-${cell}` }));
  return JSON.parse(TemplateBody) as { Resources: Record<string, object> };
};

/** The foundation of `cell` as an older factory would have left it: with a queue that there is no more. */
async function withOldQueue(cell: string): Promise<void> {
  const client = await inside(cell);
  const template = await templateOf(cell);
  const Resources = { ...template.Resources, OldQueue: { Type: 'AWS::SQS::Queue', DeletionPolicy: 'Delete' } };
  await client.send(
    new UpdateStackCommand({
      StackName: `Cell-${cell}`,
      TemplateBody: JSON.stringify({ ...template, Resources }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  expect((await templateOf(cell)).Resources).toHaveProperty('OldQueue');
}

beforeAll(async () => {
  cloud = await TestCloud.start();
  folder = await definitionsFolder();
  for (const cell of ['bravo', 'charlie']) await rm(definition(cell));
  await writeFile(
    definition('mine'),
    `import { defineCell } from 'cell-factory/registry';
export default defineCell({ name: 'mine', stage: 'personal', region: 'eu-west-1', network: { block: '10.0.80.0/20' }, owner: 'ada', expiresAt: '2020-01-31T18:00:00Z' });
`,
  );
  await writeFile(
    join(folder, 'components', 'foundations.ts'),
    `import { defineComponent } from 'cell-factory/registry';
export default defineComponent({ name: 'foundations', kind: 'foundation', repository: { url: 'https://github.com/acme/cells' } });
`,
  );
  for (const [account, command] of [
    ['management', ['init']],
    ['tooling', ['accounts']],
    ['tooling', ['deploy', 'staging', 'alpha']],
    ['tooling', runbook('cellctl publish')],
  ] as const) {
    const { code, stderr } = await as(account, ...command);
    expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
  }
});
afterAll(() => cloud.stop());

describe('plan', () => {
  test('proposes to remove a personal cell past its end, estimates the others, and finds no other difference', async () => {
    const { stdout } = await tooling('plan', '--json');
    const { differences, costs } = json(stdout) as {
      differences: { kind: string; name: string; change: string; action: string }[];
      costs: { cells: { cell: string; monthly: number }[]; monthly: number };
    };
    expect(differences.map(({ kind, name, change, action }) => `${kind} ${name} ${change}: ${action}`)).toEqual([
      'cell mine remove: cellctl accounts pool --return mine',
    ]);
    expect(costs.cells.map(({ cell }) => cell).sort()).toEqual(['alpha', 'mine', 'staging']);
  });

  test('of one cell reads like a pull request: overrides, changes by property, cost, alarms, risks, commands', async () => {
    const { code, stdout } = await whileDefined(
      'alpha',
      "importance: 'low'",
      "importance: 'low', overrides: { database: { instanceClass: 'm7g.large' } }",
      () => tooling('plan', 'alpha', '--exit-code'),
    );
    expect(code).toBe(1);
    expect(stdout).toContain('database.instanceClass m7g.large instead of t4g.medium');
    expect(stdout).toMatch(/~ DataDatabase\w+ AWS::RDS::DBInstance: .*DBInstanceClass db\.t4g\.medium →/);
    expect(stdout).toMatch(/^Cost +estimate \$\d+ → \$\d+ a month \(\+\$\d+\): database \$/m);
    expect(stdout).toMatch(/database-connections 360 → 720/);
    expect(stdout).toMatch(/! the database fails over to its standby/);
    expect(stdout).toMatch(/^Run +\$ cellctl deploy alpha\n +\$ cellctl publish$/m);
    expect(stdout).not.toContain('DESTRUCTIVE');
    expect(stdout.split('\n').length).toBeLessThanOrEqual(45);
  });
});

describe('a change that replaces the network', () => {
  const elsewhere = <T>(work: () => Promise<T>) => whileDefined('alpha', '10.0.16.0/20', '10.0.96.0/20', work);

  test('is DESTRUCTIVE in plan', async () => {
    const [all, one] = await elsewhere(() => Promise.all([tooling('plan'), tooling('plan', 'alpha')]));
    expect(all.stdout).toMatch(/mine +remove +expired at 2020-01-31T18:00:00Z, \d+ days ago; belongs to ada/);
    expect(all.stdout).toMatch(/estimate, a month: \$[\d,]+ \(staging \$\d+, alpha \$\d+, mine \$\d+\)\nestimate: US dollars/);
    expect(all.stdout).toMatch(/Cell-alpha +update .*replaced[^\n]*\n +DESTRUCTIVE: replaces NetworkVpc7FB7348F \(AWS::EC2::VPC\)/);
    expect(one.stdout).toMatch(/^DESTRUCTIVE +! NetworkVpc7FB7348F AWS::EC2::VPC, replaced because of CidrBlock 10\.0\.16\.0\/20 →/m);
  });

  test('is refused by deploy, for all cells, and nothing is deployed to any of them', async () => {
    const before = await Promise.all([updatedAt('staging'), updatedAt('alpha')]);
    const { code, stdout, stderr } = await elsewhere(() =>
      // Staging would change, too, and comes first.
      whileDefined('staging', "name: 'staging',", "name: 'staging', tags: { reason: 'test' },", () =>
        tooling('deploy', 'staging', 'alpha'),
      ),
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/REPLACEMENT_REFUSED: .*nothing was deployed/);
    expect(stderr).toMatch(/alpha\/NetworkVpc7FB7348F {2}AWS::EC2::VPC would be replaced because of CidrBlock.*lost: the network/);
    expect(stderr).toContain('--allow-replacement alpha/NetworkVpc7FB7348F');
    expect(await Promise.all([updatedAt('staging'), updatedAt('alpha')])).toEqual(before);
  });
});

describe('a database that RDS would refuse to change', () => {
  const overridden = <T>(database: string, work: () => Promise<T>) =>
    whileDefined('alpha', "importance: 'low'", `importance: 'low', overrides: { database: { ${database} } }`, work);

  test('is told by plan, as are smaller figures than those that are deployed, although the registry was published', async () => {
    await cloud.control('databases', { missing: { 'db.r7g.large': ['a', 'b'] } });
    const { one, all } = await overridden("instanceClass: 'r7g.large', backupDays: 3", async () => {
      expect(await tooling('publish')).toMatchObject({ code: 0 });
      const [alone, together] = await Promise.all([tooling('plan', 'alpha'), tooling('plan')]);
      return { one: alone.stdout.replace(/\s+/g, ' '), all: together.stdout };
    });
    const back = await tooling('publish');
    expect({ code: back.code, stderr: back.code === 0 ? '' : back.stderr }).toEqual({ code: 0, stderr: '' });
    expect(one).toContain('cost and alarms are compared with what is deployed');
    expect(one).toMatch(/database\.backupDays \d+ → 3: older backups are deleted/);
    expect(one).toMatch(/REFUSED ! alpha\/DataDatabase\w+: RDS offers db\.r7g\.large with postgres 17\.7 and gp3 in eu-west-1c only/);
    expect(all).toMatch(/Cell-alpha[\s\S]*REFUSED: alpha\/DataDatabase\w+: RDS offers db\.r7g\.large/);
  });

  test('is refused by deploy before anything is changed, with the value that keeps what it has', async () => {
    const { alpha: account } = (await readAccountsFile(cloud.accountsFile)).cells;
    await cloud.control('databases', { account, storageGiB: 80 });
    const before = await updatedAt('alpha');
    const { code, stderr } = await overridden("storageGiB: 50, instanceClass: 'r7g.large'", () => tooling('deploy', 'alpha'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/DATABASE_REFUSED: .*nothing was deployed/);
    expect(stderr).toMatch(/alpha\/DataDatabaseA9E9E962 .*storage has grown to 80 GiB, and 50 are wanted/);
    expect(stderr).toContain('overrides: { database: { storageGiB: 80, maxStorageGiB: 100 } }');
    expect(stderr).toMatch(/RDS offers db\.r7g\.large with postgres 17\.7 and gp3 in eu-west-1c only, and a standby needs two zones/);
    expect(await updatedAt('alpha')).toEqual(before);
  });
});

describe('a queue that the foundation does not have any more', () => {
  beforeAll(() => withOldQueue('alpha'));

  test('is refused to go until it is allowed by its name', async () => {
    expect(await tooling('deploy', 'alpha')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('alpha/OldQueue  AWS::SQS::Queue would be removed'),
    });
    const { code, stderr } = await tooling('deploy', 'alpha', '--allow-replacement', 'oldqueue');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('USAGE: --allow-replacement oldqueue') });
    expect(await tooling('deploy', 'alpha', '--allow-replacement', 'OldQueue')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name cell and resource, of what would be lost: alpha/OldQueue'),
    });
    expect((await templateOf('alpha')).Resources).toHaveProperty('OldQueue');
  });

  test('keeps a version of foundations from starting, which names each cell, until it is allowed in that cell', async () => {
    await withOldQueue('staging');
    const out = await mkdtemp(join(tmpdir(), 'cell-factory-foundations-'));
    await cloud.control('databases', { missing: { 'db.r7g.large': ['a', 'b'] } });
    const larger = "importance: 'low', overrides: { database: { instanceClass: 'r7g.large' } }";
    const packaged = await whileDefined('alpha', "importance: 'low'", larger, () =>
      tooling('component', 'package', 'foundations', '--foundations', '--release', '1', '--out', out),
    );
    expect({ code: packaged.code, stderr: packaged.code === 0 ? '' : packaged.stderr }).toEqual({ code: 0, stderr: '' });
    // With the first credentials that its pipeline has.
    expect(await tooling('component', 'publish', 'foundations', '--from', out)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/warning staging\/OldQueue .*would be removed[\s\S]*warning alpha\/OldQueue/),
    });
    const start = (...allowed: string[]) => tooling('rollout', 'start', 'foundations', '--release', '1', '--yes', ...allowed);
    const [plain, unnamed, half, planned] = await Promise.all([
      start(),
      start('--allow-replacement', 'OldQueue'),
      start('--allow-replacement', 'staging/OldQueue'),
      tooling('rollout', 'plan', 'foundations', '--release', '1'),
    ]);
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringMatching(/staging\/OldQueue {2}AWS::SQS::Queue would be removed/) });
    expect(plain.stderr).toMatch(/alpha\/OldQueue {2}AWS::SQS::Queue would be removed[\s\S]*--allow-replacement alpha\/OldQueue/);
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringMatching(/USAGE: --allow-replacement OldQueue/) });
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining('alpha/OldQueue') });
    expect(half.stderr).toMatch(/alpha\/DataDatabase\w+ {2}RDS offers db\.r7g\.large .*DATABASE_REFUSED/);
    expect(half.stderr).not.toContain('staging/OldQueue');
    expect(planned).toMatchObject({ code: 2, stdout: expect.stringContaining('OldQueue') });
    expect(await tooling('deploy', 'staging', '--allow-replacement', 'staging/OldQueue')).toMatchObject({ code: 0 });
  });

  test('goes when it is, and then the review of the cell is a few lines', async () => {
    expect(await tooling('deploy', 'alpha', '--allow-replacement', 'alpha/OldQueue')).toMatchObject({ code: 0 });
    expect((await templateOf('alpha')).Resources).not.toHaveProperty('OldQueue');
    const { stdout } = await tooling('plan', 'alpha');
    expect(stdout).toMatch(/^alpha +production · small · shared · eu-west-1 · \d{12}\n/);
    expect(stdout).toContain('nothing differs: the cell is as the registry says');
    expect(stdout.split('\n').length).toBeLessThan(12);
  });
});

/** A build of orders-api that only says which version runs. @returns its folder */
async function builtComponent(): Promise<string> {
  const assembly = await mkdtemp(join(tmpdir(), 'cell-factory-assembly-'));
  const parameter = (Name: string, Value: unknown) => ({ Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name, Value } });
  const template = {
    Metadata: { 'Cell/Requests': 'of the probe, which the local cloud makes up' },
    Parameters: { Version: { Type: 'String' } },
    Resources: {
      Running: parameter('/orders-api/version', { Ref: 'Version' }),
      Probe: parameter('/cell/probe/orders-api', '/orders'),
    },
  };
  const stack = { type: 'aws:cloudformation:stack', properties: { templateFile: 'template.json' } };
  await writeFile(join(assembly, 'template.json'), JSON.stringify(template));
  await writeFile(join(assembly, 'manifest.json'), JSON.stringify({ artifacts: { 'orders-api': stack } }));
  return assembly;
}

test('an alarm that somebody has deleted stops a rollout, which names the command that recreates it', async () => {
  const alarms = new CloudWatchClient(await cloud.client('staging'));
  const AlarmNames = ['cell-staging-latency'];
  const isThere = async () => (await alarms.send(new DescribeAlarmsCommand({ AlarmNames }))).MetricAlarms?.length === 1;
  expect(await isThere()).toBe(true);
  await alarms.send(new DeleteAlarmsCommand({ AlarmNames }));

  expect(await tooling('component', 'publish', 'orders-api', '--from', await builtComponent(), '--release', '1')).toMatchObject({
    code: 0,
  });
  const started = await tooling(...'rollout start orders-api --release 1 --time-scale 0.0001 --yes --watch'.split(' '));
  expect(started).toMatchObject({ code: 1, stdout: expect.stringContaining('has no cell-staging-latency') });
  const named = /staging has no cell-staging-latency: recreate with `cellctl (deploy staging [^`]*)`/.exec(started.stdout)?.[1] ?? '';

  const [planned, status] = await Promise.all([tooling('plan', 'staging'), tooling('status', 'staging')]);
  expect(planned.stdout).toMatch(/\+ cell-staging-latency is missing: somebody has deleted it[\s\S]*\$ cellctl deploy staging/);
  expect(status.stdout).toContain('MISSING staging cell-staging-latency: `cellctl deploy staging` brings them back');
  // CloudFormation compares templates: to it, nothing has changed.
  const plain = await tooling('deploy', 'staging', '--no-revert-drift', '--json');
  expect(json(plain.stdout)).toEqual({ cells: [expect.objectContaining({ cell: 'staging', state: 'unchanged' })] });
  expect(await isThere()).toBe(false);

  const recreate = runbook('cellctl deploy <cell> --revert-drift', { cell: 'staging' });
  const { code, stderr } = await tooling(...recreate);
  expect({ named: named.split(' '), code, stderr: code === 0 ? '' : stderr }).toEqual({ named: recreate, code: 0, stderr: '' });
  expect(await isThere()).toBe(true);
  expect(await tooling(...runbook('cellctl rollout resume <id> --reason "…"', { id: 'orders-api-1' }))).toMatchObject({ code: 0 });
  expect(await tooling('rollout', 'watch', 'orders-api')).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') });

  // What is missing is brought back without being asked for.
  const parameters = new SSMClient(await cloud.client('staging'));
  const Name = '/cell/queue/url';
  await parameters.send(new DeleteParameterCommand({ Name }));
  // A component's stack, which rollouts bring and `deploy` doesn't.
  await new CloudFormationClient(await cloud.client('staging')).send(new DeleteStackCommand({ StackName: 'orders-api' }));
  const [differences, gone] = await Promise.all([tooling('plan'), tooling('status', 'staging')]);
  expect(differences.stdout).toMatch(
    /staging +create +the stack of orders-api is gone: orders-api-1 has deployed 1 +cellctl rollout catch-up staging/,
  );
  expect(gone.stdout).toContain('GONE staging orders-api: orders-api-1 has deployed 1; `cellctl rollout catch-up staging` brings it back');
  expect(differences.stdout).toMatch(/Cell-staging +update +1 missing, deleted by hand \(\/cell\/queue\/url\)/);
  const back = await tooling('deploy', 'staging');
  expect(back).toMatchObject({ code: 0, stderr: expect.stringContaining('staging: somebody has deleted /cell/queue/url: brought back') });
  expect((await parameters.send(new GetParametersCommand({ Names: [Name] }))).InvalidParameters ?? []).toEqual([]);

  expect(await tooling('rollout', 'catch-up', 'staging', '--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('deployed') });
  expect((await tooling('status', 'staging')).stdout).not.toContain('GONE');

  // Where nothing has drifted, it changes nothing.
  const again = await tooling('deploy', 'staging', '--revert-drift', '--json');
  expect(json(again.stdout)).toMatchObject({ cells: [{ cell: 'staging', state: 'unchanged' }] });
});

test('a drift that nothing but a loss reverts is refused, and reverted once somebody names the loss', async () => {
  const config = await cloud.client('staging');
  const [stacks, parameters] = [new CloudFormationClient(config), new SSMClient(config)];
  const Named = { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/drifting/name', Value: 'drifting' } };
  const Data = { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['Named', 'Value'] } } };
  const template = JSON.stringify({ Resources: { Named, Data } });
  const StackName = 'drifting';
  await stacks.send(new CreateStackCommand({ StackName, TemplateBody: template }));
  await parameters.send(new DeleteParameterCommand({ Name: '/drifting/name' }));
  const there = async () => (await parameters.send(new GetParametersCommand({ Names: ['/drifting/name'] }))).Parameters?.length;

  const accountId = (await readAccountsFile(cloud.accountsFile)).cells['staging'] ?? '';
  const environment = `aws://${accountId}/eu-west-1`;
  const artifact = { type: 'aws:cloudformation:stack', environment, properties: { templateFile: 'template.json' } };
  const assembly = await mkdtemp(join(tmpdir(), 'cell-factory-drifting-'));
  await writeFile(join(assembly, 'template.json'), template);
  await writeFile(join(assembly, 'manifest.json'), JSON.stringify({ version: '36.0.0', artifacts: { drifting: artifact } }));
  const session = { region: config.region, credentials: async () => config.credentials };
  const revert = (changeSetName: string, ...allowed: string[]) => {
    const review = (changes: Parameters<typeof refuseLosses>[1]) => refuseLosses('staging', changes, allowed);
    return deployStack(assembly, StackName, () => undefined, { session, changeSetName, revertDrift: { session, review } });
  };

  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  try {
    const problem = {
      path: 'staging/Data',
      message: expect.stringContaining('Data (AWS::SQS::Queue) would be perhaps replaced; lost: messages'),
    };
    await expect(revert('first')).rejects.toMatchObject({ code: 'REPLACEMENT_REFUSED', problems: [problem] });
    expect(await there()).toBe(0);
    expect((await stacks.send(new ListChangeSetsCommand({ StackName }))).Summaries).toEqual([]);
    expect(await revert('second', 'staging/Data')).toMatchObject({ changed: true });
    expect(await there()).toBe(1);
    expect(await revert('third')).toMatchObject({ changed: false });
    expect((await stacks.send(new ListChangeSetsCommand({ StackName }))).Summaries).not.toContainEqual(
      expect.objectContaining({ ChangeSetName: 'third' }),
    );
  } finally {
    delete process.env['AWS_ENDPOINT_URL'];
  }
});

test('status shows where cells are reached, and which are past their end', async () => {
  const { stdout } = await tooling('status');
  expect(stdout).toMatch(/^mine +personal EXPIRED /m);
  expect(stdout).toMatch(/^alpha .* alpha\.cells\.example\.com$/m);
  expect(stdout).toMatch(/^EXPIRED mine since 2020-01-31T18:00:00Z: `cellctl destroy mine`/m);
  expect(json((await tooling('status', '--json')).stdout)['cells']).toContainEqual(
    expect.objectContaining({ cell: 'mine', expiresAt: '2020-01-31T18:00:00Z', expired: true, endpoint: 'https://mine.cells.example.com' }),
  );
});

describe('a production cell whose file is removed while its stack exists', () => {
  const withoutAlpha = async <T>(work: () => Promise<T>): Promise<T> => {
    const text = await readFile(definition('alpha'), 'utf8');
    await rm(definition('alpha'));
    try {
      return await work();
    } finally {
      await writeFile(definition('alpha'), text);
    }
  };

  test.each(['validate', 'plan', 'publish', 'deploy --all'])('is refused by %s, which says how to retire it', async (command) => {
    const { code, stderr } = await withoutAlpha(() => tooling(...command.split(' ')));
    expect({ code, first: stderr.split(':')[0] }).toEqual({ code: 2, first: 'REGISTRY_INVALID' });
    expect(stderr).toMatch(/cells\.alpha {2}there is no definition, but the cell exists.*CELL_REMOVED/);
    expect(stderr).toMatch(/restore cells\/alpha\.ts; to end the cell, set intent: 'retiring' and run `cellctl destroy alpha`/);
  });

  test('is still known when it is taken out of accounts.json, too: plan names it, publish refuses', async () => {
    const accounts = await readFile(cloud.accountsFile, 'utf8');
    const { cells } = await readAccountsFile(cloud.accountsFile);
    await writeFile(cloud.accountsFile, accounts.replace(new RegExp(`"alpha": "${cells['alpha']}[^"]*",?\\s*`), ''));
    const [plan, publish] = await withoutAlpha(() => Promise.all([tooling('plan'), tooling('publish')])).finally(() =>
      writeFile(cloud.accountsFile, accounts),
    );
    expect(plan).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /cell +alpha +conflict +exists \(active since .*intent: 'retiring'.* restore registry\/cells\/alpha\.ts/,
      ),
    });
    expect(publish).toMatchObject({ code: 2, stderr: expect.stringMatching(/CELL_REMOVED[\s\S]*intent: 'retiring'/) });
  });
});
