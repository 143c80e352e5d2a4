/** What RDS says of a database in a cell, and of the versions and classes that it offers. Reads only. */
import {
  type DBInstance,
  paginateDescribeDBEngineVersions,
  paginateDescribeDBInstances,
  paginateDescribeOrderableDBInstanceOptions,
  RDSClient,
} from '@aws-sdk/client-rds';
import { namingCalls } from './named-calls.ts';
import type { Session } from './session.ts';

/** The database that is asked about: as its template wants it. */
export interface WantedDatabase {
  readonly logicalId: string;
  readonly engine: string;
  readonly version: string | undefined;
  readonly instanceClass: string | undefined;
  readonly storageType: string | undefined;
}

/** What is there, and on offer. */
export interface FoundDatabase {
  readonly live: { readonly storageGiB: number; readonly version: string; readonly zones: readonly string[] } | undefined;
  readonly offered: string | undefined;
  readonly version: string;
  readonly zones: readonly string[];
}

/**
 * Asks RDS about one database of a stack. The database is found by the tags that CloudFormation puts on it ("Resource tag",
 * AWS CloudFormation User Guide, read 2026-11-30): its name is CloudFormation's own.
 * @param session may describe databases, engine versions and orderable options in the cell
 */
export async function lookAtDatabase(session: Session, stackName: string, wanted: WantedDatabase): Promise<FoundDatabase> {
  const client = namingCalls(new RDSClient(session));
  const [live, offered] = await Promise.all([liveDatabase(client, stackName, wanted.logicalId), offeredVersion(client, wanted)]);
  // A major version alone lifts a database to its default minor version, or leaves it ("ModifyDBInstance", Amazon RDS API Reference).
  const version = live && (offered === undefined || isOlder(offered, live.version)) ? live.version : (offered ?? wanted.version ?? '');
  return { live, offered, version, zones: await zonesOf(client, wanted, version) };
}

const isOlder = (version: string, than: string): boolean => version.localeCompare(than, 'en', { numeric: true }) < 0;

const hasTag = ({ TagList = [] }: DBInstance, key: string, value: string) => TagList.some((tag) => tag.Key === key && tag.Value === value);

async function liveDatabase(client: RDSClient, stackName: string, logicalId: string): Promise<FoundDatabase['live']> {
  for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {})) {
    for (const database of DBInstances) {
      if (!hasTag(database, 'aws:cloudformation:stack-name', stackName)) continue;
      if (!hasTag(database, 'aws:cloudformation:logical-id', logicalId)) continue;
      const { AllocatedStorage: storageGiB = 0, EngineVersion: version = '', DBSubnetGroup } = database;
      const zones = (DBSubnetGroup?.Subnets ?? []).flatMap(({ SubnetAvailabilityZone }) => SubnetAvailabilityZone?.Name ?? []);
      return { storageGiB, version, zones };
    }
  }
  return undefined;
}

/** The version in full that a new database would get. */
async function offeredVersion(client: RDSClient, { engine, version }: WantedDatabase): Promise<string | undefined> {
  const input = {
    Engine: engine,
    DefaultOnly: version?.includes('.') !== true,
    ...(version === undefined ? {} : { EngineVersion: version }),
  };
  for await (const { DBEngineVersions = [] } of paginateDescribeDBEngineVersions({ client }, input)) {
    const offered = DBEngineVersions.find(({ Status }) => Status !== 'deprecated')?.EngineVersion;
    if (offered !== undefined) return offered;
  }
  return undefined;
}

async function zonesOf(client: RDSClient, { engine, instanceClass, storageType }: WantedDatabase, version: string): Promise<string[]> {
  if (instanceClass === undefined || version === '') return [];
  const zones = new Set<string>();
  const input = { Engine: engine, EngineVersion: version, DBInstanceClass: instanceClass, Vpc: true };
  for await (const { OrderableDBInstanceOptions = [] } of paginateDescribeOrderableDBInstanceOptions({ client }, input)) {
    for (const { StorageType, AvailabilityZones = [] } of OrderableDBInstanceOptions) {
      if (storageType !== undefined && StorageType !== storageType) continue;
      for (const { Name } of AvailabilityZones) if (Name !== undefined) zones.add(Name);
    }
  }
  return [...zones].sort();
}
