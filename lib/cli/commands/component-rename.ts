/** `cellctl component rename`: the steps of a move to another name, and how far it is. It changes nothing. */
import { Command } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { Plan } from '../../plan/plan.ts';
import type { RenameInCell } from '../../registry/renames.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;
/** Parameter of a service's stack with the priority of its rule: see lib/cell/service/cell-service.ts. */
const PRIORITY = 'ListenerPriority';

/** Looks at both stacks in each cell. A cell that can't be looked at stops everything: the old stack might be there. */
async function lookAtBoth(plan: Plan, from: string, to: string, session: Session, partition: string): Promise<RenameInCell[]> {
  const [{ default: pLimit }, { assumeLookup }, { findStack }, { isVended }] = await Promise.all([
    import('p-limit'),
    import('../../aws/session.ts'),
    import('../../aws/stacks.ts'),
    import('../../plan/plan.ts'),
  ]);
  const limit = pLimit(CONCURRENCY);
  return Promise.all(
    plan.cells.filter(isVended).map((cell) =>
      limit(async (): Promise<RenameInCell> => {
        const cellSession = assumeLookup(session, partition, cell.account.accountId, cell.region);
        const [old, fresh] = await Promise.all([findStack(cellSession, from), findStack(cellSession, to)]);
        const priority = fresh?.Parameters?.find(({ ParameterKey }) => ParameterKey === PRIORITY)?.ParameterValue;
        return {
          cell: cell.name,
          old: old !== undefined,
          fresh: ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'].includes(fresh?.StackStatus ?? ''),
          priority: priority === undefined ? undefined : Number(priority),
        };
      }),
    ),
  );
}

async function rename(context: Context, from: string, to: string): Promise<number> {
  const { plan, session, partition } = await context.tooling();
  const [{ renameSteps }, { lastEntryOf }, { FactoryError }] = await Promise.all([
    import('../../registry/renames.ts'),
    import('../../rollout/removals.ts'),
    import('../../registry/index.ts'),
  ]);
  const store = await context.store(plan, session);
  const [newest, last] = await Promise.all([store.latest(), lastEntryOf(store, from)]);
  if (from === to) throw new FactoryError('USAGE', `both names are ${from}`, { fix: 'give the old name, then the new one' });
  if (!newest || !last) {
    throw new FactoryError('REFUSED', `no revision of the registry has had a component ${from}`, {
      fix: '`cellctl versions` lists those there are; one that was never published is renamed in its file',
    });
  }
  if (last.kind === 'foundation') {
    throw new FactoryError('REFUSED', `${from} is the cells' own stacks, which have the cells' names`, { fix: 'keep its name' });
  }
  const cells = await lookAtBoth(plan, from, to, session, partition);
  const steps = renameSteps({ from, to, components: newest.organization.components, last, cells });
  const next = steps.find(({ done }) => !done);
  const { output } = context;
  output.result({ from, to, done: next === undefined, steps, cells }, () => {
    steps.forEach(({ text, done }, index) => {
      const mark = done ? pc.green('done') : steps[index] === next ? pc.yellow('next') : 'then';
      output.line(`${index + 1}. ${mark}  ${text}`);
    });
    output.say(
      next === undefined
        ? `${pc.green('renamed')}: ${from} is in none of the cells any more`
        : `what ${from} stores in resources of its own doesn't move: copy it before its removal. Run this again to see how far it is`,
    );
  });
  return next === undefined ? 0 : 1;
}

export const renameCommand = () =>
  new Command('rename')
    .description('the steps by which a component moves to another name without downtime, and how far it is. Changes nothing')
    .argument('<old>', 'name that it has, or had, in the registry')
    .argument('<new>', 'name that it gets')
    .addHelpText(
      'after',
      "\nA stack can't be renamed: the new name gets a stack of its own, runs beside the old one, and takes over its requests;" +
        '\nthen the old one is removed. Both names are in the registry for the time between, with two priorities.' +
        '\nEnds with 1 until the last step is done.\n\nExamples:\n  cellctl component rename search finder\n  cellctl component rename search finder --json',
    )
    .action(action(rename));
