/**
 * Every decision of a rollout, as pure functions of what is written down and what was seen. The operator acts on them, and
 * the simulator runs the same ones over ten thousand cells: there is no other place that decides.
 */
import { type RolloutPolicy, seconds as secondsOf } from '../registry/index.ts';
import type { CellRecord, Control, Outcome, Request, RolloutRecord, RolloutStatus, RolloutWave, WaveRecord } from './rollout-record.ts';

/** An alarm, as it is now. */
export interface AlarmState {
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
}

/** What a look at a cell showed. */
export interface CellHealth {
  readonly cell: string;
  readonly alarms: readonly AlarmState[];
  /** Alarms that the cell should have, and has not. */
  readonly missing: readonly string[];
  /** Alarms that fired since the time that was asked for, also those that are quiet again. */
  readonly fired: readonly { readonly name: string; readonly at: string }[];
  /** Requests that the component served since the bake began; undefined for no data. */
  readonly requests: number | undefined;
  /** Why the cell could not be looked at. */
  readonly unreachable?: string;
}

/** What comes next. The machine waits, goes on to the state of that name, or ends. */
type Decision = Spoken | { readonly action: 'extend'; readonly seconds: number; readonly until: string; readonly sentence: string };

/** All but the longer bake, which only a look leads to. */
export type Spoken =
  | { readonly action: 'go' }
  | { readonly action: 'bake' }
  | { readonly action: 'pass'; readonly sentence: string }
  | { readonly action: 'wait'; readonly seconds: number; readonly sentence: string }
  | { readonly action: 'rollback'; readonly outcome: Outcome }
  | { readonly action: 'end'; readonly status: RolloutStatus; readonly outcome: Outcome };

/** Those of them that one decision can lead to: the machine branches on exactly these. */
type Of<Action extends Decision['action']> = Extract<Decision, { readonly action: Action }>;

/** Seconds between two looks at the start of a bake. */
const FIRST_LOOK = 30;
/** Seconds between two looks at most. An alarm that fires in between is found in the history, so that a longer gap costs time only. */
const LAST_LOOK = 300;
/** Share of the time gone by after which to look again. */
const LOOK_GROWTH = 0.05;

/** A wait by the policy's time scale, in whole seconds; Step Functions waits no shorter than one. */
export const scaled = (seconds: number, timeScale: number): number => Math.max(1, Math.round(seconds * timeScale));

const at = (iso: string | undefined): number => (iso === undefined ? 0 : Date.parse(iso));
const later = (iso: string, seconds: number): string => new Date(at(iso) + seconds * 1_000).toISOString();
const and = (words: readonly string[], most = 3): string =>
  words.length <= most ? words.join(', ') : `${words.slice(0, most).join(', ')} and ${words.length - most} more`;

/** How long something took: as exact as people read it. */
function spoken(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Who had it done, and why, in every sentence the same. */
const asked = (what: string, { by, reason }: Request) => `${what} by ${by}${reason === undefined ? '' : `: ${reason}`}`;

/** Seconds until the next look, `elapsed` after the bake began and `left` before it ends, before the time scale. */
export const nextLook = (elapsed: number, left: number): number =>
  Math.max(1, Math.min(Math.max(FIRST_LOOK, elapsed * LOOK_GROWTH), LAST_LOOK, left));

/**
 * How many looks a bake of so many seconds takes at most.
 * @param timeScale waits are rounded to whole seconds, which in a rehearsal makes some of them shorter
 */
export function looksIn(seconds: number, timeScale = 1): number {
  let looks = 1;
  for (let elapsed = 0; elapsed < seconds; looks++) elapsed += scaled(nextLook(elapsed, seconds - elapsed), timeScale) / timeScale;
  return looks;
}

/**
 * Seconds until the next look at a closed calendar that opens in `left`. The farther away, the longer: what people ask for
 * meanwhile is seen late then, but nothing is under way that it could halt, and the history of the execution stays short: a
 * year takes some four hundred looks, and one every hour would be more than an execution may have.
 */
export const calendarWait = (left: number): number =>
  Math.max(1, Math.ceil(Math.min(left, Math.max(LAST_LOOK, Math.min(left / 20, 3_600), Math.min(left, 366 * 86_400) / 50))));

/** The first cell that is not well, as a sentence. */
function sick(healths: readonly CellHealth[]): Outcome | undefined {
  for (const { cell, alarms, fired } of healths) {
    const firing = alarms.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
    if (firing.length > 0) return { cell, sentence: `${cell}: ${and(firing)} in ALARM` };
    const [first] = fired;
    if (first) return { cell, sentence: `${cell}: ${first.name} fired at ${first.at}, though it is quiet again` };
  }
  return undefined;
}

/** The first cell of which too little is known, as a sentence. */
function unknown(healths: readonly CellHealth[]): Outcome | undefined {
  for (const { cell, alarms, missing, unreachable } of healths) {
    if (unreachable !== undefined) return { cell, sentence: `${cell} can't be looked at: ${unreachable}` };
    if (missing.length > 0)
      return { cell, sentence: `${cell} has no ${and(missing)}: recreate with \`cellctl deploy ${cell} --revert-drift\`` };
    const silent = alarms.filter(({ state }) => state === 'INSUFFICIENT_DATA').map(({ name }) => name);
    if (silent.length > 0) return { cell, sentence: `${cell}: ${and(silent)} without data` };
  }
  return undefined;
}

/** The first cell that too few have used, as a sentence. */
function idle(healths: readonly CellHealth[], least: number): Outcome | undefined {
  const quiet = healths.find(({ requests }) => (requests ?? 0) < least);
  return quiet && { cell: quiet.cell, sentence: `${quiet.cell} served ${quiet.requests ?? 'no'} requests, and ${least} are needed` };
}

/**
 * Whether the cell runs the version, or may: what a rollback puts back. One that failed before there was a change set never
 * changed, and nothing is kept of what it ran.
 */
export const isTouched = ({ status, unchanged, changeSet }: CellRecord): boolean =>
  unchanged !== true &&
  (['deploying', 'deployed', 'restoring', 'not restored'].includes(status) || (status === 'failed' && changeSet !== undefined));

/** What a person has asked for that ends a wave before it begins anything more. */
function interrupted({ pause, stop, rollback }: Control, where: Pick<Outcome, 'wave'> = {}): Of<'rollback' | 'end'> | undefined {
  if (rollback) return { action: 'rollback', outcome: { ...where, sentence: asked('rolled back', rollback) } };
  if (stop) return { action: 'end', status: 'stopped', outcome: { ...where, sentence: asked('stopped', stop) } };
  if (pause) return { action: 'end', status: 'paused', outcome: { ...where, sentence: asked('paused', pause) } };
  return undefined;
}

export interface PreflightInput {
  readonly wave: RolloutWave;
  readonly record: WaveRecord;
  readonly policy: RolloutPolicy;
  readonly control: Control;
  readonly cells: readonly CellRecord[];
  readonly healths: readonly CellHealth[];
  /** Of the cells that earlier waves gave the version to: a slow poison must not reach more of them. */
  readonly earlier: readonly CellHealth[];
  /** Cells whose lock somebody else has, with a sentence that says who. */
  readonly locked: readonly Outcome[];
  /** When all the wave's cells may be deployed to; undefined for now. `never` where their calendars have no common hour. */
  readonly opens: { readonly at: string; readonly why: string } | 'never' | undefined;
  readonly now: string;
}

/** Whether the wave may begin. Whoever must wait is told for what, and until when. */
export function preflight(input: PreflightInput): Of<'go' | 'wait' | 'pass' | 'rollback' | 'end'> {
  const { wave, control, cells, healths, locked, opens, now } = input;
  const { number, name } = wave;
  const stop = interrupted(control, { wave: number });
  if (stop) return stop;
  if (wave.cells.length === 0) return { action: 'pass', sentence: `no cell is in wave ${name}: passed at once` };
  if (wave.approval && control.approvals?.[number] === undefined) {
    const sentence = `wave ${number}, ${name}, waits for an approval`;
    return { action: 'end', status: 'awaiting approval', outcome: { wave: number, sentence } };
  }
  // A wave that goes on from an earlier attempt has cells to put back; any other has done nothing yet.
  const begun = cells.some(isTouched);
  const refuse = (outcome: Outcome): Of<'rollback' | 'end'> => {
    const told = { ...outcome, wave: number };
    return begun ? { action: 'rollback', outcome: told } : { action: 'end', status: 'stopped', outcome: told };
  };
  const [lock] = locked;
  if (lock) return refuse(lock);
  if (opens === 'never') {
    return refuse({ sentence: `the calendars of wave ${name} have no hour in common within a year: put its cells into windows that meet` });
  }
  const closed = opens !== undefined && at(now) < at(opens.at);
  const elder = sick(input.earlier);
  if (elder) return refuse({ ...elder, sentence: `${elder.sentence}; it has had the version since an earlier wave` });
  const ill = sick(healths);
  // Cells that run the version are watched whatever the hour. Others may be sick of something else, until it is their turn.
  if (ill && (begun || !closed)) return refuse(ill);
  if (closed) {
    const left = (at(opens.at) - at(now)) / 1_000;
    return { action: 'wait', seconds: calendarWait(left), sentence: `${opens.why}; waits until ${opens.at}` };
  }
  return lackingData(input, refuse) ?? { action: 'go' };
}

/** The wait for data that is missing, or what follows when it was too long. */
function lackingData(
  { record, policy, healths, now }: PreflightInput,
  refuse: (outcome: Outcome) => Of<'rollback' | 'end'>,
): Of<'wait' | 'rollback' | 'end'> | undefined {
  const lacking = unknown(healths);
  if (!lacking) return undefined;
  // From when the wave could begin: while its calendar was closed, nobody asked for data.
  const since = Math.max(at(record.startedAt ?? now), at(record.opensAt));
  const left = secondsOf(policy.alarmGrace) - (at(now) - since) / 1_000 / policy.timeScale;
  if (left <= 0) return refuse({ ...lacking, sentence: `${lacking.sentence}, longer than the grace of ${policy.alarmGrace}` });
  const seconds = scaled(nextLook((at(now) - since) / 1_000 / policy.timeScale, left), policy.timeScale);
  return { action: 'wait', seconds, sentence: `${lacking.sentence}; waits until ${later(now, left * policy.timeScale)}` };
}

/** Whether one more cell of the wave may begin: not after a failure, and not once a person has asked for a halt. */
export function mayBegin(record: Pick<WaveRecord, 'failedCell'>, control: Control): boolean {
  return record.failedCell === undefined && interrupted(control) === undefined;
}

/** What follows when no cell of the wave is being deployed any more. */
export function afterDeploy(wave: RolloutWave, cells: readonly CellRecord[], control: Control): Of<'bake' | 'rollback' | 'end'> {
  const { number } = wave;
  const failed = cells.find(({ status }) => status === 'failed');
  if (failed) {
    const sentence = failed.sentence ?? `${failed.cell} could not be deployed`;
    return { action: 'rollback', outcome: { wave: number, cell: failed.cell, sentence } };
  }
  const stop = interrupted(control, { wave: number });
  if (stop?.action === 'rollback') return stop;
  const done = new Set(cells.filter(({ status }) => status === 'deployed').map(({ cell }) => cell));
  const [first, ...others] = wave.cells.filter((cell) => !done.has(cell));
  if (first === undefined) return { action: 'bake' };
  const sentence = `${and([first, ...others])}: not deployed, and nothing says why`;
  return stop ?? { action: 'rollback', outcome: { wave: number, cell: first, sentence } };
}

/** When a bake that begins now ends, if nothing extends it. */
export const bakeEnd = (wave: Pick<RolloutWave, 'bakeSeconds'>, policy: RolloutPolicy, now: string): string =>
  later(now, wave.bakeSeconds * policy.timeScale);

export interface LookInput {
  readonly wave: RolloutWave;
  readonly record: WaveRecord;
  readonly policy: RolloutPolicy;
  readonly control: Control;
  readonly healths: readonly CellHealth[];
  /** The cell that the rollout was started to drill in; see `RolloutPlan`. */
  readonly drill?: string | undefined;
  readonly now: string;
}

/** What a look at the wave leads to: on with the bake, longer than planned, on to the next wave, or back. */
export function look({
  wave,
  record,
  policy,
  control,
  healths,
  drill,
  now,
}: LookInput): Of<'wait' | 'extend' | 'pass' | 'rollback' | 'end'> {
  const { rollback, stop } = control;
  if (rollback) return { action: 'rollback', outcome: { wave: wave.number, sentence: asked('rolled back', rollback) } };
  const ill = sick(healths);
  if (ill) return { action: 'rollback', outcome: { ...ill, wave: wave.number } };
  // A halt in the middle of a bake leaves a version that nobody watches: it is stopped, not passed.
  if (stop) return { action: 'end', status: 'stopped', outcome: { wave: wave.number, sentence: asked('stopped', stop) } };
  const drilled = drill !== undefined && wave.cells.includes(drill) ? drill : undefined;
  const skip = control.skipBake?.[wave.number];
  if (skip && drilled === undefined) return { action: 'pass', sentence: asked('bake skipped', skip) };

  const began = record.bakeBeganAt ?? now;
  const planned = bakeEnd(wave, policy, began);
  const elapsed = (at(now) - at(began)) / 1_000 / policy.timeScale;
  const left = (at(planned) - at(now)) / 1_000 / policy.timeScale;
  if (left > 0) {
    const seconds = scaled(nextLook(elapsed, left), policy.timeScale);
    return { action: 'wait', seconds, sentence: `baking until ${planned}` };
  }
  if (drilled !== undefined) return withoutDrill(drilled, wave, policy, { planned, now });
  const lacking = unknown(healths) ?? idle(healths, policy.minRequestsPerCell);
  if (!lacking) return { action: 'pass', sentence: `baked ${spoken((at(now) - at(began)) / 1_000)} without an alarm` };
  const last = later(planned, secondsOf(policy.maxBakeExtension) * policy.timeScale);
  if (at(now) >= at(last)) {
    const sentence = `${lacking.sentence}, even after the bake was extended by ${policy.maxBakeExtension}`;
    return { action: 'rollback', outcome: { ...lacking, sentence, wave: wave.number } };
  }
  const beyond = (at(last) - at(now)) / 1_000 / policy.timeScale;
  const seconds = scaled(nextLook(elapsed, beyond), policy.timeScale);
  return { action: 'extend', seconds, until: last, sentence: `${lacking.sentence}; extended until ${last} at most` };
}

/**
 * Seconds between two looks at a wave whose bake is over by so many seconds, and which waits for a drill. Only the first are as
 * close as the time scale has them: a drill is run by people and programs, and they are no faster in a rehearsal.
 */
const drillLook = (overdue: number, left: number, timeScale: number): number =>
  Math.max(1, Math.round(Math.min(Math.max(FIRST_LOOK * timeScale, overdue * LOOK_GROWTH), LAST_LOOK, left)));

/** How many looks a wait of so many seconds for a drill takes at most. */
export function looksForDrill(seconds: number, timeScale: number): number {
  let looks = 1;
  for (let overdue = 0; overdue < seconds; looks++) overdue += drillLook(overdue, seconds - overdue, timeScale);
  return looks;
}

/**
 * What follows when the bake is over and no drill has come. The wave never passes: on a slow machine the drill comes late, and a
 * version that is to be stopped must not slip past it.
 */
function withoutDrill(
  cell: string,
  { number }: RolloutWave,
  { maxBakeExtension, timeScale }: RolloutPolicy,
  { planned, now }: { readonly planned: string; readonly now: string },
): Of<'extend' | 'rollback'> {
  const until = later(planned, secondsOf(maxBakeExtension));
  const left = (at(until) - at(now)) / 1_000;
  const none = `no drill has set an alarm of ${cell} off`;
  if (left <= 0) {
    const sentence = `${none} within ${maxBakeExtension} of the bake, and the rollout was started for one`;
    return { action: 'rollback', outcome: { cell, sentence, wave: number } };
  }
  const seconds = drillLook((at(now) - at(planned)) / 1_000, left, timeScale);
  return { action: 'extend', seconds, until, sentence: `${none} yet; waits for it until ${until} at most` };
}

/** How far a rollback reaches: what a person asked for, or else the policy's. */
export const rollbackScope = (policy: RolloutPolicy, { rollback }: Control): 'wave' | 'all' =>
  rollback?.scope ?? (policy.onFailure === 'rollback-all' ? 'all' : 'wave');

/**
 * Cells to put back, latest wave first: all that the rollout changed, or those of one wave. When a wave fails, that is the
 * wave; a person who asks for it means the last that changed anything, not one that still waits for its turn.
 */
export function toRestore(cells: readonly CellRecord[], wave: number, policy: RolloutPolicy, control: Control): readonly CellRecord[] {
  const touched = cells.filter(isTouched);
  const last = control.rollback ? Math.max(...touched.map((cell) => cell.wave)) : wave;
  return touched
    .filter((cell) => rollbackScope(policy, control) === 'all' || cell.wave === last)
    .sort((a, b) => b.wave - a.wave || (a.cell < b.cell ? -1 : 1));
}

/**
 * How a rollout ends that put cells back.
 * @param waves numbers of those whose cells were to be put back: what still runs the version there is named, whyever it does
 */
export function afterRollback(
  cells: readonly CellRecord[],
  waves: readonly number[],
  outcome: Outcome,
): { readonly status: RolloutStatus; readonly outcome: Outcome } {
  const stuck = cells.filter((cell) => cell.status === 'not restored' || (waves.includes(cell.wave) && isTouched(cell)));
  if (stuck.length === 0) return { status: 'rolled back', outcome };
  const names = and(
    stuck.map(({ cell, status, sentence }) => `${cell} (${(status === 'not restored' && sentence) || `${status}, no reason known`})`),
    10,
  );
  return { status: 'rolled back in part', outcome: { ...outcome, sentence: `${outcome.sentence}. Not put back: ${names}` } };
}

/** What the rollout does next, between two waves. */
export type RolloutStep =
  | { readonly action: 'wave'; readonly wave: number }
  | { readonly action: 'end'; readonly status: RolloutStatus; readonly outcome: Outcome };

/** The next wave, or the end. */
export function advance(record: RolloutRecord, waves: readonly WaveRecord[]): RolloutStep {
  if (record.status !== 'running') {
    return { action: 'end', status: record.status, outcome: record.outcome ?? { sentence: record.status } };
  }
  const next = waves.find(({ status }) => status !== 'passed');
  const { through = Number.POSITIVE_INFINITY } = record;
  // Whoever died on the way back goes on with it: forward would bring the version to where it was just taken from.
  const returning = waves.find(({ status }) => status === 'rolling back');
  if (returning) return { action: 'wave', wave: returning.number };
  if (record.control.rollback) {
    // The wave that is in work, or else the last that passed: RunWave is the only one that puts back.
    const begun = waves.filter(({ attempts }) => attempts > 0);
    return { action: 'wave', wave: begun.at(-1)?.number ?? 0 };
  }
  const where = record.only ?? 'every cell of its waves';
  const sentence = `${record.component} ${record.version} is in ${where}`;
  if (!next) return { action: 'end', status: 'succeeded', outcome: { sentence } };
  const halt = interrupted(record.control);
  if (halt?.action === 'end') return halt;
  if (next.number > through) {
    const passed = `wave ${through} has passed; the next stage of its pipeline takes it on`;
    return { action: 'end', status: 'between waves', outcome: { wave: through, sentence: passed } };
  }
  return { action: 'wave', wave: next.number };
}
