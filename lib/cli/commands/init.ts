import { Command } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { Plan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

/**
 * Refuses what would replace the registry's bucket or the cells' zone: with another domain, every name would be gone.
 * @throws FactoryError `REPLACEMENT_REFUSED`
 */
async function refuseToReplace(context: Context, plan: Plan, session: Session): Promise<void> {
  const [{ CONTROL_STACKS, isInitialized }, { withAssembly }, { observeStack }, { destructionsIn }, { FactoryError }] = await Promise.all([
    import('../../plan/plan.ts'),
    import('../../aws/toolkit.ts'),
    import('../../cell/observe.ts'),
    import('../../plan/stateful.ts'),
    import('../../../registry/index.ts'),
  ]);
  // Before the first time there is nothing to lose.
  if (!isInitialized(plan)) return;
  const tooling = await context.insideTooling(plan, session);
  await withAssembly(context.source, [CONTROL_STACKS.registry, CONTROL_STACKS.domain], async ({ templates }) => {
    const observed = await Promise.all(
      [...templates].map(([stackName, template]) => observeStack({ stackName, template, session: tooling })),
    );
    const lost = destructionsIn(observed.flatMap(({ status, changes }) => (status === undefined ? [] : changes)));
    if (lost.length === 0) return;
    throw new FactoryError('REPLACEMENT_REFUSED', `this would lose ${lost.map(({ type, lost: what }) => `${type} (${what})`).join(', ')}`, {
      fix: 'put name and domain in organization.ts back to what they were; cells that exist keep their domain for as long as they exist',
    });
  });
}

export const initCommand = () =>
  new Command('init')
    .description('make the organization, its control accounts and the registry (with management credentials; run again without harm)')
    .addHelpText(
      'after',
      '\nExamples:\n  AWS_PROFILE=management cellctl init\n  eval "$(cellctl local env --as management)" && cellctl init',
    )
    .action(
      action(async (context) => {
        const plan = await context.plan();
        const session = await context.session(plan.homeRegion);
        const accountsFile = await context.accountsFile();
        await refuseToReplace(context, plan, session);
        const { initialize } = await import('../../accounts/init.ts');
        const { source, runId, output } = context;
        await initialize({ plan, session, source, accountsFile, runId, pace: await context.pace(), emit: output.emit });
        const initialized = await context.initializedPlan();
        const { organizationId, managementAccountId, tooling, monitoring, registryBucket } = initialized;
        const domain = await (await context.domainCheck(initialized, await context.insideTooling(initialized, session))).state();
        const result = {
          organizationId,
          management: managementAccountId,
          tooling: tooling.accountId,
          monitoring: monitoring.accountId,
          registryBucket,
          domain,
        };
        context.output.result(result, () => {
          context.output.say(`organization ${organizationId} is ready: tooling ${tooling.accountId}, monitoring ${monitoring.accountId}`);
          context.output.say(`ids are in ${accountsFile}; from now on work with credentials of tooling`);
          if (domain.delegated) return;
          context.output.say(`${pc.yellow(domain.domain)} is not delegated, and no cell can be deployed before it is: ${domain.advice}`);
        });
        return 0;
      }),
    );
