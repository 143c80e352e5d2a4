/**
 * Whether what a component depends on is where the component is to go, as far as rollouts have written down: what they deployed to
 * each cell, and what they rolled back. A foundation is in every cell that gets anything.
 */
import type { Component, Problem } from '../registry/index.ts';
import type { CellRecord } from './rollout-record.ts';

/** Where rollouts are looked up. */
export interface Deployments {
  /** Ids of the component's rollouts, newest first. */
  readonly ids: (component: string, limit: number) => Promise<readonly string[]>;
  /** Cells that something was done to, or was about to be. */
  readonly cells: (rollout: string) => Promise<readonly CellRecord[]>;
}

/** Rollouts of a component that are looked back at: a cell that none of them touched has not been looked after for years. */
const LOOKED_BACK = 500;
/** Cells that a refusal names. */
const NAMED = 10;

/** Whether the component is in the cell after that; undefined where the record doesn't tell, and an older one may. */
function isThere({ status, previous, removed }: CellRecord): boolean | undefined {
  if (status === 'deployed') return removed !== true;
  // A deployment that is under way, failed or was rolled back leaves what ran before; nothing is known of it until it was looked at.
  return status === 'pending' || previous === undefined ? undefined : previous !== '';
}

/** Those of the cells that no rollout of the component has left it in. */
export async function cellsWithout(component: string, cells: readonly string[], { ids, cells: cellsOf }: Deployments): Promise<string[]> {
  const open = new Set(cells);
  const without: string[] = [];
  for (const id of await ids(component, LOOKED_BACK)) {
    if (open.size === 0) break;
    for (const record of await cellsOf(id)) {
      const there = open.has(record.cell) ? isThere(record) : undefined;
      if (there === undefined) continue;
      open.delete(record.cell);
      if (!there) without.push(record.cell);
    }
  }
  return [...without, ...open].sort();
}

/**
 * What the component depends on, and is not there yet in cells that are to get it.
 * @param components of the registry
 * @param cells names of the cells that are to get it
 */
export async function missingDependencies(
  { name, dependsOn }: Component,
  components: readonly Component[],
  cells: readonly string[],
  deployments: Deployments,
): Promise<readonly Problem[]> {
  const needed = dependsOn.filter((each) => components.some((other) => other.name === each && other.kind !== 'foundation'));
  const found = await Promise.all(
    needed.map(async (dependency): Promise<Problem[]> => {
      const without = await cellsWithout(dependency, cells, deployments);
      if (without.length === 0) return [];
      const some = `${without.slice(0, NAMED).join(', ')}${without.length > NAMED ? ` and ${without.length - NAMED} more` : ''}`;
      const everywhere = without.length === cells.length;
      return [
        {
          code: 'ROLLOUT_DEPENDENCY',
          path: `components.${name}.dependsOn`,
          message: `${name} depends on ${dependency}, which no rollout has brought to ${everywhere ? `any of its cells: ${some}` : some}`,
          fix: `\`cellctl rollout start ${dependency} --release <version>\` first${everywhere ? '' : `, or \`cellctl rollout catch-up <cell>\` for single cells`}; or take it out of dependsOn, and \`cellctl publish\``,
        },
      ];
    }),
  );
  return found.flat();
}
