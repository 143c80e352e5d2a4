/** What the foundation of a cell declares beyond the basics that gaps.local.test.ts has. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, outputsOf, REGION, type Template, textOf } from './server.ts';

const ACCOUNT = '555555555555';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/any`;
const TAGS = [{ Key: 'cell', Value: 'alpha' }];

let cloud: TestCloud;
let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
});

afterAll(() => cloud.stop());

/** ARNs of everything that has the tag `cell`. */
async function tagged(): Promise<string[]> {
  const { ResourceTagMappingList: list } = await aws.json<{ ResourceTagMappingList: { ResourceARN: string }[] }>(
    'tagging',
    'ResourceGroupsTaggingAPI_20170126.GetResources',
    { TagFilters: [{ Key: 'cell' }] },
  );
  return list.map((each) => each.ResourceARN);
}

/** Deploys, insists that all went well, and gives the outputs. */
async function deploy(name: string, template: Template): Promise<Record<string, string>> {
  const stack = await aws.deploy(name, template);
  const failed = (await aws.events(stack)).find((event) => event.ResourceStatus?.endsWith('_FAILED'));
  expect(failed === undefined ? undefined : `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`).toBeUndefined();
  return outputsOf(stack);
}

async function destroy(name: string): Promise<void> {
  const stack = await aws.destroy(name);
  const failed = (await aws.events(stack)).find((event) => event.ResourceStatus === 'DELETE_FAILED');
  expect(failed === undefined ? undefined : `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`).toBeUndefined();
}

const ec2 = (action: string, parameters: Record<string, string> = {}) => aws.query('ec2', action, parameters);

const network = (): Template['Resources'] => ({
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.7.0.0/16', EnableDnsHostnames: true, EnableDnsSupport: true } },
  SubnetA: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.7.0.0/24', AvailabilityZone: `${REGION}a` } },
  SubnetB: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.7.1.0/24', AvailabilityZone: `${REGION}b` } },
  Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: { Ref: 'Vpc' } } },
  Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'g', VpcId: { Ref: 'Vpc' } } },
});

describe('a network', () => {
  const SERVICES = ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'ssm', 'sqs', 'sts', 'kms'];

  test('has endpoints for services, which are changed in place and leave nothing behind', async () => {
    const template = (subnets: string[]): Template => ({
      Resources: {
        ...network(),
        ...Object.fromEntries(
          SERVICES.map((service) => [
            `Endpoint${service.replace('.', '')}`,
            {
              Type: 'AWS::EC2::VPCEndpoint',
              Properties: {
                ServiceName: `com.amazonaws.${REGION}.${service}`,
                VpcEndpointType: 'Interface',
                VpcId: { Ref: 'Vpc' },
                PrivateDnsEnabled: true,
                SecurityGroupIds: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
                SubnetIds: subnets.map((subnet) => ({ Ref: subnet })),
                Tags: TAGS,
              },
            },
          ]),
        ),
        Storage: {
          Type: 'AWS::EC2::VPCEndpoint',
          Properties: {
            ServiceName: { 'Fn::Join': ['', ['com.amazonaws.', { Ref: 'AWS::Region' }, '.s3']] },
            VpcEndpointType: 'Gateway',
            VpcId: { Ref: 'Vpc' },
            RouteTableIds: [{ Ref: 'Table' }],
          },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Endpointsqs' } },
        Group: { Value: { Ref: 'Group' } },
        Dns: { Value: { 'Fn::Select': [0, { 'Fn::GetAtt': ['Endpointsqs', 'DnsEntries'] }] } },
      },
    });
    const before = await deploy('endpoints', template(['SubnetA']));
    const listed = await ec2('DescribeVpcEndpoints');
    expect(listed.match(/<vpcEndpointType>Interface</g)).toHaveLength(SERVICES.length);
    expect(listed.match(/<vpcEndpointType>Gateway</g)).toHaveLength(1);
    expect(listed.match(/<privateDnsEnabled>true</g)).toHaveLength(SERVICES.length);
    expect(before['Dns']).toMatch(/^\w+:vpce-/);
    const sqs = { 'VpcEndpointId.1': before['Id'] ?? '' };
    expect(textOf(await ec2('DescribeVpcEndpoints', sqs), 'groupId')).toBe(before['Group']);
    expect(await ec2('DescribeVpcEndpoints', sqs)).toMatch(/<key>cell<\/key>\s*<value>alpha</);
    const interfaces = async () => (await ec2('DescribeNetworkInterfaces')).match(/<networkInterfaceId>/g)?.length ?? 0;
    expect(await interfaces()).toBe(SERVICES.length);

    expect(await deploy('endpoints', template(['SubnetA', 'SubnetB']))).toEqual(before);
    expect(await interfaces()).toBe(2 * SERVICES.length);

    await destroy('endpoints');
    expect(await ec2('DescribeVpcEndpoints')).not.toContain('vpce-');
    expect(await interfaces()).toBe(0);
  });

  test('goes out through an instance of the newest image', async () => {
    const template = (size: string, name: string): Template => ({
      Parameters: {
        Image: {
          Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
          Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64',
        },
      },
      Resources: {
        ...network(),
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }],
            },
          },
        },
        Profile: { Type: 'AWS::IAM::InstanceProfile', Properties: { Roles: [{ Ref: 'Role' }] } },
        Launch: {
          Type: 'AWS::EC2::LaunchTemplate',
          Properties: { LaunchTemplateName: 'nat', LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required' } } },
        },
        Nat: {
          Type: 'AWS::EC2::Instance',
          DependsOn: ['Role'],
          Properties: {
            AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
            IamInstanceProfile: { Ref: 'Profile' },
            ImageId: { Ref: 'Image' },
            InstanceType: size,
            LaunchTemplate: { LaunchTemplateName: 'nat', Version: { 'Fn::GetAtt': ['Launch', 'LatestVersionNumber'] } },
            NetworkInterfaces: [
              {
                AssociatePublicIpAddress: true,
                DeviceIndex: '0',
                GroupSet: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
                SubnetId: { Ref: 'SubnetA' },
              },
            ],
            SourceDestCheck: false,
            Tags: [{ Key: 'Name', Value: name }, ...TAGS],
            UserData: { 'Fn::Base64': '#!/bin/bash\nyum install -y iptables' },
          },
        },
        Route: {
          Type: 'AWS::EC2::Route',
          Properties: { RouteTableId: { Ref: 'Table' }, DestinationCidrBlock: '0.0.0.0/0', InstanceId: { Ref: 'Nat' } },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Nat' } },
        Image: { Value: { Ref: 'Image' } },
        Group: { Value: { Ref: 'Group' } },
        Private: { Value: { 'Fn::GetAtt': ['Nat', 'PrivateIp'] } },
        Public: { Value: { 'Fn::GetAtt': ['Nat', 'PublicIp'] } },
      },
    });
    const before = await deploy('nat', template('t4g.nano', 'one'));
    const which = { 'InstanceId.1': before['Id'] ?? '' };
    const described = await ec2('DescribeInstances', which);
    expect(textOf(described, 'imageId')).toBe(before['Image']);
    expect(before['Image']).toMatch(/^ami-/);
    expect(textOf(described, 'sourceDestCheck')).toBe('false');
    expect(textOf(described, 'groupId')).toBe(before['Group']);
    expect(described).toContain(':instance-profile/');
    expect(before['Private']).toMatch(/^10\.7\.0\./);
    expect(await ec2('DescribeRouteTables')).toContain(`<instanceId>${before['Id']}</instanceId>`);
    const data = await ec2('DescribeInstanceAttribute', { InstanceId: before['Id'] ?? '', Attribute: 'userData' });
    expect(Buffer.from(/<userData>\s*<value>([^<]+)</.exec(data)?.[1] ?? '', 'base64').toString()).toMatch(/^#!\/bin\/bash/);

    expect(await deploy('nat', template('t4g.nano', 'two'))).toEqual(before);
    // For another size it has to stop.
    expect(await deploy('nat', template('t4g.micro', 'two'))).toEqual({
      ...before,
      Public: expect.not.stringMatching(before['Public'] ?? ''),
    });
    const changed = await ec2('DescribeInstances', which);
    expect(textOf(changed, 'instanceType')).toBe('t4g.micro');
    expect(changed).toContain('<value>two</value>');
    expect((await tagged()).some((arn) => arn.endsWith(`instance/${before['Id']}`))).toBe(true);

    await destroy('nat');
    expect(textOf(await ec2('DescribeInstances', which), 'name')).toBe('terminated');
    expect(await ec2('DescribeVpcs')).not.toContain('10.7.0.0');
  });
});

describe('a probe', () => {
  test('is created, changed in place, tagged and deleted', async () => {
    const template = (script: string, value: string): Template => ({
      Resources: {
        Probe: {
          Type: 'AWS::Synthetics::Canary',
          Properties: {
            Name: 'probe-alpha',
            ArtifactS3Location: 's3://artifacts/probe',
            Code: { Handler: 'index.handler', Script: script },
            ExecutionRoleArn: ROLE,
            RuntimeVersion: 'syn-nodejs-puppeteer-9.1',
            RunConfig: { TimeoutInSeconds: 30 },
            Schedule: { Expression: 'rate(1 minute)', DurationInSeconds: '0' },
            StartCanaryAfterCreation: true,
            Tags: [{ Key: 'cell', Value: value }],
          },
        },
      },
      Outputs: { Id: { Value: { 'Fn::GetAtt': ['Probe', 'Id'] } }, Name: { Value: { Ref: 'Probe' } } },
    });
    const get = async () => (JSON.parse(await aws.rest('synthetics', 'GET', '/canary/probe-alpha')) as { Canary: object }).Canary;
    const before = await deploy('probe', template('one', 'alpha'));
    expect(before['Name']).toBe('probe-alpha');
    expect(await get()).toMatchObject({
      Id: before['Id'],
      Schedule: { Expression: 'rate(1 minute)' },
      Status: { State: 'RUNNING' },
      Tags: { cell: 'alpha' },
    });

    expect(await deploy('probe', template('two', 'beta'))).toEqual(before);
    expect(await get()).toMatchObject({ Id: before['Id'], Tags: { cell: 'beta' } });
    expect((await aws.deploy('second-probe', template('one', 'alpha'))).StackStatus).toBe('ROLLBACK_COMPLETE');

    await destroy('probe');
    await expect(get()).rejects.toThrow('404');
  });
});

describe('capacity and metrics', () => {
  test('a service scales within limits that are SSM parameters', async () => {
    const limits = (min: string, max: string): Template => ({
      Resources: {
        Min: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/cell/min', Type: 'String', Value: min } },
        Max: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/cell/max', Type: 'String', Value: max } },
      },
    });
    const target: Template = {
      Parameters: {
        Min: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/min' },
        Max: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/max' },
      },
      Resources: {
        Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: 'scaled' } },
        Task: {
          Type: 'AWS::ECS::TaskDefinition',
          Properties: { Family: 'scaled', ContainerDefinitions: [{ Name: 'web', Image: 'web', Memory: 128 }] },
        },
        Service: {
          Type: 'AWS::ECS::Service',
          Properties: { ServiceName: 'web', Cluster: { Ref: 'Cluster' }, TaskDefinition: { Ref: 'Task' }, DesiredCount: 1 },
        },
        Target: {
          Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
          Properties: {
            ServiceNamespace: 'ecs',
            ResourceId: { 'Fn::Join': ['', ['service/', { Ref: 'Cluster' }, '/', { 'Fn::GetAtt': ['Service', 'Name'] }]] },
            ScalableDimension: 'ecs:service:DesiredCount',
            MinCapacity: { Ref: 'Min' },
            MaxCapacity: { Ref: 'Max' },
            RoleARN: ROLE,
          },
        },
      },
    };
    const described = () =>
      aws.json<{ ScalableTargets: object[] }>('application-autoscaling', 'AnyScaleFrontendService.DescribeScalableTargets', {
        ServiceNamespace: 'ecs',
      });
    await deploy('limits', limits('1', '4'));
    await deploy('scaled', target);
    expect((await described()).ScalableTargets).toMatchObject([{ ResourceId: 'service/scaled/web', MinCapacity: 1, MaxCapacity: 4 }]);

    await deploy('limits', limits('2', '8'));
    await deploy('scaled', target);
    expect((await described()).ScalableTargets).toMatchObject([{ MinCapacity: 2, MaxCapacity: 8 }]);

    await destroy('scaled');
    expect((await described()).ScalableTargets).toEqual([]);
  });

  test('a log has a key, and a filter that counts by dimension', async () => {
    const template = (pattern: string, encryption: object): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true, Tags: TAGS } },
        Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/cell-alpha', TargetKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
        Log: {
          Type: 'AWS::Logs::LogGroup',
          Properties: { LogGroupName: '/cell/alpha', RetentionInDays: 30, Tags: TAGS, ...encryption },
        },
        Filter: {
          Type: 'AWS::Logs::MetricFilter',
          Properties: {
            LogGroupName: { Ref: 'Log' },
            FilterPattern: pattern,
            MetricTransformations: [
              {
                MetricName: 'Requests',
                MetricNamespace: 'Cell',
                MetricValue: '$.count',
                Unit: 'Count',
                Dimensions: [{ Key: 'tenant', Value: '$.tenant' }],
              },
            ],
          },
        },
      },
      Outputs: { Key: { Value: { Ref: 'Key' } }, Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    const logs = <T>(operation: string, input: object) => aws.json<T>('logs', `Logs_20140328.${operation}`, input);
    const kms = (operation: string, input: object) => aws.json<object>('kms', `TrentService.${operation}`, input);
    const filters = () => logs<{ metricFilters: object[] }>('DescribeMetricFilters', { logGroupName: '/cell/alpha' });
    const group = async () =>
      (await logs<{ logGroups: object[] }>('DescribeLogGroups', { logGroupNamePrefix: '/cell/alpha' })).logGroups[0];
    const encryption = { KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } };
    const { Key: key = '', Arn: arn = '' } = await deploy('log', template('{ $.count = * }', encryption));
    expect(await group()).toMatchObject({ kmsKeyId: arn, retentionInDays: 30 });
    expect(await kms('GetKeyRotationStatus', { KeyId: key })).toMatchObject({ KeyRotationEnabled: true });
    expect(await kms('DescribeKey', { KeyId: 'alias/cell-alpha' })).toMatchObject({ KeyMetadata: { KeyId: key } });
    expect(await tagged()).toEqual(expect.arrayContaining([arn, expect.stringMatching(/log-group:\/cell\/alpha/)]));

    await deploy('log', template('{ $.count > 0 }', {}));
    expect(await group()).not.toHaveProperty('kmsKeyId');
    expect((await filters()).metricFilters).toMatchObject([
      { filterPattern: '{ $.count > 0 }', metricTransformations: [{ metricName: 'Requests', dimensions: { tenant: '$.tenant' } }] },
    ]);

    await destroy('log');
    expect(await kms('DescribeKey', { KeyId: key })).toMatchObject({ KeyMetadata: { KeyState: 'PendingDeletion' } });
    await expect(kms('DescribeKey', { KeyId: 'alias/cell-alpha' })).rejects.toThrow('NotFoundException');
  });

  test('an alarm watches an expression, and one the answer to a query', async () => {
    const statistic = (id: string, name: string) => ({
      Id: id,
      MetricStat: {
        Metric: { Namespace: 'Cell', MetricName: name, Dimensions: [{ Name: 'cell', Value: 'alpha' }] },
        Period: 60,
        Stat: 'Sum',
      },
      ReturnData: false,
    });
    const limit = {
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      TreatMissingData: 'notBreaching',
    };
    const query = 'SELECT MAX("Throttles") FROM SCHEMA("AWS/Lambda", FunctionName)';
    const template = (threshold: number): Template => ({
      Resources: {
        Rate: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...limit,
            AlarmName: 'rate',
            Threshold: threshold,
            Metrics: [
              { Id: 'rate', Expression: '100 * errors / requests', Label: 'Error rate', ReturnData: true },
              statistic('errors', 'Errors'),
              statistic('requests', 'Requests'),
            ],
            Tags: TAGS,
          },
        },
        Any: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...limit,
            AlarmName: 'any',
            Threshold: 0,
            Metrics: [{ Id: 'q', Expression: query, Period: 60, ReturnData: true }],
          },
        },
      },
    });
    await deploy('watching', template(1));
    await aws.query('monitoring', 'SetAlarmState', { AlarmName: 'rate', StateValue: 'ALARM', StateReason: 'test' });

    await deploy('watching', template(5));

    const rate = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmNames.member.1': 'rate' });
    expect(textOf(rate, 'Threshold')).toBe('5.0');
    expect(textOf(rate, 'StateValue')).toBe('ALARM');
    expect(rate).toContain('<Expression>100 * errors / requests</Expression>');
    expect(rate.match(/<MetricStat>/g)).toHaveLength(2);
    const any = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmNames.member.1': 'any' });
    expect(textOf(any, 'Expression').replaceAll('&quot;', '"')).toBe(query);
    expect(any).not.toContain('<MetricStat>');
    expect(any).toContain('<Period>60</Period>');
    expect(await tagged()).toContainEqual(expect.stringMatching(/:alarm:rate$/));
    await destroy('watching');
    expect(await aws.query('monitoring', 'DescribeAlarms')).not.toMatch(/>rate<|>any</);
  });
});

describe('data', () => {
  test('a database is encrypted with a key, watched closely, and has its own settings', async () => {
    const template = (connections: string, days: number, secretKey: string): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: {} },
        OtherKey: { Type: 'AWS::KMS::Key', Properties: {} },
        Settings: {
          Type: 'AWS::RDS::DBParameterGroup',
          Properties: { Family: 'postgres16', Description: 'd', Parameters: { max_connections: connections }, Tags: TAGS },
        },
        Database: {
          Type: 'AWS::RDS::DBInstance',
          Properties: {
            Engine: 'postgres',
            EngineVersion: '16',
            DBInstanceClass: 'db.t4g.micro',
            AllocatedStorage: '20',
            BackupRetentionPeriod: days,
            DBParameterGroupName: { Ref: 'Settings' },
            EnablePerformanceInsights: true,
            PerformanceInsightsKMSKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] },
            PerformanceInsightsRetentionPeriod: 7,
            KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] },
            StorageEncrypted: true,
            ManageMasterUserPassword: true,
            MasterUserSecret: { KmsKeyId: { 'Fn::GetAtt': [secretKey, 'Arn'] } },
            MasterUsername: 'postgres',
            Tags: TAGS,
          },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Database' } },
        Settings: { Value: { Ref: 'Settings' } },
        Key: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } },
        OtherKey: { Value: { 'Fn::GetAtt': ['OtherKey', 'Arn'] } },
        Secret: { Value: { 'Fn::GetAtt': ['Database', 'MasterUserSecret.SecretArn'] } },
      },
    });
    const before = await deploy('data', template('100', 7, 'Key'));
    const described = await aws.query('rds', 'DescribeDBInstances');
    const keys = (xml: string) => [...xml.matchAll(/<KmsKeyId>([^<]+)</g)].map((found) => found[1]);
    expect(textOf(described, 'PerformanceInsightsEnabled')).toBe('true');
    expect(textOf(described, 'PerformanceInsightsKMSKeyId')).toBe(before['Key']);
    expect(keys(described)).toEqual([before['Key'], before['Key']]);
    expect(textOf(described, 'DBParameterGroupName')).toBe(before['Settings']);
    const secret = () =>
      aws.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: before['Secret'] });
    expect(JSON.parse((await secret()).SecretString)).toMatchObject({ username: 'postgres' });

    expect(await deploy('data', template('200', 14, 'OtherKey'))).toEqual(before);
    const changed = await aws.query('rds', 'DescribeDBInstances');
    expect(textOf(changed, 'BackupRetentionPeriod')).toBe('14');
    expect(keys(changed)).toEqual([before['Key'], before['OtherKey']]);
    const values = await aws.query('rds', 'DescribeDBParameters', { DBParameterGroupName: before['Settings'] ?? '' });
    expect(values).toContain('<ParameterValue>200</ParameterValue>');
    expect(await tagged()).toContainEqual(expect.stringMatching(new RegExp(`:db:${before['Id']}$`)));

    await destroy('data');
    expect(await aws.query('rds', 'DescribeDBParameterGroups')).not.toContain(before['Settings']);
  });

  test('a cache has its own settings', async () => {
    const template = (policy: string): Template => ({
      Resources: {
        Settings: {
          Type: 'AWS::ElastiCache::ParameterGroup',
          Properties: {
            CacheParameterGroupFamily: 'valkey8',
            Description: 'd',
            Properties: { 'maxmemory-policy': policy, 'notify-keyspace-events': 'Ex' },
            Tags: TAGS,
          },
        },
        Cache: {
          Type: 'AWS::ElastiCache::ReplicationGroup',
          Properties: {
            ReplicationGroupDescription: 'd',
            Engine: 'valkey',
            NumCacheClusters: 1,
            CacheParameterGroupName: { Ref: 'Settings' },
          },
        },
      },
      Outputs: { Name: { Value: { Ref: 'Settings' } } },
    });
    const before = await deploy('cache', template('noeviction'));
    const name = { CacheParameterGroupName: before['Name'] ?? '' };
    expect(await aws.query('elasticache', 'DescribeCacheParameterGroups', name)).toContain('valkey8');
    expect(await aws.query('elasticache', 'DescribeCacheParameters', name)).toMatch(/noeviction/);

    expect(await deploy('cache', template('allkeys-lru'))).toEqual(before);
    const values = await aws.query('elasticache', 'DescribeCacheParameters', name);
    expect([values.includes('allkeys-lru'), values.includes('noeviction')]).toEqual([true, false]);

    await destroy('cache');
    await expect(aws.query('elasticache', 'DescribeCacheParameterGroups', name)).rejects.toThrow('CacheParameterGroupNotFound');
  });

  test('a bucket, a secret and a queue are encrypted with a key', async () => {
    const template = (days: number): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: {} },
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            BucketName: 'encrypted',
            BucketEncryption: {
              ServerSideEncryptionConfiguration: [
                {
                  BucketKeyEnabled: true,
                  ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': ['Key', 'Arn'] } },
                },
              ],
            },
            LifecycleConfiguration: { Rules: [{ Id: 'old', Status: 'Enabled', ExpirationInDays: days }] },
            PublicAccessBlockConfiguration: {
              BlockPublicAcls: true,
              BlockPublicPolicy: true,
              IgnorePublicAcls: true,
              RestrictPublicBuckets: true,
            },
            Tags: TAGS,
          },
        },
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { Name: 'encrypted', KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] }, Tags: TAGS },
        },
        Queue: {
          Type: 'AWS::SQS::Queue',
          Properties: { QueueName: 'encrypted', KmsMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] }, Tags: TAGS },
        },
      },
      Outputs: { Key: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    await deploy('encrypted', template(30));
    const { Key: key = 'none' } = await deploy('encrypted', template(90));

    expect(await aws.rest('s3', 'GET', '/encrypted?encryption')).toContain(key);
    expect(await aws.rest('s3', 'GET', '/encrypted?lifecycle')).toContain('<Days>90</Days>');
    expect((await aws.rest('s3', 'GET', '/encrypted?publicAccessBlock')).match(/>true</gi)).toHaveLength(4);
    expect(await aws.json('secretsmanager', 'secretsmanager.DescribeSecret', { SecretId: 'encrypted' })).toMatchObject({ KmsKeyId: key });
    const queue = { QueueUrl: `${cloud.running.endpoint}/${ACCOUNT}/encrypted`, AttributeNames: ['KmsMasterKeyId'] };
    expect(await aws.json('sqs', 'AmazonSQS.GetQueueAttributes', queue)).toMatchObject({ Attributes: { KmsMasterKeyId: key } });
    const arns = (await tagged()).join(' ');
    for (const part of [':::encrypted', ':secret:encrypted', ':sqs:']) expect(arns).toContain(part);
    await destroy('encrypted');
  });
});

describe('a front door', () => {
  test('speaks HTTPS with a certificate, sends HTTP there, and logs', async () => {
    const template = (policy: string): Template => ({
      Resources: {
        ...network(),
        Logs: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'access-logs' } },
        Zone: { Type: 'AWS::Route53::HostedZone', Properties: { Name: 'door.example' } },
        Certificate: {
          Type: 'AWS::CertificateManager::Certificate',
          DeletionPolicy: 'Retain',
          Properties: {
            DomainName: 'door.example',
            ValidationMethod: 'DNS',
            DomainValidationOptions: [{ DomainName: 'door.example', HostedZoneId: { Ref: 'Zone' } }],
          },
        },
        Balancer: {
          Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
          Properties: {
            Type: 'application',
            Scheme: 'internet-facing',
            Subnets: [{ Ref: 'SubnetA' }, { Ref: 'SubnetB' }],
            SecurityGroups: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
            LoadBalancerAttributes: [
              { Key: 'deletion_protection.enabled', Value: 'false' },
              { Key: 'access_logs.s3.enabled', Value: 'true' },
              { Key: 'access_logs.s3.bucket', Value: { Ref: 'Logs' } },
              { Key: 'access_logs.s3.prefix', Value: 'alpha' },
              { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
            ],
            Tags: TAGS,
          },
        },
        Https: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 443,
            Protocol: 'HTTPS',
            SslPolicy: policy,
            Certificates: [{ CertificateArn: { Ref: 'Certificate' } }],
            DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
          },
        },
        Http: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'redirect', RedirectConfig: { Port: '443', Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }],
          },
        },
      },
      Outputs: {
        Balancer: { Value: { Ref: 'Balancer' } },
        Https: { Value: { Ref: 'Https' } },
        Certificate: { Value: { Ref: 'Certificate' } },
      },
    });
    const balancing = (action: string, parameters: Record<string, string>) => aws.query('elasticloadbalancing', action, parameters);
    const before = await deploy('door', template('ELBSecurityPolicy-TLS13-1-2-2021-06'));
    const balancer = { LoadBalancerArn: before['Balancer'] ?? '' };
    const listeners = await balancing('DescribeListeners', balancer);
    expect(listeners).toContain(`<CertificateArn>${before['Certificate']}</CertificateArn>`);
    expect(listeners).toContain('<StatusCode>HTTP_301</StatusCode>');
    const attributes = await balancing('DescribeLoadBalancerAttributes', balancer);
    expect(attributes).toMatch(/access_logs\.s3\.bucket<\/Key>\s*<Value>access-logs/);
    expect(await tagged()).toContain(before['Balancer']);

    expect(await deploy('door', template('ELBSecurityPolicy-TLS13-1-3-2021-06'))).toEqual(before);
    expect(await balancing('DescribeListeners', balancer)).toContain('ELBSecurityPolicy-TLS13-1-3-2021-06');
  });
});
