/** Plans of many cells, and their waves as text. */
import { createPlan, type Plan } from '../../lib/plan/plan.ts';
import { planWaves, type Wave } from '../../lib/plan/waves.ts';
import type { AwsCell, LifeState, RolloutPolicy } from '../../lib/registry/index.ts';
import { cell, component, registry, settings } from './organization.ts';

export type Waves = readonly Wave[];
export type PolicyWave = RolloutPolicy['waves'][number];

export const base = registry();
export const orders = component('orders-api', 100);
export const since = '2026-01-01T00:00:00.000Z';

/** A cell with an account. */
export const vended = (name: string, index: number, rest: object = {}): AwsCell => ({
  ...cell(name, index, rest),
  accountId: String(400_000_000_000 + index),
});

/** The plan of such cells, besides one of staging; nothing is checked, so that a thousand plans take no time. */
export function planOf(cells: readonly AwsCell[], policy: Partial<RolloutPolicy> = {}, life: Record<string, LifeState> = {}): Plan {
  const all = [vended('stage', 0, { stage: 'staging' }), ...cells];
  const organization = {
    ...base.organization,
    rollout: { ...settings().rollout, ...policy },
    cells: Object.fromEntries(all.map((each) => [each.name, structuredClone(each)])),
  };
  return createPlan({
    ...base,
    organization,
    life: Object.fromEntries(Object.entries(life).map(([name, state]) => [name, { state, since }])),
  });
}

export const wavesOf = (cells: readonly AwsCell[], policy?: Partial<RolloutPolicy>) => planWaves(planOf(cells, policy), orders).waves;
export const names = (wave: Wave | undefined) => wave?.cells.map(({ name }) => name) ?? [];

/** One line per wave. */
export const text = (waves: Waves) =>
  waves.map(({ number, name, cells, regions, exposure }) =>
    [
      `${number} ${name}:`,
      cells.length > 6 ? `${cells.length} cells` : cells.map((each) => each.name).join(' ') || '-',
      `(${regions.join(' ')})`,
      `${Math.round(exposure * 100)} %`,
    ].join(' '),
  );

export const numbered = (count: number, rest: (index: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, index) => vended(`c${String(index).padStart(4, '0')}`, index + 1, rest(index)));
