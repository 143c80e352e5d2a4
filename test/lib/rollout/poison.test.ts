/** Versions that make cells sick, soon or late, among cells that fall sick of nothing: what a rollout makes of both. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../_helpers/properties.ts';
import { simulate } from '../../_helpers/simulator.ts';
import { NEW, type Result, type Scenario, scenario } from '../../_helpers/simulator-scenario.ts';

/** Requests are no subject here. */
const policy = { minRequestsPerCell: 0 };
const withVersion = ({ after, before }: Result) => [...after].filter(([cell, version]) => version === NEW && before.get(cell) !== NEW);
/** Cells that began after the version had made the first one sick. */
const beyond = ({ beginnings, sickAt = Number.POSITIVE_INFINITY }: Result) => beginnings.filter((time) => time > sickAt).length;

describe('once a cell with the version is sick', () => {
  const one = [{ name: 'all', prefer: 'any' as const, admit: { rest: true as const }, bake: '1h', approval: false }];
  const inOneWave = { ...policy, waves: one, multiRegionFromWave: 1, stagingBake: '1m' };

  test.each([
    [10, 3],
    [100, 10],
    [1_000, 10],
    [1_000, 50],
    [10_000, 500],
  ])('no more than the concurrency begin: of %d cells, %d at once', async (cells, concurrency) => {
    const poison = { after: [0, 600], lasts: Number.POSITIVE_INFINITY, share: 0.3, wave: 1 } as const;
    const result = await simulate(scenario({ cells, policy: { ...inOneWave, concurrency }, poison }));
    expect(result.violations).toEqual([]);
    expect(beyond(result)).toBeLessThanOrEqual(concurrency);
    expect({ status: result.record.status, left: withVersion(result) }).toMatchObject({ status: 'rolled back' });
  });

  test('of an earlier wave, while a later one is deployed or bakes, and only for a moment, that is judged and written down', async () => {
    for (const after of [13 * 3_600, 15 * 3_600, 18 * 3_600]) {
      // In the one quiet cell, which bakes twelve hours, and is well until the waves after it are under way.
      const poison = { after: [after, after], lasts: 45, share: 1, wave: 1 } as const;
      const result = await simulate(scenario({ cells: 15, policy: { ...policy, waves: slow }, poison }));
      expect(result.violations).toEqual([]);
      // Short, and alone among fewer than twenty: a blip, counted; where it comes in a small wave, rolled back at once.
      expect(['rolled back', 'succeeded']).toContain(result.record.status);
      expect(result.record.verdicts?.map(({ verdict }) => verdict)).toContain(result.record.status === 'succeeded' ? 'blip' : 'blame');
    }
  });

  test('and stays so in a wave of more, it is rolled back everywhere', async () => {
    const poison = { after: [14 * 3_600, 14 * 3_600], lasts: Number.POSITIVE_INFINITY, share: 1, wave: 1 } as const;
    const result = await simulate(scenario({ cells: 15, policy: { ...policy, waves: slow }, poison }));
    expect(result.record).toMatchObject({
      status: 'rolled back',
      outcome: { sentence: expect.stringContaining('the version is to blame') },
    });
    expect(withVersion(result)).toEqual([]);
  });
});

/** One quiet cell, then all in two waves, each watched for hours. */
const slow = [
  { name: 'one', prefer: 'low-traffic' as const, admit: { cells: 1 }, bake: '12h', approval: false },
  { name: 'some', prefer: 'any' as const, admit: { cells: 6 }, bake: '4h', approval: false },
  { name: 'rest', prefer: 'any' as const, admit: { rest: true as const }, bake: '4h', approval: false },
];

test('a poison that makes a twentieth of the cells of its wave sick, and at least two, is rolled back everywhere, also under noise', async () => {
  const poisons = fc.record({
    seed: fc.nat(1e9),
    cells: fc.integer({ min: 10, max: 300 }),
    after: fc.constantFrom([0, 60] as const, [0, 3_600] as const, [1_800, 7_000] as const),
    lasts: fc.constantFrom(60, 900, Number.POSITIVE_INFINITY),
    share: fc.double({ min: 0.05, max: 1, noNaN: true }),
    noise: fc.boolean(),
  });
  let met = 0;
  await fc.assert(
    fc.asyncProperty(poisons, async ({ after, lasts, share, ...rest }) => {
      const result = await simulate(scenario({ ...rest, policy: { ...policy, concurrency: 20 }, poison: { after, lasts, share } }));
      expect(result.violations).toEqual([]);
      let exposed = 0;
      const enough = result.plan.waves.some(({ number, cells }) => {
        exposed += cells.length;
        const sick = result.poisoned.get(number) ?? 0;
        return sick >= Math.max(2, exposed / 20) && result.waves[number]?.bakeBeganAt !== undefined;
      });
      if (!enough) return;
      met++;
      expect({ status: result.record.status, left: withVersion(result).length, sentence: result.record.outcome?.sentence }).toMatchObject({
        status: 'rolled back',
        left: 0,
      });
    }),
    { numRuns: runs(40), seed: 20_260_101, endOnFailure: true },
  );
  expect(met).toBeGreaterThan(0);
});

/** How good versions of so many rollouts through a thousand noisy cells ended: without a person, and rolled back everywhere. */
async function goodVersions(rollouts: number, change: Partial<Scenario> = {}): Promise<{ alone: number; everywhere: number }> {
  let [alone, everywhere] = [0, 0];
  for (let seed = 1; seed <= rollouts; seed++) {
    const result = await simulate(scenario({ seed, cells: 1_000, noise: true, policy: { ...policy, concurrency: 50 }, ...change }));
    expect(result.violations).toEqual([]);
    if (result.record.status === 'succeeded') alone++;
    // In waves of up to three cells, any alarm rolls back at once: that is no verdict about the version.
    if (result.record.verdicts?.some(({ verdict, numbers }) => verdict === 'blame' && numbers !== undefined)) everywhere++;
  }
  return { alone, everywhere };
}

test('good versions get through a thousand cells with noise, nearly all without a person', async () => {
  // Each takes some seconds: PROPERTY_RUNS=20 makes them 200, of which 190 must end alone, and 2 at most everywhere.
  const rollouts = runs(10);
  const { alone, everywhere } = await goodVersions(rollouts);
  expect(alone).toBeGreaterThanOrEqual(Math.floor(rollouts * 0.95));
  expect(everywhere).toBeLessThanOrEqual(Math.floor(rollouts / 100));
});
