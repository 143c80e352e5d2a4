/** What a pipeline does with a rollout: takes it on, wave by wave, and says so when it leaves it. */
import { Command, Option } from 'commander';
import { environment } from '../../environment.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { follow } from '../follow.ts';
import { duration, wholeNumber } from '../numbers.ts';
import { openRollouts } from '../rollouts.ts';

/** Who drives: the run of a pipeline, as it calls itself, or whoever calls us. */
const driverOf = (context: Context): string => environment.driver ?? context.who;

interface StageOptions {
  readonly wave: string;
  readonly approved?: boolean;
  readonly last?: boolean;
  readonly for?: string;
}

async function runStage(context: Context, id: string, options: StageOptions): Promise<number> {
  const through = await wholeNumber(options.wave, '--wave', { min: 0, max: 1_000 });
  const limit = options.for === undefined ? Number.POSITIVE_INFINITY : await duration(options.for, '--for', '7d');
  const [{ client }, { JOBS_SILENCE, SIGN_SECONDS }] = await Promise.all([openRollouts(context), import('../../rollout/drivers.ts')]);
  const stage = { through, approved: options.approved === true, last: options.last === true };
  let signed = 0;
  const sign = async () => {
    if (Date.now() - signed < SIGN_SECONDS * 1_000) return;
    signed = Date.now();
    await client.sign(id, { by: driverOf(context), within: JOBS_SILENCE });
  };
  await sign();
  const started = await client.runStage(id, stage);
  return follow(context, client, id, { ...stage, started, until: Date.now() + limit * 1_000, sign });
}

export const stageCommand = () =>
  new Command('stage')
    .description("take a rollout through one wave, and follow it: what a pipeline's stage does")
    .argument('<id>', 'a rollout that `cellctl rollout start --queue` has written down')
    .addOption(new Option('-w, --wave <number>', 'the wave to go to; 0 is staging').makeOptionMandatory())
    .option('--approved', 'somebody has agreed to the wave, in the pipeline')
    .option('--last', 'the last of the pipeline: on to the last wave of the rollout, which may have more than the pipeline knows')
    .option('--for <duration>', 'end well after that, though the wave goes on: call it again to follow on, e.g. 5h')
    .addHelpText(
      'after',
      '\nWaits for its turn behind another rollout of the component; when a newer one is queued meanwhile, that goes instead.' +
        '\nCalled again, it follows what is under way, and ends at once when the wave has passed: a stage can be tried again.' +
        '\nEnds with 0 when the wave has passed, and with 1 when the rollout was stopped, rolled back or paused.' +
        '\n\nExamples:\n  cellctl rollout stage orders-api-7 --wave 0\n  cellctl rollout stage orders-api-7 --wave 3 --approved --for 5h',
    )
    .action(action(runStage));

async function leave(context: Context, id: string, { because }: { because?: string }): Promise<number> {
  const { client } = await openRollouts(context);
  const by = driverOf(context);
  const left = await client.leave(id, by, because ?? `${by} has failed or was cancelled`);
  const { status } = await client.store.requireRecord(id);
  context.output.result({ rollout: id, left, status }, () =>
    context.output.line(
      left
        ? `left ${id}: it stops or is rolled back, as the policy's onPipelineFailure says; the same version takes it on again`
        : `${id} is ${status}, or somebody else drives it: nothing was done`,
    ),
  );
  return 0;
}

export const leaveCommand = () =>
  new Command('leave')
    .description('say that the pipeline which drives a rollout has failed or was cancelled: it stops, or is rolled back, by the policy')
    .argument('<id>', 'the rollout that the pipeline has taken on (`cellctl rollout stage`)')
    .option('--because <text>', 'why, for the record')
    .addHelpText(
      'after',
      '\nWhat the last job of a workflow does. Whoever drives it by now is left alone: a rollout is left by who drove it last' +
        '\n(CELL_FACTORY_DRIVER). A pipeline that is run again for the same version takes its rollout on where it stood.' +
        '\n\nExamples:\n  cellctl rollout leave orders-api-7\n  cellctl rollout leave orders-api-7 --because "job integration failed"',
    )
    .action(action(leave));
