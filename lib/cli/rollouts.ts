import type { Session } from '../aws/session.ts';
import type { Deployments } from '../monitoring/gone.ts';
import type { InitializedPlan, Plan } from '../plan/plan.ts';
import type { Component } from '../registry/index.ts';
import type { Context } from './context.ts';

/** The rollouts of the organization, with tooling credentials, whatever is wrong with the definitions here. */
export async function openRollouts(context: Context) {
  const { plan, session, partition } = await context.tooling('settings');
  return { plan, session, partition, client: await context.rollouts(plan, session) };
}

export type OpenedRollouts = Awaited<ReturnType<typeof openRollouts>>;

/** The plan of the newest published revision. @throws FactoryError `REVISION_NOT_FOUND` where nothing was published */
export async function requirePublished(context: Context, { plan, session }: OpenedRollouts): Promise<Plan> {
  const published = await context.publishedPlan(plan, session);
  if (published) return published;
  const { FactoryError } = await import('../registry/index.ts');
  throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet, and rollouts are pinned to a revision', {
    fix: 'run `cellctl publish`',
  });
}

/**
 * What rollouts have left where, by component; nothing before the first `cellctl init`. For what is gone: where nobody can tell,
 * that is said, and hides nothing else.
 */
export async function deploymentsOf(context: Context, plan: InitializedPlan, session: Session): Promise<Deployments> {
  const components = plan.components.filter(({ kind }) => kind === 'cloudformation');
  try {
    const client = await rolloutsIfAny(context, plan, session);
    return new Map(client ? await Promise.all(components.map(async ({ name }) => [name, await client.deployments(name)] as const)) : []);
  } catch (error) {
    const { asFactoryError } = await import('../registry/index.ts');
    context.output.note(`nobody can tell which components are gone: ${asFactoryError(error).message}`);
    return new Map();
  }
}

/** Names of the components that are published, and of those that leave by a rollout which is not over. */
export async function componentNames(context: Context, { plan, session, client }: OpenedRollouts): Promise<readonly string[]> {
  const [published, { removedComponents }, { hasEnded }] = await Promise.all([
    context.publishedPlan(plan, session),
    import('../rollout/removals.ts'),
    import('../rollout/rollout-record.ts'),
  ]);
  const names = published?.components.map(({ name }) => name) ?? [];
  const removed = (await removedComponents(client.store.objects)).filter((name) => !names.includes(name));
  const leaving = await Promise.all(
    removed.map(async (name) => ((await client.newest(name)).some(({ status }) => !hasEnded(status)) ? [name] : [])),
  );
  return [...names, ...leaving.flat()];
}

/** The newest rollout of each component to all cells, and those beside it that are not over; newest first. */
export async function newestRollouts(context: Context, opened: OpenedRollouts) {
  const names = await componentNames(context, opened);
  const records = (await Promise.all(names.map((name) => opened.client.newest(name)))).flat();
  return records.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

/** The same, looked at; and a sentence for each that can't be read, so that one rollout's damage hides no other. */
export async function newestViews(context: Context, opened: OpenedRollouts) {
  const [records, names, { FactoryError }] = await Promise.all([
    newestRollouts(context, opened),
    componentNames(context, opened),
    import('../registry/index.ts'),
  ]);
  const unreadable = (await Promise.all(names.map((name) => opened.client.flaw(name)))).filter((flaw) => flaw !== undefined);
  const views = await Promise.all(
    records.map(({ id }) =>
      opened.client.view(id).catch((error: unknown) => {
        if (!(error instanceof FactoryError)) throw error;
        unreadable.push(error.message);
        return undefined;
      }),
    ),
  );
  return { views: views.filter((view) => view !== undefined), unreadable };
}

/** Rollouts of the organization; undefined without their stack in tooling: then there are none. */
export async function rolloutsIfAny(context: Context, plan: InitializedPlan, session: Session) {
  const { FactoryError } = await import('../registry/index.ts');
  return context.rollouts(plan, session).catch((error: unknown) => {
    if (error instanceof FactoryError && error.code === 'NOT_INITIALIZED') return undefined;
    throw error;
  });
}

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
  const [client, { FactoryError }] = await Promise.all([rolloutsIfAny(context, plan, session), import('../registry/index.ts')]);
  if (!client) return;
  const locks = (await Promise.all(components.map(({ name }) => client.store.locks(name)))).flat();
  const held = locks.find((lock) => cells.includes(lock.cell));
  if (!held) return;
  throw new FactoryError('LOCKED', `${held.rollout} is going through ${held.cell}, since ${held.since}`, {
    fix: `wait until it is over, or end it with \`cellctl rollout stop ${held.rollout}\``,
  });
}
