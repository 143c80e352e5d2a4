import { describe, expect, test } from '@jest/globals';
import { cellPictures, pictureOf } from '../../../lib/rollout/picture.ts';
import type { CellRecord } from '../../../lib/rollout/rollout-record.ts';
import { ago, NOW, rollout } from '../../_helpers/rollout-view.ts';

const picture = (story: Parameters<typeof rollout>[0]) => {
  const { view, cells } = rollout(story);
  return pictureOf(view, cells, NOW);
};
const PASSED = { status: 'passed', attempts: 1, startedAt: ago(30), endedAt: ago(20) } as const;
const BAKING = { status: 'baking', attempts: 1, startedAt: ago(20), bakeBeganAt: ago(15), bakeUntil: ago(-45) } as const;
const deployed = (cell: string, wave: number): CellRecord => ({
  ...{ cell, wave, status: 'deployed', previous: '1.0.0' },
  ...{ startedAt: ago(20), endedAt: ago(18) },
});

describe('a picture', () => {
  test('says of each wave what became of its cells, and when a bake is over', () => {
    const { waves, sentence, halted, well } = picture({
      waves: { 0: PASSED, 1: BAKING },
      cells: [deployed('staging', 0), deployed('alpha', 1)],
    });
    expect({ sentence, halted, well }).toEqual({ sentence: undefined, halted: false, well: true });
    expect(waves[0]).toMatchObject({ status: 'passed', cells: { total: 1, deployed: 1 }, exposure: { now: 0, planned: 0 } });
    expect(waves[1]).toMatchObject({ status: 'baking', bake: { since: ago(15), until: ago(-45), extended: false } });
    expect(waves[1]?.exposure).toEqual({ now: 0.5, planned: 0.5 });
    expect(waves[2]).toMatchObject({ status: 'pending', cells: { total: 1, deployed: 0 } });
  });

  test('foresees what is to come from how long deployments took here, and from the bake as it is', () => {
    const { waves, ends } = picture({ waves: { 0: PASSED, 1: BAKING }, cells: [deployed('staging', 0), deployed('alpha', 1)] });
    expect(waves[0]?.forecast).toBeUndefined();
    expect(waves[1]?.forecast).toEqual({ begins: ago(20), ends: ago(-45) });
    // Two minutes, then four hours.
    expect(waves[2]?.forecast).toEqual({ begins: ago(-45), ends: ago(-45 - 2 - 240) });
    expect(ends).toBe(ago(-45 - 2 - 240));
  });

  test('foresees the bake of a wave whose cells are all deployed', () => {
    const { waves } = picture({ waves: { 0: { status: 'deploying', attempts: 1, startedAt: ago(5) } }, cells: [deployed('staging', 0)] });
    expect(waves[0]?.forecast).toEqual({ begins: ago(5), ends: ago(-60) });
  });

  test('says what a wave waits for', () => {
    const sentence = 'alpha is closed for Christmas; waits until 2026-12-27T00:00:00.000Z';
    expect(picture({ waves: { 1: { status: 'preflight', sentence } } }).waves[1]?.sentence).toBe(sentence);
    const extended = 'alpha served 3 requests, and 100 are needed; extended until later at most';
    expect(picture({ waves: { 0: PASSED, 1: { ...BAKING, extended } } }).waves[1]).toMatchObject({
      sentence: extended,
      bake: { extended: true },
    });
  });

  test('says what was asked for and has not happened yet', () => {
    const by = { by: 'bob', at: ago(1), reason: 'all hands' };
    const control = { pause: by, skipBake: { 0: by, 1: by } };
    expect(picture({ record: { control }, waves: { 0: PASSED, 1: BAKING } }).asked).toEqual([
      'pauses, asked for by bob: all hands',
      'skips the bake of wave 1, asked for by bob: all hands',
    ]);
    expect(picture({ record: { control, status: 'paused' } }).asked).toEqual([]);
  });

  test('says that it drills, until the wave is over', () => {
    const drills = ['drills in alpha: wave 1 never passes, and is rolled back at an alarm'];
    expect(picture({ drill: 'alpha' }).asked).toEqual(drills);
    expect(picture({ drill: 'alpha', waves: { 0: PASSED, 1: BAKING } }).asked).toEqual(drills);
    expect(picture({ drill: 'alpha', waves: { 1: { status: 'rolled back', endedAt: ago(1) } } }).asked).toEqual([]);
  });

  test.each([
    ['running', true, { halted: false, well: true }],
    ['running', false, { halted: true, well: false }],
    ['succeeded', true, { halted: true, well: true }],
    ['paused', true, { halted: true, well: true }],
    ['awaiting approval', true, { halted: true, well: true }],
    ['stopped', true, { halted: true, well: false }],
    ['rolled back', true, { halted: true, well: false }],
    ['rolled back in part', true, { halted: true, well: false }],
  ] as const)('%s, alive %s: %j', (status, alive, expected) => {
    expect(picture({ record: { status }, alive })).toMatchObject({
      ...expected,
      ends: status === 'running' && alive ? expect.any(String) : undefined,
    });
  });

  test('says that a rollout has died, and how it goes on', () => {
    const { sentence, next } = picture({ alive: false });
    expect(sentence).toBe('its execution ended without a word');
    expect(next[0]).toBe('cellctl rollout resume orders-api-7');
  });

  test('says what is exposed now, by the weights of the cells that have the version: a wave that has only begun, or was rolled back, is not what was planned', () => {
    const wave = (status: CellRecord['status'] | undefined, apart?: string) => {
      const { view, cells } = rollout({
        cells: status ? [{ ...deployed('alpha', 1), status, ...(apart === undefined ? {} : { apart }) }] : [],
      });
      const [staging = [], alpha = [], ...rest] = cells;
      const heavy = alpha.flatMap((cell) => [cell, { ...cell, name: 'heavy', weight: 3 * cell.weight }]);
      const waves = view.plan.waves.map((each) => (each.number === 1 ? { ...each, cells: ['alpha', 'heavy'] } : each));
      return pictureOf({ ...view, plan: { ...view.plan, waves } }, [staging, heavy, ...rest], NOW);
    };
    expect(wave('deployed').waves[1]?.exposure).toEqual({ now: 0.125, planned: 0.5 });
    expect(wave('deployed').exposure).toEqual({ now: 0.125, planned: 1 });
    // Nobody knows what it runs while it is changed: it counts.
    for (const status of ['deploying', 'restoring', 'not restored'] as const) expect(wave(status).exposure.now).toBe(0.125);
    expect(wave('not restored', 'alpha stays sick').exposure.now).toBe(0.125);
    for (const status of ['restored', 'skipped', undefined] as const) expect(wave(status).exposure.now).toBe(0);
  });

  test('names the way back where cells fell sick after the success', () => {
    const afterwards = { until: ago(-60), lookedAt: ago(0), sick: [{ cell: 'alpha', sentence: 'alpha: an alarm' }] };
    expect(picture({ record: { status: 'succeeded', afterwards } }).next).toEqual(['cellctl rollout rollback orders-api-7 --reason "…"']);
    expect(picture({ record: { status: 'succeeded' } }).next).toEqual([]);
    // Of what has become of it since, nothing is said any more.
    expect(picture({ record: { status: 'rolled back', afterwards } })).toMatchObject({
      next: ['cellctl rollout resume orders-api-7'],
      afterwards: undefined,
    });
  });

  test('foresees nothing of a way back', () => {
    expect(picture({ waves: { 0: PASSED, 1: { ...BAKING, status: 'rolling back' } } })).toMatchObject({ ends: undefined });
  });
});

describe('its cells', () => {
  test('say while they are changed how long they are waited for, and for what', () => {
    const patience = { seconds: 7_200, what: 'another class of the database' };
    const { view } = rollout({ cells: [{ ...deployed('staging', 0), status: 'deploying', patience }] });
    const [staging] = cellPictures(view).filter(({ cell }) => cell === 'staging');
    expect(staging?.sentence).toBe('up to 120 minutes for another class of the database');
  });

  test('come with those first that somebody must look at, and with the versions before and now', () => {
    const { view } = rollout({
      cells: [deployed('staging', 0), { cell: 'alpha', wave: 1, status: 'failed', previous: '1.0.0', sentence: 'alpha: no' }],
    });
    expect(cellPictures(view).map(({ cell, before, now, status, sentence }) => [cell, status, before, now, sentence])).toEqual([
      ['alpha', 'failed', '1.0.0', undefined, 'alpha: no'],
      ['staging', 'deployed', '1.0.0', '2.0.0', undefined],
      ['bravo', 'pending', undefined, undefined, undefined],
    ]);
  });

  test('run what they ran before once they are rolled back; a cell that ran nothing has no version', () => {
    const { view } = rollout({
      cells: [
        { ...deployed('staging', 0), status: 'restored' },
        { ...deployed('alpha', 1), previous: '', status: 'restored' },
      ],
    });
    expect(cellPictures(view).map(({ cell, before, now }) => [cell, before, now])).toEqual([
      ['staging', '1.0.0', '1.0.0'],
      ['alpha', undefined, undefined],
      ['bravo', undefined, undefined],
    ]);
  });
});
