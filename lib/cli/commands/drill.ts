import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { duration } from '../numbers.ts';

interface AlarmOptions {
  readonly cell: string;
  readonly alarm?: string;
  readonly for: string;
  readonly iMeanIt?: boolean;
}

async function drillAlarm(context: Context, options: AlarmOptions): Promise<number> {
  const seconds = await duration(options.for, '--for', '1h');
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
  context.whenStopped(`${alarm} is set back to OK`, () => drill.calm());
  const raisedAt = new Date().toISOString();
  await drill.raise();
  context.output.note(`${pc.red('ALARM')} ${alarm}, for ${seconds} s`);
  try {
    await sleep(seconds * 1_000);
  } finally {
    await drill.calm();
  }
  context.output.result({ cell: cell.name, alarm, seconds, raisedAt, calmedAt: new Date().toISOString() }, () => {
    context.output.line(`${alarm} of ${pc.bold(cell.name)} was in ALARM for ${seconds} s from ${raisedAt} on, and is set back to OK`);
  });
  return 0;
}

const HELP = `
Sets the state of the alarm and nothing else: the cell is as well as it was. A rollout that bakes
there, or begins there, sees it, also after it is over. On AWS, CloudWatch may put the alarm right
before the time is up, as soon as it looks at the metric again; its history still shows it.
Ctrl-C ends the drill at once. A production cell on AWS takes --i-mean-it.

Examples:
  cellctl drill alarm --cell staging
  cellctl drill alarm --cell alpha --alarm latency --for 30s
  cellctl drill alarm --cell alpha --alarm orders-api.errors --i-mean-it --json`;

const alarmCommand = () =>
  new Command('alarm')
    .description('make an alarm of a cell fire for a while, to see what follows; then set it back')
    .addOption(new Option('-c, --cell <name>', 'the cell').makeOptionMandatory())
    .option('--alarm <name or id>', "which alarm (default: the first of the cell's health)")
    .option('--for <duration>', 'how long: 10s, 5m', '10s')
    .option('--i-mean-it', 'also in a production cell that serves customers')
    .addHelpText('after', HELP)
    .action(action(drillAlarm));

export const drillCommand = () =>
  new Command('drill').description('break something on purpose, and see what follows').addCommand(alarmCommand());
