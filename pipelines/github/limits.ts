/** What GitHub Actions takes: how long a job may last, and how large a workflow may be. */
import { FactoryError } from '../../registry/index.ts';
import { type Pipeline, stepsOf } from '../graph.ts';
import { ROLE_KINDS, roleName } from './roles.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Seconds that a job follows a wave. GitHub ends a job after six hours, with all that it knows. */
export const FOLLOW_SECONDS = 5 * HOUR;

/** What deploying to the cells of a wave takes besides its bake. Where it takes longer, the last job is run again. */
const DEPLOY_SECONDS = HOUR;

/** How many jobs follow a wave, one after the other. */
export const jobsOfWave = (longestSeconds: number): number => Math.max(1, Math.ceil((longestSeconds + DEPLOY_SECONDS) / FOLLOW_SECONDS));

/** A workflow, as far as it is measured. */
interface Rendered {
  readonly text: string;
  readonly jobs: number;
}

interface Limit {
  readonly what: string;
  readonly limit: number;
  readonly source: string;
  readonly used: (pipeline: Pipeline, rendered: Rendered) => number;
  readonly fix: string;
}

const fewerWaves = 'let the policy have fewer waves or shorter bakes: a wave takes any number of cells';

/** Seconds that the waves take at most. How long people think is not known. */
const wavesSeconds = (pipeline: Pipeline): number =>
  stepsOf(pipeline).reduce((sum, step) => sum + (step.kind === 'wave' ? step.wave.longestSeconds + DEPLOY_SECONDS : 0), 0);

const WORKFLOW_LIMITS: readonly Limit[] = [
  {
    what: 'bytes of the file',
    limit: 500_000,
    source: 'Actions limits, GitHub Docs',
    used: (_, { text }) => Buffer.byteLength(text),
    fix: fewerWaves,
  },
  { what: 'jobs', limit: 256, source: 'Actions limits, GitHub Docs (jobs of a matrix)', used: (_, { jobs }) => jobs, fix: fewerWaves },
  {
    what: 'days that a run takes at most',
    limit: 35,
    source: 'Actions limits, GitHub Docs',
    used: (pipeline) => wavesSeconds(pipeline) / DAY,
    fix: fewerWaves,
  },
  {
    what: 'characters of a role',
    limit: 64,
    source: 'CreateRole, AWS IAM API Reference',
    used: ({ component }) => Math.max(...ROLE_KINDS.map((kind) => roleName(component.name, kind).length)),
    fix: "shorten the component's name, or let it run on codepipeline",
  },
];

/** @throws FactoryError `PIPELINE_TOO_LARGE` with every limit that is passed */
export function requireWithinLimits(pipeline: Pipeline, rendered: Rendered): void {
  const passed = WORKFLOW_LIMITS.map((each) => ({ ...each, figure: each.used(pipeline, rendered) })).filter(
    ({ figure, limit }) => figure > limit,
  );
  if (passed.length === 0) return;
  const figures = passed.map(({ what, figure, limit }) => `${Math.ceil(figure)} ${what}, of ${limit}`);
  throw new FactoryError('PIPELINE_TOO_LARGE', `the workflow of ${pipeline.component.name} would have ${figures.join('; ')}`, {
    fix: [...new Set(passed.map(({ fix }) => fix))].join('; '),
  });
}
