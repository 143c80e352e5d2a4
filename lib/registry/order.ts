import type { Cell } from './model.ts';

const STAGE = { staging: 0, production: 1, personal: 2 } as const;
const IMPORTANCE = { low: 0, normal: 1, high: 2 } as const;
const SIZE = { small: 0, medium: 1, large: 2 } as const;

/** What of a cell its place in the order follows from. */
type Ranked = Pick<Cell, 'name' | 'stage' | 'importance' | 'trafficWeight' | 'size'>;

/**
 * The order in which a change reaches cells: staging, then production from the cell that hurts least to the one that hurts
 * most (importance, traffic, size), personal cells last. The name decides between equals, so that the order is one.
 */
export function byImpact(a: Ranked, b: Ranked): number {
  return (
    STAGE[a.stage] - STAGE[b.stage] ||
    IMPORTANCE[a.importance] - IMPORTANCE[b.importance] ||
    a.trafficWeight - b.trafficWeight ||
    SIZE[a.size] - SIZE[b.size] ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}
