import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { ComponentTemplate } from '../../isolation/inputs.ts';
import type { IsolationReport, Violation } from '../../isolation/proof.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { manual } from '../manual.ts';

/** `name=folder` in parts. @throws FactoryError `USAGE` */
async function readComponents(options: readonly string[]): Promise<ComponentTemplate[]> {
  const [{ FactoryError }, { readComponent }] = await Promise.all([import('../../registry/index.ts'), import('../../isolation/inputs.ts')]);
  return Promise.all(
    options.map((text) => {
      const [, name, folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (name !== undefined && folder !== undefined) return readComponent(name, folder);
      throw new FactoryError('USAGE', `--component is "${text}"`, {
        fix: 'write <name>=<folder>, e.g. orders-api=../orders-api/dist',
      });
    }),
  );
}

function printViolation({ output }: Context, { kind, template, logicalId, path, reaches, message, fix }: Violation): void {
  output.line(`${pc.red('NOT ISOLATED')} ${pc.bold(template)} ${logicalId} ${path}`);
  output.line(`  ${message}; reaches ${pc.bold(reaches)}  ${pc.dim(kind)}`);
  output.line(`  ${pc.dim('fix:')} ${fix}`);
}

/** What the report says nothing of. */
interface Left {
  readonly cells: readonly string[];
  readonly components: readonly string[];
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;

function printReport(context: Context, report: IsolationReport, left: Left): void {
  const { output } = context;
  const { cells, pairs, templates, values, rules, violations, shared } = report;
  for (const violation of violations) printViolation(context, violation);
  const looked = `${count(cells, 'cell')}, ${count(pairs, 'pair')}, ${count(templates, 'template')}, ${values} values, ${rules} rules`;
  if (violations.length > 0) output.say(`\n${pc.red(count(violations.length, 'violation'))} in ${looked}`);
  else output.say(`${pc.green('isolated')}: ${looked}; no template of a cell reaches another`);
  if (shared.length > 0) {
    output.say('\nShared, or open, and why that is no way from cell to cell:\n');
    for (const { name, what, reason, places, cells: whose } of shared) {
      output.say(`${pc.bold(name)}  ${what}  ${pc.dim(`${count(places, 'place')}, ${count(whose.length, 'owner')}`)}`);
      output.say(`  ${pc.dim('because')} ${reason}`);
    }
  }
  if (left.cells.length > 0) output.say(`\nnot looked at, without an account: ${left.cells.join(', ')}; run \`cellctl accounts\``);
  if (left.components.length > 0) {
    output.say(`\nnot looked at: component ${left.components.join(', ')}; pass --component <name>=<folder that it was built into>`);
  }
}

interface IsolationOptions {
  readonly component: readonly string[];
}

const isolation = () =>
  new Command('isolation')
    .description('prove from the templates that no cell reaches another, or name every place where one does. Needs no AWS')
    .argument('[cell...]', 'cells whose templates are looked at (default: all)')
    .addOption(
      new Option('-c, --component <name=folder>', 'also look at a component, built into that folder; may be repeated')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    )
    .addHelpText(
      'after',
      `\nEnds with 1 when something is found. ${manual('isolation.md')} lists what is looked for, and what may be shared.` +
        '\nWhat people did by hand in the accounts stands in no template: `cellctl status --resources` looks there.' +
        '\n\nExamples:\n  cellctl verify isolation\n  cellctl verify isolation alpha bravo' +
        '\n  cellctl verify isolation --component orders-api=../orders-api/dist\n  cellctl verify isolation --json',
    )
    .action(
      action(async (context, names: string[], options: IsolationOptions) => {
        const [{ isVended, selectCells }, plan] = await Promise.all([import('../../plan/plan.ts'), context.initializedPlan()]);
        const components = await readComponents(options.component);
        const [{ checkIsolation }, { isolationInput, comparedStackNames }, { withAssembly }] = await Promise.all([
          import('../../isolation/proof.ts'),
          import('../../isolation/inputs.ts'),
          import('../../aws/toolkit.ts'),
        ]);
        const chosen = selectCells(plan, names);
        const looked = chosen.filter(isVended);
        const left: Left = {
          cells: chosen.filter((cell) => !isVended(cell)).map(({ name }) => name),
          components: plan.components.map(({ name }) => name).filter((name) => !components.some((each) => each.name === name)),
        };
        // All cells are known, so that a chosen one is found to reach any of them; only the chosen ones' templates are made.
        const report = await withAssembly(plan, comparedStackNames(looked), async ({ templates }) =>
          checkIsolation(isolationInput(plan, plan.cells.filter(isVended), looked, templates, components)),
        );
        context.output.result({ ...report, notLookedAt: left }, () => printReport(context, report, left));
        return report.violations.length > 0 ? 1 : 0;
      }),
    );

export const verifyCommand = () =>
  new Command('verify').description('prove what must hold, from what would be deployed').addCommand(isolation());
