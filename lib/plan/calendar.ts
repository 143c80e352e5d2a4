/**
 * When cells may be deployed to. Pure: who asks says what time it is.
 *
 * Zone arithmetic is Temporal's, which says what a time means that a clock shows twice, or never; Intl alone only goes the
 * other way, from an instant to what a clock shows.
 */
import { Temporal } from 'temporal-polyfill';
import type { Calendar } from '../registry/index.ts';

/** A calendar, as far as it says anything: the organization's has blackouts only. */
export type Hours = Pick<Calendar, 'blackouts'> & Partial<Pick<Calendar, 'timeZone' | 'windows'>>;

/** Whether something may begin. */
export type Opening =
  | { readonly open: true }
  | {
      readonly open: false;
      /** From when on it may; undefined where that is not within a year. */
      readonly until: Date | undefined;
      /** What keeps it closed now, to stand after a name: `is closed for Christmas`. */
      readonly reason: string;
    };

/** Who is asked for. */
export interface Visited {
  readonly name: string;
  readonly calendars: readonly Hours[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** How far ahead is looked. */
const HORIZON_MS = 366 * DAY_MS;
/** Days within which every window begins again, also one that fell into an hour that a clock left out. */
const TWO_WEEKS = 15;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

type Window = Calendar['windows'][number];
type Interval = readonly [start: number, end: number];
type Obstacle = { readonly until: number | undefined; readonly reason: string };

/**
 * The first instant at which a clock shows `time` of that day, or later. A clock that is put forward past `time` shows a later
 * one at the moment of that; one that is put back shows it twice, and the first time counts.
 */
function firstShowing(day: Temporal.PlainDate, time: string, timeZone: string): number {
  if (time === '24:00') return firstShowing(day.add({ days: 1 }), '00:00', timeZone);
  const local = day.toPlainDateTime(time);
  const found = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  const moment = found.toPlainDateTime().equals(local) ? found : found.getTimeZoneTransition('next');
  return (moment ?? found).epochMilliseconds;
}

/** The windows of one calendar, as intervals of instants, day by day. */
class Windows {
  private readonly days = new Map<string, readonly Interval[]>();

  constructor(
    private readonly windows: readonly Window[],
    private readonly timeZone: string,
  ) {}

  /** What keeps closed at `instant`; undefined in a window. */
  at(instant: number): Obstacle | undefined {
    const today = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(this.timeZone).toPlainDate();
    // A window that goes past midnight began yesterday.
    const isOpen = [today.subtract({ days: 1 }), today].some((day) =>
      this.of(day).some(([start, end]) => start <= instant && instant < end),
    );
    return isOpen ? undefined : { until: this.nextStart(today, instant), reason: `is closed outside of ${this}` };
  }

  private nextStart(today: Temporal.PlainDate, instant: number): number | undefined {
    for (let ahead = 0; ahead < TWO_WEEKS; ahead++) {
      const starts = this.of(today.add({ days: ahead })).flatMap(([start]) => (start > instant ? [start] : []));
      if (starts.length > 0) return Math.min(...starts);
    }
    return undefined;
  }

  /** Windows that begin on `day`. One that lies in an hour that the clock leaves out is none on that day. */
  private of(day: Temporal.PlainDate): readonly Interval[] {
    const key = day.toString();
    const known = this.days.get(key);
    if (known) return known;
    const name = DAYS[day.dayOfWeek - 1];
    const intervals = this.windows
      .filter(({ days }) => days.some((each) => each === name))
      .map(({ from, until }): Interval => {
        const lastDay = until > from ? day : day.add({ days: 1 });
        return [firstShowing(day, from, this.timeZone), firstShowing(lastDay, until, this.timeZone)];
      })
      .filter(([start, end]) => start < end);
    this.days.set(key, intervals);
    return intervals;
  }

  toString(): string {
    const shown = this.windows.slice(0, 3).map(({ days, from, until }) => `${days.join(', ')} ${from} to ${until}`);
    return `${shown.join('; ')}${this.windows.length > 3 ? '; …' : ''} (${this.timeZone})`;
  }
}

/** What can keep closed, each thing once. With ten thousand cells, most have nothing, and many the same. */
class Obstacles {
  private readonly windows = new Map<string, { windows: Windows; names: Set<string> }>();
  private readonly blackouts = new Map<string, { from: number; until: number; reason: string; names: Set<string> }>();

  constructor(visited: readonly Visited[]) {
    for (const { name, calendars } of visited) {
      for (const { timeZone = 'UTC', windows = [], blackouts } of calendars) {
        if (windows.length > 0) {
          const made = () => ({ windows: new Windows(windows, timeZone), names: new Set<string>() });
          entry(this.windows, JSON.stringify([timeZone, windows]), made).names.add(name);
        }
        for (const { from, until, reason } of blackouts) {
          const made = () => ({ from: Date.parse(from), until: Date.parse(until), reason, names: new Set<string>() });
          entry(this.blackouts, JSON.stringify([from, until, reason]), made).names.add(name);
        }
      }
    }
  }

  /** Everything that keeps closed at `instant`, with whom it does. */
  at(instant: number): readonly (Obstacle & { readonly names: ReadonlySet<string> })[] {
    return [
      ...[...this.blackouts.values()]
        .filter(({ from, until }) => from <= instant && instant < until)
        .map(({ until, reason, names }) => ({ until, reason: `is closed for ${reason}`, names })),
      ...[...this.windows.values()].flatMap(({ windows, names }) => {
        const obstacle = windows.at(instant);
        return obstacle ? [{ ...obstacle, names }] : [];
      }),
    ];
  }
}

/** The value of `key`, made where there is none. */
function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** The first instant from `from` on at which nothing is in the way; undefined for none within a year. */
function clearFrom(obstacles: Obstacles, from: number): number | undefined {
  let instant = from;
  for (;;) {
    const found = obstacles.at(instant);
    if (found.length === 0) return instant;
    // Each stays in the way at least until then, so nothing is missed by going on to the last.
    const next = Math.max(...found.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
    if (next > from + HORIZON_MS) return undefined;
    instant = next;
  }
}

/**
 * Whether all calendars are open at an instant. A calendar is open in its windows, from the first instant at which a clock in
 * its time zone shows `from` or later to the first at which it shows `until` or later, and outside of its blackouts; without
 * windows, always. Beginnings count to what they begin, ends don't.
 */
export function openAt(calendars: readonly Hours[], instant: Date): Opening {
  return opening([{ name: '', calendars }], instant, (_, reason) => reason);
}

/**
 * Whether all who are named are open at an instant, and from when on all are at once. The reason is that of one who is closed,
 * after its name: `alpha is closed for Christmas`.
 */
export function openTogether(visited: readonly Visited[], instant: Date): Opening {
  return opening(visited, instant, (names, reason) => {
    const [first = ''] = names;
    return names.length === 1
      ? `${first} ${reason}`
      : `${first} ${reason}, as ${names.length - 1} more ${names.length === 2 ? 'is' : 'are'}`;
  });
}

function opening(visited: readonly Visited[], instant: Date, say: (names: readonly string[], reason: string) => string): Opening {
  const obstacles = new Obstacles(visited);
  const now = instant.getTime();
  const [first] = obstacles.at(now);
  if (!first) return { open: true };
  const until = clearFrom(obstacles, now);
  return { open: false, until: until === undefined ? undefined : new Date(until), reason: say([...first.names], first.reason) };
}
