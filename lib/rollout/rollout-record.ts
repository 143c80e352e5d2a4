/**
 * What is written down of a rollout: the pinned plan in the bucket, and the record that the machines, the operator and people
 * share, in the table. Shapes and keys only; whoever decides stands in `decide.ts`, whoever reads and writes in `store.ts`.
 */

import type { LeftOut, RolloutWave } from '../plan/waves.ts';
import type { Calendar, Component, RolloutPolicy } from '../registry/index.ts';
import type { Patience } from '../review/patience.ts';
import type { Numbers } from './judge.ts';

export type { LeftOut, RolloutWave };

/** A rollout in one of these is over; its locks are gone. */
export const ENDED = ['succeeded', 'stopped', 'rolled back', 'rolled back in part'] as const;
/**
 * `queued`: it waits for another rollout of the component, and has begun nothing. `paused`, `awaiting approval`, `awaiting
 * decision` and `between waves`, which is where a pipeline takes it on: no execution runs, and the locks are kept.
 */
export type RolloutStatus =
  | 'queued'
  | 'running'
  | 'between waves'
  | 'paused'
  | 'awaiting approval'
  | 'awaiting decision'
  | (typeof ENDED)[number];

/** Ends that are no failure; a pause is what was asked for. */
const WELL: readonly RolloutStatus[] = ['succeeded', 'between waves', 'paused', 'awaiting approval', 'awaiting decision'];

/**
 * Whether an execution that ends with this status ends well.
 * @param through the wave that a pipeline has it go to: for the pipeline's stage, a wave that has not passed is a failure
 */
export const endsWell = (status: RolloutStatus, through?: number): boolean =>
  WELL.includes(status) && (through === undefined || status === 'succeeded' || status === 'between waves');

export const hasEnded = (status: RolloutStatus): boolean => ENDED.some((ended) => ended === status);

/** A cell as a rollout has it: enough to act in it, whatever becomes of the registry meanwhile. */
export interface RolloutCell {
  readonly name: string;
  readonly stage: string;
  readonly region: string;
  readonly accountId: string;
  /** Relative share of the traffic. */
  readonly weight: number;
  /** The composite alarm that says how the cell is. */
  readonly healthAlarm: string;
  /** The alarms that it is made of: while they lack data, it says OK. */
  readonly alarms: readonly string[];
  /** When the cell may be deployed to; the organization's blackouts are part of it. */
  readonly calendar: Calendar;
}

/** That a component leaves its cells. */
export interface Removal {
  /** Resources that hold data or a name, and may go with their stack all the same: `<cell>/<logical id>`. */
  readonly deletes: readonly string[];
}

/** What stands in place of a version where a component leaves. */
export const REMOVED = 'removed';

/** Everything that is fixed when a rollout starts. Written once, `planKey`. */
export interface RolloutPlan {
  readonly id: string;
  readonly component: string;
  readonly kind: Component['kind'];
  /** The one cell that it brings to the others' version; it goes beside rollouts to all. @default - all cells */
  readonly only?: string | undefined;
  /**
   * The cell in which a drill is to set an alarm off: its wave bakes until that has happened, and never passes.
   * @default - none: the version is to get through
   */
  readonly drill?: string | undefined;
  /** The wave that waits for the drill, by its number, where that is a later one than the cell's. @default - the cell's */
  readonly drillWave?: number | undefined;
  /** True where the policy's waves of an emergency were taken in place of its usual ones. @default - false */
  readonly emergency?: boolean | undefined;
  /** Cells that are sick, and that this version is to cure: their old alarms are no reason to refuse. @default - none */
  readonly cures?: readonly string[] | undefined;
  /** Its stacks are deleted, in place of being changed; the version is {@link REMOVED}. @default - a version is deployed */
  readonly removal?: Removal | undefined;
  /** Components whose requests tell whether a cell is used: the component itself, or all that stand on a foundation. */
  readonly traffic: readonly string[];
  readonly version: string;
  /** Digest of the artifact: every cell gets exactly these bytes. */
  readonly digest: string;
  /** The registry that waves and policy come from. */
  readonly registry: { readonly revision: number; readonly digest: string };
  readonly policy: RolloutPolicy;
  /** Values of the template's parameters that come from the registry. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The cells of each are an object of their own, `waveKey`. */
  readonly waves: readonly RolloutWave[];
  readonly leftOut: readonly LeftOut[];
  /** Logical ids of the component's stack that may be replaced or removed although that loses something. */
  readonly allowReplacement: readonly string[];
  readonly by: string;
  readonly reason: string | undefined;
  /** ISO 8601, as every time here. */
  readonly startedAt: string;
}

/** The number of the wave that waits for a drill; undefined where none does. */
export const drilledIn = ({ drill, drillWave, waves }: Pick<RolloutPlan, 'drill' | 'drillWave' | 'waves'>): number | undefined =>
  drill === undefined ? undefined : (drillWave ?? waves.find(({ cells }) => cells.includes(drill))?.number);

/** Rollouts of one lane follow each other: those of a component to all cells, and those of it to one. */
export type Lane = Pick<RolloutPlan, 'component' | 'only'>;

/** What names the last rollout of a lane that has begun. */
export interface Pointer {
  readonly only: string | undefined;
  readonly rollout: string | undefined;
}

export interface Lock {
  readonly cell: string;
  readonly rollout: string;
  readonly since: string;
}

/** Something a person asked for. */
export interface Request {
  readonly by: string;
  readonly at: string;
  readonly reason: string | undefined;
}

/** What people ask of a running rollout. The machines read it before each thing they begin. */
export interface Control {
  readonly pause?: Request;
  /** `pipeline`: its pipeline has failed or is gone, and the same version takes it on again. */
  readonly stop?: Request & { readonly pipeline?: true };
  /** `later`: other rollouts of the component have come since, so that only cells are rolled back that still run the version. */
  readonly rollback?: Request & { readonly scope: 'wave' | 'all'; readonly later?: true };
  /** The last time that somebody had it go on. */
  readonly resumed?: Request;
  /** Somebody has looked at the sick cells of that time: they are no reason to wait any more. */
  readonly continued?: Request;
  /** By number of the wave. */
  readonly skipBake?: Readonly<Record<string, Request>>;
  /** By number of the wave. */
  readonly approvals?: Readonly<Record<string, Request>>;
  /** Cells that are left out of the rollout, by name. */
  readonly skipCells?: Readonly<Record<string, Request>>;
}

/** Why a rollout is where it is, for people. */
export interface Outcome {
  /** A whole sentence. */
  readonly sentence: string;
  readonly wave?: number;
  readonly cell?: string;
}

/**
 * Why the rollout goes on without a cell: the cell counts in `failureTolerance` or in `alarmTolerance`, and never in both.
 * Records of before this was told apart don't say it, and count as alarms.
 */
type ApartFor = 'failure' | 'alarm';

/** What is to be rolled back: a wave, all that has the version, or single cells, after which the rollout goes on. */
export type Back =
  | { readonly scope: 'wave' | 'all' }
  | { readonly scope: 'cells'; readonly cells: readonly string[]; readonly apartFor?: ApartFor };

/** What an alarm was taken for, and by which numbers. */
export interface VerdictRecord {
  readonly at: string;
  readonly wave: number;
  readonly verdict: 'blip' | 'blame' | 'alone' | 'ask' | 'stop';
  /** A whole sentence. */
  readonly sentence: string;
  readonly cells: readonly string[];
  readonly numbers?: Numbers;
}

/** What looks after its success have shown, within the policy's `watchAfter`. */
export interface Afterwards {
  /** When they end. */
  readonly until: string;
  /** When the last was. */
  readonly lookedAt: string;
  /** Cells that fell sick since, with a whole sentence each, and that no later rollout has touched. */
  readonly sick: readonly { readonly cell: string; readonly sentence: string }[];
}

/** The record of a rollout. */
export interface RolloutRecord {
  readonly id: string;
  readonly component: string;
  /** As in its plan. */
  readonly only?: string | undefined;
  /** True where the component leaves: as in its plan. @default false */
  readonly removal?: boolean | undefined;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
  readonly status: RolloutStatus;
  readonly by: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly control: Control;
  readonly outcome?: Outcome;
  /** Why it is rolled back, from when that began until it goes forward again: a rollback that is interrupted goes on with it. */
  readonly cause?: Outcome;
  /** What is to be rolled back, while that is under way or still to come. */
  readonly back?: Back;
  /** Oldest first. */
  readonly verdicts?: readonly VerdictRecord[];
  /** After its success. */
  readonly afterwards?: Afterwards;
  /** The execution that drives it, or drove it last. */
  readonly execution?: string;
  /** How many executions have driven it. */
  readonly runs: number;
  /** The last wave that its execution goes to: a pipeline takes it on wave by wave. Undefined where it goes to the end. */
  readonly through?: number;
  /** The execution of its pipeline on CodePipeline that takes it on; undefined where whoever does gives signs of life. */
  readonly pipelineExecution?: string | undefined;
}

/** Whether it stopped because its pipeline had failed or was gone, and no person asked for that: it can be taken on again. */
export const isLeft = ({ status, control }: Pick<RolloutRecord, 'status' | 'control'>): boolean =>
  status === 'stopped' && control.stop?.pipeline === true;

export type WaveStatus =
  | 'pending'
  | 'preflight'
  | 'deploying'
  | 'baking'
  | 'passed'
  | 'rolling back'
  | 'rolled back'
  | 'rolled back in part'
  | 'failed';

/** What became of a wave. */
export interface WaveRecord {
  readonly number: number;
  readonly status: WaveStatus;
  /** Every attempt at a wave is an execution of its own. */
  readonly attempts: number;
  /** The execution of the last attempt. */
  readonly execution?: string;
  /** In a rehearsal, when closed calendars count as open. */
  readonly opensAt?: string;
  readonly startedAt?: string;
  /** When it last went on, after an alarm was judged. */
  readonly againAt?: string;
  /** Since when this attempt waits for a freeze before it begins. */
  readonly frozenSince?: string;
  /** When the first cell began to change: alarms count from here on. */
  readonly deployBeganAt?: string;
  readonly bakeBeganAt?: string;
  /** Since when nothing further begins, because a cell with the version is sick. */
  readonly held?: string;
  /** Cells that have begun, and how many may by the last look: see `WaveWork.watch`. */
  readonly begun?: number;
  readonly admitted?: number;
  /** The first cell of this attempt that failed beyond what is tolerated: no other begins after it. */
  readonly failedCell?: string;
  /** When the bake ends as things are; later than the policy says where it was extended. */
  readonly bakeUntil?: string;
  /** Why the bake takes longer than the policy says. */
  readonly extended?: string;
  readonly endedAt?: string;
  /** What it waits for, or why it failed: a whole sentence. */
  readonly sentence?: string;
}

/**
 * `skipped`: it was left out of the rollout after that had started, and never got the version. `replaced`: when the rollout
 * was rolled back, the cell ran another version by a later one.
 */
export type CellRolloutStatus =
  | 'pending'
  | 'skipped'
  | 'deploying'
  | 'deployed'
  | 'failed'
  | 'restoring'
  | 'restored'
  | 'replaced'
  | 'not restored';

/** What became of a cell. */
export interface CellRecord {
  readonly cell: string;
  readonly wave: number;
  readonly status: CellRolloutStatus;
  /** Version that ran before; empty for none. The template that ran is `previousKey`. */
  readonly previous?: string;
  /** True where the cell ran the very same before the rollout, and nothing was changed. */
  readonly unchanged?: boolean;
  /** True where the component has left the cell: its stack is gone. */
  readonly removed?: boolean;
  readonly changeSet?: string;
  /** True from just before the change set is executed. */
  readonly executing?: boolean;
  /** Since when a freeze or its calendar keeps it from being begun. */
  readonly waitingSince?: string;
  /** Since when it is not begun because somebody else changes its stack. */
  readonly busySince?: string;
  /** The attempt at its wave that went on without it because of that: its turn comes in the next one. */
  readonly heldIn?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** How long its change is waited for, by what changes. @default - an hour */
  readonly patience?: Patience;
  /** Why it failed, was skipped, or waits: a whole sentence. */
  readonly sentence?: string;
  /** Why it was, or is to be, rolled back alone, or left out: a whole sentence. The rollout goes on without it. */
  readonly apart?: string;
  readonly apartFor?: ApartFor;
  /** Alarms count that fired since then. @default - since `startedAt` */
  readonly watchedFrom?: string;
  /** Alarms that have cleared by themselves, and when the last fired that did, or for which the cell was rolled back alone. */
  readonly blips?: number;
  readonly lastBlipAt?: string;
}

/** Whether it is being rolled back, or was until it was interrupted: then it goes on in that direction. */
export const isGoingBack = ({ status, control }: RolloutRecord, waves: readonly Pick<WaveRecord, 'status'>[]): boolean =>
  waves.some((wave) => wave.status === 'rolling back') ||
  // Asked for, and not done: one that was rolled back has ended so.
  (control.rollback !== undefined && (status === 'stopped' || !hasEnded(status)));

/** Keys in the artifacts' bucket of the home region. */
export const planKey = (id: string) => `rollouts/${id}/plan.json`;
/** The cells of a wave, as the machine fans out over them: `RolloutCell[]`. */
export const waveKey = (id: string, wave: number) => `rollouts/${id}/waves/${wave}.json`;
/** Those of them that are left, after some have the version: `RolloutCell[]`. */
export const leftKey = (id: string, wave: number, attempt: string) => `rollouts/${id}/waves/${wave}-${attempt}.json`;
/** The cells to roll back, as the machine fans out over them: `RolloutCell[]`. */
export const rollbackKey = (id: string, wave: number, attempt: string) => `rollouts/${id}/rollbacks/${wave}-${attempt}.json`;
/** What a cell ran before the rollout, `Previous` in `sent.ts`; written after the template. */
export const previousKey = (id: string, cell: string) => `rollouts/${id}/previous/${cell}.json`;
/** The template of that stack, as it was given to CloudFormation. */
export const previousTemplateKey = (id: string, cell: string) => `rollouts/${id}/previous/${cell}.template.json`;
/** What the rollout sends to a cell, `Sent` in `sent.ts`; written before its change set is made. */
export const sentKey = (id: string, cell: string) => `rollouts/${id}/sent/${cell}.json`;
