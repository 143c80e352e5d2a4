/** Looks at all cells before the first one is deployed, and refuses what would lose data or a name, or what RDS would refuse. */
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import { lookAtDatabase } from '../aws/databases.ts';
import type { Session } from '../aws/session.ts';
import type { Template } from '../aws/toolkit.ts';
import type { VendedCell } from '../plan/plan.ts';
import { FactoryError, type Problem } from '../registry/index.ts';
import { databaseProblems } from '../review/database-change.ts';
import { type CellChanges, refuseReplacements } from '../review/replacements.ts';
import type { DeployTask } from './deploy.ts';
import { observeStack, type StackToObserve, stacksToObserve } from './stack-changes.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;

type TaskOf = (cell: VendedCell) => DeployTask;

/**
 * Compares what is deployed with what would be, in every cell.
 * A cell that can't be looked at stops none of its siblings: its own task fails, before it touches anything.
 * @param allowed losses that somebody has named, and whether others may come to light later; see {@link refuseReplacements}
 * @returns what to put around the tasks of these cells
 * @throws FactoryError `REPLACEMENT_REFUSED`, `DATABASE_REFUSED`, `USAGE`
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
  const look = async (cell: VendedCell): Promise<CellChanges & { readonly problems: readonly Problem[] }> => {
    try {
      const seen = await Promise.all(stacksToObserve(cell, templates, session, partition).map((stack) => lookAtStack(cell, stack)));
      return { cell: cell.name, changes: seen.flatMap(({ changes }) => changes), problems: seen.flatMap(({ problems }) => problems) };
    } catch (error) {
      unseen.set(cell.name, asCloudError(error));
      return { cell: cell.name, changes: [], problems: [] };
    }
  };
  const seen = await Promise.all(cells.map((cell) => limit(() => look(cell))));
  refuseReplacements(seen, allowed, later);
  refuseDatabases(seen.flatMap(({ problems }) => problems));
  return (taskOf) => (cell) => {
    const task = taskOf(cell);
    const error = unseen.get(cell.name);
    return error === undefined ? task : { ...task, deploy: () => Promise.reject(error) };
  };
}

/** What changes of a stack that is there, and what RDS would refuse of it. */
async function lookAtStack({ name }: VendedCell, stack: StackToObserve) {
  const { status, before, changes } = await observeStack(stack);
  const { stackName, session, template } = stack;
  const problems = await databaseProblems(name, before, template, (change) => lookAtDatabase(session, stackName, change));
  return { changes: status === undefined ? [] : changes, problems };
}

function refuseDatabases(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new FactoryError('DATABASE_REFUSED', 'RDS would refuse what becomes of a database; nothing was deployed, to no cell', {
    fix: 'follow what is said of each; `cellctl plan <cell>` shows the change in full',
    problems,
  });
}
