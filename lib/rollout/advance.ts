/** What a rollout does between two waves. Pure. */
import { interrupted } from './decide.ts';
import type { Outcome, RolloutRecord, RolloutStatus, WaveRecord } from './rollout-record.ts';

/** What the rollout does next, between two waves. */
export type RolloutStep =
  | { readonly action: 'wave'; readonly wave: number }
  | { readonly action: 'end'; readonly status: RolloutStatus; readonly outcome: Outcome };

/** The next wave, or the end. */
export function advance(record: RolloutRecord, waves: readonly WaveRecord[]): RolloutStep {
  if (record.status !== 'running') {
    return { action: 'end', status: record.status, outcome: record.outcome ?? { sentence: record.status } };
  }
  const next = waves.find(({ status }) => status !== 'passed');
  const { through = Number.POSITIVE_INFINITY } = record;
  // Whoever died on the way back goes on with it: forward would bring the version to where it was just taken from.
  const returning = waves.find(({ status }) => status === 'rolling back');
  if (returning) return { action: 'wave', wave: returning.number };
  if (record.control.rollback) {
    // The wave that is in work, or else the last that passed: RunWave is the only one that rolls back.
    const begun = waves.filter(({ attempts }) => attempts > 0);
    return { action: 'wave', wave: begun.at(-1)?.number ?? 0 };
  }
  const where = record.only ?? 'every cell of its waves';
  const sentence = `${record.component} ${record.version} is in ${where}`;
  if (!next) return { action: 'end', status: 'succeeded', outcome: { sentence } };
  const halt = interrupted(record.control);
  if (halt?.action === 'end') return halt;
  if (next.number > through) {
    const passed = `wave ${through} has passed; the next stage of its pipeline takes it on`;
    return { action: 'end', status: 'between waves', outcome: { wave: through, sentence: passed } };
  }
  return { action: 'wave', wave: next.number };
}
