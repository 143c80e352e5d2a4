import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPlan } from '../../../lib/plan/plan.ts';
import { servedAtOnce, withinCalls } from '../../../lib/plan/quotas.ts';
import { registry } from '../../_helpers/organization.ts';

const planWith = (concurrency: number, rollbackConcurrency: number) =>
  createPlan(
    registry((input) => {
      input.settings = { ...input.settings, rollout: { ...input.settings.rollout, concurrency, rollbackConcurrency } };
    }),
  );

describe('the operator', () => {
  test.each([
    [1, 1],
    [10, 2],
    [100, 25],
    [140, 35],
    [1_000, 450],
  ])('that may be called %d times at once serves %d cells of a wave', (calls, cells) => {
    expect(servedAtOnce(calls)).toBe(cells);
  });

  test('serves every policy by the calls that init asks for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }), (concurrency, rollbackConcurrency) => {
        const plan = planWith(concurrency, rollbackConcurrency);
        const calls = plan.tooling.quotas.find(({ service }) => service === 'lambda')?.atLeast ?? 0;
        expect(withinCalls(plan, calls)).toBe(plan);
      }),
      { numRuns: 30 },
    );
  });

  test('bounds what a wave deploys and rolls back, and nothing else of the policy', () => {
    const plan = planWith(10, 20);
    expect(withinCalls(plan, 10).rollout).toEqual({ ...plan.rollout, concurrency: 2, rollbackConcurrency: 2 });
    expect(withinCalls(plan, 60).rollout).toEqual({ ...plan.rollout, concurrency: 10, rollbackConcurrency: 15 });
  });
});
