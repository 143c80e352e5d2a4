/** `cellctl rollout plan`: what a rollout would do, and what would keep it from starting. */
import { Command } from 'commander';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { timeScale } from '../numbers.ts';

interface PlanOptions {
  readonly definitions?: boolean;
  readonly release?: string;
  readonly timeScale?: string;
  readonly emergency?: boolean;
}

/** The plan that waves are computed from: as it was published, or as it stands here where there is nothing published. */
async function planToForesee(context: Context, definitions: boolean | undefined) {
  if (definitions === true || (await context.isDocument())) return { plan: await context.plan(), note: undefined };
  const { FactoryError } = await import('../../registry/index.ts');
  try {
    const { plan, session } = await context.tooling('settings');
    const published = await context.publishedPlan(plan, session);
    if (published) return { plan: published, note: undefined };
    return { plan: await context.plan(), note: 'nothing was published yet: by the definitions here' };
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== 'NOT_INITIALIZED') throw error;
    return { plan: await context.plan(), note: '`cellctl init` has not been run, so nothing is published: by the definitions here' };
  }
}

async function showPlan(context: Context, component: string, options: PlanOptions): Promise<number> {
  const scale = options.timeScale === undefined ? undefined : await timeScale(options.timeScale);
  const { plan: usual, note } = await planToForesee(context, options.definitions);
  const [{ foreseeRollout }, { foreseenLines }, { inEmergency }] = await Promise.all([
    import('../../rollout/draft.ts'),
    import('../rollout-view.ts'),
    import('../../plan/emergency.ts'),
  ]);
  const plan = options.emergency === true ? inEmergency(usual) : usual;
  const rollout = foreseeRollout(plan, component, scale, new Date());
  const { output } = context;
  if (note !== undefined) output.note(note);
  output.result({ ...rollout, release: options.release }, () => {
    for (const line of foreseenLines(rollout, options.release)) output.line(line);
  });
  return 0;
}

export const TIME_SCALE = 'factor on every wait, above 0 and up to 1, in place of the policy’s: 0.01 for a rehearsal';

export const planCommand = () =>
  new Command('plan')
    .description('what a rollout would do: waves, cells, bakes, share of the traffic, when it would be done')
    .argument('<component>', 'name of the component in the registry')
    .option('-r, --release <version>', 'version that would be rolled out, for the headline')
    .option('--time-scale <factor>', TIME_SCALE)
    .option('--emergency', "with the policy's waves of an emergency in place of its usual ones")
    .option('--definitions', 'by the definitions here instead of what is published, e.g. in a pull request')
    .addHelpText(
      'after',
      '\nGoes by the newest published revision, as a rollout does; nothing is started.' +
        '\nTRAFFIC is the share of the customers’ traffic that runs the version after the wave.' +
        '\n\nExamples:\n  cellctl rollout plan orders-api\n  cellctl rollout plan orders-api --definitions\n  cellctl rollout plan orders-api --time-scale 0.01 --json',
    )
    .action(action(showPlan));
