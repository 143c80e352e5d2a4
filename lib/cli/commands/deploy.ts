import { Command } from 'commander';
import type { DeployResult } from '../../cell/deploy.ts';
import type { CellPlan, Plan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { refuseDuringRollout } from '../rollouts.ts';

/** The cells of a command line: names, or --all. @throws FactoryError `USAGE` for neither or both */
export async function cellsFrom(plan: Plan, names: readonly string[], all: boolean | undefined): Promise<readonly CellPlan[]> {
  const { selectCells } = await import('../../plan/plan.ts');
  if (names.length > 0 !== (all === true)) return selectCells(plan, names);
  const { FactoryError } = await import('../../registry/index.ts');
  throw new FactoryError('USAGE', names.length > 0 ? 'cells and --all together' : 'no cell was named', {
    fix: `name cells (${plan.cells
      .slice(0, 5)
      .map((cell) => cell.name)
      .join(', ')}${plan.cells.length > 5 ? ', …' : ''}), or pass --all`,
  });
}

/** Types by how often they occur, as `AWS::X::Y (2), AWS::Z::W`. */
export function countTypes(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, count]) => (count === 1 ? type : `${type} (${count})`))
    .join(', ');
}

/** Prints what became of each cell; returns the exit code. */
export function reportDeployment(context: Context, results: readonly DeployResult[]): number {
  const { output } = context;
  const data = results.map(({ error, ...result }) => ({
    ...result,
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
  }));
  output.result({ cells: data }, () => {
    output.table(
      ['CELL', 'STACK', 'STATE', 'RESOURCES', 'SECONDS'],
      results.map((row) => [row.cell, row.stack, colourState(row.state), String(row.resources || '-'), row.seconds.toFixed(1)]),
    );
  });
  for (const { error } of results) if (error) output.problem(error);
  return results.some((result) => result.state === 'failed' || result.state === 'skipped') ? 1 : 0;
}

interface DeployOptions {
  readonly all?: boolean;
  readonly tooling?: boolean;
  readonly concurrency: string;
  readonly allowReplacement?: string[];
  readonly revertDrift?: boolean;
}

/** @throws FactoryError `USAGE` for what is about cells, where tooling is deployed */
async function refuseCells(names: readonly string[], { all, allowReplacement = [], revertDrift }: DeployOptions): Promise<void> {
  if (names.length === 0 && all !== true && allowReplacement.length === 0 && revertDrift === undefined) return;
  const { FactoryError } = await import('../../registry/index.ts');
  throw new FactoryError('USAGE', '--tooling deploys no cells, lets go of nothing, and reverts no drift', {
    fix: 'run `cellctl deploy --tooling` alone',
  });
}

/** What is missing in a cell, and what becomes of it. */
function missingNote(cell: string, names: readonly string[], revertDrift: boolean | undefined): string {
  const what = `${cell}: somebody has deleted ${names.join(', ')}`;
  if (revertDrift === false) return `${what}; left missing, as --no-revert-drift says`;
  return `${what}: brought back, as is all else that was changed by hand in its stacks`;
}

export const deployCommand = () =>
  new Command('deploy')
    .description('bring cells to what the registry says: their foundations, side by side, staging first')
    .argument('[cell...]', 'cells')
    .option('-a, --all', 'every cell')
    .option('--tooling', 'instead of cells, the stacks of the tooling account: what cells in new regions and new components need there')
    .option('-c, --concurrency <number>', 'cells at once', '4')
    .option('--allow-replacement <cell/logical id...>', 'let go of a resource in that cell that holds data or a name')
    .option(
      '--revert-drift',
      'revert all that was changed or deleted by hand (default: only in a cell that lacks an alarm or a parameter of its stack)',
    )
    .option('--no-revert-drift', 'leave what was changed by hand, and what is missing')
    .addHelpText(
      'after',
      '\nA failed cell stops none of its siblings; when staging fails, production is not begun. Run again, it carries on.' +
        '\nBefore it begins, it refuses what would lose data or a name; `cellctl plan <cell>` shows it.' +
        '\n\nExamples:\n  cellctl deploy alpha\n  cellctl deploy --all --concurrency 8\n  cellctl deploy --tooling' +
        '\n  cellctl deploy alpha --allow-replacement alpha/DataQueue59EC8D83\n  cellctl deploy alpha --revert-drift',
    )
    .action(
      action(async (context, names: string[], options: DeployOptions) => {
        if (options.tooling === true) {
          await refuseCells(names, options);
          const { deployTooling } = await import('../tooling.ts');
          return deployTooling(context);
        }
        const concurrency = await wholeNumber(options.concurrency, '--concurrency', { max: 100 });
        const [{ foundationComponent, requireAccounts }, { requireZones }, { lasting, refuseEnding }] = await Promise.all([
          import('../../plan/plan.ts'),
          import('../../plan/zones.ts'),
          import('../../plan/expiry.ts'),
        ]);
        const asked = await cellsFrom(await context.plan(), names, options.all);
        const now = new Date();
        if (options.all !== true) refuseEnding(asked, now);
        const cells = lasting(asked, now);
        if (cells.length < asked.length) context.output.note(`${asked.length - cells.length} retiring or expired: left as they are`);
        const vended = requireAccounts(cells);
        requireZones(vended);
        const { plan, session, partition } = await context.tooling();
        const [{ withAssembly }, { deployCells, foundationTask }, { guardCells }] = await Promise.all([
          import('../../aws/toolkit.ts'),
          import('../../cell/deploy.ts'),
          import('../../cell/deploy-guard.ts'),
        ]);
        const [{ stackHolder }, store] = await Promise.all([import('../holding.ts'), context.store(plan, session)]);
        await store.refuseMoved(vended);
        await store.refuseRezoned(new Map(vended.map(({ name, account, zones }) => [name, { accountId: account.accountId, zones }])));
        const foundations = foundationComponent(plan);
        const touched = vended.map(({ name }) => name);
        await refuseDuringRollout(context, plan, session, touched, foundations ? [foundations] : []);
        const [hold, domain] = await Promise.all([stackHolder(context, plan, session), context.domainCheck(plan, session)]);
        const stacks = vended.map((cell) => cell.stackName);
        context.output.note(`synthesizing ${stacks.length === 1 ? stacks[0] : `${stacks.length} stacks`}`);
        const results = await withAssembly(plan, stacks, async (assembly) => {
          const { allowReplacement: allowed = [], revertDrift } = options;
          // Templates don't show what a change by hand has done.
          const { guard, missing } = await guardCells(vended, assembly.templates, session, partition, allowed, revertDrift);
          for (const [cell, names] of missing) context.output.note(missingNote(cell, names, revertDrift));
          const drift = { tooling: session, partition, allowed };
          const driftOf = (cell: string) => ((revertDrift ?? missing.has(cell)) ? drift : undefined);
          const task = guard(foundationTask(assembly, context.runId, store, domain, driftOf));
          return deployCells({ cells: vended, task, session, partition, hold, concurrency, emit: context.output.emit });
        });
        return reportDeployment(context, results);
      }),
    );
