import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { SERVICE_PORT } from '../../plan/cell-parameters.ts';
import { ENDPOINT_SERVICES, natGatewaysOf } from '../../plan/network-layout.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { SUBNET_BITS } from '../../registry/index.ts';
import { type CellLogs, LOG_FOLDERS } from './logs.ts';
import { NatInstance } from './nat-instance.ts';

/** Everybody. */
const ANYWHERE = '0.0.0.0/0';

/**
 * The cell's own network: public subnets for the load balancer and NAT, private ones for services, isolated ones for data,
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
  /** Worn by the probe. */
  readonly probe: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, cell: CellPlan, logs: CellLogs) {
    super(scope, id);
    const nat = cell.resources.nat === 'instance' ? new NatInstance(this) : undefined;
    const vpc = this.createVpc(cell, nat);
    // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, a Vpc is an IVpc as it stands.
    this.vpc = vpc as ec2.IVpc;
    nat?.secure(this.createSecurityGroup('NatSecurityGroup', 'NAT'), cell.block);
    // Who talked to whom. Of the two places that take it, the cheaper one. The bucket is its own as far as CDK's types go.
    vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toS3(logs.bucket as s3.IBucket, LOG_FOLDERS.network) });
    this.entry = this.createSecurityGroup('EntrySecurityGroup', 'load balancer');
    denyByDefault(this.entry);
    this.service = this.createSecurityGroup('ServiceSecurityGroup', 'services');
    this.data = this.createSecurityGroup('DataSecurityGroup', 'database and cache');
    this.probe = this.createSecurityGroup('ProbeSecurityGroup', 'probe');

    this.admitClients(cell, natAddresses(vpc, nat));
    this.entry.connections.allowTo(this.service, ec2.Port.tcp(SERVICE_PORT), 'load balancer to services');
    this.service.connections.allowTo(this.data, ec2.Port.tcp(5432), 'services to PostgreSQL');
    this.service.connections.allowTo(this.data, ec2.Port.tcp(6379), 'services to Valkey');
    for (const group of [this.service, this.probe])
      group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'to the APIs of AWS and the world');
    if (cell.profile.privateEndpoints) this.addEndpoints(vpc);
  }

  private createVpc(cell: CellPlan, nat: NatInstance | undefined): ec2.Vpc {
    const prefix = Number(cell.block.split('/')[1]);
    return new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cell.block),
      maxAzs: cell.profile.zones,
      ...(nat
        ? { natGatewayProvider: nat.provider, natGateways: 1 }
        : { natGateways: natGatewaysOf(cell.resources.nat, cell.profile.zones) }),
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
  }

  /** Requests come from the cell's clients, and from its own probe, which arrives from where NAT sends it. */
  private admitClients(cell: CellPlan, probeAddresses: readonly string[]): void {
    const everybody = cell.clients.includes(ANYWHERE);
    for (const client of cell.clients) {
      this.entry.addIngressRule(ec2.Peer.ipv4(client), ec2.Port.tcp(443), 'HTTPS from clients');
      this.entry.addIngressRule(ec2.Peer.ipv4(client), ec2.Port.tcp(80), 'HTTP from clients, answered by a redirect');
    }
    for (const [index, address] of everybody ? [] : probeAddresses.entries()) {
      this.entry.addIngressRule(ec2.Peer.ipv4(`${address}/32`), ec2.Port.tcp(443), `HTTPS from the probe, by way out ${index + 1}`);
    }
    if (!everybody) return;
    Validations.of(this.entry).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'Customers may be anywhere. A cell that only a router or known networks may reach names them in network.clients.',
    });
  }

  /** What services use of AWS is reached inside the network, so that neither NAT nor the internet stand between. */
  private addEndpoints(vpc: ec2.Vpc): void {
    const group = this.createSecurityGroup('EndpointSecurityGroup', 'endpoints of AWS services');
    denyByDefault(group);
    for (const client of [this.service, this.probe]) group.addIngressRule(client, ec2.Port.tcp(443), 'from inside the cell');
    for (const name of ENDPOINT_SERVICES) {
      vpc.addInterfaceEndpoint(`Endpoint-${name}`, {
        service: new ec2.InterfaceVpcEndpointAwsService(name),
        subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
        securityGroups: [group],
        open: false,
      });
    }
  }

  private createSecurityGroup(id: string, whose: string): ec2.SecurityGroup {
    return new ec2.SecurityGroup(this, id, { vpc: this.vpc, description: `Cell: ${whose}`, allowAllOutbound: false });
  }
}

/** Public addresses under which the cell's private subnets appear outside. */
function natAddresses(vpc: ec2.Vpc, nat: NatInstance | undefined): string[] {
  if (nat) return nat.addresses;
  return vpc.publicSubnets.flatMap((subnet) => {
    const address = subnet.node.tryFindChild('EIP');
    return address instanceof ec2.CfnEIP ? [address.ref] : [];
  });
}

/**
 * A group without a rule of its own for what goes out gets EC2's default, which allows everything; the rule towards the
 * services is a resource apart and doesn't count. This one matches no traffic.
 */
function denyByDefault(group: ec2.SecurityGroup): void {
  const nothing = { cidrIp: '255.255.255.255/32', ipProtocol: 'icmp', fromPort: 252, toPort: 86, description: 'Disallow all traffic' };
  (group.node.defaultChild as ec2.CfnSecurityGroup).securityGroupEgress = [nothing];
}
