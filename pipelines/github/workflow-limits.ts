/** What GitHub Actions takes: how long a job may last, and how large a workflow may be. */

import { type Limit, requireWithin } from '../engine-limits.ts';
import { type Pipeline, stepsOf } from '../graph.ts';
import { ROLE_KINDS, roleName } from './job-roles.ts';

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
  readonly pipeline: Pipeline;
  readonly text: string;
  readonly jobs: number;
}

const fewerWaves = 'let the policy have fewer waves or shorter bakes: a wave takes any number of cells';

/** Seconds that the waves take at most. How long people think is not known. */
const wavesSeconds = (pipeline: Pipeline): number =>
  stepsOf(pipeline).reduce((sum, step) => sum + (step.kind === 'wave' ? step.wave.longestSeconds + DEPLOY_SECONDS : 0), 0);

const WORKFLOW_LIMITS: readonly Limit<Rendered>[] = [
  {
    what: 'bytes of the file',
    limit: 500_000,
    source: 'Actions limits, GitHub Docs',
    used: ({ text }) => Buffer.byteLength(text),
    fix: fewerWaves,
  },
  { what: 'jobs', limit: 256, source: 'Actions limits, GitHub Docs (jobs of a matrix)', used: ({ jobs }) => jobs, fix: fewerWaves },
  {
    what: 'days that a run may take',
    limit: 35,
    source: 'Actions limits, GitHub Docs',
    used: ({ pipeline }) => wavesSeconds(pipeline) / DAY,
    fix: fewerWaves,
  },
  {
    what: 'characters of a role',
    limit: 64,
    source: 'CreateRole, AWS IAM API Reference',
    used: ({ pipeline }) => Math.max(...ROLE_KINDS.map((kind) => roleName(pipeline.component.name, kind).length)),
    fix: "shorten the component's name, or let it run on codepipeline",
  },
];

/** @throws FactoryError `PIPELINE_TOO_LARGE` */
export const requireWorkflowFits = (rendered: Rendered): void =>
  requireWithin(`the workflow of ${rendered.pipeline.component.name}`, WORKFLOW_LIMITS, rendered);
