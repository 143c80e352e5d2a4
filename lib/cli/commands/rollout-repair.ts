/** `cellctl rollout repair`: what is wrong with the records of rollouts, and what of it is mended. */
import { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { componentNames, openRollouts } from '../rollouts.ts';

interface RepairOptions {
  readonly dryRun?: boolean;
}

async function repair(context: Context, component: string | undefined, { dryRun }: RepairOptions): Promise<number> {
  const opened = await openRollouts(context);
  const names = component === undefined ? await componentNames(context, opened) : [component];
  const found = (await Promise.all(names.map((name) => opened.client.repair(name, dryRun !== true)))).flat();
  const { output } = context;
  output.result({ findings: found, changed: dryRun !== true && found.some(({ mended }) => mended !== undefined) }, () => {
    if (found.length === 0) output.line(`${pc.green('nothing is wrong')} with the records of ${names.join(', ') || 'any rollout'}`);
    for (const { sentence, mended, fix } of found) {
      const done = mended === undefined ? '' : `. ${dryRun === true ? 'Without --dry-run: ' : ''}${mended}`;
      output.line(`${mended === undefined ? pc.yellow('found') : pc.green(dryRun === true ? 'would mend' : 'mended')}: ${sentence}${done}`);
      if (fix !== undefined) output.line(`  ${fix}`);
    }
  });
  return 0;
}

export const repairCommand = () =>
  new Command('repair')
    .description('look for records of rollouts that are damaged or missing, and mend what names them')
    .argument('[component]', 'name of the component (default: all that are published)')
    .option('--dry-run', 'only say what is wrong')
    .addHelpText(
      'after',
      '\nMends what names a rollout that is not there: the pointer to the last rollout of a component, and locks. Touches no cell,' +
        '\nand restores no record: the table has point-in-time recovery, and plans are versions in the bucket of artifacts.' +
        '\n\nExamples:\n  cellctl rollout repair --dry-run\n  cellctl rollout repair orders-api\n  cellctl rollout repair --json',
    )
    .action(action(repair));
