/** `cellctl component remove`: a component that the registry no longer has leaves its cells, in waves. */
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { CellStatus } from '../../monitoring/status.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Component, Problem } from '../../registry/index.ts';
import { action } from '../action.ts';
import { confirmed, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { servedPlan } from '../early.ts';
import { timeScale } from '../numbers.ts';
import { openRollouts, requirePublished } from '../rollouts.ts';
import { unaskedNames } from '../unasked-view.ts';
import { TIME_SCALE } from './rollout-plan.ts';

interface RemoveOptions {
  readonly cell?: string;
  readonly delete?: readonly string[];
  readonly reason?: string;
  readonly timeScale?: string;
  readonly emergency?: boolean;
  readonly iMeanIt?: boolean;
  readonly yes?: boolean;
}

/** The last entry of a component that may leave. @throws FactoryError `REFUSED` */
async function requireLeft(context: Context, name: string, plan: Plan, last: Component | undefined): Promise<Component> {
  const { FactoryError } = await import('../../registry/index.ts');
  const refuse = (message: string, fix: string) => new FactoryError('REFUSED', message, { fix });
  if (plan.components.some((component) => component.name === name)) {
    throw refuse(
      `${name} is in the registry (revision ${plan.revision}): its pipeline would deploy it again`,
      `take it out of the definitions (registry/components/${name}.ts), \`cellctl publish${context.organizationOption}\`, and run it again`,
    );
  }
  if (!last) {
    throw refuse(
      `no revision of the registry has had a component ${name}: its stacks are somebody else's`,
      'delete them in CloudFormation',
    );
  }
  if (last.kind === 'foundation') {
    throw refuse(`${name} was the cells' own stacks, which stay as long as the cells do`, '`cellctl destroy <cell>` ends a cell');
  }
  return last;
}

/** @throws FactoryError `CLOUD_UNREACHABLE` with every cell that can't be looked at: the stack might be there */
async function requireLooked(statuses: readonly CellStatus[]): Promise<void> {
  const { FactoryError } = await import('../../registry/index.ts');
  const dark = statuses.filter(({ error }) => error !== undefined);
  if (dark.length === 0) return;
  throw new FactoryError('CLOUD_UNREACHABLE', `${dark.length} cells can't be looked at, and may have the stack; nothing was started`, {
    problems: dark.map(({ cell, error = '' }) => ({
      code: 'CLOUD_UNREACHABLE',
      path: `cells.${cell}`,
      message: error,
      fix: 'see to it that tooling may look into the cell (`cellctl status`), or remove the component cell by cell with --cell',
    })),
  });
}

/**
 * What would be lost, of all cells at once.
 * @throws FactoryError `REPLACEMENT_REFUSED` for what nobody has named; `USAGE` for a name that fits nothing: a typo is no consent
 */
async function refuseUnnamed(name: string, plan: Plan, named: readonly string[], session: Session, partition: string): Promise<void> {
  const [
    { CloudFormationClient },
    { assumeLookup },
    { stackTemplate },
    { deletionLosses },
    { allowance },
    { FactoryError },
    { requireAccounts },
  ] = await Promise.all([
    import('@aws-sdk/client-cloudformation'),
    import('../../aws/session.ts'),
    import('../../aws/stacks.ts'),
    import('../../review/deletion.ts'),
    import('../../review/replacements.ts'),
    import('../../registry/index.ts'),
    import('../../plan/plan.ts'),
  ]);
  const found = await Promise.all(
    requireAccounts(plan.cells).map(async (cell) => {
      const cellSession = assumeLookup(session, partition, cell.account.accountId, cell.region);
      const losses = deletionLosses(name, await stackTemplate(new CloudFormationClient(cellSession), name));
      return losses.map((loss) => ({ ...loss, path: allowance(cell.name, loss.logicalId) }));
    }),
  );
  const losses = found.flat();
  const strangers = named.filter((each) => !losses.some(({ path }) => path === each));
  if (strangers.length > 0) {
    const there = losses.map(({ path }) => path).join(', ');
    throw new FactoryError('USAGE', `--delete names nothing that would be lost: ${strangers.join(', ')}`, {
      fix: there === '' ? 'leave it out: nothing would be lost' : `write it as <cell>/<logical id>; there is ${there}`,
    });
  }
  const problems = losses
    .filter(({ path }) => !named.includes(path))
    .map(
      ({ path, type, lost }): Problem => ({
        code: 'REPLACEMENT_REFUSED',
        path,
        message: `${type} would be deleted; lost: ${lost}`,
        fix: `deploy the component once more with DeletionPolicy Retain on it; or, if the loss is meant: --delete ${path}`,
      }),
    );
  if (problems.length === 0) return;
  throw new FactoryError('REPLACEMENT_REFUSED', `${name} holds what can't be made again; nothing was started`, { problems });
}

async function remove(context: Context, name: string, options: RemoveOptions): Promise<number> {
  const scale = options.timeScale === undefined ? undefined : await timeScale(options.timeScale);
  const { output, organizationOption } = context;
  const opened = await openRollouts(context);
  const { client, session } = opened;
  const plan = await servedPlan(context, await requirePublished(context, opened), session);
  const [removals, { foreseeRollout }, { cellStatuses }, { identify }, { selectCells }, { refuseRehearsal }, { foreseenLines }] =
    await Promise.all([
      import('../../rollout/removals.ts'),
      import('../../rollout/draft.ts'),
      import('../../monitoring/status.ts'),
      import('../../aws/session.ts'),
      import('../../plan/plan.ts'),
      import('../../plan/drills.ts'),
      import('../rollout-plan-view.ts'),
    ]);
  const { reason, cell: only, emergency = false } = options;
  if (scale !== undefined) refuseRehearsal(scale, { reachesCustomers: context.reachesCustomers, meant: options.iMeanIt === true, reason });
  const last = await requireLeft(context, name, plan, await removals.lastEntryOf(await context.store(opened.plan, session), name));
  const { partition } = await identify(session);
  const statuses = await cellStatuses(plan, selectCells(plan, only === undefined ? [] : [only]), session, partition, new Date());
  await requireLooked(statuses);
  const having = statuses.filter(({ unasked }) => unasked.some(({ stackName }) => stackName === name)).map(({ cell }) => cell);
  if (having.length === 0) {
    const others = unaskedNames(statuses);
    output.result({ component: name, cells: [] }, () => {
      output.say(`${name} is in none of the cells any more`);
      if (others.length > 0) output.say(`nobody asks for ${others.join(', ')}: \`cellctl status\``);
    });
    return 0;
  }
  const leaving = removals.planWithLeaving(plan, last, having);
  const deletes = options.delete ?? [];
  await refuseUnnamed(name, leaving, deletes, session, partition);
  const now = new Date();
  const removal = { deletes };
  const draft = removals.draftRemoval({
    plan: leaving,
    component: name,
    removal,
    by: context.who,
    reason,
    timeScale: scale,
    only,
    emergency,
    now,
  });
  if (!output.json && only === undefined) {
    for (const line of foreseenLines(foreseeRollout(leaving, name, scale, now, undefined, true), draft.plan.version)) output.say(line);
  }
  const command = ['cellctl component remove', name, ...(only === undefined ? [] : ['--cell', only])].join(' ');
  const ask = { question: `\nThis deletes ${pc.bold(name)} in ${having.length} cells. Type its name`, answer: name, command };
  if (options.yes !== true && !(await confirmed(ask))) {
    output.note('nothing was started');
    return 1;
  }
  await removals.noteRemoval(client.store.objects, name);
  const record = await client.start(draft);
  output.result({ component: name, cells: having, rollout: record }, () => {
    output.line(`${pc.green('started')} ${pc.bold(record.id)}`);
    output.say(
      `watch it with \`cellctl rollout watch ${record.id}${organizationOption}\`; halted, it goes on with \`cellctl rollout resume ${record.id}\``,
    );
  });
  return 0;
}

export const removeCommand = () =>
  new Command('remove')
    .description('take a component that the registry no longer has out of its cells: staging, then wave after wave, with a bake after each')
    .argument('<component>', 'name that it had in the registry')
    .option('--cell <cell>', 'only out of this one; also a personal cell (default: all but personal ones, in waves)')
    .option('--delete <cell/logical id...>', 'let go of a resource that holds data or a name, and that its DeletionPolicy does not keep')
    .option('--reason <text>', 'why, for the record')
    .addOption(new Option('--time-scale <factor>', TIME_SCALE).env('CELL_FACTORY_TIME_SCALE'))
    .option('--emergency', "the policy's waves of an emergency in place of its usual ones; takes a --reason")
    .option('--i-mean-it', '--time-scale, which takes a --reason, also where customers are')
    .addOption(yesOption())
    .addHelpText(
      'after',
      '\nA rollout as any other: alarms of the cell and of other components are watched, it can be paused, resumed and rolled back;' +
        '\nwhat is rolled back is created again as it was, without what was in it. Cells that get no rollouts (cordoned, retiring)' +
        '\nkeep it; `cellctl status` lists them, and the same command takes it from them later.' +
        '\nIts pipeline goes when pipelines.grace is over (`cellctl pipelines sync`); its images and artifacts stay.' +
        '\n\nExamples:\n  cellctl component remove search\n  cellctl component remove search --cell ada --yes' +
        '\n  cellctl component remove search --delete alpha/Index bravo/Index --reason "INC-42"',
    )
    .action(action(remove));
