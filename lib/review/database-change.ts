/** What RDS would refuse of a change, before anything is changed. Pure; what RDS says of itself is handed in. */
import type { Problem } from '../registry/index.ts';

const TYPE = 'AWS::RDS::DBInstance';

/** Properties by which a class has to be on offer, or storage has to fit. */
const OF_CLASS: readonly string[] = ['DBInstanceClass', 'EngineVersion', 'MultiAZ', 'StorageType'];
const ASKED: readonly string[] = [...OF_CLASS, 'AllocatedStorage', 'MaxAllocatedStorage'];

/** A database that a template makes or changes; undefined for what the template computes. */
export interface DatabaseChange {
  readonly logicalId: string;
  /** What changes; undefined for a database that is new. */
  readonly changed: readonly string[] | undefined;
  readonly engine: string;
  /** In full, or the major version alone. */
  readonly version: string | undefined;
  readonly instanceClass: string | undefined;
  readonly storageType: string | undefined;
  readonly storageGiB: number | undefined;
  readonly maxStorageGiB: number | undefined;
  readonly standby: boolean;
  /** Zones of the template's subnets, as it names them; undefined where it leaves them to CloudFormation. */
  readonly zones: readonly string[] | undefined;
}

/** What RDS says of a database, and of what it offers for it. */
export interface DatabaseFacts {
  /** The database as it is; undefined where there is none. */
  readonly live: { readonly storageGiB: number; readonly version: string; readonly zones: readonly string[] } | undefined;
  /** The version that the wanted one stands for, in full; undefined when it is not on offer. */
  readonly offered: string | undefined;
  /** The version that the database will have. */
  readonly version: string;
  /** Zones in which the class is on offer with that version and storage. */
  readonly zones: readonly string[];
}

interface Resource {
  readonly Type?: unknown;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

const resourcesOf = (template: object, type: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> => {
  const { Resources = {} } = template as { readonly Resources?: Readonly<Record<string, Resource>> };
  return new Map(Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => (Type === type ? [[id, Properties]] : [])));
};

/** The zones that the registry chose for the cell: its template has them by name in each subnet. */
const zonesOf = (template: object): readonly string[] | undefined => {
  const zones = [...resourcesOf(template, 'AWS::EC2::Subnet').values()].map(({ AvailabilityZone }) => text(AvailabilityZone));
  const named = zones.filter((zone) => zone !== undefined);
  return named.length === 0 || named.length < zones.length ? undefined : [...new Set(named)];
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: unknown): number | undefined =>
  (typeof value === 'string' && value !== '') || typeof value === 'number' ? Number(value) : undefined;

/** Databases that deploying `after` over `before` would make, or change in what RDS may refuse. */
export function databaseChanges(before: object, after: object): DatabaseChange[] {
  const old = resourcesOf(before, TYPE);
  const zones = zonesOf(after);
  return [...resourcesOf(after, TYPE)].flatMap(([logicalId, properties]) => {
    const was = old.get(logicalId);
    const changed = was && ASKED.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(properties[name]));
    const engine = text(properties['Engine']);
    if (engine === undefined || changed?.length === 0) return [];
    const { EngineVersion, DBInstanceClass, StorageType, AllocatedStorage, MaxAllocatedStorage, MultiAZ } = properties;
    const storage = { storageGiB: number(AllocatedStorage), maxStorageGiB: number(MaxAllocatedStorage), storageType: text(StorageType) };
    const machine = { version: text(EngineVersion), instanceClass: text(DBInstanceClass), standby: MultiAZ === true };
    return [{ logicalId, changed, engine, ...machine, ...storage, zones }];
  });
}

/** Whether one version is lower than another, number by number. */
const isLower = (version: string, than: string): boolean => version.localeCompare(than, 'en', { numeric: true }) < 0;

type Finding = Pick<Problem, 'message' | 'fix'>;

function versionFinding({ engine, version = '', changed }: DatabaseChange, { live, offered }: DatabaseFacts): Finding | undefined {
  if (changed && !changed.includes('EngineVersion')) return undefined;
  if (live && version.includes('.') && isLower(version, live.version)) {
    return {
      message: `the database has ${engine} ${live.version}, and ${version} is wanted: RDS makes no version lower`,
      fix: `deploy a version of the factory that wants ${live.version} or only its major version`,
    };
  }
  // What the database has stays as it is, on offer or not.
  if (offered !== undefined || live?.version === version || live?.version.startsWith(`${version}.`)) return undefined;
  return {
    message: `RDS offers no ${engine} ${version} in this region`,
    fix: 'deploy a version of the factory that wants one that is on offer: `aws rds describe-db-engine-versions` lists them',
  };
}

function classFinding(change: DatabaseChange, { live, version, zones }: DatabaseFacts): Finding | undefined {
  const { engine, instanceClass, storageType, standby, changed } = change;
  if (instanceClass === undefined || (changed && !changed.some((name) => OF_CLASS.includes(name)))) return undefined;
  // Before there is a database, its network is that of the template.
  const own = live?.zones ?? change.zones ?? zones;
  const usable = zones.filter((zone) => own.includes(zone));
  if (usable.length >= (standby ? 2 : 1)) return undefined;
  const where = usable.length === 0 ? 'in none of its zones' : `in ${usable.join(', ')} only, and a standby needs two zones`;
  return {
    message: `RDS offers ${instanceClass} with ${engine} ${version}${storageType === undefined ? '' : ` and ${storageType}`} ${where}`,
    fix: 'choose another class: overrides: { database: { instanceClass: … } }',
  };
}

/** Source: "Scaling up DB instance storage", Amazon RDS User Guide, read 2026-11-30. */
function storageFinding({ changed, storageGiB, maxStorageGiB }: DatabaseChange, { live }: DatabaseFacts): Finding | undefined {
  if (!live || !changed) return undefined;
  const least = Math.ceil((live.storageGiB * 11) / 10);
  const keep = `keep what it has: overrides: { database: { storageGiB: ${live.storageGiB}, maxStorageGiB: ${Math.max(maxStorageGiB ?? 0, least)} } }`;
  if (changed.includes('AllocatedStorage') && storageGiB !== undefined && storageGiB < live.storageGiB) {
    return {
      message: `storage has grown to ${live.storageGiB} GiB, and ${storageGiB} are wanted: RDS makes storage no smaller`,
      fix: keep,
    };
  }
  if (changed.includes('AllocatedStorage') && storageGiB !== undefined && storageGiB > live.storageGiB && storageGiB < least) {
    return {
      message: `storage has grown to ${live.storageGiB} GiB, and ${storageGiB} are wanted: RDS makes it larger by 10 % at least`,
      fix: `take more: overrides: { database: { storageGiB: ${least}, maxStorageGiB: ${Math.max(maxStorageGiB ?? 0, Math.ceil((least * 11) / 10))} } }`,
    };
  }
  if (changed.includes('MaxAllocatedStorage') && maxStorageGiB !== undefined && maxStorageGiB <= live.storageGiB) {
    return { message: `storage has grown to ${live.storageGiB} GiB, and may only grow to ${maxStorageGiB}`, fix: keep };
  }
  return undefined;
}

/** What RDS would refuse of the change of one database. */
const databaseFindings = (change: DatabaseChange, facts: DatabaseFacts): Finding[] =>
  [versionFinding(change, facts), classFinding(change, facts), storageFinding(change, facts)].filter((each) => each !== undefined);

/**
 * What RDS would refuse of what a template does to the databases of a cell.
 * @param look asks RDS; only for databases that are made or change
 */
export async function databaseProblems(
  cell: string,
  before: object,
  after: object,
  look: (change: DatabaseChange) => Promise<DatabaseFacts>,
): Promise<Problem[]> {
  const found = databaseChanges(before, after).map(async (change) =>
    databaseFindings(change, await look(change)).map(({ message, fix }) => ({
      code: 'DATABASE_REFUSED',
      path: `${cell}/${change.logicalId}`,
      message,
      fix: `${fix} (registry/cells/${cell}.ts)`,
    })),
  );
  return (await Promise.all(found)).flat();
}
