/** `cellctl rollout plan`: what a rollout would do, and what would keep it from starting. */
import { Command } from 'commander';
import type { Plan } from '../../plan/plan.ts';
import type { RolloutClient } from '../../rollout/client.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import type { Found } from '../early.ts';
import type { Reviewer } from '../foundation-review.ts';
import { timeScale } from '../numbers.ts';

interface PlanOptions {
  readonly definitions?: boolean;
  readonly release?: string;
  readonly timeScale?: string;
  readonly emergency?: boolean;
  readonly withoutStaging?: boolean;
}

interface PlanToForesee {
  readonly plan: Plan;
  readonly note?: string;
  /** Where rollouts are looked up; undefined for definitions, which nobody has published. */
  readonly client?: RolloutClient | undefined;
  /** Who looks into cells. */
  readonly reviewer?: Reviewer;
}

/** The plan that waves are computed from: as it was published, or as it stands here where there is nothing published. */
async function planToForesee(context: Context, definitions: boolean | undefined): Promise<PlanToForesee> {
  if (definitions === true || (await context.isDocument())) return { plan: await context.plan() };
  try {
    const { plan, session, partition } = await context.tooling('settings');
    const published = await context.publishedPlan(plan, session);
    if (!published) return { plan: await context.plan(), note: 'nothing was published yet: by the definitions here' };
    const { servedPlan } = await import('../early.ts');
    const client = await context.rollouts(plan, session).catch(unlessInitialized);
    return { plan: await servedPlan(context, published, session), client, reviewer: { session, partition } };
  } catch (error) {
    await unlessInitialized(error);
    return { plan: await context.plan(), note: '`cellctl init` has not been run, so nothing is published: by the definitions here' };
  }
}

/** Nothing for what is not made yet. @throws any other error */
async function unlessInitialized(error: unknown): Promise<undefined> {
  const { FactoryError } = await import('../../registry/index.ts');
  if (!(error instanceof FactoryError) || error.code !== 'NOT_INITIALIZED') throw error;
}

/** What the records and buckets of tooling tell, where there are any. */
async function found({ plan, client, reviewer }: PlanToForesee, component: string, release: string | undefined): Promise<Found> {
  if (!client) return { problems: [], warnings: [] };
  const [{ foundInTooling }, { tryReadArtifact }] = await Promise.all([import('../early.ts'), import('../../artifact/artifacts.ts')]);
  const manifest = release === undefined ? undefined : await tryReadArtifact(client.store.objects, component, release);
  return foundInTooling(plan, component, client, manifest, reviewer);
}

async function showPlan(context: Context, component: string, options: PlanOptions): Promise<number> {
  const scale = options.timeScale === undefined ? undefined : await timeScale(options.timeScale);
  const base = await planToForesee(context, options.definitions);
  const { plan: usual, note } = base;
  const [{ foreseeRollout }, { foreseenLines }, { inEmergency }] = await Promise.all([
    import('../../rollout/draft.ts'),
    import('../rollout-plan-view.ts'),
    import('../../plan/emergency.ts'),
  ]);
  const plan = options.emergency === true ? inEmergency(usual) : usual;
  const foreseen = foreseeRollout(plan, component, scale, new Date(), undefined, options.withoutStaging === true);
  const { problems, warnings } = await found({ ...base, plan }, component, options.release);
  const rollout = { ...foreseen, obstacles: [...foreseen.obstacles, ...problems] };
  const { output } = context;
  if (note !== undefined) output.note(note);
  output.warnings(warnings);
  output.result({ ...rollout, release: options.release }, () => {
    for (const line of foreseenLines(rollout, options.release)) output.line(line);
  });
  // That no cell would get it yet is how every organization begins.
  return rollout.obstacles.every(({ code }) => code === 'ROLLOUT_NO_CELL') ? 0 : 2;
}

export const TIME_SCALE = 'factor on every wait, above 0 and up to 1, in place of the policy’s: 0.01 for a rehearsal';

export const planCommand = () =>
  new Command('plan')
    .description('what a rollout would do: waves, cells, bakes, share of the traffic, when it would be done')
    .argument('<component>', 'name of the component in the registry')
    .option('-r, --release <version>', 'version that would be rolled out; where it is published, its template is looked at')
    .option('--time-scale <factor>', TIME_SCALE)
    .option('--emergency', "with the policy's waves of an emergency in place of its usual ones")
    .option('--without-staging', 'as `rollout start --without-staging` would go')
    .option('--definitions', 'by the definitions here instead of what is published, e.g. in a pull request')
    .addHelpText(
      'after',
      '\nGoes by the newest published revision, as a rollout does; nothing is started.' +
        '\nEnds with 2 where `rollout start` would refuse it, and says why.' +
        '\nTRAFFIC is the share of the customers’ traffic that runs the version after the wave.' +
        '\n\nExamples:\n  cellctl rollout plan orders-api\n  cellctl rollout plan orders-api --definitions\n  cellctl rollout plan orders-api --time-scale 0.01 --json',
    )
    .action(action(showPlan));
