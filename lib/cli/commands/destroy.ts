import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../action.ts';

/** Asks for the cell's name. Without a terminal there is nobody to ask. */
async function confirmed(cell: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    const { FactoryError } = await import('../../../registry/index.ts');
    throw new FactoryError('USAGE', 'there is no terminal to ask on', {
      fix: `if you are sure, pass --yes: cellctl destroy ${cell} --yes`,
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`This deletes all stacks of ${pc.bold(cell)}. Type its name to go on: `)).trim() === cell;
  } finally {
    lines.close();
  }
}

export const destroyCommand = () =>
  new Command('destroy')
    .description("delete a cell's stacks: components, then foundation. Its account stays")
    .argument('<cell>', 'the cell')
    .option('-y, --yes', "don't ask")
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
        if (options.yes !== true && !(await confirmed(name))) {
          context.output.note('nothing was deleted');
          return 1;
        }
        const leases = await context.leases(plan, session);
        const result = await destroyCell({
          cell,
          components: plan.components.map((component) => component.name),
          session,
          partition,
          leases,
          store,
          source: context.source,
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
