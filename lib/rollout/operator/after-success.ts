/** Looks at a rollout's cells after it has succeeded. They only report: an alarm of tomorrow is no proof against today's version. */
import { seconds } from '../../registry/index.ts';
import { hasVersion, sicknessOf } from '../health.ts';
import { afterLook, scaled } from '../looks.ts';
import type { CellRecord, RolloutRecord } from '../rollout-record.ts';
import type { AnswerTo, WaveAnswer } from './answers.ts';
import { Watching } from './watching.ts';

/** Sick cells that a record keeps, and rollouts since that are asked which cells they have touched. */
const [SICK_KEPT, LATER] = [100, 50];

export class AfterSuccess extends Watching {
  /** One look, unless their time is over, or every cell has got something else since. */
  async after(): Promise<WaveAnswer<AnswerTo<'after'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const record = await store.requireRecord(id);
    const now = this.now();
    const total = scaled(seconds(policy.watchAfter), policy.timeScale);
    const endedAt = record.endedAt ?? now;
    const until = new Date(Date.parse(endedAt) + total * 1_000).toISOString();
    if (record.status !== 'succeeded' || now >= until) return this.ended(record);
    const cells = await this.ownCells();
    if (cells.length === 0) return this.ended(record);
    const sick = await this.sickSince(cells, endedAt, record);
    // Rolled back or resumed meanwhile, it has more to say than this.
    await store.updateRecord(id, { afterwards: { until, lookedAt: now, sick } }, { status: 'succeeded' });
    const wait = Math.min(afterLook(total), Math.ceil((Date.parse(until) - Date.parse(now)) / 1_000));
    return { action: 'wait', seconds: Math.max(1, wait), sentence: `${sick.length} of ${cells.length} cells fell sick since` };
  }

  /** Cells that run the version by this rollout: a later one has not touched them. */
  private async ownCells(): Promise<readonly CellRecord[]> {
    const { store } = this.context;
    const { id, component } = this.plan;
    const newest = await store.history(component, LATER);
    const later = newest.slice(0, newest.includes(id) ? newest.indexOf(id) : LATER);
    const touched = (await Promise.all(later.map((each) => store.cells(each)))).flat();
    const gone = new Set(touched.filter(({ startedAt }) => startedAt !== undefined).map(({ cell }) => cell));
    return (await store.cells(id)).filter((cell) => hasVersion(cell) && !gone.has(cell.cell));
  }

  /** Those known before, with what was said of them then, and those that have fallen sick since. */
  private async sickSince(cells: readonly CellRecord[], endedAt: string, { afterwards }: RolloutRecord) {
    const since = cells.map((cell) => ({ ...cell, watchedFrom: endedAt }));
    const healths = await this.healthsOf(await this.cellsOf(since), since, {});
    const own = new Set(cells.map(({ cell }) => cell));
    const known = (afterwards?.sick ?? []).filter(({ cell }) => own.has(cell));
    const before = new Set(known.map(({ cell }) => cell));
    const fresh = healths.flatMap((health) => {
      const sentence = sicknessOf(health);
      return sentence === undefined || before.has(health.cell) ? [] : [{ cell: health.cell, sentence }];
    });
    return [...known, ...fresh].slice(0, SICK_KEPT);
  }
}
