/** What a person can do next about a rollout, as commands. Pure. */
import type { RolloutRecord, RolloutStatus } from './rollout-record.ts';

/** A status of a rollout, or `dead`: the record says that it runs, and nothing drives it. */
export type Standing = RolloutStatus | 'dead';

/** Whether nothing more happens unless a person does something, who may not have asked for that. */
export const needsSomebody = (standing: Standing): boolean => NEEDS.includes(standing);

const NEEDS: readonly Standing[] = ['awaiting approval', 'awaiting decision', 'stopped', 'rolled back', 'rolled back in part', 'dead'];

const BECAUSE = '--reason "…"';

/** The commands that have it go on or back, the likelier one first; none where it goes on by itself, or is over for good. */
export function waysOut({ id, runs }: Pick<RolloutRecord, 'id' | 'runs'>, standing: Standing): readonly string[] {
  const rollout = `cellctl rollout`;
  const [resume, back] = [`${rollout} resume ${id}`, `${rollout} rollback ${id} ${BECAUSE}`];
  switch (standing) {
    case 'awaiting approval':
      return [`${rollout} approve ${id}`, back];
    case 'awaiting decision':
      return [`${rollout} continue ${id} ${BECAUSE}`, back];
    case 'stopped':
      // One that has begun nothing has nothing to go on with: another went instead.
      return runs === 0 ? [] : [resume, back];
    case 'paused':
    case 'dead':
      return [resume, back];
    case 'rolled back in part':
      return [back, resume];
    case 'rolled back':
      return [resume];
    default:
      return [];
  }
}

/** The command for cells that are sick after the rollout has succeeded. */
export const takeBack = (id: string): string => `cellctl rollout rollback ${id} ${BECAUSE}`;
