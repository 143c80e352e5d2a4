import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import { RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { SERVICE_PORT } from '../../plan/cell-parameters.ts';
import { ENDPOINT_SERVICES, natGatewaysOf } from '../../plan/network-layout.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { SUBNET_BITS } from '../../registry/index.ts';
import type { CellKey } from './key.ts';

/** Everybody. */
const ANYWHERE = '0.0.0.0/0';
/** Type of the instance that does NAT where a gateway would be too dear. */
const NAT_INSTANCE = 't4g.nano';

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

  constructor(scope: Construct, id: string, cell: CellPlan, { key }: CellKey) {
    super(scope, id);
    const nat = cell.resources.nat === 'instance' ? natInstance() : undefined;
    const vpc = this.createVpc(cell, nat);
    // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, a Vpc is an IVpc as it stands.
    this.vpc = vpc as ec2.IVpc;
    if (nat) this.secureNatInstance(cell, nat);
    this.addFlowLog(cell, vpc, key);
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

  private createVpc(cell: CellPlan, nat: ec2.NatInstanceProviderV2 | undefined): ec2.Vpc {
    const prefix = Number(cell.block.split('/')[1]);
    return new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cell.block),
      maxAzs: cell.profile.zones,
      ...(nat ? { natGatewayProvider: nat, natGateways: 1 } : { natGateways: natGatewaysOf(cell.resources.nat, cell.profile.zones) }),
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

  private addFlowLog(cell: CellPlan, vpc: ec2.Vpc, key: CellKey['key']): void {
    const { keepsData, logDays } = cell.profile;
    const logGroup = new logs.LogGroup(this, 'FlowLogGroup', {
      encryptionKey: key,
      retention: logDays,
      removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup) });
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

  private secureNatInstance(cell: CellPlan, nat: ec2.NatInstanceProviderV2): void {
    const group = this.createSecurityGroup('NatSecurityGroup', 'NAT');
    group.addIngressRule(ec2.Peer.ipv4(cell.block), ec2.Port.tcp(443), 'from inside the cell');
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'to the APIs of AWS and the world');
    for (const instance of nat.gatewayInstances) {
      instance.addSecurityGroup(group);
      instance.instance.blockDeviceMappings = [{ deviceName: '/dev/xvda', ebs: { encrypted: true, volumeSize: 8, volumeType: 'gp3' } }];
      Validations.of(instance).acknowledge(
        { id: 'AwsSolutions-EC28', reason: "One developer's way out: it needs no monitoring by the minute." },
        { id: 'AwsSolutions-EC29', reason: 'It holds nothing, and a personal cell must be easy to remove.' },
      );
    }
  }

  private createSecurityGroup(id: string, whose: string): ec2.SecurityGroup {
    return new ec2.SecurityGroup(this, id, { vpc: this.vpc, description: `Cell: ${whose}`, allowAllOutbound: false });
  }
}

const natInstance = () =>
  ec2.NatProvider.instanceV2({
    instanceType: new ec2.InstanceType(NAT_INSTANCE),
    machineImage: ec2.MachineImage.latestAmazonLinux2023({ cpuType: ec2.AmazonLinuxCpuType.ARM_64 }),
    associatePublicIpAddress: true,
    // Its group is made by hand: the default takes anything from anywhere.
    defaultAllowedTraffic: ec2.NatTrafficDirection.NONE,
  });

/** Public addresses under which the cell's private subnets appear outside. */
function natAddresses(vpc: ec2.Vpc, nat: ec2.NatInstanceProviderV2 | undefined): string[] {
  if (nat) return nat.gatewayInstances.map((instance) => instance.instancePublicIp);
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
