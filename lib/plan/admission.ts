/** Which cells a wave of the policy takes of those that are left: its order, its room, and the regions it goes through. Pure. */
import { byImpact, type RolloutPolicy } from '../registry/index.ts';
import type { CellPlan } from './plan.ts';

type PolicyWave = RolloutPolicy['waves'][number];

type Order = (a: CellPlan, b: CellPlan) => number;

/** Important cells are deployed late, whatever a wave prefers. */
const lateIfImportant: Order = (a, b) => Number(a.importance === 'high') - Number(b.importance === 'high');

/**
 * The orders in which waves prefer cells. Each compares two cells by what is their own, so that it is the same whoever else
 * is there.
 */
const PREFERENCES: Readonly<Record<PolicyWave['prefer'], Order>> = {
  'low-traffic': (a, b) => lateIfImportant(a, b) || a.trafficWeight - b.trafficWeight || byImpact(a, b),
  busy: (a, b) => lateIfImportant(a, b) || b.trafficWeight - a.trafficWeight || byImpact(a, b),
  any: byImpact,
};

/** Sums of fractions are not exact; a cell that just fits must. */
const TOLERANCE = 1e-9;

/** So many cells, and so much traffic with them. */
export interface Size {
  readonly cells: number;
  readonly weight: number;
}

/** Number and weights of cells, together. */
export const sizeOf = (cells: readonly CellPlan[]): Size => ({
  cells: cells.length,
  weight: cells.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0),
});

/** What has the version before a wave, and what production is. */
export interface Reach {
  /** Production cells that get the component. */
  readonly eligible: Size;
  /** All production cells, also those that get nothing. */
  readonly production: Size;
  /** Those of the waves before. */
  readonly reached: Size;
}

/** A percentage of a size. Where no cell has a weight, cells alone are counted. */
function shareOf(percent: number, { cells, weight }: Size): Size {
  return {
    cells: weight === 0 ? Math.floor((percent * cells) / 100 + TOLERANCE) : Number.POSITIVE_INFINITY,
    weight: weight === 0 ? Number.POSITIVE_INFINITY : ((percent * weight) / 100) * (1 + TOLERANCE),
  };
}

function admitRoom(admit: PolicyWave['admit'], eligible: Size): Size {
  if ('cells' in admit) return { cells: admit.cells, weight: Number.POSITIVE_INFINITY };
  if ('rest' in admit) return { cells: Number.POSITIVE_INFINITY, weight: Number.POSITIVE_INFINITY };
  const { weight } = shareOf(admit.percent, eligible);
  return { cells: Math.floor((admit.percent * eligible.cells) / 100 + TOLERANCE), weight };
}

/** How much a wave takes: what it admits, and no more than its `maxTraffic` leaves after the waves before it. */
function roomOf({ admit, maxTraffic = 100 }: PolicyWave, { eligible, production, reached }: Reach): Size {
  const room = admitRoom(admit, eligible);
  if (maxTraffic === 100) return room;
  const cap = shareOf(maxTraffic, production);
  return { cells: Math.min(room.cells, cap.cells - reached.cells), weight: Math.min(room.weight, cap.weight - reached.weight) };
}

/**
 * The cells that a wave takes of `candidates`: one after the other as it prefers them, each if it still fits.
 * @param isOneRegion whether it takes cells of one region only: that of the first it takes
 */
export function admitted<C extends CellPlan>(candidates: Iterable<C>, wave: PolicyWave, reach: Reach, isOneRegion: boolean): C[] {
  const room = roomOf(wave, reach);
  const taken: C[] = [];
  let weight = 0;
  for (const cell of [...candidates].sort(PREFERENCES[wave.prefer])) {
    if (taken.length >= room.cells) break;
    if (isOneRegion && taken[0] && cell.region !== taken[0].region) continue;
    if (weight + cell.trafficWeight > room.weight) continue;
    taken.push(cell);
    weight += cell.trafficWeight;
  }
  return taken;
}

/** The cells by region, the region with least traffic first; each keeps the order that its cells have. */
export function byRegion<C extends CellPlan>(cells: readonly C[]): readonly { readonly region: string; readonly cells: readonly C[] }[] {
  const regions = [...new Set(cells.map(({ region }) => region))].sort();
  const groups = regions.map((region) => ({ region, cells: cells.filter((cell) => cell.region === region) }));
  const weights = new Map(groups.map((group) => [group.region, sizeOf(group.cells)]));
  const of = (region: string) => weights.get(region) ?? { cells: 0, weight: 0 };
  // The sort is stable: between equals, the name decides.
  return groups.sort((a, b) => of(a.region).weight - of(b.region).weight || a.cells.length - b.cells.length);
}
