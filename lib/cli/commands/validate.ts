import { Command } from 'commander';
import { action } from '../action.ts';
import { rolloutWarnings } from '../early.ts';
import { manual } from '../manual.ts';

export const validateCommand = () =>
  new Command('validate')
    .description('check the definitions: every problem of every file at once, and what is unwise')
    .option('--strict', 'end with 2 for warnings, too')
    .addHelpText(
      'after',
      `\nWith --json the result names file and line of each problem, for editors and CI. ${manual('registry.md')} explains every rule.` +
        '\n\nExamples:\n  cellctl validate\n  cellctl validate --strict\n  cellctl validate --organization ../acme/registry --json',
    )
    .action(
      action(async (context, options: { strict?: boolean }) => {
        const { output } = context;
        const { FactoryError } = await import('../../registry/index.ts');
        try {
          const { organization, digest, warnings: found } = await context.registry();
          const warnings = [...found, ...(await rolloutWarnings(context))];
          const cells = Object.keys(organization.cells).length;
          const components = Object.keys(organization.components).length;
          output.result({ valid: true, cells, components, digest, problems: [], warnings }, () => {
            output.warnings(warnings);
            output.say(
              `valid: ${organization.name}, ${cells} cells, ${components} component${components === 1 ? '' : 's'}, ${digest.slice(0, 19)}`,
            );
          });
          return options.strict === true && warnings.length > 0 ? 2 : 0;
        } catch (error) {
          // What is wrong is the result of this command, not its failure: machines read it where they read the rest.
          if (!(error instanceof FactoryError) || error.code !== 'REGISTRY_INVALID' || !output.json) throw error;
          output.result({ valid: false, problems: error.problems }, () => undefined);
          return error.exitCode;
        }
      }),
    );
