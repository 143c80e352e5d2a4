/**
 * The CDK app: document -> stacks. `cdk ls`, `cdk diff Cell-alpha`, `cdk deploy Cell-alpha` work unmodified.
 *
 * Context: `-c organization=<folder or document>` (default `registry/` in the working directory or above), `-c accounts=<lock file>` (default the
 * environment's `CELL_FACTORY_ACCOUNTS`, else `accounts.json` in the folder), `-c cells=alpha,bravo` for what to build.
 */
import type { App } from 'aws-cdk-lib/core';
import { requireTemplateFits } from '../../pipelines/engine-limits.ts';
import { environment } from '../environment.ts';
import { pipelineStacks } from '../plan/pipeline-stacks.ts';
import { createPlan, type Plan } from '../plan/plan.ts';
import { cellStackName, loadRegistry } from '../registry/index.ts';
import { defaultOrganization } from '../repository-root.ts';
import { buildCells, type WithoutZones } from './build-cells.ts';
import { buildControl, controlStackNames } from './build-control.ts';
import { createApp } from './create-app.ts';
import { cdkCommandLine, type Note, type Wanted, wantedStacks } from './wanted.ts';

/** Values by key, as `-c` gives them. */
export type Context = Readonly<Record<string, unknown>>;

/** Synthesizes the wanted stacks into the CDK's output folder. @param note takes what is left out, and why */
export async function synthesize(note: Note): Promise<void> {
  const app = createApp();
  const context = (key: string): unknown => app.node.tryGetContext(key);
  const accountsFile: unknown = context('accounts') ?? environment.accountsFile;
  const registry = await loadRegistry(String(context('organization') ?? defaultOrganization()), {
    accountsFile: typeof accountsFile === 'string' ? accountsFile : undefined,
  });
  const plan = createPlan(registry);
  const known = new Set<string>([...plan.cells.flatMap((cell) => [cell.stackName, cell.delegationStackName]), ...controlStackNames(plan)]);
  const asked = { cells: context('cells'), bundling: context('aws:cdk:bundling-stacks') };
  await build(app, plan, wantedStacks(asked, cdkCommandLine(), known, cellStackName), note, 'refused');
}

/** Synthesizes stacks of a plan into a folder. @param context what the CDK tells its app */
export async function synthesizePlan(plan: Plan, stacks: readonly string[], outdir: string, context: Context): Promise<void> {
  await build(createApp({ outdir, context, autoSynth: false }), plan, new Set(stacks), () => undefined, 'built');
}

async function build(app: App, plan: Plan, wanted: Wanted, note: Note, withoutZones: WithoutZones): Promise<void> {
  await buildControl(app, plan, wanted, note);
  await buildCells(app, plan, wanted, note, withoutZones);
  const pipelines = new Set(pipelineStacks(plan).map(({ stackName }) => stackName));
  for (const { stackName, template } of app.synth().stacks)
    if (pipelines.has(stackName)) requireTemplateFits(stackName, template as object);
}
