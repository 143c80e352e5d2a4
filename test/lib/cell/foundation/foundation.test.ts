import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import { Foundation } from '../../../../lib/cell/foundation/foundation.ts';
import { plannedAlarms } from '../../../../lib/plan/alarms.ts';
import { CELL_PARAMETERS } from '../../../../lib/plan/cell-parameters.ts';
import { checkTemplate } from '../../../../lib/plan/template-limits.ts';
import type { AwsCellDefinition, Size, Stage } from '../../../../lib/registry/index.ts';
import { isStateful } from '../../../../lib/review/stateful.ts';
import { ALL_CLIENTS, plannedCell, SIZES, STAGES } from '../../../_helpers/cells.ts';
import { app, resources } from '../../../_helpers/synth.ts';

interface Statement {
  readonly Action: unknown;
  readonly Principal: unknown;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const foundation = (stage: Stage, size?: Size, rest?: Partial<AwsCellDefinition>) => new Foundation(app(), plannedCell(stage, size, rest));
const only = (found: Record<string, { Properties?: Record<string, unknown> }>) => {
  expect(Object.keys(found)).toHaveLength(1);
  return Object.values(found)[0]?.Properties ?? {};
};

describe('the foundation of a cell', () => {
  const production = foundation('production', 'medium');
  const template = Template.fromStack(production);

  test('keeps the logical ids of what holds data: another id is another database', () => {
    const ids = Object.entries(resources(production)).flatMap(([id, { Type }]) => (isStateful(Type) ? [`${Type} ${id}`] : []));
    expect(ids).toEqual([
      'AWS::KMS::Key Key9BCD29C7',
      'AWS::S3::Bucket LogsBucket5C52C3D2',
      'AWS::Route53::HostedZone DomainZone2BCE4F0C',
      'AWS::EC2::VPC NetworkVpc7FB7348F',
      'AWS::EC2::Subnet NetworkVpcprivateSubnet1Subnet9EC58498',
      'AWS::EC2::Subnet NetworkVpcprivateSubnet2Subnet6E5E8804',
      'AWS::EC2::Subnet NetworkVpcprivateSubnet3SubnetC252FE86',
      'AWS::EC2::Subnet NetworkVpcpublicSubnet1Subnet00617657',
      'AWS::EC2::EIP NetworkVpcpublicSubnet1EIPC41EF705',
      'AWS::EC2::Subnet NetworkVpcpublicSubnet2SubnetDCAA7C9A',
      'AWS::EC2::EIP NetworkVpcpublicSubnet2EIPFC8511D4',
      'AWS::EC2::Subnet NetworkVpcpublicSubnet3SubnetB6CE113A',
      'AWS::EC2::EIP NetworkVpcpublicSubnet3EIPEA3072B7',
      'AWS::EC2::Subnet NetworkVpcisolatedSubnet1Subnet188D06DD',
      'AWS::EC2::Subnet NetworkVpcisolatedSubnet2Subnet811E27B8',
      'AWS::EC2::Subnet NetworkVpcisolatedSubnet3Subnet8C51A120',
      'AWS::Logs::LogGroup DataDatabaseLog44BCAC34',
      'AWS::RDS::DBSubnetGroup DataDatabaseSubnetGroup50F59771',
      'AWS::RDS::DBInstance DataDatabaseA9E9E962',
      'AWS::SecretsManager::Secret DataCacheSecret426B5C52',
      'AWS::ElastiCache::ReplicationGroup DataCache179E637C',
      'AWS::SQS::Queue DataDeadLettersE8DA58CB',
      'AWS::SQS::Queue DataQueue59EC8D83',
      'AWS::Logs::LogGroup IngressClusterLog2F2A383E',
      'AWS::ElasticLoadBalancingV2::LoadBalancer IngressLoadBalancerAE82CB09',
      'AWS::Logs::LogGroup ProbeLog4DB0C79B',
    ]);
  });

  test('has the block of the registry, three zones in production and a NAT gateway in each', () => {
    template.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.7.0.0/20' });
    template.resourceCountIs('AWS::EC2::Subnet', 9);
    template.resourceCountIs('AWS::EC2::NatGateway', 3);
    expect(Object.keys(resources(foundation('staging'), 'AWS::EC2::Subnet'))).toHaveLength(6);
    expect(Object.keys(resources(foundation('staging'), 'AWS::EC2::NatGateway'))).toHaveLength(1);
  });

  test('gives a developer an instance for NAT, and no endpoints to pay for', () => {
    const personal = foundation('personal');
    expect(Object.keys(resources(personal, 'AWS::EC2::NatGateway'))).toEqual([]);
    const [[id, instance] = ['', undefined]] = Object.entries(resources(personal, 'AWS::EC2::Instance'));
    const [[template, launch] = ['', undefined]] = Object.entries(resources(personal, 'AWS::EC2::LaunchTemplate'));
    expect(instance?.Properties).toMatchObject({
      InstanceType: 't4g.nano',
      SourceDestCheck: false,
      // Another script is another version, and so another instance.
      LaunchTemplate: { LaunchTemplateId: { Ref: template }, Version: { 'Fn::GetAtt': [template, 'LatestVersionNumber'] } },
    });
    expect(Object.keys(instance?.Properties ?? {})).not.toEqual(expect.arrayContaining(['ImageId', 'UserData']));
    // A name that stays: a new release of the image replaces nothing.
    const data = launch?.Properties?.['LaunchTemplateData'] as Record<string, unknown>;
    expect(data['ImageId']).toBe('resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64');
    // It says itself that it routes; without its word it doesn't count as made.
    expect(instance).toMatchObject({ CreationPolicy: { ResourceSignal: { Count: 1, Timeout: 'PT15M' } } });
    expect(JSON.stringify(data['UserData'])).toContain(`resource=${id}`);
    const kinds = Object.values(resources(personal, 'AWS::EC2::VPCEndpoint')).map(({ Properties }) => Properties?.['VpcEndpointType']);
    expect(kinds).toEqual(['Gateway']);
    const routes = Object.values(resources(personal, 'AWS::EC2::Route')).map(({ Properties }) => Object.keys(Properties ?? {}));
    expect(routes.filter((keys) => keys.includes('InstanceId'))).toHaveLength(2);
  });

  test('reaches what services use of AWS inside the network', () => {
    const endpoints = Object.values(resources(production, 'AWS::EC2::VPCEndpoint')).filter(
      ({ Properties }) => Properties?.['VpcEndpointType'] === 'Interface',
    );
    const services = endpoints.map(({ Properties }) =>
      JSON.stringify(Properties?.['ServiceName']).replace(/^.*\.(\w+(\.\w+)?)"\]\]}$/, '$1'),
    );
    expect(services.sort().join(' ')).toMatch(/ecr\.api.*ecr\.dkr.*kms.*logs.*secretsmanager.*sqs.*ssm.*sts/);
    for (const { Properties } of endpoints) expect(Properties?.['SubnetIds']).toHaveLength(3);
  });

  test('writes the flow log of all traffic into its bucket of logs, which lets nobody else but that service write there', () => {
    template.resourceCountIs('AWS::EC2::FlowLog', 1);
    template.hasResourceProperties('AWS::EC2::FlowLog', { LogDestinationType: 's3', TrafficType: 'ALL' });
    const { PolicyDocument } = only(resources(production, 'AWS::S3::BucketPolicy')) as { PolicyDocument: { Statement: Statement[] } };
    const delivery = PolicyDocument.Statement.filter(({ Principal }) => JSON.stringify(Principal).includes('delivery.logs'));
    expect(delivery.map(({ Action }) => Action)).toEqual(['s3:PutObject', ['s3:GetBucketAcl', 's3:ListBucket']]);
    for (const { Condition } of delivery) expect(Condition).toMatchObject({ StringEquals: { 'aws:SourceAccount': expect.anything() } });
    expect(JSON.stringify(delivery[0]?.Resource)).toContain('/network/AWSLogs/');
  });

  test.each(['10.7.0.0/16', '10.7.0.0/20', '10.7.0.0/22'])('fits its subnets into %s', (block) => {
    const blocks = Object.values(resources(foundation('production', 'small', { network: { block } }), 'AWS::EC2::Subnet')).map(
      ({ Properties }) => String(Properties?.['CidrBlock']),
    );
    expect(new Set(blocks).size).toBe(9);
    // A load balancer needs a /27 or larger.
    expect(Math.max(...blocks.map((text) => Number(text.split('/')[1])))).toBeLessThanOrEqual(27);
  });

  const zonesIn = (stack: Foundation) =>
    Object.entries(resources(stack, 'AWS::EC2::Subnet')).map(
      ([id, { Properties }]) => [/(\w+Subnet\d)Subnet/.exec(id)?.[1]?.replace('NetworkVpc', ''), Properties?.['AvailabilityZone']] as const,
    );

  test('has its subnets in the zones of the lock file, in their order', () => {
    const cell = { ...plannedCell('staging'), zones: ['eu-west-1c', 'eu-west-1a'] };
    expect(Object.fromEntries(zonesIn(new Foundation(app(), cell)))).toEqual({
      privateSubnet1: 'eu-west-1c',
      privateSubnet2: 'eu-west-1a',
      publicSubnet1: 'eu-west-1c',
      publicSubnet2: 'eu-west-1a',
      isolatedSubnet1: 'eu-west-1c',
      isolatedSubnet2: 'eu-west-1a',
    });
  });

  test('leaves zones to CloudFormation, as before, where nobody has written them down; nothing else differs', () => {
    const old = new Foundation(app(), { ...plannedCell('production', 'medium'), zones: undefined });
    expect(new Set(zonesIn(old).map(([, zone]) => JSON.stringify(zone)))).toEqual(
      new Set([0, 1, 2].map((index) => JSON.stringify({ 'Fn::Select': [index, { 'Fn::GetAZs': '' }] }))),
    );
    const without = (stack: Foundation) =>
      JSON.stringify(Template.fromStack(stack).toJSON()).replaceAll(
        /"AvailabilityZone":("[^"]+"|\{"Fn::Select":\[\d,\{"Fn::GetAZs":""\}\]\})/g,
        '',
      );
    expect(without(old)).toBe(without(production));
  });

  const ownKey = { 'Fn::GetAtt': [Object.keys(resources(production, 'AWS::KMS::Key'))[0], 'Arn'] };

  test('encrypts whatever it stores with one key of its own, which is rotated', () => {
    expect(only(resources(production, 'AWS::KMS::Key'))).toMatchObject({ EnableKeyRotation: true });
    expect(only(resources(production, 'AWS::ElastiCache::ReplicationGroup'))['KmsKeyId']).toEqual(ownKey);
    for (const type of ['AWS::SQS::Queue', 'AWS::SecretsManager::Secret']) {
      const keys = Object.values(resources(production, type)).map(
        ({ Properties }) => Properties?.['KmsMasterKeyId'] ?? Properties?.['KmsKeyId'],
      );
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) expect(key).toEqual(ownKey);
    }
  });

  test('keeps what customers stored when the stack goes, and nothing of a developer', () => {
    const policies = (stack: Foundation) =>
      ['AWS::RDS::DBInstance', 'AWS::KMS::Key', 'AWS::S3::Bucket'].map((type) => Object.values(resources(stack, type))[0]?.DeletionPolicy);
    expect(policies(production)).toEqual(['Snapshot', 'Retain', 'Retain']);
    expect(policies(foundation('personal'))).toEqual(['Delete', 'Delete', 'Delete']);
  });

  test('is reached by its name, over TLS of today only', () => {
    expect(only(resources(production, 'AWS::Route53::HostedZone'))['Name']).toBe('x.cells.example.com.');
    expect(only(resources(production, 'AWS::CertificateManager::Certificate'))).toMatchObject({
      DomainName: 'x.cells.example.com',
      SubjectAlternativeNames: ['*.x.cells.example.com'],
      ValidationMethod: 'DNS',
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }],
    });
    template.hasResourceProperties('AWS::Route53::RecordSet', { Name: 'x.cells.example.com.', Type: 'A' });
  });

  test('asks for a certificate only when its name is delegated, and cleans up before its zone goes', () => {
    const [certificate] = Object.values(resources(production, 'AWS::CertificateManager::Certificate'));
    const delegation = Object.keys(resources(production, 'Custom::CrossAccountZoneDelegation'));
    const cleaning = Object.keys(resources(production, 'Custom::ValidationRecords'));
    expect(certificate?.DependsOn).toEqual(expect.arrayContaining([...delegation, ...cleaning]));
    expect(JSON.stringify(resources(production, 'Custom::CrossAccountZoneDelegation'))).toContain(
      ':iam::200000000000:role/cell-delegation-x',
    );
  });

  test('admits its clients only, and its own probe by the addresses of its NAT', () => {
    const ingress = (stack: Foundation) =>
      Object.values(resources(stack, 'AWS::EC2::SecurityGroup')).flatMap(({ Properties }) => {
        const rules = (Properties?.['SecurityGroupIngress'] ?? []) as { CidrIp: unknown; FromPort: number }[];
        return rules.map(({ CidrIp, FromPort }) => `${typeof CidrIp === 'string' ? CidrIp : 'nat'}:${FromPort}`);
      });
    const clients = ['192.0.2.0/24'];
    expect(ingress(production)).toEqual(['0.0.0.0/0:443', '0.0.0.0/0:80']);
    expect(ingress(foundation('production', 'small', { network: { block: '10.7.0.0/20', clients } }))).toEqual([
      '192.0.2.0/24:443',
      '192.0.2.0/24:80',
      'nat:443',
      'nat:443',
      'nat:443',
    ]);
    expect(ingress(foundation('personal', 'small', { network: { block: '10.7.0.0/20', clients } }))).toContain('nat:443');
  });

  test('is probed from outside, steadily', () => {
    const requests = (stage: Stage) => {
      const { Schedule, RunConfig } = only(resources(foundation(stage), 'AWS::Synthetics::Canary')) as {
        Schedule: { Expression: string };
        RunConfig: { EnvironmentVariables: Record<string, string> };
      };
      expect(RunConfig.EnvironmentVariables['CELL_ENDPOINT']).toBe('https://x.cells.example.com');
      return `${Schedule.Expression} ${RunConfig.EnvironmentVariables['PROBE_REQUESTS']}`;
    };
    expect([requests('production'), requests('staging')]).toEqual(['rate(1 minute) 5', 'rate(5 minutes) 25']);
  });

  test('protects production: standby, encryption, deletion protection, a password that RDS keeps', () => {
    const database = only(resources(production, 'AWS::RDS::DBInstance'));
    expect(database).toMatchObject({
      MultiAZ: true,
      StorageEncrypted: true,
      DeletionProtection: true,
      ManageMasterUserPassword: true,
      BackupRetentionPeriod: 14,
      PubliclyAccessible: false,
      EnableIAMDatabaseAuthentication: true,
      EnablePerformanceInsights: true,
      KmsKeyId: ownKey,
      PerformanceInsightsKMSKeyId: ownKey,
      MasterUserSecret: { KmsKeyId: ownKey },
    });
    template.hasResourceProperties('AWS::RDS::DBParameterGroup', { Parameters: { 'rds.force_ssl': '1' } });
    expect(database).not.toHaveProperty('MasterUserPassword');
    expect(Object.values(resources(production, 'AWS::RDS::DBInstance'))[0]?.DeletionPolicy).toBe('Snapshot');
    template.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      Engine: 'valkey',
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      AutomaticFailoverEnabled: true,
    });
    expect(production.terminationProtection).toBe(true);
    expect(foundation('staging').terminationProtection).toBe(false);
  });

  test('names the major version of the database only: RDS picks the minor version, and upgrades it', () => {
    const { EngineVersion, AutoMinorVersionUpgrade } = only(resources(production, 'AWS::RDS::DBInstance'));
    expect([EngineVersion, AutoMinorVersionUpgrade]).toEqual(['17', true]);
    template.hasResourceProperties('AWS::RDS::DBParameterGroup', { Family: 'postgres17' });
  });

  test('owns the logs that services would make by themselves: with its key, for its days, and there before them', () => {
    const groups = Object.entries(resources(production, 'AWS::Logs::LogGroup'));
    const uuid = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
    const name = ['cell-x-', { 'Fn::Select': [0, { 'Fn::Split': ['-', uuid] }] }];
    const canary = { 'Fn::GetAtt': [expect.stringMatching(/^ProbeCanary/), 'Id'] };
    expect(groups.map(([, { Properties, DeletionPolicy }]) => [Properties, DeletionPolicy])).toEqual(
      [
        ['/aws/rds/instance/cell-x-', name[1], '/postgresql'],
        ['/aws/ecs/containerinsights/cell-x-', name[1], '/performance'],
        ['/aws/lambda/cwsyn-cell-x-', canary],
      ].map((parts) => [
        expect.objectContaining({ LogGroupName: { 'Fn::Join': ['', parts] }, KmsKeyId: ownKey, RetentionInDays: 90 }),
        'Retain',
      ]),
    );
    const [database, cluster] = groups.map(([id]) => id);
    for (const [type, key, log] of [
      ['AWS::RDS::DBInstance', 'DBInstanceIdentifier', database],
      ['AWS::ECS::Cluster', 'ClusterName', cluster],
    ] as const) {
      const [owner] = Object.values(resources(production, type));
      expect(owner?.Properties?.[key]).toEqual({ 'Fn::Join': ['', name] });
      expect(owner?.DependsOn).toContain(log);
    }
    // Who may make groups makes this one before the stack does.
    expect(JSON.stringify(resources(production, 'AWS::IAM::Policy'))).not.toContain('logs:CreateLogGroup');
    expect(Object.values(resources(foundation('personal'), 'AWS::Logs::LogGroup')).map((each) => each.DeletionPolicy)).toEqual(
      Array(3).fill('Delete'),
    );
  });

  test('keeps what the probe’s role may do until the network is gone: its network interfaces outlive it', () => {
    const [policy] = Object.entries(resources(production, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('ProbeRole')) ?? [];
    expect(Object.values(resources(production, 'AWS::EC2::VPC'))[0]?.DependsOn).toEqual([policy]);
  });

  test('takes sizes from the size class', () => {
    const instanceClass = (size: Size) => only(resources(foundation('production', size), 'AWS::RDS::DBInstance'))['DBInstanceClass'];
    expect([instanceClass('small'), instanceClass('medium'), instanceClass('large')]).toEqual([
      'db.t4g.medium',
      'db.m7g.large',
      'db.r7g.2xlarge',
    ]);
  });

  test('lets only services reach data, and only the load balancer reach services', () => {
    // Without a rule inside the group, EC2 lets everything out.
    for (const { Properties } of Object.values(resources(production, 'AWS::EC2::SecurityGroup'))) {
      expect(Properties?.['SecurityGroupEgress']).toHaveLength(1);
    }
    const whose = (reference: unknown) => /Network(\w+?)SecurityGroup/.exec(JSON.stringify(reference))?.[1];
    const rules = Object.values(resources(production, 'AWS::EC2::SecurityGroupIngress')).map(
      ({ Properties }) =>
        `${whose(Properties?.['SourceSecurityGroupId'])} -> ${whose(Properties?.['GroupId'])}:${Properties?.['FromPort']}`,
    );
    expect(rules.sort()).toEqual([
      'Entry -> Service:8080',
      'Probe -> Endpoint:443',
      'Service -> Data:5432',
      'Service -> Data:6379',
      'Service -> Endpoint:443',
    ]);
  });

  test('tells components everything they need, under the names of the contract', () => {
    const names = Object.values(resources(production, 'AWS::SSM::Parameter')).map(({ Properties }) => Properties?.['Name']);
    expect(names.sort()).toEqual(Object.values(CELL_PARAMETERS).sort());
  });

  describe('lets tooling in by two roles', () => {
    interface Statement {
      readonly Action: string | string[];
      readonly Principal?: unknown;
      readonly Resource: unknown;
      readonly Condition?: unknown;
    }
    const roleOf = (name: string) => {
      const found = Object.entries(resources(production, 'AWS::IAM::Role')).find(([, { Properties }]) => Properties?.['RoleName'] === name);
      const policy = Object.values(resources(production, 'AWS::IAM::Policy')).find(({ Properties }) =>
        JSON.stringify(Properties?.['Roles']).includes(`"${found?.[0]}"`),
      );
      const statements = (document: unknown) => (Object(document) as { Statement: Statement[] }).Statement;
      return {
        trust: statements(found?.[1].Properties?.['AssumeRolePolicyDocument']),
        statements: statements(policy?.Properties?.['PolicyDocument']),
        managed: found?.[1].Properties?.['ManagedPolicyArns'],
      };
    };
    const TOOLING = { AWS: 'arn:aws:iam::200000000000:root' };
    /** What a statement is about, without the partition. */
    const targets = ({ Resource }: Statement) => [Resource].flat().map((each) => String(each).replace('arn:aws:', ''));

    test('cell-rollout: of the operator alone, for stacks of components, artifacts and alarms', () => {
      const { trust, statements, managed } = roleOf('cell-rollout');
      expect(managed).toBeUndefined();
      expect(trust).toEqual([
        {
          Action: 'sts:AssumeRole',
          Effect: 'Allow',
          Principal: TOOLING,
          Condition: {
            ArnEquals: {
              'aws:PrincipalArn': 'arn:aws:iam::200000000000:role/cell-operator',
            },
          },
        },
      ]);
      const own = plannedCell('production').account.accountId;
      const letters = [...'abcdefghijklmnopqrstuvwxyz'];
      expect(statements.map((each) => [[each.Action].flat(), targets(each)])).toEqual([
        [
          [
            'cloudformation:CreateChangeSet',
            'cloudformation:DeleteChangeSet',
            'cloudformation:DeleteStack',
            'cloudformation:DescribeChangeSet',
            'cloudformation:DescribeStackEvents',
            'cloudformation:DescribeStacks',
            'cloudformation:ExecuteChangeSet',
            'cloudformation:GetTemplate',
          ],
          letters.map((letter) => `cloudformation:eu-west-1:${own}:stack/${letter}*/*`),
        ],
        [['iam:PassRole'], [`iam::${own}:role/cdk-hnb659fds-cfn-exec-role-${own}-eu-west-1`]],
        [['ssm:GetParameters'], [`ssm:eu-west-1:${own}:parameter/cell/*`, 'ssm:eu-west-1::parameter/aws/service/*']],
        [['s3:GetObject'], ['s3:::acme-cell-artifacts-200000000000-eu-west-1/artifacts/*']],
        [['cloudwatch:DescribeAlarmHistory', 'cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData'], ['*']],
        [['rds:DescribeDBEngineVersions', 'rds:DescribeDBInstances', 'rds:DescribeOrderableDBInstanceOptions'], ['*']],
      ]);
      expect(statements[1]?.Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'cloudformation.amazonaws.com' } });
    });

    test('cell-drill: of tooling, for the state of the cell’s own alarms', () => {
      const { trust, statements, managed } = roleOf('cell-drill');
      expect(managed).toBeUndefined();
      expect(trust).toEqual([{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: TOOLING }]);
      const own = plannedCell('production').account.accountId;
      expect(statements.map((each) => [each.Action, targets(each)])).toEqual([
        ['cloudwatch:SetAlarmState', [`cloudwatch:eu-west-1:${own}:alarm:cell-x-*`]],
      ]);
    });
  });

  test('has one health alarm over alarms that carry the cell’s name', () => {
    template.hasResourceProperties('AWS::CloudWatch::CompositeAlarm', { AlarmName: 'cell-x-health' });
    const names = Object.values(resources(production, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties?.['AlarmName']);
    expect(names).toEqual(plannedAlarms(plannedCell('production', 'medium')).map((alarm) => alarm.name));
    expect(names).toHaveLength(16);
    const [composite] = Object.values(resources(production, 'AWS::CloudWatch::CompositeAlarm'));
    const children = (JSON.stringify(composite?.Properties?.['AlarmRule']).match(/Health\w+/g) ?? []).map((id) =>
      id.replace(/[0-9A-F]{8}$/, ''),
    );
    // A full cell is not a sick one.
    expect(children).toHaveLength(15);
    expect(children).not.toContain('HealthFull');
  });

  test('carries the tag cell on everything that takes tags', () => {
    const untagged = Object.entries(resources(production)).filter(([, { Properties }]) => {
      const tags = Properties?.['Tags'];
      return Array.isArray(tags) && !tags.some(({ Key, Value }) => Key === 'cell' && Value === 'x');
    });
    expect(untagged).toEqual([]);
    expect(production.tags.tagValues()).toMatchObject({ cell: 'x', stage: 'production' });
  });

  test('is the same for a dedicated cell: the tier changes what it may hold, not what it is', () => {
    const resources = ({ Metadata: _, ...rest }: Record<string, unknown>) => rest;
    const dedicated = Template.fromStack(foundation('production', 'medium', { tier: 'dedicated' })).toJSON();
    expect(resources(dedicated)).toEqual(resources(template.toJSON()));
  });

  test('has what its definition overrides', () => {
    const overrides = { database: { storageGiB: 50 }, cache: { replicas: 2 }, nat: 'one-gateway' } as const;
    const changed = foundation('production', 'medium', { overrides });
    expect(only(resources(changed, 'AWS::RDS::DBInstance'))['AllocatedStorage']).toBe('50');
    expect(only(resources(changed, 'AWS::ElastiCache::ReplicationGroup'))['NumCacheClusters']).toBe(3);
    expect(Object.keys(resources(changed, 'AWS::EC2::NatGateway'))).toHaveLength(1);
  });
});

describe.each(STAGES)('a cell of stage %s', (stage) => {
  test.each(SIZES)('and size %s keeps every count below 80 %% of what AWS allows', (size) => {
    const network = { block: '10.7.0.0/20', clients: ALL_CLIENTS };
    expect(checkTemplate(Template.fromStack(foundation(stage, size, { network })).toJSON())).toEqual([]);
  });
});

test('cdk-nag does find things: an unexplained bucket fails the synthesis', async () => {
  const { Bucket } = await import('aws-cdk-lib/aws-s3');
  const { Stack } = await import('aws-cdk-lib/core');
  const checked = app(true);
  new Bucket(new Stack(checked, 'Bad'), 'Bucket');
  expect(() => checked.synth()).toThrow(/AwsSolutions-S1'/);
});

test('is built whatever the context: also where the partition is not known', () => {
  expect(() => Template.fromStack(new Foundation(new App(), plannedCell('production')))).not.toThrow();
});
