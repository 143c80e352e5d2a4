/** The model of how versions reach cells: when a cell may be deployed to, and the policy of rollouts. Part of `model.ts`. */
import { z } from 'zod';
import { duration, endOfWindow, instant, label, timeOfDay } from './values.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const blackout = z.strictObject({
  /** When it begins, ISO 8601 with time zone. */
  from: instant,
  /** When it is over, ISO 8601 with time zone. */
  until: instant,
  /** What people are told who wait for its end. */
  reason: z.string().min(1).max(256),
});

export const calendar = z.strictObject({
  /** Time zone of the windows, by its name in the IANA database. */
  timeZone: z.string().min(1),
  /** When components may be deployed to the cell; without any, always. */
  windows: z.array(
    z.strictObject({
      /** Days on which the window begins. */
      days: z.array(z.enum(DAYS)).min(1),
      /** When it begins. */
      from: timeOfDay,
      /** When it ends; on the next day, where that is not later than `from`. Only beginning is bound to it: a deployment that has begun is finished. */
      until: endOfWindow,
    }),
  ),
  /** When nothing may be deployed, whatever the windows say. */
  blackouts: z.array(blackout),
});

const wave = z.strictObject({
  /** Unique in the policy. */
  name: label,
  /** Which cells the wave prefers among those not yet deployed. */
  prefer: z.enum(['low-traffic', 'busy', 'any']),
  /** How many cells it admits: a number, a percentage of all cells, or whatever is left. */
  admit: z.union([
    z.strictObject({ cells: z.int().positive() }),
    z.strictObject({ percent: z.number().gt(0).max(100) }),
    z.strictObject({ rest: z.literal(true) }),
  ]),
  /** How long the wave is watched before the next one starts. */
  bake: duration,
  /** Whether a person must agree before the wave begins. */
  approval: z.boolean(),
  /** What follows an alarm while this wave is deployed or bakes. @default - what `onFailure` says for waves of up to 3 cells, `judge` for others */
  onAlarm: z.enum(['judge', 'rollback-wave', 'rollback-all', 'stop']).optional(),
  /** Percentage of the production traffic that runs the version after this wave, at most. @default - as much as its cells have */
  maxTraffic: z.number().gt(0).max(100).optional(),
  /** Its regions one after the other, each watched before the next; only from `multiRegionFromWave` on. @default - all together */
  regions: z.literal('one-at-a-time').optional(),
});

/** How many cells of those that have a version; a percentage is at least one cell. */
const tolerance = z.union([z.strictObject({ cells: z.int().min(0) }), z.strictObject({ percent: z.number().gt(0).max(100) })]);

export const rolloutPolicy = z.strictObject({
  /** One factor on every wait; below 1 for rehearsals. */
  timeScale: z.number().gt(0).max(1),
  /** How long staging is watched before the first wave. */
  stagingBake: duration,
  /** The waves after staging, in their order. */
  waves: z.array(wave).min(1),
  /** At most one region per wave before this wave (1-based). */
  multiRegionFromWave: z.int().positive(),
  /** Requests that each cell must have served before its bake can pass. */
  minRequestsPerCell: z.int().min(0),
  /** Cells of a wave deployed at once. */
  concurrency: z.int().positive(),
  /** Cells that may fail to deploy, each rolled back alone, before the wave fails. */
  failureTolerance: tolerance,
  /** Cells that may stay sick, each rolled back alone, while the version is not to blame; beyond that a person decides. */
  alarmTolerance: tolerance,
  /** How long an alarm is judged: until then nothing new begins, and an alarm that does not clear counts. */
  diagnosisTime: duration,
  /** How long cells are looked at after a rollout succeeded, to report alarms. It only reports; `0s` for not at all. */
  watchAfter: duration,
  /** The waves after staging of a rollout that is started with `--emergency`. */
  emergency: z.array(wave).min(1),
  /** What is rolled back when a wave fails: that wave, or every wave so far. */
  onFailure: z.enum(['rollback-wave', 'rollback-all']),
  /** What becomes of a rollout whose pipeline has failed, was cancelled, or is gone: it stops, and cells keep what they run, or every wave so far is rolled back. */
  onPipelineFailure: z.enum(['stop', 'rollback']),
  /** How long a rollout waits between two waves for its pipeline to take it on; then the pipeline counts as gone. Not shortened by `timeScale`. */
  betweenWaves: duration,
  /** Whether no component of a cell is changed while its foundation is. */
  foundationAlone: z.boolean(),
  /** Cells rolled back at once. */
  rollbackConcurrency: z.int().positive(),
  /** How long an alarm may lack data before the cell counts as not well. */
  alarmGrace: duration,
  /** How much longer than its `bake` a wave is watched at most, where requests or data are too few to tell; then it fails. */
  maxBakeExtension: duration,
  /** What holds for every cell, besides the cell's own calendar. */
  calendar: z.strictObject({
    /** When nothing is deployed to any cell. */
    blackouts: z.array(blackout),
  }),
});

/** When components may be deployed to a cell: in its windows, and outside of its blackouts. */
export type Calendar = z.infer<typeof calendar>;
/** A time in which nothing is deployed. */
export type Blackout = z.infer<typeof blackout>;
export type RolloutPolicy = z.infer<typeof rolloutPolicy>;
