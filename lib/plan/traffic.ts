/** What waves do to the traffic, for people to judge before a rollout begins: a wave that takes most of it, a cell that fits none. Pure. */
import type { Component } from '../registry/index.ts';
import type { CellPlan, Plan } from './plan.ts';
import { policyWaveOf, type Wave } from './waves.ts';

/** Share of the production traffic beyond which a wave is most of it. */
const MOST = 0.5;

/** A cell that only the last wave can take. */
export interface HeavyCell {
  readonly cell: string;
  /** Its share of the production traffic, 0 to 1. */
  readonly share: number;
  /** The largest share that a wave before the last one allows, 0 to 1. */
  readonly allowed: number;
}

const shareOf = ({ production: { weight } }: Pick<Plan, 'production'>, cell: Pick<CellPlan, 'trafficWeight'>): number =>
  weight === 0 ? 0 : cell.trafficWeight / weight;

/** Production cells of the waves. */
const customersIn = (waves: readonly Wave[]) => waves.flatMap(({ number, cells }) => (number === 0 ? [] : cells));

/**
 * Cells of the waves that are heavier than any wave of the policy but the last allows, by its `maxTraffic` or its percentage:
 * no cap can hold for them. None where the policy has one wave.
 */
export function cellsTooHeavy(plan: Plan, waves: readonly Wave[]): readonly HeavyCell[] {
  const before = plan.rollout.waves.slice(0, -1);
  const cells = customersIn(waves);
  const eligible = cells.reduce((sum, cell) => sum + shareOf(plan, cell), 0);
  const limits = before.map(({ admit, maxTraffic = 100 }) =>
    Math.min(maxTraffic / 100, 'percent' in admit ? (admit.percent / 100) * eligible : 1),
  );
  if (limits.length === 0) return [];
  const allowed = Math.max(...limits);
  return cells
    .map((cell) => ({ cell: cell.name, share: shareOf(plan, cell), allowed }))
    .filter(({ share }) => share > allowed * (1 + 1e-9))
    .sort((a, b) => b.share - a.share);
}

const percent = (share: number) => `${Math.round(share * 1_000) / 10} %`;

/** Cells that a sentence names. */
const NAMED = 3;
const some = (names: readonly string[]) =>
  names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;

/** What is worth knowing of the traffic in waves before a rollout of the component begins, a sentence each. */
export function trafficNotes(plan: Plan, { name: component }: Pick<Component, 'name'>, waves: readonly Wave[]): readonly string[] {
  const notes: string[] = [];
  const last = plan.rollout.waves.length;
  for (const [index, wave] of waves.entries()) {
    const share = wave.exposure - (waves[index - 1]?.exposure ?? 0);
    if (index === 0 || share <= MOST) continue;
    const [only, ...others] = wave.cells;
    const takes = `wave ${wave.number}, ${wave.name}, takes ${percent(share)} of the traffic at once`;
    if (only && others.length === 0) {
      notes.push(`${takes}: ${only.name} alone has it, and no wave can take less of it; move tenants to other cells`);
      continue;
    }
    const way = policyWaveOf(wave) === last ? 'add waves before it, or give it' : 'cap it with maxTraffic, or give it';
    notes.push(`${takes}: a bad version of ${component} that shows late reaches most customers; ${way} regions: 'one-at-a-time'`);
  }
  const heavy = cellsTooHeavy(plan, waves);
  const [first] = heavy;
  if (first) {
    const shares = some(heavy.map(({ cell, share }) => `${cell} (${percent(share)})`));
    const rule = `no wave before the last allows more than ${percent(first.allowed)} of the traffic`;
    notes.push(`too heavy for any cap: ${shares}: ${rule}, so the last wave takes ${heavy.length === 1 ? 'it' : 'them'}`);
  }
  return notes;
}
