/** What may go wrong with a change, found by small rules. Pure; each rule looks at one thing and says it in a sentence. */

import { sinceWhen } from '../plan/expiry.ts';
import type { CellPlan } from '../plan/plan.ts';
import { capacityOf, parseBlock, type Resources, type Size } from '../registry/index.ts';
import type { ResourceChange } from './changes.ts';
import { isWell, type ObservedStack } from './difference.ts';
import { destructionsIn } from './stateful.ts';

/** A change, seen from all sides. */
export interface Situation {
  readonly cell: CellPlan;
  /** The cell as it is; undefined for one that is new. */
  readonly before: CellPlan | undefined;
  /** The cell's stacks by name, as far as they were looked at. */
  readonly stacks: ReadonlyMap<string, ObservedStack>;
  readonly now: Date;
}

/** One thing that may go wrong. */
export interface Risk {
  /** Stable name of the rule. */
  readonly rule: string;
  readonly message: string;
}

type Rule = (situation: Situation) => readonly string[];

/** Changes of stacks that exist: only there is something to lose or to interrupt. */
const changes = ({ stacks }: Situation): readonly ResourceChange[] =>
  [...stacks.values()].flatMap((stack) => (stack.status === undefined ? [] : stack.changes));

/** Properties whose change is felt by who uses the resource, by type. */
const INTERRUPTIONS: readonly { type: string; properties: readonly string[]; says: (cell: CellPlan) => string }[] = [
  {
    // "Modifying an Amazon RDS DB instance", Amazon RDS User Guide: these take the instance down; with a standby it fails over.
    type: 'AWS::RDS::DBInstance',
    properties: ['DBInstanceClass', 'EngineVersion', 'AllowMajorVersionUpgrade'],
    says: ({ resources }) =>
      resources.database.standby
        ? 'the database fails over to its standby: connections break, for about one or two minutes'
        : 'the database is away while it is changed, for several minutes: there is no standby',
  },
  {
    // "Online vertical scaling", Amazon ElastiCache User Guide.
    type: 'AWS::ElastiCache::ReplicationGroup',
    properties: ['CacheNodeType', 'EngineVersion'],
    says: ({ resources }) =>
      resources.cache.replicas > 0
        ? 'the cache moves to new nodes: connections break for some seconds'
        : 'the cache moves to another node, and may begin empty: there is no replica',
  },
];

const interruptions: Rule = (situation) =>
  INTERRUPTIONS.flatMap(({ type, properties, says }) => {
    const felt = changes(situation)
      .filter((change) => change.type === type && change.change === 'change')
      .flatMap((change) => change.properties.map(({ name }) => name).filter((name) => properties.includes(name)));
    return felt.length === 0 ? [] : [`${says(situation.cell)} (${[...new Set(felt)].join(', ')})`];
  });

const destruction: Rule = (situation) => {
  const lost = destructionsIn(changes(situation)).map(({ logicalId }) => logicalId);
  return lost.length === 0 ? [] : [`data or a name is lost with ${lost.join(', ')}: deploy refuses it until each is allowed by name`];
};

const firstDeployment: Rule = ({ cell, stacks }) =>
  stacks.get(cell.stackName)?.status === undefined
    ? ['a first deployment that fails is not rolled back: what was created stays, and the next run carries on']
    : [];

/** Zones that CloudFormation would choose, perhaps others than before. */
const zonesUnknown: Rule = ({ cell: { name, zones, account } }) =>
  zones === undefined && account.accountId !== undefined
    ? [`accounts.json doesn't say in which zones it is: deploy refuses until \`cellctl accounts ${name}\` has written them down`]
    : [];

const unwell: Rule = ({ stacks }) =>
  [...stacks].flatMap(([name, { status }]) =>
    status === undefined || isWell(status) ? [] : [`${name} is ${status}: its last deployment did not end well, or has not ended`],
  );

/** Production that can do less than production should. */
const weakProduction: Rule = ({ cell }) => {
  if (cell.stage !== 'production') return [];
  const { database, cache, nat } = cell.resources;
  return [
    nat === 'gateway-per-zone' ? '' : `NAT is ${nat}: all zones share a way out, and its faults`,
    database.standby ? '' : 'the database has no standby: when its zone is lost, so is it for as long as a restore takes',
    cache.replicas > 0 ? '' : 'the cache has no replica: when its node is lost, it begins empty',
  ].filter((text) => text !== '');
};

/** Guards of a single resource, and the values that guard. */
const GUARDS: Readonly<Record<string, readonly string[]>> = {
  DeletionProtection: ['true'],
  DeletionProtectionEnabled: ['true'],
  DeletionPolicy: ['Retain', 'RetainExceptOnCreate', 'Snapshot'],
};

const protectionRemoved: Rule = (situation) => {
  const { cell, before } = situation;
  const why = cell.intent === 'retiring' ? 'the cell is retiring' : `stage ${cell.stage}`;
  const whole =
    before?.profile.protected && !cell.profile.protected ? [`protection against deletion goes (${why}): after this it can be deleted`] : [];
  const single = changes(situation).flatMap(({ logicalId, properties }) =>
    properties
      .filter(({ name, before: old = '', after: now = '' }) => GUARDS[name]?.includes(old) && !GUARDS[name].includes(now))
      .map(({ name, before: old, after: now }) => `${logicalId} is guarded less: ${name} ${old} → ${now ?? 'none'}`),
  );
  return [...whole, ...single];
};

const entranceWidened: Rule = ({ cell, before }) => {
  if (!before) return [];
  const known = before.clients.map((text) => parseBlock('', text));
  const wider = cell.clients.filter((text) => {
    const { start, end } = parseBlock('', text);
    return !known.some((block) => block.start <= start && block.end >= end);
  });
  return wider.length === 0 ? [] : [`requests may now come from ${wider.join(', ')}, too; before, only from ${before.clients.join(', ')}`];
};

const RANK: Readonly<Record<Size, number>> = { small: 0, medium: 1, large: 2 };

/** Figures that people feel when they become smaller, with the reason. */
const SHRINKING: readonly { field: string; of: (resources: Resources) => number; because: string }[] = [
  {
    field: 'database.storageGiB',
    of: ({ database }) => database.storageGiB,
    because: 'RDS makes storage no smaller: the deployment will fail',
  },
  { field: 'database.backupDays', of: ({ database }) => database.backupDays, because: 'older backups are deleted' },
  { field: 'cache.replicas', of: ({ cache }) => cache.replicas, because: 'a node that holds a copy goes' },
  { field: 'service.maxTasks', of: ({ service }) => service.maxTasks, because: 'peaks find less room' },
];

const sizeReduced: Rule = ({ cell, before }) => {
  if (!before) return [];
  const size =
    RANK[cell.size] < RANK[before.size] ? [`size ${before.size} → ${cell.size}: look at what the cell uses at its peak first`] : [];
  const figures = SHRINKING.flatMap(({ field, of, because }) => {
    const [old, now] = [of(before.resources), of(cell.resources)];
    return now < old ? [`${field} ${old} → ${now}: ${because}`] : [];
  });
  return [...size, ...figures];
};

/** Caps above those of the size class: rules hold them against the resources, but only a load test shows that they hold. */
const capacityRaised: Rule = ({ cell, before }) => {
  const usual = capacityOf(cell.size, cell.stage, cell.tier);
  return (['maxRequestsPerSecond', 'maxTenants'] as const).flatMap((cap) => {
    const now = cell.capacity[cap];
    if (now <= usual[cap] || now <= (before?.capacity[cap] ?? 0)) return [];
    return [`capacity.${cap} ${now} is above what size ${cell.size} is meant for (${usual[cap]}): has a load test shown it?`];
  });
};

const expired: Rule = ({ cell, now }) => {
  const since = sinceWhen(cell, now);
  return since === undefined ? [] : [`the cell ${since}: destroy it, or extend it`];
};

const nearLimits: Rule = ({ stacks }) =>
  [...stacks].flatMap(([name, { limits }]) =>
    limits.map(
      ({ what, used, limit }) =>
        `${name} has ${used.toLocaleString('en')} of ${limit.toLocaleString('en')} ${what} that CloudFormation takes`,
    ),
  );

/** By name, the worst first: in this order they are read. */
const RULES: Readonly<Record<string, Rule>> = {
  destruction,
  unwell,
  'zones-unknown': zonesUnknown,
  expired,
  'protection-removed': protectionRemoved,
  interruption: interruptions,
  'entrance-widened': entranceWidened,
  'size-reduced': sizeReduced,
  'weak-production': weakProduction,
  'capacity-raised': capacityRaised,
  'near-limits': nearLimits,
  'first-deployment': firstDeployment,
};

/** What may go wrong, the worst first. */
export const risksOf = (situation: Situation): Risk[] =>
  Object.entries(RULES).flatMap(([rule, find]) => find(situation).map((message) => ({ rule, message })));
