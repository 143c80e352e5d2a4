/** A developer's cell from its name to its end, on a local cloud with a DNS of its own: nothing is found that nobody delegated. */
import { Resolver } from 'node:dns/promises';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stackTemplate } from '../../../lib/aws/stacks.ts';
import { artifactBucketName, readAccountsFile } from '../../../lib/registry/index.ts';
import { RolloutClient } from '../../../lib/rollout/client.ts';
import { templateDigest } from '../../../lib/rollout/sent.ts';
import { cellctl } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

const ADA = `import { defineCell } from 'cell-factory/registry';

export default defineCell({
  name: 'ada',
  stage: 'personal',
  region: 'eu-west-1',
  network: { block: '10.0.80.0/20', clients: ['192.0.2.0/24'] },
  owner: 'ada@example.com',
  expiresAt: '2999-01-01T00:00:00Z',
});
`;

let cloud: TestCloud;
let folder: string;
/** Zone `example.com`, which belongs to somebody outside the factory. */
let parentZone: string;

const as = async (account: string, ...args: string[]) => cellctl([...args, '--organization', folder], await cloud.environment(account));
const tooling = (...args: string[]) => as('tooling', ...args);
const route53 = async (account: string) => new Route53Client(await cloud.client(account, 'us-east-1'));

/** What the world's DNS says; nothing when it knows no such name. */
async function ask(name: string, type: 'A' | 'NS'): Promise<string[]> {
  const resolver = new Resolver();
  resolver.setServers([cloud.running.resolver]);
  return (await resolver.resolve(name, type).catch(() => [])) as string[];
}

beforeAll(async () => {
  cloud = await TestCloud.start();
  folder = await definitionsFolder();
  for (const name of ['alpha', 'bravo', 'charlie']) await rm(join(folder, 'cells', `${name}.ts`));
  await writeFile(join(folder, 'cells', 'ada.ts'), ADA);
  const { HostedZone } = await (await route53('management')).send(
    new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: 'test' }),
  );
  parentZone = HostedZone?.Id ?? '';
});
afterAll(() => cloud.stop());

describe('a domain that nobody has delegated', () => {
  test('is named by init, with the record that is missing', async () => {
    const { code, stdout } = await as('management', 'init');
    expect(code).toBe(0);
    expect(stdout).toMatch(/cells\.example\.com is not delegated/);
    expect(stdout).toMatch(/in the zone of example\.com, set: cells\.example\.com\. NS ns-\d+\.awsdns-/);
    expect((await tooling('accounts')).code).toBe(0);
  });

  test('is named by plan', async () => {
    const { differences } = JSON.parse((await tooling('plan', '--json')).stdout) as { differences: { kind: string; detail: string }[] };
    const [domain] = differences.filter(({ kind }) => kind === 'domain');
    expect(domain?.detail).toMatch(/not delegated.* set: cells\.example\.com\. NS ns-\d+/);
  });

  test('keeps new cells from being begun: their certificates would be waited for', async () => {
    const { code, stderr } = await tooling('deploy', 'ada');
    expect(code).toBe(1);
    expect(stderr).toContain('DOMAIN_NOT_DELEGATED: cells.example.com is not delegated');
    expect(stderr).toMatch(/fix: in the zone of example\.com, set: cells\.example\.com\. NS ns-\d+/);
    expect((await (await route53('ada')).send(new ListHostedZonesCommand({}))).HostedZones).toEqual([]);
  });

  test('is told apart from one that is delegated to somebody else', async () => {
    await delegate(['ns-1.elsewhere.example']);
    expect((await tooling('deploy', 'ada')).stderr).toContain('DOMAIN_NOT_DELEGATED');
  });
});

/** Lets the owner of example.com delegate cells.example.com. */
async function delegate(servers: readonly string[]): Promise<void> {
  const ResourceRecords = servers.map((Value) => ({ Value }));
  const change = { Action: 'UPSERT', ResourceRecordSet: { Name: 'cells.example.com', Type: 'NS', TTL: 60, ResourceRecords } } as const;
  await (await route53('management')).send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: parentZone, ChangeBatch: { Changes: [change] } }),
  );
}

describe('a cell of a domain that is delegated', () => {
  test('is found by its name, with a certificate for it', async () => {
    const { stderr } = await tooling('deploy', 'ada');
    await delegate([...(/NS ((?:ns-\S+ ?)+)/.exec(stderr)?.[1] ?? '').matchAll(/ns-[^\s;]+/g)].map(([server]) => server));
    const deployed = await tooling('deploy', 'ada');
    expect({ code: deployed.code, stderr: deployed.code === 0 ? '' : deployed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await ask('ada.cells.example.com', 'A')).toHaveLength(1);
    expect(await ask('ada.cells.example.com', 'NS')).toHaveLength(4);
    // The local cloud issues certificates only for names that its DNS finds, as ACM does.
    expect(deployed.stdout).toMatch(/ada +Cell-ada +deployed/);
  });

  test('is found in the published registry by whoever wants to reach it', async () => {
    expect((await tooling('publish')).code).toBe(0);
    const { stdout } = await tooling('registry', 'show', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ organization: { cells: { ada: { endpoints: { api: 'https://ada.cells.example.com' } } } } });
  });

  test('gets a component by hand, and what it was sent is recorded for rollouts that come later', async () => {
    const assembly = await mkdtemp(join(tmpdir(), 'cell-factory-component-'));
    const Parameters = { Version: { Type: 'String' }, Size: { Type: 'String', Default: 'small' } };
    const Running = { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/orders-api/version', Value: { Ref: 'Version' } } };
    await writeFile(join(assembly, 'template.json'), JSON.stringify({ Parameters, Resources: { Running } }));
    // As the CDK writes what it builds without an address.
    const blank = (name: string) => `\${AWS::${name}}`;
    const role = (name: string) =>
      `arn:${blank('Partition')}:iam::${blank('AccountId')}:role/cdk-hnb659fds-${name}-role-${blank('AccountId')}-${blank('Region')}`;
    const roles = { assumeRoleArn: role('deploy'), cloudFormationExecutionRoleArn: role('cfn-exec') };
    const stack = { type: 'aws:cloudformation:stack', properties: { templateFile: 'template.json', ...roles } };
    await writeFile(join(assembly, 'manifest.json'), JSON.stringify({ version: '36.0.0', artifacts: { 'orders-api': stack } }));
    const command = ['component', 'deploy', 'orders-api', 'ada', '--from', assembly, '--image', 'x', '--release', '1.0.0'];
    const { code, stderr } = await tooling(...command);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });

    const config = await cloud.client('tooling');
    process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
    try {
      const session = { region: config.region, credentials: async () => config.credentials };
      const { control } = await readAccountsFile(cloud.accountsFile);
      const bucket = artifactBucketName('acme', control['tooling'] ?? '', config.region);
      const { store } = await RolloutClient.connect(session, bucket);
      const [key = '', ...others] = await store.sentKeys('orders-api', 'ada');
      expect(others).toEqual([]);
      const sent = JSON.parse((await store.objects.get(key))?.text ?? '{}') as unknown;
      const client = new CloudFormationClient(await cloud.client('ada'));
      const shown = await stackTemplate(client, 'orders-api');
      expect(sent).toMatchObject({ version: '1.0.0', template: templateDigest(shown), parameters: { Version: '1.0.0' } });
      expect(sent).not.toHaveProperty('parameters.ImageUri');

      // A rollout that goes through the cell keeps it.
      expect(await store.lock('orders-api', 'ada', 'orders-api-1')).toBeUndefined();
      expect(await tooling(...command)).toMatchObject({ code: 1, stderr: expect.stringContaining('orders-api-1 is going through ada') });
      await store.unlock('orders-api', 'ada', 'orders-api-1');
    } finally {
      delete process.env['AWS_ENDPOINT_URL'];
    }
  });

  test('leaves nothing of a developer’s behind when it goes, not even its name', async () => {
    const { code, stdout, stderr } = await tooling('destroy', 'ada', '--yes');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('deleted: orders-api, Cell-ada, Delegation-ada');
    expect(await ask('ada.cells.example.com', 'NS')).toEqual([]);
    expect((await (await route53('ada')).send(new ListHostedZonesCommand({}))).HostedZones).toEqual([]);
    const tagged = new ResourceGroupsTaggingAPIClient(await cloud.client('ada'));
    const { ResourceTagMappingList = [] } = await tagged.send(new GetResourcesCommand({ TagFilters: [{ Key: 'cell' }] }));
    // A key can't be deleted before seven days are over, and a terminated instance is listed for a while.
    const left = ResourceTagMappingList.map(({ ResourceARN = '' }) => ResourceARN.replace(/^arn:aws:|:eu-west-1:\d+|\/.*$/g, ''));
    expect(left.sort()).toEqual(['ec2:instance', 'kms:key']);
    expect(Object.keys((await readAccountsFile(cloud.accountsFile)).cells)).toContain('ada');
    expect(await readFile(join(folder, 'cells', 'ada.ts'), 'utf8')).toBe(ADA);
  });
});
