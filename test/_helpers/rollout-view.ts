/** A rollout of version 2 of orders-api through staging, alpha and bravo, as far as a test wants it to be. */
import { createPlan, selectComponent } from '../../lib/plan/plan.ts';
import { planWaves } from '../../lib/plan/waves.ts';
import type { RolloutPolicy } from '../../lib/registry/index.ts';
import { draftRollout } from '../../lib/rollout/draft.ts';
import type { RolloutView } from '../../lib/rollout/rollout-lookup.ts';
import type { CellRecord, RolloutCell, RolloutRecord, WaveRecord } from '../../lib/rollout/rollout-record.ts';
import { registry } from './organization.ts';

export const NOW = new Date('2026-03-02T12:00:00.000Z');
/** So many minutes before now, or after for less than 0. */
export const ago = (minutes: number): string => new Date(NOW.getTime() - minutes * 60_000).toISOString();

/** A plan that was published as revision 7. */
export function publishedPlan(policy: Partial<RolloutPolicy> = {}, change: Parameters<typeof registry>[0] = () => undefined) {
  const { organization, ...rest } = registry(change);
  const rollout = { ...organization.rollout, ...policy };
  return createPlan({ ...rest, organization: { ...organization, rollout }, published: { revision: 7, at: ago(600), by: 'ada' } });
}

interface Story {
  readonly policy?: Partial<RolloutPolicy>;
  readonly record?: Partial<RolloutRecord>;
  /** By number of the wave. */
  readonly waves?: Readonly<Record<number, Partial<WaveRecord>>>;
  readonly cells?: readonly CellRecord[];
  readonly alive?: boolean;
  /** The cell that it was started to drill in. */
  readonly drill?: string;
}

export function rollout(story: Story = {}): { view: RolloutView; cells: readonly (readonly RolloutCell[])[] } {
  const draft = draftRollout({
    plan: publishedPlan(story.policy),
    component: 'orders-api',
    artifact: { version: '2.0.0', digest: 'sha256:00' },
    by: 'ada',
    reason: undefined,
    allowReplacement: [],
    drill: story.drill,
    now: NOW,
  });
  const plan = { ...draft.plan, id: 'orders-api-7', startedAt: ago(30) };
  const record: RolloutRecord = {
    ...{ id: plan.id, component: 'orders-api', version: '2.0.0', digest: plan.digest, revision: 7, status: 'running', by: 'ada' },
    ...{ startedAt: plan.startedAt, updatedAt: plan.startedAt, control: {}, runs: 1 },
    ...story.record,
  };
  const waves = plan.waves.map(({ number }): WaveRecord => ({ number, status: 'pending', attempts: 0, ...story.waves?.[number] }));
  return { view: { plan, record, waves, cells: story.cells ?? [], alive: story.alive ?? true }, cells: draft.cells };
}

/** The waves that the component's rollout would have. */
export const wavesOf = (plan: ReturnType<typeof publishedPlan>) => planWaves(plan, selectComponent(plan, 'orders-api'));
