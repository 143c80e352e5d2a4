import { describe, expect, test } from '@jest/globals';
import { historyBudget, longestBakeHours, MOST_EVENTS } from '../../../lib/rollout/budget.ts';
import { looksIn } from '../../../lib/rollout/looks.ts';

const policy = { timeScale: 1, alarmGrace: '10m', maxBakeExtension: '2h' };
const HOUR = 3_600;

describe('the history of a wave', () => {
  // Of 300 cells or of one: each cell is an execution of its own, so that their number is no part of it.
  test('of a bake of 48 hours is far from what Step Functions allows', () => {
    const { bake, events } = historyBudget(48 * HOUR, policy);
    expect(events).toBeLessThan(MOST_EVENTS / 2);
    // Mostly a look each five minutes, each of which is retried once.
    expect(looksIn(48 * HOUR)).toBeGreaterThan(48 * 12);
    expect(bake).toBeGreaterThan(48 * 12 * 9);
  });

  test('is full by a bake of more than a week', () => {
    const longest = longestBakeHours(policy);
    expect(longest).toBeGreaterThan(6 * 24);
    expect(longest).toBeLessThan(14 * 24);
    expect(historyBudget(longest * HOUR, policy).events).toBeLessThanOrEqual(MOST_EVENTS);
    expect(historyBudget((longest + 1) * HOUR, policy).events).toBeGreaterThan(MOST_EVENTS);
  });

  test('holds the wait for calendars, which may be closed for a year', () => {
    const day = historyBudget(HOUR, policy, 24 * HOUR);
    const year = historyBudget(HOUR, policy, 366 * 24 * HOUR);
    expect(day.calendar).toBeGreaterThan(0);
    expect(year.calendar).toBeGreaterThan(day.calendar);
    expect(year.events).toBeLessThan(0.6 * MOST_EVENTS);
    expect(longestBakeHours(policy, 366 * 24 * HOUR)).toBeLessThan(longestBakeHours(policy));
  });

  test.each([1, 0.02])('holds the wait for a freeze, by a time scale of %d: a week of it after a year of closed calendars', (timeScale) => {
    const { freeze, events } = historyBudget(HOUR, { ...policy, timeScale }, 366 * 24 * HOUR);
    // A look every quarter of an hour, each of which is retried once.
    expect(freeze).toBeGreaterThan(7 * 24 * 4 * 9);
    expect(events).toBeLessThan(0.7 * MOST_EVENTS);
    expect(events).toBeGreaterThan(freeze);
  });

  test('holds the wait for data, and the longer bake', () => {
    const short = historyBudget(HOUR, policy);
    expect(historyBudget(HOUR, { ...policy, alarmGrace: '10h' }).grace).toBeGreaterThan(5 * short.grace);
    expect(longestBakeHours({ ...policy, alarmGrace: '8d' })).toBe(0);
    expect(historyBudget(HOUR, { ...policy, maxBakeExtension: '2d' }).bake).toBeGreaterThan(5 * short.bake);
  });

  test.each([1, 0.02, 0.0001])('holds the wait for a drill, which no time scale of %d shortens', (timeScale) => {
    const rehearsal = { ...policy, timeScale };
    const bake = (drilled: boolean) => historyBudget(HOUR, rehearsal, 0, drilled).bake;
    expect(bake(true) / bake(false)).toBeGreaterThanOrEqual(1);
    expect(historyBudget(48 * HOUR, rehearsal, 0, true).events).toBeLessThan(MOST_EVENTS / 2);
    expect(historyBudget(HOUR, { ...rehearsal, maxBakeExtension: '2d' }, 0, true).bake).toBeGreaterThan(3 * bake(true));
  });

  test.each([0.5, 0.1, 0.05, 0.02, 0.001])(
    'of a rehearsal at %d takes no more than twice as many looks: waits are rounded to seconds',
    (timeScale) => {
      const real = historyBudget(48 * HOUR, policy).bake;
      const rehearsed = historyBudget(48 * HOUR, { ...policy, timeScale }).bake;
      expect(rehearsed).toBeLessThan(2 * real);
      expect(historyBudget(48 * HOUR, { ...policy, timeScale }).events).toBeLessThan(MOST_EVENTS);
    },
  );
});
