import { seconds } from '../registry/index.ts';
import type { Plan } from './plan.ts';

/**
 * The plan with the waves of an emergency in place of the policy's. Staging bakes no longer than the first of them, and every
 * wave may reach several regions: what is to be cured is everywhere already.
 */
export function inEmergency(plan: Plan): Plan {
  const { emergency, stagingBake } = plan.rollout;
  const first = emergency[0]?.bake ?? stagingBake;
  const shorter = seconds(first) < seconds(stagingBake) ? first : stagingBake;
  return { ...plan, rollout: { ...plan.rollout, waves: emergency, stagingBake: shorter, multiRegionFromWave: 1 } };
}
