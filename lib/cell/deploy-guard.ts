/** Looks at all cells before the first one is deployed, and refuses what would lose data or a name. */
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import type { Session } from '../aws/session.ts';
import type { Template } from '../aws/toolkit.ts';
import type { VendedCell } from '../plan/plan.ts';
import type { FactoryError } from '../registry/index.ts';
import { type CellChanges, refuseReplacements } from '../review/replacements.ts';
import type { DeployTask } from './deploy.ts';
import { observeStack, stacksToObserve } from './stack-changes.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;

type TaskOf = (cell: VendedCell) => DeployTask;

/**
 * Compares what is deployed with what would be, in every cell.
 * A cell that can't be looked at stops none of its siblings: its own task fails, before it touches anything.
 * @param allowed losses that somebody has named, and whether others may come to light later; see {@link refuseReplacements}
 * @returns what to put around the tasks of these cells
 * @throws FactoryError `REPLACEMENT_REFUSED`, `USAGE`
 */
export async function guardCells(
  cells: readonly VendedCell[],
  templates: ReadonlyMap<string, Template>,
  session: Session,
  partition: string,
  allowed: readonly string[],
  later: { readonly more?: boolean } = {},
): Promise<(task: TaskOf) => TaskOf> {
  const limit = pLimit(CONCURRENCY);
  const unseen = new Map<string, FactoryError>();
  const look = async (cell: VendedCell): Promise<CellChanges> => {
    try {
      const observed = await Promise.all(stacksToObserve(cell, templates, session, partition).map(observeStack));
      return { cell: cell.name, changes: observed.flatMap(({ status, changes }) => (status === undefined ? [] : changes)) };
    } catch (error) {
      unseen.set(cell.name, asCloudError(error));
      return { cell: cell.name, changes: [] };
    }
  };
  refuseReplacements(await Promise.all(cells.map((cell) => limit(() => look(cell)))), allowed, later);
  return (taskOf) => (cell) => {
    const task = taskOf(cell);
    const error = unseen.get(cell.name);
    return error === undefined ? task : { ...task, deploy: () => Promise.reject(error) };
  };
}
