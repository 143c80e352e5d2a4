/** Whole rollouts in memory, with the operator's own code on the machines' own definitions: what holds whatever happens. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasEnded } from '../../../lib/rollout/rollout-record.ts';
import { runs } from '../../_helpers/properties.ts';
import { criticalPath, simulate } from '../../_helpers/simulator.ts';
import { type Deed, type Result, type Scenario, scenario } from '../../_helpers/simulator-scenario.ts';

const NEW = '2.0.0';

/** Everything that is wrong with how a rollout went. */
function faults(result: Result): string[] {
  const { record, waves, cells, before, after, locks, violations, events } = result;
  const found = [...violations];
  const { status, outcome } = record;
  const inWaves = new Map(result.plan.waves.flatMap(({ number, cells: names }) => names.map((name) => [name, number] as const)));
  const stuck = new Set(cells.filter((cell) => cell.status === 'not restored').map(({ cell }) => cell));
  const check = (holds: boolean, sentence: string) => (holds ? undefined : found.push(sentence));
  const restored = new Set(waves.filter((wave) => wave.status.startsWith('rolled back')).map(({ number }) => number));

  const rests = hasEnded(status) || ['paused', 'awaiting approval', 'between waves', 'queued'].includes(status);
  check(rests, `it is ${status}, and nothing runs`);
  check(!hasEnded(status) || locks === 0, `${locks} locks are left`);
  check((outcome?.sentence ?? '') !== '' || !hasEnded(status), 'it ended without a word');
  check(events < 25_000, `a history of ${events} events`);
  for (const [name, wave] of inWaves) {
    const [was, is] = [before.get(name), after.get(name)];
    check(is === was || is === NEW, `${name} ends on ${is}, and had ${was}`);
    if (status === 'succeeded') check(is === NEW, `${name} has ${is} after a success`);
    if (restored.has(wave) && !stuck.has(name))
      check(is === was, `${name} of wave ${wave}, which was rolled back, has ${is} instead of ${was}`);
    const begun = waves[wave]?.status !== 'pending';
    check(begun || is === was, `${name} has ${is}, though wave ${wave} has not begun`);
  }
  if (status === 'rolled back') check(stuck.size === 0, `${stuck.size} cells were not rolled back, and it says nothing`);
  if (status === 'rolled back in part') {
    const names = [...stuck].slice(0, 10).filter((name) => !outcome?.sentence.includes(name));
    check(stuck.size > 0 && (stuck.size > 10 || names.length === 0), `not named: ${names.join(' ')}`);
  }
  if (result.plan.policy.onFailure === 'rollback-all' && status === 'rolled back' && record.control.rollback?.scope !== 'wave') {
    for (const [name] of inWaves) check(after.get(name) === before.get(name), `${name} has ${after.get(name)} after all was rolled back`);
  }
  return found;
}

const DEEDS: readonly Deed[] = ['pause', 'stop', 'resume', 'approve', 'rollback-wave', 'rollback-all', 'skip-bake', 'kill', 'retry'];
const AFTERWARDS: readonly Deed[] = ['resume', 'resume', 'retry', 'approve', 'rollback-wave', 'rollback-all'];
const chance = (most: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max: most, noNaN: true }));

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(1e9),
  cells: fc.integer({ min: 1, max: 40 }),
  regions: fc.integer({ min: 1, max: 4 }),
  policy: fc.record({
    timeScale: fc.constantFrom(1, 0.1),
    onFailure: fc.constantFrom('rollback-wave' as const, 'rollback-all' as const),
    concurrency: fc.integer({ min: 1, max: 12 }),
    rollbackConcurrency: fc.integer({ min: 1, max: 12 }),
    multiRegionFromWave: fc.integer({ min: 1, max: 3 }),
    waves: fc
      .array(fc.record({ cells: fc.integer({ min: 1, max: 5 }), approval: fc.boolean() }), { minLength: 2, maxLength: 4 })
      .map((waves) =>
        [...waves, undefined].map((wave, index) => ({
          ...{ name: `w${index + 1}`, prefer: 'any' as const, bake: '2h', approval: wave?.approval ?? false },
          admit: wave ? { cells: wave.cells } : { rest: true as const },
        })),
      ),
  }),
  deploySeconds: fc.constantFrom([60, 300] as const, [5, 30] as const, [30, 4_500] as const),
  chances: fc.record({
    deployFails: chance(0.2),
    restoreFails: chance(0.5),
    badVersion: chance(0.2),
    coincidence: chance(0.2),
    missingData: chance(0.2),
    idle: chance(0.1),
    throttled: chance(0.1),
    unchanged: chance(0.3),
    first: chance(0.3),
  }),
  deeds: fc.array(fc.record({ at: fc.nat(40_000), deed: fc.constantFrom(...DEEDS) }), { maxLength: 5 }),
  afterwards: fc.array(fc.constantFrom(...AFTERWARDS), { maxLength: 8 }),
  pipeline: fc.boolean(),
});

describe('a rollout', () => {
  test('keeps every promise, whatever cells, calls and people do', async () => {
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(scenarios, async (given) => {
        const result = await simulate(given);
        expect(faults(result)).toEqual([]);
        ends.set(result.record.status, (ends.get(result.record.status) ?? 0) + 1);
      }),
      { numRuns: runs(200), seed: 20_260_101, endOnFailure: true },
    );
    // Each end was reached, or nothing is said of it.
    expect([...ends.keys()].sort()).toEqual(expect.arrayContaining(['rolled back', 'rolled back in part', 'stopped', 'succeeded']));
  });

  test('of thousands of cells ends within seconds of ours, and keeps them too', async () => {
    const chances = { badVersion: 0.00002, coincidence: 0.001, missingData: 0.01, throttled: 0.01, unchanged: 0.05, first: 0.05 };
    const policy = { concurrency: 500, rollbackConcurrency: 1_000 };
    const afterwards = ['resume', 'resume', 'rollback-all'] as const;
    const cells = runs(10_000);
    const result = await simulate(scenario({ cells, regions: 4, policy, chances, afterwards }));
    expect(faults(result)).toEqual([]);
    expect(result.begun.size).toBe(cells + 2);
  });

  test.each([
    ['as many at once as a wave has', 1_000],
    ['fifty at once', 50],
    ['ten at once', 10],
  ])('of a thousand cells takes as long as its slowest cells and bakes, within 5 %%: %s', async (_, concurrency) => {
    const result = await simulate(scenario({ cells: 1_000, policy: { concurrency } }));
    expect(faults(result)).toEqual([]);
    expect(result.record.status).toBe('succeeded');
    expect(result.makespan / criticalPath(result)).toBeGreaterThanOrEqual(1);
    expect(result.makespan / criticalPath(result)).toBeLessThan(1.05);
  });

  test('that died in the middle goes on where it was: no good cell is deployed again, no cell fails for the time nobody drove it', async () => {
    // Staging bakes for an hour; the wave after it deploys then.
    const result = await simulate(
      scenario({
        policy: {
          waves: [{ name: 'all', prefer: 'any', admit: { rest: true }, bake: '1h', approval: false }],
          multiRegionFromWave: 1,
          concurrency: 3,
        },
        deploySeconds: [600, 900],
        deeds: [{ at: 6_500, deed: 'kill' }],
        afterwards: ['resume'],
      }),
    );
    expect(faults(result)).toEqual([]);
    expect(result.record).toMatchObject({ status: 'succeeded', runs: 2 });
    expect([...new Set(result.begun.values())]).toEqual([1]);
  });

  test('over a policy that pauses, stops and approves ends in every cell, each begun once', async () => {
    const waves = [1, 2].map((cells) => ({ name: `w${cells}`, prefer: 'any' as const, admit: { cells }, bake: '1h', approval: true }));
    const rest = { name: 'rest', prefer: 'any' as const, admit: { rest: true as const }, bake: '1h', approval: false };
    const result = await simulate(
      scenario({
        policy: { waves: [...waves, rest], multiRegionFromWave: 1 },
        deeds: [{ at: 100, deed: 'pause' }],
        afterwards: ['resume', 'approve', 'approve', 'resume'],
      }),
    );
    expect(faults(result)).toEqual([]);
    expect(result.record.status).toBe('succeeded');
    expect([...new Set(result.begun.values())]).toEqual([1]);
  });

  const frozen = {
    calendar: { timeZone: 'UTC', windows: [], blackouts: [{ from: '2025-12-01T00:00', until: '2026-02-01T00:00', reason: 'freeze' }] },
  };
  test.each([
    ['stop', 'stopped'],
    ['rollback-all', 'rolled back'],
  ] as const)('that waits for a calendar hears a %s at once', async (deed, status) => {
    const result = await simulate(scenario({ policy: frozen, deeds: [{ at: 900, deed }] }));
    expect(faults(result)).toEqual([]);
    expect(result.record).toMatchObject({ status, runs: 2 });
    // The calendar is looked at again every few hours only.
    expect(result.makespan).toBeLessThan(960);
    expect([...result.begun.values()]).toEqual([...result.begun.values()].map(() => 0));
  });

  test('that begins anew after its end asks for approvals again', async () => {
    const result = await simulate(
      scenario({
        policy: {
          waves: [
            { name: 'first', prefer: 'any', admit: { cells: 1 }, bake: '1h', approval: true },
            { name: 'rest', prefer: 'any', admit: { rest: true }, bake: '1h', approval: false },
          ],
          multiRegionFromWave: 1,
        },
        afterwards: ['approve', 'rollback-all', 'resume'],
      }),
    );
    expect(faults(result)).toEqual([]);
    expect(result.record).toMatchObject({ status: 'awaiting approval', outcome: { wave: 1 } });
  });

  describe('that was started for a drill', () => {
    const waves = [
      { name: 'one', prefer: 'any' as const, admit: { cells: 1 }, bake: '12h', approval: false },
      { name: 'rest', prefer: 'any' as const, admit: { rest: true as const }, bake: '2h', approval: false },
    ];
    const policy = { waves, multiRegionFromWave: 1, timeScale: 0.0003, maxBakeExtension: '2h', minRequestsPerCell: 0 };
    /** On a machine on which a look at the rollout takes so long: a bake of twelve hours takes 13 seconds. */
    const on = (lookSeconds: number) => simulate(scenario({ policy, drill: { wave: 1, lookSeconds } }));
    const beyond = ({ plan, begun }: Result) => (plan.waves[2]?.cells ?? []).filter((cell) => (begun.get(cell) ?? 0) > 0);

    test.each([0.01, 1, 12, 30, 300, 1_800])('is rolled back by it, though a look takes %d s, and the bake 13 s', async (lookSeconds) => {
      const result = await on(lookSeconds);
      expect(faults(result)).toEqual([]);
      expect(result.record).toMatchObject({ status: 'rolled back', outcome: { sentence: expect.stringMatching(/in ALARM|fired at/) } });
      expect(result.drilled).toMatchObject({ rollout: 'orders-api-1', wave: 1 });
      expect(beyond(result)).toEqual([]);
    });

    test('is rolled back, too, when the drill takes longer than anybody waits: the drill fails, and nothing slips through', async () => {
      const result = await on(3 * 3_600);
      expect(faults(result)).toEqual([]);
      expect(result.record).toMatchObject({
        status: 'rolled back',
        outcome: { sentence: expect.stringContaining('no drill has set an alarm') },
      });
      expect(result.drilled).toMatchObject({ code: 'DRILL_FAILED' });
      expect(beyond(result)).toEqual([]);
    });

    test('gets past its wave never, whatever machines, cells and people do', async () => {
      let judged = 0;
      await fc.assert(
        fc.asyncProperty(scenarios, fc.nat(3), fc.integer({ min: 5, max: 20_000 }), async (given, wave, lookSeconds) => {
          const result = await simulate({ ...given, drill: { wave, lookSeconds } });
          expect(faults(result)).toEqual([]);
          const { drill } = result.plan;
          if (drill === undefined) return;
          expect(result.waves[wave]?.status).not.toBe('passed');
          expect(result.record.status).not.toBe('succeeded');
          const later = result.plan.waves.slice(wave + 1).flatMap(({ cells }) => cells);
          expect(later.filter((cell) => (result.begun.get(cell) ?? 0) > 0)).toEqual([]);
          if (result.drilled && !(result.drilled instanceof Error)) judged++;
        }),
        { numRuns: runs(40), seed: 20_260_101, endOnFailure: true },
      );
      expect(judged).toBeGreaterThan(0);
    });
  });

  describe('that a pipeline takes through its waves, a stage each', () => {
    test('ends in every cell, each begun once, and every stage ends with its wave', async () => {
      const result = await simulate(scenario({ pipeline: true }));
      expect(faults(result)).toEqual([]);
      // One execution for each stage.
      expect(result.record).toMatchObject({ status: 'succeeded', runs: result.plan.waves.filter(({ cells }) => cells.length > 0).length });
      expect([...new Set(result.begun.values())]).toEqual([1]);
    });

    test('goes on where it was, when a stage that was stopped in the middle is tried again', async () => {
      const result = await simulate(scenario({ pipeline: true, deeds: [{ at: 900, deed: 'kill' }], afterwards: ['retry'] }));
      expect(faults(result)).toEqual([]);
      expect(result.record.status).toBe('succeeded');
      expect([...new Set(result.begun.values())]).toEqual([1]);
    });

    test('fails its stage while somebody has it pause, and goes on after both are over', async () => {
      const paused = await simulate(scenario({ pipeline: true, deeds: [{ at: 100, deed: 'pause' }] }));
      expect(paused.record.status).toBe('paused');
      const result = await simulate(scenario({ pipeline: true, deeds: [{ at: 100, deed: 'pause' }], afterwards: ['resume', 'retry'] }));
      expect(faults(result)).toEqual([]);
      expect(result.record.status).toBe('succeeded');
    });
  });
});
