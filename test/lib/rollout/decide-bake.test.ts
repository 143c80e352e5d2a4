import { describe, expect, test } from '@jest/globals';
import { type LookInput, look } from '../../../lib/rollout/decide.ts';
import type { CellHealth } from '../../../lib/rollout/health.ts';
import { afterRollback, backOf, isTouched, toRestore } from '../../../lib/rollout/roll-back.ts';
import type { CellRecord, Control } from '../../../lib/rollout/rollout-record.ts';
import { alarm, asked, cell, health, judged, policy, record, SICK, t, UNKNOWN, wave, well } from '../../_helpers/decisions.ts';

describe('a look at a wave that bakes', () => {
  const baking = record({ status: 'baking', bakeBeganAt: t(0), deployBeganAt: t(-300) });
  const decide = (seconds: number, change: Partial<LookInput> = {}) => {
    const verdict = judged(change.healths ?? well, t(seconds), change.policy);
    const base = { wave, record: baking, policy: policy(), control: {}, healths: well, verdict, lacking: [], now: t(seconds) };
    return look({ ...base, ...change });
  };

  test('goes on until the end, and looks less often with time', () => {
    expect(decide(0)).toEqual({ action: 'wait', seconds: 30, sentence: `baking until ${t(3_600)}` });
    expect(decide(1_200)).toMatchObject({ action: 'wait', seconds: 60 });
    expect(decide(3_590)).toMatchObject({ action: 'wait', seconds: 10 });
    expect(decide(3_600)).toEqual({ action: 'pass', sentence: 'baked 60 min without an alarm' });
  });

  test('is as often, by the policy’s time, in a rehearsal', () => {
    const rehearsal = { policy: policy({ timeScale: 0.01 }) };
    expect(decide(0, rehearsal)).toEqual({ action: 'wait', seconds: 1, sentence: `baking until ${t(36)}` });
    expect(decide(36, rehearsal)).toEqual({ action: 'pass', sentence: 'baked 36 s without an alarm' });
  });

  test.each(SICK)('finds %s at any time, also at the very end, and rolls back', (_, seen, sentence) => {
    const back = { action: 'rollback', back: { scope: 'wave' }, outcome: { wave: 2, cell: 'bravo', sentence } };
    for (const seconds of [0, 1_800, 3_599, 3_600, 5_000, 99_999]) {
      expect(decide(seconds, { healths: [health('alpha'), seen] })).toEqual(back);
      expect(decide(seconds, { healths: [seen], control: { skipBake: { 2: asked }, stop: asked, pause: asked } })).toEqual(back);
    }
  });

  test('names three alarms, and how many more', () => {
    const alarms = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, state: 'ALARM' as const }));
    expect(decide(1, { healths: [health('alpha', { alarms })] })).toMatchObject({
      outcome: { sentence: 'alpha: a, b, c and 2 more in ALARM' },
    });
  });

  const IDLE: readonly (readonly [string, CellHealth, string])[] = [
    ['too few requests', health('bravo', { requests: 99 }), 'bravo served 99 requests, and 100 are needed'],
    ['no requests', health('bravo', { requests: undefined }), 'bravo served no requests, and 100 are needed'],
  ];
  test.each([...UNKNOWN, ...IDLE])('bakes longer for %s, then fails at the limit', (_, seen, sentence) => {
    const healths = [health('alpha'), seen];
    expect(decide(3_599, { healths })).toMatchObject({ action: 'wait' });
    expect(decide(3_600, { healths })).toEqual({
      action: 'extend',
      seconds: 180,
      until: t(5_400),
      sentence: `${sentence}; extended until ${t(5_400)} at most`,
    });
    expect(decide(5_390, { healths })).toMatchObject({ action: 'extend', seconds: 10 });
    expect(decide(5_400, { healths })).toEqual({
      action: 'rollback',
      outcome: { wave: 2, cell: 'bravo', sentence: `${sentence}, even after the bake was extended by 30m` },
    });
    expect(decide(5_399)).toEqual({ action: 'pass', sentence: 'baked 90 min without an alarm' });
  });

  test('of a cure never brings back the version that made a cell sick: not for an alarm that is left, nor for too few requests', () => {
    const cures = ['bravo'];
    // Older than the deployment: no verdict hears of it.
    const uncured = { cures, healths: [health('alpha'), alarm('bravo', 'errors', 'ALARM')], verdict: judged(well, t(0)) };
    expect(decide(3_599, uncured)).toMatchObject({ action: 'wait' });
    expect(decide(3_600, uncured)).toEqual({
      action: 'end',
      status: 'stopped',
      outcome: {
        ...{ wave: 2, cell: 'bravo' },
        sentence:
          'bravo: errors in ALARM: not cured, and it keeps the version. `cellctl rollout start --cures bravo --reason …` has another version cure it',
      },
    });
    const quiet = health('bravo', { fired: [{ name: 'errors', at: t(7), from: 'INSUFFICIENT_DATA' }] });
    expect(decide(3_600, { ...uncured, healths: [health('alpha'), quiet] })).toMatchObject({ action: 'pass' });
    const idle = { healths: [health('alpha', { requests: 0 }), health('bravo')] };
    expect(decide(5_400, { ...idle, cures })).toMatchObject({ action: 'end', status: 'stopped', outcome: { wave: 2, cell: 'alpha' } });
    expect(decide(5_400, { ...idle, cures: ['zulu'] })).toMatchObject({ action: 'rollback' });
  });

  test('asks for no requests where the policy asks for none', () => {
    expect(decide(3_600, { healths: [health('alpha', { requests: undefined })], policy: policy({ minRequestsPerCell: 0 }) })).toMatchObject(
      {
        action: 'pass',
      },
    );
  });

  test.each<[string, Control, object]>([
    ['a stop ends it: a version that nobody watches has not passed', { stop: asked }, { action: 'end', status: 'stopped' }],
    ['a pause lets it go on', { pause: asked }, { action: 'wait' }],
    ['a rollback', { rollback: { ...asked, scope: 'wave' } }, { action: 'rollback', outcome: { sentence: 'rolled back by ada: a test' } }],
    ['a skipped bake passes, with a name', { skipBake: { 2: asked } }, { action: 'pass', sentence: 'bake skipped by ada: a test' }],
    ['another wave’s does not', { skipBake: { 1: asked } }, { action: 'wait' }],
    ['a stop, rather than a skip', { skipBake: { 2: asked }, stop: asked }, { action: 'end', status: 'stopped' }],
  ])('%s', (_, control, expected) => {
    expect(decide(10, { control })).toMatchObject(expected);
  });

  describe('in which a drill is to set an alarm off', () => {
    const drilled = { drill: 'alpha', policy: policy({ timeScale: 0.01 }) };
    // The bake is over after 36 seconds; the drill has half an hour by the clock on the wall: nobody who runs one is a hundred times as fast.
    const last = 36 + 1_800;

    test('does not pass at the end of its bake, however well its cells are, and waits for the drill in real time', () => {
      expect(decide(35, drilled)).toMatchObject({ action: 'wait' });
      for (const seconds of [36, 37, 100, 1_000, last - 1]) {
        expect(decide(seconds, drilled)).toMatchObject({
          action: 'extend',
          until: t(last),
          sentence: `no drill has set an alarm of alpha off yet; waits for it until ${t(last)} at most`,
        });
      }
    });

    test('looks often at first, then less', () => {
      expect(decide(36, drilled)).toMatchObject({ seconds: 1 });
      expect(decide(36 + 600, drilled)).toMatchObject({ seconds: 30 });
      expect(decide(last - 10, drilled)).toMatchObject({ seconds: 10 });
    });

    test('is rolled back at the alarm, whenever it comes', () => {
      const healths = [alarm('alpha', 'errors', 'ALARM'), health('bravo')];
      for (const seconds of [0, 36, 1_000, last, 99_999])
        expect(decide(seconds, { ...drilled, healths })).toMatchObject({ action: 'rollback' });
    });

    test('is rolled back where the drill never comes', () => {
      const sentence = 'no drill has set an alarm of alpha off within 30m of the bake, and the rollout was started for one';
      const back = { action: 'rollback', outcome: { wave: 2, cell: 'alpha', sentence } };
      for (const seconds of [last, 99_999]) expect(decide(seconds, drilled)).toEqual(back);
    });

    test('is not skipped: that is for versions that are to get through', () => {
      expect(decide(10, { ...drilled, control: { skipBake: { 2: asked } } })).toMatchObject({ action: 'wait' });
      expect(decide(100, { ...drilled, control: { skipBake: { 2: asked } } })).toMatchObject({ action: 'extend' });
    });
  });

  test('that is its first is no reason to pass', () => {
    const { bakeBeganAt: _, ...fresh } = baking;
    expect(decide(99_999, { record: fresh })).toMatchObject({ action: 'wait', seconds: 30 });
  });

  test('says how long it was in words', () => {
    const said = (bakeSeconds: number) => decide(bakeSeconds, { wave: { ...wave, bakeSeconds } });
    expect([90, 5_400, 43_200, 45_000].map((seconds) => Reflect.get(said(seconds), 'sentence'))).toEqual([
      'baked 90 s without an alarm',
      'baked 90 min without an alarm',
      'baked 12 h without an alarm',
      'baked 12 h 30 min without an alarm',
    ]);
  });
});

describe('a rollback', () => {
  const cells = [
    cell('a', 'deployed', { wave: 0 }),
    cell('b', 'deployed', { wave: 1, unchanged: true }),
    cell('c', 'restored', { wave: 1 }),
    cell('d', 'not restored', { wave: 1 }),
    cell('z', 'deployed'),
    cell('f', 'failed'),
    cell('g', 'deploying'),
    cell('h', 'restoring'),
    cell('i', 'pending'),
    { cell: 'j', wave: 2, status: 'failed' } as const,
  ];
  const names = (found: readonly CellRecord[]) => found.map((each) => each.cell).join('');
  const all = policy({ onFailure: 'rollback-all' });

  test('takes the wave that failed: all that run the version, or may', () => {
    expect(names(toRestore(cells, 2, policy(), {}))).toBe('fghz');
    expect(names(toRestore(cells, 1, policy(), {}))).toBe('d');
    expect(names(toRestore(cells, 3, policy(), {}))).toBe('');
  });

  test('takes every wave by the policy, latest first', () => {
    expect(names(toRestore(cells, 2, all, {}))).toBe('fghzda');
  });

  test('takes as much as a person asked for', () => {
    const scope = (scope: 'wave' | 'all'): Control => ({ rollback: { ...asked, scope } });
    expect(backOf(all, scope('wave'))).toEqual({ scope: 'wave' });
    expect(backOf(policy(), scope('all'))).toEqual({ scope: 'all' });
    expect(backOf(policy(), {})).toEqual({ scope: 'wave' });
    expect(backOf(all, {})).toEqual({ scope: 'all' });
    // A person has more to say than a verdict, and a verdict than the policy.
    expect(backOf(policy(), {}, { scope: 'all' })).toEqual({ scope: 'all' });
    expect(backOf(policy(), scope('wave'), { scope: 'all' })).toEqual({ scope: 'wave' });
    expect(names(toRestore(cells, 2, policy(), scope('all')))).toBe('fghzda');
  });

  test('that a person asks for takes the last wave that changed anything, not one that waits for its turn', () => {
    const control: Control = { rollback: { ...asked, scope: 'wave' } };
    expect(names(toRestore(cells, 5, policy(), control))).toBe('fghz');
    expect(names(toRestore(cells.slice(0, 4), 2, policy(), control))).toBe('d');
    expect(toRestore([], 0, policy(), control)).toEqual([]);
  });

  test('leaves a cell alone that failed before it was changed', () => {
    expect(isTouched({ cell: 'j', wave: 2, status: 'failed' })).toBe(false);
    expect(isTouched(cell('j', 'failed'))).toBe(true);
  });

  test('ends rolled back, or in part with the names of those that were not', () => {
    const outcome = { wave: 2, sentence: 'alpha: errors in ALARM' };
    expect(afterRollback([cell('a', 'restored'), cell('b', 'deployed', { wave: 1 })], [2], outcome)).toEqual({
      status: 'rolled back',
      outcome,
    });
    expect(afterRollback([cell('a', 'restored'), cell('b', 'not restored', { sentence: 'stuck', wave: 0 })], [2], outcome)).toEqual({
      status: 'rolled back in part',
      outcome: { wave: 2, sentence: 'alpha: errors in ALARM. Not rolled back: b (stuck)' },
    });
  });

  test('is one in part, too, where a cell runs the version and nobody says why', () => {
    expect(afterRollback([cell('a', 'restoring'), cell('b', 'deployed')], [2], { sentence: 'x' })).toEqual({
      status: 'rolled back in part',
      outcome: { sentence: 'x. Not rolled back: a (restoring, no reason known), b (deployed, no reason known)' },
    });
  });

  test('names ten cells, and how many more', () => {
    const stuck = Array.from({ length: 12 }, (_, index) => cell(`c${index}`, 'not restored', { sentence: 's' }));
    expect(afterRollback(stuck, [2], { sentence: 'x' }).outcome.sentence).toMatch(/c9 \(s\) and 2 more$/);
  });
});
