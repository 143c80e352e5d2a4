/**
 * Every decision of a rollout, as pure functions of what is written down and what was seen. The operator acts on them, and
 * the simulator runs the same ones over ten thousand cells: there is no other place that decides.
 */
import { type RolloutPolicy, seconds as secondsOf } from '../registry/index.ts';
import { and, apartForAlarms, type CellHealth, sicknessOf } from './health.ts';
import { SMALL_WAVE, toleratedOf, type Verdict } from './judge.ts';
import { calendarWait, drillLook, FIRST_LOOK, LONGEST_FROZEN, nextLook, scaled } from './looks.ts';
import { isTouched } from './roll-back.ts';
import type { Back, CellRecord, Control, Outcome, Request, RolloutStatus, RolloutWave, WaveRecord } from './rollout-record.ts';

/** What comes next. The machine waits, goes on to the state of that name, or ends. */
type Decision =
  | Spoken
  | { readonly action: 'extend'; readonly seconds: number; readonly until: string; readonly sentence: string }
  // To another execution, whose history is empty and whose clocks begin anew.
  | { readonly action: 'hand over'; readonly sentence: string };

/** All but the longer bake, which only a look leads to, and the end of an execution that is none of its wave. */
export type Spoken =
  | { readonly action: 'go' }
  | { readonly action: 'bake' }
  | { readonly action: 'again'; readonly sentence: string }
  | { readonly action: 'pass'; readonly sentence: string }
  | { readonly action: 'wait'; readonly seconds: number; readonly sentence: string; readonly apart?: readonly string[] }
  | { readonly action: 'rollback'; readonly outcome: Outcome; readonly back?: Back }
  | { readonly action: 'end'; readonly status: RolloutStatus; readonly outcome: Outcome };

/** Those of them that one decision can lead to: the machine branches on exactly these. */
type Of<Action extends Decision['action']> = Extract<Decision, { readonly action: Action }>;

const at = (iso: string | undefined): number => (iso === undefined ? 0 : Date.parse(iso));
const later = (iso: string, seconds: number): string => new Date(at(iso) + seconds * 1_000).toISOString();
/** How long something took: as exact as people read it. */
function spoken(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Who had it done, and why, in every sentence the same. */
const asked = (what: string, { by, reason }: Request) => `${what} by ${by}${reason === undefined ? '' : `: ${reason}`}`;

/** The first cell that is not well, as a sentence. */
function sick(healths: readonly CellHealth[]): Outcome | undefined {
  for (const health of healths) {
    const sentence = sicknessOf(health);
    if (sentence !== undefined) return { cell: health.cell, sentence };
  }
  return undefined;
}

const DECIDE = '`cellctl rollout continue` or `cellctl rollout rollback` decides';

/** What follows a verdict on its own; undefined where the wave goes on. */
function afterVerdict(verdict: Verdict, number: number, { timeScale }: RolloutPolicy): Of<'wait' | 'rollback' | 'end'> | undefined {
  switch (verdict.verdict) {
    case 'well':
    case 'blip':
      return undefined;
    case 'hold':
      return { action: 'wait', seconds: scaled(FIRST_LOOK, timeScale), sentence: verdict.sentence };
    case 'blame':
      return {
        action: 'rollback',
        back: { scope: verdict.scope },
        outcome: { wave: number, cell: verdict.cell, sentence: verdict.sentence },
      };
    case 'alone': {
      const cells = verdict.cells.map(({ cell }) => cell);
      return {
        action: 'rollback',
        back: { scope: 'cells', cells },
        outcome: { wave: number, cell: cells[0] ?? '', sentence: verdict.sentence },
      };
    }
    case 'ask':
      return {
        action: 'end',
        status: 'awaiting decision',
        outcome: { wave: number, cell: verdict.cells[0]?.cell ?? '', sentence: `${verdict.sentence}: ${DECIDE}` },
      };
    case 'stop':
      return { action: 'end', status: 'stopped', outcome: { wave: number, cell: verdict.cell, sentence: verdict.sentence } };
  }
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

/** What a person has asked for that ends a wave before it begins anything more. */
export function interrupted({ pause, stop, rollback }: Control, where: Pick<Outcome, 'wave'> = {}): Of<'rollback' | 'end'> | undefined {
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
  /** Of the wave's cells. */
  readonly healths: readonly CellHealth[];
  /** What the alarms of all cells mean that have the version, of whatever wave. */
  readonly verdict: Verdict;
  /** Cells that may be sick of what they run: the version is to cure them. */
  readonly cures?: readonly string[] | undefined;
  /** Cells whose lock somebody else has, with a sentence that says who. */
  readonly locked: readonly Outcome[];
  /** When all the wave's cells may be deployed to; undefined for now. `never` where their calendars have no common hour. */
  readonly opens: { readonly at: string; readonly why: string } | 'never' | undefined;
  /** What holds every cell that is to get the version, and when to look again. @default - nothing */
  readonly frozen?: { readonly sentence: string; readonly seconds: number } | undefined;
  readonly now: string;
}

/** Whether the wave may begin. Whoever must wait is told for what, and until when. */
export function preflight(input: PreflightInput): Of<'go' | 'wait' | 'pass' | 'rollback' | 'end' | 'hand over'> {
  const { wave, record, control, cells, locked, opens, frozen, now } = input;
  const { number, name } = wave;
  const stop = interrupted(control, { wave: number });
  if (stop) return stop;
  if (wave.cells.length === 0) return { action: 'pass', sentence: `no cell is in wave ${name}: passed at once` };
  if (wave.approval && control.approvals?.[number] === undefined) {
    const sentence = `wave ${number}, ${name}, waits for an approval`;
    return { action: 'end', status: 'awaiting approval', outcome: { wave: number, sentence } };
  }
  // A wave that goes on from an earlier attempt has cells to roll back; any other has done nothing yet.
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
  // Cells that run the version are watched whatever the hour.
  const judged = afterVerdict(input.verdict, number, input.policy);
  if (judged) return judged;
  if (closed) {
    const left = (at(opens.at) - at(now)) / 1_000;
    return { action: 'wait', seconds: calendarWait(left), sentence: `${opens.why}; waits until ${opens.at}` };
  }
  const { frozenSince } = record;
  if (frozen && (at(now) - at(frozenSince ?? now)) / 1_000 < LONGEST_FROZEN) return { action: 'wait', ...frozen };
  if (frozenSince !== undefined) return { action: 'hand over', sentence: `has waited for a freeze since ${frozenSince}` };
  return sickBefore(input, refuse) ?? lackingData(input, refuse) ?? { action: 'go' };
}

/** Since when the wave could begin: while its calendar was closed, or it waited for a verdict, nobody asked. */
const askedSince = ({ startedAt, opensAt, againAt }: WaveRecord, now: string): number =>
  Math.max(at(startedAt ?? now), at(opensAt), at(againAt));

/**
 * The wait for cells that are sick of what they run, as long as a diagnosis takes. The version is no more than a guess at a cure.
 * Then a large wave goes on without them, within what is tolerated, and any other wave ends.
 */
function sickBefore(
  { wave, record, policy, cells, healths, cures = [], now }: PreflightInput,
  refuse: (outcome: Outcome) => Of<'rollback' | 'end'>,
): Of<'wait' | 'rollback' | 'end'> | undefined {
  const known = new Set(cells.filter((cell) => isTouched(cell) || cell.apart !== undefined).map(({ cell }) => cell));
  const others = healths.filter(({ cell }) => !known.has(cell) && !cures.includes(cell));
  const ill = sick(others);
  if (!ill) return undefined;
  const since = askedSince(record, now);
  const left = secondsOf(policy.diagnosisTime) - (at(now) - since) / 1_000 / policy.timeScale;
  if (left <= 0) {
    const names = others.filter((health) => sicknessOf(health) !== undefined).map(({ cell }) => cell);
    const apart = apartForAlarms(cells).length;
    const sentence = `${ill.sentence}, before it had the version, for more than ${policy.diagnosisTime}`;
    if (wave.cells.length > SMALL_WAVE && names.length + apart <= toleratedOf(policy.alarmTolerance, wave.cells.length)) {
      return { action: 'wait', seconds: 1, sentence: `goes on without ${and(names)}: ${sentence}`, apart: names };
    }
    return refuse({ ...ill, sentence: `${sentence}: \`cellctl rollout start --cures ${ill.cell} --reason …\` has a version cure it` });
  }
  const seconds = scaled(nextLook((at(now) - since) / 1_000 / policy.timeScale, left), policy.timeScale);
  const until = later(now, left * policy.timeScale);
  return { action: 'wait', seconds, sentence: `${ill.sentence}, before it has the version; waits until ${until}` };
}

/** The wait for data that is missing, or what follows when it was too long. */
function lackingData(
  { record, policy, healths, now }: PreflightInput,
  refuse: (outcome: Outcome) => Of<'rollback' | 'end'>,
): Of<'wait' | 'rollback' | 'end'> | undefined {
  const lacking = unknown(healths);
  if (!lacking) return undefined;
  // An alarm that isn't there comes back by nobody's waiting.
  if (healths.some(({ cell, missing }) => cell === lacking.cell && missing.length > 0)) return refuse(lacking);
  const since = askedSince(record, now);
  const left = secondsOf(policy.alarmGrace) - (at(now) - since) / 1_000 / policy.timeScale;
  if (left <= 0) return refuse({ ...lacking, sentence: `${lacking.sentence}, longer than the grace of ${policy.alarmGrace}` });
  const seconds = scaled(nextLook((at(now) - since) / 1_000 / policy.timeScale, left), policy.timeScale);
  return { action: 'wait', seconds, sentence: `${lacking.sentence}; waits until ${later(now, left * policy.timeScale)}` };
}

/** Whether one more cell of the wave may begin: not after a failure, while a cell is sick, or once a person has asked for a halt. */
export function mayBegin(record: Pick<WaveRecord, 'failedCell' | 'held'>, control: Control): boolean {
  return record.failedCell === undefined && record.held === undefined && interrupted(control) === undefined;
}

const settledIn = (cells: readonly CellRecord[]) =>
  new Set(
    cells.filter(({ status, apart }) => status === 'deployed' || status === 'skipped' || apart !== undefined).map(({ cell }) => cell),
  );

/** Cells of the wave that lack the version, and are to get it. */
export const lackingIn = (wave: Pick<RolloutWave, 'cells'>, cells: readonly CellRecord[]): readonly string[] => {
  const settled = settledIn(cells);
  return wave.cells.filter((cell) => !settled.has(cell));
};

/**
 * Whether the failures of a wave are tolerated: cells that could not be deployed, also those that were rolled back alone for it.
 * @param cells of the wave @param exposed how many cells have the version, of whatever wave
 */
export function isTolerated(cells: readonly CellRecord[], exposed: number, { failureTolerance }: RolloutPolicy): boolean {
  const failed = cells.filter(({ status, apart, apartFor }) => (apart === undefined ? status === 'failed' : apartFor === 'failure')).length;
  return failed <= toleratedOf(failureTolerance, exposed + failed);
}

/**
 * Whether the watch of a deployment is over: each cell has the version, failed or is held, or nothing begins any more and
 * nothing is under way.
 */
export function isDeployed(wave: RolloutWave, record: WaveRecord, cells: readonly CellRecord[], control: Control): boolean {
  if (cells.some(({ status }) => status === 'deploying')) return false;
  const done = new Set(cells.filter(({ status, heldIn }) => status === 'failed' || heldIn === record.attempts).map(({ cell }) => cell));
  return !mayBegin(record, control) || lackingIn(wave, cells).every((cell) => done.has(cell));
}

/** What follows when no cell of the wave is being deployed any more. A wave that is held is looked at until that is judged. */
export function afterDeploy(
  wave: RolloutWave,
  {
    cells: all,
    record,
    control,
    policy,
    exposed,
  }: {
    readonly cells: readonly CellRecord[];
    readonly record: Pick<WaveRecord, 'held' | 'attempts'>;
    readonly control: Control;
    readonly policy: RolloutPolicy;
    /** Cells with the version, of whatever wave. */
    readonly exposed: number;
  },
): Of<'bake' | 'rollback' | 'end' | 'hand over'> {
  const { number } = wave;
  // Whatever became of them in an earlier attempt.
  const held = new Set(all.filter(({ heldIn }) => heldIn === record.attempts).map(({ cell }) => cell));
  const cells = all.filter(({ cell }) => !held.has(cell));
  const failed = cells.filter(({ status, apart }) => status === 'failed' && apart === undefined);
  const [broken] = failed;
  const stop = interrupted(control, { wave: number });
  if (stop?.action === 'rollback') return stop;
  if (broken) {
    const outcome = { wave: number, cell: broken.cell, sentence: broken.sentence ?? `${broken.cell} could not be deployed` };
    if (!isTolerated(cells, exposed, policy)) return { action: 'rollback', outcome };
    return { action: 'rollback', outcome, back: { scope: 'cells', cells: failed.map(({ cell }) => cell), apartFor: 'failure' } };
  }
  const lacking = lackingIn(wave, all);
  if (lacking.length === 0 || record.held !== undefined) return { action: 'bake' };
  if (stop) return stop;
  const [lost] = lacking.filter((cell) => !held.has(cell));
  if (lost === undefined) return { action: 'hand over', sentence: `waits for ${and(lacking)}` };
  const sentence = `${and(lacking.filter((cell) => !held.has(cell)))}: not deployed, and nothing says why`;
  return { action: 'rollback', outcome: { wave: number, cell: lost, sentence } };
}

/** When a bake that begins now ends, if nothing extends it. */
export const bakeEnd = (wave: Pick<RolloutWave, 'bakeSeconds'>, policy: RolloutPolicy, now: string): string =>
  later(now, wave.bakeSeconds * policy.timeScale);

export interface LookInput {
  readonly wave: RolloutWave;
  readonly record: WaveRecord;
  readonly policy: RolloutPolicy;
  readonly control: Control;
  /** Of the wave's cells that have the version. */
  readonly healths: readonly CellHealth[];
  /** What the alarms of all cells mean that have the version, of whatever wave. */
  readonly verdict: Verdict;
  /** Cells of the wave that lack the version, because nothing began while a cell was sick. */
  readonly lacking: readonly string[];
  /** As for the preflight. */
  readonly cures?: readonly string[] | undefined;
  /** The cell of the drill that this wave waits for. @default - none */
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
  verdict,
  lacking,
  cures = [],
  drill,
  now,
}: LookInput): Of<'wait' | 'again' | 'extend' | 'pass' | 'rollback' | 'end'> {
  const { rollback, stop } = control;
  if (rollback) return { action: 'rollback', outcome: { wave: wave.number, sentence: asked('rolled back', rollback) } };
  const judged = afterVerdict(verdict, wave.number, policy);
  // Whoever stops it while an alarm is judged has judged.
  if (judged && !(judged.action === 'wait' && stop)) return judged;
  // A halt in the middle of a bake leaves a version that nobody watches: it is stopped, not passed.
  if (stop) return { action: 'end', status: 'stopped', outcome: { wave: wave.number, sentence: asked('stopped', stop) } };
  if (lacking.length > 0) {
    const halt = interrupted(control, { wave: wave.number });
    return (
      halt ?? {
        action: 'again',
        sentence: `${verdict.verdict === 'blip' ? verdict.sentence : 'no cell is sick any more'}; goes on with ${and(lacking)}`,
      }
    );
  }
  const skip = control.skipBake?.[wave.number];
  if (skip && drill === undefined) return { action: 'pass', sentence: asked('bake skipped', skip) };

  const began = record.bakeBeganAt ?? now;
  const planned = bakeEnd(wave, policy, began);
  const elapsed = (at(now) - at(began)) / 1_000 / policy.timeScale;
  const left = (at(planned) - at(now)) / 1_000 / policy.timeScale;
  if (left > 0) {
    const seconds = scaled(nextLook(elapsed, left), policy.timeScale);
    return { action: 'wait', seconds, sentence: `baking until ${planned}` };
  }
  if (drill !== undefined) return withoutDrill(drill, wave, policy, { planned, now });
  // What fired and is quiet again was judged.
  const uncured = sick(healths.filter(({ cell }) => cures.includes(cell)).map((health) => ({ ...health, fired: [] })));
  if (uncured) {
    // Never back to the version that made it sick.
    const sentence = `${uncured.sentence}: not cured, and it keeps the version. \`cellctl rollout start --cures ${uncured.cell} --reason …\` has another version cure it`;
    return { action: 'end', status: 'stopped', outcome: { ...uncured, wave: wave.number, sentence } };
  }
  const wanting = unknown(healths) ?? idle(healths, policy.minRequestsPerCell);
  if (!wanting) return { action: 'pass', sentence: `baked ${spoken((at(now) - at(began)) / 1_000)} without an alarm` };
  const last = later(planned, secondsOf(policy.maxBakeExtension) * policy.timeScale);
  if (at(now) >= at(last)) {
    const sentence = `${wanting.sentence}, even after the bake was extended by ${policy.maxBakeExtension}`;
    const outcome = { ...wanting, sentence, wave: wave.number };
    // The cells that it cures would be sick again.
    return wave.cells.some((cell) => cures.includes(cell))
      ? { action: 'end', status: 'stopped', outcome }
      : { action: 'rollback', outcome };
  }
  const beyond = (at(last) - at(now)) / 1_000 / policy.timeScale;
  const seconds = scaled(nextLook(elapsed, beyond), policy.timeScale);
  return { action: 'extend', seconds, until: last, sentence: `${wanting.sentence}; extended until ${last} at most` };
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
