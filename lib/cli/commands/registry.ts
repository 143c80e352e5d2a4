import { Command } from 'commander';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

async function openStore(context: Context) {
  const { plan, session } = await context.tooling();
  return context.store(plan, session);
}

/** A whole number of at least 1, from a command line. */
async function wholeNumber(text: string, option: string): Promise<number> {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  const { FactoryError } = await import('../../../registry/index.ts');
  throw new FactoryError('USAGE', `${option} is "${text}"`, { fix: 'pass a whole number of at least 1' });
}

const showCommand = () =>
  new Command('show')
    .description('print the published registry')
    .option('-r, --revision <number>', 'an older revision (default: the newest)')
    .addHelpText('after', '\nExamples:\n  cellctl registry show\n  cellctl registry show --revision 3 --json > registry.json')
    .action(
      action(async (context, options: { revision?: string }) => {
        const revision = options.revision === undefined ? undefined : await wholeNumber(options.revision, '--revision');
        const { FactoryError, serialize } = await import('../../../registry/index.ts');
        const store = await openStore(context);
        const registry = revision === undefined ? await store.latest() : await store.revision(revision);
        if (!registry) throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet', { fix: 'run `cellctl publish`' });
        const { organization, digest, published } = registry;
        const { output } = context;
        output.result(JSON.parse(serialize(registry)), () => {
          output.say(`revision ${published.revision}  ${published.at}  by ${published.by}\n${digest}\n`);
          output.table(
            ['CELL', 'STAGE', 'CLOUD', 'REGION', 'SIZE', 'BLOCK', 'INTENT'],
            Object.values(organization.cells).map((cell) => [
              cell.name,
              cell.stage,
              cell.cloud,
              cell.region,
              cell.size,
              cell.network.block,
              cell.intent,
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
        const rows = history.map(({ published, digest, organization }) => ({
          ...published,
          digest,
          cells: Object.keys(organization.cells).length,
        }));
        context.output.result({ revisions: rows }, () => {
          if (rows.length === 0) context.output.say('nothing was published yet');
          else
            context.output.table(
              ['REVISION', 'PUBLISHED', 'BY', 'CELLS', 'DIGEST'],
              rows.map((row) => [String(row.revision), row.at, row.by, String(row.cells), row.digest.slice(0, 19)]),
            );
        });
        return 0;
      }),
    );

export const registryCommand = () =>
  new Command('registry').description('read the published registry').addCommand(showCommand()).addCommand(historyCommand());
