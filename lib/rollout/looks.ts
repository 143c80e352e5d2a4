/** When a rollout looks again: at a bake, a deployment, a closed calendar, a freeze, or for a drill. Pure. */
import type { CellRecord } from './rollout-record.ts';

/** Seconds between two looks at the start of a bake. */
export const FIRST_LOOK = 30;
/** Seconds between two looks at most. An alarm that fires in between is found in the history, so that a longer gap costs time only. */
const LAST_LOOK = 300;
/** Share of the time gone by after which to look again. */
const LOOK_GROWTH = 0.05;

/** A wait by the policy's time scale, in whole seconds; Step Functions waits no shorter than one. */
export const scaled = (seconds: number, timeScale: number): number => Math.max(1, Math.round(seconds * timeScale));

/** Seconds until the next look, `elapsed` after the bake began and `left` before it ends, before the time scale. */
export const nextLook = (elapsed: number, left: number): number =>
  Math.max(1, Math.min(Math.max(FIRST_LOOK, elapsed * LOOK_GROWTH), LAST_LOOK, left));

/**
 * How many looks a bake of so many seconds takes at most.
 * @param timeScale waits are rounded to whole seconds, which in a rehearsal makes some of them shorter
 */
export function looksIn(seconds: number, timeScale = 1): number {
  const longest = scaled(LAST_LOOK, timeScale) / timeScale;
  let looks = 1;
  for (let elapsed = 0; elapsed < seconds; ) {
    // After the first hours, each is as long as the one before, up to the last ones.
    const alike = elapsed * LOOK_GROWTH < LAST_LOOK ? 0 : Math.floor((seconds - elapsed - LAST_LOOK) / longest);
    const some = Math.max(1, alike);
    elapsed += alike > 0 ? alike * longest : scaled(nextLook(elapsed, seconds - elapsed), timeScale) / timeScale;
    looks += some;
  }
  return looks;
}

/**
 * Seconds until the next look at a closed calendar that opens in `left`. The farther away, the longer: what people ask for
 * meanwhile is seen late then, but nothing is under way that it could halt, and the history of the execution stays short: a
 * year takes some four hundred looks, and one every hour would be more than an execution may have.
 */
export const calendarWait = (left: number): number =>
  Math.max(1, Math.ceil(Math.min(left, Math.max(LAST_LOOK, Math.min(left / 20, 3_600), Math.min(left, 366 * 86_400) / 50))));

/** Looks after a success, however long they go on. */
const AFTER_LOOKS = 100;

/** Seconds between two looks after a success that are to go on for so many. */
export const afterLook = (total: number): number => Math.max(1, Math.round(total / AFTER_LOOKS));

/** Seconds between two looks at a freeze at most. */
const LAST_FREEZE_LOOK = 900;

/** How long one execution waits for a freeze, in seconds; then another does, because the history of each is limited. */
export const LONGEST_FROZEN = 7 * 86_400;

/**
 * Seconds until the next look at a freeze, which may be lifted at any time. People do that at their own pace, so that only the
 * first looks follow the time scale.
 * @param elapsed seconds that it has been waited for @param left seconds until it ends by itself
 */
export const freezeLook = (elapsed: number, left: number, timeScale: number): number =>
  Math.max(1, Math.round(Math.min(Math.max(FIRST_LOOK * timeScale, elapsed * LOOK_GROWTH), LAST_FREEZE_LOOK, left)));

/** How many looks an execution takes at most that waits for a freeze as long as one does. */
export function looksAtFreeze(timeScale: number): number {
  let looks = 1;
  for (let elapsed = 0; elapsed < LONGEST_FROZEN; looks++) elapsed += freezeLook(elapsed, Number.POSITIVE_INFINITY, timeScale);
  return looks;
}

/** Times that a deployment of days is looked at, at most, before looks become rarer. */
const WATCHES = 200;

/** Seconds until the next look while cells are deployed: about as long as a cell takes, so that few have begun in between. */
export function watchAgain(cells: readonly CellRecord[], elapsed: number, timeScale: number): number {
  const taken = cells.flatMap(({ status, startedAt, endedAt }) =>
    status === 'deployed' && startedAt && endedAt ? [Date.parse(endedAt) - Date.parse(startedAt)] : [],
  );
  const mean = taken.length === 0 ? 0 : taken.reduce((sum, each) => sum + each, 0) / taken.length / 1_000;
  return scaled(Math.max(FIRST_LOOK, Math.min(LAST_LOOK, mean), elapsed / timeScale / WATCHES), timeScale);
}

/**
 * Seconds between two looks at a wave whose bake is over by so many seconds, and which waits for a drill. Only the first are as
 * close as the time scale has them: a drill is run by people and programs, and they are no faster in a rehearsal.
 */
export const drillLook = (overdue: number, left: number, timeScale: number): number =>
  Math.max(1, Math.round(Math.min(Math.max(FIRST_LOOK * timeScale, overdue * LOOK_GROWTH), LAST_LOOK, left)));

/** How many looks a wait of so many seconds for a drill takes at most. */
export function looksForDrill(seconds: number, timeScale: number): number {
  let looks = 1;
  for (let overdue = 0; overdue < seconds; looks++) overdue += drillLook(overdue, seconds - overdue, timeScale);
  return looks;
}

/** Seconds between two looks at a stack that is being changed, at most. */
export const POLL_SECONDS = 15;
/** The same once it has taken an hour: looks a quarter of a minute apart would fill the history of six hours. */
const LONG_POLL_SECONDS = 60;
/** Share of the time gone by after which to look again: in a rehearsal, looks a second apart would fill the history of an hour. */
const POLL_GROWTH = 0.05;

/** Seconds until the next look at a change that has taken `elapsed` seconds. */
export function nextPoll(elapsed: number, timeScale: number): number {
  const latest = elapsed > 3_600 ? LONG_POLL_SECONDS : POLL_SECONDS;
  return Math.min(latest, Math.max(scaled(POLL_SECONDS, timeScale), Math.round(elapsed * POLL_GROWTH)));
}
