import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { InitializedPlan } from '../../plan/plan.ts';
import type { DrillWorld, Judgement } from '../../rollout/drill-during.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { duration } from '../numbers.ts';

interface AlarmOptions {
  readonly cell: string;
  readonly alarm?: string;
  readonly for: string;
  readonly during?: string;
  readonly wait: string;
  readonly iMeanIt?: boolean;
}

/** Seconds that a rollout has to see an alarm: three of the longest gaps between two looks. */
const JUDGE_SECONDS = 900;

async function drillAlarm(context: Context, options: AlarmOptions): Promise<number> {
  const seconds = await duration(options.for, '--for', '1h');
  const wait = await duration(options.wait, '--wait', '7d');
  const [{ requireAccounts, selectCells }, drills, { FactoryError }] = await Promise.all([
    import('../../plan/plan.ts'),
    import('../../plan/drills.ts'),
    import('../../registry/index.ts'),
  ]);
  const [cell] = selectCells(await context.plan(), [options.cell]);
  if (!cell) throw new FactoryError('USAGE', '--cell is empty', { fix: 'name a cell' });
  const alarm = drills.drillAlarm(cell, options.alarm);
  drills.refuseDrill(cell, { reachesCustomers: context.reachesCustomers, meant: options.iMeanIt === true });
  const [vended] = requireAccounts([cell]);
  if (!vended) return 2;
  const { plan, session, partition } = await context.tooling();
  // The definition says which cell serves customers: it must be the one that was built.
  const store = await context.store(plan, session);
  await store.refuseMoved([vended]);
  const { AlarmDrill } = await import('../../rollout/drill.ts');
  const drill = new AlarmDrill(session, partition, vended, alarm, context.who);
  const during = options.during === undefined ? undefined : await duringRollout(context, plan, session, cell.name, options.during);
  await during?.untilBaking(wait);
  context.whenStopped(`${alarm} is set back to OK`, () => drill.calm());
  const raisedAt = new Date();
  let judgement: Judgement | undefined;
  try {
    await drill.raise();
    context.output.note(`${pc.red('ALARM')} ${alarm}, ${during ? `until ${during.id} has seen it` : `for ${seconds} s`}`);
    if (during) judgement = await during.untilJudged(JUDGE_SECONDS);
    else await sleep(seconds * 1_000);
  } finally {
    await drill.calm();
  }
  const calmedAt = new Date();
  const lasted = during ? Math.round((calmedAt.getTime() - raisedAt.getTime()) / 1_000) : seconds;
  const times = { raisedAt: raisedAt.toISOString(), calmedAt: calmedAt.toISOString() };
  context.output.result({ cell: cell.name, alarm, seconds: lasted, ...times, ...(judgement ? { judgement } : {}) }, () => {
    context.output.line(`${alarm} of ${pc.bold(cell.name)} was in ALARM for ${lasted} s from ${times.raisedAt} on, and is set back to OK`);
    if (judgement) context.output.line(`${judgement.rollout} rolls wave ${judgement.wave} back; ${judgement.sentence}`);
  });
  return 0;
}

/** What the drill waits for in a rollout. */
async function duringRollout(context: Context, plan: InitializedPlan, session: Session, cell: string, name: string) {
  const [client, { drilledWave, untilBaking, untilJudged }] = await Promise.all([
    context.rollouts(plan, session),
    import('../../rollout/drill-during.ts'),
  ]);
  const { output } = context;
  const id = await client.resolve(name);
  const world: DrillWorld = {
    look: () => client.view(id),
    cell,
    now: Date.now,
    sleep,
    say: (sentence) => output.note(sentence),
  };
  const view = await world.look();
  const wave = drilledWave(view, cell);
  if (view.plan.drill !== cell)
    output.note(`${id} was started without --drill ${cell}: wave ${wave.number} may pass before the alarm is set`);
  return {
    id,
    untilBaking: (seconds: number) => untilBaking(world, seconds),
    untilJudged: (seconds: number) => untilJudged(world, seconds),
  };
}

const HELP = `
Sets the state of the alarm and nothing else: the cell is as well as it was. A rollout that bakes
there, or begins there, sees it, also after it is over. On AWS, CloudWatch may put the alarm right
before the time is up, as soon as it looks at the metric again; its history still shows it.
Ctrl-C ends the drill at once. A production cell on AWS takes --i-mean-it.

--during ties the drill to a rollout: it waits until the wave of the cell, or its --drill-wave, bakes, sets the alarm, and keeps it
until the rollout has seen it. Exits with 0 when the rollout rolls the wave back because of the cell, and with 1
when anything else happens. A rollout that was started with --drill cannot pass the wave before.

Examples:
  cellctl drill alarm --cell staging
  cellctl drill alarm --cell alpha --alarm latency --for 30s
  cellctl drill alarm --cell alpha --alarm orders-api.errors --i-mean-it --json
  cellctl rollout start orders-api --release 3.0.0 --drill alpha --yes
  cellctl drill alarm --cell alpha --during orders-api --wait 15h`;

const alarmCommand = () =>
  new Command('alarm')
    .description('make an alarm of a cell fire for a while, to see what follows; then set it back')
    .addOption(new Option('-c, --cell <name>', 'the cell').makeOptionMandatory())
    .option('--alarm <name or id>', "which alarm (default: the first of the cell's health)")
    .addOption(new Option('--for <duration>', 'how long: 10s, 5m').default('10s').conflicts('during'))
    .option('--during <id or component>', 'while the wave of the cell bakes in that rollout, and until the rollout has seen the alarm')
    .option('--wait <duration>', 'with --during: how long to wait for the bake at most', '1d')
    .option('--i-mean-it', 'also in a production cell that serves customers')
    .addHelpText('after', HELP)
    .action(action(drillAlarm));

export const drillCommand = () =>
  new Command('drill').description('break something on purpose, and see what follows').addCommand(alarmCommand());
