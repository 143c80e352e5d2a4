/** The stacks of the control accounts: which there are, and what builds each. */
import { type App, Stack } from 'aws-cdk-lib/core';
import { unsupported } from '../../pipelines/hosting.ts';
import { GITHUB_STACK, PIPELINES_STACK, pipelineStacks } from '../plan/pipeline-stacks.ts';
import { CONTROL_STACKS, type InitializedPlan, isInitialized, type Plan } from '../plan/plan.ts';
import { type ToolingStack, toolingStacks } from '../plan/tooling-stacks.ts';
import { type Component, type Engine, FactoryError } from '../registry/index.ts';
import { NAMES_ONLY, type Note, type Wanted } from './wanted.ts';

// A class is loaded once its stack is wanted: loading all of them takes longer than building most.

/** Builds a stack of the tooling account in a region. */
type BuildTooling = (app: App, plan: InitializedPlan, region: string) => Promise<Stack>;

const artifacts = () => import('../artifact/artifacts-stack.ts');

/** What builds each kind of stack in the tooling account. */
const TOOLING: Readonly<Record<ToolingStack['kind'], BuildTooling>> = {
  registry: async (app, plan) => new (await import('../accounts/registry-stack.ts')).RegistryStack(app, plan),
  domain: async (app, plan) => new (await import('../accounts/domain-stack.ts')).DomainStack(app, plan),
  artifacts: async (app, plan) => new (await artifacts()).ArtifactsStack(app, plan),
  'artifacts-replica': async (app, plan, region) => new (await artifacts()).ArtifactReplicaStack(app, plan, region),
  rollouts: async (app, plan) => new (await import('../rollout/rollouts-stack.ts')).RolloutsStack(app, plan),
};

/** Builds a stack of the tooling account. @throws FactoryError `INTERNAL` for a kind without a builder */
export async function buildToolingStack(app: App, plan: InitializedPlan, { kind, stackName, region }: ToolingStack): Promise<Stack> {
  const build = new Map<string, BuildTooling>(Object.entries(TOOLING)).get(kind);
  if (build) return build(app, plan, region);
  throw new FactoryError('INTERNAL', `nothing builds the stack ${stackName}: its kind "${kind}" has no builder`, {
    fix: 'add the kind to TOOLING in lib/app/build-control.ts',
  });
}

interface EngineStacks {
  /** The stack that all pipelines share, which comes first. */
  readonly after: string;
  readonly shared: (app: App, plan: InitializedPlan) => Promise<Stack>;
  readonly own: (app: App, plan: InitializedPlan, component: Component) => Promise<Stack>;
}

const github = () => import('../../pipelines/github/roles-stack.ts');

/** What builds the stacks of pipelines: what all share, and what is a component's own. */
const ENGINES: Readonly<Record<Engine, EngineStacks>> = {
  codepipeline: {
    after: PIPELINES_STACK,
    shared: async (app, plan) => new (await import('../../pipelines/codepipeline/pipelines-stack.ts')).PipelinesStack(app, plan),
    own: async (app, plan, component) =>
      new (await import('../../pipelines/codepipeline/pipeline-stack.ts')).PipelineStack(app, plan, component),
  },
  'github-actions': {
    after: GITHUB_STACK,
    shared: async (app, plan) => new (await github()).GitHubStack(app, plan),
    own: async (app, plan, component) => new (await github()).GitHubRolesStack(app, plan, component),
  },
};

interface ControlStack {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  readonly build: (app: App) => Promise<Stack>;
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
    build: async (app) => new (await import('../accounts/vending-stack.ts')).VendingStack(app, plan),
  },
  ...toolingStacks(plan).map((stack) => ({
    stackName: stack.stackName,
    region: stack.region,
    account: plan.tooling.accountId,
    build: (app: App) => buildToolingStack(app, plan, stack),
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

export const controlStackNames = (plan: Plan): ReadonlySet<string> =>
  new Set([CONTROL_STACKS.vending, ...[...toolingStacks(plan), ...pipelineStacks(plan)].map(({ stackName }) => stackName)]);

/** Builds the wanted stacks of the control accounts. */
export async function buildControl(app: App, plan: Plan, wanted: Wanted, note: Note): Promise<void> {
  if (!isInitialized(plan)) {
    note(`organization ${plan.organization} has no control accounts yet: run cellctl init`);
    return;
  }
  const built = new Map<string, Stack>();
  for (const { stackName, account, region, build, missing, after = '' } of controlStacks(plan)) {
    if (wanted === 'all' && missing !== undefined) note(`${stackName} is not built: ${missing}`);
    else if (wanted === 'names') built.set(stackName, new Stack(app, stackName, { env: { account, region }, description: NAMES_ONLY }));
    else if (wanted === 'all' || wanted.has(stackName)) built.set(stackName, await build(app));
    const first = built.get(after);
    if (first) built.get(stackName)?.addStackDependency(first);
  }
}
