import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defineOrganization, type RolloutPolicy } from '../../../lib/registry/index.ts';
import {
  advance,
  afterDeploy,
  afterRollback,
  bakeEnd,
  type CellHealth,
  calendarWait,
  isTouched,
  type LookInput,
  look,
  looksIn,
  mayBegin,
  nextLook,
  type PreflightInput,
  preflight,
  rollbackScope,
  scaled,
  toRestore,
} from '../../../lib/rollout/decide.ts';
import type {
  CellRecord,
  CellRolloutStatus,
  Control,
  RolloutRecord,
  RolloutWave,
  WaveRecord,
  WaveStatus,
} from '../../../lib/rollout/rollout-record.ts';
import { settings } from '../../_helpers/organization.ts';

const T0 = Date.parse('2026-03-02T09:00:00Z');
/** So many seconds after the wave began. */
const t = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();
const DAY = 86_400;

const policy = (change: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  ...defineOrganization({ ...settings(), rollout: {} }).rollout,
  ...{ alarmGrace: '10m', maxBakeExtension: '30m', minRequestsPerCell: 100, timeScale: 1 },
  ...change,
});
const wave: RolloutWave = {
  ...{ number: 2, name: 'one-busy-cell', bakeSeconds: 3_600, approval: false, exposure: 0.1 },
  cells: ['alpha', 'bravo'],
  regions: ['here'],
};
const record = (change: Partial<WaveRecord> = {}): WaveRecord => ({
  ...{ number: 2, status: 'preflight' as const, attempts: 1, startedAt: t(0) },
  ...change,
});
const health = (cell: string, change: Partial<CellHealth> = {}): CellHealth => ({
  ...{ cell, alarms: [{ name: `${cell}-health`, state: 'OK' }], missing: [], fired: [], requests: 1_000 },
  ...change,
});
const alarm = (cell: string, name: string, state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA') =>
  health(cell, {
    alarms: [
      { name: `${cell}-health`, state: 'OK' },
      { name, state },
    ],
  });
const cell = (name: string, status: CellRolloutStatus, change: Partial<CellRecord> = {}): CellRecord => ({
  ...{ cell: name, wave: 2, status, changeSet: 'x-1-1' },
  ...change,
});
const asked = { by: 'ada', at: t(0), reason: 'a test' };
const nobody = { by: 'bob', at: t(0), reason: undefined };

const well = [health('alpha'), health('bravo')];
/** What a look can see that is wrong, and how it is told. */
const SICK: readonly (readonly [string, CellHealth, string])[] = [
  ['an alarm now', alarm('bravo', 'bravo-errors', 'ALARM'), 'bravo: bravo-errors in ALARM'],
  [
    'an alarm that came and went',
    health('bravo', { fired: [{ name: 'bravo-errors', at: t(7) }] }),
    `bravo: bravo-errors fired at ${t(7)}, though it is quiet again`,
  ],
];
const UNKNOWN: readonly (readonly [string, CellHealth, string])[] = [
  ['children without data while the composite says OK', alarm('bravo', 'bravo-cpu', 'INSUFFICIENT_DATA'), 'bravo: bravo-cpu without data'],
  ['a missing alarm', health('bravo', { missing: ['bravo-cpu'] }), 'bravo has no bravo-cpu: deploy its foundation'],
  [
    'an unreachable cell',
    health('bravo', { alarms: [], requests: undefined, unreachable: 'access denied' }),
    "bravo can't be looked at: access denied",
  ],
];

describe('before a wave', () => {
  const decide = (change: Partial<PreflightInput> = {}) =>
    preflight({
      ...{
        wave,
        record: record(),
        policy: policy(),
        control: {},
        cells: [],
        healths: well,
        earlier: [],
        locked: [],
        opens: undefined,
        now: t(60),
      },
      ...change,
    });

  test('all is well: it begins', () => {
    expect(decide()).toEqual({ action: 'go' });
  });

  test('a cell of an earlier wave is sick by now: it does not begin, and that wave is left to a person', () => {
    expect(decide({ earlier: [health('zulu'), alarm('yankee', 'yankee-errors', 'ALARM')] })).toEqual({
      action: 'end',
      status: 'stopped',
      outcome: { cell: 'yankee', wave: 2, sentence: 'yankee: yankee-errors in ALARM; it has had the version since an earlier wave' },
    });
    // What is not known of it was known when its own wave passed.
    expect(decide({ earlier: [alarm('yankee', 'yankee-errors', 'INSUFFICIENT_DATA')] })).toEqual({ action: 'go' });
  });

  test.each<[string, Control, object]>([
    [
      'a rollback',
      { rollback: { ...asked, scope: 'all' } },
      { action: 'rollback', outcome: { sentence: 'rolled back by ada: a test', wave: 2 } },
    ],
    ['a stop', { stop: nobody }, { action: 'end', status: 'stopped', outcome: { sentence: 'stopped by bob', wave: 2 } }],
    ['a pause', { pause: asked }, { action: 'end', status: 'paused', outcome: { sentence: 'paused by ada: a test', wave: 2 } }],
    ['a stop, rather than a pause', { pause: asked, stop: asked }, { action: 'end', status: 'stopped' }],
    ['a rollback, rather than a stop', { stop: asked, rollback: { ...asked, scope: 'wave' } }, { action: 'rollback' }],
    ['a resumption only', { resumed: asked }, { action: 'go' }],
  ])('somebody has asked for %s', (_, control, expected) => {
    expect(decide({ control })).toMatchObject(expected);
  });

  test('what people ask for comes before everything else', () => {
    expect(decide({ control: { stop: asked }, wave: { ...wave, cells: [] } })).toMatchObject({ action: 'end', status: 'stopped' });
  });

  test('without cells it passes at once and says so, without an approval', () => {
    expect(decide({ wave: { ...wave, cells: [], approval: true }, healths: [] })).toEqual({
      action: 'pass',
      sentence: 'no cell is in wave one-busy-cell: passed at once',
    });
  });

  test('that needs an approval waits for one, and for its own', () => {
    const waiting = { action: 'end', status: 'awaiting approval', outcome: { sentence: 'wave 2, one-busy-cell, waits for an approval' } };
    const approval = { ...wave, approval: true };
    expect(decide({ wave: approval })).toMatchObject(waiting);
    expect(decide({ wave: approval, control: { approvals: { 1: asked } } })).toMatchObject(waiting);
    expect(decide({ wave: approval, control: { approvals: { 2: asked } } })).toEqual({ action: 'go' });
  });

  describe('something is in the way:', () => {
    const locked = [{ cell: 'alpha', sentence: 'alpha is locked by x-1' }];
    const late = { now: t(600) };
    const REASONS: readonly (readonly [string, Partial<PreflightInput>, string])[] = [
      ['a lock', { locked }, 'alpha is locked by x-1'],
      ['calendars that never meet', { opens: 'never' }, 'no hour in common within a year'],
      ...SICK.map(([what, seen, said]) => [what, { healths: [health('alpha'), seen] }, said] as const),
      ...UNKNOWN.map(
        ([what, seen, said]) => [`${what}, for too long`, { healths: [seen], ...late }, `${said}, longer than the grace of 10m`] as const,
      ),
    ];
    test.each(REASONS)('%s stops the rollout while nothing was changed', (_, change, sentence) => {
      const outcome = { wave: 2, sentence: expect.stringContaining(sentence) };
      expect(decide(change)).toMatchObject({ action: 'end', status: 'stopped', outcome });
      const before = [cell('alpha', 'restored'), cell('bravo', 'pending'), cell('alpha', 'deployed', { unchanged: true })];
      expect(decide({ ...change, cells: before })).toMatchObject({ action: 'end', status: 'stopped', outcome });
    });
    test.each(REASONS)('%s puts back what an earlier attempt has changed', (_, change, sentence) => {
      const outcome = { wave: 2, sentence: expect.stringContaining(sentence) };
      expect(decide({ ...change, cells: [cell('alpha', 'deployed')] })).toMatchObject({ action: 'rollback', outcome });
    });
  });

  test.each(UNKNOWN)('%s is waited for, within the grace', (_, seen, said) => {
    expect(decide({ healths: [seen], now: t(0) })).toEqual({ action: 'wait', seconds: 30, sentence: `${said}; waits until ${t(600)}` });
    expect(decide({ healths: [seen], now: t(590) })).toMatchObject({ action: 'wait', seconds: 10 });
    expect(decide({ healths: [seen], now: t(600) })).toMatchObject({ action: 'end' });
  });

  test('the grace is shortened as every wait is', () => {
    const silent = { healths: [alarm('alpha', 'a', 'INSUFFICIENT_DATA')], policy: policy({ timeScale: 0.1 }) };
    expect(decide({ ...silent, now: t(59) })).toMatchObject({ action: 'wait', seconds: 1 });
    expect(decide({ ...silent, now: t(60) })).toMatchObject({ action: 'end' });
  });

  test('a closed calendar is waited for, whatever the alarms of untouched cells say meanwhile', () => {
    const opens = { at: t(2 * DAY), why: 'alpha is closed for Christmas' };
    const expected = { action: 'wait', sentence: `alpha is closed for Christmas; waits until ${t(2 * DAY)}` };
    expect(decide({ opens })).toMatchObject({ ...expected, seconds: 3_600 });
    expect(decide({ opens, healths: [alarm('alpha', 'a', 'ALARM')] })).toMatchObject(expected);
    expect(decide({ opens, healths: [alarm('alpha', 'a', 'INSUFFICIENT_DATA')], now: t(DAY) })).toMatchObject(expected);
    expect(decide({ opens, now: t(2 * DAY) })).toEqual({ action: 'go' });
  });

  test('a closed calendar does not keep cells that run the version already from being put back', () => {
    const opens = { at: t(DAY), why: 'bravo is closed' };
    const change = { opens, cells: [cell('alpha', 'deployed')] };
    expect(decide({ ...change, healths: [alarm('alpha', 'a', 'ALARM')] })).toMatchObject({ action: 'rollback' });
    expect(decide({ ...change, healths: [alarm('alpha', 'a', 'INSUFFICIENT_DATA')] })).toMatchObject({ action: 'wait' });
  });

  test('the grace for data begins when the calendar opens', () => {
    const opened = { record: record({ opensAt: t(DAY) }), healths: [alarm('alpha', 'a', 'INSUFFICIENT_DATA')] };
    expect(decide({ ...opened, now: t(DAY + 599) })).toMatchObject({ action: 'wait' });
    expect(decide({ ...opened, now: t(DAY + 600) })).toMatchObject({ action: 'end', status: 'stopped' });
  });
});

describe('one more cell of a wave', () => {
  test.each<[string, Partial<WaveRecord>, Control, boolean]>([
    ['begins', {}, {}, true],
    ['does not after a failure', { failedCell: 'alpha' }, {}, false],
    ['does not once a stop is asked for', {}, { stop: asked }, false],
    ['does not once a pause is asked for', {}, { pause: asked }, false],
    ['does not once a rollback is asked for', {}, { rollback: { ...asked, scope: 'wave' } }, false],
    ['begins whatever was approved or skipped', {}, { approvals: { 2: asked }, skipBake: { 2: asked }, resumed: asked }, true],
  ])('%s', (_, change, control, expected) => {
    expect(mayBegin(record(change), control)).toBe(expected);
  });
});

describe('after the deployments of a wave', () => {
  const both = [cell('alpha', 'deployed'), cell('bravo', 'deployed')];
  const one = [cell('alpha', 'deployed')];
  const failure = [cell('alpha', 'deployed'), cell('bravo', 'failed', { sentence: 'bravo: no such image' })];

  test.each<[string, readonly CellRecord[], Control, object]>([
    ['all have it: it bakes', both, {}, { action: 'bake' }],
    [
      'all have it, some did before: it bakes',
      [cell('alpha', 'deployed', { unchanged: true }), both[1] as CellRecord],
      {},
      { action: 'bake' },
    ],
    ['all have it, and a pause is asked for: it bakes, that cells are watched', both, { pause: asked }, { action: 'bake' }],
    ['all have it, and a stop is asked for: it bakes, and the first look stops', both, { stop: asked }, { action: 'bake' }],
    ['one failed', failure, {}, { action: 'rollback', outcome: { wave: 2, cell: 'bravo', sentence: 'bravo: no such image' } }],
    ['one failed, whatever is asked for', failure, { pause: asked, stop: asked }, { action: 'rollback', outcome: { cell: 'bravo' } }],
    ['one failed and nobody knows why', [cell('bravo', 'failed')], {}, { outcome: { sentence: 'bravo could not be deployed' } }],
    [
      'a rollback is asked for',
      both,
      { rollback: { ...asked, scope: 'all' } },
      { action: 'rollback', outcome: { wave: 2, sentence: 'rolled back by ada: a test' } },
    ],
    ['a pause in the middle', one, { pause: asked }, { action: 'end', status: 'paused' }],
    ['a stop in the middle', one, { stop: asked }, { action: 'end', status: 'stopped' }],
    [
      'one was left out, and nothing says why',
      one,
      {},
      { action: 'rollback', outcome: { wave: 2, cell: 'bravo', sentence: 'bravo: not deployed, and nothing says why' } },
    ],
    ['one is still being deployed', [...one, cell('bravo', 'deploying')], {}, { action: 'rollback', outcome: { cell: 'bravo' } }],
  ])('%s', (_, cells, control, expected) => {
    expect(afterDeploy(wave, cells, control)).toMatchObject(expected);
  });
});

describe('a look at a wave that bakes', () => {
  const baking = record({ status: 'baking', bakeBeganAt: t(0), deployBeganAt: t(-300) });
  const decide = (seconds: number, change: Partial<LookInput> = {}) =>
    look({ ...{ wave, record: baking, policy: policy(), control: {}, healths: well, now: t(seconds) }, ...change });

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

  test.each(SICK)('finds %s at any time, also at the very end, and puts back', (_, seen, sentence) => {
    const back = { action: 'rollback', outcome: { wave: 2, cell: 'bravo', sentence } };
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

    test('is put back at the alarm, whenever it comes', () => {
      const healths = [alarm('alpha', 'errors', 'ALARM'), health('bravo')];
      for (const seconds of [0, 36, 1_000, last, 99_999])
        expect(decide(seconds, { ...drilled, healths })).toMatchObject({ action: 'rollback' });
    });

    test('is put back where the drill never comes', () => {
      const sentence = 'no drill has set an alarm of alpha off within 30m of the bake, and the rollout was started for one';
      const back = { action: 'rollback', outcome: { wave: 2, cell: 'alpha', sentence } };
      for (const seconds of [last, 99_999]) expect(decide(seconds, drilled)).toEqual(back);
    });

    test('is not skipped: that is for versions that are to get through', () => {
      expect(decide(10, { ...drilled, control: { skipBake: { 2: asked } } })).toMatchObject({ action: 'wait' });
      expect(decide(100, { ...drilled, control: { skipBake: { 2: asked } } })).toMatchObject({ action: 'extend' });
    });

    test('is another wave than this: this one passes', () => {
      expect(decide(36, { ...drilled, drill: 'charlie' })).toMatchObject({ action: 'pass' });
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
    expect(rollbackScope(all, scope('wave'))).toBe('wave');
    expect(rollbackScope(policy(), scope('all'))).toBe('all');
    expect(rollbackScope(policy(), {})).toBe('wave');
    expect(rollbackScope(all, {})).toBe('all');
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
      outcome: { wave: 2, sentence: 'alpha: errors in ALARM. Not put back: b (stuck)' },
    });
  });

  test('is one in part, too, where a cell runs the version and nobody says why', () => {
    expect(afterRollback([cell('a', 'restoring'), cell('b', 'deployed')], [2], { sentence: 'x' })).toEqual({
      status: 'rolled back in part',
      outcome: { sentence: 'x. Not put back: a (restoring, no reason known), b (deployed, no reason known)' },
    });
  });

  test('names ten cells, and how many more', () => {
    const stuck = Array.from({ length: 12 }, (_, index) => cell(`c${index}`, 'not restored', { sentence: 's' }));
    expect(afterRollback(stuck, [2], { sentence: 'x' }).outcome.sentence).toMatch(/c9 \(s\) and 2 more$/);
  });
});

describe('between two waves', () => {
  const rollout = (change: Partial<RolloutRecord> = {}): RolloutRecord => ({
    ...{ id: 'x-1', component: 'x', version: '2.0.0', digest: 'd', revision: 1, status: 'running' as const, by: 'ada' },
    ...{ startedAt: t(0), updatedAt: t(0), control: {}, runs: 1 },
    ...change,
  });
  const waves = (...statuses: WaveStatus[]): WaveRecord[] =>
    statuses.map((status, number) => ({ number, status, attempts: status === 'pending' ? 0 : 1 }));

  test.each<[string, Control, WaveRecord[], object]>([
    ['the first wave', {}, waves('pending', 'pending'), { action: 'wave', wave: 0 }],
    ['the next', {}, waves('passed', 'pending'), { action: 'wave', wave: 1 }],
    ['one that failed, anew', {}, waves('passed', 'failed', 'pending'), { action: 'wave', wave: 1 }],
    ['one that was rolled back, anew', {}, waves('passed', 'rolled back', 'passed'), { action: 'wave', wave: 1 }],
    ['the end', {}, waves('passed', 'passed'), { action: 'end', status: 'succeeded' }],
    ['the end, though a pause came late', { pause: asked }, waves('passed'), { action: 'end', status: 'succeeded' }],
    ['a stop', { stop: asked }, waves('passed', 'pending'), { action: 'end', status: 'stopped' }],
    ['a pause', { pause: asked }, waves('passed', 'pending'), { action: 'end', status: 'paused' }],
    [
      'a rollback by the wave in work',
      { rollback: { ...asked, scope: 'all' } },
      waves('passed', 'baking', 'pending'),
      { action: 'wave', wave: 1 },
    ],
    ['a rollback after all has passed', { rollback: { ...asked, scope: 'all' } }, waves('passed', 'passed'), { action: 'wave', wave: 1 }],
    ['a rollback before anything', { rollback: { ...asked, scope: 'all' } }, waves('pending'), { action: 'wave', wave: 0 }],
  ])('comes %s', (_, control, records, expected) => {
    expect(advance(rollout({ control }), records)).toMatchObject(expected);
  });

  test.each(['paused', 'awaiting approval', 'succeeded', 'stopped', 'rolled back', 'rolled back in part'] as const)(
    'nothing is begun by a rollout that is %s',
    (status) => {
      expect(advance(rollout({ status, outcome: { sentence: 'so it is' } }), waves('pending'))).toEqual({
        action: 'end',
        status,
        outcome: { sentence: 'so it is' },
      });
      expect(advance(rollout({ status }), waves('pending'))).toMatchObject({ outcome: { sentence: status } });
    },
  );
});

describe('waits', () => {
  const week = 7 * DAY;

  test('of a bake grow with its age, within bounds, and never pass its end', () => {
    fc.assert(
      fc.property(fc.nat(week), fc.nat(week), fc.integer({ min: 1, max: week }), (a, b, left) => {
        const [young, old] = a < b ? [a, b] : [b, a];
        expect(nextLook(young, left)).toBeLessThanOrEqual(nextLook(old, left));
        expect(nextLook(old, left)).toBeGreaterThanOrEqual(Math.min(30, left));
        expect(nextLook(old, left)).toBeLessThanOrEqual(Math.min(300, left));
      }),
    );
    expect(nextLook(0, 0)).toBe(1);
  });

  test('of a bake are few: looksIn counts them', () => {
    expect(looksIn(0)).toBe(1);
    expect(looksIn(30)).toBe(2);
    expect(looksIn(2 * DAY)).toBeLessThan(700);
    expect(looksIn(week)).toBeLessThan(2_100);
    fc.assert(
      fc.property(fc.nat(week), fc.nat(week), (a, b) => a > b || looksIn(a) <= looksIn(b)),
      { numRuns: 30 },
    );
  });

  test('for a calendar grow with what is left, and end when it opens', () => {
    const year = 366 * DAY;
    fc.assert(
      fc.property(fc.double({ min: 0, max: year, noNaN: true }), fc.double({ min: 0, max: year, noNaN: true }), (a, b) => {
        const [near, far] = a < b ? [a, b] : [b, a];
        expect(calendarWait(near)).toBeLessThanOrEqual(calendarWait(far));
        expect(calendarWait(near)).toBeLessThanOrEqual(Math.max(1, Math.ceil(near)));
        expect(calendarWait(near)).toBeGreaterThanOrEqual(Math.min(300, Math.max(1, Math.ceil(near))));
        expect(Number.isInteger(calendarWait(near))).toBe(true);
      }),
    );
    // People who ask for a halt over a week-end are heard within a little more than an hour.
    expect(calendarWait(62 * 3_600)).toBeLessThan(4_500);
    expect(Number.isFinite(calendarWait(Number.POSITIVE_INFINITY))).toBe(true);
  });

  test('for a calendar that opens in a year are few', () => {
    let looks = 0;
    for (let left = 366 * DAY; left > 0; left -= calendarWait(left)) looks++;
    expect(looks).toBeLessThan(400);
  });

  test('are whole seconds, one at least, as Step Functions counts', () => {
    expect([scaled(30, 1), scaled(30, 0.01), scaled(300, 0.025), scaled(0, 1)]).toEqual([30, 1, 8, 1]);
    expect(bakeEnd(wave, policy({ timeScale: 0.5 }), t(0))).toBe(t(1_800));
  });
});
