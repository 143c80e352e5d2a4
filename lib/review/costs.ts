/** Estimates of cells as they are planned: alone, together, and against what they were. */
import type { CellPlan, Plan } from '../plan/plan.ts';
import { type Estimate, estimateCell, PRICE_SOURCE } from './prices.ts';

/** What cells cost in a month. */
export interface Costs {
  /** What the figures are, and where they come from. */
  readonly source: string;
  /** Dollars a month. */
  readonly cells: readonly { readonly cell: string; readonly monthly: number }[];
  /** Dollars a month of all of them. */
  readonly monthly: number;
}

/** Cents are more than an estimate knows; more than cents is noise. */
const cents = (dollars: number) => Math.round(dollars * 100) / 100;

export function costsOf(plan: Pick<Plan, 'components'>, cells: readonly CellPlan[]): Costs {
  const each = cells.map((cell) => ({ cell: cell.name, monthly: cents(estimateCell(plan, cell).monthly) }));
  return { source: PRICE_SOURCE, cells: each, monthly: cents(each.reduce((sum, { monthly }) => sum + monthly, 0)) };
}

/** One item that costs another amount than before. */
interface CostChange {
  readonly what: string;
  /** Dollars a month; 0 for an item that wasn't there, or isn't any more. */
  readonly before: number;
  readonly after: number;
}

/** What a change does to the bill. */
export interface CostDifference {
  readonly source: string;
  /** Dollars a month; undefined for a cell that is new. */
  readonly before: number | undefined;
  readonly after: number;
  /** Items that differ, the biggest difference first; of a new cell, all. */
  readonly items: readonly CostChange[];
}

/** What a cell costs, and what it cost. */
export function costDifference(after: Estimate, before: Estimate | undefined): CostDifference {
  const old = new Map(before?.items.map(({ what, monthly }) => [what, cents(monthly)]));
  const now = new Map(after.items.map(({ what, monthly }) => [what, cents(monthly)]));
  const items = [...new Set([...now.keys(), ...old.keys()])]
    .map((what) => ({ what, before: old.get(what) ?? 0, after: now.get(what) ?? 0 }))
    .filter((item) => item.before !== item.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  return { source: PRICE_SOURCE, before: before && cents(before.monthly), after: cents(after.monthly), items };
}
