/**
 * The CDK app: document -> stacks. `cdk ls`, `cdk diff Cell-alpha`, `cdk deploy Cell-alpha` work unmodified.
 *
 * Context: `-c organization=<folder or document>` (default `registry/`), `-c accounts=<lock file>` (default the
 * environment's `CELL_FACTORY_ACCOUNTS`, else `accounts.json` in the folder), `-c cells=alpha,bravo` for what to build.
 */
import { join } from 'node:path';
import { requireTemplateFits } from '../../pipelines/engine-limits.ts';
import { environment } from '../environment.ts';
import { packageRoot } from '../package-root.ts';
import { pipelineStacks } from '../plan/pipeline-stacks.ts';
import { createPlan } from '../plan/plan.ts';
import { asFactoryError, cellStackName, FactoryError, loadRegistry } from '../registry/index.ts';
import { buildCells } from './cell-stacks.ts';
import { buildControl, controlStackNames } from './control-stacks.ts';
import { createApp } from './create-app.ts';
import { cdkCommandLine, type Note, wantedStacks } from './wanted.ts';

/** Synthesizes the wanted stacks into the CDK's output folder. @param note takes what is left out, and why */
export async function synthesize(note: Note): Promise<void> {
  const app = createApp();
  const context = (key: string): unknown => app.node.tryGetContext(key);
  const accountsFile: unknown = context('accounts') ?? environment.accountsFile;
  const registry = await loadRegistry(String(context('organization') ?? join(packageRoot(), 'registry')), {
    accountsFile: typeof accountsFile === 'string' ? accountsFile : undefined,
  });
  const plan = createPlan(registry);
  const known = new Set<string>([...plan.cells.flatMap((cell) => [cell.stackName, cell.delegationStackName]), ...controlStackNames(plan)]);
  const asked = { stacks: context('stacks'), cells: context('cells'), bundling: context('aws:cdk:bundling-stacks') };
  const wanted = wantedStacks(asked, cdkCommandLine(), known, cellStackName);
  buildControl(app, plan, wanted, note);
  buildCells(app, plan, wanted, note);
  const pipelines = new Set(pipelineStacks(plan).map(({ stackName }) => stackName));
  for (const { stackName, template } of app.synth().stacks)
    if (pipelines.has(stackName)) requireTemplateFits(stackName, template as object);
}

/** What to tell people of an error: its problems and the fix; of one that nobody foresaw, its stack, too. */
export function failureText(error: unknown): string {
  const { code, message, fix, problems } = asFactoryError(error);
  return [
    `${code}: ${message}`,
    ...problems.map((problem) => `  ${problem.code} ${problem.path}: ${problem.message}. ${problem.fix}`),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
    ...(!(error instanceof FactoryError) && error instanceof Error ? [error.stack] : []),
  ].join('\n');
}
