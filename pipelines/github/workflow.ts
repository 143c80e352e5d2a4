/**
 * A component's pipeline as a workflow of GitHub Actions: each step of the graph is a job, and a long wave is several.
 *
 * Types, YAML and credentials are those of cdk-pipelines-github; docs/decisions/0019 says why its pipeline of stacks is not
 * used. Expressions (`${{ … }}`) stand where GitHub puts values: in `env:`, `with:` and `outputs:`. They are never part of
 * `run:`, where what a commit brings would become shell.
 */
import { type Job, JobPermission, type JobStep } from 'cdk-pipelines-github';
import { packageVersion } from '../../lib/package-root.ts';
import { type InitializedPlan, type Plan, requireInitialized } from '../../lib/plan/plan.ts';
import { HANDOVER, type PipelineVariable, type StepShell, shellOf } from '../commands.ts';
import { needsOf, type Pipeline, type Step, stepsOf } from '../graph.ts';
import { requireHosting } from '../hosting.ts';
import { usesOf } from './actions.ts';
import { withDigest } from './digest.ts';
import { credentialSeconds, type RoleKind, roleName } from './job-roles.ts';
import { CHECKOUT, credentials, expression, NODE_JS, RUNNER, SHELL, script } from './steps.ts';
import { FOLLOW_SECONDS, jobsOfWave, requireWorkflowFits } from './workflow-limits.ts';
import { workflowYaml } from './yaml.ts';

/** A workflow file, as it is to be in the component's repository. */
export interface Workflow {
  readonly component: string;
  /** In the repository. It names the component: a repository may hold several. */
  readonly path: string;
  readonly text: string;
}

/** No step has a line below in its name. */
const FAREWELL = 'farewell_';
/** What the run is called as the driver of its rollout: another attempt at it is another driver. */
const RUN = `run ${expression('github.run_id')}.${expression('github.run_attempt')} on GitHub`;
/** As long as credentials last. */
const JOB_MINUTES = 60;
/** What goes with a wave may take longer. Following it ends by itself before that; steps in its cells call AWS only as they begin. */
const FOLLOW_MINUTES = FOLLOW_SECONDS / 60 + 20;

/** Where the build packs what it hands to the jobs after it, and the artifact that brings it there. */
const PACKED = `${expression('runner.temp')}/packed`;
const ARTIFACT = 'build';

/** What reviewers are given to in the settings of the repository. */
const environmentName = (component: string, approval: string): string => `${component}-${approval}`;

/**
 * The workflow of a pipeline. Nothing is written.
 * @throws FactoryError `NOT_INITIALIZED`, `PIPELINE_TOO_LARGE`, `REPOSITORY_UNSUPPORTED`
 */
export function renderWorkflow(plan: Plan, pipeline: Pipeline): Workflow {
  const initialized = requireInitialized(plan);
  if (pipeline.engine === 'github-actions') requireHosting(plan, pipeline.component);
  const { name, repository } = pipeline.component;
  const paths = stepsOf(pipeline).flatMap((step) => (step.kind === 'source' ? step.paths : []));
  const jobs = jobsOf(initialized, pipeline);
  const yaml = workflowYaml({
    comment: [
      `Written by cell-factory ${packageVersion()} for component ${name}: what is changed here by hand is lost.`,
      `To change it, change registry/components/${name}.ts, or the policy in registry/organization.ts, and run`,
      '`cellctl pipelines render`.',
    ],
    name: `deliver ${name}`,
    triggers: { push: { branches: [repository.branch], ...(paths.length === 0 ? {} : { paths }) }, workflowDispatch: {} },
    // One runs and one waits: a newer commit takes the place of the one that waits.
    concurrency: { group: `deliver-${name}`, cancelInProgress: false },
    env: { COMPONENT: name, CELL_FACTORY_ORGANIZATION: `s3://${initialized.registryBucket}`, CELL_FACTORY_DRIVER: RUN },
    jobs,
  });
  const text = withDigest(yaml);
  requireWorkflowFits({ pipeline, text, jobs: jobs.size });
  return { component: name, path: `.github/workflows/deliver-${name}.yml`, text };
}

/** All jobs by their ids, each after all that it needs. */
function jobsOf(plan: InitializedPlan, pipeline: Pipeline): ReadonlyMap<string, Job> {
  const steps = stepsOf(pipeline);
  const needs = needsOf(pipeline);
  const leftBy = new Map(steps.flatMap((step) => (shellOf(step)?.leaves ?? []).map((name) => [name, step.name] as const)));
  const jobs = new Map<string, Job>();
  /** The job that a step ends with. */
  const lastOf = new Map<string, string>();
  for (const step of steps) {
    let before = (needs.get(step.name) ?? []).flatMap((name) => lastOf.get(name) ?? []);
    for (const [id, { takes, ...job }] of linksOf(plan, pipeline, step)) {
      // Outputs can be asked for of those jobs only that are needed by name.
      const needed = [...new Set([...before, ...takes.flatMap((name) => leftBy.get(name) ?? [])])];
      const env = Object.fromEntries(takes.map((name) => [name, expression(`needs.${leftBy.get(name)}.outputs.${name}`)]));
      jobs.set(id, { ...job, ...(needed.length === 0 ? {} : { needs: needed }), ...(takes.length === 0 ? {} : { env }) });
      before = [id];
      lastOf.set(step.name, id);
    }
  }
  const start = steps.find(({ kind }) => kind === 'start');
  const after = [...jobs.keys()].slice(start ? [...jobs.keys()].indexOf(start.name) : 0);
  if (start) jobs.set(FAREWELL, farewell(plan, pipeline, start.name, after));
  return jobs;
}

/** The last job: where one has failed, or somebody has cancelled the run, the rollout hears that nobody takes it on any more. */
function farewell(plan: InitializedPlan, { component: { name } }: Pipeline, start: string, after: readonly string[]): Job {
  return {
    name: 'farewell',
    // A rollout that has begun nothing yet has nothing to be told.
    if: `(failure() || cancelled()) && needs.${start}.outputs.ROLLOUT != ''`,
    needs: [...after],
    env: { ROLLOUT: expression(`needs.${start}.outputs.ROLLOUT`) },
    runsOn: RUNNER,
    permissions: { idToken: JobPermission.WRITE },
    timeoutMinutes: JOB_MINUTES,
    defaults: { run: { shell: SHELL } },
    steps: [
      ...FACTORY,
      credentials(plan, roleName(name, 'follow'), credentialSeconds('hook')),
      script('Leave the rollout', ['"$CELL_FACTORY/bin/cellctl" rollout leave "$ROLLOUT"']),
    ],
  };
}

/** A job that does not know yet what comes before it. */
type Link = Omit<Job, 'needs' | 'env'> & { readonly takes: readonly PipelineVariable[] };

/** The jobs of a step by their ids, one after the other. The commit is what makes the workflow run, and no job. */
function linksOf(plan: InitializedPlan, pipeline: Pipeline, step: Step): readonly (readonly [id: string, job: Link])[] {
  if (step.kind === 'approval') return [[step.name, gate(environmentName(pipeline.component.name, step.name))]];
  const count = step.kind === 'wave' ? jobsOfWave(step.wave.longestSeconds) : 1;
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((number) => {
    const shell = shellOf(step, number < count ? FOLLOW_SECONDS : undefined);
    if (!shell) return [];
    // No step has a line below in its name: none is called as the second job of another.
    const id = number === 1 ? step.name : `${step.name}_${number}`;
    const name = `${step.kind === 'wave' ? `wave ${step.wave.number}: ` : ''}${step.name}${count === 1 ? '' : ` (${number} of ${count})`}`;
    return [[id, { ...work(plan, pipeline, step, shell), name }] as const];
  });
}

/** Begins when a reviewer lets it: that is what environments of GitHub do. It has no credentials. */
const gate = (environment: string): Link => ({
  name: `${environment}: somebody must agree`,
  runsOn: RUNNER,
  environment,
  permissions: { actions: JobPermission.READ },
  timeoutMinutes: JOB_MINUTES,
  defaults: { run: { shell: SHELL } },
  takes: [],
  steps: [
    // GitHub makes an environment that is not there, and asks nobody.
    script(
      'Somebody was asked',
      [
        `asked="$(gh api "repos/$GITHUB_REPOSITORY/environments/$ENVIRONMENT" --jq 'any(.protection_rules[]; .type == "required_reviewers")')"`,
        'if [ "$asked" != true ]; then',
        '  echo "::error::environment $ENVIRONMENT has no required reviewers, so nobody was asked: add some in the settings of the repository"',
        '  exit 1',
        'fi',
      ],
      { env: { ENVIRONMENT: environment, GH_TOKEN: expression('github.token') } },
    ),
  ],
});

/** A job that runs the shell of a step. */
function work(plan: InitializedPlan, { component }: Pipeline, step: Step, shell: StepShell): Omit<Link, 'name'> {
  const { name, repository } = component;
  const inRepository = step.kind === 'build' || step.kind === 'publish' || step.kind === 'hook';
  const afterBuild = step.kind === 'publish' || (step.kind === 'hook' && step.wave === undefined);
  const role = roleOf(step);
  const folder = inRepository && repository.path !== '.' ? { workingDirectory: repository.path } : {};
  return {
    // Somebody may run it by hand on any branch.
    ...(step.kind === 'build' ? { if: `github.ref == 'refs/heads/${repository.branch}'` } : {}),
    runsOn: RUNNER,
    permissions: {
      ...(inRepository ? { contents: JobPermission.READ } : {}),
      ...(role ? { idToken: JobPermission.WRITE } : {}),
    },
    timeoutMinutes: step.kind === 'wave' || (step.kind === 'hook' && step.wave !== undefined) ? FOLLOW_MINUTES : JOB_MINUTES,
    defaults: { run: { shell: SHELL, ...folder } },
    ...(shell.leaves.length === 0
      ? {}
      : { outputs: Object.fromEntries(shell.leaves.map((variable) => [variable, expression(`steps.run.outputs.${variable}`)])) }),
    takes: shell.takes,
    steps: [
      ...(inRepository ? [CHECKOUT] : []),
      ...FACTORY,
      ...(role ? [credentials(plan, roleName(name, role), credentialSeconds(role))] : []),
      ...(afterBuild ? UNPACK : []),
      { ...script(step.name, [...shell.lines, ...shell.leaves.map(leave)]), ...(shell.leaves.length === 0 ? {} : { id: 'run' }) },
      ...(step.kind === 'build' ? PACK : []),
      ...(step.kind === 'wave' ? [SUMMARY] : []),
    ],
  };
}

/** What a step calls AWS for, if it does. */
function roleOf(step: Step): RoleKind | undefined {
  switch (step.kind) {
    case 'publish':
    case 'start':
      return step.kind;
    case 'wave':
      return 'follow';
    case 'hook':
      return step.wave === undefined ? undefined : 'hook';
    default:
      return undefined;
  }
}

/** Has the jobs after this one find a variable. */
const leave = (variable: PipelineVariable): string => `echo "${variable}=$${variable}" >> "$GITHUB_OUTPUT"`;

const FACTORY: readonly JobStep[] = [
  NODE_JS,
  // Where the organization keeps it, only the organization can say: by its bare name, npm would take whatever the public
  // registry has under it, and run that with the job's role.
  script(
    'The cell factory',
    [
      `if [ -z "$FACTORY" ]; then`,
      `  echo "::error::variable CELL_FACTORY_PACKAGE is not set: let it say where cell-factory ${packageVersion()} is, such as npm:@your-scope/cell-factory@${packageVersion()}"`,
      '  exit 1',
      'fi',
      'npm install --global --prefix "$RUNNER_TEMP/factory" --ignore-scripts --no-audit --no-fund "cell-factory@$FACTORY"',
      'echo "CELL_FACTORY=$RUNNER_TEMP/factory/lib/node_modules/cell-factory" >> "$GITHUB_ENV"',
    ],
    { env: { FACTORY: expression('vars.CELL_FACTORY_PACKAGE') } },
  ),
];

const PACK: readonly JobStep[] = [
  script('Pack', HANDOVER.pack, { env: { HANDOVER: PACKED } }),
  {
    name: 'Hand over',
    uses: usesOf('upload'),
    with: { name: ARTIFACT, path: PACKED, 'include-hidden-files': true, 'if-no-files-found': 'error', 'retention-days': 7 },
  },
];

const UNPACK: readonly JobStep[] = [
  { name: 'Take over', uses: usesOf('download'), with: { name: ARTIFACT, path: PACKED } },
  script('Unpack', HANDOVER.unpack, { env: { HANDOVER: PACKED } }),
];

/** How the rollout is, on the page of the run; also of one that has failed. */
const SUMMARY = script('Summary', ['"$CELL_FACTORY/bin/cellctl" rollout status "$ROLLOUT" --markdown >> "$GITHUB_STEP_SUMMARY"'], {
  if: 'always()',
});
