/** Zones: what they are called, what they offer, and that there may be more of them tomorrow. */
import { CreateChangeSetCommand, DescribeChangeSetCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeSubnetsCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { DescribeOrderableDBInstanceOptionsCommand, RDSClient } from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { ACCOUNT, aws, cloud, credentialsIn } from './account.ts';

const OTHER_ACCOUNT = '666666666666';

const ec2In = async (account: string, region: string) =>
  new EC2Client({ endpoint: cloud.running.endpoint, region, maxAttempts: 1, credentials: await credentialsIn(account) });

async function zones(account: string, region: string): Promise<Record<string, string>> {
  const { AvailabilityZones: found = [] } = await (await ec2In(account, region)).send(new DescribeAvailabilityZonesCommand({}));
  return Object.fromEntries(found.map(({ ZoneName: name = '', ZoneId: id = '' }) => [name, id]));
}

const change = (what: object) =>
  fetch(`${cloud.running.endpoint}/moto-api/cell-factory/zones`, { method: 'POST', body: JSON.stringify(what) });

const network = (more: Record<string, { Type: string; Properties?: Record<string, unknown> }>) => ({
  Resources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } }, ...more },
});

const subnet = (zone: unknown, block = '10.0.0.0/24') => ({
  Type: 'AWS::EC2::Subnet',
  Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: block, AvailabilityZone: zone },
});

describe('zones', () => {
  test('have names that mean something else in each account, and ids that are the same in all', async () => {
    const [mine, others] = [await zones(ACCOUNT, 'us-east-1'), await zones(OTHER_ACCOUNT, 'us-east-1')];
    expect(Object.keys(mine)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `us-east-1${letter}`));
    expect(Object.keys(others)).toEqual(Object.keys(mine));
    expect(Object.values(others).sort()).toEqual(Object.values(mine).sort());
    expect(others).not.toEqual(mine);
    expect(await zones(ACCOUNT, 'us-east-1')).toEqual(mine);
    const client = await ec2In(ACCOUNT, 'us-east-1');
    const { Vpc: vpc } = await client.send(new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }));
    const subnetIn = (name: string, block: string) =>
      client.send(new CreateSubnetCommand({ VpcId: vpc?.VpcId, CidrBlock: block, AvailabilityZone: name }));
    expect((await subnetIn('us-east-1a', '10.9.0.0/24')).Subnet?.AvailabilityZoneId).toBe(mine['us-east-1a']);
    await expect(subnetIn('eu-west-1a', '10.9.1.0/24')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('refuse an instance of a type that they do not offer, and say where it is', async () => {
    const client = await ec2In(ACCOUNT, 'us-east-1');
    const mine = await zones(ACCOUNT, 'us-east-1');
    const old = Object.keys(mine).find((name) => mine[name] === 'use1-az3') ?? '';
    const offers = new DescribeInstanceTypeOfferingsCommand({
      LocationType: 'availability-zone',
      Filters: [{ Name: 'instance-type', Values: ['t4g.nano'] }],
    });
    const { InstanceTypeOfferings: found = [] } = await client.send(offers);
    const offered = Object.keys(mine).filter((name) => name !== old);
    expect(found.map(({ Location: location }) => location)).toEqual(offered);
    const launch = (name: string) =>
      client.send(
        new RunInstancesCommand({
          ImageId: 'ami-03cf127a',
          InstanceType: 't4g.nano',
          MinCount: 1,
          MaxCount: 1,
          Placement: { AvailabilityZone: name },
        }),
      );
    await expect(launch(old)).rejects.toMatchObject({
      name: 'Unsupported',
      message: `Your requested instance type (t4g.nano) is not supported in your requested Availability Zone (${old}). Please retry your request by not specifying an Availability Zone or choosing ${offered.join(', ')}.`,
    });
    expect((await launch(offered[0] ?? '')).Instances).toHaveLength(1);
  });

  test('name the zones in which RDS offers a class of PostgreSQL', async () => {
    const mine = await zones(ACCOUNT, 'us-east-1');
    const credentials = await credentialsIn(ACCOUNT);
    const client = new RDSClient({ endpoint: cloud.running.endpoint, region: 'us-east-1', credentials });
    const wanted = { Engine: 'postgres', EngineVersion: '17.7', DBInstanceClass: 'db.t4g.medium' };
    const { OrderableDBInstanceOptions: options = [] } = await client.send(new DescribeOrderableDBInstanceOptionsCommand(wanted));
    const offered = options.flatMap(({ AvailabilityZones: found = [] }) => found.map(({ Name: name = '' }) => name));
    expect([...new Set(offered)].sort()).toEqual(Object.keys(mine).filter((name) => mine[name] !== 'use1-az3'));
  });

  test('without endpoints of a service refuse them', async () => {
    const mine = await zones(ACCOUNT, 'eu-west-1');
    const [name = ''] = Object.keys(mine);
    expect((await change({ region: 'eu-west-1', id: mine[name], without: ['sqs'] })).status).toBe(204);
    const filter = { 'Filter.1.Name': 'service-name', 'Filter.1.Value.1': 'com.amazonaws.eu-west-1.sqs' };
    const services = await aws.query('ec2', 'DescribeVpcEndpointServices', filter);
    expect(services.match(/<serviceName>/g)).toHaveLength(1);
    const left = Object.keys(mine).filter((each) => each !== name);
    for (const each of left) expect(services).toContain(`>${each}<`);
    expect(services).not.toContain(`>${name}<`);
    const endpoint = (zone: string, service: string) =>
      network({
        Subnet: subnet(zone),
        Endpoint: {
          Type: 'AWS::EC2::VPCEndpoint',
          Properties: {
            VpcId: { Ref: 'Vpc' },
            VpcEndpointType: 'Interface',
            ServiceName: `com.amazonaws.eu-west-1.${service}`,
            SubnetIds: [{ Ref: 'Subnet' }],
          },
        },
      });
    const refused = await aws.deploy('refused', endpoint(name, 'sqs'));
    expect(refused.StackStatus).toBe('ROLLBACK_COMPLETE');
    const reasons = (await aws.events(refused)).map(({ ResourceStatusReason: reason }) => reason);
    expect(reasons).toContainEqual(expect.stringMatching(/sqs does not support the availability zone of the subnet: subnet-/));
    expect((await aws.deploy('taken', endpoint(left[0] ?? '', 'sqs'))).StackStatus).toBe('CREATE_COMPLETE');
  });

  test('come first when they are new, so that Fn::GetAZs would have subnets replaced; those with names stay', async () => {
    const byOrder = { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] };
    const template = network({ ByOrder: subnet(byOrder), ByName: subnet('eu-west-1a', '10.0.1.0/24') });
    await aws.deploy('azs', template);
    const names = await zones(ACCOUNT, 'eu-west-1');
    const proposed = async (name: string) => {
      // Something must change in each subnet, or there is nothing to propose.
      const tagged = Object.entries(template.Resources).map(([id, { Type, Properties }]) => [
        id,
        { Type, Properties: { ...Properties, Tags: [{ Key: 'change', Value: name }] } },
      ]);
      const set = { StackName: 'azs', ChangeSetName: name };
      const body = JSON.stringify({ Resources: Object.fromEntries(tagged) });
      await aws.stacks.send(new CreateChangeSetCommand({ ...set, ChangeSetType: 'UPDATE', TemplateBody: body }));
      const { Changes: changes = [] } = await aws.stacks.send(new DescribeChangeSetCommand(set));
      const of = changes.map(({ ResourceChange: each }) => [each?.LogicalResourceId, each?.Replacement] as const);
      return Object.fromEntries(of.filter(([id]) => id !== 'Vpc'));
    };
    expect(await proposed('before')).toEqual({ ByOrder: 'False', ByName: 'False' });
    expect((await change({ region: 'eu-west-1', id: 'euw1-az4' })).status).toBe(204);
    expect((await change({ region: 'nowhere', id: 'x' })).status).toBe(400);
    expect(await zones(ACCOUNT, 'eu-west-1')).toEqual({ 'eu-west-1d': 'euw1-az4', ...names });
    // Whoever comes now has a default subnet in each.
    const late = await (await ec2In(OTHER_ACCOUNT, 'eu-west-1')).send(new DescribeSubnetsCommand({}));
    expect(late.Subnets?.map(({ AvailabilityZoneId: id }) => id).sort()).toEqual(['euw1-az1', 'euw1-az2', 'euw1-az3', 'euw1-az4']);
    expect(await proposed('after')).toEqual({ ByOrder: expect.stringMatching(/^(True|Conditional)$/), ByName: 'False' });
  });
});
