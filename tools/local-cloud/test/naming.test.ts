import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeResourceRecordSetsCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { CrossAccountZoneDelegationRecord, HostedZone } from 'aws-cdk-lib/aws-route53';
import { run } from '../../../test/_helpers/cellctl.ts';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { localEnvironment } from '../launcher/cloud-environment.ts';
import { Caller, MANAGEMENT_ACCOUNT, outputsOf, REGION, type Template } from './server.ts';

const CELL = '333333333333';
const ROLE_NAME = 'delegation';

let cloud: TestCloud;
let parent: Caller;
let cell: Caller;
let dns: Resolver;

beforeAll(async () => {
  cloud = await TestCloud.start();
  parent = new Caller(cloud.running.endpoint);
  cell = await parent.inAccount(CELL);
  dns = new Resolver({ tries: 1, timeout: 2000 });
  const { CELL_FACTORY_RESOLVER: resolver = '' } = await cloud.environment('management');
  dns.setServers([resolver]);
});

afterAll(() => cloud.stop());

const zone = (name: string) => ({ Type: 'AWS::Route53::HostedZone', Properties: { Name: name } });
const servers = (resource: string) => ({ 'Fn::Join': [',', { 'Fn::GetAtt': [resource, 'NameServers'] }] });
const record = (zoneId: object, name: string, type: string, values: unknown) => ({
  Type: 'AWS::Route53::RecordSet',
  Properties: { HostedZoneId: zoneId, Name: name, Type: type, TTL: '60', ResourceRecords: values },
});

/** A zone with an address in it, and its name servers as the output `Servers`. */
const addressed = (name: string, more: Template['Resources'] = {}): Template => ({
  Resources: { Zone: zone(name), Address: record({ Ref: 'Zone' }, `www.${name}`, 'A', ['192.0.2.7']), ...more },
  Outputs: { Servers: { Value: servers('Zone') }, Id: { Value: { Ref: 'Zone' } } },
});

const failureOf = async (caller: Caller, name: string) =>
  (await caller.events(await caller.describe(name))).find((event) => event.ResourceStatus?.endsWith('_FAILED'));

describe('the public DNS', () => {
  test('answers from a zone that has no parent', async () => {
    const more = {
      Alias: record({ Ref: 'Zone' }, 'alias.registered.example', 'CNAME', ['www.registered.example']),
      Text: record({ Ref: 'Zone' }, 'text.registered.example', 'TXT', ['"one two"']),
    };
    const stack = await parent.deploy('registered', addressed('registered.example', more));
    const names = (outputsOf(stack)['Servers'] ?? '').split(',');

    expect(await dns.resolve4('www.registered.example')).toEqual(['192.0.2.7']);
    expect(await dns.resolve4('alias.registered.example')).toEqual(['192.0.2.7']);
    expect(await dns.resolveCname('alias.registered.example')).toEqual(['www.registered.example']);
    expect(await dns.resolveTxt('text.registered.example')).toEqual([['one two']]);
    expect((await dns.resolveNs('registered.example')).sort()).toEqual(names.sort());
    expect(await dns.resolveSoa('registered.example')).toMatchObject({ nsname: expect.stringMatching(/^ns-\d+\.awsdns-/) });
    await expect(dns.resolve4('other.registered.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(dns.resolveTxt('www.registered.example')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(dns.resolve4('www.unregistered.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test('goes down to a zone only by its own name servers', async () => {
    const child = outputsOf(await cell.deploy('child', addressed('child.tree.example')))['Servers']?.split(',') ?? [];
    const stranger = outputsOf(await parent.deploy('stranger', addressed('child.tree.example')))['Servers']?.split(',') ?? [];
    expect(child).toHaveLength(4);
    expect(child.filter((name) => stranger.includes(name))).toEqual([]);
    const tree = (delegatedTo?: string[]): Template => ({
      Resources: {
        Zone: zone('tree.example'),
        ...(delegatedTo ? { Delegation: record({ Ref: 'Zone' }, 'child.tree.example', 'NS', delegatedTo) } : {}),
      },
    });

    await parent.deploy('tree', tree());
    await expect(dns.resolve4('www.child.tree.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });

    await parent.deploy('tree', tree(child));
    expect(await dns.resolve4('www.child.tree.example')).toEqual(['192.0.2.7']);
    expect((await dns.resolveNs('child.tree.example')).sort()).toEqual(child.sort());

    await parent.deploy('tree', tree(['ns-1.awsdns-00.com', 'ns-2.awsdns-00.net']));
    await expect(dns.resolve4('www.child.tree.example')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });

  test('gives a load balancer that a name is an alias of some address', async () => {
    await cell.deploy('alias', {
      Resources: {
        Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.8.0.0/16' } },
        Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.8.0.0/24' } },
        Balancer: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Subnets: [{ Ref: 'Subnet' }] } },
        Zone: zone('alias.example.'),
        Record: {
          Type: 'AWS::Route53::RecordSet',
          Properties: {
            HostedZoneId: { Ref: 'Zone' },
            Name: 'alias.example.',
            Type: 'A',
            AliasTarget: {
              DNSName: { 'Fn::Join': ['', ['dualstack.', { 'Fn::GetAtt': ['Balancer', 'DNSName'] }]] },
              HostedZoneId: { 'Fn::GetAtt': ['Balancer', 'CanonicalHostedZoneID'] },
            },
          },
        },
      },
    });

    expect(await dns.resolve4('alias.example')).toEqual([expect.stringMatching(/^192\.0\.2\.\d+$/)]);
    expect(await cell.destroy('alias')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    await expect(dns.resolve4('alias.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('a hosted zone', () => {
  test('with a record that its stack has not made cannot be deleted', async () => {
    const client = new Route53Client(await cloud.client('management'));
    const { Id: zoneId = '' } = outputsOf(await parent.deploy('occupied', addressed('occupied.example')));
    const records = { Name: 'below.occupied.example', Type: 'NS' as const, TTL: 60, ResourceRecords: [{ Value: 'ns.example.com' }] };
    const change = (Action: 'CREATE' | 'DELETE') =>
      client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes: [{ Action, ResourceRecordSet: records }] } }),
      );
    await change('CREATE');
    await expect(change('CREATE')).rejects.toThrow(/but it already exists/);

    expect(await parent.destroy('occupied')).toMatchObject({ StackStatus: 'DELETE_FAILED' });
    expect(await failureOf(parent, 'occupied')).toMatchObject({ ResourceStatusReason: expect.stringContaining('HostedZoneNotEmpty') });

    await change('DELETE');
    await expect(change('DELETE')).rejects.toThrow(/but it was not found/);
    expect(await parent.destroy('occupied')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  test('keeps its name servers and gets new tags when it changes', async () => {
    const tagged = (key: string): Template => ({
      Resources: {
        Zone: { Type: 'AWS::Route53::HostedZone', Properties: { Name: 'tagged.example', HostedZoneTags: [{ Key: key, Value: 'v' }] } },
      },
      Outputs: { Servers: { Value: servers('Zone') }, Id: { Value: { Ref: 'Zone' } } },
    });
    const before = outputsOf(await parent.deploy('tagged', tagged('old')));

    expect(outputsOf(await parent.deploy('tagged', tagged('new')))).toEqual(before);

    const tags = await parent.rest('route53', 'GET', `/2013-04-01/tags/hostedzone/${before['Id']}`);
    expect(tags).toContain('<Key>new</Key>');
    expect(tags).not.toContain('<Key>old</Key>');
  });
});

describe('a certificate', () => {
  const certified = (name: string): Template => ({
    Resources: {
      Zone: zone(name),
      Certificate: {
        Type: 'AWS::CertificateManager::Certificate',
        Properties: {
          DomainName: name,
          SubjectAlternativeNames: [`*.${name}`],
          ValidationMethod: 'DNS',
          DomainValidationOptions: [{ DomainName: name, HostedZoneId: { Ref: 'Zone' } }],
          Tags: [{ Key: 'cell', Value: 'alpha' }],
        },
      },
    },
    Outputs: { Arn: { Value: { Ref: 'Certificate' } } },
  });
  const describeCertificate = (arn: string) =>
    cell.json<{ Certificate: { Status: string } }>('acm', 'CertificateManager.DescribeCertificate', { CertificateArn: arn });

  test('is issued when its zone is reachable, and leaves its validation record behind', async () => {
    const { Arn: arn = '' } = outputsOf(await cell.deploy('certified', certified('certified.example')));

    expect(arn).toMatch(new RegExp(`^arn:aws:acm:${REGION}:${CELL}:certificate/`));
    expect(await describeCertificate(arn)).toMatchObject({ Certificate: { Status: 'ISSUED' } });
    const tagged = await cell.json<{ ResourceTagMappingList: object[] }>('tagging', 'ResourceGroupsTaggingAPI_20170126.GetResources', {
      TagFilters: [{ Key: 'cell', Values: ['alpha'] }],
    });
    expect(tagged.ResourceTagMappingList).toContainEqual(expect.objectContaining({ ResourceARN: arn }));
    // As on AWS: CloudFormation makes the record, and never deletes it.
    expect(await cell.destroy('certified')).toMatchObject({ StackStatus: 'DELETE_FAILED' });
    expect(await failureOf(cell, 'certified')).toMatchObject({ LogicalResourceId: 'Zone' });
    await expect(describeCertificate(arn)).rejects.toThrow('ResourceNotFoundException');
  });

  test('fails its stack when nobody delegates to its zone', async () => {
    await parent.deploy('above', { Resources: { Zone: zone('above.example') } });

    expect(await cell.deploy('unreachable', certified('unreachable.above.example'))).toMatchObject({ StackStatus: 'ROLLBACK_FAILED' });

    expect(await failureOf(cell, 'unreachable')).toMatchObject({
      LogicalResourceId: 'Certificate',
      ResourceStatusReason: expect.stringMatching(/stays in PENDING_VALIDATION.*_\w+\.unreachable\.above\.example.*NXDOMAIN/),
    });
  });
});

describe('a delegation that the CDK makes from another account', () => {
  /** What a cell declares: its zone, and a custom resource that delegates to it with a role of the parent's account. */
  function assembly(outdir: string, parentHostedZoneId: string, delegates: boolean): string {
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, 'Cell-alpha', { env: { account: CELL, region: REGION } });
    const delegatedZone = new HostedZone(stack, 'Zone', { zoneName: 'alpha.cells.example' });
    const delegationRole = Role.fromRoleArn(stack, 'Role', `arn:aws:iam::${MANAGEMENT_ACCOUNT}:role/${ROLE_NAME}`);
    if (delegates) new CrossAccountZoneDelegationRecord(stack, 'Delegation', { delegatedZone, delegationRole, parentHostedZoneId });
    return app.synth().directory;
  }

  const cdk = async (args: readonly string[]) => {
    const options = { region: REGION, accountId: CELL, accountsFile: cloud.accountsFile };
    const finished = await run('node_modules/.bin/cdk', [...args, '--no-notices'], await localEnvironment(cloud.running, options));
    if (finished.code !== 0) throw new Error(finished.stderr);
    return finished;
  };

  test('makes the zone resolve, and its removal removes it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'delegation-'));
    const condition = { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${CELL}:role/Cell-*` } };
    const principal = { AWS: `arn:aws:iam::${CELL}:root` };
    const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal, Condition: condition };
    const above = await parent.deploy('parent', {
      Resources: {
        Zone: zone('cells.example'),
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: { RoleName: ROLE_NAME, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [statement] } },
        },
      },
      Outputs: { Id: { Value: { Ref: 'Zone' } } },
    });
    const { Id: zoneId = '' } = outputsOf(above);
    const app = (delegates: boolean) => ['--app', assembly(join(folder, String(delegates)), zoneId, delegates)];
    const deploy = (delegates: boolean) => cdk(['deploy', ...app(delegates), '--require-approval', 'never']);
    const delegations = async () => {
      const client = new Route53Client(await cloud.client('management'));
      const { ResourceRecordSets: sets = [] } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
      return sets.filter((set) => set.Type === 'NS').map((set) => set.Name);
    };
    await cdk(['bootstrap', ...app(false), `aws://${CELL}/${REGION}`]);

    await deploy(true);
    expect(await dns.resolveNs('alpha.cells.example')).toHaveLength(4);
    expect(await delegations()).toEqual(['cells.example.', 'alpha.cells.example.']);

    await deploy(false);
    await expect(dns.resolveNs('alpha.cells.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(await delegations()).toEqual(['cells.example.']);

    await deploy(true);
    expect(await cell.destroy('Cell-alpha')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    expect(await delegations()).toEqual(['cells.example.']);
    expect((await cloud.skipped()).filter((each) => each.type.startsWith('Custom::'))).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
