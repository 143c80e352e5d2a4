import { Command } from 'commander';
import pc from 'picocolors';
import type { CellVersion, ComponentVersions } from '../../monitoring/versions.ts';
import { action } from '../action.ts';

/** A version as the table shows it: what stands out has a colour, and says why. */
function cellText(found: CellVersion | undefined): string {
  const version = found?.version === undefined || found.version === '' ? '-' : found.version;
  if (found?.skew === 'failed') return pc.red(`${version} ${found.status}`);
  return found?.skew === undefined ? version : pc.yellow(found.skew === 'missing' ? 'missing' : `${version} (differs)`);
}

/** `orders-api  1.4.2 in production; differs in alpha; failed in bravo`. */
function summary({ component, common, cells }: ComponentVersions): string {
  const skewed = (['failed', 'differs', 'missing'] as const).flatMap((skew) => {
    const names = cells.filter((each) => each.skew === skew).map(({ cell }) => cell);
    return names.length === 0 ? [] : [`${skew} in ${names.length > 5 ? `${names.length} cells` : names.join(', ')}`];
  });
  const production = common === undefined ? 'nowhere in production' : `${common} in production`;
  return [`${component}  ${production}`, ...(skewed.length === 0 ? [pc.green('the same everywhere')] : skewed)].join('; ');
}

export const versionsCommand = () =>
  new Command('versions')
    .description('which version of each component runs in which cell, and where it is another than in most of production')
    .argument('[cell...]', 'cells (default: all)')
    .addHelpText('after', '\nExamples:\n  cellctl versions\n  cellctl versions alpha bravo --json')
    .action(
      action(async (context, names: string[]) => {
        const { selectCells } = await import('../../plan/plan.ts');
        const { plan, session, partition } = await context.tooling();
        const shown = new Set(selectCells(plan, names).map(({ name }) => name));
        const [{ cellStatuses }, { versionsOf }, { PRICE_SOURCE }, { unaskedLines }] = await Promise.all([
          import('../../monitoring/status.ts'),
          import('../../monitoring/versions.ts'),
          import('../../review/prices.ts'),
          import('../unasked-view.ts'),
        ]);
        // What is usual can only be told from all cells.
        const statuses = await cellStatuses(plan, plan.cells, session, partition, new Date());
        const everywhere = versionsOf(
          plan.components.map(({ name }) => name),
          statuses,
        );
        const versions = everywhere.map((each) => ({ ...each, cells: each.cells.filter(({ cell }) => shown.has(cell)) }));
        const errors = statuses.flatMap(({ cell, error }) => (error !== undefined && shown.has(cell) ? [{ cell, error }] : []));
        const { output } = context;
        const unasked = statuses.flatMap((each) =>
          shown.has(each.cell) ? each.unasked.map((stack) => ({ cell: each.cell, ...stack })) : [],
        );
        output.result({ components: versions, unasked, errors }, () => {
          output.table(
            ['CELL', 'STAGE', ...versions.map(({ component }) => component.toUpperCase())],
            statuses
              .filter(({ cell }) => shown.has(cell))
              .map(({ cell, stage }) => [
                pc.bold(cell),
                stage,
                ...versions.map(({ cells }) => cellText(cells.find((each) => each.cell === cell))),
              ]),
          );
          output.say();
          for (const each of versions) output.say(summary(each));
          const looked = statuses.filter(({ cell }) => shown.has(cell));
          for (const line of unaskedLines(looked, PRICE_SOURCE)) output.say(line);
        });
        for (const { cell, error } of errors) output.note(`${pc.red(cell)} could not be looked at: ${error}`);
        return 0;
      }),
    );
