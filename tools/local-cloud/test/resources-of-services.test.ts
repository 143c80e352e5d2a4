import { describe, expect, test } from '@jest/globals';
import { aws, parameterValue } from './management.ts';
import { MANAGEMENT_ACCOUNT, outputsOf, REGION, type Template, textOf } from './server.ts';

const OTHER_ACCOUNT = '222222222222';
const ROLE = `arn:aws:iam::${MANAGEMENT_ACCOUNT}:role/machine`;

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

    // None runs by itself; one that somebody has made up is as they say.
    const execution = (pipelineName: string) =>
      aws.json<{ pipelineExecution: object }>('codepipeline', 'CodePipeline_20150709.GetPipelineExecution', {
        pipelineName,
        pipelineExecutionId: 'e-1',
      });
    await expect(execution('other')).rejects.toThrow('PipelineNotFoundException');
    await expect(execution('release')).rejects.toThrow('PipelineExecutionNotFoundException');
    const change = (status: string) =>
      fetch(`${aws.endpoint}/moto-api/cell-factory/pipelines`, {
        method: 'POST',
        body: JSON.stringify({ account: MANAGEMENT_ACCOUNT, pipeline: 'release', execution: 'e-1', status }),
      });
    expect((await change('Lost')).status).toBe(400);
    expect((await change('Failed')).status).toBe(204);
    expect(await execution('release')).toMatchObject({
      pipelineExecution: { pipelineName: 'release', status: 'Failed', pipelineVersion: 2 },
    });
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

function _allowRoot(): object {
  return { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MANAGEMENT_ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' };
}

function _network(): Template {
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
