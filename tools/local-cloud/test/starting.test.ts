/** What has to start before a stack is made: tasks behind a load balancer, and instances that say so themselves. */
import { describe, expect, test } from '@jest/globals';
import { aws, deploy, ec2, network, ROLE } from './cell.ts';
import { type Template, textOf } from './server.ts';

/** Why a stack was not made. */
async function refusal(name: string, template: Template): Promise<string> {
  const stack = await aws.deploy(name, template);
  expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
  return (await aws.events(stack)).find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason ?? '';
}

describe('a service behind a load balancer', () => {
  const service = (grace?: number): Template => ({
    Resources: {
      ...network(),
      Targets: {
        Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
        Properties: { VpcId: { Ref: 'Vpc' }, Port: 8080, Protocol: 'HTTP', TargetType: 'ip', HealthCheckIntervalSeconds: 10 },
      },
      Cluster: { Type: 'AWS::ECS::Cluster', Properties: {} },
      Task: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: { Family: 'web', TaskRoleArn: ROLE, ContainerDefinitions: [{ Name: 'web', Image: 'web', Memory: 128 }] },
      },
      Service: {
        Type: 'AWS::ECS::Service',
        Properties: {
          Cluster: { Ref: 'Cluster' },
          TaskDefinition: { Ref: 'Task' },
          DesiredCount: 1,
          LoadBalancers: [{ ContainerName: 'web', ContainerPort: 8080, TargetGroupArn: { Ref: 'Targets' } }],
          ...(grace === undefined ? {} : { HealthCheckGracePeriodSeconds: grace }),
        },
      },
    },
  });

  test('without grace is ended before it has started, again and again: the circuit breaker gives up', async () => {
    expect(await refusal('slow', service())).toMatch(/Circuit Breaker was triggered: .* have 20 seconds to answer, and need 45/);
    await deploy('graced', service(60));
  });
});

describe('an instance with a creation policy', () => {
  const NAMED = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';
  const instance = (script: string) => ({
    Resources: {
      ...network(),
      Launch: {
        Type: 'AWS::EC2::LaunchTemplate',
        Properties: { LaunchTemplateData: { ImageId: NAMED, UserData: { 'Fn::Base64': script } } },
      },
      Nat: {
        Type: 'AWS::EC2::Instance',
        CreationPolicy: { ResourceSignal: { Count: 1, Timeout: 'PT15M' } },
        Properties: {
          InstanceType: 't4g.nano',
          SubnetId: { Ref: 'SubnetA' },
          LaunchTemplate: { LaunchTemplateId: { Ref: 'Launch' }, Version: { 'Fn::GetAtt': ['Launch', 'LatestVersionNumber'] } },
        },
      },
    },
    Outputs: { Id: { Value: { Ref: 'Nat' } } },
  });

  test('fails its stack when nobody says that it is ready', async () => {
    expect(await refusal('mute', instance('#!/bin/bash\nyum install -y iptables-services'))).toBe(
      'Failed to receive 1 resource signal(s) within the specified duration',
    );
  });

  test('has the image that its parameter names when it is started', async () => {
    const { Id = '' } = await deploy('signalled', instance('#!/bin/bash\n/opt/aws/bin/cfn-signal --exit-code 0'));
    expect(textOf(await ec2('DescribeInstances', { 'InstanceId.1': Id }), 'imageId')).toMatch(/^ami-/);
  });

  test('is another one when its script is another one, and the same where nothing changes', async () => {
    const { Id: before = '' } = await deploy('scripted', instance('#!/bin/bash\ncfn-signal --exit-code 0'));
    const tagged = instance('#!/bin/bash\ncfn-signal --exit-code 0');
    Object.assign(tagged.Resources.Nat.Properties, { Tags: [{ Key: 'a', Value: 'b' }] });
    const { Id: same = '' } = await deploy('scripted', tagged);
    const { Id: after = '' } = await deploy('scripted', instance('#!/bin/bash\nsleep 1; cfn-signal --exit-code 0'));
    expect(same).toBe(before);
    expect(after).not.toBe(before);
    expect(textOf(await ec2('DescribeInstances', { 'InstanceId.1': before }), 'name')).toBe('terminated');
  });

  test('may not name its image so itself', async () => {
    const { Nat, Launch: _, ...rest } = instance('').Resources;
    const { LaunchTemplate: __, ...properties } = Nat.Properties;
    const named = { Resources: { ...rest, Nat: { ...Nat, Properties: { ...properties, ImageId: NAMED } } } };
    expect(await refusal('named', named)).toMatch(/Invalid id: "resolve:ssm:/);
  });
});
