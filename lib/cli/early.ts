/** What `rollout start` would refuse, asked as soon as it can be answered. */
import type { ArtifactManifest } from '../artifact/artifacts.ts';
import type { Session } from '../aws/session.ts';
import type { Plan } from '../plan/plan.ts';
import type { Problem } from '../registry/index.ts';
import type { RolloutClient } from '../rollout/client.ts';
import type { Context } from './context.ts';
import type { Reviewer } from './foundation-review.ts';

/**
 * What would keep rollouts from starting, as far as the definitions show it.
 * @throws FactoryError `REGISTRY_INVALID` where no rollout with this policy could ever start
 */
export async function rolloutWarnings(context: Context): Promise<readonly Problem[]> {
  const [{ checkRollouts }, { invalid }] = await Promise.all([import('../rollout/start-checks.ts'), import('../registry/validate.ts')]);
  const { problems, warnings } = checkRollouts(await context.plan(), new Date());
  if (problems.length > 0) throw invalid(problems, context.organization);
  return warnings;
}

/** What was found before a rollout starts. */
export interface Found {
  /** They keep it from starting. */
  readonly problems: readonly Problem[];
  /** It may start, and may not get to its end. */
  readonly warnings: readonly Problem[];
}

/**
 * What keeps a rollout from starting, of what only the buckets and records of tooling tell: the template of the artifact, and
 * components that must be there first.
 * @param manifest of the version. @default - the template is not looked at
 * @param reviewer who looks into cells. @default - nobody does
 */
export async function foundInTooling(
  plan: Plan,
  component: string,
  { store }: RolloutClient,
  manifest?: ArtifactManifest,
  reviewer?: Reviewer,
): Promise<Found> {
  const [{ selectComponent }, { planWaves }, { missingDependencies }] = await Promise.all([
    import('../plan/plan.ts'),
    import('../plan/waves.ts'),
    import('../rollout/dependencies.ts'),
  ]);
  const entry = selectComponent(plan, component);
  const cells = planWaves(plan, entry).waves.flatMap((wave) => wave.cells.map(({ name }) => name));
  const deployments = { ids: store.history.bind(store), cells: store.cells.bind(store) };
  const [missing, unfit, reviewed] = await Promise.all([
    missingDependencies(entry, plan.components, cells, deployments),
    manifest === undefined ? [] : unfitTemplate(plan, component, store.objects, manifest),
    reviewVersion(plan, cells, store.objects, manifest, reviewer),
  ]);
  const lacksValue = ({ code }: Problem) => code === 'TEMPLATE_VALUE';
  return {
    problems: [...missing, ...unfit.filter(lacksValue), ...reviewed.problems],
    warnings: [...unfit.filter((problem) => !lacksValue(problem)), ...reviewed.warnings],
  };
}

/** What a version of foundations would lose in cells; of any other component, its own change set tells. */
async function reviewVersion(
  plan: Plan,
  cells: readonly string[],
  objects: RolloutClient['store']['objects'],
  manifest: ArtifactManifest | undefined,
  reviewer: Reviewer | undefined,
): Promise<Found> {
  if (manifest?.kind !== 'foundation' || !reviewer) return { problems: [], warnings: [] };
  const [{ reviewFoundations }, { readFileChecked }] = await Promise.all([
    import('./foundation-review.ts'),
    import('../artifact/artifacts.ts'),
  ]);
  const { template, files } = manifest;
  const version = { template, has: (file: string) => file in files, read: (file: string) => readFileChecked(objects, manifest, file) };
  return reviewFoundations(plan, cells, version, reviewer);
}

/** Checks whose answer may have changed since a version was published: they go by the registry. */
const BY_REGISTRY = ['TEMPLATE_VALUE', 'TEMPLATE_REQUESTS'];

/** What is wrong with a published template by what the registry says today. The rest was said when it was published. */
async function unfitTemplate(
  plan: Plan,
  component: string,
  objects: RolloutClient['store']['objects'],
  manifest: ArtifactManifest,
): Promise<readonly Problem[]> {
  if (manifest.kind !== 'cloudformation') return [];
  const [{ readFileChecked }, { templateProblems }, { templateNeeds }, { selectComponent }] = await Promise.all([
    import('../artifact/artifacts.ts'),
    import('../artifact/template-check.ts'),
    import('../plan/bake-requests.ts'),
    import('../plan/plan.ts'),
  ]);
  const text = await readFileChecked(objects, manifest, manifest.template);
  const content = { ...manifest, files: new Map([[manifest.template, text]]) };
  const problems = templateProblems(content, templateNeeds(plan, selectComponent(plan, component)));
  return problems.filter(({ code }) => BY_REGISTRY.includes(code));
}

/**
 * The plan, with waves no wider than the operator can serve, and a word about it. What can't be read bounds nothing: whoever
 * may start a rollout need not be allowed to look at quotas.
 */
export async function servedPlan({ output }: Context, plan: Plan, session: Session): Promise<Plan> {
  const [{ CALLS, withinCalls }, { readQuota }, { messageOf }] = await Promise.all([
    import('../plan/quotas.ts'),
    import('../aws/quotas.ts'),
    import('../registry/index.ts'),
  ]);
  let calls: number | undefined;
  try {
    calls = await readQuota(session, CALLS);
  } catch (error) {
    output.note(
      `how many functions may run at once in tooling can't be read, so waves are as wide as the policy says: ${messageOf(error)}`,
    );
  }
  if (calls === undefined) return plan;
  const served = withinCalls(plan, calls);
  if (plan.cells.length > served.rollout.concurrency && served !== plan) {
    const { concurrency, rollbackConcurrency } = served.rollout;
    output.note(
      `tooling may run ${calls} functions at once: a wave deploys ${concurrency} at once of the policy's ${plan.rollout.concurrency}, and rolls ${rollbackConcurrency} back of ${plan.rollout.rollbackConcurrency}; \`cellctl init\` asks AWS for more`,
    );
  }
  return served;
}
