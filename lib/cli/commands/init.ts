import { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../action.ts';

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
        const { isInitialized } = await import('../../plan/plan.ts');
        if (isInitialized(plan)) {
          const [{ withAssembly }, { refuseToReplace, toolingStackNames }] = await Promise.all([
            import('../../aws/toolkit.ts'),
            import('../tooling.ts'),
          ]);
          const inTooling = await context.insideTooling(plan, session);
          await withAssembly(plan, await toolingStackNames(plan), ({ templates }) => refuseToReplace(plan, inTooling, templates));
        }
        const { initialize } = await import('../../accounts/init.ts');
        const { runId, output } = context;
        const replan = () => {
          context.forget();
          return context.initializedPlan();
        };
        const initialized = await initialize({ plan, replan, session, accountsFile, runId, pace: await context.pace(), emit: output.emit });
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
