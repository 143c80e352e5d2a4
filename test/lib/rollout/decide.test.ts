import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advance } from '../../../lib/rollout/advance.ts';
import { afterDeploy, bakeEnd, mayBegin, type PreflightInput, preflight } from '../../../lib/rollout/decide.ts';
import type { Verdict } from '../../../lib/rollout/judge.ts';
import { calendarWait, looksIn, nextLook, scaled } from '../../../lib/rollout/looks.ts';
import type { CellRecord, Control, RolloutRecord, WaveRecord, WaveStatus } from '../../../lib/rollout/rollout-record.ts';
import { alarm, asked, cell, DAY, health, judged, nobody, policy, record, SICK, t, UNKNOWN, wave, well } from '../../_helpers/decisions.ts';

const MISSING = health('bravo', { missing: ['bravo-cpu'] });
/** What may come by itself; an alarm that is missing doesn't. */
const SILENT = UNKNOWN.filter(([, { missing }]) => missing.length === 0);

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
        verdict: { verdict: 'well' } as const,
        locked: [],
        opens: undefined,
        now: t(60),
      },
      ...change,
    });

  test('all is well: it begins', () => {
    expect(decide()).toEqual({ action: 'go' });
  });

  const SENTENCE = 'yankee: yankee-errors in ALARM';
  const one = { cell: 'yankee', wave: 1, since: t(0), still: true, sentence: SENTENCE };
  const numbers = { sick: 1, of: 100, expected: 0.3, chance: 0.26 };
  test.each<[string, Verdict, object]>([
    ['is judged: it waits', { verdict: 'hold', cells: [one], sentence: SENTENCE }, { action: 'wait', seconds: 30, sentence: SENTENCE }],
    ['has cleared by itself: it begins', { verdict: 'blip', cells: [one], sentence: SENTENCE }, { action: 'go' }],
    [
      'is to blame on the version: all that has it is rolled back',
      { verdict: 'blame', scope: 'all', cell: 'yankee', sentence: SENTENCE },
      { action: 'rollback', back: { scope: 'all' }, outcome: { cell: 'yankee', wave: 2, sentence: SENTENCE } },
    ],
    [
      'stays: that cell alone is rolled back',
      { verdict: 'alone', cells: [one], sentence: SENTENCE, numbers },
      { action: 'rollback', back: { scope: 'cells', cells: ['yankee'] }, outcome: { cell: 'yankee', wave: 2, sentence: SENTENCE } },
    ],
    [
      'is one too many: a person decides',
      { verdict: 'ask', cells: [one], sentence: SENTENCE, numbers },
      {
        ...{ action: 'end', status: 'awaiting decision' },
        outcome: { cell: 'yankee', wave: 2, sentence: `${SENTENCE}: \`cellctl rollout continue\` or \`cellctl rollout rollback\` decides` },
      },
    ],
    [
      'stops it, where the policy says so',
      { verdict: 'stop', cell: 'yankee', sentence: SENTENCE },
      { action: 'end', status: 'stopped', outcome: { cell: 'yankee', wave: 2, sentence: SENTENCE } },
    ],
  ])('an alarm in a cell that has the version %s', (_, verdict, expected) => {
    expect(decide({ verdict })).toEqual(expected);
  });

  test('a cell is sick of what it runs: it waits as long as a diagnosis takes, then names the way out', () => {
    const ill = { healths: [health('alpha'), alarm('bravo', 'bravo-errors', 'ALARM')] };
    expect(decide(ill)).toMatchObject({
      action: 'wait',
      sentence: expect.stringContaining('bravo: bravo-errors in ALARM, before it has the version'),
    });
    expect(decide({ ...ill, now: t(1_800) })).toMatchObject({
      action: 'end',
      status: 'stopped',
      outcome: { cell: 'bravo', sentence: expect.stringContaining('`cellctl rollout start --cures bravo --reason …`') },
    });
    // The version is to cure it.
    expect(decide({ ...ill, cures: ['bravo'] })).toEqual({ action: 'go' });
  });

  test('a large wave goes on without a cell that was sick before, whatever could not be deployed', () => {
    const large = { ...wave, cells: ['alpha', 'bravo', 'charlie', 'delta'] };
    const ill = { wave: large, healths: [alarm('bravo', 'bravo-errors', 'ALARM')], now: t(1_800) };
    const apart = (apartFor: 'failure' | 'alarm') => [cell('alpha', 'restored', { apart: 'for a reason', apartFor })];
    expect(decide({ ...ill, cells: apart('failure') })).toMatchObject({ action: 'wait', apart: ['bravo'] });
    expect(decide({ ...ill, cells: apart('alarm') })).toMatchObject({ action: 'end', status: 'stopped' });
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

  describe('a freeze', () => {
    const frozen = { sentence: 'alpha is frozen by ada: INC-42', seconds: 30 };
    const ill = [alarm('alpha', 'alpha-errors', 'ALARM'), health('bravo')];

    test('is waited for, whatever cells are sick of that have nothing of the rollout yet', () => {
      expect(decide({ frozen, healths: ill, now: t(DAY) })).toEqual({ action: 'wait', ...frozen });
    });

    test('is waited for by another execution after a week, and another goes on when it is over: histories are limited', () => {
      const since = record({ frozenSince: t(0) });
      expect(decide({ frozen, record: since, now: t(7 * DAY - 1) })).toMatchObject({ action: 'wait' });
      expect(decide({ frozen, record: since, now: t(7 * DAY) })).toMatchObject({ action: 'hand over' });
      expect(decide({ record: since })).toMatchObject({ action: 'hand over' });
    });

    test('lets nobody pass who asks for a halt', () => {
      expect(decide({ frozen, control: { stop: asked } })).toMatchObject({ action: 'end', status: 'stopped' });
    });
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
      ...SICK.map(([what, seen, said]) => [`${what}, for too long`, { healths: [health('alpha'), seen], now: t(1_800) }, said] as const),
      ['a missing alarm, at once', { healths: [MISSING], now: t(0) }, 'bravo has no bravo-cpu: recreate'],
      ...SILENT.map(
        ([what, seen, said]) => [`${what}, for too long`, { healths: [seen], ...late }, `${said}, longer than the grace of 10m`] as const,
      ),
    ];
    test.each(REASONS)('%s stops the rollout while nothing was changed', (_, change, sentence) => {
      const outcome = { wave: 2, sentence: expect.stringContaining(sentence) };
      expect(decide(change)).toMatchObject({ action: 'end', status: 'stopped', outcome });
      const before = [cell('alpha', 'restored'), cell('bravo', 'pending'), cell('alpha', 'deployed', { unchanged: true })];
      expect(decide({ ...change, cells: before })).toMatchObject({ action: 'end', status: 'stopped', outcome });
    });
    test.each(REASONS)('%s rolls back what an earlier attempt has changed', (_, change, sentence) => {
      const outcome = { wave: 2, sentence: expect.stringContaining(sentence) };
      expect(decide({ ...change, cells: [cell('alpha', 'deployed')] })).toMatchObject({ action: 'rollback', outcome });
    });
  });

  test.each(SILENT)('%s is waited for, within the grace', (_, seen, said) => {
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

  test('a closed calendar does not keep cells that run the version already from being rolled back', () => {
    const opens = { at: t(DAY), why: 'bravo is closed' };
    const change = { opens, cells: [cell('alpha', 'deployed')] };
    const verdict = judged([alarm('alpha', 'a', 'ALARM')]);
    expect(decide({ ...change, verdict })).toMatchObject({ action: 'rollback', back: { scope: 'wave' } });
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
    ['does not while a cell is sick', { held: t(0) }, {}, false],
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
    ['one failed, whatever halt is asked for', failure, { pause: asked, stop: asked }, { action: 'rollback', outcome: { cell: 'bravo' } }],
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
    expect(afterDeploy(wave, { cells, record: { attempts: 1 }, control, policy: policy(), exposed: cells.length })).toMatchObject(expected);
  });

  test('failed cells that are tolerated are rolled back alone, and not twice', () => {
    const tolerant = { record: { attempts: 1 }, control: {}, policy: policy({ failureTolerance: { cells: 1 } }), exposed: 10 };
    expect(afterDeploy(wave, { ...tolerant, cells: failure })).toMatchObject({
      action: 'rollback',
      back: { scope: 'cells', cells: ['bravo'], apartFor: 'failure' },
      outcome: { cell: 'bravo', sentence: 'bravo: no such image' },
    });
    const undeployed = cell('bravo', 'restored', { apart: 'no such image', apartFor: 'failure' });
    const apart = [cell('alpha', 'deployed'), undeployed];
    expect(afterDeploy(wave, { ...tolerant, cells: apart })).toEqual({ action: 'bake' });
    const second = [cell('alpha', 'failed', { sentence: 'nor this' }), undeployed];
    const beyond = afterDeploy(wave, { ...tolerant, cells: second });
    expect(beyond).toMatchObject({ action: 'rollback', outcome: { cell: 'alpha' } });
    expect(beyond).not.toHaveProperty('back');
  });

  test('a cell that was held is waited for by another execution, unless somebody has asked for a halt', () => {
    const base = { record: { attempts: 2 }, policy: policy(), exposed: 1 };
    const held = [cell('alpha', 'deployed'), cell('bravo', 'failed', { heldIn: 2 })];
    expect(afterDeploy(wave, { ...base, control: {}, cells: held })).toEqual({ action: 'hand over', sentence: 'waits for bravo' });
    expect(afterDeploy(wave, { ...base, control: { stop: asked }, cells: held })).toMatchObject({ action: 'end', status: 'stopped' });
    const failed = [cell('alpha', 'failed', { sentence: 'alpha: no such image' }), cell('bravo', 'pending', { heldIn: 2 })];
    expect(afterDeploy(wave, { ...base, control: {}, cells: failed })).toMatchObject({ action: 'rollback', outcome: { cell: 'alpha' } });
    // Of an earlier attempt: nothing says why it was not deployed in this one.
    const stale = [cell('alpha', 'deployed'), cell('bravo', 'pending', { heldIn: 1 })];
    expect(afterDeploy(wave, { ...base, control: {}, cells: stale })).toMatchObject({ action: 'rollback', outcome: { cell: 'bravo' } });
  });

  test('a cell that was rolled back because it was sick counts in no tolerance of failures', () => {
    const tolerant = { record: { attempts: 1 }, control: {}, policy: policy({ failureTolerance: { cells: 1 } }), exposed: 10 };
    const sick = cell('bravo', 'restored', { apart: 'it stayed sick', apartFor: 'alarm' });
    expect(afterDeploy(wave, { ...tolerant, cells: [cell('alpha', 'failed'), sick] })).toMatchObject({
      action: 'rollback',
      back: { scope: 'cells', cells: ['alpha'], apartFor: 'failure' },
    });
  });

  test('what was left out because a cell is sick waits until that is judged', () => {
    expect(afterDeploy(wave, { cells: one, record: { held: t(0), attempts: 1 }, control: {}, policy: policy(), exposed: 1 })).toEqual({
      action: 'bake',
    });
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

  test('of a bake are counted as they come, however long it is', () => {
    const oneByOne = (seconds: number, timeScale: number) => {
      let looks = 1;
      for (let elapsed = 0; elapsed < seconds; looks++) elapsed += scaled(nextLook(elapsed, seconds - elapsed), timeScale) / timeScale;
      return looks;
    };
    const scales = fc.constantFrom(1, 0.5, 0.1, 0.02, 0.001);
    fc.assert(fc.property(fc.nat(60 * DAY), scales, (seconds, scale) => Math.abs(looksIn(seconds, scale) - oneByOne(seconds, scale)) <= 1));
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
