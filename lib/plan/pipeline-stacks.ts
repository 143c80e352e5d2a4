/**
 * The stacks in tooling that hold pipelines, and where they meet. Apart from the other stacks of tooling: they are brought
 * up to date by the pipeline of pipelines, and no cell waits for them.
 */
import { type Component, type Engine, pipelineStackName } from '../registry/index.ts';
import { CONTROL_STACKS, foundationComponent, type Plan } from './plan.ts';
import type { StackPlace } from './tooling-stacks.ts';

/** The stack of what all pipelines share on CodePipeline, with the pipeline of pipelines. */
export const PIPELINES_STACK = 'Pipelines';
/** The stack of what all workflows share on GitHub. */
export const GITHUB_STACK = 'Pipelines-GitHub';
/** How the names of components' stacks begin on CodePipeline. */
export const PIPELINE_STACK_PREFIX = pipelineStackName('');
/** The stack of a component's roles on GitHub: the roles of all in one would be a template too large, with some seventy components. */
export const githubStackName = (component: string) => `${GITHUB_STACK}-${component}`;

/** What all pipelines of an engine share, by how the names of its components' stacks begin. */
export const SHARED_STACKS: ReadonlyMap<string, string> = new Map([
  [PIPELINES_STACK, PIPELINE_STACK_PREFIX],
  [GITHUB_STACK, githubStackName('')],
]);

/** The component that a stack of pipelines belongs to; undefined for a stack of another kind. */
export const componentOfStack = (stackName: string): string | undefined =>
  [githubStackName(''), PIPELINE_STACK_PREFIX].flatMap((prefix) =>
    stackName.startsWith(prefix) && stackName.length > prefix.length ? [stackName.slice(prefix.length)] : [],
  )[0];

/** Parameters in tooling that say where pipelines keep what one step hands to the next. */
export const PIPELINE_PARAMETERS = {
  bucket: '/cell-factory/pipelines/bucket',
  key: '/cell-factory/pipelines/key',
  /** Where the factory is, of the version that has rendered the pipelines: an address of S3. */
  factory: '/cell-factory/pipelines/factory',
} as const;

/** Parameter in tooling that holds the connection to a provider of repositories. */
export const connectionParameter = (provider: string) => `/cell-factory/pipelines/connections/${provider}`;

/** What runs the pipeline of a component. */
export const engineOf = ({ pipelines }: Pick<Plan, 'pipelines'>, { pipeline }: Component): Engine => pipeline.engine ?? pipelines.engine;

/** Components whose pipelines an engine runs. */
export const componentsOn = (plan: Plan, engine: Engine): readonly Component[] =>
  plan.components.filter((component) => engineOf(plan, component) === engine);

/**
 * The component whose repository is the factory's own, where the engine delivers it: a commit there may change what every
 * pipeline is, so that the pipeline of pipelines takes it, too.
 */
export function ownComponent(plan: Plan, engine: Engine): Component | undefined {
  const own = foundationComponent(plan);
  return own && engineOf(plan, own) === engine ? own : undefined;
}

export interface PipelineStackPlan extends StackPlace {
  readonly engine: Engine;
  /** Whose pipeline it holds; undefined for what all of them share. */
  readonly component: Component | undefined;
}

/** In the order in which they are deployed; of an engine that runs nothing, none. */
export function pipelineStacks(plan: Plan): readonly PipelineStackPlan[] {
  const stacksOf = (engine: Engine, shared: string, nameOf: (component: string) => string): readonly PipelineStackPlan[] => {
    const components = componentsOn(plan, engine);
    if (components.length === 0) return [];
    const region = plan.homeRegion;
    return [
      { engine, region, stackName: shared, component: undefined },
      ...components.map((component) => ({ engine, region, stackName: nameOf(component.name), component })),
    ];
  };
  return [...stacksOf('codepipeline', PIPELINES_STACK, pipelineStackName), ...stacksOf('github-actions', GITHUB_STACK, githubStackName)];
}

/** The stacks that pipelines stand on, which are brought up to date with them: a new component needs a place for its images. */
export const PIPELINES_STAND_ON = [CONTROL_STACKS.artifacts, CONTROL_STACKS.rollouts] as const;
