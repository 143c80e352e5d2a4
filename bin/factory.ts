/**
 * The CDK app: document -> stacks. `cdk ls`, `cdk diff Cell-alpha`, `cdk deploy Cell-alpha` work unmodified.
 *
 * Context: `-c organization=<folder or document>` (default `registry/`), `-c accounts=<lock file>` (default the
 * environment's `CELL_FACTORY_ACCOUNTS`, else `accounts.json` in the folder), `-c cells=alpha,bravo` for what to build.
 */
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib/core';
import { DomainStack } from '../lib/accounts/domain-stack.ts';
import { RegistryStack } from '../lib/accounts/registry-stack.ts';
import { VendingStack } from '../lib/accounts/vending-stack.ts';
import { createApp } from '../lib/app/create-app.ts';
import { cdkCommandLine, type Wanted, wantedStacks } from '../lib/app/wanted.ts';
import { ArtifactReplicaStack, ArtifactsStack } from '../lib/artifact/artifacts-stack.ts';
import { Delegation } from '../lib/cell/foundation/delegation.ts';
import { Foundation } from '../lib/cell/foundation/foundation.ts';
import { environment } from '../lib/environment.ts';
import { packageRoot } from '../lib/package-root.ts';
import { GITHUB_STACK, PIPELINES_STACK, pipelineStacks } from '../lib/plan/pipeline-stacks.ts';
import {
  CONTROL_STACKS,
  createPlan,
  type InitializedPlan,
  isInitialized,
  isVended,
  type Plan,
  requireAccounts,
  selectCells,
  type VendedCell,
} from '../lib/plan/plan.ts';
import { toolingStacks } from '../lib/plan/tooling-stacks.ts';
import {
  asFactoryError,
  type Component,
  cellDelegationStackName,
  cellStackName,
  type Engine,
  FactoryError,
  loadRegistry,
} from '../lib/registry/index.ts';
import { RolloutsStack } from '../lib/rollout/rollouts-stack.ts';
import { PipelineStack } from '../pipelines/codepipeline/pipeline-stack.ts';
import { PipelinesStack } from '../pipelines/codepipeline/pipelines-stack.ts';
import { requireTemplateFits } from '../pipelines/engine-limits.ts';
import { GitHubRolesStack, GitHubStack } from '../pipelines/github/roles-stack.ts';
import { unsupported } from '../pipelines/hosting.ts';

const NAMES_ONLY = 'Listed, not built.';

type Build = (app: App, plan: InitializedPlan) => Stack;

/** What builds the stacks of the tooling account that are in its home region. */
const AT_HOME: Readonly<Record<string, Build>> = {
  [CONTROL_STACKS.registry]: (app, plan) => new RegistryStack(app, plan),
  [CONTROL_STACKS.domain]: (app, plan) => new DomainStack(app, plan),
  [CONTROL_STACKS.artifacts]: (app, plan) => new ArtifactsStack(app, plan),
  [CONTROL_STACKS.rollouts]: (app, plan) => new RolloutsStack(app, plan),
};

/** What builds the stacks of pipelines: what all share, which comes first, and what is a component's own. */
const ENGINES: Readonly<Record<Engine, { after: string; shared: Build; own: (app: App, plan: InitializedPlan, of: Component) => Stack }>> =
  {
    codepipeline: {
      after: PIPELINES_STACK,
      shared: (app, plan) => new PipelinesStack(app, plan),
      own: (app, plan, of) => new PipelineStack(app, plan, of),
    },
    'github-actions': {
      after: GITHUB_STACK,
      shared: (app, plan) => new GitHubStack(app, plan),
      own: (app, plan, of) => new GitHubRolesStack(app, plan, of),
    },
  };

interface ControlStack {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  readonly build: Build;
  /** Why it can't be built: no reason to build nothing else. */
  readonly missing?: string | undefined;
  /** The stack that must be there first, where the CDK can't tell. */
  readonly after?: string | undefined;
}

/** The stacks of the control accounts, in the order in which they are deployed. */
const controlStacks = (plan: InitializedPlan): readonly ControlStack[] => [
  {
    stackName: CONTROL_STACKS.vending,
    account: plan.managementAccountId,
    region: plan.homeRegion,
    build: (app) => new VendingStack(app, plan),
  },
  ...toolingStacks(plan).map(({ stackName, region }) => ({
    stackName,
    region,
    account: plan.tooling.accountId,
    build: AT_HOME[stackName] ?? ((app: App) => new ArtifactReplicaStack(app, plan, region)),
  })),
  ...pipelineStacks(plan).map(({ stackName, region, engine, component }) => {
    const { shared, own, after } = ENGINES[engine];
    return {
      stackName,
      region,
      account: plan.tooling.accountId,
      build: (app: App) => (component ? own(app, plan, component) : shared(app, plan)),
      after: component && after,
      missing: component && unsupported(plan, component),
    };
  }),
];

const controlStackNames = (plan: Plan) =>
  new Set<string>([CONTROL_STACKS.vending, ...[...toolingStacks(plan), ...pipelineStacks(plan)].map(({ stackName }) => stackName)]);

function buildControl(app: App, plan: Plan, wanted: Wanted): void {
  if (!isInitialized(plan)) {
    process.stderr.write(`organization ${plan.organization} has no control accounts yet: run cellctl init\n`);
    return;
  }
  const built = new Map<string, Stack>();
  for (const { stackName, account, region, build, missing, after = '' } of controlStacks(plan)) {
    if (wanted === 'all' && missing !== undefined) process.stderr.write(`${stackName} is not built: ${missing}\n`);
    else if (wanted === 'names') built.set(stackName, new Stack(app, stackName, { env: { account, region }, description: NAMES_ONLY }));
    else if (wanted === 'all' || wanted.has(stackName)) built.set(stackName, build(app, plan));
    const first = built.get(after);
    if (first) built.get(stackName)?.addStackDependency(first);
  }
}

/** A cell's two stacks. The name is delegated by the first, in tooling, for the certificate of the second. */
function buildCell(app: App, cell: VendedCell): void {
  new Foundation(app, cell).addStackDependency(new Delegation(app, cell));
}

function buildCells(app: App, plan: Plan, wanted: Wanted): void {
  const cells = plan.cells.filter(isVended);
  if (wanted === 'names') {
    for (const { stackName, delegationStackName, account, region, parentZone } of cells) {
      const env = { account: parentZone.accountId, region: parentZone.region };
      const delegation = new Stack(app, delegationStackName, { env, description: NAMES_ONLY });
      const foundation = new Stack(app, stackName, { env: { account: account.accountId, region }, description: NAMES_ONLY });
      foundation.addStackDependency(delegation);
    }
    return;
  }
  if (wanted === 'all') {
    const waiting = plan.cells.length - cells.length;
    if (waiting > 0)
      process.stderr.write(`${waiting} of ${plan.cells.length} cells have no account yet and are not built: run cellctl accounts\n`);
    for (const cell of cells) buildCell(app, cell);
    return;
  }
  const control = controlStackNames(plan);
  const names = [...new Set([...wanted].filter((stack) => !control.has(stack)).map(cellOfStack))];
  if (names.length === 0) return;
  for (const cell of requireAccounts(selectCells(plan, names))) buildCell(app, cell);
}

/** The cell that a stack belongs to. */
const cellOfStack = (stack: string) => stack.replace(new RegExp(`^(${cellStackName('')}|${cellDelegationStackName('')})`), '');

async function main(): Promise<void> {
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
  buildControl(app, plan, wanted);
  buildCells(app, plan, wanted);
  const pipelines = new Set(pipelineStacks(plan).map(({ stackName }) => stackName));
  for (const { stackName, template } of app.synth().stacks)
    if (pipelines.has(stackName)) requireTemplateFits(stackName, template as object);
}

main().catch((error: unknown) => {
  const { code, message, fix, problems } = asFactoryError(error);
  const lines = [
    `${code}: ${message}`,
    ...problems.map((problem) => `  ${problem.code} ${problem.path}: ${problem.message}. ${problem.fix}`),
  ];
  process.stderr.write(`${[...lines, ...(fix === undefined ? [] : [`fix: ${fix}`])].join('\n')}\n`);
  if (!(error instanceof FactoryError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
