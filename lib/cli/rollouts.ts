import type { Session } from '../aws/session.ts';
import type { InitializedPlan } from '../plan/plan.ts';
import type { Component } from '../registry/index.ts';
import type { Context } from './context.ts';

/** The rollouts of the organization, with tooling credentials, whatever is wrong with the definitions here. */
export async function openRollouts(context: Context) {
  const { plan, session } = await context.tooling('settings');
  return { plan, session, client: await context.rollouts(plan, session) };
}

export type OpenedRollouts = Awaited<ReturnType<typeof openRollouts>>;

/**
 * Refuses work that takes cells from under a rollout.
 * @param components whose rollouts would be in the way
 * @throws FactoryError `LOCKED` while a rollout of one of the components holds one of the cells
 */
export async function refuseDuringRollout(
  context: Context,
  plan: InitializedPlan,
  session: Session,
  cells: readonly string[],
  components: readonly Pick<Component, 'name'>[],
): Promise<void> {
  if (components.length === 0) return;
  const { FactoryError } = await import('../registry/index.ts');
  const client = await context.rollouts(plan, session).catch((error: unknown) => {
    // Without the stack there are no rollouts.
    if (error instanceof FactoryError && error.code === 'NOT_INITIALIZED') return undefined;
    throw error;
  });
  if (!client) return;
  const locks = (await Promise.all(components.map(({ name }) => client.store.locks(name)))).flat();
  const held = locks.find((lock) => cells.includes(lock.cell));
  if (!held) return;
  throw new FactoryError('LOCKED', `${held.rollout} is going through ${held.cell}, since ${held.since}`, {
    fix: `wait until it is over, or end it with \`cellctl rollout stop ${held.rollout}\``,
  });
}
