/**
 * How long the history of a wave's execution becomes, computed before anything starts: an execution that reaches the limit
 * is ended by Step Functions in the middle of whatever it does. Pure.
 */
import { type RolloutPolicy, seconds } from '../registry/index.ts';
import { calendarWait, looksAtFreeze, looksForDrill, looksIn } from './looks.ts';
import { eventsOf, runWave } from './machines.ts';

/** Events that the history of one execution may hold. Source: "Service quotas", AWS Step Functions Developer Guide. */
export const MOST_EVENTS = 25_000;

/** Events that a call adds each time it is tried again: scheduled, started, failed. Source: as for `eventsOf`. */
const EVENTS_OF_A_RETRY = 3;
/** Times that a call is tried again, on average over a whole wave: every one of them throttled once would be a very bad day. */
const RETRIES = 1;
/** The execution's own: its start and its end. */
const FRAME = 2;

/** Events of a wave's execution at most, and what they are for. */
export interface HistoryBudget {
  /** While alarms have no data yet. */
  readonly grace: number;
  /** While calendars are closed. */
  readonly calendar: number;
  /** While it is frozen. An execution that waits for that deploys nothing: another one does. */
  readonly freeze: number;
  /** While cells are deployed, and those that have the version are watched. */
  readonly watch: number;
  /** While the wave bakes, as long as it can be extended. */
  readonly bake: number;
  /** The rest, with a rollback: the same for any number of cells, since each is an execution of its own. */
  readonly frame: number;
  /** Of all of them together. */
  readonly events: number;
}

/** Looks at a deployment: some at its beginning, then about two for each batch, and in days so many at most, as they become rarer. */
const [FIRST_WATCHES, MOST_WATCHES] = [10, 1_000];

const machine = runWave();

/** Events of one round through these states, with what is tried again. */
const round = (...names: readonly string[]): number =>
  eventsOf(machine, names) + names.filter((name) => machine.States[name]?.Type === 'Task').length * RETRIES * EVENTS_OF_A_RETRY;

/** How often a calendar is looked at that opens in so many seconds. */
function looksAtCalendar(closedSeconds: number): number {
  let looks = 0;
  for (let left = closedSeconds; left > 0; looks++) left -= calendarWait(left);
  return looks;
}

type Waits = Pick<RolloutPolicy, 'timeScale' | 'alarmGrace' | 'maxBakeExtension'>;

/**
 * @param bakeSeconds before the time scale
 * @param closedSeconds how long the wave may have to wait for its calendars, before the time scale
 * @param drilled whether the wave waits for a drill
 * @param batches how often as many cells are deployed as the policy has at once
 */
export function historyBudget(
  bakeSeconds: number,
  { timeScale, alarmGrace, maxBakeExtension }: Waits,
  closedSeconds = 0,
  drilled = false,
  batches = 1,
): HistoryBudget {
  const again = round('Preflight', 'PreflightSays', 'PreflightWait');
  const longer = (drilled ? looksForDrill : looksIn)(seconds(maxBakeExtension), timeScale);
  const looks = looksIn(bakeSeconds, timeScale) + longer;
  const parts = {
    grace: again * looksIn(seconds(alarmGrace), timeScale),
    calendar: again * looksAtCalendar(closedSeconds * timeScale),
    freeze: again * looksAtFreeze(timeScale),
    watch: round('Watch', 'WatchSays', 'WatchLater') * Math.min(MOST_WATCHES, FIRST_WATCHES + 2 * batches),
    bake: round('Bake', 'Look', 'LookSays') * looks,
    frame:
      FRAME +
      round('Preflight', 'PreflightSays', 'Deploying', 'Deploy', 'Watched', 'Deployed', 'DeployedSays') +
      round('Broken', 'BrokenSays', 'ChooseCells', 'PutBack', 'Restored', 'Ended', 'Failed'),
  };
  const { grace, calendar, freeze, watch, bake, frame } = parts;
  return { ...parts, events: frame + grace + calendar + Math.max(freeze, watch + bake) };
}

/** The longest bake, in whole hours before the time scale, whose wave stays within {@link MOST_EVENTS}; 0 for none. */
export function longestBakeHours(waits: Waits, closedSeconds = 0): number {
  let hours = 0;
  for (let step = 8_192; step >= 1; step /= 2) {
    if (historyBudget((hours + step) * 3_600, waits, closedSeconds).events <= MOST_EVENTS) hours += step;
  }
  return hours;
}
