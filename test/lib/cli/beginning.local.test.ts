/**
 * An organization from nothing to its first published revision, by the commands that people type. The tests build on each
 * other, as the commands do: each one's first half is the state that the one before left.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateAccountCommand, ListAccountsCommand, ListParentsCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { GetBucketVersioningCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseDocument, SCHEMA_VERSION } from '../../../lib/registry/index.ts';
import { cellctl, cellctlProcess } from '../../_helpers/cellctl.ts';
import type { TestCloud } from '../../_helpers/cloud.ts';
import { Factory, json } from '../../_helpers/factory.ts';

let factory: Factory;
let cloud: TestCloud;
let folder: string;
const as = (...args: Parameters<Factory['as']>) => factory.as(...args);
const tooling = (...args: string[]) => factory.tooling(...args);
const lockFile = () => factory.lockFile();

async function accounts() {
  const organizations = new OrganizationsClient(await cloud.client('management'));
  const { Accounts = [] } = await organizations.send(new ListAccountsCommand({}));
  return { organizations, listed: Accounts };
}

beforeAll(async () => {
  factory = await Factory.start();
  ({ cloud, folder } = factory);
});
afterAll(() => factory?.stop());

describe('before anything exists', () => {
  test('plan lists everything that has to be made, and asks no cloud', async () => {
    const { code, stdout } = await cellctlProcess(['plan', '--json', '--organization', folder], {
      CELL_FACTORY_ACCOUNTS: cloud.accountsFile,
    });
    expect(code).toBe(0);
    expect((json(stdout)['differences'] as { name: string }[]).map(({ name }) => name)).toEqual([
      'tooling',
      'monitoring',
      'Registry',
      'Domain',
      'Artifacts-us-east-1',
      'Artifacts',
      'Rollouts',
      'cell-staging',
      'cell-alpha',
      'cell-charlie',
      'Delegation-staging',
      'Cell-staging',
      'Delegation-alpha',
      'Cell-alpha',
      'Delegation-charlie',
      'Cell-charlie',
      'acme',
    ]);
  });

  test.each([
    ['accounts', 'NOT_INITIALIZED'],
    ['publish', 'NOT_INITIALIZED'],
    ['status', 'NOT_INITIALIZED'],
    ['deploy --all', 'CELL_WITHOUT_ACCOUNT'],
    ['destroy staging --yes', 'CELL_WITHOUT_ACCOUNT'],
  ])('%s says what is missing first', async (line, reason) => {
    const { code, stderr } = await as('management', ...line.split(' '));
    expect({ code, first: stderr.split(':')[0] }).toEqual({ code: 2, first: reason });
    expect(stderr).toMatch(/fix: run `cellctl (init|accounts)`/);
  });
});

describe('init', () => {
  test('makes organization, units, control accounts, the vending role and the registry', async () => {
    const { code, stderr, stdout } = await as('management', 'init');
    expect({ code, failed: stderr.includes('✗') }).toEqual({ code: 0, failed: false });
    // A new account may run ten functions at once, which is less than a wave takes.
    expect(stderr).toMatch(/tooling +quota "Concurrent executions" \(lambda\) is 10, tooling needs 140: asked for it now/);
    const { control } = await lockFile();
    expect(Object.keys(control)).toEqual(['management', 'monitoring', 'tooling']);
    expect(stdout).toContain(`tooling ${control['tooling']}`);
    const s3 = new S3Client({ ...(await cloud.client('tooling')), forcePathStyle: true });
    expect(await s3.send(new GetBucketVersioningCommand({ Bucket: `acme-cell-registry-${control['tooling']}` }))).toMatchObject({
      Status: 'Enabled',
    });
    const bootstrapped = new CloudFormationClient(await cloud.client('monitoring'));
    expect((await bootstrapped.send(new DescribeStacksCommand({ StackName: 'CDKToolkit' }))).Stacks?.[0]).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
    });
  });

  test('run again changes nothing', async () => {
    const before = (await accounts()).listed;
    const { code, stderr } = await as('management', 'init', '--json');
    expect(code).toBe(0);
    const kinds = stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds).not.toContain('done');
    expect(kinds.filter((kind) => kind === 'unchanged')).toHaveLength(8);
    expect((await accounts()).listed).toHaveLength(before.length);
  });

  test('is refused to anybody but the management account', async () => {
    const { code, stderr } = await tooling('init');
    expect(code).toBe(2);
    expect(stderr).toContain('WRONG_ACCOUNT');
  });
});

describe('accounts', () => {
  test('are vended one per cell; one that is there already is adopted, not made again', async () => {
    const { organizations, listed } = await accounts();
    const { CreateAccountStatus: status } = await organizations.send(
      new CreateAccountCommand({ AccountName: 'made by hand', Email: 'AWS+cell-alpha@example.com' }),
    );
    const { code, stdout } = await tooling('accounts', '--json');
    expect(code).toBe(0);
    expect((json(stdout)['accounts'] as { cell: string; state: string }[]).map(({ cell, state }) => `${cell} ${state}`)).toEqual([
      'staging created',
      'alpha found',
      'charlie created',
    ]);
    const { cells } = await lockFile();
    expect(cells['alpha']).toBe(status?.AccountId);
    expect((await accounts()).listed).toHaveLength(listed.length + 3);
    const parents = async (id = '') => (await organizations.send(new ListParentsCommand({ ChildId: id }))).Parents?.[0]?.Type;
    expect(await parents(cells['staging'])).toBe('ORGANIZATIONAL_UNIT');
  });

  test('are looked for again when the lock file is lost, and nothing is made twice', async () => {
    const before = await lockFile();
    const { listed } = await accounts();
    await writeFile(cloud.accountsFile, JSON.stringify({ ...before, cells: {}, zones: {} }));
    expect((await tooling('accounts')).code).toBe(0);
    expect(await lockFile()).toEqual(before);
    const again = await tooling('accounts', '--json');
    expect((json(again.stdout)['accounts'] as { state: string }[]).map(({ state }) => state)).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
    ]);
    expect((await accounts()).listed).toHaveLength(listed.length);
  });

  test('are not vended with credentials of another account', async () => {
    const { code, stderr } = await as('management', 'accounts');
    expect(code).toBe(2);
    expect(stderr).toContain('WRONG_ACCOUNT');
  });
});

describe('publish', () => {
  const object = async (key: string) => {
    const { control } = await lockFile();
    const s3 = new S3Client({ ...(await cloud.client('tooling')), forcePathStyle: true });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: `acme-cell-registry-${control['tooling']}`, Key: key }));
    return (await Body?.transformToString()) ?? '';
  };

  test('writes a revision and points at it; unchanged, it writes nothing', async () => {
    expect(json((await tooling('publish', '--json')).stdout)).toMatchObject({ revision: 1, changed: true });
    expect(json((await tooling('publish', '--json')).stdout)).toMatchObject({ revision: 1, changed: false });
    expect(JSON.parse(await object('latest.json'))).toMatchObject({ revision: 1 });
    expect(Object.keys(parseDocument(await object('revisions/00000001.json'), 'test').organization.cells)).toEqual([
      'alpha',
      'charlie',
      'staging',
    ]);
  });

  test('shows what was published, and everything downstream takes that document', async () => {
    const shown = await tooling('registry', 'show', '--json');
    const document = join(folder, 'published.json');
    await writeFile(document, shown.stdout);
    const validated = await cellctl(['validate', '--organization', document]);
    expect(validated).toMatchObject({ code: 0, stdout: expect.stringContaining('valid: acme, 3 cells') });
    expect((await tooling('registry', 'history')).stdout).toMatch(/^REVISION .*\n1 /);
    expect(json(shown.stdout)).toMatchObject({ schemaVersion: SCHEMA_VERSION, revision: 1 });
    const refused = await tooling('registry', 'show', '--revision', '9');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('REVISION_NOT_FOUND') });
  });
});

describe('what is broken is said, and changes nothing', () => {
  test('a cloud that does not answer', async () => {
    const environment = { ...(await cloud.environment('tooling')), AWS_ENDPOINT_URL: 'http://localhost:9', AWS_MAX_ATTEMPTS: '1' };
    const { code, stderr } = await cellctl(['status', '--organization', folder], environment);
    expect(code).toBe(1);
    expect(stderr).toMatch(/CLOUD_UNREACHABLE: no answer from http:\/\/localhost:9 .*\nfix: .*cellctl local up/);
  });

  test('a broken lock file', async () => {
    const text = await readFile(cloud.accountsFile, 'utf8');
    const broken = join(folder, 'broken.json');
    await writeFile(broken, text.slice(0, 40));
    const environment = { ...(await cloud.environment('tooling')), CELL_FACTORY_ACCOUNTS: broken };
    for (const command of ['validate', 'plan', 'accounts', 'publish']) {
      const { code, stderr } = await cellctl([command, '--organization', folder], environment);
      expect({ command, code, first: stderr.split(':')[0] }).toEqual({ command, code: 2, first: 'LOCK_FILE_INVALID' });
    }
    expect(await readFile(broken, 'utf8')).toBe(text.slice(0, 40));
  });

  test('an invalid registry: every problem, and no revision', async () => {
    const file = join(folder, 'cells', 'alpha.ts');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('10.0.16.0/20', '10.0.48.0/20').replace("'eu-west-1'", "'mars-1'"));
    const { code, stderr, stdout } = await tooling('publish');
    await writeFile(file, text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('REGISTRY_INVALID: ');
    expect(stderr).toContain('cells.alpha.region');
    expect(json((await tooling('registry', 'history', '--json')).stdout)['revisions']).toHaveLength(1);
  });
});
