import { Command } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { Plan, VendedCell } from '../../plan/plan.ts';
import type { Component, RegistryStore } from '../../registry/index.ts';
import { action } from '../action.ts';
import { confirmed, yesOption } from '../confirm.ts';

/**
 * Components with a stack in the cell that some revision has had, and this one has not. Other stacks are somebody's own.
 * @throws FactoryError `CLOUD_UNREACHABLE` where nobody may look: what is there would block the deletion of the network halfway
 */
async function leftIn(
  plan: Plan,
  cell: VendedCell,
  store: RegistryStore,
  session: Session,
  partition: string,
): Promise<readonly Component[]> {
  const [{ unaskedInCells }, { lastEntryOf }, { FactoryError }] = await Promise.all([
    import('../../monitoring/unasked.ts'),
    import('../../rollout/removals.ts'),
    import('../../registry/index.ts'),
  ]);
  const [looked] = await unaskedInCells(plan, [cell], session, partition);
  if (looked?.error !== undefined) {
    throw new FactoryError(
      'CLOUD_UNREACHABLE',
      `${cell.name} can't be looked at, and may have stacks of components that left: ${looked.error}`,
      {
        fix: 'see to it that tooling may look into the cell (`cellctl status`), and run it again; nothing was deleted',
      },
    );
  }
  const entries = await Promise.all((looked?.unasked ?? []).map(({ stackName }) => lastEntryOf(store, stackName)));
  return entries.flatMap((entry) => (entry !== undefined && entry.kind !== 'foundation' ? [entry] : []));
}

export const destroyCommand = () =>
  new Command('destroy')
    .description("delete a cell's stacks: components, then foundation. Its account stays")
    .argument('<cell>', 'the cell')
    .addOption(yesOption())
    .addHelpText(
      'after',
      "\nA production cell must be retired first: set intent: 'retiring' in its definition.\n\nExamples:\n  cellctl destroy staging\n  cellctl destroy staging --yes --json",
    )
    .action(
      action(async (context, name: string, options: { yes?: boolean }) => {
        const { requireAccounts, selectCells } = await import('../../plan/plan.ts');
        const [cell] = requireAccounts(selectCells(await context.plan(), [name]));
        if (cell === undefined) return 2;
        const { destroyCell, refuseToDestroy } = await import('../../cell/destroy.ts');
        refuseToDestroy(cell);
        const { plan, session, partition } = await context.tooling();
        // The definition says which cell is protected: it must be the one that was built.
        const store = await context.store(plan, session);
        await store.refuseMoved([cell]);
        const { refuseDuringRollout } = await import('../rollouts.ts');
        // Of a component that left the registry, too: its stack holds the foundation's network.
        const left = await leftIn(plan, cell, store, session, partition);
        await refuseDuringRollout(context, plan, session, [name], [...left, ...plan.components]);
        const ask = {
          question: `This deletes all stacks of ${pc.bold(name)}. Type its name`,
          answer: name,
          command: `cellctl destroy ${name}`,
        };
        if (options.yes !== true && !(await confirmed(ask))) {
          context.output.note('nothing was deleted');
          return 1;
        }
        const { stackHolder } = await import('../holding.ts');
        const hold = await stackHolder(context, plan, session);
        const result = await destroyCell({
          cell,
          components: [...left, ...plan.components].map((component) => component.name),
          session,
          partition,
          hold,
          store,
          plan,
          runId: context.runId,
          emit: context.output.emit,
        });
        context.output.result({ cell: name, ...result }, () => {
          context.output.say(result.deleted.length === 0 ? `${name} has no stacks` : `deleted: ${result.deleted.join(', ')}`);
          for (const each of result.remaining) context.output.say(`stays: ${each}`);
        });
        return 0;
      }),
    );
