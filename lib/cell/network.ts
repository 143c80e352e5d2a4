import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { SUBNET_BITS } from '../../registry/index.ts';
import type { CellPlan } from '../plan/plan.ts';
import { natGatewaysOf } from '../plan/prices.ts';
import { SERVICE_PORT } from './parameters.ts';

/**
 * The cell's own network: public subnets for NAT, private ones for services, isolated ones for data,
 * and security groups that allow load balancer -> service -> data and nothing else.
 */
export class CellNetwork extends Construct {
  readonly vpc: ec2.IVpc;
  /** Worn by the load balancer. */
  readonly entry: ec2.SecurityGroup;
  /** Worn by the tasks of every component. */
  readonly service: ec2.SecurityGroup;
  /** Worn by database and cache. */
  readonly data: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, cell: CellPlan) {
    super(scope, id);
    this.vpc = this.createVpc(cell);
    this.entry = this.createSecurityGroup('EntrySecurityGroup', 'load balancer');
    denyByDefault(this.entry);
    this.service = this.createSecurityGroup('ServiceSecurityGroup', 'services');
    this.data = this.createSecurityGroup('DataSecurityGroup', 'database and cache');

    const vpcPeer = ec2.Peer.ipv4(cell.block);
    // The load balancer is internal until the cell has a certificate (HTTPS): nothing outside the VPC reaches it.
    this.entry.addIngressRule(vpcPeer, ec2.Port.tcp(80), 'HTTP from within the cell');
    this.entry.connections.allowTo(this.service, ec2.Port.tcp(SERVICE_PORT), 'load balancer to services');
    this.service.connections.allowTo(this.data, ec2.Port.tcp(5432), 'services to PostgreSQL');
    this.service.connections.allowTo(this.data, ec2.Port.tcp(6379), 'services to Valkey');
    this.service.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'services to the APIs of AWS');
  }

  private createVpc(cell: CellPlan): ec2.IVpc {
    const prefix = Number(cell.block.split('/')[1]);
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cell.block),
      maxAzs: cell.profile.zones,
      natGateways: natGatewaysOf(cell.resources.nat, cell.profile.zones),
      subnetConfiguration: [
        { name: 'private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: prefix + SUBNET_BITS.private },
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: prefix + SUBNET_BITS.public, mapPublicIpOnLaunch: false },
        { name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: prefix + SUBNET_BITS.isolated },
      ],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      // CDK would empty the default group by a custom resource, a function that may change security groups, in every cell.
      // Nothing wears the default group.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('FlowLog');
    // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, a Vpc is an IVpc as it stands.
    return vpc as ec2.IVpc;
  }

  private createSecurityGroup(id: string, whose: string): ec2.SecurityGroup {
    return new ec2.SecurityGroup(this, id, { vpc: this.vpc, description: `Cell: ${whose}`, allowAllOutbound: false });
  }
}

/**
 * A group without a rule of its own for what goes out gets EC2's default, which allows everything; the rule towards the
 * services is a resource apart and doesn't count. This one matches no traffic.
 */
function denyByDefault(group: ec2.SecurityGroup): void {
  const nothing = { cidrIp: '255.255.255.255/32', ipProtocol: 'icmp', fromPort: 252, toPort: 86, description: 'Disallow all traffic' };
  (group.node.defaultChild as ec2.CfnSecurityGroup).securityGroupEgress = [nothing];
}
