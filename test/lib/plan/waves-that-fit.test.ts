/** Caps on the traffic of waves, and waves that go through their regions one after the other. */
import { describe, expect, test } from '@jest/globals';
import { trafficNotes } from '../../../lib/plan/traffic.ts';
import { planWaves, policyWaveOf } from '../../../lib/plan/waves.ts';
import { firstOf, reachOf } from '../../../lib/rollout/executions.ts';
import { names, numbered, orders, type PolicyWave, planOf, text, vended, wavesOf } from '../../_helpers/waves.ts';

const wave = (name: string, admit: PolicyWave['admit'], rest: Partial<PolicyWave> = {}): PolicyWave => ({
  ...{ name, prefer: 'any', admit, bake: '1h', approval: false },
  ...rest,
});
const rest = wave('rest', { rest: true });

describe('maxTraffic', () => {
  const policy = (...waves: PolicyWave[]) => ({ waves: [...waves, rest], multiRegionFromWave: 1 });

  test('caps the exposure of a wave that admits a number of cells', () => {
    const cells = numbered(10, (index) => ({ trafficWeight: 1 + index }));
    const waves = wavesOf(cells, policy(wave('two', { cells: 8 }, { maxTraffic: 20 })));
    // 1 + 2 + 3 + 4 = 10 of 55; the next would make it 27 %.
    expect(text(waves).slice(1)).toEqual([
      '1 two: c0000 c0001 c0002 c0003 (eu-west-1) 18 %',
      '2 rest: c0004 c0005 c0006 c0007 c0008 c0009 (eu-west-1) 100 %',
    ]);
  });

  test('counts what earlier waves have reached, and leaves a wave without cells where they have reached it all', () => {
    const cells = numbered(10);
    const waves = wavesOf(
      cells,
      policy(wave('one', { cells: 3 }), wave('two', { cells: 5 }, { maxTraffic: 50 }), wave('three', { cells: 5 }, { maxTraffic: 50 })),
    );
    expect(waves.map((each) => each.cells.length)).toEqual([1, 3, 2, 0, 5]);
  });

  test('passes over a cell that alone is heavier than every cap: it waits for the last wave', () => {
    const cells = [
      vended('whale', 1, { trafficWeight: 70 }),
      ...numbered(6, () => ({ trafficWeight: 5 })).map((each, index) => ({ ...each, accountId: String(400_000_000_100 + index) })),
    ];
    const waves = wavesOf(
      cells,
      policy(wave('busy', { cells: 1 }, { prefer: 'busy', maxTraffic: 10 }), wave('some', { percent: 90 }, { maxTraffic: 30 })),
    );
    expect(names(waves[1])).toHaveLength(1);
    expect(names(waves[1])).not.toContain('whale');
    expect(names(waves.at(-1))).toContain('whale');
    expect(waves.slice(0, -1).every(({ exposure }) => exposure <= 0.3)).toBe(true);
  });

  test('is a share of cells where none has a weight', () => {
    const cells = numbered(10, () => ({ trafficWeight: 0 }));
    expect(wavesOf(cells, policy(wave('some', { cells: 9 }, { maxTraffic: 35 }))).map((each) => each.cells.length)).toEqual([1, 3, 7]);
  });
});

describe("regions: 'one-at-a-time'", () => {
  const cells = numbered(7, (index) => ({ region: ['us-east-1', 'eu-west-1', 'eu-west-1'][index % 3], trafficWeight: 1 + index }));
  const policy = {
    waves: [
      wave('first', { cells: 1 }),
      wave('some', { percent: 60 }, { regions: 'one-at-a-time', approval: true, bake: '2h' }),
      { ...rest, regions: 'one-at-a-time' as const },
    ],
    multiRegionFromWave: 2,
  };
  const waves = wavesOf(cells, policy);

  test('makes one wave for each region, the one with least traffic first, each with a bake of its own', () => {
    expect(text(waves)).toEqual([
      '0 staging: stage (eu-west-1) 0 %',
      '1 first: c0000 (us-east-1) 4 %',
      '2 some-us-east-1: c0003 (us-east-1) 18 %',
      '3 some-eu-west-1: c0001 c0002 c0004 (eu-west-1) 54 %',
      '4 rest-eu-west-1: c0005 (eu-west-1) 75 %',
      '5 rest-us-east-1: c0006 (us-east-1) 100 %',
    ]);
    expect(waves.map(({ bakeSeconds }) => bakeSeconds)).toEqual([3_600, 3_600, 7_200, 7_200, 3_600, 3_600]);
    expect(waves.map(({ number }, index) => number === index)).not.toContain(false);
  });

  test('asks for an approval once, before the first region', () => {
    expect(waves.filter(({ approval }) => approval).map(({ number }) => number)).toEqual([2]);
  });

  test('leaves a wave of one region as it is, and one without cells', () => {
    const { waves: few } = planWaves(planOf(numbered(1), policy), orders);
    expect(few.map(({ name }) => name)).toEqual(['staging', 'first', 'some', 'rest']);
  });

  test('is one stage of a pipeline, however many regions it goes through', () => {
    expect(waves.map(policyWaveOf)).toEqual([0, 1, 2, 2, 3, 3]);
    const stage = (through: number, last = false) => ({ through, approved: false, last });
    expect([0, 1, 2, 3].map((through) => [firstOf(stage(through), waves), reachOf(stage(through), waves)])).toEqual([
      [0, 0],
      [1, 1],
      [2, 3],
      [4, 5],
    ]);
    // Of a pipeline that was made when the policy had one wave less.
    expect(reachOf(stage(2, true), waves)).toBe(5);
    // Plans that were pinned before say no more than their numbers.
    const old = waves.map(({ policyWave: _, ...each }) => each);
    expect(reachOf(stage(2), old)).toBe(2);
  });
});

describe('what is said of the traffic before a rollout begins', () => {
  const notes = (weights: readonly number[], waves: readonly PolicyWave[]) => {
    const plan = planOf(
      numbered(weights.length, (index) => ({ trafficWeight: weights[index] })),
      { waves: [...waves], multiRegionFromWave: 1 },
    );
    return trafficNotes(plan, orders, planWaves(plan, orders).waves);
  };

  test('is nothing where waves grow slowly', () => {
    expect(notes([1, 1, 1, 1], [wave('one', { cells: 1 }), wave('two', { cells: 1 }), rest])).toEqual([]);
  });

  test('names a wave that takes most of it', () => {
    expect(notes([1, 1, 1, 1], [wave('one', { cells: 1 }), rest])).toEqual([
      "wave 2, rest, takes 75 % of the traffic at once: a bad version of orders-api that shows late reaches most customers; add waves before it, or give it regions: 'one-at-a-time'",
    ]);
  });

  test('names a cell that alone is most of it, and that no cap can hold for', () => {
    expect(notes([1, 1, 8], [wave('one', { cells: 2 }, { maxTraffic: 30 }), rest])).toEqual([
      'wave 2, rest, takes 80 % of the traffic at once: c0002 alone has it, and no wave can take less of it; move tenants to other cells',
      'too heavy for any cap: c0002 (80 %): no wave before the last allows more than 30 % of the traffic, so the last wave takes it',
    ]);
  });
});
