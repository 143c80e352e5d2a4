/** What people ask of a rollout that is under way. Each writes down who asks, when and why; the machines act. */
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { Ask } from '../../rollout/asking.ts';
import type { Asker, RolloutClient } from '../../rollout/client.ts';
import type { RolloutView } from '../../rollout/rollout-lookup.ts';
import type { RolloutRecord } from '../../rollout/rollout-record.ts';
import { action } from '../action.ts';
import { confirmed, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { newestRollouts, openRollouts } from '../rollouts.ts';

const NAME = '<id or component>';
const NAME_HELP = 'a rollout, or a component for its newest';
const REASON = ['--reason <text>', 'why, for the record'] as const;

interface ReasonOption {
  readonly reason?: string;
}

interface WaveOptions extends ReasonOption {
  readonly wave?: string;
}

/** What is asked for, and how. `wave` is what the answer speaks of. */
interface Asked {
  readonly wave?: number | undefined;
  readonly send: (client: RolloutClient, id: string, asker: Asker) => Promise<RolloutRecord>;
}

/** Finds the rollout, asks, and says what follows. */
async function ask(
  context: Context,
  kind: Ask,
  name: string,
  { reason }: ReasonOption,
  prepare: (view: RolloutView) => Promise<Asked | undefined>,
): Promise<number> {
  const { client } = await openRollouts(context);
  const view = await client.view(await client.resolve(name));
  const { id } = view.record;
  const asked = await prepare(view);
  if (!asked) {
    context.output.note('nothing was asked for');
    return 1;
  }
  const { followingOf } = await import('../../rollout/asking.ts');
  const record = await asked.send(client, id, { by: context.who, reason });
  const next = followingOf(kind, view, asked.wave);
  context.output.result({ asked: kind, wave: asked.wave, next, rollout: record }, () =>
    context.output.line(`${pc.green(kind)} ${pc.bold(id)}: ${next}`),
  );
  return 0;
}

/** A request that is about the rollout as a whole. */
const whole = (kind: 'pause' | 'stop' | 'resume' | 'continue', description: string, help: string) =>
  new Command(kind)
    .description(description)
    .argument(NAME, NAME_HELP)
    .option(...REASON)
    .addHelpText(
      'after',
      `\n${help}\n\nExamples:\n  cellctl rollout ${kind} orders-api\n  cellctl rollout ${kind} orders-api-7 --reason "all hands" --json`,
    )
    .action(
      action(async (context, name: string, options: ReasonOption) =>
        ask(context, kind, name, options, async () => ({ send: (client, id, asker) => client[kind](id, asker) })),
      ),
    );

const numberOf = async (wave: string | undefined): Promise<number | undefined> =>
  wave === undefined ? undefined : wholeNumber(wave, '--wave', { min: 0 });

const approveCommand = () =>
  new Command('approve')
    .description('let a wave begin that waits for somebody to agree')
    .argument(NAME, NAME_HELP)
    .option('--wave <number>', 'number of the wave (default: the next that needs it)')
    .option(...REASON)
    .addHelpText(
      'after',
      '\nA wave with `approval: true` in the policy begins once somebody has approved it; before its turn, too.' +
        '\n\nExamples:\n  cellctl rollout approve orders-api\n  cellctl rollout approve orders-api --wave 3 --reason "release board"',
    )
    .action(
      action(async (context, name: string, options: WaveOptions) => {
        const number = await numberOf(options.wave);
        return ask(context, 'approve', name, options, async (view) => {
          const { waveToApprove } = await import('../../rollout/asking.ts');
          const wave = waveToApprove(view, number);
          return { wave, send: (client, id, asker) => client.approve(id, wave, asker) };
        });
      }),
    );

/** @throws FactoryError `USAGE` for a reason without a word */
async function requireReason({ reason = '' }: ReasonOption, what: string): Promise<void> {
  if (reason.trim() !== '') return;
  const { FactoryError } = await import('../../registry/index.ts');
  throw new FactoryError('USAGE', '--reason is empty', { fix: `say why ${what}: it is part of the record` });
}

interface SkipCellOptions extends ReasonOption {
  readonly rollout?: string;
}

/** The rollout that a cell is to be left out of, when none was named: the only one that is not done and has the cell. */
async function rolloutOf(context: Context, cell: string): Promise<string> {
  const opened = await openRollouts(context);
  const open = (await newestRollouts(context, opened)).filter(({ status }) => status !== 'succeeded');
  const views = await Promise.all(open.map(({ id }) => opened.client.view(id)));
  const having = views.filter(({ plan }) => plan.waves.some(({ cells }) => cells.includes(cell))).map(({ plan }) => plan.id);
  const [first] = having;
  if (first !== undefined && having.length === 1) return first;
  const { FactoryError } = await import('../../registry/index.ts');
  const fix =
    first === undefined ? 'see `cellctl rollout status`, and pass one with --rollout' : `pass one with --rollout: ${having.join(', ')}`;
  throw new FactoryError('USAGE', `${having.length === 0 ? 'no' : having.length} rollouts that are not done have ${cell} in a wave`, {
    fix,
  });
}

const skipCellCommand = () =>
  new Command('skip-cell')
    .description('leave a cell out of a rollout, for one that is sick or in the way')
    .argument('<cell>', 'name of the cell')
    .addOption(new Option('--reason <text>', 'why, for the record').makeOptionMandatory())
    .option('--rollout <id or component>', 'the rollout (default: the only one that is not done and has the cell)')
    .addHelpText(
      'after',
      '\nThe cell keeps what it runs: its wave does not wait for it, and its alarms hold nothing. A cell that has the version' +
        '\nalready can not be skipped. For a rollout that was stopped because of the cell: skip it, then `cellctl rollout resume`.' +
        '\n\nExamples:\n  cellctl rollout skip-cell alpha --reason "INC-42: its database is full"' +
        '\n  cellctl rollout skip-cell alpha --rollout orders-api-7 --reason INC-42 --json',
    )
    .action(
      action(async (context, cell: string, options: SkipCellOptions) => {
        await requireReason(options, `${cell} is skipped`);
        const name = options.rollout ?? (await rolloutOf(context, cell));
        return ask(context, 'skip-cell', name, options, async () => ({ send: (client, id, asker) => client.skipCell(id, cell, asker) }));
      }),
    );

const skipBakeCommand = () =>
  new Command('skip-bake')
    .description("let a wave's bake pass before its time")
    .argument(NAME, NAME_HELP)
    .addOption(new Option('--reason <text>', 'why, for the record').makeOptionMandatory())
    .option('--wave <number>', 'number of the wave (default: the one that bakes now)')
    .addHelpText(
      'after',
      '\nFor a fix that is more urgent than its proof. An alarm that fires before the next look still rolls the wave back.' +
        '\n\nExamples:\n  cellctl rollout skip-bake orders-api --reason "hotfix for INC-42"\n  cellctl rollout skip-bake orders-api --wave 2 --reason "hotfix for INC-42"',
    )
    .action(
      action(async (context, name: string, options: WaveOptions) => {
        const number = await numberOf(options.wave);
        await requireReason(options, 'the bake is skipped');
        return ask(context, 'skip-bake', name, options, async (view) => {
          const { waveToSkip } = await import('../../rollout/asking.ts');
          const wave = waveToSkip(view, number);
          return { wave, send: (client, id, asker) => client.skipBake(id, wave, asker) };
        });
      }),
    );

interface RollbackOptions extends ReasonOption {
  readonly all?: boolean;
  readonly waveOnly?: boolean;
  readonly yes?: boolean;
}

const rollbackCommand = () =>
  new Command('rollback')
    .description('roll back what a rollout has changed, also one that has succeeded')
    .argument(NAME, NAME_HELP)
    .option('--all', 'in every cell (the default)')
    .option('--wave-only', 'in its last wave only')
    .option(...REASON)
    .addOption(yesOption())
    .addHelpText(
      'after',
      '\nEach cell gets the version that it ran before, several cells at a time; what can’t be rolled back is named.' +
        '\n\nExamples:\n  cellctl rollout rollback orders-api --reason "INC-42"\n  cellctl rollout rollback orders-api-7 --wave-only --yes --json',
    )
    .action(
      action(async (context, name: string, options: RollbackOptions) => {
        if (options.all === true && options.waveOnly === true) {
          const { FactoryError } = await import('../../registry/index.ts');
          throw new FactoryError('USAGE', '--all and --wave-only together', { fix: 'pass one of them: they differ in how far it goes' });
        }
        const scope = options.waveOnly === true ? 'wave' : 'all';
        return ask(context, 'rollback', name, options, async ({ record, waves }) => {
          const { id, component, version } = record;
          const question = {
            question: `This rolls back to what ran before ${pc.bold(`${component} ${version}`)} in ${scope === 'all' ? 'every cell' : 'the cells of its last wave'}. Type ${id}`,
            answer: id,
            command: `cellctl rollout rollback ${id}`,
          };
          if (options.yes !== true && !(await confirmed(question))) return undefined;
          const last = scope === 'wave' ? waves.findLast(({ attempts }) => attempts > 0)?.number : undefined;
          return { wave: last, send: (client, rollout, asker) => client.rollback(rollout, scope, asker) };
        });
      }),
    );

export const controlCommands = () => [
  whole('pause', 'have nothing more begin; a bake goes on to its end', 'Locks are kept: no other rollout of the component can begin.'),
  whole(
    'resume',
    'have a rollout go on that was paused or stopped, was rolled back, or has died',
    'Cells that run the version already stay as they are.',
  ),
  whole(
    'continue',
    'decide that a rollout goes on which waits for a decision: its sick cells are not the fault of the version',
    'The other decision is `cellctl rollout rollback`. `cellctl rollout status` shows the verdict, and its numbers.',
  ),
  whole('stop', 'end a rollout where it is: cells keep what they run', 'To roll back what it changed, `cellctl rollout rollback` instead.'),
  rollbackCommand(),
  approveCommand(),
  skipBakeCommand(),
  skipCellCommand(),
];
