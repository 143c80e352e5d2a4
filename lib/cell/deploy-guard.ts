/** Looks at all cells before the first one is deployed, and refuses what would lose data or a name, or what RDS would refuse. */
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import type { Session } from '../aws/session.ts';
import type { Template } from '../aws/toolkit.ts';
import type { VendedCell } from '../plan/plan.ts';
import { FactoryError, type Problem } from '../registry/index.ts';
import { type CellChanges, refuseReplacements } from '../review/replacements.ts';
import type { DeployTask } from './deploy.ts';
import { observeStack, stacksToObserve } from './stack-changes.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;

type TaskOf = (cell: VendedCell) => DeployTask;

/** Cells that were looked at. */
interface Guarded {
  readonly guard: (task: TaskOf) => TaskOf;
  /** Alarms and parameters that somebody has deleted, by the name of the cell; of others, none. */
  readonly missing: ReadonlyMap<string, readonly string[]>;
}

/** What was seen of cells, and those that could not be looked at. */
interface SeenCells {
  readonly seen: readonly (CellChanges & { readonly refused: readonly Problem[]; readonly missing: readonly string[] })[];
  readonly unseen: ReadonlyMap<string, FactoryError>;
}

/**
 * Compares what is deployed with what would be, in every cell, and asks RDS about databases that change.
 * @param templates by the name of the stack; a stack without one is not looked at
 */
export async function lookAtCells(
  cells: readonly VendedCell[],
  templates: ReadonlyMap<string, Template>,
  session: Session,
  partition: string,
): Promise<SeenCells> {
  const limit = pLimit(CONCURRENCY);
  const unseen = new Map<string, FactoryError>();
  const look = async (cell: VendedCell): Promise<SeenCells['seen'][number]> => {
    try {
      const stacks = await Promise.all(stacksToObserve(cell, templates, session, partition).map(observeStack));
      // A stack that is new has nothing to lose.
      const changes = stacks.flatMap((stack) => (stack.status === undefined ? [] : stack.changes));
      return {
        ...{ cell: cell.name, changes },
        ...{ refused: stacks.flatMap(({ refused }) => refused), missing: stacks.flatMap(({ missing }) => missing) },
      };
    } catch (error) {
      unseen.set(cell.name, asCloudError(error));
      return { cell: cell.name, changes: [], refused: [], missing: [] };
    }
  };
  return { seen: await Promise.all(cells.map((cell) => limit(() => look(cell)))), unseen };
}

/**
 * Compares what is deployed with what would be, in every cell.
 * A cell that can't be looked at stops none of its siblings: its own task fails, before it touches anything.
 * @param allowed losses that somebody has named; see {@link refuseReplacements}
 * @param revertsDrift whether drift is reverted in every cell (true), nowhere (false), or where something is missing (undefined):
 * what reverting would lose comes to light later
 * @returns what to put around the tasks of these cells, and what is missing in which of them
 * @throws FactoryError `REPLACEMENT_REFUSED`, `DATABASE_REFUSED`, `USAGE`
 */
export async function guardCells(
  cells: readonly VendedCell[],
  templates: ReadonlyMap<string, Template>,
  session: Session,
  partition: string,
  allowed: readonly string[],
  revertsDrift?: boolean,
): Promise<Guarded> {
  const { seen, unseen } = await lookAtCells(cells, templates, session, partition);
  const missing = new Map(seen.flatMap(({ cell, missing: each }) => (each.length > 0 ? [[cell, each] as const] : [])));
  refuseReplacements(seen, allowed, { more: revertsDrift ?? missing.size > 0 });
  refuseDatabases(seen.flatMap(({ refused }) => refused));
  const guard = (taskOf: TaskOf) => (cell: VendedCell) => {
    const task = taskOf(cell);
    const error = unseen.get(cell.name);
    return error === undefined ? task : { ...task, deploy: () => Promise.reject(error) };
  };
  return { guard, missing };
}

function refuseDatabases(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new FactoryError('DATABASE_REFUSED', 'RDS would refuse what becomes of a database; nothing was deployed, to no cell', {
    fix: 'follow what is said of each; `cellctl plan <cell>` shows the change in full',
    problems,
  });
}
