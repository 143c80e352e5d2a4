/** Pipelines of three components over the same cells, in which anything may fail: what holds whatever happens. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { COMPONENTS, RandomPipelines } from '../../_helpers/pipelines-at-random.ts';
import { runs } from '../../_helpers/properties.ts';

const chance = (most: number) => fc.double({ min: 0, max: most, noNaN: true });

describe('pipelines', () => {
  test('never change a stack that another is at, always end, and bring the newest commit to every cell', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e9),
        fc.record({ fails: chance(0.3), dies: chance(0.3), stopped: chance(0.2), killed: chance(0.2), byHand: chance(0.3) }),
        fc.record({
          onPipelineFailure: fc.constantFrom('stop' as const, 'rollback' as const),
          concurrency: fc.integer({ min: 1, max: 4 }),
        }),
        async (seed, chances, policy) => {
          const { violations, running, last, locks } = await new RandomPipelines(seed, chances, policy).go();
          expect(violations).toEqual([]);
          expect(locks).toBe(0);
          for (const component of COMPONENTS)
            expect([component, new Set(Object.values(running[component] ?? {}))]).toEqual([component, new Set([last[component]])]);
        },
      ),
      { numRuns: runs(500, 40) },
    );
  }, 600_000);
});
