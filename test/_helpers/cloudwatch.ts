/**
 * How CloudWatch evaluates a metric alarm, as far as missing data goes. It looks at more periods than the alarm asks for; where
 * enough of these have data, gaps don't count, and otherwise it fills in as many as are missing.
 * Source: "Configuring how CloudWatch alarms treat missing data", Amazon CloudWatch User Guide, read on 2026-11-30.
 */
import type { AlarmPlan } from '../../lib/plan/alarms.ts';

/** Periods that are looked at besides those that the alarm asks for, as in the tables of that source. */
const LOOK_BACK = 2;

/** One period: its value, or undefined where none has arrived. */
export type Period = number | undefined;

type Evaluated = Pick<AlarmPlan, 'datapoints' | 'fires' | 'threshold' | 'missing'>;

/** Whether the alarm fires after the period `at`. */
function fires(
  { datapoints: [points, periods], fires: when, threshold, missing }: Evaluated,
  values: readonly Period[],
  at: number,
): boolean {
  const beyond = (value: number) => (when === 'above' ? value > threshold : value < threshold);
  let there = 0;
  let breaching = 0;
  for (let index = at; index > at - periods - LOOK_BACK && there < periods; index--) {
    const value = values[index];
    if (value === undefined) continue;
    there++;
    if (beyond(value)) breaching++;
  }
  return breaching + (missing === 'breaching' ? periods - there : 0) >= points;
}

/** Periods at whose end the alarm goes off, having been quiet. The first look is once every period that it asks for is over. */
export function firings(alarm: Evaluated, values: readonly Period[]): number[] {
  const found: number[] = [];
  let before = false;
  for (let at = alarm.datapoints[1] + LOOK_BACK; at < values.length; at++) {
    const now = fires(alarm, values, at);
    if (now && !before) found.push(at);
    before = now;
  }
  return found;
}
