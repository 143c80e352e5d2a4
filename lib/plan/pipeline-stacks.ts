/**
 * The stacks in tooling that hold pipelines, and where they meet. Apart from the other stacks of tooling: they are brought
 * up to date by the pipeline of pipelines, and no cell waits for them.
 */
import { type Component, type Engine, pipelineStackName } from '../../registry/index.ts';
import type { Plan } from './plan.ts';
import type { ToolingStack } from './tooling-stacks.ts';

/** The stack of what all pipelines share. */
export const PIPELINES_STACK = 'Pipelines';

/** Parameters in tooling that say where pipelines keep what one step hands to the next. */
export const PIPELINE_PARAMETERS = {
  bucket: '/cell-factory/pipelines/bucket',
  key: '/cell-factory/pipelines/key',
} as const;

/** Parameter in tooling that holds the connection to a provider of repositories. */
export const connectionParameter = (provider: string) => `/cell-factory/pipelines/connections/${provider}`;

/** What runs the pipeline of a component. */
export const engineOf = ({ pipelines }: Pick<Plan, 'pipelines'>, { pipeline }: Component): Engine => pipeline.engine ?? pipelines.engine;

/** Components whose pipelines run on CodePipeline. */
export const codePipelineComponents = (plan: Plan): readonly Component[] =>
  plan.components.filter((component) => engineOf(plan, component) === 'codepipeline');

interface PipelineStackPlan extends ToolingStack {
  /** Whose pipeline it holds; undefined for what all of them share. */
  readonly component: Component | undefined;
}

/** In the order in which they are deployed; none where nothing runs on CodePipeline. */
export function pipelineStacks(plan: Plan): readonly PipelineStackPlan[] {
  const components = codePipelineComponents(plan);
  if (components.length === 0) return [];
  return [
    { stackName: PIPELINES_STACK, region: plan.homeRegion, component: undefined },
    ...components.map((component) => ({ stackName: pipelineStackName(component.name), region: plan.homeRegion, component })),
  ];
}
