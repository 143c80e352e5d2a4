/** The alarms of a cell: what each watches, from which value on it fires, and what missing data means to it. */
import { cacheMachine, cellHealthAlarmName, databaseMachine } from '../registry/index.ts';
import type { CellPlan } from './plan.ts';

/** What an alarm does with a period in which its metric has no value. */
type Missing = 'breaching' | 'notBreaching';

interface AlarmKind {
  /** What its metric is, in words, with the unit. */
  readonly watches: string;
  /** What it says when it fires; `{threshold}` becomes the value. */
  readonly description: string;
  /** Comparison with the threshold that fires. */
  readonly fires: 'above' | 'below';
  readonly threshold: (cell: Sized) => number;
  /** How many of the last periods must be beyond the threshold. */
  readonly datapoints: readonly [number, number];
  /** Length of a period, in minutes. @default 1 */
  readonly minutes?: (cell: Sized) => number;
  readonly missing: Missing;
  /** Why missing data is treated so. */
  readonly because: string;
  /** False for an alarm that calls for a person, but doesn't make the cell sick. @default true */
  readonly health?: false;
}

type Sized = Pick<CellPlan, 'name' | 'resources' | 'capacity'> & { readonly profile: Pick<CellPlan['profile'], 'probeMinutes'> };

/** Bytes of memory for each connection that PostgreSQL allows by default. Source: "Quotas and constraints for Amazon RDS". */
const BYTES_PER_CONNECTION = 9_531_392;
const MOST_CONNECTIONS = 5_000;
const GIB = 2 ** 30;

/** Connections that the database allows. */
function maxConnections(cell: Sized): number {
  const memory = (databaseMachine(cell.resources)?.memoryGiB ?? 1) * GIB;
  return Math.min(Math.floor(memory / BYTES_PER_CONNECTION), MOST_CONNECTIONS);
}

/** Cores up to which a node's engine has no core of its own to speak of. */
const SMALL_CORES = 2;

/**
 * Whether the cache is watched by its engine's core; small nodes are by the whole node, where the rest of its work counts as
 * much. Source: "Which Metrics Should I Monitor?", Amazon ElastiCache User Guide, read on 2026-11-30.
 */
export const watchesEngine = ({ resources }: Pick<CellPlan, 'resources'>): boolean => (cacheMachine(resources)?.vcpu ?? 0) > SMALL_CORES;

const FIVE_MINUTES = () => 5;

const SILENCE_APART = 'a gap is no answer; that it lasts is the business of an alarm of its own';
const ONLY_WHEN_USED = 'nothing is reported while nothing happens; that the cell is reached at all is the probe’s business';

/** In the order in which people read them: what customers see, then what it may come from. */
const ALARMS = {
  'server-errors': {
    watches: 'share of requests that got a 5xx status, %',
    description: 'More than {threshold} % of the requests were answered with a 5xx status.',
    fires: 'above',
    threshold: () => 1,
    datapoints: [2, 3],
    missing: 'notBreaching',
    because: ONLY_WHEN_USED,
  },
  latency: {
    watches: 'time that the slowest hundredth of the requests took, s',
    description: 'One request in a hundred took longer than {threshold} s.',
    fires: 'above',
    threshold: () => 1,
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: ONLY_WHEN_USED,
  },
  'unhealthy-targets': {
    watches: 'tasks that fail the load balancer’s health check',
    description: 'More than {threshold} tasks fail the load balancer’s health check.',
    fires: 'above',
    threshold: () => 0,
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: 'a cell without components has no targets; one whose targets are all gone answers 503, which other alarms see',
  },
  'probe-failures': {
    watches: 'runs of the probe that succeeded, %',
    description: 'Less than {threshold} % of the probe’s runs succeeded.',
    fires: 'below',
    threshold: () => 90,
    datapoints: [3, 5],
    minutes: ({ profile }) => profile.probeMinutes,
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'probe-silent': {
    watches: 'runs of the probe in five minutes',
    description: 'The probe ran less than {threshold} times in five minutes, three times in a row.',
    fires: 'below',
    threshold: () => 1,
    datapoints: [3, 3],
    minutes: FIVE_MINUTES,
    missing: 'breaching',
    because: 'a probe that doesn’t run leaves an idle cell unwatched; a deployment that changes it takes less than this',
  },
  'database-cpu': {
    watches: 'processor of the database, %',
    description: 'The database uses more than {threshold} % of its processor.',
    fires: 'above',
    threshold: () => 80,
    datapoints: [8, 10],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'database-connections': {
    watches: 'connections to the database; it allows a quarter more',
    description: 'More than {threshold} connections to the database: 80 % of what it allows.',
    fires: 'above',
    threshold: (cell) => Math.floor(0.8 * maxConnections(cell)),
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'database-storage': {
    watches: 'free storage of the database',
    description: 'The database has less than {threshold} bytes of free storage: growing by itself has not helped, or is at its limit.',
    fires: 'below',
    threshold: ({ resources }) => Math.floor(0.05 * resources.database.storageGiB * GIB),
    datapoints: [12, 15],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'database-silent': {
    watches: 'values that the database reports in five minutes',
    description: 'The database reported less than {threshold} values in five minutes, six times in a row.',
    fires: 'below',
    threshold: () => 1,
    datapoints: [6, 6],
    minutes: FIVE_MINUTES,
    missing: 'breaching',
    because: 'it always reports while it runs; a change of its class takes less than this',
  },
  'cache-memory': {
    watches: 'memory of the fullest cache node, %',
    description: 'A cache node uses more than {threshold} % of its memory.',
    fires: 'above',
    threshold: () => 80,
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'cache-evictions': {
    watches: 'entries given up for lack of room, a minute',
    description: 'The cache gave up more than {threshold} entries a minute for lack of room.',
    fires: 'above',
    // One in a hundred requests at full load.
    threshold: ({ capacity }) => Math.ceil(0.01 * 60 * capacity.maxRequestsPerSecond),
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'cache-cpu': {
    watches: 'processor of the busiest cache node, %: of the engine’s core, or, with two cores, of both',
    description: 'The busiest cache node uses more than {threshold} % of its processor.',
    fires: 'above',
    // The engine works on one core: of two, 90 % of one are 45 % of both.
    threshold: (cell) => (watchesEngine(cell) ? 90 : Math.floor(90 / SMALL_CORES)),
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: SILENCE_APART,
  },
  'cache-silent': {
    watches: 'values that the cache’s nodes report in five minutes',
    description: 'The cache’s nodes reported less than {threshold} values in five minutes, six times in a row.',
    fires: 'below',
    threshold: () => 1,
    datapoints: [6, 6],
    minutes: FIVE_MINUTES,
    missing: 'breaching',
    because: 'it always reports while it runs; a change of its nodes takes less than this',
  },
  'queue-age': {
    watches: 'age of the oldest message, s',
    description: 'A message has waited for more than {threshold} s.',
    fires: 'above',
    threshold: () => 300,
    datapoints: [3, 5],
    missing: 'notBreaching',
    because: 'SQS reports nothing on a queue that was empty for six hours',
  },
  'dead-letters': {
    watches: 'messages that nobody could process',
    description: 'More than {threshold} messages that nobody could process.',
    fires: 'above',
    threshold: () => 0,
    datapoints: [1, 1],
    missing: 'notBreaching',
    because: 'SQS reports nothing on a queue that was empty for six hours',
  },
  full: {
    watches: 'requests a second',
    description: 'More than {threshold} requests a second: the share of its capacity at which the cell counts as full.',
    fires: 'above',
    threshold: ({ capacity }) => Math.floor(capacity.headroom * capacity.maxRequestsPerSecond),
    datapoints: [3, 3],
    minutes: FIVE_MINUTES,
    missing: 'notBreaching',
    because: ONLY_WHEN_USED,
    health: false,
  },
} as const satisfies Readonly<Record<string, AlarmKind>>;

export type AlarmId = keyof typeof ALARMS;

/** An alarm of one cell. */
export interface AlarmPlan extends Omit<AlarmKind, 'threshold' | 'health' | 'minutes'> {
  readonly id: AlarmId;
  /** `cell-<name>-<id>`. */
  readonly name: string;
  readonly threshold: number;
  /** Length of a period, in minutes. */
  readonly minutes: number;
  /** Whether the cell's health depends on it. */
  readonly health: boolean;
}

/** The alarms of a cell, each with its name and its threshold. */
export function plannedAlarms(cell: Sized): AlarmPlan[] {
  return Object.entries<AlarmKind>(ALARMS).map(([id, { threshold: of, minutes = () => 1, description, health = true, ...kind }]) => {
    const threshold = of(cell);
    const name = cellHealthAlarmName(cell.name).replace(/health$/, id);
    return {
      ...kind,
      id: id as AlarmId,
      name,
      threshold,
      minutes: minutes(cell),
      health,
      description: description.replace('{threshold}', threshold.toLocaleString('en')),
    };
  });
}
