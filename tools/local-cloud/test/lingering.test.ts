import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { aws, cloud } from './management.ts';
import type { Template } from './server.ts';

const groups = async () => {
  const { logGroups } = await aws.json<{ logGroups: { logGroupName: string }[] }>('logs', 'Logs_20140328.DescribeLogGroups', {});
  return logGroups.map(({ logGroupName }) => logGroupName);
};
const interfaces = async () => (await aws.query('ec2', 'DescribeNetworkInterfaces')).match(/AWS Lambda VPC ENI-cwsyn-seen/g)?.length ?? 0;

/** A canary in a network. @param kept whether its role may do what it may until the network is gone */
const probe = (kept: boolean, actions: string[] = ['ec2:*NetworkInterface*']): Template => ({
  Resources: {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' }, ...(kept ? { DependsOn: 'Policy' } : {}) },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.0.0/24' } },
    Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { VpcId: { Ref: 'Vpc' }, GroupDescription: 'probe' } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
        },
      },
    },
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'probe',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] },
      },
    },
    Canary: {
      Type: 'AWS::Synthetics::Canary',
      DependsOn: 'Policy',
      Properties: {
        Name: 'seen-by-everybody-inside',
        RuntimeVersion: 'syn-nodejs-puppeteer-15.0',
        ArtifactS3Location: 's3://artifacts',
        Code: { Handler: 'index.handler', Script: 'exports.handler = async () => {};' },
        ExecutionRoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Schedule: { Expression: 'rate(1 minute)' },
        StartCanaryAfterCreation: true,
        VPCConfig: { SubnetIds: [{ Ref: 'Subnet' }], SecurityGroupIds: [{ Ref: 'Group' }] },
      },
    },
  },
  Outputs: { Id: { Value: { 'Fn::GetAtt': ['Canary', 'Id'] } } },
});

const reasons = async (stack: Awaited<ReturnType<typeof aws.destroy>>) =>
  (await aws.events(stack)).flatMap(({ LogicalResourceId, ResourceStatus, ResourceStatusReason = '' }) =>
    ResourceStatus === 'DELETE_FAILED' && LogicalResourceId !== stack.StackName ? [`${LogicalResourceId}: ${ResourceStatusReason}`] : [],
  );

describe('network interfaces of a canary', () => {
  beforeAll(() => cloud.control('pace', { interfaces: 0.5 }));

  test('outlive it, and hold its security group and subnet until they are gone', async () => {
    await aws.deploy('kept', probe(true));
    expect(await interfaces()).toBe(1);
    const failed = await aws.destroy('kept');
    expect(failed.StackStatus).toBe('DELETE_FAILED');
    expect((await reasons(failed)).sort()).toEqual([
      expect.stringMatching(/^Group: resource sg-\w+ has a dependent object .*DependencyViolation/),
      expect.stringMatching(/^Subnet: The subnet 'subnet-\w+' has dependencies and cannot be deleted/),
    ]);
    await sleep(600);
    expect((await aws.destroy('kept')).StackStatus).toBe('DELETE_COMPLETE');
    expect(await interfaces()).toBe(0);
  });

  test('stay for ever when its role may not delete them any more', async () => {
    await aws.deploy('orphaned', probe(false));
    expect((await aws.destroy('orphaned')).StackStatus).toBe('DELETE_FAILED');
    await sleep(600);
    expect((await aws.destroy('orphaned')).StackStatus).toBe('DELETE_FAILED');
    expect(await interfaces()).toBe(1);
  });
});

describe('a log group that a service makes by itself', () => {
  const services = (own: boolean): Template => ({
    Resources: {
      ...(own
        ? {
            DatabaseLog: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/rds/instance/logged/postgresql' } },
            ClusterLog: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/ecs/containerinsights/logged/performance' } },
          }
        : {}),
      Database: {
        Type: 'AWS::RDS::DBInstance',
        ...(own ? { DependsOn: 'DatabaseLog' } : {}),
        Properties: {
          ...{ DBInstanceIdentifier: 'logged', Engine: 'postgres', DBInstanceClass: 'db.t4g.micro', AllocatedStorage: '20' },
          ...{ MasterUsername: 'postgres', ManageMasterUserPassword: true, EnableCloudwatchLogsExports: ['postgresql'] },
        },
      },
      Cluster: {
        Type: 'AWS::ECS::Cluster',
        ...(own ? { DependsOn: 'ClusterLog' } : {}),
        Properties: { ClusterName: 'logged', ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }] },
      },
    },
  });
  const LEFT = ['/aws/ecs/containerinsights/logged/performance', '/aws/rds/instance/logged/postgresql'];

  test('goes with the stack that has made it first', async () => {
    await aws.deploy('owning', services(true));
    expect(await groups()).toEqual(expect.arrayContaining(LEFT));
    expect((await aws.destroy('owning')).StackStatus).toBe('DELETE_COMPLETE');
    expect((await groups()).filter((name) => LEFT.includes(name))).toEqual([]);
  });

  test('stays when the stack has not, and no stack can make it any more', async () => {
    await aws.deploy('careless', services(false));
    expect((await aws.destroy('careless')).StackStatus).toBe('DELETE_COMPLETE');
    expect(await groups()).toEqual(expect.arrayContaining(LEFT));
    expect((await aws.deploy('late', services(true))).StackStatus).toBe('ROLLBACK_COMPLETE');
  });

  test('of a canary is made by its role, if that may', async () => {
    const id = async (name: string, actions: string[]) => {
      const { Outputs = [] } = await aws.deploy(name, probe(true, actions));
      const log = `/aws/lambda/cwsyn-seen-by-everybody-ins-${Outputs[0]?.OutputValue}`;
      const made = (await groups()).includes(log);
      await aws.destroy(name);
      return made;
    };
    expect(await id('may', ['ec2:*', 'logs:CreateLogGroup'])).toBe(true);
    expect(await id('may-not', ['ec2:*', 'logs:PutLogEvents'])).toBe(false);
  });
});
