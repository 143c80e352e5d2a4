/** What a new cell changes for the others. Pure. */

import { type CellPlan, createPlan, selectCells } from '../plan/plan.ts';
import { byImpact, type Registry } from '../registry/index.ts';
import { type Estimate, estimateCell } from './prices.ts';

/** Where a change reaches a cell, among all cells of all clouds. */
interface Place {
  /** From 1. */
  readonly place: number;
  readonly of: number;
  /** The cell that a change reaches right before, and right after; undefined at either end. */
  readonly after: string | undefined;
  readonly before: string | undefined;
}

/** What of the customers' traffic a cell is meant to get. */
interface TrafficShare {
  readonly weight: number;
  /** Weights of all production cells together, this one's counted. */
  readonly total: number;
  /** 0 to 1. */
  readonly share: number;
}

/** A new cell, and what it changes. */
export interface Addition {
  readonly cell: CellPlan;
  readonly estimate: Estimate;
  readonly rollout: Place;
  /** Undefined for a cell that serves no customers, or where no cell has any weight. */
  readonly traffic: TrafficShare | undefined;
}

/**
 * What the cell called `name` brings and changes.
 * @param registry with the cell
 * @throws FactoryError `CELL_UNKNOWN`, `CELL_NOT_ON_AWS`
 */
export function additionOf(registry: Registry, name: string): Addition {
  const plan = createPlan(registry);
  const [cell] = selectCells(plan, [name]) as [CellPlan];
  const order = Object.values(registry.organization.cells).sort(byImpact);
  const index = order.findIndex((each) => each.name === name);
  const serving = order.filter(({ stage }) => stage === 'production');
  const total = serving.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0);
  const weight = serving.find((each) => each.name === name)?.trafficWeight;
  return {
    cell,
    estimate: estimateCell(plan, cell),
    rollout: { place: index + 1, of: order.length, after: order[index - 1]?.name, before: order[index + 1]?.name },
    traffic: weight === undefined || total === 0 ? undefined : { weight, total, share: weight / total },
  };
}
