/** A thousand accounts by a clock of their own: as fast as the quotas let it, and never faster. */
import { describe, expect, test } from '@jest/globals';
import { CREATIONS_IN_FLIGHT, LIMITS } from '../../../lib/accounts/rates.ts';
import { faults, Process, planOf, World } from '../../_helpers/vending.ts';

const N = 1_000;
const plan = planOf(Array.from({ length: N }, (_, index) => `c${String(index).padStart(4, '0')}`));

/** The least time, in seconds, that these creations take by the quotas: as fast as the rate lets them begin, or the places in flight let them last. */
function floorOf({ organization: { creations } }: World): number {
  const lasted = creations.reduce((sum, { requestedAt, endsAt }) => sum + endsAt - requestedAt, 0) / 1000;
  return Math.max((creations.length - LIMITS.create.burst) / LIMITS.create.perSecond, lasted / CREATIONS_IN_FLIGHT);
}

/** Latencies between half and one and a half of `mean`, in milliseconds; the same in each run. */
function around(mean: number): () => number {
  let seed = 7;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return mean * 1000 * (0.5 + seed / 2_147_483_647);
  };
}

describe('a thousand accounts', () => {
  test.each([
    ['the rate decides', 30],
    ['both do', 50],
    ['creations in flight decide', 90],
  ])('take as long as the quotas demand, within 5 %%: %s', async (_, latency) => {
    const world = new World({ latency: around(latency) });
    const began = world.clock.now();
    await world.vend(plan);
    const seconds = (world.clock.now() - began) / 1000;
    const floor = floorOf(world);
    expect(await faults(world, plan)).toEqual([]);
    expect({ violations: world.organization.violations, mostInFlight: world.organization.mostInFlight <= CREATIONS_IN_FLIGHT }).toEqual({
      violations: [],
      mostInFlight: true,
    });
    expect(seconds / floor).toBeGreaterThan(0.99);
    expect(seconds / floor).toBeLessThan(1.05);
  });

  test('take no longer, and go over no limit, when the run dies in the middle', async () => {
    const world = new World({ latency: around(60) });
    const began = world.clock.now();
    const first = new Process({ call: 24_000, when: 'after' });
    await world.clock.run(world.engine(first).vending.vend(world.wanted(plan.cells)), () => first.dead);
    const made = world.organization.creations.length;
    expect(made).toBeGreaterThan(N / 4);
    expect(made).toBeLessThan((3 * N) / 4);
    await world.vend(plan);
    const seconds = (world.clock.now() - began) / 1000;
    const floor = floorOf(world);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.creations).toHaveLength(N);
    expect(world.organization.violations).toEqual([]);
    expect(world.organization.mostInFlight).toBeLessThanOrEqual(CREATIONS_IN_FLIGHT);
    expect(seconds / floor).toBeLessThan(1.05);
  });
});
