/** Accounts on a local cloud, by the commands that people type. The tests build on each other, as the commands do. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AccountClient, GetAlternateContactCommand } from '@aws-sdk/client-account';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, CreateLogGroupCommand, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeAvailabilityZonesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateRoleCommand, DeleteRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { CloseAccountCommand, ListAccountsCommand, ListTagsForResourceCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { CreateBucketCommand, DeleteBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListRequestedServiceQuotaChangeHistoryByQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readAccountsFile } from '../../../lib/registry/index.ts';
import { cellctl, startCellctl } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { eventually } from '../../_helpers/eventually.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

let cloud: TestCloud;
let folder: string;

const tooling = async (...args: string[]) => cellctl([...args, '--organization', folder], await cloud.environment('tooling'));
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;
const lockFile = () => readAccountsFile(cloud.accountsFile);

async function listed() {
  const organizations = new OrganizationsClient(await cloud.client('management'));
  return { organizations, accounts: (await organizations.send(new ListAccountsCommand({}))).Accounts ?? [] };
}

async function tagsOf(id = '') {
  const { Tags = [] } = await (await listed()).organizations.send(new ListTagsForResourceCommand({ ResourceId: id }));
  return Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
}

/** The registry's bucket, as tooling sees it. */
async function bucket() {
  const { control } = await lockFile();
  return {
    s3: new S3Client({ ...(await cloud.client('tooling')), forcePathStyle: true }),
    Bucket: `acme-cell-registry-${control['tooling']}`,
  };
}

const cellFile = (name: string) => join(folder, 'cells', `${name}.ts`);
const change = async (file: string, from: string, to: string) => writeFile(file, (await readFile(file, 'utf8')).replace(from, to));

beforeAll(async () => {
  cloud = await TestCloud.start();
  folder = await definitionsFolder();
  await rename(cellFile('bravo'), join(folder, 'bravo.later'));
  const { code, stderr } = await cellctl(['init', '--organization', folder], await cloud.environment('management'));
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => cloud.stop());

describe('a vended account', () => {
  test('has its tags, contacts, service-linked roles, quota requests and bootstrap', async () => {
    const { code, stdout, stderr } = await tooling('accounts', 'alpha', '--json');
    expect(code).toBe(0);
    const [result] = json(stdout)['accounts'] as { state: string; accountId: string; warnings: string[] }[];
    expect(result).toMatchObject({ state: 'created', accountId: (await lockFile()).cells['alpha'] });
    expect(result?.warnings.join('\n')).toMatch(
      /quota "Fargate On-Demand vCPU resource count" \(fargate\) is 6, the cell needs 16: asked for it now/,
    );
    expect(stderr).toContain('"text":"waiting: ready in about');
    expect(await tagsOf(result?.accountId)).toMatchObject({ cell: 'alpha', stage: 'production', 'cell-factory:account': 'cell-alpha' });

    const client = await cloud.client('alpha');
    const contact = await new AccountClient(client).send(new GetAlternateContactCommand({ AlternateContactType: 'SECURITY' }));
    expect(contact.AlternateContact).toMatchObject({ Name: 'Security', EmailAddress: 'security@example.com' });
    const { Roles = [] } = await new IAMClient(client).send(new ListRolesCommand({ PathPrefix: '/aws-service-role/' }));
    expect(Roles.map(({ Path }) => Path?.split('/')[2]).sort()).toEqual([
      'ecs.amazonaws.com',
      'elasticache.amazonaws.com',
      'elasticloadbalancing.amazonaws.com',
      'rds.amazonaws.com',
    ]);
    const quotas = new ServiceQuotasClient(client);
    const key = { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' };
    const { RequestedQuotas = [] } = await quotas.send(new ListRequestedServiceQuotaChangeHistoryByQuotaCommand(key));
    expect(RequestedQuotas).toMatchObject([{ DesiredValue: 100, Status: 'PENDING' }]);
    const { Stacks = [] } = await new CloudFormationClient(client).send(new DescribeStacksCommand({ StackName: 'CDKToolkit' }));
    expect(Stacks[0]?.StackStatus).toBe('CREATE_COMPLETE');
  });

  test('is left as it is by the next run, which tells what AWS has not answered yet', async () => {
    const { stdout } = await tooling('accounts', 'alpha', '--json');
    const [result] = json(stdout)['accounts'] as { state: string; warnings: string[] }[];
    expect(result?.state).toBe('unchanged');
    expect(result?.warnings.join('\n')).toContain('AWS has not answered yet');
  });
});

describe('a run that is killed', () => {
  test('keeps others out until its lock runs out; then the next carries on, and nothing is made twice', async () => {
    const before = (await listed()).accounts.length;
    const running = startCellctl(['accounts', '--json', '--organization', folder], await cloud.environment('tooling'));
    await running.says('"text":"bootstrap"');
    running.kill('SIGKILL');
    expect(await running.ended()).toMatchObject({ signal: 'SIGKILL' });

    const locked = await tooling('accounts');
    expect(locked).toMatchObject({ code: 1, stderr: expect.stringContaining('LOCKED: accounts is being worked on by') });
    // A minute and a half later.
    const { s3, Bucket } = await bucket();
    const Key = 'locks/accounts.json';
    const lease = json((await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()) ?? '');
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify({ ...lease, until: '2026-01-01T00:00:00Z' }) }));

    const stuck = await tooling('accounts', '--watch');
    expect(stuck.code).toBe(1);
    expect(stuck.stdout).toMatch(/^CELL +ACCOUNT +STEP +FOR +ETA +NOTE\n/);
    expect(stuck.stdout).toMatch(/^alpha +cell-alpha +ready /m);
    expect(stuck.stdout).toMatch(/^(staging|charlie) .* nobody is working on it: run `cellctl accounts`/m);

    expect(await tooling('accounts')).toMatchObject({ code: 0 });
    expect((await listed()).accounts).toHaveLength(before + 2);
    const { cells, zones } = await lockFile();
    expect(Object.keys(cells)).toEqual(['alpha', 'charlie', 'staging']);
    expect(zones).toMatchObject({
      alpha: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
      charlie: [expect.stringMatching(/^us-east-1[a-f]$/), expect.anything(), expect.anything()],
      staging: ['eu-west-1a', 'eu-west-1b'],
    });
    // Its name is another in each account; what it lacks, the database's class among it, is the same.
    const { AvailabilityZones = [] } = await new EC2Client(await cloud.client('charlie', 'us-east-1')).send(
      new DescribeAvailabilityZonesCommand({ ZoneIds: ['use1-az3'] }),
    );
    expect(zones['charlie']).not.toContain(AvailabilityZones[0]?.ZoneName);
  });

  test('and --watch ends when everything is ready', async () => {
    const { code, stdout } = await tooling('accounts', '--watch', '--json');
    const [line = '', ...more] = stdout.trim().split('\n');
    expect({ code, more }).toEqual({ code: 0, more: [] });
    expect((json(line)['accounts'] as { cell: string; step: string }[]).map(({ cell, step }) => `${cell} ${step}`)).toEqual([
      'staging ready',
      'alpha ready',
      'charlie ready',
    ]);
  });

  test('while it works, --watch follows it to the end', async () => {
    const [watched, kept] = await Promise.all([
      (async () => {
        // Until there is something to watch.
        await eventually('pool-0001 in the pool', async () => (await tooling('accounts', 'pool')).stdout.includes('pool-0001'));
        return tooling('accounts', '--watch');
      })(),
      tooling('accounts', 'pool', '--keep', '1'),
    ]);
    expect(kept).toMatchObject({ code: 0, stdout: expect.stringMatching(/^pool-0001 +\d{12} +created$/m) });
    expect(watched).toMatchObject({ code: 0, stdout: expect.stringMatching(/^- +pool-0001 +ready /m) });
  });
});

describe('the pool', () => {
  test('is filled once, and a new cell takes an account out of it', async () => {
    const kept = await tooling('accounts', 'pool', '--keep', '1', '--json');
    const [{ accountId = '' } = {}] = json(kept.stdout)['pool'] as { accountId?: string }[];
    const before = (await listed()).accounts.length;
    await rename(join(folder, 'bravo.later'), cellFile('bravo'));
    const { code, stdout } = await tooling('accounts', 'bravo', '--json');
    expect({ code, results: json(stdout)['accounts'] }).toMatchObject({
      code: 0,
      results: [{ cell: 'bravo', accountId, state: 'claimed' }],
    });
    expect((await listed()).accounts).toHaveLength(before);
    expect((await lockFile()).cells['bravo']).toBe(accountId);
    expect(await tagsOf(accountId)).toMatchObject({ cell: 'bravo', 'cell-factory:account': 'cell-bravo' });
    expect((await tooling('accounts', 'pool')).stdout).toMatch(new RegExp(`^pool-0001 +${accountId} +claimed +bravo `, 'm'));
  });

  test('takes an account back only from a retiring cell, and only when it is empty; what is left is listed', async () => {
    const active = await tooling('accounts', 'pool', '--return', 'bravo');
    expect(active).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/REFUSED: bravo is not retiring: its intent is "active"\nfix: /),
    });
    await change(cellFile('bravo'), "name: 'bravo',", "name: 'bravo',\n  intent: 'retiring',");
    const client = await cloud.client('bravo');
    const [s3, logs] = [new S3Client({ ...client, forcePathStyle: true }), new CloudWatchLogsClient(client)];
    await s3.send(new CreateBucketCommand({ Bucket: 'left-behind', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/left/behind' }));
    const iam = new IAMClient(client);
    await iam.send(new CreateRoleCommand({ RoleName: 'way-in', AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}' }));
    const before = await lockFile();
    const refused = await tooling('accounts', 'pool', '--return', 'bravo');
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not empty:\n  eu-west-1: log group /left/behind\n  role way-in\n  bucket left-behind\nfix: '),
    });
    expect(await lockFile()).toEqual(before);

    await s3.send(new DeleteBucketCommand({ Bucket: 'left-behind' }));
    await logs.send(new DeleteLogGroupCommand({ logGroupName: '/left/behind' }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'way-in' }));
    const returned = await tooling('accounts', 'pool', '--return', 'bravo', '--json');
    expect({ code: returned.code, ...json(returned.stdout) }).toEqual({
      code: 0,
      cell: 'bravo',
      account: 'pool-0001',
      accountId: before.cells['bravo'],
    });
    expect((await lockFile()).cells).not.toHaveProperty('bravo');
    expect(before.zones).toHaveProperty('bravo');
    expect((await lockFile()).zones).not.toHaveProperty('bravo');
    expect((await tooling('accounts', 'pool')).stdout).toMatch(/^pool-0001 +\d{12} +free +- /m);
    expect(await tagsOf(before.cells['bravo'])).toEqual({ 'cell-factory:account': 'pool-0001' });
    const { stdout } = await tooling('accounts', 'bravo', '--json');
    expect(json(stdout)['accounts']).toMatchObject([{ cell: 'bravo', state: 'skipped' }]);
  });

  test('leaves nothing that keeps such a cell in the registry', async () => {
    expect(await tooling('publish')).toMatchObject({ code: 0 });
    expect((await tooling('registry', 'show')).stdout).toMatch(/^bravo .* retired$/m);
    await rm(cellFile('bravo'));
    expect(await tooling('publish')).toMatchObject({ code: 0, stdout: expect.stringContaining('- cells.bravo') });
  });
});

describe('plan', () => {
  test('names an account that is missing, somebody else’s, or suspended', async () => {
    const { cells, zones: _, ...rest } = await lockFile();
    const { organizations, accounts } = await listed();
    const pool = accounts.find(({ Name }) => Name === 'pool-0001')?.Id;
    await organizations.send(new CloseAccountCommand({ AccountId: cells['alpha'] }));
    const file = join(folder, 'accounts.wrong.json');
    await writeFile(file, JSON.stringify({ ...rest, cells: { ...cells, staging: '999999999999', charlie: pool } }));
    const environment = { ...(await cloud.environment('tooling')), CELL_FACTORY_ACCOUNTS: file };
    const { code, stdout, stderr } = await cellctl(['plan', '--json', '--organization', folder], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = json(stdout)['differences'] as { kind: string; name: string; change: string; detail: string }[];
    expect(
      found.filter(({ kind, change: what }) => kind === 'account' && what === 'conflict').map(({ name, detail }) => `${name}: ${detail}`),
    ).toEqual([
      'cell-staging: 999999999999 is not in the organization',
      `cell-alpha: ${cells['alpha']} is SUSPENDED`,
      `cell-charlie: ${pool} belongs to pool-0001 (aws+pool-0001@example.com), not aws+cell-charlie@example.com`,
    ]);
  });
});

test('a cell in a region that has to be enabled waits for it, in tooling and in its own account; then it is vended there', async () => {
  const text = await readFile(cellFile('alpha'), 'utf8');
  const own = text.replaceAll('alpha', 'south').replace(/region: '[^']+'/, "region: 'eu-south-1'");
  await writeFile(cellFile('south'), own.replace(/block: '[^']+'/, "block: '10.0.240.0/20'"));
  const { code, stdout, stderr } = await tooling('accounts', 'south');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^south +\d{12} +claimed$/m);
  expect(stderr).toMatch(/cell-south +region\n +tooling +waiting for eu-south-1 to be enabled, which takes minutes/);
  // Its own account was asked before: while tooling was waited for, that was done, too.
  expect(stderr).not.toMatch(/cell-south +waiting/);
  const { zones } = await lockFile();
  expect(zones['south']).toEqual(['eu-south-1a', 'eu-south-1b', 'eu-south-1c']);
  const { Stacks = [] } = await new CloudFormationClient(await cloud.client('south', 'eu-south-1')).send(
    new DescribeStacksCommand({ StackName: 'CDKToolkit' }),
  );
  expect(Stacks[0]?.StackStatus).toBe('CREATE_COMPLETE');
});
