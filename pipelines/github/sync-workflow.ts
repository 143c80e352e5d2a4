/** The pipeline of pipelines as a workflow of GitHub Actions, in the factory's own repository. */
import { JobPermission } from 'cdk-pipelines-github';
import { packageVersion } from '../../lib/package-root.ts';
import { ownComponent } from '../../lib/plan/pipeline-stacks.ts';
import { type Plan, requireInitialized } from '../../lib/plan/plan.ts';
import { syncLines } from '../commands.ts';
import { withDigest } from './digest.ts';
import { SYNC_ROLE, SYNC_SECONDS } from './job-roles.ts';
import { CHECKOUT, credentials, NODE_JS, RUNNER, SHELL, script } from './steps.ts';
import type { Workflow } from './workflow.ts';
import { workflowYaml } from './yaml.ts';

/** GitHub ends a job after six hours. A pipeline that is busy for longer is changed by a later run. */
const MINUTES = 350;
/** Shorter than that, so that a run ends by saying what it waits for. */
const PATIENCE = '5h';
/** No event of AWS reaches GitHub: a new revision is seen within the hour. Not on the hour, when everybody's workflows run. */
const HOURLY = '17 * * * *';

/**
 * The workflow that keeps pipelines in step with the registry; undefined where the factory's own repository is not delivered
 * by GitHub.
 * @throws FactoryError `NOT_INITIALIZED`
 */
export function renderSyncWorkflow(plan: Plan): Workflow | undefined {
  const own = ownComponent(plan, 'github-actions');
  if (!own) return undefined;
  const initialized = requireInitialized(plan);
  const yaml = workflowYaml({
    comment: [
      `Written by cell-factory ${packageVersion()}: what is changed here by hand is lost.`,
      `To change it, change registry/components/${own.name}.ts, and run \`cellctl pipelines render\`.`,
    ],
    name: 'pipelines',
    triggers: { push: { branches: [own.repository.branch] }, schedule: [{ cron: HOURLY }], workflowDispatch: {} },
    // One runs and one waits: what comes together is brought about together.
    concurrency: { group: 'pipelines', cancelInProgress: false },
    env: { CELL_FACTORY_ORGANIZATION: `s3://${initialized.registryBucket}` },
    jobs: new Map([
      [
        'sync',
        {
          name: 'bring pipelines in step with the registry',
          // Somebody may run it by hand on any branch.
          if: `github.ref == 'refs/heads/${own.repository.branch}'`,
          runsOn: RUNNER,
          permissions: { contents: JobPermission.READ, idToken: JobPermission.WRITE },
          timeoutMinutes: MINUTES,
          defaults: { run: { shell: SHELL } },
          steps: [CHECKOUT, NODE_JS, credentials(initialized, SYNC_ROLE, SYNC_SECONDS), script('sync', syncLines(true, PATIENCE))],
        },
      ],
    ]),
  });
  return { component: own.name, path: '.github/workflows/pipelines.yml', text: withDigest(yaml) };
}
