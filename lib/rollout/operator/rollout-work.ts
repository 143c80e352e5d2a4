/** What every step of a rollout's machine needs: the plan, the clock, and how a rollout ends. */
import { endsWell, hasEnded, type Outcome, type RolloutPlan, type RolloutRecord, type RolloutStatus } from '../rollout-record.ts';
import type { WaveAnswer } from './answers.ts';
import type { CellContext } from './cell-steps.ts';

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
    const unchanged = await this.context.store.updateRecord(this.plan.id, { outcome }, { control, status: 'running' });
    return unchanged ? this.end(status, outcome) : undefined;
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
