/** `cellctl freeze` and `cellctl unfreeze`: until when no rollout begins anything in a cell, of a component, or anywhere. */
import { Command } from 'commander';
import pc from 'picocolors';
import type { Freeze, FreezeScope } from '../../rollout/freezes.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { type OpenedRollouts, openRollouts, requirePublished } from '../rollouts.ts';

interface ScopeOptions {
  readonly cell?: string;
  readonly component?: string;
  readonly all?: boolean;
  readonly reason?: string;
}

interface FreezeOptions extends ScopeOptions {
  readonly until?: string;
}

const NOTHING = 'nothing is frozen';

/** The scope that the options name; undefined where they name none. @throws FactoryError `USAGE` for several */
async function scopeOf({ cell, component, all }: ScopeOptions): Promise<FreezeScope | undefined> {
  const scopes: FreezeScope[] = [
    ...(cell === undefined ? [] : [{ on: 'cell', name: cell } as const]),
    ...(component === undefined ? [] : [{ on: 'component', name: component } as const]),
    ...(all === true ? [{ on: 'all' } as const] : []),
  ];
  if (scopes.length <= 1) return scopes[0];
  const [{ FactoryError }, { optionOf }] = await Promise.all([import('../../registry/index.ts'), import('../../rollout/freezes.ts')]);
  throw new FactoryError('USAGE', `${scopes.map(optionOf).join(' and ')} together`, {
    fix: 'pass one of them: each is a freeze of its own',
  });
}

/** When the freeze ends. @throws FactoryError `USAGE` for no time, one that is over, and one that is too far away */
async function endOf(until: string | undefined, now: Date): Promise<string> {
  const [{ FactoryError }, { instant }, { MOST_FREEZE_DAYS }] = await Promise.all([
    import('../../registry/index.ts'),
    import('../../registry/values.ts'),
    import('../../rollout/freezes.ts'),
  ]);
  const last = new Date(now.getTime() + MOST_FREEZE_DAYS * 86_400_000);
  const example = new Date(now.getTime() + 4 * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const allowed = `pass a time after now and at most ${MOST_FREEZE_DAYS} days away, ISO 8601 with a time zone, e.g. ${example}`;
  if (until === undefined) throw new FactoryError('USAGE', 'a freeze without --until', { fix: allowed });
  if (!instant.safeParse(until).success) throw new FactoryError('USAGE', `--until is "${until}"`, { fix: allowed });
  const end = new Date(until);
  if (end <= now) throw new FactoryError('USAGE', `--until is ${until}, which is over`, { fix: allowed });
  if (end <= last) return end.toISOString();
  throw new FactoryError('USAGE', `--until is ${until}, more than ${MOST_FREEZE_DAYS} days away`, {
    fix: `${allowed}; for longer, cordon the cell (\`intent: 'cordoned'\`) or add a blackout to its calendar, and publish`,
  });
}

/** Makes sure that there is what is to be frozen. @throws FactoryError `CELL_UNKNOWN`, `COMPONENT_UNKNOWN` */
async function requireScope(context: Context, opened: OpenedRollouts, scope: FreezeScope): Promise<void> {
  if (scope.on === 'all') return;
  const plan = await requirePublished(context, opened);
  const { selectCells, selectComponent } = await import('../../plan/plan.ts');
  if (scope.on === 'cell') selectCells(plan, [scope.name]);
  else selectComponent(plan, scope.name);
}

async function list(context: Context, { client }: OpenedRollouts): Promise<number> {
  const freezes = await client.store.freezes.list(new Date());
  const { sentenceOf } = await import('../../rollout/freezes.ts');
  context.output.result({ freezes }, () => {
    for (const freeze of freezes) context.output.line(sentenceOf(freeze));
    if (freezes.length === 0) context.output.line(`${NOTHING}: \`cellctl freeze --cell <cell> --until <time> --reason <text>\` would`);
  });
  return 0;
}

async function freeze(context: Context, options: FreezeOptions): Promise<number> {
  const scope = await scopeOf(options);
  const opened = await openRollouts(context);
  if (!scope && options.until === undefined && options.reason === undefined) return list(context, opened);
  const { FactoryError } = await import('../../registry/index.ts');
  if (!scope) throw new FactoryError('USAGE', 'nothing that is to be frozen', { fix: 'pass --cell, --component or --all' });
  const reason = options.reason?.trim() ?? '';
  if (reason === '') {
    throw new FactoryError('USAGE', `--reason is ${options.reason === undefined ? 'missing' : 'empty'}`, {
      fix: 'say why: whoever waits for the end of the freeze is told',
    });
  }
  const now = new Date();
  const until = await endOf(options.until, now);
  await requireScope(context, opened, scope);
  const made: Freeze = { scope, by: context.who, at: now.toISOString(), until, reason };
  await opened.client.store.freezes.add(made);
  const { optionOf, sentenceOf } = await import('../../rollout/freezes.ts');
  context.output.result({ freeze: made }, () => {
    context.output.line(`${pc.yellow('frozen')}: ${sentenceOf(made)}`);
    context.output.say(`what has begun goes on, and so does every rollback; \`cellctl unfreeze ${optionOf(scope)}\` ends it earlier`);
  });
  return 0;
}

async function unfreeze(context: Context, options: ScopeOptions): Promise<number> {
  const [scope, { FactoryError }, { frozen, optionOf, sentenceOf }] = await Promise.all([
    scopeOf(options),
    import('../../registry/index.ts'),
    import('../../rollout/freezes.ts'),
  ]);
  if (!scope) throw new FactoryError('USAGE', 'nothing whose freeze is to end', { fix: 'pass --cell, --component or --all' });
  const { client } = await openRollouts(context);
  const now = new Date();
  const freezes = await client.store.freezes.list(now);
  const found = freezes.find((each) => optionOf(each.scope) === optionOf(scope));
  if (!found) {
    throw new FactoryError('REFUSED', `${frozen(scope)} is not frozen`, {
      fix: freezes.length === 0 ? NOTHING : `what is: ${freezes.map((each) => optionOf(each.scope)).join(', ')}`,
    });
  }
  await client.store.freezes.lift(found, context.who, now.toISOString(), options.reason);
  context.output.result({ lifted: found }, () => {
    context.output.line(`${pc.green('lifted')}: ${sentenceOf(found)}`);
    context.output.say('a rollout that waits for it goes on at its next look, within a quarter of an hour; before a wave, within an hour');
  });
  return 0;
}

const scoped = (command: Command): Command =>
  command
    .option('--cell <cell>', 'a cell, for every component')
    .option('--component <component>', 'a component, in every cell')
    .option('--all', 'everything');

export const freezeCommand = () =>
  scoped(new Command('freeze'))
    .description('have rollouts begin nothing in a cell, of a component, or anywhere, until a time; without options, list what is frozen')
    .option('--until <time>', 'when it ends by itself, ISO 8601 with a time zone')
    .option('--reason <text>', 'why: whoever waits is told')
    .addHelpText(
      'after',
      '\nHolds at once, also for rollouts that are under way: a frozen cell waits while the others of its wave go on; with' +
        '\n--component or --all, the next wave waits, too. What has begun is finished, bakes go on, and nothing holds a rollback.' +
        '\nA second freeze of the same cell, component or everything replaces the first.' +
        '\n\nExamples:\n  cellctl freeze\n  cellctl freeze --cell alpha --until 2030-01-31T18:00:00Z --reason "INC-42"' +
        '\n  cellctl freeze --all --until 2030-01-31T18:00:00+01:00 --reason "the region is ill" --json',
    )
    .action(action(freeze));

export const unfreezeCommand = () =>
  scoped(new Command('unfreeze'))
    .description('end a freeze before its time')
    .option('--reason <text>', 'why, for the record')
    .addHelpText('after', '\nExamples:\n  cellctl unfreeze --cell alpha\n  cellctl unfreeze --all --reason "the region is well" --json')
    .action(action(unfreeze));
