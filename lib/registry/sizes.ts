/**
 * What a cell gets by its stage, its size and its tier. One table, so that a figure stands in one place; here and not in
 * `lib/plan`, because rules hold what is overridden against it.
 */
import { deepFreeze } from './freeze.ts';
import { CACHE_TYPES, DATABASE_CLASSES, type InstanceSize } from './instances.ts';
import type { AwsCell, Capacity, Overrides, Resources, Size, Stage, Tier } from './model.ts';

/** What a size buys: resources, and the load that they are meant for. */
interface SizeClass {
  readonly database: Omit<Resources['database'], 'standby' | 'backupDays'>;
  readonly cache: Omit<Resources['cache'], 'replicas'>;
  readonly service: Resources['service'];
  /** Figures to start from, to be replaced by what load tests of the application show. */
  readonly capacity: Pick<Capacity, 'maxRequestsPerSecond' | 'maxTenants'>;
}

/**
 * `personal` is what a small cell of that stage gets: the smallest classes that there are. Storage begins where that of the
 * class below may have grown to: RDS makes storage no smaller, so a cell could not take the larger size otherwise.
 */
export const SIZE_CLASSES: Readonly<Record<Size | 'personal', SizeClass>> = {
  personal: {
    database: { instanceClass: 't4g.micro', storageGiB: 20, maxStorageGiB: 50 },
    cache: { nodeType: 'cache.t4g.micro' },
    service: { cpu: 256, memoryMiB: 512, minTasks: 1, maxTasks: 2 },
    capacity: { maxRequestsPerSecond: 20, maxTenants: 5 },
  },
  small: {
    database: { instanceClass: 't4g.medium', storageGiB: 20, maxStorageGiB: 100 },
    cache: { nodeType: 'cache.t4g.small' },
    service: { cpu: 256, memoryMiB: 512, minTasks: 2, maxTasks: 6 },
    capacity: { maxRequestsPerSecond: 200, maxTenants: 100 },
  },
  medium: {
    database: { instanceClass: 'm7g.large', storageGiB: 100, maxStorageGiB: 500 },
    cache: { nodeType: 'cache.m7g.large' },
    service: { cpu: 512, memoryMiB: 1_024, minTasks: 3, maxTasks: 12 },
    capacity: { maxRequestsPerSecond: 1_000, maxTenants: 500 },
  },
  large: {
    database: { instanceClass: 'r7g.2xlarge', storageGiB: 500, maxStorageGiB: 2_000 },
    cache: { nodeType: 'cache.r7g.xlarge' },
    service: { cpu: 1_024, memoryMiB: 2_048, minTasks: 6, maxTasks: 30 },
    capacity: { maxRequestsPerSecond: 5_000, maxTenants: 2_000 },
  },
};

/** What a stage demands, whatever the size. */
export interface StageProfile {
  /** Availability zones of the network. Three in production: with two, losing one halves the cell. */
  readonly zones: 2 | 3;
  /** A shared NAT gateway is a shared fault, so production has one in each zone; an instance costs a tenth and is nobody's promise. */
  readonly nat: Resources['nat'];
  /** Database standby in another zone. */
  readonly standby: boolean;
  /** Cache nodes besides the primary, each in another zone. */
  readonly replicas: number;
  /** Guards against deletion of database, load balancer and stack. */
  readonly protected: boolean;
  /** What is left when the stack goes: a final snapshot, its key, the logs. */
  readonly keepsData: boolean;
  /** Days of point-in-time recovery. */
  readonly backupDays: number;
  /** Endpoints of AWS's services in the network. Without them the way is through NAT, which is cheaper for little traffic. */
  readonly privateEndpoints: boolean;
  /** How often the probe runs, in minutes. */
  readonly probeMinutes: number;
  /** Days for which logs are kept. */
  readonly logDays: 7 | 30 | 90;
}

export const STAGE_PROFILES: Readonly<Record<Stage, StageProfile>> = {
  production: {
    zones: 3,
    nat: 'gateway-per-zone',
    standby: true,
    replicas: 1,
    protected: true,
    keepsData: true,
    backupDays: 14,
    privateEndpoints: true,
    probeMinutes: 1,
    logDays: 90,
  },
  staging: {
    zones: 2,
    nat: 'one-gateway',
    standby: false,
    replicas: 0,
    protected: false,
    keepsData: true,
    backupDays: 7,
    privateEndpoints: true,
    probeMinutes: 5,
    logDays: 30,
  },
  personal: {
    zones: 2,
    nat: 'instance',
    standby: false,
    replicas: 0,
    protected: false,
    keepsData: false,
    backupDays: 1,
    privateEndpoints: false,
    probeMinutes: 5,
    logDays: 7,
  },
};

/** Share of the capacity at which a cell counts as full: what is left is for peaks, and for a zone that is lost. */
const HEADROOM = 0.7;

/** Row of the table; an unknown size, which the schema reports, counts as small. */
const classOf = (size: Size, stage: Stage): SizeClass =>
  (stage === 'personal' && size === 'small' ? SIZE_CLASSES.personal : SIZE_CLASSES[size]) ?? SIZE_CLASSES.small;

/** Capacity of a cell whose definition doesn't say. A dedicated cell has one tenant. */
export function capacityOf(size: Size, stage: Stage, tier: Tier): Capacity {
  const { capacity } = classOf(size, stage);
  return { ...capacity, ...(tier === 'dedicated' ? { maxTenants: 1 } : {}), headroom: HEADROOM };
}

type Sized = Pick<AwsCell, 'size' | 'stage'> & { readonly overrides: Overrides };

/** By size and stage: the same value for all cells of both, of which there may be ten thousand. */
const defaults = new Map<string, Resources>();

/** What a cell gets by size and stage, without its overrides. */
export function defaultResources({ size, stage }: Pick<Sized, 'size' | 'stage'>): Resources {
  const key = `${size}/${stage}`;
  const known = defaults.get(key);
  if (known) return known;
  const { database, cache, service } = classOf(size, stage);
  const { standby, backupDays, replicas, nat } = STAGE_PROFILES[stage];
  const made = deepFreeze({ database: { ...database, standby, backupDays }, cache: { ...cache, replicas }, service: { ...service }, nat });
  defaults.set(key, made);
  return made;
}

const isPlain = ({ overrides }: Pick<Sized, 'overrides'>): boolean => Object.keys(overrides).length === 0;

/** Values of `base`, where `changes` has none. One that is written as undefined is none. */
const over = <T extends object>(base: T, changes: { readonly [K in keyof T]?: T[K] | undefined } = {}): T => ({
  ...base,
  ...(Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Partial<T>),
});

/** What a cell gets: by size and stage, and what it overrides. */
export function resourcesOf(cell: Sized): Resources {
  if (isPlain(cell)) return defaultResources(cell);
  const { overrides } = cell;
  const { database, cache, service, nat } = defaultResources(cell);
  return {
    database: over(database, overrides.database),
    cache: over(cache, overrides.cache),
    service: over(service, overrides.service),
    nat: overrides.nat ?? nat,
  };
}

/** One value of a cell that its definition overrides. */
export interface Override {
  /** Field of the resources, e.g. `database.instanceClass`. */
  readonly field: string;
  readonly value: string | number | boolean;
  /** What the size class says. */
  readonly instead: string | number | boolean;
}

/** Every value by its path. */
const leaves = (value: object, path = ''): [string, string | number | boolean][] =>
  Object.entries(value).flatMap(([key, each]) =>
    typeof each === 'object' && each !== null ? leaves(each, `${path}${key}.`) : [[path + key, each]],
  );

/** What a cell overrides with another value than its size class has. */
export function overridesOf(cell: Sized): Override[] {
  if (isPlain(cell)) return [];
  const usual = new Map(leaves(defaultResources(cell)));
  return leaves(resourcesOf(cell)).flatMap(([field, value]) => {
    const instead = usual.get(field) ?? value;
    return value === instead ? [] : [{ field, value, instead }];
  });
}

/**
 * How much of a resource its caps need. Assumptions to start from, in one place; load tests of the application show the
 * rest. The classes above keep to them, which a test checks.
 */
const NEEDS = {
  /** Requests per second that one core of the database carries. */
  requestsPerDatabaseCore: 650,
  /** Storage of a tenant, in GiB. */
  storagePerTenant: 1,
  /** Memory of the cache for each request per second, in MiB. */
  cachePerRequest: 5,
  /** Requests per second that one core of the services carries. */
  requestsPerServiceCore: 170,
} as const;

const machine = (table: Readonly<Record<string, InstanceSize>>, name: string): InstanceSize | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** The database's machine, or undefined for a class that is not in the table. */
export const databaseMachine = ({ database }: Resources) => machine(DATABASE_CLASSES, database.instanceClass);

/** A cache node's machine, or undefined for a type that is not in the table. */
export const cacheMachine = ({ cache }: Resources) => machine(CACHE_TYPES, cache.nodeType);

/** A resource that carries less than the caps. */
export interface Shortfall {
  /** Field of the resources. */
  readonly field: string;
  /** The value, as people write it. */
  readonly value: string | number;
  /** The cap that it does not carry. */
  readonly cap: keyof Capacity;
  /** How much of the cap it carries. */
  readonly carries: number;
}

/** What of a cell's resources is too little for its caps. */
export function shortfalls(resources: Resources, capacity: Capacity): Shortfall[] {
  const { database, cache, service } = resources;
  const databaseCores = databaseMachine(resources)?.vcpu;
  const cacheMemory = cacheMachine(resources)?.memoryGiB;
  const carried = [
    [
      'database.instanceClass',
      database.instanceClass,
      'maxRequestsPerSecond',
      databaseCores && databaseCores * NEEDS.requestsPerDatabaseCore,
    ],
    ['database.maxStorageGiB', database.maxStorageGiB, 'maxTenants', database.maxStorageGiB / NEEDS.storagePerTenant],
    ['cache.nodeType', cache.nodeType, 'maxRequestsPerSecond', cacheMemory && (cacheMemory * 1_024) / NEEDS.cachePerRequest],
    ['service.maxTasks', service.maxTasks, 'maxRequestsPerSecond', service.maxTasks * (service.cpu / 1_024) * NEEDS.requestsPerServiceCore],
  ] as const;
  return carried.flatMap(([field, value, cap, carries]) =>
    carries === undefined || carries >= capacity[cap] ? [] : [{ field, value, cap, carries: Math.floor(carries) }],
  );
}
