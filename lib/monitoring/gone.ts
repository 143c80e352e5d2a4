/** Stacks of components that should be in cells and are not: somebody has deleted them, and no rollout has. */
import pLimit from 'p-limit';
import { assumeLookup, type Session } from '../aws/session.ts';
import { componentStackName, type Plan, type VendedCell } from '../plan/plan.ts';
import type { GoneStack } from '../review/difference.ts';
import type { Deployment } from '../rollout/rollout-lookup.ts';
import type { CellStatus } from './status.ts';
import { stacksThere } from './unasked.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;

/** By component, what rollouts have left where: see `RolloutLookup.deployments`. */
export type Deployments = ReadonlyMap<string, ReadonlyMap<string, Deployment>>;

/** Of a cell that has its foundation: without, it runs nothing, and that is said already. Pure. */
export function goneFrom(
  cells: readonly Pick<CellStatus, 'cell' | 'foundation' | 'components' | 'error'>[],
  deployments: Deployments,
): readonly GoneStack[] {
  return cells
    .filter(({ foundation, error }) => foundation !== undefined && error === undefined)
    .flatMap(({ cell, components }) =>
      [...deployments].flatMap(([component, places]) => {
        const left = places.get(cell);
        return left && components[component] === undefined ? [{ cell, component, ...left }] : [];
      }),
    );
}

/** The same, where nobody has looked at the cells yet. @param session of tooling */
export async function lookForGone(
  plan: Plan,
  cells: readonly VendedCell[],
  deployments: Deployments,
  session: Session,
  partition: string,
): Promise<readonly GoneStack[]> {
  const limit = pLimit(CONCURRENCY);
  const having = cells.filter(({ name }) => [...deployments.values()].some((places) => places.has(name)));
  const looked = having.map((cell) =>
    limit(async () => {
      const there = await stacksThere(assumeLookup(session, partition, cell.account.accountId, cell.region));
      const statusOf = (stackName: string) => there.find((stack) => stack.StackName === stackName)?.StackStatus;
      const components = plan.components.map((component) => {
        const status = statusOf(componentStackName(component, cell));
        return [component.name, status === undefined ? undefined : { version: '', status }] as const;
      });
      const foundation = statusOf(cell.stackName);
      return goneFrom([{ cell: cell.name, foundation, components: Object.fromEntries(components) }], deployments);
    }),
  );
  return (await Promise.all(looked)).flat();
}
