import type { Session } from '../aws/session.ts';
import type { InitializedPlan } from '../plan/plan.ts';
import type { Context } from './context.ts';

/** The rollouts of the organization, with tooling credentials, whatever is wrong with the definitions here. */
export async function openRollouts(context: Context) {
  const { plan, session } = await context.tooling('settings');
  return { plan, session, client: await context.rollouts(plan, session) };
}

export type OpenedRollouts = Awaited<ReturnType<typeof openRollouts>>;

/**
 * Refuses work that takes a cell from under a rollout.
 * @throws FactoryError `LOCKED` while a rollout of one of the components holds the cell
 */
export async function refuseDuringRollout(context: Context, plan: InitializedPlan, session: Session, cell: string): Promise<void> {
  const { FactoryError } = await import('../../registry/index.ts');
  const client = await context.rollouts(plan, session).catch((error: unknown) => {
    // Without the stack there are no rollouts.
    if (error instanceof FactoryError && error.code === 'NOT_INITIALIZED') return undefined;
    throw error;
  });
  if (!client) return;
  const locks = (await Promise.all(plan.components.map(({ name }) => client.store.locks(name)))).flat();
  const held = locks.find((lock) => lock.cell === cell);
  if (!held) return;
  throw new FactoryError('LOCKED', `${held.rollout} is going through ${cell}, since ${held.since}`, {
    fix: `wait until it is over, or end it with \`cellctl rollout stop ${held.rollout}\``,
  });
}
