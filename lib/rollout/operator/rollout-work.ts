/** What every step of a rollout's machine needs: the plan, the clock, and how a rollout ends. */
import {
  type CellRecord,
  endsWell,
  hasEnded,
  type Outcome,
  type RolloutPlan,
  type RolloutRecord,
  type RolloutStatus,
} from '../rollout-record.ts';
import type { WaveAnswer } from './answers.ts';
import type { CellContext } from './cell-steps.ts';

/** Cells that a sentence names. */
const NAMED = 10;

export interface WaveContext extends CellContext {
  /** Whether the execution is under way. */
  readonly isRunning: (execution: string) => Promise<boolean>;
}

export abstract class RolloutWork {
  constructor(
    protected readonly context: WaveContext,
    protected readonly plan: RolloutPlan,
  ) {}

  protected now(): string {
    return this.context.now().toISOString();
  }

  /** Ends it, unless somebody has asked for something since `record` was read. */
  protected async endUnless({ control }: RolloutRecord, status: RolloutStatus, outcome: Outcome): Promise<WaveAnswer<'end'> | undefined> {
    const told = status === 'succeeded' ? await this.withExceptions(outcome) : outcome;
    const unchanged = await this.context.store.updateRecord(this.plan.id, { outcome: told }, { control, status: 'running' });
    return unchanged ? this.end(status, told) : undefined;
  }

  /** The outcome, with the cells that were left out, or rolled back alone, on the way. */
  private async withExceptions(outcome: Outcome): Promise<Outcome> {
    const cells = (await this.context.store.cells(this.plan.id)).filter((cell) => cell.status === 'skipped' || cell.apart !== undefined);
    if (cells.length === 0) return outcome;
    const why = ({ apart, status, sentence = 'skipped' }: CellRecord) =>
      apart === undefined ? sentence : status === 'pending' ? apart : `rolled back alone: ${apart}`;
    const named = cells.slice(0, NAMED).map((cell) => `${cell.cell} (${why(cell)})`);
    const more = cells.length > NAMED ? ` and ${cells.length - NAMED} more` : '';
    return { ...outcome, sentence: `${outcome.sentence}, but for ${named.join(', ')}${more}` };
  }

  /** What the machine is told of a rollout that does not go on. */
  protected ended({ status, outcome, through }: RolloutRecord): WaveAnswer<'end'> {
    return { action: 'end', well: endsWell(status, through), sentence: outcome?.sentence ?? status };
  }

  /** Writes the end down, and gives the locks back: last, so that nobody begins while the record says it runs. */
  protected async end(status: RolloutStatus, outcome: Outcome): Promise<WaveAnswer<'end'>> {
    const { store } = this.context;
    const { id, component } = this.plan;
    const ended = hasEnded(status);
    if (status === 'stopped') {
      // Nobody looks at them any more.
      const open = (await store.waves(this.plan)).filter((wave) => ['preflight', 'deploying', 'baking'].includes(wave.status));
      for (const { number } of open) {
        await store.updateWave(id, number, { status: 'failed', sentence: outcome.sentence, endedAt: this.now() });
      }
    }
    await store.updateRecord(id, { status, outcome, ...(ended ? { endedAt: this.now() } : {}) });
    if (ended) await store.releaseLocks(component, id);
    return this.ended(await store.requireRecord(id));
  }
}
