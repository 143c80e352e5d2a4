import { Command } from 'commander';
import { action } from '../action.ts';

export const validateCommand = () =>
  new Command('validate')
    .description('check the definitions: every problem of every file at once')
    .addHelpText('after', '\nExamples:\n  cellctl validate\n  cellctl validate --organization ../acme/registry --json')
    .action(
      action(async (context) => {
        const { organization, digest } = await context.registry();
        const cells = Object.keys(organization.cells).length;
        const components = Object.keys(organization.components).length;
        context.output.result({ valid: true, cells, components, digest }, () =>
          context.output.say(
            `valid: ${organization.name}, ${cells} cells, ${components} component${components === 1 ? '' : 's'}, ${digest.slice(0, 19)}`,
          ),
        );
        return 0;
      }),
    );
