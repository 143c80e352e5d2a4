/** What a rollback found besides cells to roll back, as people are told. Pure. */
import type { CellRecord, Outcome } from './rollout-record.ts';

/** Cells that a sentence names. */
const NAMED = 10;

const named = (cells: readonly CellRecord[], text: (cell: CellRecord) => string): string =>
  `${cells.slice(0, NAMED).map(text).join(', ')}${cells.length > NAMED ? ` and ${cells.length - NAMED} more` : ''}`;

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
