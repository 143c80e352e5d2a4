import { Command } from 'commander';
import pc from 'picocolors';
import type { ForecastRow } from '../../accounts/forecast.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import type { Look } from '../watch.ts';

/** The accounts of the organization, with tooling credentials. */
async function open(context: Context, farewell = 'stopped: what AWS has begun goes on; run the command again to carry on') {
  const { plan, session, partition } = await context.tooling();
  const { Accounts } = await import('../../accounts/accounts.ts');
  const leases = await context.leases(plan, session, farewell);
  const run = `${context.who} (run ${context.runId})`;
  const accountsFile = await context.accountsFile();
  const pace = await context.pace();
  const accounts = new Accounts({ plan, session, partition, leases, accountsFile, run, pace, emit: context.output.emit });
  return { plan, accounts, accountsFile };
}

async function vend(context: Context, names: readonly string[]): Promise<number> {
  const { selectCells } = await import('../../plan/plan.ts');
  const { plan, accounts, accountsFile } = await open(context);
  const results = await accounts.vend(selectCells(plan, names));
  const { output } = context;
  const data = results.map(({ error, ...result }) => ({ ...result, ...(error ? { error: error.message, fix: error.fix } : {}) }));
  output.result({ accounts: data, accountsFile }, () => {
    output.table(
      ['CELL', 'ACCOUNT', 'STATE'],
      results.map(({ cell, accountId, state }) => [cell, accountId ?? '-', colourState(state)]),
    );
    output.say(`\nids are in ${accountsFile}`);
    if (results.some(({ state }) => state === 'skipped')) output.say('skipped: retiring cells get no account any more');
  });
  const failed = results.flatMap(({ error }) => error ?? []);
  for (const error of failed) output.problem(error);
  return failed.length > 0 ? 1 : 0;
}

/** Rows that most screens have. */
const SCREEN = 30;

/** The watched table. */
async function lookAt(rows: readonly ForecastRow[]): Promise<Look> {
  const [{ inWords }, { tableText }] = await Promise.all([import('../../accounts/forecast.ts'), import('../output.ts')]);
  const isOver = ({ step }: ForecastRow) => step === 'ready' || step === 'returned';
  // What fits on no screen is shown with what still moves first.
  const shown = rows.length > SCREEN ? [...rows].sort((a, b) => Number(isOver(a)) - Number(isOver(b))) : rows;
  const text = tableText(
    ['CELL', 'ACCOUNT', 'STEP', 'FOR', 'ETA', 'NOTE'],
    shown.map(({ cell, account, step, forMs, etaMs, stuck, note }) => [
      pc.bold(cell ?? '-'),
      account,
      colourState(step),
      inWords(forMs),
      etaMs === undefined ? '-' : inWords(etaMs),
      [stuck && pc.red(stuck), note].filter(Boolean).join('; '),
    ]),
  );
  const signature = JSON.stringify(rows.map(({ account, step, stuck, note }) => [account, step, stuck, note]));
  const open = rows.filter((row) => !isOver(row));
  const stuck = open.every((row) => row.stuck !== undefined);
  const facts = [{ name: 'accounts', signature, text }];
  return { draw: () => text, facts, data: { accounts: rows }, size: rows.length, done: open.length === 0, stuck };
}

async function follow(context: Context, names: readonly string[]): Promise<number> {
  const { selectCells } = await import('../../plan/plan.ts');
  const { watch } = await import('../watch.ts');
  const { plan, accounts } = await open(context, 'no longer watching');
  const cells: readonly CellPlan[] = selectCells(plan, names);
  const { done } = await watch(process.stdout, context.output.json, async () => lookAt(await accounts.snapshot(cells)));
  return done ? 0 : 1;
}

interface PoolOptions {
  readonly keep?: string;
  readonly return?: string;
}

async function showPool(context: Context): Promise<number> {
  const rows = await (await open(context)).accounts.pool();
  const { output } = context;
  output.result({ pool: rows }, () => {
    if (rows.length === 0) output.line('the pool is empty; `cellctl accounts pool --keep 2` fills it');
    else {
      output.table(
        ['ACCOUNT', 'ID', 'STATE', 'CELL', 'SINCE'],
        rows.map(({ account, accountId, state, cell, since }) => [account, accountId ?? '-', colourState(state), cell ?? '-', since]),
      );
    }
  });
  return 0;
}

async function keepPool(context: Context, count: string): Promise<number> {
  const wanted = await wholeNumber(count, '--keep', { min: 0, max: 1_000 });
  const results = await (await open(context)).accounts.keep(wanted);
  const { output } = context;
  const data = results.map(({ error, cell: _, ...result }) => ({ ...result, ...(error ? { error: error.message, fix: error.fix } : {}) }));
  output.result({ pool: data }, () => {
    output.table(
      ['ACCOUNT', 'ID', 'STATE'],
      results.map(({ account, accountId, state }) => [account, accountId ?? '-', colourState(state)]),
    );
  });
  const failed = results.flatMap(({ error }) => error ?? []);
  for (const error of failed) output.problem(error);
  return failed.length > 0 ? 1 : 0;
}

async function giveBack(context: Context, name: string): Promise<number> {
  const { selectCells } = await import('../../plan/plan.ts');
  const { plan, accounts, accountsFile } = await open(context);
  const [cell] = selectCells(plan, [name]);
  if (cell === undefined) return 2;
  const result = await accounts.giveBack(cell);
  context.output.result({ cell: name, ...result }, () => {
    context.output.say(`account ${result.accountId} of ${name} is in the pool as ${result.account}; commit ${accountsFile}`);
  });
  return 0;
}

const POOL_HELP = `
An account in the pool is empty and set up as far as an account can be without its cell.
\`cellctl accounts\` takes one before it creates one. --keep never takes an account away.
--return needs a cell with intent: 'retiring' whose account is proven empty; if it is not,
what is left is listed and nothing is changed.

Examples:
  cellctl accounts pool
  cellctl accounts pool --keep 3
  cellctl destroy bravo && cellctl accounts pool --return bravo`;

function poolCommand(): Command {
  const command = new Command('pool')
    .description('empty accounts that wait for a cell: show them, keep some ready, give one back')
    .option('--keep <n>', 'make accounts until <n> are free')
    .option('--return <cell>', "give a retiring cell's empty account back")
    .addHelpText('after', POOL_HELP)
    .action(
      action(async (context, options: PoolOptions) => {
        const { FactoryError } = await import('../../registry/index.ts');
        if (options.keep !== undefined && options.return !== undefined) {
          throw new FactoryError('USAGE', '--keep and --return at once', { fix: 'run one after the other' });
        }
        if (command.optsWithGlobals<{ watch?: boolean }>().watch === true) {
          throw new FactoryError('USAGE', '--watch only looks, and pool is not watched', {
            fix: 'run `cellctl accounts --watch`: it shows the pool, too',
          });
        }
        if (options.keep !== undefined) return keepPool(context, options.keep);
        return options.return === undefined ? showPool(context) : giveBack(context, options.return);
      }),
    );
  return command;
}

const HELP = `
Looks before it creates: the e-mail decides, and an account of this organization is adopted.
Creation goes by AWS's quotas (3 at once, then one per 10 s, 5 under way), so 100 accounts take
a quarter of an hour. Stopped anywhere, run again, it carries on. Accounts in the pool go first.

Examples:
  cellctl accounts                    every cell
  cellctl accounts alpha bravo --json
  cellctl accounts --watch            each account's step and when it will be ready; in another terminal
  cellctl accounts pool --keep 3      three accounts ready for cells to come`;

export const accountsCommand = () =>
  new Command('accounts')
    .description('give every cell its own account: look, create, place, set up (with tooling credentials; run again, it carries on)')
    .argument('[cell...]', 'cells (default: all)')
    .option('-w, --watch', 'only look: where each account is on its way, and what is stuck')
    .addHelpText('after', HELP)
    .action(
      action(async (context, names: string[], options: { watch?: boolean }) =>
        options.watch === true ? follow(context, names) : vend(context, names),
      ),
    )
    .addCommand(poolCommand());
