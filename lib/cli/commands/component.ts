import { Command, Option } from 'commander';
import type { RecordSent } from '../../cell/component.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { wholeNumber } from '../numbers.ts';
import { refuseDuringRollout, rolloutsIfAny } from '../rollouts.ts';
import { publishCommand, releasesCommand } from './artifacts.ts';
import { removeCommand } from './component-remove.ts';
import { renameCommand } from './component-rename.ts';
import { checkCommand, linkCommand, newCommand } from './contract.ts';
import { cellsFrom, reportDeployment } from './deploy.ts';
import { packageCommand } from './package.ts';

interface DeployOptions {
  readonly all?: boolean;
  readonly concurrency: string;
  readonly from: string;
  readonly image: string;
  readonly release: string;
}

/**
 * Only a developer's own cells are deployed to without waves: what others rely on is watched while it changes.
 * @throws FactoryError `REFUSED`
 */
async function refuseShared(component: string, cells: readonly CellPlan[]): Promise<void> {
  const shared = cells.filter(({ stage }) => stage !== 'personal').map(({ name }) => name);
  if (shared.length === 0) return;
  const { FactoryError } = await import('../../registry/index.ts');
  const some = shared.length > 5 ? `${shared.slice(0, 5).join(', ')} and ${shared.length - 5} more` : shared.join(', ');
  const which = shared.length === 1 ? `${some} is no personal cell` : `${some} are no personal cells`;
  throw new FactoryError('REFUSED', `${which}: components reach them in waves, with a bake after each`, {
    fix: `publish it (\`cellctl component publish ${component}\`), then \`cellctl rollout start ${component}\``,
  });
}

const deploy = () =>
  new Command('deploy')
    .description("put one component into developers' own cells, at once; all others get it by `cellctl rollout start`")
    .argument('<component>', 'name of the component in the registry')
    .argument('[cell...]', 'cells')
    .option('-a, --all', 'every cell, where all are personal')
    .addOption(new Option('-f, --from <folder>', "the component's build: a CDK cloud assembly with its stack").makeOptionMandatory())
    .addOption(new Option('-i, --image <uri>', 'image of the service; {region} becomes the region of the cell').makeOptionMandatory())
    .addOption(new Option('-r, --release <version>', 'version of the component').makeOptionMandatory())
    .option('-c, --concurrency <number>', 'cells at once', '4')
    .addHelpText(
      'after',
      '\nExamples:\n  cellctl component deploy orders-api ada --from ../orders-api/cdk.out \\\n    --image 111122223333.dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0 --release 1.0.0',
    )
    .action(
      action(async (context, component: string, names: string[], options: DeployOptions) => {
        const concurrency = await wholeNumber(options.concurrency, '--concurrency', { max: 100 });
        const { requireAccounts } = await import('../../plan/plan.ts');
        const cells = await cellsFrom(await context.plan(), names, options.all);
        await refuseShared(component, cells);
        const vended = requireAccounts(cells);
        const { plan, session, partition } = await context.tooling();
        const [{ componentTask }, { deployCells }] = await Promise.all([import('../../cell/component.ts'), import('../../cell/deploy.ts')]);
        await refuseDuringRollout(
          context,
          plan,
          session,
          vended.map(({ name }) => name),
          [{ name: component }],
        );
        const { runId } = context;
        const { from, image, release: version } = options;
        const [rollouts, { recordByHand }] = await Promise.all([
          rolloutsIfAny(context, plan, session),
          import('../../rollout/sent-by-hand.ts'),
        ]);
        const record: RecordSent = async (cell, sent) =>
          rollouts ? recordByHand(rollouts.store, { component, cell, version, runId, ...sent }) : async () => undefined;
        const task = await componentTask(plan, component, { assembly: from, image, version }, { partition, runId, record });
        const { stackHolder } = await import('../holding.ts');
        const hold = await stackHolder(context, plan, session);
        const results = await deployCells({ cells: vended, task, session, partition, hold, concurrency, emit: context.output.emit });
        return reportDeployment(context, results);
      }),
    );

export const componentCommand = () =>
  new Command('component')
    .description('the deployable parts of the application')
    .addCommand(newCommand())
    .addCommand(checkCommand())
    .addCommand(linkCommand())
    .addCommand(packageCommand())
    .addCommand(publishCommand())
    .addCommand(releasesCommand())
    .addCommand(deploy())
    .addCommand(removeCommand())
    .addCommand(renameCommand());
