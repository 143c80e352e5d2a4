import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { CellPlan } from '../plan/plan.ts';
import type { CellNetwork } from './network.ts';

/** Where components run and how requests reach them: a cluster, and a load balancer that each component adds its rule to. */
export class CellIngress extends Construct {
  readonly cluster: ecs.Cluster;
  readonly loadBalancer: elb.ApplicationLoadBalancer;
  readonly listener: elb.ApplicationListener;

  constructor(scope: Construct, id: string, cell: CellPlan, network: CellNetwork) {
    super(scope, id);
    this.cluster = new ecs.Cluster(this, 'Cluster', { vpc: network.vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
    this.loadBalancer = new elb.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      internetFacing: false,
      securityGroup: network.entry,
      deletionProtection: cell.profile.protected,
      dropInvalidHeaderFields: true,
    });
    this.listener = this.loadBalancer.addListener('Listener', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: false,
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'application/json',
        messageBody: '{"error":"no component serves this path"}',
      }),
    });
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: "An internal load balancer whose only clients are inside the cell's VPC; the flow log records their connections.",
    });
  }
}
