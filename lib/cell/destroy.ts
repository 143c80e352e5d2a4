/** Deletes a cell's stacks, and nothing else: the account stays. */

import { assumeDeploy, type Session } from '../aws/session.ts';
import { deleteStack, findStack } from '../aws/stacks.ts';
import { deployStack, withAssembly } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import type { Plan, VendedCell } from '../plan/plan.ts';
import { FactoryError, type RegistryStore } from '../registry/index.ts';
import type { HoldStack } from './deploy.ts';

export interface DestroyOptions {
  readonly cell: VendedCell;
  /** Names of components; their stacks go first. */
  readonly components: readonly string[];
  readonly session: Session;
  readonly partition: string;
  readonly hold: HoldStack;
  readonly store: RegistryStore;
  /** What the cell is part of. */
  readonly plan: Plan;
  readonly runId: string;
  readonly emit: Emit;
}

export interface DestroyResult {
  /** Stacks that were deleted, in order. */
  readonly deleted: readonly string[];
  /** What stays behind on purpose, in words. */
  readonly remaining: readonly string[];
}

/** @throws FactoryError `REFUSED` for a production cell that nobody has retired */
export function refuseToDestroy(cell: VendedCell): void {
  if (cell.stage !== 'production' || cell.intent === 'retiring') return;
  throw new FactoryError('REFUSED', `${cell.name} is a production cell, and its intent is "${cell.intent}"`, {
    fix: `move its customers away, set intent: 'retiring' in registry/cells/${cell.name}.ts, and call destroy again`,
  });
}

/** Deletes components, then the foundation, then what let it delegate its name. Run again, it carries on. */
export async function destroyCell(options: DestroyOptions): Promise<DestroyResult> {
  const { cell, components, session, partition, hold, store, plan, runId, emit } = options;
  refuseToDestroy(cell);
  const { name, stackName, delegationStackName, account, region, parentZone, profile } = cell;
  const cellSession = assumeDeploy(session, partition, account.accountId, region);
  const deleted: string[] = [];
  emit({ kind: 'started', subject: name, text: 'deleting' });
  for (const component of components) {
    await hold(name, component, async () => {
      const stack = await findStack(cellSession, component);
      if (!stack) return;
      await deleteStack(cellSession, stack, (message) => emit({ ...message, subject: name }));
      deleted.push(component);
    });
  }
  await hold(name, stackName, async () => {
    const before = await findStack(cellSession, stackName);
    if (!before) return;
    // One whose deletion has begun takes no deployment any more, and has lost its protection already.
    if (cell.stage === 'production' && before.StackStatus?.startsWith('DELETE_') !== true) {
      // Its protection came with a deployment, and goes with one: the retiring cell's template has none.
      emit({ kind: 'progress', subject: name, text: 'lifting its protection' });
      await withAssembly(plan, [stackName], ({ directory }) =>
        deployStack(directory, stackName, (message) => emit({ ...message, subject: name }), { changeSetName: `cell-factory-${runId}` }),
      );
    }
    const stack = await findStack(cellSession, stackName);
    if (!stack) return;
    await deleteStack(cellSession, stack, (message) => emit({ ...message, subject: name }));
    deleted.push(stackName);
  });
  // Last: the foundation takes back its name by the role in it. Under the foundation's lease, as when it is made.
  await hold(name, stackName, async () => {
    const tooling = assumeDeploy(session, partition, parentZone.accountId, parentZone.region);
    const stack = await findStack(tooling, delegationStackName);
    if (!stack) return;
    await deleteStack(tooling, stack, (message) => emit({ ...message, subject: name }));
    deleted.push(delegationStackName);
  });
  await store.note(name, 'destroyed');
  emit({ kind: deleted.length > 0 ? 'done' : 'unchanged', subject: name, text: deleted.join(', ') || 'no stacks' });
  const remaining = [`account ${account.accountId}, with its CDK bootstrap`];
  if (deleted.includes(stackName) && profile.keepsData) {
    remaining.push(
      'the final snapshot of the database, the logs (groups and bucket), and the key that they need: delete them in the account when nobody needs them',
    );
  }
  return { deleted, remaining };
}
