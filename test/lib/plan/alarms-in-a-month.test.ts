/** A month of metrics of a cell that is well, with the gaps that AWS leaves in them: no alarm may go off. */
import { describe, expect, test } from '@jest/globals';
import { type AlarmId, type AlarmPlan, plannedAlarms } from '../../../lib/plan/alarms.ts';
import { capacityOf, resourcesOf, STAGE_PROFILES } from '../../../lib/registry/sizes.ts';
import { firings, type Period } from '../../_helpers/cloudwatch.ts';

const cell = {
  name: 'alpha',
  resources: resourcesOf({ size: 'small', stage: 'production', overrides: {} }),
  capacity: capacityOf('small', 'production', 'shared'),
  profile: STAGE_PROFILES.production,
};
const alarms = new Map(plannedAlarms(cell).map((alarm) => [alarm.id, alarm]));
const alarm = (id: AlarmId): AlarmPlan => {
  const found = alarms.get(id);
  if (!found) throw new Error(`no alarm ${id}`);
  return found;
};

const MINUTES = 30 * 24 * 60;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What happens to a source of metrics now and then: how often in a month, and for how many minutes it is silent. */
interface Gap {
  readonly times: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Assumptions, larger than what is seen: nobody has measured them for this project. A run of the probe that begins late leaves its
 * minute empty; a deployment that changes the probe makes its function anew; queries see the newest minutes late; an instance or
 * a node that is changed, patched or fails over says nothing meanwhile.
 */
const GAPS = {
  probe: [
    { times: 400, from: 1, to: 1 },
    { times: 40, from: 2, to: 3 },
    { times: 10, from: 4, to: 8 },
  ],
  database: [
    { times: 60, from: 1, to: 2 },
    { times: 4, from: 5, to: 20 },
  ],
  cache: [
    { times: 400, from: 1, to: 3 },
    { times: 4, from: 5, to: 20 },
  ],
} as const satisfies Readonly<Record<string, readonly Gap[]>>;

const SOURCES: Partial<Record<AlarmId, keyof typeof GAPS>> = {
  'probe-failures': 'probe',
  'probe-silent': 'probe',
  'database-cpu': 'database',
  'database-connections': 'database',
  'database-storage': 'database',
  'database-silent': 'database',
  'cache-memory': 'cache',
  'cache-evictions': 'cache',
  'cache-cpu': 'cache',
  'cache-silent': 'cache',
};

/** Minutes of a month in which the source reports. */
function reporting(gaps: readonly Gap[], next: () => number): boolean[] {
  const minutes = Array.from({ length: MINUTES }, () => true);
  for (const { times, from, to } of gaps)
    for (let n = 0; n < times; n++) minutes.fill(false, ...span(Math.floor(next() * MINUTES), from + Math.floor(next() * (to - from + 1))));
  return minutes;
}
const span = (start: number, length: number): [number, number] => [start, start + length];

/** The alarm's periods, of what is reported in each minute. Of a metric that counts, how many minutes that are. */
function periodsOf(
  { id, minutes, fires }: Pick<AlarmPlan, 'id' | 'minutes' | 'fires'>,
  reported: readonly boolean[],
  well: number,
): Period[] {
  return Array.from({ length: Math.floor(reported.length / minutes) }, (_, index) => {
    const count = reported.slice(index * minutes, (index + 1) * minutes).filter(Boolean).length;
    if (count === 0) return undefined;
    return id.endsWith('-silent') && fires === 'below' ? count : well;
  });
}

/** A value that a cell has that is well. */
const wellFor = ({ fires, threshold }: AlarmPlan) => (fires === 'above' ? threshold / 2 : threshold * 2);

describe('in a month with gaps', () => {
  test.each(Object.entries(SOURCES) as [AlarmId, keyof typeof GAPS][])('%s never goes off while the cell is well', (id, source) => {
    const plan = alarm(id);
    for (let seed = 1; seed <= 6; seed++) {
      const reported = reporting(GAPS[source], random(seed));
      expect({ seed, at: firings(plan, periodsOf(plan, reported, wellFor(plan))) }).toEqual({ seed, at: [] });
    }
  });

  test('an alarm that takes a gap for a fault goes off every few days: such gaps are no rarity', () => {
    const before = { ...alarm('probe-failures'), datapoints: [2, 3], missing: 'breaching' } as const;
    const found = firings(before, periodsOf(before, reporting(GAPS.probe, random(1)), 100));
    expect(found.length).toBeGreaterThan(5);
  });
});

describe('when something is wrong', () => {
  /** A day that is well, and from noon on is not: what is reported then, if anything. */
  const noon = 12 * 60;
  const day = (id: AlarmId, value: Period): number | undefined => {
    const plan = alarm(id);
    const reported = Array.from({ length: 24 * 60 }, (_, minute) => minute < noon || value !== undefined);
    const values = periodsOf(plan, reported, wellFor(plan)).map((well, index) =>
      index * plan.minutes >= noon && value !== undefined ? value : well,
    );
    const [first] = firings(plan, values);
    return first === undefined ? undefined : (first + 1) * plan.minutes - noon;
  };

  test.each([
    ['probe-failures', 0, 5],
    ['probe-silent', undefined, 30],
    ['database-cpu', 95, 10],
    ['database-connections', 5_000, 5],
    ['database-silent', undefined, 45],
    ['cache-memory', 95, 5],
    ['cache-evictions', 10_000, 5],
    ['cache-cpu', 60, 5],
    ['cache-silent', undefined, 45],
  ] satisfies [AlarmId, Period, number][])('%s goes off: with %s within %s minutes', (id, value, within) => {
    const after = day(id, value);
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThanOrEqual(within);
  });
});
