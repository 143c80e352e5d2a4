import * as ssm from 'aws-cdk-lib/aws-ssm';
import { CfnParameter, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { CELL_PARAMETERS, type CellParameter, UNRELEASED } from '../../plan/cell-parameters.ts';
import { definitionMetadata } from '../../plan/deployed-cell.ts';
import type { VendedCell } from '../../plan/plan.ts';
import { tagResources } from '../tagging.ts';
import { CellAlarms } from './cell-alarms.ts';
import { dropRepeatedDependencies } from './custom-resources.ts';
import { CellData, DATABASE_NAME } from './data.ts';
import { CellDomain } from './domain.ts';
import { CellIngress } from './ingress.ts';
import { CellKey } from './key.ts';
import { CellLogs } from './logs.ts';
import { CellNetwork } from './network.ts';
import { CellProbe } from './probe.ts';
import { CellRollout } from './rollout-role.ts';
import { acknowledgeZones, zonesOf } from './zones.ts';

interface Parts {
  readonly key: CellKey;
  readonly network: CellNetwork;
  readonly data: CellData;
  readonly ingress: CellIngress;
}

/** The cell's own stack, `Cell-<name>`: everything that lives as long as the cell, and nothing that changes with a component. */
export class Foundation extends Stack {
  private readonly zones: readonly string[];
  private readonly version: CfnParameter;

  constructor(scope: Construct, cell: VendedCell) {
    super(scope, cell.stackName, {
      stackName: cell.stackName,
      env: { account: cell.account.accountId, region: cell.region },
      description: `Foundation of cell ${cell.name} (${cell.stage}, ${cell.size})`,
      terminationProtection: cell.profile.protected,
      tags: { ...cell.tags },
    });
    this.templateOptions.metadata = definitionMetadata(cell);
    this.zones = zonesOf(cell);
    tagResources(this, cell.tags);

    const key = new CellKey(this, 'Key', cell);
    const logs = new CellLogs(this, 'Logs', cell);
    const domain = new CellDomain(this, 'Domain', cell);
    const network = new CellNetwork(this, 'Network', cell, logs);
    const data = new CellData(this, 'Data', cell, network, key);
    const ingress = new CellIngress(this, 'Ingress', cell, network, domain, logs, key);
    const probe = new CellProbe(this, 'Probe', cell, network, logs, key);
    new CellAlarms(this, 'Health', cell, data, ingress, probe);
    new CellRollout(this, 'Rollout', cell);
    dropRepeatedDependencies(this);
    acknowledgeZones(this);
    this.version = new CfnParameter(this, 'Version', {
      description: 'What a rollout brought; deployed otherwise, it is none that anybody published',
      default: UNRELEASED,
    });
    this.publishParameters(cell, { key, network, data, ingress });
  }

  /** The cell's own, where CDK would look zones up with credentials of the cell at synth time. */
  override get availabilityZones(): string[] {
    // The CDK asks once before there are any.
    return [...(this.zones ?? [])];
  }

  private publishParameters(cell: VendedCell, parts: Parts): void {
    const { key, network, data, ingress } = parts;
    const { cpu, memoryMiB, minTasks, maxTasks } = cell.resources.service;
    const values: Record<CellParameter, string | string[]> = {
      name: cell.name,
      stage: cell.stage,
      domain: cell.domain,
      endpoint: cell.endpoint,
      keyArn: key.key.keyArn,
      serviceCpu: String(cpu),
      serviceMemory: String(memoryMiB),
      serviceMinTasks: String(minTasks),
      serviceMaxTasks: String(maxTasks),
      vpcId: network.vpc.vpcId,
      privateSubnetIds: network.vpc.privateSubnets.map((subnet) => subnet.subnetId),
      clusterName: ingress.cluster.clusterName,
      listenerArn: ingress.listener.listenerArn,
      loadBalancerDnsName: ingress.loadBalancer.loadBalancerDnsName,
      loadBalancerName: ingress.loadBalancer.loadBalancerFullName,
      serviceSecurityGroupId: network.service.securityGroupId,
      databaseHost: data.database.dbInstanceEndpointAddress,
      databasePort: data.database.dbInstanceEndpointPort,
      databaseName: DATABASE_NAME,
      databaseSecretArn: data.database.secret?.secretArn ?? '',
      cacheHost: data.cache.attrPrimaryEndPointAddress,
      cachePort: data.cache.attrPrimaryEndPointPort,
      cacheSecretArn: data.cacheSecret.secretArn,
      queueUrl: data.queue.queueUrl,
      queueArn: data.queue.queueArn,
      foundationVersion: this.version.valueAsString,
    };
    for (const [key, value] of Object.entries(values)) {
      const parameterName = CELL_PARAMETERS[key as CellParameter];
      const id = `Parameter${key.charAt(0).toUpperCase()}${key.slice(1)}`;
      if (typeof value === 'string') new ssm.StringParameter(this, id, { parameterName, stringValue: value });
      else new ssm.StringListParameter(this, id, { parameterName, stringListValue: value });
    }
  }
}
