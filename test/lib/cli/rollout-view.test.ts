import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { foreseenLines } from '../../../lib/cli/rollout-plan-view.ts';
import { cellLines, factsOf, historyLines, pictureLines } from '../../../lib/cli/rollout-view.ts';
import { span } from '../../../lib/cli/words.ts';
import { foreseeRollout } from '../../../lib/rollout/draft.ts';
import { type CellPicture, cellPictures, pictureOf, summaryOf } from '../../../lib/rollout/picture.ts';
import { cell } from '../../_helpers/organization.ts';
import { ago, NOW, publishedPlan, rollout } from '../../_helpers/rollout-view.ts';

const plain = (lines: readonly string[]) => lines.map((line) => stripVTControlCharacters(line)).join('\n');
const spaceless = (lines: readonly string[]) => plain(lines).replaceAll(/ +/g, ' ');
const pictured = (story: Parameters<typeof rollout>[0] = {}) => {
  const { view, cells } = rollout(story);
  return pictureOf(view, cells, NOW);
};
const PASSED = { status: 'passed', attempts: 1, sentence: 'baked 3600 s without an alarm' } as const;
const BAKING = { status: 'baking', attempts: 1, bakeBeganAt: ago(15), bakeUntil: ago(-45) } as const;

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [89.4, '89 s'],
  [90, '2 min'],
  [3_600, '60 min'],
  [12 * 3_600, '12 h'],
  [12 * 3_600 + 300, '12 h 5 min'],
  [24 * 3_600, '24 h'],
  [51 * 3_600, '2 d 3 h'],
  [72 * 3_600, '3 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

describe('what a rollout would do', () => {
  test('is a table of waves, with what is left out and when it would be done', () => {
    const plan = publishedPlan({}, ({ cells }) => {
      cells['delta'] = cell('delta', 9, { intent: 'cordoned' });
    });
    const text = spaceless(foreseenLines(foreseeRollout(plan, 'orders-api', undefined, NOW), '2.0.0'));
    expect(text).toContain('orders-api 2.0.0 through 3 cells, by revision 7 (sha256:');
    expect(text).toContain('WAVE CELLS REGIONS BAKE TRAFFIC BEGINS ENDS');
    expect(text).toContain('\n0 staging staging eu-west-1 60 min 0 % 2026-03-02T12:00:00Z 2026-03-02T13:05:00Z\n');
    expect(text).toContain('\n3 first-tenth none: passes at once - - ');
    expect(text).toContain("left out: delta: It is cordoned: it keeps what it runs until its intent is 'active' again.");
    expect(text).toContain('done in about 17 h 15 min, 2026-03-03T05:15:00Z, if nothing goes wrong');
  });

  test('says so when it is a rehearsal, when somebody must approve, and when nobody has published it', () => {
    const waves = publishedPlan().rollout.waves.map((wave, index) => ({ ...wave, approval: index === 1 }));
    const { revision: _, ...plan } = publishedPlan({ waves });
    const text = spaceless(foreseenLines(foreseeRollout({ ...plan, revision: undefined }, 'orders-api', 0.01, NOW), undefined));
    expect(text).toContain('orders-api through 3 cells, by definitions that nobody has published; time scale 0.01');
    expect(text).toContain('2 one-busy-cell (approval)');
    expect(text).toContain('and wave 2 is approved at once');
    expect(text).toContain('36 s');
    // A rehearsal of 17 h 15 min.
    expect(text).toContain('done in about 10 min, ');
  });

  test('names some of many cells', () => {
    const plan = publishedPlan({}, ({ cells }) => {
      for (let index = 0; index < 40; index++) cells[`s${index}`] = cell(`s${index}`, 20 + index, { stage: 'staging' });
    });
    expect(spaceless(foreseenLines(foreseeRollout(plan, 'orders-api', undefined, NOW), '2'))).toMatch(/0 staging \S+, \S+, \S+, … \(41\) /);
  });
});

describe('how a rollout is', () => {
  test('is a line for each wave, with what it waits for below it', () => {
    const picture = pictured({ waves: { 0: PASSED, 1: BAKING }, cells: [{ cell: 'alpha', wave: 1, status: 'deployed' }] });
    const text = spaceless(pictureLines(picture, NOW, 100));
    expect(text).toContain('orders-api-7 orders-api 2.0.0 running\n for 30 min, by ada\n since 2026-03-02T11:30:00Z, revision 7\n');
    expect(text).toContain('\n 1 of 3 cells have it, or may: 50 % of the traffic\n');
    expect(text).toContain('\n0 staging passed 0/1 0 %\n baked 3600 s without an alarm\n');
    expect(text).toContain('\n1 one-quiet-cell baking 1/1 50 %\n bakes for 45 min more\n');
    expect(text).toContain('\n2 one-busy-cell pending 0/1 to 100 %\n begins in about 45 min\n');
    expect(text).toContain('\n3 first-tenth pending 0/0 to 100 %\n no cell: passes at once\n');
    expect(text).toMatch(/\ndone in about .*Z$/);
  });

  test('says why it ended, what could not be rolled back, and what to do', () => {
    const outcome = { sentence: 'alpha: cell-alpha-latency in ALARM' };
    const picture = pictured({
      record: { status: 'rolled back in part', outcome, endedAt: ago(0) },
      waves: { 0: PASSED, 1: { status: 'rolled back in part', attempts: 1, sentence: outcome.sentence } },
      cells: [{ cell: 'alpha', wave: 1, status: 'not restored', sentence: 'no' }],
    });
    const text = spaceless(pictureLines(picture, NOW, 100));
    expect(text).toContain('orders-api-7 orders-api 2.0.0 rolled back in part\n took 30 min, by ada: alpha: cell-alpha-latency in ALARM\n');
    expect(text).toContain('1 one-quiet-cell rolled back in part 0/1 50 %\n 1 not rolled back\n alpha: cell-alpha-latency in ALARM');
    expect(text).toContain('\n next: cellctl rollout rollback orders-api-7 --reason "…"\n or: cellctl rollout resume orders-api-7\n');
    expect(text).not.toContain('done in about');
  });

  test('counts a bake down without looking again', () => {
    const picture = pictured({ waves: { 0: PASSED, 1: BAKING } });
    expect(plain(pictureLines(picture, new Date(NOW.getTime() + 10 * 60_000), 100))).toContain('bakes for 35 min more');
    expect(plain(pictureLines(picture, new Date(NOW.getTime() + 46 * 60_000), 100))).toContain('looks whether the bake is over');
  });

  test('says that it is dead', () => {
    const text = spaceless(pictureLines(pictured({ alive: false }), NOW, 100));
    expect(text).toContain('orders-api-7 orders-api 2.0.0 dead\n for 30 min, by ada: its execution ended without a word\n');
    expect(text).toContain(' next: cellctl rollout resume orders-api-7\n');
  });

  test('says which cells fell sick after its success', () => {
    const sick = [{ cell: 'alpha', sentence: 'alpha: cell-alpha-latency in ALARM' }];
    const afterwards = { until: ago(-60), lookedAt: ago(0), sick };
    const text = spaceless(pictureLines(pictured({ record: { status: 'succeeded', endedAt: ago(5), afterwards } }), NOW, 100));
    expect(text).toContain('\n 1 cell fell sick after the success: alpha: cell-alpha-latency in ALARM\n next: cellctl rollout rollback');
  });

  test('fits sixty columns, but for commands, which are there to be copied', () => {
    const sentence = `alpha: ${'cell-alpha-orders-api.errors in ALARM, '.repeat(6)}and more`;
    const verdict = {
      at: ago(5),
      wave: 1,
      verdict: 'ask',
      sentence,
      cells: ['alpha'],
      numbers: { sick: 12, of: 340, expected: 1.25, chance: 0 },
    };
    const long = pictured({
      record: {
        status: 'awaiting decision',
        outcome: { sentence },
        verdicts: [verdict] as never,
        by: 'arn:aws:sts::200000000000:assumed-role/x/ana',
      },
      waves: { 0: PASSED, 1: { status: 'rolled back in part', attempts: 1, sentence }, 2: BAKING },
      cells: [{ cell: 'alpha', wave: 1, status: 'not restored', sentence }],
    });
    const { view } = rollout({ cells: [{ cell: 'alpha', wave: 1, status: 'not restored', previous: '1.0.0-rc.12', sentence }] });
    const lines = [...pictureLines(long, NOW, 60), ...cellLines(cellPictures(view), 60), ...historyLines([long, long], NOW, 60)];
    const wide = lines.map((line) => stripVTControlCharacters(line)).filter((line) => line.length > 60 && !line.includes('cellctl '));
    expect(wide).toEqual([]);
  });
});

describe('its cells', () => {
  test('are a row each', () => {
    const { view } = rollout({ cells: [{ cell: 'alpha', wave: 1, status: 'failed', previous: '1.0.0', sentence: 'alpha: no' }] });
    expect(spaceless(cellLines(cellPictures(view), 100))).toBe(
      'CELL WAVE STATE BEFORE NOW\nalpha 1 failed 1.0.0 -\n alpha: no\nstaging 0 pending - -\nbravo 2 pending - -',
    );
  });

  test('are counted where there are more than people read', () => {
    const many = Array.from({ length: 300 }, (_, index): CellPicture => {
      const status = index < 40 ? 'deployed' : 'pending';
      return { cell: `c${index}`, wave: 1, status, before: undefined, now: undefined, sentence: undefined };
    });
    const lines = plain(cellLines(many, 100)).split('\n');
    expect(lines).toHaveLength(32);
    expect(lines.at(-1)).toBe('and 270 more cells: 10 deployed, 260 pending; all of them with --json');
  });
});

describe('what a log says of it', () => {
  const changed = (before: Parameters<typeof rollout>[0], after: Parameters<typeof rollout>[0]) => {
    const known = new Set(factsOf(pictured(before)).map(({ name, signature }) => name + signature));
    return factsOf(pictured(after))
      .filter(({ name, signature }) => !known.has(name + signature))
      .map(({ text }) => stripVTControlCharacters(text));
  };

  test('is a line for each wave that has begun', () => {
    expect(factsOf(pictured({ waves: { 0: PASSED, 1: BAKING } })).map(({ text }) => stripVTControlCharacters(text))).toEqual([
      'orders-api-7 running',
      'orders-api-7 wave 0 staging: passed, 0/1, baked 3600 s without an alarm',
      'orders-api-7 wave 1 one-quiet-cell: baking until 2026-03-02T12:45:00Z, 0/1',
    ]);
  });

  test('is nothing while only time passes', () => {
    expect(changed({ waves: { 0: PASSED, 1: BAKING } }, { waves: { 0: PASSED, 1: BAKING } })).toEqual([]);
  });

  test('is what has changed', () => {
    const outcome = { sentence: 'alpha: cell-alpha-latency in ALARM' };
    expect(
      changed(
        { waves: { 0: PASSED, 1: BAKING } },
        { record: { status: 'stopped', outcome }, waves: { 0: PASSED, 1: { status: 'failed', attempts: 1, sentence: outcome.sentence } } },
      ),
    ).toEqual([
      'orders-api-7 wave 1 one-quiet-cell: failed, 0/1, alpha: cell-alpha-latency in ALARM',
      'orders-api-7 stopped; alpha: cell-alpha-latency in ALARM',
    ]);
  });
});

test('the history is a row for each rollout', () => {
  const { view } = rollout({
    record: { status: 'succeeded', endedAt: ago(10), outcome: { sentence: 'orders-api 2.0.0 is in every cell' } },
  });
  expect(spaceless(historyLines([summaryOf(view.record, true)], NOW, 100))).toBe(
    'ROLLOUT VERSION STATE STARTED (UTC)\norders-api-7 2.0.0 succeeded 2026-03-02 11:30\n took 20 min, by ada: orders-api 2.0.0 is in every cell',
  );
});
