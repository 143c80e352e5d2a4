import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  ListChangeSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import getPort from 'get-port';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, MANAGEMENT_ACCOUNT, outputsOf, REGION, startProcess, startRestless, type Template, textOf } from './server.ts';

const OTHER_ACCOUNT = '222222222222';
const ROLE = `arn:aws:iam::${MANAGEMENT_ACCOUNT}:role/machine`;

let cloud: TestCloud;
let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = new Caller(cloud.running.endpoint);
});

afterAll(async () => {
  await cloud.stop();
});

describe('start', () => {
  test('another version of moto is refused in one line', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'moto-'));
    await mkdir(path.join(folder, 'moto-9.9.9.dist-info'));
    await writeFile(path.join(folder, 'moto-9.9.9.dist-info', 'METADATA'), 'Metadata-Version: 2.1\nName: moto\nVersion: 9.9.9\n');

    const process = await startProcess(1, folder);
    let message = '';
    process.stderr?.on('data', (chunk: Buffer) => {
      message += chunk.toString();
    });
    const [code] = await once(process, 'exit');
    await rm(folder, { recursive: true });

    expect(code).toBe(1);
    expect(message).toMatch(/^The local cloud needs moto 5\.2\.1, found 9\.9\.9: pip install [^\n]*\n$/);
  });
});

describe('state machines', () => {
  test('a state machine runs again after it has run', async () => {
    const machine = await createMachine('again', { Ok: { Type: 'Pass', Result: 'done', End: true } });

    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a task acts in the account of the role in its credentials', async () => {
    const machine = await createMachine('elsewhere', {
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:ssm:putParameter',
        Parameters: { Name: '/made/elsewhere', Value: 'v', Type: 'String' },
        Credentials: { RoleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/worker` },
        End: true,
      },
    });

    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });

    expect(await parameterNames(await aws.inAccount(OTHER_ACCOUNT))).toContain('/made/elsewhere');
    expect(await parameterNames(aws)).not.toContain('/made/elsewhere');
  });

  test("a task without credentials acts in the state machine's own account", async () => {
    const other = await aws.inAccount(OTHER_ACCOUNT);
    const states = {
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:ssm:putParameter',
        Parameters: { Name: '/made/at-home', Value: 'v', Type: 'String' },
        End: true,
      },
    };
    const machine = await createMachine('home', states, other, `arn:aws:iam::${OTHER_ACCOUNT}:role/machine`);

    expect(await run(machine, other)).toMatchObject({ status: 'SUCCEEDED' });

    expect(await parameterNames(other)).toContain('/made/at-home');
    expect(await parameterNames(aws)).not.toContain('/made/at-home');
  });

  test('a choice on a path with an array index matches', async () => {
    const machine = await createMachine('choice', {
      Look: { Type: 'Pass', Result: { Stacks: [{ StackStatus: 'CREATE_COMPLETE' }] }, ResultPath: '$.now', Next: 'Is' },
      Is: {
        Type: 'Choice',
        Choices: [{ Variable: '$.now.Stacks[0].StackStatus', StringEquals: 'CREATE_COMPLETE', Next: 'Yes' }],
        Default: 'No',
      },
      Yes: { Type: 'Pass', Result: 'yes', End: true },
      No: { Type: 'Pass', Result: 'no', End: true },
    });

    expect(await run(machine)).toMatchObject({ output: '"yes"' });
  });

  test('a wildcard path still answers a list', async () => {
    const machine = await createMachine('wildcard', { All: { Type: 'Pass', InputPath: '$.list[*].name', End: true } });

    expect(await run(machine, aws, { list: [{ name: 'a' }] })).toMatchObject({ output: '["a"]' });
  });

  test("a task's error is named as AWS names it", async () => {
    const machine = await createMachine('failing', {
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:cloudformation:describeStacks',
        Parameters: { StackName: 'no-such-stack' },
        Catch: [{ ErrorEquals: ['CloudFormation.CloudFormationException'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Pass', Result: 'caught', End: true },
    });

    expect(await run(machine)).toMatchObject({ output: '"caught"' });
  });

  test("a stack's state machine can be executed", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
    const definition = JSON.stringify({ StartAt: 'Say', States: { Say: { Type: 'Pass', Result: '${Word}', End: true } } });
    const stack = await aws.deploy('machine', {
      Resources: {
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: { RoleArn: ROLE, DefinitionString: definition, DefinitionSubstitutions: { Word: 'hello' } },
        },
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Machine', 'Arn'] } } },
    });

    expect(await run(outputsOf(stack)['Arn'] ?? '')).toMatchObject({ output: '"hello"' });
  });
});

describe('change sets', () => {
  const NAME = 'cdk-deploy-change-set';

  test('one is found by name and stack', async () => {
    await changeSet('first', NAME, queue());
    await changeSet('second', NAME, queue());

    expect(await describeChangeSet('first', NAME)).toMatchObject({ StackName: 'first', Status: 'CREATE_COMPLETE' });
    expect(await describeChangeSet('second', NAME)).toMatchObject({ StackName: 'second' });
    await aws.stacks.send(new ExecuteChangeSetCommand({ ChangeSetName: NAME, StackName: 'second' }));
    expect(await aws.describe('first')).toMatchObject({ StackStatus: 'REVIEW_IN_PROGRESS' });
    expect(await aws.describe('second')).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    const { Summaries: listed } = await aws.stacks.send(new ListChangeSetsCommand({ StackName: 'first' }));
    expect(listed).toHaveLength(1);
  });

  test('one that is gone is not found', async () => {
    await changeSet('gone', NAME, queue());
    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: NAME, StackName: 'gone' }));

    await expect(describeChangeSet('gone', NAME)).rejects.toMatchObject({ name: 'ChangeSetNotFoundException', Code: 'ChangeSetNotFound' });
  });

  test('one is deleted by its ARN, and again', async () => {
    const { Id: arn } = await changeSet('by-arn', NAME, queue());

    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: arn }));
    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: arn }));

    await expect(aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: arn }))).rejects.toThrow('does not exist');
  });

  test('a second one reuses the stack in review', async () => {
    const { StackId: first } = await changeSet('reviewed', 'one', queue());
    const { StackId: second } = await changeSet('reviewed', 'two', queue());

    expect(second).toBe(first);
  });

  test('executing one sets outputs and exports', async () => {
    await changeSet('exporting', NAME, {
      ...queue(),
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Queue', 'Arn'] }, Export: { Name: 'queue-arn' } } },
    });
    await aws.stacks.send(new ExecuteChangeSetCommand({ ChangeSetName: NAME, StackName: 'exporting' }));

    const importing = await aws.deploy('importing', {
      ...queue(),
      Outputs: { Imported: { Value: { 'Fn::ImportValue': 'queue-arn' } } },
    });

    expect(outputsOf(importing)['Imported']).toBe(outputsOf(await aws.describe('exporting'))['Arn']);
    expect(await aws.destroy('exporting')).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'Export queue-arn cannot be deleted as it is in use by importing',
    });
  });
});

describe('parameters', () => {
  const template = (name: string): Template => ({
    Parameters: { Path: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/parameters/none' } },
    Resources: { Copy: { Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: { Ref: 'Path' } } } },
  });
  const again = [{ ParameterKey: 'Path', UsePreviousValue: true }];

  test('an SSM parameter keeps its previous value', async () => {
    await putParameter('/parameters/keep', 'value');
    await aws.deploy('keep', template('/copy/keep'), [{ ParameterKey: 'Path', ParameterValue: '/parameters/keep' }]);

    const stack = await aws.deploy('keep', template('/copy/kept'), again);

    expect(stack.Parameters).toEqual([{ ParameterKey: 'Path', ParameterValue: '/parameters/keep', ResolvedValue: 'value' }]);
    expect(await parameterValue('/copy/kept')).toBe('value');
  });

  test('an SSM parameter with another value is a change, and one with the same is none', async () => {
    await putParameter('/parameters/change', 'one');
    await aws.deploy('change', template('/copy/change'), [{ ParameterKey: 'Path', ParameterValue: '/parameters/change' }]);

    await expect(aws.deploy('change', template('/copy/change'), again)).rejects.toThrow('No updates are to be performed.');
    await putParameter('/parameters/change', 'two');
    await aws.deploy('change', template('/copy/change'), again);

    expect(await parameterValue('/copy/change')).toBe('two');
  });

  test('an SSM parameter that does not exist refuses the template', async () => {
    await expect(aws.deploy('none', template('/copy/none'))).rejects.toThrow(
      'Unable to fetch parameters [/parameters/none] from parameter store for this account.',
    );
  });
});

describe('resources', () => {
  test('an alarm is created, changed without losing its state, and deleted', async () => {
    const alarm = (threshold: number): Template => ({
      Resources: {
        Alarm: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            AlarmName: 'watched',
            Namespace: 'n',
            MetricName: 'm',
            Statistic: 'Sum',
            Period: 60,
            EvaluationPeriods: 1,
            Threshold: threshold,
            ComparisonOperator: 'GreaterThanThreshold',
            Tags: [{ Key: 'team', Value: 'a' }],
          },
        },
        All: {
          Type: 'AWS::CloudWatch::CompositeAlarm',
          Properties: { AlarmName: 'all', AlarmRule: { 'Fn::Join': ['', ['ALARM("', { 'Fn::GetAtt': ['Alarm', 'Arn'] }, '")']] } },
        },
      },
    });
    const stack = await aws.deploy('alarms', alarm(1));
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    await aws.query('monitoring', 'SetAlarmState', { AlarmName: 'watched', StateValue: 'ALARM', StateReason: 'test' });

    await aws.deploy('alarms', alarm(2));

    const described = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmNames.member.1': 'watched' });
    expect(textOf(described, 'Threshold')).toBe('2.0');
    expect(textOf(described, 'StateValue')).toBe('ALARM');
    const composite = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmTypes.member.1': 'CompositeAlarm' });
    expect(textOf(composite, 'AlarmRule')).toContain('alarm:watched');
    await aws.destroy('alarms');
    expect(await aws.query('monitoring', 'DescribeAlarms')).not.toContain('watched');
  });

  test('a cache keeps its endpoints through a change', async () => {
    const cache = (replicas: number): Template => ({
      Resources: {
        ...network().Resources,
        Group: { Type: 'AWS::ElastiCache::SubnetGroup', Properties: { Description: 'd', SubnetIds: [{ Ref: 'Subnet' }] } },
        Cache: {
          Type: 'AWS::ElastiCache::ReplicationGroup',
          Properties: {
            ReplicationGroupDescription: 'd',
            Engine: 'redis',
            NumCacheClusters: replicas,
            CacheSubnetGroupName: { Ref: 'Group' },
          },
        },
      },
      Outputs: {
        Primary: { Value: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Address'] } },
        Port: { Value: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Port'] } },
        Reader: { Value: { 'Fn::GetAtt': ['Cache', 'ReaderEndPoint.Address'] } },
      },
    });
    const outputs = outputsOf(await aws.deploy('cache', cache(2)));
    expect(outputs).toEqual({ Primary: expect.stringMatching(/^master\./), Port: '6379', Reader: expect.stringMatching(/^replica\./) });

    expect(outputsOf(await aws.deploy('cache', cache(3)))).toEqual(outputs);

    expect(await aws.query('elasticache', 'DescribeReplicationGroups')).toMatch(/-003</);
    await aws.destroy('cache');
    expect(await aws.query('elasticache', 'DescribeReplicationGroups')).not.toContain('-001<');
  });

  test('a secret is generated once, and its value can be used in a template', async () => {
    const secret = (description: string): Template => ({
      Resources: {
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: {
            Name: 'generated',
            Description: description,
            GenerateSecretString: { SecretStringTemplate: '{"username":"u"}', GenerateStringKey: 'password', ExcludePunctuation: true },
          },
        },
        Copy: {
          Type: 'AWS::SSM::Parameter',
          Properties: {
            Name: '/copy/secret',
            Type: 'String',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
            Value: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:password::}}' },
          },
        },
      },
    });
    await aws.deploy('secret', secret('one'));
    const before = await secretValue('generated');

    await aws.deploy('secret', secret('two'));

    expect(await secretValue('generated')).toBe(before);
    expect(JSON.parse(before)).toEqual({ username: 'u', password: await parameterValue('/copy/secret') });
    await aws.destroy('secret');
    await expect(secretValue('generated')).rejects.toThrow('ResourceNotFoundException');
  });

  test('policies of a queue and a bucket are set', async () => {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] };
    await aws.deploy('policies', {
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'with-policy' } },
        QueuePolicy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Queue' }], PolicyDocument: policy } },
        Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'with-policy' } },
        BucketPolicy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: policy } },
      },
    });

    const { Attributes: attributes } = await aws.json<{ Attributes: { Policy: string } }>('sqs', 'AmazonSQS.GetQueueAttributes', {
      QueueUrl: `${cloud.running.endpoint}/${MANAGEMENT_ACCOUNT}/with-policy`,
      AttributeNames: ['Policy'],
    });
    expect(JSON.parse(attributes.Policy)).toEqual(policy);
    expect(JSON.parse(await aws.rest('s3', 'GET', '/with-policy?policy'))).toEqual(policy);
  });

  test('a bucket policy that denies on a condition does not deny everything', async () => {
    const insecure = { Bool: { 'aws:SecureTransport': 'false' } };
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*', Condition: insecure };
    await aws.deploy('ssl', {
      Resources: {
        Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'secure', VersioningConfiguration: { Status: 'Enabled' } } },
        Policy: {
          Type: 'AWS::S3::BucketPolicy',
          Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: { Version: '2012-10-17', Statement: [statement] } },
        },
      },
    });

    await aws.rest('s3', 'PUT', '/secure/object', 'content');

    expect(await aws.rest('s3', 'GET', '/secure/object')).toBe('content');
    expect(await aws.rest('s3', 'GET', '/secure?versioning')).toContain('<Status>Enabled</Status>');
  });

  test('permission sets and assignments are created and deleted', async () => {
    const instance = 'arn:aws:sso:::instance/ssoins-1234567890123456';
    await aws.deploy('sso', {
      Resources: {
        Set: {
          Type: 'AWS::SSO::PermissionSet',
          Properties: { InstanceArn: instance, Name: 'Read', ManagedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] },
        },
        Assignment: {
          Type: 'AWS::SSO::Assignment',
          Properties: {
            InstanceArn: instance,
            PermissionSetArn: { 'Fn::GetAtt': ['Set', 'PermissionSetArn'] },
            PrincipalType: 'GROUP',
            PrincipalId: 'group',
            TargetType: 'AWS_ACCOUNT',
            TargetId: OTHER_ACCOUNT,
          },
        },
      },
    });

    const list = () => aws.json<{ PermissionSets: string[] }>('sso', 'SWBExternalService.ListPermissionSets', { InstanceArn: instance });
    const [set] = (await list()).PermissionSets;
    const assignments = await aws.json<{ AccountAssignments: object[] }>('sso', 'SWBExternalService.ListAccountAssignments', {
      InstanceArn: instance,
      AccountId: OTHER_ACCOUNT,
      PermissionSetArn: set,
    });
    expect(assignments.AccountAssignments).toHaveLength(1);
    await aws.destroy('sso');
    expect((await list()).PermissionSets).toEqual([]);
  });

  test('a pipeline is created and gets a new version with each change', async () => {
    const source = {
      Name: 'S',
      ActionTypeId: { Category: 'Source', Owner: 'AWS', Provider: 'S3', Version: '1' },
      OutputArtifacts: [{ Name: 'a' }],
    };
    const approve = { Name: 'A', ActionTypeId: { Category: 'Approval', Owner: 'AWS', Provider: 'Manual', Version: '1' } };
    const pipeline = (stage: string): Template => ({
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'codepipeline.amazonaws.com' } }],
            },
          },
        },
        Pipeline: {
          Type: 'AWS::CodePipeline::Pipeline',
          Properties: {
            Name: 'release',
            RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
            ArtifactStore: { Type: 'S3', Location: 'bucket' },
            Stages: [
              { Name: 'Source', Actions: [source] },
              { Name: stage, Actions: [approve] },
            ],
          },
        },
      },
    });
    await aws.deploy('pipeline', pipeline('One'));

    await aws.deploy('pipeline', pipeline('Two'));

    const { pipeline: found } = await aws.json<{ pipeline: object }>('codepipeline', 'CodePipeline_20150709.GetPipeline', {
      name: 'release',
    });
    expect(found).toMatchObject({ version: 2, stages: [{ name: 'Source' }, { name: 'Two' }] });
  });

  test('a cluster with nodes is created and deleted', async () => {
    const stack = await aws.deploy('kubernetes', {
      Resources: {
        Cluster: {
          Type: 'AWS::EKS::Cluster',
          Properties: { Name: 'k', RoleArn: ROLE, ResourcesVpcConfig: { SubnetIds: ['subnet-1'] }, Tags: [{ Key: 'a', Value: 'b' }] },
        },
        Nodes: {
          Type: 'AWS::EKS::Nodegroup',
          Properties: { NodegroupName: 'n', ClusterName: { Ref: 'Cluster' }, NodeRole: ROLE, Subnets: ['subnet-1'], Tags: { c: 'd' } },
        },
      },
      Outputs: { Endpoint: { Value: { 'Fn::GetAtt': ['Cluster', 'Endpoint'] } }, Nodes: { Value: { Ref: 'Nodes' } } },
    });

    expect(outputsOf(stack)).toEqual({ Endpoint: expect.stringMatching(/^https:/), Nodes: 'k/n' });
    expect(JSON.parse(await aws.rest('eks', 'GET', '/clusters/k'))).toMatchObject({ cluster: { tags: { a: 'b' } } });
    expect(JSON.parse(await aws.rest('eks', 'GET', '/clusters/k/node-groups/n'))).toMatchObject({ nodegroup: { tags: { c: 'd' } } });
    await aws.destroy('kubernetes');
    await expect(aws.rest('eks', 'GET', '/clusters/k')).rejects.toThrow('404');
  });

  test("a service's scaling is created and deleted", async () => {
    const containers = [{ Name: 'web', Image: 'web', Memory: 128 }];
    await aws.deploy('service', {
      Resources: {
        Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: 'c' } },
        Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { Family: 'task', TaskRoleArn: ROLE, ContainerDefinitions: containers } },
        Service: {
          Type: 'AWS::ECS::Service',
          Properties: { ServiceName: 's', Cluster: { Ref: 'Cluster' }, TaskDefinition: { Ref: 'Task' }, DesiredCount: 1 },
        },
        Target: {
          Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
          Properties: {
            ServiceNamespace: 'ecs',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
            ResourceId: { 'Fn::Sub': 'service/${Cluster}/${Service.Name}' },
            ScalableDimension: 'ecs:service:DesiredCount',
            MinCapacity: 1,
            MaxCapacity: 4,
            RoleARN: ROLE,
          },
        },
        Policy: {
          Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
          Properties: {
            PolicyName: 'cpu',
            PolicyType: 'TargetTrackingScaling',
            ScalingTargetId: { Ref: 'Target' },
            TargetTrackingScalingPolicyConfiguration: {
              TargetValue: 50,
              PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
            },
          },
        },
      },
    });

    const policies = () =>
      aws.json<{ ScalingPolicies: object[] }>('application-autoscaling', 'AnyScaleFrontendService.DescribeScalingPolicies', {
        ServiceNamespace: 'ecs',
      });
    expect((await policies()).ScalingPolicies).toMatchObject([{ PolicyName: 'cpu', ResourceId: 'service/c/s' }]);
    const { taskDefinition } = await aws.json<{ taskDefinition: object }>(
      'ecs',
      'AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition',
      {
        taskDefinition: 'task',
      },
    );
    expect(taskDefinition).toMatchObject({ taskRoleArn: ROLE });
    await aws.destroy('service');
    expect((await policies()).ScalingPolicies).toEqual([]);
  });

  test('a database has its endpoint, and its managed password is a secret', async () => {
    const database = (size: string): Template => ({
      Resources: {
        Database: {
          Type: 'AWS::RDS::DBInstance',
          Properties: {
            DBInstanceIdentifier: 'db',
            Engine: 'postgres',
            DBInstanceClass: size,
            AllocatedStorage: '20',
            MasterUsername: 'postgres',
            ManageMasterUserPassword: true,
          },
        },
      },
      Outputs: {
        Address: { Value: { 'Fn::GetAtt': ['Database', 'Endpoint.Address'] } },
        Port: { Value: { 'Fn::GetAtt': ['Database', 'Endpoint.Port'] } },
        Secret: { Value: { 'Fn::GetAtt': ['Database', 'MasterUserSecret.SecretArn'] } },
      },
    });
    const outputs = outputsOf(await aws.deploy('database', database('db.t4g.micro')));
    expect(outputs).toMatchObject({ Address: expect.stringMatching(/^db\./), Port: '5432' });
    expect(JSON.parse(await secretValue(outputs['Secret'] ?? ''))).toMatchObject({ username: 'postgres' });

    expect(outputsOf(await aws.deploy('database', database('db.t4g.large')))).toEqual(outputs);

    expect(textOf(await aws.query('rds', 'DescribeDBInstances'), 'DBInstanceClass')).toBe('db.t4g.large');
    await aws.destroy('database');
    await expect(secretValue(outputs['Secret'] ?? '')).rejects.toThrow('ResourceNotFoundException');
  });

  test("a load balancer's names and ARNs can be read, and a whole network is deleted", async () => {
    const stack = await aws.deploy('network', {
      Resources: {
        ...network().Resources,
        ...gateways(),
        Balancer: {
          Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
          Properties: { Name: 'front', Subnets: [{ Ref: 'Subnet' }], SecurityGroups: [{ 'Fn::GetAtt': ['Front', 'GroupId'] }] },
        },
        Targets: {
          Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
          Properties: { Name: 'targets', Port: 80, Protocol: 'HTTP', TargetType: 'ip', VpcId: { Ref: 'Vpc' } },
        },
        Listener: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Targets' } }],
          },
        },
      },
      Outputs: {
        Dns: { Value: { 'Fn::GetAtt': ['Balancer', 'DNSName'] } },
        Zone: { Value: { 'Fn::GetAtt': ['Balancer', 'CanonicalHostedZoneID'] } },
        Balancer: { Value: { 'Fn::GetAtt': ['Balancer', 'LoadBalancerFullName'] } },
        Arn: { Value: { 'Fn::GetAtt': ['Balancer', 'LoadBalancerArn'] } },
        Listener: { Value: { 'Fn::GetAtt': ['Listener', 'ListenerArn'] } },
        Targets: { Value: { 'Fn::GetAtt': ['Targets', 'TargetGroupFullName'] } },
        Zones: { Value: { 'Fn::GetAtt': ['Subnet', 'AvailabilityZone'] } },
      },
    });
    expect(outputsOf(stack)).toEqual({
      Dns: expect.stringMatching(/^front-.*elb\.amazonaws\.com$/),
      Zone: expect.any(String),
      Balancer: expect.stringMatching(/^app\/front\//),
      Arn: expect.stringMatching(/:loadbalancer\/app\/front\//),
      Listener: expect.stringMatching(/:listener\/app\/front\//),
      Targets: expect.stringMatching(/^targetgroup\/targets\//),
      Zones: `${REGION}a`,
    });

    expect(await aws.destroy('network')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });

    const left = await Promise.all(
      ['DescribeVpcs', 'DescribeInternetGateways', 'DescribeAddresses', 'DescribeSecurityGroups'].map((action) => aws.query('ec2', action)),
    );
    expect(left.join('')).not.toMatch(/10\.9\.0\.0|igw-|eipalloc-|GroupDescription>front/);
    expect(await aws.query('elasticloadbalancing', 'DescribeTargetGroups')).not.toContain('targets');
  });

  test("a key's policy is a document and can be changed", async () => {
    const key = (id: string): Template => ({
      Resources: { Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Version: '2012-10-17', Id: id, Statement: [allowRoot()] } } } },
      Outputs: { Id: { Value: { Ref: 'Key' } }, Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    const outputs = outputsOf(await aws.deploy('key', key('one')));
    expect(outputs['Arn']).toMatch(/^arn:aws:kms:/);

    await aws.deploy('key', key('two'));

    const { Policy: policy } = await aws.json<{ Policy: string }>('kms', 'TrentService.GetKeyPolicy', {
      KeyId: outputs['Id'],
      PolicyName: 'default',
    });
    expect(JSON.parse(policy)).toMatchObject({ Id: 'two' });
  });

  test("a role's trust and policies can be changed", async () => {
    const role = (service: string, policy: string): Template => ({
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            RoleName: 'changing',
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
            },
            ManagedPolicyArns: [`arn:aws:iam::aws:policy/${policy}`],
          },
        },
      },
    });
    await aws.deploy('role', role('ec2.amazonaws.com', 'ReadOnlyAccess'));

    await aws.deploy('role', role('ecs.amazonaws.com', 'SecurityAudit'));

    expect(await aws.query('iam', 'GetRole', { RoleName: 'changing' })).toContain('ecs.amazonaws.com');
    const attached = await aws.query('iam', 'ListAttachedRolePolicies', { RoleName: 'changing' });
    expect([textOf(attached, 'PolicyName'), attached.includes('ReadOnlyAccess')]).toEqual(['SecurityAudit', false]);
  });

  test('a nested stack has outputs, and fails the outer stack when it fails', async () => {
    await aws.deploy('nested-templates', { Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'templates' } } } });
    const put = (name: string) => {
      const inner: Template = {
        Parameters: { Name: { Type: 'String' } },
        Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Name' } } } },
        Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Queue', 'Arn'] } } },
      };
      return aws.rest('s3', 'PUT', `/templates/${name}`, JSON.stringify(inner));
    };
    await put('inner');
    const outer = (queueName: string): Template => ({
      Resources: {
        Inner: {
          Type: 'AWS::CloudFormation::Stack',
          Properties: { TemplateURL: `https://s3.${REGION}.amazonaws.com/templates/inner`, Parameters: { Name: queueName } },
        },
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Inner', 'Outputs.Arn'] } } },
    });

    expect(outputsOf(await aws.deploy('outer', outer('nested')))['Arn']).toMatch(/:nested$/);
    expect(outputsOf(await aws.deploy('outer', outer('renamed')))['Arn']).toMatch(/:renamed$/);

    expect(await aws.deploy('second-outer', outer('renamed'))).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });
    expect(await aws.destroy('outer')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  test('a resource whose input comes from a replaced resource is updated with it', async () => {
    const replaced = (name: string): Template => ({
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: name } },
        Copy: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Name: '/copy/queue', Type: 'String', Value: { 'Fn::GetAtt': ['Queue', 'QueueName'] } },
        },
      },
    });
    await aws.deploy('replaced', replaced('before'));

    await aws.deploy('replaced', replaced('after'));

    expect(await parameterValue('/copy/queue')).toBe('after');
    const { QueueUrls: queues } = await aws.json<{ QueueUrls: string[] }>('sqs', 'AmazonSQS.ListQueues');
    expect([queues.some((url) => url.endsWith('/after')), queues.some((url) => url.endsWith('/before'))]).toEqual([true, false]);
  });
});

describe('skipped resources', () => {
  const sink = { Type: 'AWS::Oam::Sink', Properties: { Name: 's' } };

  test('they are listed until they or their stack are gone, and can be referred to', async () => {
    const copy = {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/copy/sink', Type: 'String', Value: { 'Fn::GetAtt': ['Sink', 'Arn'] } },
    };
    const other = await aws.inAccount(OTHER_ACCOUNT);
    await other.deploy('skipping', {
      Resources: { Sink: sink, Copy: copy, More: { Type: 'Custom::Thing', Properties: {} }, Meta: { Type: 'AWS::CDK::Metadata' } },
    });
    const entry = { account: OTHER_ACCOUNT, region: REGION, stack: 'skipping' };
    expect(await aws.skipped()).toEqual([
      { ...entry, logicalId: 'More', type: 'Custom::Thing' },
      { ...entry, logicalId: 'Sink', type: 'AWS::Oam::Sink' },
    ]);

    await other.deploy('skipping', { Resources: { Sink: sink, Copy: copy } });
    expect(await aws.skipped()).toEqual([{ ...entry, logicalId: 'Sink', type: 'AWS::Oam::Sink' }]);

    await other.destroy('skipping');
    expect(await aws.skipped()).toEqual([]);
  });
});

describe('failures', () => {
  test('each resource has events as it is created', async () => {
    const events = await aws.events(await aws.deploy('eventful', queue()));

    expect(events.map((event) => `${event.LogicalResourceId} ${event.ResourceType} ${event.ResourceStatus}`)).toEqual([
      'eventful AWS::CloudFormation::Stack CREATE_IN_PROGRESS',
      'Queue AWS::SQS::Queue CREATE_IN_PROGRESS',
      'Queue AWS::SQS::Queue CREATE_COMPLETE',
      'eventful AWS::CloudFormation::Stack CREATE_COMPLETE',
    ]);
    const times = events.map((event) => event.Timestamp?.getTime());
    expect(new Set(times).size).toBe(events.length);
  });

  test.each([
    ['AWS::SQS::Queue', 'QueueName'],
    ['AWS::S3::Bucket', 'BucketName'],
    ['AWS::SNS::Topic', 'TopicName'],
  ])('a %s whose name is taken rolls the new stack back and says why', async (type, property) => {
    const suffix = property.toLowerCase();
    const taken: Template = { Resources: { Taken: { Type: type, Properties: { [property]: `taken-${suffix}` } } } };
    await aws.deploy(`owner-${suffix}`, taken);

    const stack = await aws.deploy(`late-${suffix}`, { Resources: { Early: { Type: 'AWS::SQS::Queue' }, ...taken.Resources } });

    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    const events = await aws.events(stack);
    expect(events.find((event) => event.ResourceStatus === 'CREATE_FAILED')).toMatchObject({
      LogicalResourceId: 'Taken',
      ResourceType: type,
      ResourceStatusReason: expect.stringContaining(`taken-${suffix} already exists`),
    });
    expect(events.find((event) => event.LogicalResourceId === 'Early' && event.ResourceStatus === 'DELETE_COMPLETE')).toBeDefined();
    expect(await aws.describe(`owner-${suffix}`)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  });

  test('an update that fails puts everything back', async () => {
    const template = (value: string, extra: Template['Resources'] = {}): Template => ({
      Resources: { Value: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/failing/value', Type: 'String', Value: value } }, ...extra },
    });
    await aws.deploy('failing', template('old'));

    const stack = await aws.deploy(
      'failing',
      template('new', {
        More: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'short-lived' } },
        Bad: {
          Type: 'AWS::IAM::Role',
          DependsOn: 'More',
          Properties: { AssumeRolePolicyDocument: {}, ManagedPolicyArns: ['arn:aws:iam::aws:policy/None'] },
        },
      }),
    );

    expect(stack.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await parameterValue('/failing/value')).toBe('old');
    const { QueueUrls: queues = [] } = await aws.json<{ QueueUrls?: string[] }>('sqs', 'AmazonSQS.ListQueues');
    expect(queues.filter((url) => url.endsWith('/short-lived'))).toEqual([]);
    const failed = (await aws.events(stack)).find((event) => event.ResourceStatus === 'CREATE_FAILED');
    expect(failed).toMatchObject({ LogicalResourceId: 'Bad', ResourceType: 'AWS::IAM::Role' });
    expect(await aws.deploy('failing', template('newer'))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  });

  test('a stack whose resource cannot be deleted stays, and says why', async () => {
    await aws.deploy('full', { Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'full' } } } });
    await aws.rest('s3', 'PUT', '/full/object', 'content');

    const stack = await aws.destroy('full');

    expect(stack.StackStatus).toBe('DELETE_FAILED');
    expect(
      (await aws.events(stack)).find((event) => event.LogicalResourceId === 'Bucket' && event.ResourceStatus === 'DELETE_FAILED'),
    ).toMatchObject({
      ResourceStatusReason: expect.stringContaining('not empty'),
    });
    await aws.rest('s3', 'DELETE', '/full/object');
    expect(await aws.destroy('full')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  test('a resource that is to be retained stays', async () => {
    await aws.deploy('retaining', {
      Resources: { Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain', Properties: { BucketName: 'retained' } } },
    });

    expect(await aws.destroy('retaining')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });

    expect(await aws.rest('s3', 'GET', '/retained?location')).toContain('LocationConstraint');
  });

  test('CloudTrail has no events to explain them, instead of an error', async () => {
    const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents';

    expect(await aws.json('cloudtrail', target)).toEqual({ Events: [] });
  });
});

describe('accounts', () => {
  test('an account is tagged, untagged and found by its creation, through pages of creations', async () => {
    const organizations = <T>(operation: string, input: object = {}) =>
      aws.json<T>('organizations', `AWSOrganizationsV20161128.${operation}`, input);
    await organizations('CreateOrganization', { FeatureSet: 'ALL' }).catch(() => undefined);
    const ids: string[] = [];
    for (let number = 0; number < 5; number++) {
      const Tags = [{ Key: 'cell-factory:account', Value: `paged-${number}` }];
      const { CreateAccountStatus: status } = await organizations<{ CreateAccountStatus: { AccountId: string } }>('CreateAccount', {
        AccountName: `paged-${number}`,
        Email: `paged-${number}@example.com`,
        Tags,
      });
      ids.push(status.AccountId);
    }
    const listed: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await organizations<{ CreateAccountStatuses: { AccountId: string; AccountName: string }[]; NextToken?: string }>(
        'ListCreateAccountStatus',
        { MaxResults: 2, ...(NextToken === undefined ? {} : { NextToken }) },
      );
      listed.push(...page.CreateAccountStatuses.map((status) => status.AccountId));
      NextToken = page.NextToken ?? undefined;
    } while (NextToken !== undefined && listed.length < 500);
    expect(listed.filter((id) => ids.includes(id))).toEqual(ids);

    const [ResourceId = ''] = ids;
    await organizations('TagResource', { ResourceId, Tags: [{ Key: 'cell', Value: 'alpha' }] });
    await organizations('UntagResource', { ResourceId, TagKeys: ['cell-factory:account'] });
    expect(await organizations('ListTagsForResource', { ResourceId })).toMatchObject({ Tags: [{ Key: 'cell', Value: 'alpha' }] });
  });

  test('a service-linked role is made once; the second try is refused as AWS refuses it', async () => {
    const make = () => aws.query('iam', 'CreateServiceLinkedRole', { AWSServiceName: 'rds.amazonaws.com' });
    expect(await make()).toContain('/aws-service-role/rds.amazonaws.com/');
    await expect(make()).rejects.toThrow(/400 [\s\S]*InvalidInput[\s\S]*has been taken in this account/);
    expect(await aws.query('iam', 'ListRoles', { PathPrefix: '/aws-service-role/' })).toContain('/aws-service-role/rds.amazonaws.com/');
    expect(await aws.query('iam', 'ListRoles', { PathPrefix: '/elsewhere/' })).not.toContain('/aws-service-role/');
  });

  test('a quota is low in a new account; one request per quota and two per region stay open', async () => {
    const quotas = <T>(operation: string, input: object) => aws.json<T>('servicequotas', `ServiceQuotasV20190624.${operation}`, input);
    const of = (ServiceCode: string, QuotaCode: string) => ({ ServiceCode, QuotaCode });
    const lambda = of('lambda', 'L-B99A9384');
    expect(await quotas('GetServiceQuota', lambda)).toMatchObject({ Quota: { ...lambda, Value: 10 } });
    await expect(quotas('GetServiceQuota', of('lambda', 'L-00000000'))).rejects.toThrow(/NoSuchResourceException/);
    const history = () =>
      quotas<{ RequestedQuotas: object[] }>('ListRequestedServiceQuotaChangeHistoryByQuota', lambda).then(
        ({ RequestedQuotas: requests }) => requests,
      );
    expect(await history()).toEqual([]);
    await quotas('RequestServiceQuotaIncrease', { ...lambda, DesiredValue: 100 });
    expect(await history()).toMatchObject([{ ...lambda, DesiredValue: 100, Status: 'PENDING' }]);
    const more = (key: object) => quotas('RequestServiceQuotaIncrease', { ...key, DesiredValue: 1_000 });
    await expect(more(lambda)).rejects.toThrow(/ResourceAlreadyExistsException/);
    await more(of('fargate', 'L-3032A538'));
    await expect(more(of('rds', 'L-7B6409FD'))).rejects.toThrow(/QuotaExceededException/);
  });

  test('an alternate contact is kept for the account that sets it', async () => {
    const contact = { AlternateContactType: 'SECURITY', Name: 'Ada', Title: 'CISO', EmailAddress: 'ada@example.com', PhoneNumber: '+1' };
    const other = await aws.inAccount(OTHER_ACCOUNT);
    const get = (caller: Caller) => caller.rest('account', 'POST', '/getAlternateContact', '{"AlternateContactType":"SECURITY"}');
    await expect(get(other)).rejects.toThrow(/ResourceNotFoundException/);
    await other.rest('account', 'POST', '/putAlternateContact', JSON.stringify(contact));
    expect(JSON.parse(await get(other))).toEqual({ AlternateContact: contact });
    await expect(get(aws)).rejects.toThrow(/ResourceNotFoundException/);
  });
});

describe('conditional writes', () => {
  test('of twenty that write the same object at once, one wins', async () => {
    const port = await getPort();
    const server = await startRestless(port);
    try {
      const restless = new Caller(`http://localhost:${port}`);
      const location = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
      const created = () =>
        restless.rest('s3', 'PUT', '/races', location).then(
          () => true,
          () => false,
        );
      for (let attempt = 0; attempt < 100 && !(await created()); attempt++) await sleep(200);
      for (let key = 0; key < 10; key++) {
        const answers = await putTogether(port, `/races/${key}`, 20, 'if-none-match: *');
        expect(answers.sort()).toEqual([200, ...Array<number>(19).fill(412)]);
      }
    } finally {
      server.kill('SIGKILL');
    }
  });
});

// --- what the tests above are made of ---

function queue(): Template {
  return { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } };
}

function allowRoot(): object {
  return { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MANAGEMENT_ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' };
}

function network(): Template {
  return {
    Resources: {
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.9.0.0/16', EnableDnsHostnames: true } },
      Subnet: {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: { Ref: 'Vpc' },
          CidrBlock: { 'Fn::Select': [1, { 'Fn::Cidr': [{ 'Fn::GetAtt': ['Vpc', 'CidrBlock'] }, 2, 8] }] },
          AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
        },
      },
    },
  };
}

/** Ways out of the network above, and security groups that refer to each other. */
function gateways(): Template['Resources'] {
  const rule = (from: string, to: string, port: number) => ({
    Type: 'AWS::EC2::SecurityGroupIngress',
    Properties: {
      GroupId: { 'Fn::GetAtt': [to, 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': [from, 'GroupId'] },
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
    },
  });
  const group = (name: string) => ({
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: name,
      VpcId: { Ref: 'Vpc' },
      SecurityGroupIngress: [{ IpProtocol: '-1', CidrIp: '10.0.0.0/8' }],
      SecurityGroupEgress: [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }],
    },
  });
  return {
    Internet: { Type: 'AWS::EC2::InternetGateway' },
    Attachment: { Type: 'AWS::EC2::VPCGatewayAttachment', Properties: { VpcId: { Ref: 'Vpc' }, InternetGatewayId: { Ref: 'Internet' } } },
    Address: { Type: 'AWS::EC2::EIP', DependsOn: 'Attachment', Properties: { Domain: 'vpc' } },
    Nat: {
      Type: 'AWS::EC2::NatGateway',
      Properties: { SubnetId: { Ref: 'Subnet' }, AllocationId: { 'Fn::GetAtt': ['Address', 'AllocationId'] } },
    },
    Routes: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: { Ref: 'Vpc' } } },
    Association: {
      Type: 'AWS::EC2::SubnetRouteTableAssociation',
      Properties: { SubnetId: { Ref: 'Subnet' }, RouteTableId: { Ref: 'Routes' } },
    },
    Route: {
      Type: 'AWS::EC2::Route',
      DependsOn: 'Attachment',
      Properties: { RouteTableId: { Ref: 'Routes' }, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: { Ref: 'Nat' } },
    },
    Front: group('front'),
    Back: group('back'),
    FrontToBack: rule('Front', 'Back', 80),
    BackToFront: rule('Back', 'Front', 81),
    FrontOut: {
      Type: 'AWS::EC2::SecurityGroupEgress',
      Properties: {
        GroupId: { 'Fn::GetAtt': ['Front', 'GroupId'] },
        DestinationSecurityGroupId: { 'Fn::GetAtt': ['Back', 'GroupId'] },
        IpProtocol: 'tcp',
        FromPort: 80,
        ToPort: 80,
      },
    },
  };
}

/**
 * Puts one object from `count` connections, each of which has sent all but its last byte before any sends that: the server
 * has them in its threads at the same time. Gives the status codes.
 */
async function putTogether(port: number, resource: string, count: number, condition: string): Promise<number[]> {
  const head = [
    `PUT ${resource} HTTP/1.1`,
    `host: localhost:${port}`,
    `authorization: AWS4-HMAC-SHA256 Credential=AKIAMANAGEMENT/20260101/${REGION}/s3/aws4_request, SignedHeaders=host, Signature=unused`,
    condition,
    'content-length: 4',
    'connection: close',
  ];
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`${head.join('\r\n')}\r\n\r\nabc`);
      return socket;
    }),
  );
  await sleep(20);
  return Promise.all(
    sockets.map(async (socket) => {
      socket.write('d');
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      return Number(answer.split(' ')[1]);
    }),
  );
}

function changeSet(stack: string, name: string, template: Template) {
  const input = { StackName: stack, ChangeSetName: name, ChangeSetType: 'CREATE' as const, TemplateBody: JSON.stringify(template) };
  return aws.stacks.send(new CreateChangeSetCommand(input));
}

function describeChangeSet(stack: string, name: string) {
  return aws.stacks.send(new DescribeChangeSetCommand({ StackName: stack, ChangeSetName: name }));
}

async function createMachine(name: string, states: Record<string, object>, caller = aws, roleArn = ROLE): Promise<string> {
  const definition = JSON.stringify({ StartAt: Object.keys(states)[0], States: states });
  const input = { name, roleArn, definition };
  return (await caller.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', input)).stateMachineArn;
}

async function run(stateMachineArn: string, caller = aws, input: object = {}): Promise<{ status: string; output?: string }> {
  const start = { stateMachineArn, input: JSON.stringify(input) };
  const { executionArn } = await caller.json<{ executionArn: string }>('states', 'AWSStepFunctions.StartExecution', start);
  for (;;) {
    const now = await caller.json<{ status: string; output?: string }>('states', 'AWSStepFunctions.DescribeExecution', { executionArn });
    if (now.status !== 'RUNNING') return now;
    await sleep(50);
  }
}

async function parameterNames(caller: Caller): Promise<string[]> {
  const { Parameters: found } = await caller.json<{ Parameters: { Name: string }[] }>('ssm', 'AmazonSSM.DescribeParameters');
  return found.map((parameter) => parameter.Name);
}

async function putParameter(name: string, value: string): Promise<void> {
  await aws.json('ssm', 'AmazonSSM.PutParameter', { Name: name, Value: value, Type: 'String', Overwrite: true });
}

async function parameterValue(name: string): Promise<string> {
  return (await aws.json<{ Parameter: { Value: string } }>('ssm', 'AmazonSSM.GetParameter', { Name: name })).Parameter.Value;
}

async function secretValue(id: string): Promise<string> {
  return (await aws.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: id })).SecretString;
}
