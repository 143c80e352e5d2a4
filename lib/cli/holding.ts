/** Changes of stacks from this machine: under the lease of all who work from one, and under the lock that rollouts take, too. */

import type { Session } from '../aws/session.ts';
import type { HoldStack } from '../cell/deploy.ts';
import type { InitializedPlan } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { refuseDuringRollout, rolloutsIfAny } from './rollouts.ts';

export async function stackHolder(context: Context, plan: InitializedPlan, session: Session): Promise<HoldStack> {
  const [leases, client, { foundationComponent }, { cellStackName }] = await Promise.all([
    context.leases(plan, session),
    rolloutsIfAny(context, plan, session),
    import('../plan/plan.ts'),
    import('../registry/index.ts'),
  ]);
  const foundations = foundationComponent(plan);
  if (client) context.whenStopped('', () => client.store.stackLocks.releaseAll());
  return (cell, stack, work) =>
    leases.hold(`${cell}/${stack}`, async () => {
      if (!client) return work();
      const wanted = { cell, stack, by: `${context.who} (run ${context.runId})`, foundationAlone: plan.rollout.foundationAlone };
      return client.store.stackLocks.hold(wanted, async () => {
        // A rollout that came since it was looked for: it sees our lock from now on, and waits.
        const component = stack === cellStackName(cell) ? foundations?.name : stack;
        await refuseDuringRollout(context, plan, session, [cell], component === undefined ? [] : [{ name: component }]);
        return work();
      });
    });
}
