import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Lazy, Stack, Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';
import { packageRoot } from '../../package-root.ts';
import { NAT_INSTANCE_TYPE } from '../../plan/network-layout.ts';

/**
 * EC2 looks the image up when it starts the instance, and CloudFormation sees a name that never changes: a new release of
 * the image replaces no instance. Only a launch template may name an image so. Source: "Use a Systems Manager parameter
 * instead of an AMI ID", Amazon EC2 User Guide, read on 2026-11-30.
 */
const IMAGE = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';
/** How long the instance may take until it says that it routes, as ISO 8601. It tries to install for eight minutes. */
const ROUTES_WITHIN = 'PT15M';

/** An instance that does NAT, which fails its stack where it doesn't: CDK's own counts as made, whatever became of its user data. */
export class NatInstance {
  readonly provider: ec2.NatInstanceProviderV2;

  constructor(scope: IConstruct) {
    const stack = Stack.of(scope);
    const userData = ec2.UserData.forLinux();
    userData.addCommands(
      `stack=${stack.stackName} region=${stack.region} resource=${Lazy.string({ produce: () => this.logicalId(stack) })}`,
      readFileSync(join(packageRoot(), 'lib/cell/foundation/functions/nat/install.sh'), 'utf8').replace(/^#!.*\n/, ''),
    );
    this.provider = ec2.NatProvider.instanceV2({
      instanceType: new ec2.InstanceType(NAT_INSTANCE_TYPE),
      machineImage: ec2.MachineImage.resolveSsmParameterAtLaunch(IMAGE),
      userData,
      associatePublicIpAddress: true,
      // Its group is made by hand: the default takes anything from anywhere.
      defaultAllowedTraffic: ec2.NatTrafficDirection.NONE,
    });
  }

  /** A change of its script makes another version of the template, and so replaces the instance: what runs is what is written here. */
  private launchByTemplate({ instance }: ec2.Instance): void {
    const { imageId = '', userData = '' } = instance;
    const template = new ec2.CfnLaunchTemplate(instance, 'LaunchTemplate', { launchTemplateData: { imageId, userData } });
    instance.launchTemplate = { launchTemplateId: template.ref, version: template.attrLatestVersionNumber };
    instance.imageId = undefined;
    instance.userData = undefined;
  }

  private logicalId(stack: Stack): string {
    const [instance] = this.provider.gatewayInstances;
    return instance ? stack.getLogicalId(instance.instance) : '';
  }

  /** Public addresses under which the cell's private subnets appear outside. */
  get addresses(): string[] {
    return this.provider.gatewayInstances.map((instance) => instance.instancePublicIp);
  }

  /** Lets the cell in and nothing else, encrypts its disk, and has CloudFormation wait until it routes. @param group for it alone */
  secure(group: ec2.SecurityGroup, block: string): void {
    group.addIngressRule(ec2.Peer.ipv4(block), ec2.Port.tcp(443), 'from inside the cell');
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'to the APIs of AWS and the world');
    for (const instance of this.provider.gatewayInstances) {
      instance.addSecurityGroup(group);
      this.launchByTemplate(instance);
      instance.instance.blockDeviceMappings = [{ deviceName: '/dev/xvda', ebs: { encrypted: true, volumeSize: 8, volumeType: 'gp3' } }];
      instance.instance.cfnOptions.creationPolicy = { resourceSignal: { count: 1, timeout: ROUTES_WITHIN } };
      Validations.of(instance).acknowledge(
        { id: 'AwsSolutions-EC28', reason: "One developer's way out: it needs no monitoring by the minute." },
        { id: 'AwsSolutions-EC29', reason: 'It holds nothing, and a personal cell must be easy to remove.' },
      );
    }
  }
}
