import { Command } from 'commander';
import pc from 'picocolors';
import type { Registry, RegistryStore } from '../../../registry/index.ts';
import type { Observed } from '../../plan/difference.ts';
import type { CellPlan, Plan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import type { Context } from '../context.ts';

const NOTHING: Observed = { accounts: undefined, stacks: new Map(), published: undefined };

/** Looks at accounts, stacks and the published registry, as far as the organization has come. */
async function observe(context: Context, registry: Registry, plan: Plan, cells: readonly CellPlan[]): Promise<Observed> {
  const { CONTROL_STACKS, isInitialized, isVended } = await import('../../plan/plan.ts');
  if (!isInitialized(plan)) return NOTHING;
  const { session, partition } = await context.tooling();
  const [{ assume, assumeLookup }, { VENDING_ROLE }, { observeAccounts }, { withAssembly }, { observeStacks }] = await Promise.all([
    import('../../aws/session.ts'),
    import('../../aws/roles.ts'),
    import('../../accounts/observe.ts'),
    import('../../aws/toolkit.ts'),
    import('../../cell/observe.ts'),
  ]);
  const vending = assume(session, partition, plan.managementAccountId, VENDING_ROLE);
  const accounts = await observeAccounts(vending, [plan.tooling, plan.monitoring, ...cells.map((cell) => cell.account)]);
  // A cell whose account is not in the organization has no stack to look at; the account itself is the difference.
  const vended = cells.filter(isVended).filter((cell) => accounts.has(cell.account.accountId));
  const published = await observePublished(await context.store(plan, session), registry);
  const stacks = await withAssembly(
    context.source,
    [CONTROL_STACKS.registry, CONTROL_STACKS.domain, ...vended.map((cell) => cell.stackName)],
    (assembly) => {
      const sessions = new Map(
        vended.map((cell) => [cell.stackName, assumeLookup(session, partition, cell.account.accountId, cell.region)] as const),
      );
      return observeStacks(
        [...assembly.templates].map(([stackName, template]) => ({ stackName, template, session: sessions.get(stackName) ?? session })),
      );
    },
  );
  return {
    accounts,
    stacks,
    published,
  };
}

/** How the newest revision differs from the registry, and whose life it doesn't know yet. */
async function observePublished(store: RegistryStore, registry: Registry): Promise<Observed['published']> {
  const [{ changesBetween, movedOn }, newest, lives] = await Promise.all([
    import('../../../registry/index.ts'),
    store.latest(),
    store.lives(),
  ]);
  if (!newest) return undefined;
  const defined = Object.fromEntries([...lives].filter(([cell]) => registry.organization.cells[cell] !== undefined));
  return {
    revision: newest.published.revision,
    changes: changesBetween(newest.organization, registry.organization),
    movedOn: movedOn(newest.life, defined),
  };
}

export const planCommand = () =>
  new Command('plan')
    .description('what differs between the registry and reality: accounts, stacks, revision. Changes nothing')
    .argument('[cell...]', 'cells (default: all)')
    .option('--exit-code', 'end with 1 when something differs')
    .addHelpText('after', '\nExamples:\n  cellctl plan\n  cellctl plan alpha\n  cellctl plan --json --exit-code')
    .action(
      action(async (context, names: string[], options: { exitCode?: boolean }) => {
        const [{ compare }, { createPlan, isInitialized, selectCells }] = await Promise.all([
          import('../../plan/difference.ts'),
          import('../../plan/plan.ts'),
        ]);
        const registry = await context.registry();
        const plan = createPlan(registry);
        const cells = selectCells(plan, names);
        const differences = compare(plan, cells, await observe(context, registry, plan, cells));
        const { output } = context;
        output.result(
          { organization: plan.organization, digest: plan.digest, cells: cells.length, looked: isInitialized(plan), differences },
          () => {
            if (differences.length === 0) {
              output.line(`${pc.green('nothing differs')}: ${plan.organization}, ${cells.length} cells are as the registry says`);
            } else {
              output.table(
                ['', 'NAME', 'CHANGE', 'DETAIL', 'RUN'],
                differences.map(({ kind, name, change, detail, action: command }) => [
                  kind,
                  pc.bold(name),
                  colourState(change),
                  detail,
                  pc.dim(command),
                ]),
              );
              output.say(`\n${differences.length} difference${differences.length === 1 ? '' : 's'}`);
            }
            if (!isInitialized(plan))
              output.say('nothing was looked at: the lock file knows no control accounts, so the organization counts as new');
            if (plan.elsewhere.length > 0) output.say(`not on AWS, not looked at: ${plan.elsewhere.join(', ')}`);
          },
        );
        return options.exitCode === true && differences.length > 0 ? 1 : 0;
      }),
    );
