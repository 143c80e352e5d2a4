import { Command } from 'commander';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';

export const accountsCommand = () =>
  new Command('accounts')
    .description('give every cell its own account: look, create, place, bootstrap (with tooling credentials; run again, it carries on)')
    .argument('[cell...]', 'cells (default: all)')
    .addHelpText('after', '\nExamples:\n  cellctl accounts\n  cellctl accounts alpha bravo --json')
    .action(
      action(async (context, names: string[]) => {
        const { selectCells } = await import('../../plan/plan.ts');
        const plan = await context.initializedPlan();
        const cells = selectCells(plan, names);
        const session = await context.session(plan.homeRegion);
        const accountsFile = await context.accountsFile();
        const { vendAccounts } = await import('../../accounts/vend.ts');
        const results = await vendAccounts({ plan, cells, session, accountsFile, emit: context.output.emit });
        const { output } = context;
        const failed = results.filter((result) => result.error);
        const data = results.map(({ error, ...result }) => ({ ...result, ...(error ? { error: error.message } : {}) }));
        output.result({ accounts: data, accountsFile }, () => {
          output.table(
            ['CELL', 'ACCOUNT', 'STATE'],
            results.map(({ cell, accountId, state }) => [cell, accountId ?? '-', colourState(state)]),
          );
          output.say(`\nids are in ${accountsFile}`);
        });
        for (const { error } of failed) if (error) output.problem(error);
        return failed.length > 0 ? 1 : 0;
      }),
    );
