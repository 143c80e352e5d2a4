/** How large pipelines are, measured on each engine: what docs/pipelines.md says of their sizes. */
import { App } from 'aws-cdk-lib/core';
import { type InitializedPlan, requireInitialized, selectComponent } from '../lib/plan/plan.ts';
import { defineComponent } from '../lib/registry/index.ts';
import { PipelineStack } from '../pipelines/codepipeline/pipeline-stack.ts';
import { renderWorkflow } from '../pipelines/github/workflow.ts';
import { pipelineOf, stepsOf } from '../pipelines/graph.ts';
import { planned } from './cell-resources.ts';

const NAME = 'orders-api';

/** A plan of that many cells, with the default policy and one component. */
function planOf(cells: number): InitializedPlan {
  const { plan, cell } = planned('production', 'small');
  const component = defineComponent({
    name: NAME,
    repository: { url: `https://github.com/acme/${NAME}` },
    route: { priority: 1, path: '/' },
  });
  const many = Array.from({ length: cells }, (_, index) => ({ ...cell, name: `c${index}` }));
  return requireInitialized({ ...plan, organizationId: 'o-abcdefghij', components: [component], cells: many });
}

const kilobytes = (text: string) => `${Math.round(Buffer.byteLength(text) / 1_000)} KB`;

/** A row for each number of cells: stages, actions and template on CodePipeline; jobs and file on GitHub Actions. */
export function pipelineSizeRows(): string[][] {
  return [10, 100, 1_000, 10_000].map((cells) => {
    const plan = planOf(cells);
    const component = selectComponent(plan, NAME);
    const pipeline = pipelineOf(plan, component);
    const app = new App();
    const { artifactId } = new PipelineStack(app, plan, component);
    const template = JSON.stringify(app.synth().getStackArtifact(artifactId).template, undefined, 1);
    const { text } = renderWorkflow(plan, pipeline);
    const jobs = text.match(/^ {4}runs-on:/gm)?.length ?? 0;
    return [
      cells.toLocaleString('en'),
      String(pipeline.stages.length),
      String(stepsOf(pipeline).length),
      kilobytes(template),
      String(jobs),
      kilobytes(text),
    ];
  });
}
