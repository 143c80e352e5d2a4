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
