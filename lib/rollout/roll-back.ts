/** What is rolled back, and how a rollout ends that did so. Pure. */
import type { RolloutPolicy } from '../registry/index.ts';
import { and } from './health.ts';
import type { Back, CellRecord, Control, Outcome, RolloutStatus } from './rollout-record.ts';

/** Cells that a sentence names. */
const NAMED = 10;

const named = (cells: readonly CellRecord[], text: (cell: CellRecord) => string): string =>
  `${cells.slice(0, NAMED).map(text).join(', ')}${cells.length > NAMED ? ` and ${cells.length - NAMED} more` : ''}`;

/**
 * Whether the cell runs the version, or may: what a rollback rolls back. One that failed before its change set was
 * executed has never changed.
 */
export const isTouched = ({ status, unchanged, executing }: CellRecord): boolean =>
  unchanged !== true &&
  (['deploying', 'deployed', 'restoring', 'not restored'].includes(status) ||
    // False says that an earlier attempt has changed it.
    (status === 'failed' && (executing === true || unchanged === false)));

/** What is rolled back: what a person asked for, or else what a verdict says, or else the policy. */
export const backOf = (policy: RolloutPolicy, { rollback }: Control, back?: Back): Back =>
  (rollback && { scope: rollback.scope }) ?? back ?? { scope: policy.onFailure === 'rollback-all' ? 'all' : 'wave' };

/**
 * Cells to roll back, latest wave first: all that the rollout changed, those of one wave, or some. When a wave fails, that is the
 * wave; a person who asks for it means the last that changed anything, not one that still waits for its turn.
 */
export function toRestore(
  cells: readonly CellRecord[],
  wave: number,
  policy: RolloutPolicy,
  control: Control,
  back?: Back,
): readonly CellRecord[] {
  const touched = cells.filter(isTouched);
  const last = control.rollback ? Math.max(...touched.map((cell) => cell.wave)) : wave;
  const wanted = backOf(policy, control, back);
  return touched
    .filter((cell) => (wanted.scope === 'cells' ? wanted.cells.includes(cell.cell) : wanted.scope === 'all' || cell.wave === last))
    .sort((a, b) => b.wave - a.wave || (a.cell < b.cell ? -1 : 1));
}

/**
 * How a rollout ends that rolled cells back.
 * @param waves numbers of those whose cells were to be rolled back: what still runs the version there is named, whyever it does
 */
export function afterRollback(
  cells: readonly CellRecord[],
  waves: readonly number[],
  outcome: Outcome,
): { readonly status: RolloutStatus; readonly outcome: Outcome } {
  const stuck = cells.filter((cell) => cell.status === 'not restored' || (waves.includes(cell.wave) && isTouched(cell)));
  if (stuck.length === 0) return { status: 'rolled back', outcome };
  const names = and(
    stuck.map(({ cell, status, sentence }) => `${cell} (${(status === 'not restored' && sentence) || `${status}, no reason known`})`),
    10,
  );
  return { status: 'rolled back in part', outcome: { ...outcome, sentence: `${outcome.sentence}. Not rolled back: ${names}` } };
}

/**
 * The outcome, with cells that were left as they are: those that ran the version before the rollout, where nothing was changed
 * that could be rolled back, and those that run another version by now.
 */
export function toldRollback(outcome: Outcome, cells: readonly CellRecord[], version: string): Outcome {
  const same = cells.find(({ cell, status, unchanged }) => cell === outcome.cell && status === 'deployed' && unchanged === true);
  const replaced = cells.filter(({ status }) => status === 'replaced');
  const rest = cells.some(({ status }) => status === 'restored' || status === 'not restored');
  return {
    ...outcome,
    sentence: [
      outcome.sentence,
      ...(same ? [`Nothing was changed in ${same.cell}, which ran ${version} before, and it is still sick`] : []),
      ...(replaced.length > 0 && !rest ? [`Nothing was rolled back: no cell runs ${version} any more`] : []),
      ...(replaced.length > 0 ? [`Left as they are: ${named(replaced, ({ cell, sentence = '' }) => `${cell} (${sentence})`)}`] : []),
    ].join('. '),
  };
}
