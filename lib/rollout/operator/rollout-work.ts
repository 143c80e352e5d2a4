/** What every step of a rollout's machine needs: the plan, the clock, and how a rollout ends. */
import pLimit from 'p-limit';
import {
  type CellRecord,
  endsWell,
  hasEnded,
  type Outcome,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type RolloutStatus,
} from '../rollout-record.ts';
import type { WaveAnswer } from './answers.ts';
import type { CellContext } from './cell-steps.ts';

/** Cells that a sentence names. */
const NAMED = 10;

/** Locks that are taken at once. */
const LOCKED_AT_ONCE = 25;

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

  /** Takes the locks. A lock of a rollout that is over, or whose execution is, is taken over. */
  protected async lock(component: string, cells: readonly RolloutCell[]): Promise<readonly Outcome[]> {
    const { store } = this.context;
    const { id } = this.plan;
    const limit = pLimit(LOCKED_AT_ONCE);
    const over = new Map<string, Promise<boolean>>();
    const isOver = (rollout: string) => {
      const known = over.get(rollout) ?? this.isOver(rollout);
      over.set(rollout, known);
      return known;
    };
    const taken = await Promise.all(
      cells.map(({ name }) =>
        limit(async (): Promise<Outcome[]> => {
          const held = await store.lock(component, name, id);
          if (!held) return [];
          const again = (await isOver(held.rollout)) ? await store.lock(component, name, id, held.rollout) : held;
          return again ? [{ cell: name, sentence: `${name} is locked by ${again.rollout} since ${again.since}` }] : [];
        }),
      ),
    );
    return taken.flat();
  }

  private async isOver(rollout: string): Promise<boolean> {
    const { record } = await this.context.store.inspect(rollout);
    if (!record || hasEnded(record.status)) return true;
    return record.status === 'running' && record.execution !== undefined && !(await this.context.isRunning(record.execution));
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
