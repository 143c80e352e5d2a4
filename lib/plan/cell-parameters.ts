/**
 * The contract between a cell and its components: SSM parameters that every foundation writes under the same names,
 * so that a component's template finds whichever cell it is deployed to.
 */
export const CELL_PARAMETERS = {
  name: '/cell/name',
  domain: '/cell/domain',
  endpoint: '/cell/endpoint',
  keyArn: '/cell/key/arn',
  stage: '/cell/stage',
  vpcId: '/cell/vpc/id',
  privateSubnetIds: '/cell/vpc/private-subnet-ids',
  clusterName: '/cell/cluster/name',
  listenerArn: '/cell/load-balancer/listener-arn',
  loadBalancerDnsName: '/cell/load-balancer/dns-name',
  loadBalancerName: '/cell/load-balancer/full-name',
  serviceCpu: '/cell/service/cpu',
  serviceMemory: '/cell/service/memory',
  serviceMinTasks: '/cell/service/min-tasks',
  serviceMaxTasks: '/cell/service/max-tasks',
  serviceSecurityGroupId: '/cell/service/security-group-id',
  databaseHost: '/cell/database/host',
  databasePort: '/cell/database/port',
  databaseName: '/cell/database/name',
  databaseSecretArn: '/cell/database/secret-arn',
  cacheHost: '/cell/cache/host',
  cachePort: '/cell/cache/port',
  cacheSecretArn: '/cell/cache/secret-arn',
  queueUrl: '/cell/queue/url',
  queueArn: '/cell/queue/arn',
  foundationVersion: '/cell/foundation/version',
} as const;

/** The version of a foundation that no rollout has brought. */
export const UNRELEASED = 'unreleased';

export type CellParameter = keyof typeof CELL_PARAMETERS;

/** Folder of parameters in which components say, each under its name, which path the cell's probe asks for. */
export const PROBE_PARAMETERS = '/cell/probe';

/** Port on which every component's container listens. */
export const SERVICE_PORT = 8080;
