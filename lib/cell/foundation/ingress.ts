import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { CellPlan } from '../../plan/plan.ts';
import type { CellDomain } from './domain.ts';
import type { CellKey } from './key.ts';
import { type CellLogs, LOG_FOLDERS } from './logs.ts';
import type { CellNetwork } from './network.ts';
import { createServiceLog, nameOfStack } from './service-log.ts';

/** Where components run and how requests reach them: a cluster, and a load balancer that each component adds its rule to. */
export class CellIngress extends Construct {
  readonly cluster: ecs.Cluster;
  readonly loadBalancer: elb.ApplicationLoadBalancer;
  readonly listener: elb.ApplicationListener;

  constructor(scope: Construct, id: string, cell: CellPlan, network: CellNetwork, domain: CellDomain, logs: CellLogs, key: CellKey) {
    super(scope, id);
    this.cluster = this.createCluster(cell, network, key);
    this.loadBalancer = this.createLoadBalancer(cell, network, logs);
    this.listener = this.loadBalancer.addListener('Listener', {
      port: 443,
      protocol: elb.ApplicationProtocol.HTTPS,
      certificates: [domain.certificate],
      // TLS 1.3 and 1.2 with forward secrecy only; key exchange that a quantum computer won't undo, for clients that know it.
      sslPolicy: elb.SslPolicy.TLS13_12_RES_PQ,
      open: false,
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'application/json',
        messageBody: '{"error":"no component serves this path"}',
      }),
    });
    this.loadBalancer.addListener('Redirect', {
      port: 80,
      protocol: elb.ApplicationProtocol.HTTP,
      open: false,
      defaultAction: elb.ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
    });
    new route53.ARecord(this, 'Address', {
      zone: domain.zone,
      target: route53.RecordTarget.fromAlias(new LoadBalancerTarget(this.loadBalancer)),
      comment: `Cell ${cell.name}`,
    });
  }

  private createCluster(cell: CellPlan, { vpc }: CellNetwork, { key }: CellKey): ecs.Cluster {
    const clusterName = nameOfStack(this, cell);
    const log = createServiceLog(this, 'ClusterLog', cell, key, `/aws/ecs/containerinsights/${clusterName}/performance`);
    const cluster = new ecs.Cluster(this, 'Cluster', { clusterName, vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
    // Container Insights makes the group when it isn't there.
    cluster.node.addDependency(log);
    return cluster;
  }

  private createLoadBalancer(cell: CellPlan, network: CellNetwork, logs: CellLogs): elb.ApplicationLoadBalancer {
    const loadBalancer = new elb.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      internetFacing: true,
      securityGroup: network.entry,
      deletionProtection: cell.profile.protected,
      dropInvalidHeaderFields: true,
    });
    loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    loadBalancer.setAttribute('access_logs.s3.bucket', logs.bucket.bucketName);
    loadBalancer.setAttribute('access_logs.s3.prefix', LOG_FOLDERS.loadBalancer);
    // It tries to write when it is made: the bucket must let it by then.
    if (logs.bucket.policy) loadBalancer.node.addDependency(logs.bucket.policy);
    return loadBalancer;
  }
}
