import { Command, Option } from 'commander';
import { action } from '../action.ts';
import { wholeNumber } from '../numbers.ts';
import { cellsFrom, reportDeployment } from './deploy.ts';

interface DeployOptions {
  readonly all?: boolean;
  readonly concurrency: string;
  readonly from: string;
  readonly image: string;
  readonly release: string;
}

const deploy = () =>
  new Command('deploy')
    .description('put one component into cells: the same template, whichever the cell')
    .argument('<component>', 'name of the component in the registry')
    .argument('[cell...]', 'cells')
    .option('-a, --all', 'every cell')
    .addOption(new Option('-f, --from <folder>', "the component's build: a CDK cloud assembly with its stack").makeOptionMandatory())
    .addOption(new Option('-i, --image <uri>', 'image of the service; {region} becomes the region of the cell').makeOptionMandatory())
    .addOption(new Option('-r, --release <version>', 'version of the component').makeOptionMandatory())
    .option('-c, --concurrency <number>', 'cells at once', '4')
    .addHelpText(
      'after',
      '\nExamples:\n  cellctl component deploy orders-api alpha --from examples/orders-api/dist \\\n    --image 111122223333.dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0 --release 1.0.0',
    )
    .action(
      action(async (context, component: string, names: string[], options: DeployOptions) => {
        const concurrency = await wholeNumber(options.concurrency, '--concurrency', { max: 100 });
        const { requireAccounts } = await import('../../plan/plan.ts');
        const vended = requireAccounts(await cellsFrom(await context.plan(), names, options.all));
        const { plan, session, partition } = await context.tooling();
        const [{ componentTask }, { deployCells }] = await Promise.all([import('../../cell/component.ts'), import('../../cell/deploy.ts')]);
        const { from, image, release } = options;
        const task = await componentTask(plan, component, { assembly: from, image, version: release }, { partition, runId: context.runId });
        const leases = await context.leases(plan, session);
        const results = await deployCells({ cells: vended, task, session, partition, leases, concurrency, emit: context.output.emit });
        return reportDeployment(context, results);
      }),
    );

export const componentCommand = () => new Command('component').description('the deployable parts of the application').addCommand(deploy());
