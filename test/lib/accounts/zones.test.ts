/** Which availability zones a cell gets, against clients that answer as AWS does. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { RDSClient } from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { assign, type LockFile } from '../../../lib/accounts/lock-file.ts';
import { findZones, type ZoneClients } from '../../../lib/accounts/zones.ts';
import type { ZoneNeeds } from '../../../lib/plan/zones.ts';
import { plannedCell } from '../../_helpers/cells.ts';

/** A region as an account sees it: the id of each zone by its letter, and what they lack. */
interface World {
  readonly region: string;
  readonly zones: Readonly<Record<string, string>>;
  /** Letters of zones without it, by instance type, class of database, or service. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Letters of zones by the logical id of a subnet. */
  readonly subnets?: Readonly<Record<string, string>>;
}

const VIRGINIA = { a: 'use1-az3', b: 'use1-az1', c: 'use1-az6', d: 'use1-az2', e: 'use1-az5', f: 'use1-az4' };
const IRELAND = { a: 'euw1-az2', b: 'euw1-az3', c: 'euw1-az1' };

function clientsOf({ region, zones, lacks = {}, subnets }: World): ZoneClients {
  const where = (what: string) =>
    Object.keys(zones)
      .filter((letter) => !lacks[what]?.includes(letter))
      .map((letter) => region + letter);
  const answers: Record<string, (input: Record<string, unknown>) => object> = {
    ListStackResources: () => {
      if (!subnets) throw Object.assign(new Error('Stack with id Cell-x does not exist'), { name: 'ValidationError' });
      const LogicalResourceIds = Object.keys(subnets);
      return {
        StackResourceSummaries: [
          {
            LogicalResourceId: 'NetworkVpc',
            ResourceType: 'AWS::EC2::VPC',
            PhysicalResourceId: 'vpc-1',
            ResourceStatus: 'CREATE_COMPLETE',
          },
          { LogicalResourceId: 'privateSubnet9Subnet', ResourceType: 'AWS::EC2::Subnet', ResourceStatus: 'CREATE_FAILED' },
          ...LogicalResourceIds.map((LogicalResourceId) => ({
            LogicalResourceId,
            ResourceType: 'AWS::EC2::Subnet',
            PhysicalResourceId: `subnet-${LogicalResourceId}`,
            ResourceStatus: 'CREATE_COMPLETE',
          })),
        ],
      };
    },
    DescribeSubnets: () => ({
      Subnets: Object.entries(subnets ?? {}).map(([id, letter]) => ({ SubnetId: `subnet-${id}`, AvailabilityZone: region + letter })),
    }),
    DescribeAvailabilityZones: () => ({
      AvailabilityZones: [
        { ZoneName: `${region}-city-1a`, ZoneType: 'local-zone', OptInStatus: 'opted-in', State: 'available' },
        ...Object.entries(zones).map(([letter, ZoneId]) => ({
          ZoneName: region + letter,
          ZoneId,
          ZoneType: 'availability-zone',
          OptInStatus: 'opt-in-not-required',
          State: 'available',
        })),
      ].reverse(),
    }),
    DescribeInstanceTypeOfferings: ({ Filters }) => ({
      InstanceTypeOfferings: (Filters as { Values: string[] }[]).flatMap(({ Values }) =>
        Values.flatMap((InstanceType) => where(InstanceType).map((Location) => ({ InstanceType, Location }))),
      ),
    }),
    DescribeOrderableDBInstanceOptions: ({ DBInstanceClass }) => ({
      OrderableDBInstanceOptions: [
        { StorageType: 'standard', AvailabilityZones: Object.keys(zones).map((letter) => ({ Name: region + letter })) },
        { StorageType: 'gp3', AvailabilityZones: where(String(DBInstanceClass)).map((Name) => ({ Name })) },
      ],
    }),
    DescribeVpcEndpointServices: ({ Filters }) => ({
      ServiceDetails: (Filters as { Values: string[] }[])[0]?.Values.map((ServiceName) => ({
        ServiceName,
        AvailabilityZones: where(ServiceName.replace(`com.amazonaws.${region}.`, '')),
      })),
    }),
  };
  const fake = <T extends { send: unknown }>(client: T): T => {
    client.send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) =>
      answers[command.constructor.name.replace('Command', '')]?.(command.input);
    return client;
  };
  const configuration = { region };
  return {
    cloudFormation: fake(new CloudFormationClient(configuration)),
    ec2: fake(new EC2Client(configuration)),
    rds: fake(new RDSClient(configuration)),
  };
}

const needsOf = (stage: 'production' | 'staging' | 'personal', region: string): ZoneNeeds => {
  const { zones } = plannedCell(stage, 'small', { region }).account;
  if (!zones) throw new Error('a cell needs zones');
  return zones;
};

const choose = (stage: 'production' | 'staging' | 'personal', world: World) => findZones(clientsOf(world), needsOf(stage, world.region));

describe('the zones of a new cell', () => {
  test('are as many as its stage has, by name, and none in which Fargate is in doubt', async () => {
    const world = { region: 'us-east-1', zones: VIRGINIA };
    expect(await choose('production', world)).toEqual(['us-east-1b', 'us-east-1c', 'us-east-1d']);
    expect(await choose('staging', world)).toEqual(['us-east-1b', 'us-east-1c']);
    expect(await choose('staging', { region: 'ap-northeast-1', zones: { a: 'apne1-az3', b: 'apne1-az4', c: 'apne1-az1' } })).toEqual([
      'ap-northeast-1b',
      'ap-northeast-1c',
    ]);
  });

  test('offer what the cell uses: the instance for NAT, the class of the database, endpoints', async () => {
    const world = { region: 'us-east-1', zones: VIRGINIA };
    expect(await choose('personal', { ...world, lacks: { 't4g.nano': 'b' } })).toEqual(['us-east-1c', 'us-east-1d']);
    expect(await choose('production', { ...world, lacks: { 't4g.nano': 'b' } })).toEqual(['us-east-1b', 'us-east-1c', 'us-east-1d']);
    const lacks = { 'db.t4g.medium': 'c', sqs: 'd' };
    expect(await choose('production', { ...world, lacks })).toEqual(['us-east-1b', 'us-east-1e', 'us-east-1f']);
    // A personal cell has no endpoints, and a smaller database.
    expect(await choose('personal', { ...world, lacks })).toEqual(['us-east-1b', 'us-east-1c']);
  });

  test('have the type of the cache on EC2 where they can, because ElastiCache tells nobody', async () => {
    const world = { region: 'us-east-1', zones: VIRGINIA, lacks: { 't4g.small': 'bc' } };
    expect(await choose('production', world)).toEqual(['us-east-1d', 'us-east-1e', 'us-east-1f']);
    expect(await choose('production', { region: 'eu-west-1', zones: IRELAND, lacks: { 't4g.small': 'b' } })).toEqual([
      'eu-west-1a',
      'eu-west-1b',
      'eu-west-1c',
    ]);
  });

  test('are refused where too few suit, with what each lacks and what can be changed', async () => {
    const world = { region: 'eu-west-1', zones: IRELAND, lacks: { 'db.t4g.medium': 'a', kms: 'c', logs: 'c' } };
    await expect(choose('production', world)).rejects.toMatchObject({
      code: 'ZONES_UNSUITABLE',
      message:
        'x needs 3 zones of eu-west-1 (eu-west-1a: no db.t4g.medium; eu-west-1b: suits; eu-west-1c: no endpoint of logs, no endpoint of kms)',
      fix: expect.stringContaining('cells/x.ts'),
    });
  });
});

describe('zones that are written down', () => {
  const world = { region: 'us-east-1', zones: VIRGINIA };
  const kept = (recorded: string[], more: Partial<World> = {}) =>
    findZones(clientsOf({ ...world, ...more }), needsOf('staging', 'us-east-1'), recorded);

  test('stay while they offer what the cell needs, and are chosen anew when they don’t', async () => {
    expect(await kept(['us-east-1f', 'us-east-1d'])).toEqual(['us-east-1f', 'us-east-1d']);
    // A cell that was destroyed and is another one now, or whose line is of another account.
    expect(await kept(['us-east-1f', 'us-east-1d'], { lacks: { 'db.t4g.medium': 'd', 'db.t4g.small': 'd', 'db.t4g.micro': 'd' } })).toEqual(
      ['us-east-1b', 'us-east-1c'],
    );
    expect(await kept(['us-east-1f'])).toEqual(['us-east-1b', 'us-east-1c']);
  });

  test('give way to those that the subnets are in', async () => {
    const subnets = { NetworkVpcpublicSubnet1SubnetF00D: 'b', NetworkVpcpublicSubnet2SubnetF00D: 'd' };
    expect(await kept(['us-east-1d', 'us-east-1b'], { subnets })).toEqual(['us-east-1b', 'us-east-1d']);
  });
});

describe('the zones of a cell that runs', () => {
  const kinds = ['private', 'public', 'isolated'];
  const subnets = (letters: string) =>
    Object.fromEntries(
      kinds.flatMap((kind) => [...letters].map((letter, index) => [`NetworkVpc${kind}Subnet${index + 1}SubnetF00D`, letter])),
    );

  test('are those of its subnets, in their order, whatever they offer', async () => {
    const lacks = { 'db.t4g.medium': 'abc' };
    const world = { region: 'us-east-1', zones: VIRGINIA, lacks, subnets: subnets('cab') };
    expect(await choose('production', world)).toEqual(['us-east-1c', 'us-east-1a', 'us-east-1b']);
  });

  test('are kept as far as there are subnets, where its stack was never complete', async () => {
    const world = { region: 'us-east-1', zones: VIRGINIA, subnets: { NetworkVpcpublicSubnet2SubnetF00D: 'b' } };
    expect(await choose('production', world)).toEqual(['us-east-1c', 'us-east-1b', 'us-east-1d']);
    expect(await choose('production', { ...world, subnets: {} })).toEqual(['us-east-1b', 'us-east-1c', 'us-east-1d']);
  });

  test('can’t be told where subnets of one number are in several: nothing is chosen', async () => {
    const torn = { NetworkVpcpublicSubnet1SubnetF00D: 'b', NetworkVpcprivateSubnet1SubnetF00D: 'c' };
    await expect(choose('production', { region: 'us-east-1', zones: VIRGINIA, subnets: torn })).rejects.toMatchObject({
      code: 'ZONES_UNSUITABLE',
      message: 'Cell-x: its subnets of number 1 are in us-east-1b and in us-east-1c',
    });
  });
});

test('a cell of any name is noted with its account, also one that every object has a property for', async () => {
  let cells: Readonly<Record<string, string>> = {};
  const file: LockFile = {
    path: 'accounts.json',
    read: async () => cells,
    update: async (change) => {
      cells = change(cells);
    },
  };
  await assign(file, 'constructor', '100000000000');
  expect(Object.entries(cells)).toEqual([['constructor', '100000000000']]);
});
