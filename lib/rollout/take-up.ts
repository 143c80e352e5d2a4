/** How a rollout goes on that its pipeline had left. */
import type { RolloutRecord } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';

/** Rollouts of a component among which one is looked for that came later. */
const LATER = 50;

/**
 * Has a rollout that stopped because its pipeline had left it be where it stood, for a stage to take on.
 * @returns false where a later one of its component came, or somebody else was quicker
 */
export async function takeUp(store: RolloutStore, record: RolloutRecord): Promise<boolean> {
  const { id, component, runs, status } = record;
  const { stop: _stop, ...control } = record.control;
  const patch = { control, outcome: undefined, endedAt: undefined };
  const expected = { status, control: record.control };
  // One that has begun is its lane's last, or was.
  if (runs > 0) return store.drive(id, record, { ...patch, status: 'between waves' }, expected);
  const history = await store.history(component, LATER);
  const later = await Promise.all(history.slice(0, Math.max(0, history.indexOf(id))).map((each) => store.inspect(each)));
  if (!history.includes(id) || later.some((each) => each.record?.only === record.only)) return false;
  return store.updateRecord(id, { ...patch, status: 'queued' }, expected);
}
