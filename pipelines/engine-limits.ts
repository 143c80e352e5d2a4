/** What a pipeline may be, by the services that run it: looked at before anything is deployed. */
import { checkTemplate } from '../lib/plan/template-limits.ts';
import { FactoryError, MOST_STAGES } from '../lib/registry/index.ts';
import { type Pipeline, stepsOf } from './graph.ts';

const CODEPIPELINE = 'Quotas in AWS CodePipeline, AWS CodePipeline User Guide';
const ACTIONS_PER_STAGE = 100;

/** Something of which there may be only so much. */
export interface Limit<Subject> {
  readonly what: string;
  readonly limit: number;
  /** Where the service says so. */
  readonly source: string;
  readonly used: (subject: Subject) => number;
  readonly fix: string;
}

/** A figure that was looked at. */
type Figure = Pick<Limit<never>, 'what' | 'limit' | 'fix'> & { readonly figure: number };

/** @throws FactoryError `PIPELINE_TOO_LARGE` with every limit that is passed */
export const requireWithin = <Subject>(whose: string, limits: readonly Limit<Subject>[], subject: Subject): void =>
  refuseExcess(
    whose,
    limits.map((limit) => ({ ...limit, figure: limit.used(subject) })),
  );

function refuseExcess(whose: string, figures: readonly Figure[]): void {
  const passed = figures.filter(({ figure, limit }) => figure > limit);
  if (passed.length === 0) return;
  const number = (value: number) => Math.ceil(value).toLocaleString('en');
  const words = passed.map(({ what, figure, limit }) => `${number(figure)} ${what}, of ${number(limit)} at most`);
  throw new FactoryError('PIPELINE_TOO_LARGE', `${whose} would have ${words.join('; ')}`, {
    fix: [...new Set(passed.map(({ fix }) => fix))].join('; '),
  });
}

/** Limits on one pipeline. Each step is an action. How long a wave may take is a rule of the registry: BAKE_TOO_LONG. */
export const PIPELINE_LIMITS: readonly Limit<Pipeline>[] = [
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

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export const requirePipelineFits = (pipeline: Pipeline): void =>
  requireWithin(`the pipeline of ${pipeline.component.name}`, PIPELINE_LIMITS, pipeline);

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export const requirePipelinesFit = (count: number): void =>
  refuseExcess('tooling', [
    { what: 'pipelines in a region', figure: count, limit: MOST_PIPELINES, fix: 'ask AWS for more, or use engine github-actions for some' },
  ]);

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export const requireTemplateFits = (stackName: string, template: Parameters<typeof checkTemplate>[0]): void =>
  refuseExcess(
    `the stack ${stackName}`,
    checkTemplate(template).map(({ what, used, limit }) => ({ what, figure: used, limit, fix: 'use fewer hooks or waves' })),
  );
