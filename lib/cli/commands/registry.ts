import { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { printChanges, reportPublication } from './publish.ts';

async function openStore(context: Context) {
  const { plan, session } = await context.tooling('settings');
  return context.store(plan, session);
}

const showCommand = () =>
  new Command('show')
    .description('print the published registry')
    .option('-r, --revision <number>', 'an older revision (default: the newest)')
    .addHelpText('after', '\nExamples:\n  cellctl registry show\n  cellctl registry show --revision 3 --json > registry.json')
    .action(
      action(async (context, options: { revision?: string }) => {
        const revision = options.revision === undefined ? undefined : await wholeNumber(options.revision, '--revision');
        const { FactoryError, serialize } = await import('../../registry/index.ts');
        const store = await openStore(context);
        const registry = revision === undefined ? await store.latest() : await store.revision(revision);
        if (!registry) throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet', { fix: 'run `cellctl publish`' });
        const { organization, life, digest, published } = registry;
        const { output } = context;
        output.result(JSON.parse(serialize(registry)), () => {
          output.say(`revision ${published.revision}  ${published.at}  by ${published.by}\n${digest}\n`);
          output.table(
            ['CELL', 'STAGE', 'CLOUD', 'REGION', 'SIZE', 'BLOCK', 'INTENT', 'LIFE'],
            Object.values(organization.cells).map((cell) => [
              cell.name,
              cell.stage,
              cell.cloud,
              cell.region,
              cell.size,
              cell.network.block,
              cell.intent,
              life[cell.name]?.state ?? '-',
            ]),
          );
        });
        return 0;
      }),
    );

const historyCommand = () =>
  new Command('history')
    .description('list published revisions, newest first')
    .option('-n, --limit <number>', 'how many', '20')
    .addHelpText('after', '\nExamples:\n  cellctl registry history\n  cellctl registry history --limit 5 --json')
    .action(
      action(async (context, options: { limit: string }) => {
        const limit = await wholeNumber(options.limit, '--limit');
        const history = await (await openStore(context)).history(limit);
        const rows = history.map(({ revision, registry }) =>
          'unreadable' in registry
            ? { revision, unreadable: registry.unreadable }
            : { ...registry.published, digest: registry.digest, cells: Object.keys(registry.organization.cells).length },
        );
        context.output.result({ revisions: rows }, () => {
          if (rows.length === 0) context.output.say('nothing was published yet');
          else
            context.output.table(
              ['REVISION', 'PUBLISHED', 'BY', 'CELLS', 'DIGEST'],
              rows.map((row) =>
                'unreadable' in row
                  ? [String(row.revision), pc.red('unreadable'), '-', '-', row.unreadable]
                  : [String(row.revision), row.at, row.by, String(row.cells), row.digest.slice(0, 19)],
              ),
            );
        });
        return 0;
      }),
    );

/** A value on one line, cut where it would not fit. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? '-';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

const diffCommand = () =>
  new Command('diff')
    .description('what differs between two revisions: entries, and each value in them')
    .argument('<from>', 'revision')
    .argument('[to]', 'revision (default: the newest)')
    .option('--exit-code', 'end with 1 when something differs')
    .addHelpText('after', '\nExamples:\n  cellctl registry diff 3\n  cellctl registry diff 3 7 --json')
    .action(
      action(async (context, from: string, to: string | undefined, options: { exitCode?: boolean }) => {
        const numbers = [await wholeNumber(from, 'from'), to === undefined ? undefined : await wholeNumber(to, 'to')] as const;
        const { changesBetween, FactoryError, fieldChanges } = await import('../../registry/index.ts');
        const store = await openStore(context);
        const [before, after] = await Promise.all([
          store.revision(numbers[0]),
          numbers[1] === undefined ? store.latest() : store.revision(numbers[1]),
        ]);
        if (!after) throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet', { fix: 'run `cellctl publish`' });
        const changes = changesBetween(before.organization, after.organization);
        const fields = fieldChanges(before.organization, after.organization);
        const life = fieldChanges(before.life, after.life);
        const { output } = context;
        output.result({ from: before.published, to: after.published, changes, fields, life }, () => {
          output.say(
            `revision ${before.published.revision} -> ${after.published.revision}, ${after.published.at} by ${after.published.by}`,
          );
          printChanges(context, changes);
          const rows = [...fields, ...life.map((change) => ({ ...change, path: `life.${change.path}` }))];
          if (rows.length === 0) output.say('nothing differs');
          else
            output.table(
              ['FIELD', 'BEFORE', 'AFTER'],
              rows.map((row) => [row.path, brief(row.before), brief(row.after)]),
            );
        });
        return options.exitCode === true && fields.length + life.length > 0 ? 1 : 0;
      }),
    );

const rollbackCommand = () =>
  new Command('rollback')
    .description('publish the content of an old revision as the next one; nothing is deleted')
    .argument('<revision>', 'revision to go back to')
    .addHelpText(
      'after',
      '\nThe definitions in git stay as they are: revert them, too, or the next publication brings the change back.' +
        '\nCells that exist are never dropped: a revision without them is refused.\n\nExamples:\n  cellctl registry rollback 41',
    )
    .action(
      action(async (context, text: string) => {
        const revision = await wholeNumber(text, 'revision');
        const { plan, session } = await context.tooling('settings');
        const store = await context.store(plan, session);
        reportPublication(context, plan.registryBucket, await store.rollback(revision, { by: context.who }));
        return 0;
      }),
    );

const verifyCommand = () =>
  new Command('verify')
    .description('read every revision and check its digest, its number and its order, and where the pointer points')
    .addHelpText(
      'after',
      '\nEnds with 1 when something is wrong.\n\nExamples:\n  cellctl registry verify\n  cellctl registry verify --json',
    )
    .action(
      action(async (context) => {
        const { revisions, flaws } = await (await openStore(context)).verify();
        const { output } = context;
        output.result({ revisions, flaws }, () => {
          for (const { key, message, fix } of flaws) output.line(`${pc.red(key)}: ${message}\n  ${pc.dim(`fix: ${fix}`)}`);
          if (flaws.length === 0)
            output.say(`${revisions} revisions, without gaps, each as it was published; the pointer is at the newest`);
        });
        return flaws.length > 0 ? 1 : 0;
      }),
    );

export const registryCommand = () =>
  new Command('registry')
    .description('the published registry: read it, compare, go back, check')
    .addCommand(showCommand())
    .addCommand(historyCommand())
    .addCommand(diffCommand())
    .addCommand(rollbackCommand())
    .addCommand(verifyCommand());
