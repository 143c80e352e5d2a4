/**
 * Service quotas that a cell needs above what a new account has, by size class. A table to start from: the figures cover
 * the foundation and room for its components, load tests of the application show the rest.
 * Codes are those of Service Quotas; each was found in use under the same name in more than one public project.
 */
import type { RolloutPolicy, Size } from '../registry/index.ts';

/** A quota, and the least value that will do. */
export interface QuotaNeed {
  /** Service Quotas' code of the service. */
  readonly service: string;
  readonly code: string;
  readonly name: string;
  readonly atLeast: number;
}

interface Row extends Omit<QuotaNeed, 'atLeast'> {
  readonly needs: Readonly<Record<Size, number>>;
}

/**
 * The most needed first: AWS takes two open requests per region and account
 * (Service quotas for Service Quotas, Service Quotas User Guide), the rest follows when the command is run again.
 */
export const QUOTA_ROWS: readonly Row[] = [
  // New accounts start with 6, or less. Tasks of the components, twice while a new version starts.
  { service: 'fargate', code: 'L-3032A538', name: 'Fargate On-Demand vCPU resource count', needs: { small: 16, medium: 64, large: 256 } },
  // New accounts start with as little as 10.
  { service: 'lambda', code: 'L-B99A9384', name: 'Concurrent executions', needs: { small: 100, medium: 500, large: 1000 } },
  // A NAT gateway per zone in production: 3 of the default 5.
  { service: 'ec2', code: 'L-0263D0A3', name: 'EC2-VPC Elastic IPs', needs: { small: 5, medium: 5, large: 5 } },
  // Database, its standby, and one to restore into.
  { service: 'rds', code: 'L-7B6409FD', name: 'DB instances', needs: { small: 5, medium: 5, large: 10 } },
  { service: 'elasticache', code: 'L-DFE45DF3', name: 'Nodes per Region', needs: { small: 6, medium: 6, large: 12 } },
];

const needsOf = (size: Size): readonly QuotaNeed[] =>
  QUOTA_ROWS.map(({ service, code, name, needs }) => ({ service, code, name, atLeast: needs[size] }));

export const QUOTAS: Readonly<Record<Size, readonly QuotaNeed[]>> = {
  small: needsOf('small'),
  medium: needsOf('medium'),
  large: needsOf('large'),
};

/** Calls of functions that no function may keep to itself. Source: "Configuring reserved concurrency", AWS Lambda Developer Guide, read 2026-11-30. */
const UNRESERVED = 100;

/** Rollouts that have cells in their hands at the same moment: our own choice. */
const ROLLOUTS_AT_ONCE = 2;

/**
 * What tooling needs above what a new account has: calls of the operator, of which a wave makes as many at once as it works on
 * cells or takes back, and what Lambda leaves to all other functions. Ten, which a new account may have, is less than one wave.
 */
export const toolingQuotas = ({ concurrency, rollbackConcurrency }: RolloutPolicy): readonly QuotaNeed[] => [
  {
    service: 'lambda',
    code: 'L-B99A9384',
    name: 'Concurrent executions',
    atLeast: UNRESERVED + ROLLOUTS_AT_ONCE * Math.max(concurrency, rollbackConcurrency),
  },
];
