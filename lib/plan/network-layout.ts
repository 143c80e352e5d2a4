/** NAT gateways and endpoints of a cell's network: lib/cell builds them, lib/review prices them. */
import type { Resources } from '../registry/index.ts';

/** Interface endpoints of a cell's network, by AWS's name of the service. S3 has a gateway, which costs nothing. */
export const ENDPOINT_SERVICES = ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'ssm', 'sqs', 'kms', 'sts'] as const;

/** Type of the instance that does NAT where a gateway would be too dear. */
export const NAT_INSTANCE_TYPE = 't4g.nano';

/** NAT gateways that a layout has, in a network of so many zones. */
export const natGatewaysOf = (nat: Resources['nat'], zones: number) => ({ 'gateway-per-zone': zones, 'one-gateway': 1, instance: 0 })[nat];
