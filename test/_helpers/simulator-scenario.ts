/** What a simulated rollout is given: cells, chances of what goes wrong, what people do. */
import { createHash } from 'node:crypto';
import { createPlan, type Plan } from '../../lib/plan/plan.ts';
import type { AwsCell, FactoryError, RolloutPolicy } from '../../lib/registry/index.ts';
import type { Judgement } from '../../lib/rollout/drill-during.ts';
import type { CellRecord, RolloutPlan, RolloutRecord, WaveRecord } from '../../lib/rollout/rollout-record.ts';
import { cell as defined, registry, settings } from './organization.ts';

/** What people do: at a time while it runs, or when it has come to rest. */
export type Deed = 'pause' | 'stop' | 'resume' | 'approve' | 'rollback-wave' | 'rollback-all' | 'skip-bake' | 'kill' | 'retry';

/** What can go wrong. Chances are between 0 and 1, for each cell and each attempt. */
export interface Scenario {
  readonly seed: number;
  /** Production cells; two of staging come with them. */
  readonly cells: number;
  readonly regions: number;
  readonly policy: Partial<RolloutPolicy>;
  /** Seconds that a deployment takes, at least and at most. */
  readonly deploySeconds: readonly [number, number];
  readonly chances: {
    readonly deployFails: number;
    readonly restoreFails: number;
    /** The new version makes an alarm fire some time after it came to a cell; half of them are quiet again within a minute. */
    readonly badVersion: number;
    /** An alarm of a cell fires that the new version has nothing to do with. */
    readonly coincidence: number;
    /** A cell's alarm has no data for a while. */
    readonly missingData: number;
    /** A cell that serves too few requests to tell. */
    readonly idle: number;
    /** A call of the function is throttled, or takes effect and says nothing. */
    readonly throttled: number;
    /** A cell that has the version already; one that has never had the component. */
    readonly unchanged: number;
    readonly first: number;
  };
  /** Sickness that the new version brings, where it does. */
  readonly poison?: {
    /** Seconds after a cell's deployment, at least and at most, by cell. */
    readonly after: readonly [number, number];
    /** Seconds that an alarm lasts; `Infinity` for until the cell is rolled back. */
    readonly lasts: number;
    /** In so many of all cells, drawn by name: a share from 0 to 1. */
    readonly share: number;
    /** Only in this wave. @default - in any */
    readonly wave?: number;
  };
  /** Alarms that have nothing to do with the version: one by cell and month, of lognormal duration, ten minutes in the middle. */
  readonly noise?: boolean;
  /** By the time at which they are done, in seconds from the start. */
  readonly deeds: readonly { readonly at: number; readonly deed: Deed }[];
  /** Whether a pipeline takes it on, stage by stage; `retry` is somebody who has its failed stage tried again. */
  readonly pipeline: boolean;
  /** A drill in the first cell of a wave, from a machine on which each look at the rollout takes so many seconds. */
  readonly drill?: { readonly wave: number; readonly lookSeconds: number };
  /** What is done, one after the other, whenever it has come to rest without success. */
  readonly afterwards: readonly Deed[];
}

export interface Result {
  readonly plan: RolloutPlan;
  readonly record: RolloutRecord;
  readonly waves: readonly WaveRecord[];
  readonly cells: readonly CellRecord[];
  /** Version by cell, of those in waves: before and at the end; undefined for none. */
  readonly before: ReadonlyMap<string, string | undefined>;
  readonly after: ReadonlyMap<string, string | undefined>;
  readonly locks: number;
  /** Each broken promise, as a sentence. */
  readonly violations: readonly string[];
  /** Seconds from start to rest, and those of the first deployment of each cell. */
  readonly makespan: number;
  readonly durations: ReadonlyMap<string, number>;
  /** How often the new version was begun, by cell. */
  readonly begun: ReadonlyMap<string, number>;
  /** When the new version began to come to a cell, each time, and when it first made one sick: milliseconds. */
  readonly beginnings: readonly number[];
  readonly sickAt: number | undefined;
  /** Cells that it made sick within the bake of their wave, by wave. */
  readonly poisoned: ReadonlyMap<number, number>;
  /** Events of the longest history. */
  readonly events: number;
  readonly calls: number;
  /** How the drill ended: what the rollout made of it, or why it failed. */
  readonly drilled: Judgement | FactoryError | undefined;
}

export const OLD = '1.0.0';
export const NEW = '2.0.0';
export const COMPONENT = 'orders-api';
export const CHANGE_SET_SECONDS = 3;

/** A number from 0 to 1 that follows from seed and names alone. */
export function draw(seed: number, ...names: readonly (string | number)[]): number {
  return (
    createHash('sha1')
      .update(`${seed}/${names.join('/')}`)
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

const base = registry();

/** A plan with so many cells of all weights and importances; nothing is checked, so that it takes no time. */
export function organizationOf({ seed, cells, regions, policy }: Scenario): Plan {
  const names = ['eu-west-1', 'us-east-1', 'ap-southeast-2', 'sa-east-1'].slice(0, regions);
  const vended = (name: string, index: number): AwsCell => ({
    ...defined(name, index, {
      stage: index < 2 ? 'staging' : 'production',
      region: names[Math.floor(draw(seed, 'region', name) * names.length)] ?? 'eu-west-1',
      trafficWeight: Math.ceil(draw(seed, 'weight', name) ** 3 * 20),
      importance: draw(seed, 'importance', name) < 0.1 ? 'high' : 'normal',
    }),
    accountId: String(400_000_000_000 + index),
  });
  const all = Array.from({ length: cells + 2 }, (_, index) => vended(`c${String(index).padStart(5, '0')}`, index));
  const organization = {
    ...base.organization,
    // Looks after a success change nothing, and would go on for a day.
    rollout: { ...settings().rollout, watchAfter: '0s', ...policy },
    cells: Object.fromEntries(all.map((each) => [each.name, each])),
  };
  return createPlan({ ...base, organization, life: {} });
}

export interface Window {
  readonly from: number;
  readonly to: number;
}
export const covers = ({ from, to }: Window, time: number) => from <= time && time < to;

const NEVER: Scenario['chances'] = {
  ...{ deployFails: 0, restoreFails: 0, badVersion: 0, coincidence: 0, missingData: 0, idle: 0, throttled: 0, unchanged: 0, first: 0 },
};

/** Nothing goes wrong, but for what is given. */
export const scenario = (change: Partial<Omit<Scenario, 'chances'>> & { chances?: Partial<Scenario['chances']> } = {}): Scenario => ({
  ...{ seed: 1, cells: 20, regions: 2, policy: {}, deploySeconds: [60, 300], deeds: [], afterwards: [], pipeline: false },
  ...change,
  chances: { ...NEVER, ...change.chances },
});
