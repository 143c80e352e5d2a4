/** What a cell's availability zones must have. */
import { type AwsCell, FactoryError, type Resources, type StageProfile } from '../registry/index.ts';
import { ENDPOINT_SERVICES, NAT_INSTANCE_TYPE } from './network-layout.ts';

/** What is asked of AWS before zones are chosen for a cell. */
export interface ZoneNeeds {
  readonly cell: string;
  /** Stack whose subnets say where a cell is that runs already. */
  readonly stackName: string;
  readonly region: string;
  /** How many zones the cell's stage has. */
  readonly count: number;
  /** Instance types of EC2 that a zone must offer. */
  readonly instanceTypes: readonly string[];
  /** Class of the database, as RDS calls it, that a zone must offer. */
  readonly databaseClass: string;
  /**
   * Instance type of EC2 that a cache node runs on. ElastiCache tells nobody what it offers in which zone, so zones that
   * have the type come first, and the others aren't refused.
   */
  readonly preferredType: string;
  /** Services of AWS that a zone must have interface endpoints of. */
  readonly endpoints: readonly string[];
}

/** @param cell the definition that `profile` and `resources` were made of */
export const zoneNeeds = (
  { name, region }: Pick<AwsCell, 'name' | 'region'>,
  stackName: string,
  { zones, privateEndpoints }: StageProfile,
  { nat, database, cache }: Resources,
): ZoneNeeds => ({
  cell: name,
  stackName,
  region,
  count: zones,
  instanceTypes: nat === 'instance' ? [NAT_INSTANCE_TYPE] : [],
  databaseClass: `db.${database.instanceClass}`,
  preferredType: cache.nodeType.replace(/^cache\./, ''),
  endpoints: privateEndpoints ? ENDPOINT_SERVICES : [],
});

/**
 * Zones, by id, in which Fargate runs tasks, of regions in which it doesn't in all. No API tells.
 * Source: "Supported Regions for Amazon ECS on AWS Fargate", Amazon ECS Developer Guide, read 2026-11-30.
 */
export const FARGATE_ZONES: Readonly<Record<string, readonly string[]>> = {
  'ap-northeast-1': ['apne1-az1', 'apne1-az2', 'apne1-az4'],
  // The page has no restriction here. In use1-az3 EC2 offers no type with an ARM processor (DescribeInstanceTypeOfferings),
  // which cells' tasks are for, so that nobody should rely on Fargate there.
  'us-east-1': ['use1-az1', 'use1-az2', 'use1-az4', 'use1-az5', 'use1-az6'],
  'us-west-1': ['usw1-az1', 'usw1-az3'],
};

/**
 * Makes sure that the cells have their availability zones. Without, CloudFormation would choose, perhaps others than before.
 * @throws FactoryError `CELL_WITHOUT_ZONES`, naming every cell that has none
 */
export function requireZones(cells: readonly { readonly name: string; readonly zones: readonly string[] | undefined }[]): void {
  const missing = cells.filter(({ zones }) => zones === undefined).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new FactoryError('CELL_WITHOUT_ZONES', `no availability zones are written down: ${missing.join(', ')}`, {
    fix: `run \`cellctl accounts ${missing.join(' ')}\`, which reads them from the subnets of a cell that runs, commit accounts.json, and publish`,
  });
}
