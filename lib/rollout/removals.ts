/** Components that leave: by which rollouts, from which cells. What the registry has of them is gone; records are not. */
import type { CellPlan, Plan } from '../plan/plan.ts';
import { type Component, FactoryError, type Objects, type RegistryStore } from '../registry/index.ts';
import { type DraftInput, draftRollout } from './draft.ts';
import type { Draft } from './rollout-queue.ts';
import { REMOVED, type Removal } from './rollout-record.ts';

/** Keys in the artifacts' bucket that name components which were removed: the registry doesn't, and tables are read by name. */
const PREFIX = 'rollouts/removals/';

/** Remembers that the component is being removed, so that its rollouts are found by who knows no name. */
export const noteRemoval = async (objects: Objects, component: string): Promise<unknown> =>
  objects.put(`${PREFIX}${component}`, '{}', { absent: true });

/** Names of components that were, or are being, removed; some may be back by now. */
export const removedComponents = async (objects: Objects): Promise<readonly string[]> =>
  (await objects.list(PREFIX)).map((key) => key.slice(PREFIX.length));

/**
 * The plan as it would be with the component in it still, and without the cells that don't have its stack: nobody has to wait for
 * a bake of a cell in which nothing happens.
 * @param last the component's last entry
 * @param cells names of the cells that have its stack
 */
export function planWithLeaving(plan: Plan, last: Component, cells: readonly string[]): Plan {
  const has = ({ name }: CellPlan) => cells.includes(name);
  // What it depended on may be gone, too.
  const leaving: Component = { ...last, dependsOn: [], minRequests: 0 };
  return { ...plan, components: [...plan.components, leaving], cells: plan.cells.filter(has), elsewhere: [] };
}

interface RemovalInput extends Pick<DraftInput, 'by' | 'timeScale' | 'only' | 'emergency' | 'now'> {
  /** From {@link planWithLeaving}. */
  readonly plan: Plan;
  readonly component: string;
  readonly removal: Removal;
  readonly reason: string | undefined;
}

/**
 * The removal of a component as a rollout: the waves, bakes and approvals of a version, with the end of its stack in place of it.
 * Where no staging cell has the stack, production begins: there is nothing left to try it on.
 */
export const draftRemoval = ({ reason, ...input }: RemovalInput): Draft =>
  draftRollout({
    ...input,
    reason: reason ?? `${input.component} is not in the registry any more`,
    artifact: { version: REMOVED, digest: '' },
    allowReplacement: [],
    withoutStaging: !input.plan.cells.some(({ stage }) => stage === 'staging'),
  });

/** The published revisions, as far as they are looked at. */
type Revisions = Pick<RegistryStore, 'latest' | 'revision'>;

/** The component's entry in the newest revision that has one; undefined where none ever had. One that can't be read is passed over. */
export async function lastEntryOf(revisions: Revisions, component: string): Promise<Component | undefined> {
  const newest = await revisions.latest();
  for (let number = newest?.published.revision ?? 0; number > 0; number--) {
    const registry = number === newest?.published.revision ? newest : await revisions.revision(number).catch(unreadable);
    const found = registry?.organization.components[component];
    if (found) return found;
  }
  return undefined;
}

/** @throws unless it is about a revision that is damaged or missing */
function unreadable(error: unknown): undefined {
  if (error instanceof FactoryError && ['DOCUMENT_INVALID', 'REVISION_NOT_FOUND'].includes(error.code)) return undefined;
  throw error;
}
