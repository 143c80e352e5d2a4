import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ROLLOUT_DEFAULTS } from '../../../lib/registry/define.ts';
import { chanceOf, type JudgeInput, judge, NOISE, onAlarmOf, type SickCell, toleratedOf } from '../../../lib/rollout/judge.ts';
import { runs } from '../../_helpers/properties.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (minutes: number) => new Date(T0 + minutes * 60_000).toISOString();
const named = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
const waveOf = (cells: number, number = 3) => ({
  number,
  name: number === 0 ? 'staging' : 'rest',
  cells: named(cells),
  bakeSeconds: 7_200,
});
const sick = (cell: string, since = 0, still = true, wave = 3): SickCell => ({
  cell,
  wave,
  since: at(since),
  still,
  sentence: `${cell}: x`,
});

/** A wave of so many cells, in which so many fell sick, a quarter of an hour after it began. */
const input = (cells: number, count: number, change: Partial<JudgeInput> = {}): JudgeInput => ({
  wave: waveOf(cells),
  policy: ROLLOUT_DEFAULTS,
  sick: named(count).map((cell) => sick(cell, 10)),
  all: { cells, sick: count },
  own: { cells, sick: count },
  others: { cells: 0, sick: 0 },
  apart: 0,
  began: at(0),
  now: at(15),
  ...change,
});

describe('an alarm', () => {
  test('of no cell is nothing', () => expect(judge(input(100, 0))).toEqual({ verdict: 'well' }));

  test('in one of a thousand cells is neither proof nor noise: nothing begins, and it is watched', () => {
    expect(judge(input(1_000, 1))).toMatchObject({ verdict: 'hold', sentence: 'c0: x; nothing begins until that is judged' });
  });

  test('that cleared by itself is a blip', () => {
    expect(judge(input(1_000, 1, { sick: [sick('c0', 10, false)] }))).toMatchObject({ verdict: 'blip' });
  });

  test.each([1, 2, 3])('in a wave of %d cells has it rolled back at once', (cells) => {
    expect(judge(input(cells, 1))).toMatchObject({ verdict: 'blame', scope: 'wave', cell: 'c0', sentence: 'c0: x' });
  });

  test('in staging has it rolled back at once, however many cells that has', () => {
    expect(judge(input(30, 1, { wave: waveOf(30, 0), sick: [sick('c0', 1, true, 0)] }))).toMatchObject({ verdict: 'blame', scope: 'wave' });
  });

  test('in a cell of an earlier wave is judged, and then has everything rolled back: the wave alone would leave it as it is', () => {
    const elder = { sick: [sick('c9', 1, true, 1)], own: { cells: 2, sick: 0 } };
    expect(judge(input(2, 1, elder))).toMatchObject({ verdict: 'hold' });
    expect(judge(input(2, 1, { ...elder, now: at(31) }))).toMatchObject({ verdict: 'blame', scope: 'all', cell: 'c9' });
    const waves = ROLLOUT_DEFAULTS.waves.map((wave) => ({ ...wave, onAlarm: 'rollback-wave' as const }));
    const policy = { ...ROLLOUT_DEFAULTS, waves };
    expect(judge(input(2, 1, { ...elder, policy }))).toMatchObject({ verdict: 'blame', scope: 'all', cell: 'c9' });
  });

  test.each([
    ['stop', { verdict: 'stop', cell: 'c0' }],
    ['rollback-wave', { verdict: 'blame', scope: 'wave' }],
    ['rollback-all', { verdict: 'blame', scope: 'all' }],
    ['judge', { verdict: 'hold' }],
  ] as const)('leads to %s where the wave says so', (onAlarm, expected) => {
    const waves = ROLLOUT_DEFAULTS.waves.map((wave) => ({ ...wave, onAlarm }));
    expect(judge(input(100, 1, { policy: { ...ROLLOUT_DEFAULTS, waves } }))).toMatchObject(expected);
  });
});

describe('where fewer than twenty cells have the version', () => {
  test('the second that falls sick is to blame on it, also when the first is well again', () => {
    const two = input(10, 2, { sick: [sick('c1', 10)] });
    expect(judge(two)).toMatchObject({ verdict: 'blame', scope: 'all', numbers: { sick: 2, of: 10 } });
  });

  test('an alarm that does not clear within the time of a diagnosis is', () => {
    expect(judge(input(10, 1, { now: at(39) }))).toMatchObject({ verdict: 'hold' });
    expect(judge(input(10, 1, { now: at(40) }))).toMatchObject({
      verdict: 'blame',
      sentence: expect.stringContaining('not cleared within 30m'),
    });
  });

  test('a rehearsal has less patience, by its time scale', () => {
    expect(judge(input(10, 1, { policy: { ...ROLLOUT_DEFAULTS, timeScale: 0.01 } }))).toMatchObject({ verdict: 'blame' });
  });
});

describe('where many cells have the version', () => {
  test('a twentieth of them, and at least two, are to blame on it, whatever the size of the wave', () => {
    for (let cells = 20; cells <= 10_000; cells = Math.ceil(cells * 1.07)) {
      const count = Math.max(2, Math.ceil(cells / 20));
      // Their alarms may be quiet again.
      expect({ cells, ...judge(input(cells, count, { sick: [sick('c0', 10)] })) }).toMatchObject({ verdict: 'blame', scope: 'all' });
    }
  });

  test('as many as chance makes sick are not', () => {
    for (const cells of [100, 350, 1_000, 10_000]) {
      const usual = Math.ceil(cells * NOISE * 2.25);
      expect({ cells, usual, verdict: judge(input(cells, usual, { sick: [sick('c0', 10)] })).verdict }).toMatchObject({ verdict: 'hold' });
    }
  });

  test('nor are many, when cells without the version fall sick as often', () => {
    expect(judge(input(100, 8))).toMatchObject({ verdict: 'blame' });
    expect(judge(input(100, 8, { others: { cells: 100, sick: 8 } }))).toMatchObject({ verdict: 'hold' });
  });

  test('one that stays sick is rolled back alone, within what is tolerated; beyond that a person is asked', () => {
    const lasting = (apart: number) => judge(input(1_000, 1, { now: at(45), apart }));
    expect(lasting(0)).toMatchObject({ verdict: 'alone', cells: [{ cell: 'c0' }], numbers: { sick: 1, of: 1_000 } });
    expect(lasting(9)).toMatchObject({ verdict: 'alone' });
    expect(lasting(10)).toMatchObject({ verdict: 'ask', sentence: expect.stringContaining('no more than 10 may be rolled back alone') });
  });
});

test('the chance of so many is that of a Poisson distribution', () => {
  expect(chanceOf(0, 3)).toBe(1);
  expect(chanceOf(1, 0.5)).toBeCloseTo(1 - Math.exp(-0.5), 12);
  expect(chanceOf(3, 1)).toBeCloseTo(0.080_301_397, 8);
  fc.assert(
    fc.property(fc.nat(60), fc.double({ min: 0, max: 40, noNaN: true }), (count, expected) => {
      const chance = chanceOf(count, expected);
      expect(chance).toBeGreaterThanOrEqual(0);
      expect(chance).toBeLessThanOrEqual(1);
      expect(chanceOf(count + 1, expected)).toBeLessThanOrEqual(chance);
    }),
    { numRuns: runs(500) },
  );
});

test('a tolerance is a number of cells, or a percentage of which there is at least one', () => {
  expect(toleratedOf({ cells: 0 }, 1_000)).toBe(0);
  expect(toleratedOf({ percent: 1 }, 20)).toBe(1);
  expect(toleratedOf({ percent: 1 }, 1_000)).toBe(10);
});

test('a wave says for itself what follows an alarm; small ones roll back as far as a failure does', () => {
  expect(onAlarmOf(waveOf(4), ROLLOUT_DEFAULTS, true)).toBe('judge');
  expect(onAlarmOf(waveOf(3), ROLLOUT_DEFAULTS, true)).toBe('rollback-wave');
  expect(onAlarmOf(waveOf(3), ROLLOUT_DEFAULTS, false)).toBe('judge');
  expect(onAlarmOf(waveOf(40, 0), { ...ROLLOUT_DEFAULTS, onFailure: 'rollback-all' }, true)).toBe('rollback-all');
});
