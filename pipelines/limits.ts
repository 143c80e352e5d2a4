/** What a pipeline may be, by the services that run it: looked at before anything is deployed. */
import { checkTemplate } from '../lib/plan/limits.ts';
import { FactoryError, MOST_STAGES } from '../registry/index.ts';
import { type Pipeline, stepsOf } from './graph.ts';

const CODEPIPELINE = 'Quotas in AWS CodePipeline, AWS CodePipeline User Guide';
const ACTIONS_PER_STAGE = 100;

interface PipelineLimit {
  readonly what: string;
  readonly limit: number;
  /** Where AWS says so. */
  readonly source: string;
  readonly used: (pipeline: Pipeline) => number;
  readonly fix: string;
}

/** Limits on one pipeline. Each step is an action. How long a wave may take is a rule of the registry: BAKE_TOO_LONG. */
export const PIPELINE_LIMITS: readonly PipelineLimit[] = [
  {
    what: 'stages of a pipeline',
    limit: MOST_STAGES,
    source: CODEPIPELINE,
    used: ({ stages }) => stages.length,
    fix: 'use fewer waves: a wave takes any number of cells',
  },
  {
    what: 'actions of a stage',
    limit: ACTIONS_PER_STAGE,
    source: CODEPIPELINE,
    used: ({ stages }) => Math.max(...stages.map(({ groups }) => groups.flat().length)),
    fix: 'use fewer hooks at one wave: one target of the Makefile can call others',
  },
  {
    what: 'actions of a pipeline',
    limit: 1_000,
    source: CODEPIPELINE,
    used: (pipeline) => stepsOf(pipeline).length,
    fix: 'use fewer hooks: one target of the Makefile can call others',
  },
];

/** Pipelines in an account and region. Source: as {@link PIPELINE_LIMITS}. */
export const MOST_PIPELINES = 1_000;

/** What of CodePipeline's pipelines would be too large. @throws FactoryError `PIPELINE_TOO_LARGE` */
export function requirePipelineFits(pipeline: Pipeline): void {
  for (const { what, limit, used, fix } of PIPELINE_LIMITS) {
    const is = used(pipeline);
    if (is > limit) throw tooLarge(`the pipeline of ${pipeline.component.name}`, what, is, limit, fix);
  }
}

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export function requirePipelinesFit(count: number): void {
  if (count <= MOST_PIPELINES) return;
  throw tooLarge('tooling', 'pipelines in a region', count, MOST_PIPELINES, 'ask AWS for more, or use engine github-actions for some');
}

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export function requireTemplateFits(stackName: string, template: Parameters<typeof checkTemplate>[0]): void {
  for (const { what, used, limit } of checkTemplate(template)) {
    if (used > limit) throw tooLarge(`the stack ${stackName}`, what, used, limit, 'use fewer hooks or waves');
  }
}

const tooLarge = (whose: string, what: string, used: number, limit: number, fix: string) =>
  new FactoryError(
    'PIPELINE_TOO_LARGE',
    `${whose} would have ${used.toLocaleString('en')} ${what}; AWS takes ${limit.toLocaleString('en')}`,
    {
      fix,
    },
  );
