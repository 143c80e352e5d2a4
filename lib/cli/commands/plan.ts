import { Command } from 'commander';
import pc from 'picocolors';
import type { DomainCheck } from '../../aws/domain-check.ts';
import type { UnaskedInCell } from '../../monitoring/unasked.ts';
import type { CellPlan, Plan } from '../../plan/plan.ts';
import type { LifeState, Registry, RegistryStore } from '../../registry/index.ts';
import type { Costs } from '../../review/costs.ts';
import type { Difference, Observed } from '../../review/difference.ts';
import type { Before } from '../../review/review.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import type { Context } from '../context.ts';
import { dollars } from '../cost.ts';
import { reviewLines } from '../review-view.ts';
import { unaskedLines } from '../unasked-view.ts';

/** Cells whose estimates are listed one by one. */
const LISTED_COSTS = 20;

/** States of a cell whose stacks were complete, and should be there. */
const BUILT: readonly LifeState[] = ['active', 'draining', 'drained'];

interface Looked {
  readonly observed: Observed;
  /** The registry as it was published last. */
  readonly before: Before | undefined;
  readonly unasked: readonly UnaskedInCell[];
}

const NOTHING: Looked = {
  observed: { accounts: undefined, stacks: new Map(), published: undefined, undefinedCells: [] },
  before: undefined,
  unasked: [],
};

/** Looks at accounts, stacks and the published registry, as far as the organization has come. */
async function look(context: Context, registry: Registry, plan: Plan, cells: readonly CellPlan[]): Promise<Looked> {
  const { isInitialized, isVended } = await import('../../plan/plan.ts');
  if (!isInitialized(plan)) return NOTHING;
  const { session, partition } = await context.tooling();
  const [
    { assume, inRegion },
    { VENDING_ROLE },
    { observeAccounts },
    { withAssembly },
    { observeStacks, stacksToObserve },
    { cellStacks },
    { toolingStacks },
    { unaskedInCells },
    { lookForGone },
    { deploymentsOf },
  ] = await Promise.all([
    import('../../aws/session.ts'),
    import('../../aws/roles.ts'),
    import('../../accounts/observed-accounts.ts'),
    import('../../aws/toolkit.ts'),
    import('../../cell/stack-changes.ts'),
    import('../../plan/cell-stacks.ts'),
    import('../../plan/tooling-stacks.ts'),
    import('../../monitoring/unasked.ts'),
    import('../../monitoring/gone.ts'),
    import('../rollouts.ts'),
  ]);
  const vending = assume(session, partition, plan.managementAccountId, VENDING_ROLE);
  const accounts = await observeAccounts(vending, [plan.tooling, plan.monitoring, ...cells.map((cell) => cell.account)]);
  // A cell whose account is not in the organization has no stack to look at; the account itself is the difference.
  const vended = cells.filter(isVended).filter((cell) => accounts.has(cell.account.accountId));
  const { published, undefinedCells, built, before } = await lookAtPublished(await context.store(plan, session), registry);
  const control = toolingStacks(plan);
  const names = [...control.map(({ stackName }) => stackName), ...vended.flatMap(cellStacks).map(({ stackName }) => stackName)];
  const stacks = await withAssembly(plan, names, ({ templates }) =>
    observeStacks([
      ...control.flatMap(({ stackName, region }) => {
        const template = templates.get(stackName);
        return template ? [{ stackName, template, session: inRegion(session, region) }] : [];
      }),
      ...vended.flatMap((cell) => stacksToObserve(cell, templates, session, partition)),
    ]),
  );
  const unasked = await unaskedInCells(plan, vended, session, partition);
  const domainProblem = await lookAtDomain(await context.domainCheck(plan, session));
  const gone = await lookForGone(plan, vended, await deploymentsOf(context, plan, session), session, partition);
  return { observed: { accounts, stacks, published, undefinedCells, built, domainProblem, gone }, before, unasked };
}

/** What is wrong with the cells' domain, if anything is. A DNS that doesn't answer hides nothing else. */
async function lookAtDomain(check: DomainCheck): Promise<string | undefined> {
  try {
    const { delegated, advice } = await check.state();
    return delegated ? undefined : `not delegated, so no new cell gets its certificate: ${advice}`;
  } catch (error) {
    const { asFactoryError } = await import('../../registry/index.ts');
    const { code, message } = asFactoryError(error);
    // Without the zone there is nothing to delegate yet; that the stack is missing is said already.
    return code === 'NOT_INITIALIZED' ? undefined : message;
  }
}

/** How the newest revision differs from the registry, whose life it doesn't know yet, and who lives without a definition. */
async function lookAtPublished(
  store: RegistryStore,
  registry: Registry,
): Promise<Pick<Observed, 'published' | 'undefinedCells' | 'built'> & Pick<Looked, 'before'>> {
  const [{ changesBetween, exists, movedOn }, { createPlan }, newest, lives] = await Promise.all([
    import('../../registry/index.ts'),
    import('../../plan/plan.ts'),
    store.latest(),
    store.lives(),
  ]);
  const isDefined = (cell: string) => registry.organization.cells[cell] !== undefined;
  const undefinedCells = [...lives]
    .filter(([cell, life]) => !isDefined(cell) && exists(life))
    .map(([name, { state, since }]) => ({ name, evidence: `${state} since ${since}` }));
  const built = new Set([...lives].flatMap(([cell, { state }]) => (BUILT.includes(state) ? [cell] : [])));
  if (!newest) return { published: undefined, undefinedCells, built, before: undefined };
  const { revision } = newest.published;
  return {
    published: {
      revision,
      changes: changesBetween(newest.organization, registry.organization),
      movedOn: movedOn(newest.life, Object.fromEntries([...lives].filter(([cell]) => isDefined(cell)))),
    },
    undefinedCells,
    built,
    before: { plan: createPlan(newest), revision },
  };
}

/** What differs, and under it in red what would be lost by that, and what AWS would refuse of it. */
function detailOf({ detail, destructive = [], refused = [] }: Difference): string {
  const losses = destructive.map(({ logicalId, type, change, certain }) =>
    pc.red(`DESTRUCTIVE: ${change === 'remove' ? 'removes' : certain ? 'replaces' : 'may replace'} ${logicalId} (${type})`),
  );
  const refusals = refused.map(({ path, message, fix }) => pc.red(`REFUSED: ${path}: ${message}; ${fix}`));
  return [detail, ...losses, ...refusals].join('\n');
}

function printDifferences({ output }: Context, differences: readonly Difference[], organization: string, cells: number): void {
  if (differences.length === 0) {
    output.line(`${pc.green('nothing differs')}: ${organization}, ${cells} cells are as the registry says`);
    return;
  }
  output.table(
    ['', 'NAME', 'CHANGE', 'DETAIL', 'RUN'],
    differences.map((difference) => {
      const { kind, name, change, action: command } = difference;
      return [kind, pc.bold(name), colourState(change), detailOf(difference), pc.dim(command)];
    }),
  );
  const losing = new Set(differences.flatMap(({ name, destructive, refused }) => (destructive || refused ? [name] : [])));
  output.say(`\n${differences.length} difference${differences.length === 1 ? '' : 's'}`);
  if (losing.size > 0) output.say(pc.red(`${[...losing].join(', ')}: refused as it stands; \`cellctl plan <cell>\` shows it in full`));
}

/** A line per cell, the total, and what the figures are. */
function printCosts({ output }: Context, { cells, monthly, source }: Costs): void {
  if (cells.length === 0) return;
  const shown = cells.slice(0, LISTED_COSTS).map(({ cell, monthly: each }) => `${cell} ${dollars(each)}`);
  const rest = cells.slice(LISTED_COSTS).reduce((sum, each) => sum + each.monthly, 0);
  if (cells.length > LISTED_COSTS) shown.push(`${cells.length - LISTED_COSTS} more ${dollars(rest)}`);
  output.say(`\nestimate, a month: ${pc.bold(dollars(monthly))} (${shown.join(', ')})`);
  output.say(pc.dim(source));
}

export const planCommand = () =>
  new Command('plan')
    .description('what differs between the registry and reality: accounts, stacks, revision; of one cell, a review. Changes nothing')
    .argument('[cell...]', 'cells (default: all)')
    .option('--exit-code', 'end with 1 when something differs')
    .addHelpText(
      'after',
      '\nOf one cell it reads like a pull request: what is added, changed, replaced, what it costs, alarms, risks.' +
        '\nDESTRUCTIVE is what loses data or a name; `cellctl deploy` refuses it without --allow-replacement.' +
        '\n\nExamples:\n  cellctl plan\n  cellctl plan alpha\n  cellctl plan --json --exit-code',
    )
    .action(
      action(async (context, names: string[], options: { exitCode?: boolean }) => {
        const [{ compare }, { isInitialized, selectCells }, { costsOf }, { PRICE_SOURCE }, { review }] = await Promise.all([
          import('../../review/difference.ts'),
          import('../../plan/plan.ts'),
          import('../../review/costs.ts'),
          import('../../review/prices.ts'),
          import('../../review/review.ts'),
        ]);
        const [registry, plan] = await Promise.all([context.registry(), context.plan()]);
        const cells = selectCells(plan, names);
        const now = new Date();
        const { observed, before, unasked } = await look(context, registry, plan, cells);
        const differences = compare(plan, cells, observed, now);
        const costs = costsOf(plan, cells);
        const [only] = cells;
        const reviewed = names.length === 1 && only ? review(plan, only, observed, before, now) : undefined;
        const { output } = context;
        const data = {
          organization: plan.organization,
          digest: plan.digest,
          cells: cells.length,
          looked: isInitialized(plan),
          differences,
          unasked,
        };
        output.result({ ...data, costs, ...(reviewed ? { review: reviewed } : {}) }, () => {
          if (reviewed) for (const line of reviewLines(reviewed)) output.line(line);
          else {
            printDifferences(context, differences, plan.organization, cells.length);
            printCosts(context, costs);
          }
          for (const line of unaskedLines(unasked, PRICE_SOURCE)) output.say(line);
          if (!isInitialized(plan))
            output.say('nothing was looked at: the lock file knows no control accounts, so the organization counts as new');
          if (plan.elsewhere.length > 0) output.say(`not on AWS, not looked at: ${plan.elsewhere.join(', ')}`);
        });
        for (const { cell, error } of unasked) {
          if (error !== undefined) output.note(`${pc.red(cell)} could not be looked at for stacks that nobody asks for: ${error}`);
        }
        return options.exitCode === true && differences.length > 0 ? 1 : 0;
      }),
    );
