/** The stacks of the tooling account, as `init` and `deploy --tooling` work on them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../aws/session.ts';
import type { Template } from '../aws/toolkit.ts';
import type { InitializedPlan, Plan } from '../plan/plan.ts';
import { colourState } from './colour.ts';
import type { Context } from './context.ts';

/** Names of the stacks, in the order in which they are deployed. */
export async function toolingStackNames(plan: Plan): Promise<string[]> {
  const { toolingStacks } = await import('../plan/tooling-stacks.ts');
  return toolingStacks(plan).map(({ stackName }) => stackName);
}

/**
 * Refuses what would replace a bucket, a repository or the cells' zone: with another domain, every name would be gone.
 * @param session of the tooling account
 * @throws FactoryError `REPLACEMENT_REFUSED`
 */
export async function refuseToReplace(plan: InitializedPlan, session: Session, templates: ReadonlyMap<string, Template>): Promise<void> {
  const [{ toolingStacks }, { observeStacks }, { destructionsIn }, { inRegion }, { FactoryError }] = await Promise.all([
    import('../plan/tooling-stacks.ts'),
    import('../cell/stack-changes.ts'),
    import('../review/stateful.ts'),
    import('../aws/session.ts'),
    import('../registry/index.ts'),
  ]);
  const observed = await observeStacks(
    toolingStacks(plan).flatMap(({ stackName, region }) => {
      const template = templates.get(stackName);
      return template ? [{ stackName, template, session: inRegion(session, region) }] : [];
    }),
  );
  // What isn't there yet has nothing to lose.
  const lost = destructionsIn([...observed.values()].flatMap(({ status, changes }) => (status === undefined ? [] : changes)));
  if (lost.length === 0) return;
  throw new FactoryError('REPLACEMENT_REFUSED', `this would lose ${lost.map(({ type, lost: what }) => `${type} (${what})`).join(', ')}`, {
    fix: 'put name and domain in organization.ts back to what they were; cells that exist keep their domain for as long as they exist',
  });
}

/** `cellctl deploy --tooling`: brings the tooling account to what registry and sources say, without credentials of management. */
export async function deployTooling(context: Context): Promise<number> {
  const { plan, session } = await context.tooling();
  const [{ withAssembly }, { deployToolingStacks }] = await Promise.all([
    import('../aws/toolkit.ts'),
    import('../accounts/control-stacks.ts'),
  ]);
  const leases = await context.leases(plan, session);
  const { runId, output } = context;
  const stacks = await withAssembly(plan, await toolingStackNames(plan), async ({ directory, templates }) => {
    await refuseToReplace(plan, session, templates);
    return leases.hold('tooling', () => deployToolingStacks(directory, plan, { session, runId, emit: output.emit }));
  });
  const { backfill } = await import('../artifact/backfill.ts');
  const brought = await backfill({
    ...{ components: plan.components, organizationId: plan.organizationId, emit: output.emit },
    ...{ stores: await context.artifactStores(plan, session), registries: await context.registries(plan, session) },
    ...{ now: Date.now, sleep },
  });
  output.result({ stacks, brought }, () => {
    output.table(
      ['STACK', 'REGION', 'STATE'],
      stacks.map(({ stackName, region, state }) => [stackName, region, colourState(state)]),
    );
    if (brought.length > 0) output.say(`${brought.length} published versions were brought to regions that lacked them`);
  });
  return 0;
}
