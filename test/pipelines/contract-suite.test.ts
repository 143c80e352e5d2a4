/** What every engine makes of the graph: its steps, their order, what waits for somebody, and what needs what. */
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import type { InitializedPlan } from '../../lib/plan/plan.ts';
import { PipelineStack } from '../../pipelines/codepipeline/pipeline-stack.ts';
import { renderWorkflow } from '../../pipelines/github/workflow.ts';
import { needsOf, type Pipeline, stepsOf } from '../../pipelines/graph.ts';
import * as CodePipeline from '../_helpers/codepipeline.ts';
import { PIPELINE_SHAPES, pipelineWith } from '../_helpers/pipelines.ts';
import { renderedGates, renderedNeeds } from '../_helpers/workflow.ts';

/** A pipeline as an engine has rendered it, in terms of the graph. */
interface Rendered {
  /** For each step, in the order of the rendering, those that must have ended well before it begins. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Steps that wait for somebody. */
  readonly gates: readonly string[];
}

/** An engine is a line. */
const ENGINES: Readonly<Record<string, (plan: InitializedPlan, pipeline: Pipeline) => Rendered>> = {
  codepipeline: (plan, pipeline) => {
    const stack = new PipelineStack(new App(), plan, pipeline.component);
    const template = Template.fromStack(stack).toJSON() as CodePipeline.Template;
    return { needs: CodePipeline.renderedNeeds(template), gates: CodePipeline.renderedGates(template) };
  },
  'github-actions': (plan, pipeline) => {
    const workflow = renderWorkflow(plan, pipeline);
    return { needs: renderedNeeds(workflow), gates: renderedGates(workflow) };
  },
};

const sorted = (needs: ReadonlyMap<string, readonly string[]>) =>
  Object.fromEntries([...needs].map(([name, all]) => [name, [...all].sort()]));

describe.each(Object.entries(ENGINES))('engine %s', (_, render) => {
  describe.each(Object.entries(PIPELINE_SHAPES))('%s', (__, shape) => {
    const { plan, pipeline } = pipelineWith(shape);
    const rendered = render(plan, pipeline);

    test('has the steps of the graph, in its order', () => {
      expect([...rendered.needs.keys()]).toEqual(stepsOf(pipeline).map(({ name }) => name));
    });

    test('each step needs what it needs in the graph', () => {
      expect(sorted(rendered.needs)).toEqual(sorted(needsOf(pipeline)));
    });

    test('waits for somebody where the graph does, and nowhere else', () => {
      const approvals = stepsOf(pipeline).filter(({ kind }) => kind === 'approval');
      expect(rendered.gates).toEqual(approvals.map(({ name }) => name));
    });
  });
});
