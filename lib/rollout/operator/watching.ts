/** How the operator looks at all cells with the version: what it asks, what it takes from the answers, and what it keeps of them. */
import { apartForAlarms, type CellHealth, hasVersion, type Survey, surveyOf, watchedFrom } from '../health.ts';
import { judge, onAlarmOf, type Tally, type Verdict } from '../judge.ts';
import type { CellRecord, Control, RolloutCell, RolloutWave, VerdictRecord, WaveRecord } from '../rollout-record.ts';
import { forEach, RolloutWork } from './rollout-work.ts';

/** Cells without the version that a verdict compares with, at most. */
const OTHERS = 100;
/** Verdicts that a record keeps: the newest. */
const VERDICTS_KEPT = 50;

/** What a look has shown, and what it means. */
interface Seen extends Survey {
  readonly healths: readonly CellHealth[];
  readonly verdict: Verdict;
  readonly records: readonly CellRecord[];
}

export abstract class Watching extends RolloutWork {
  /** Looks at every cell with the version, each since its own deployment, and judges what it sees. */
  protected async survey(
    wave: RolloutWave,
    record: WaveRecord,
    records: readonly CellRecord[],
    { control, requestsSince }: { readonly control: Control; readonly requestsSince?: string | undefined },
  ): Promise<Seen> {
    const { policy, cures } = this.plan;
    const now = this.now();
    const began = record.deployBeganAt ?? now;
    const exposed = records.filter(hasVersion);
    const cells = await this.cellsOf(exposed);
    const healths = await this.healthsOf(cells, records, { requestsSince, wave: wave.number });
    const continued = control.continued?.at;
    const survey = surveyOf(records, healths, { wave: wave.number, began, now, cures, continued });
    const apart = apartForAlarms(records).length;
    const others =
      survey.sick.length > 0 && onAlarmOf(wave, policy, survey.own.sick > 0) === 'judge'
        ? await this.others(records, began)
        : { cells: 0, sick: 0 };
    const verdict = judge({ wave, policy, ...survey, others, apart, began, now });
    return { ...survey, healths, verdict, records };
  }

  /** Keeps what is known of alarms that have cleared, and every verdict but a hold, which is none. */
  protected async keep({ verdict, records }: Seen, wave: number): Promise<void> {
    const { store } = this.context;
    const { id } = this.plan;
    if (verdict.verdict === 'well' || verdict.verdict === 'hold') return;
    const at = this.now();
    if (verdict.verdict === 'blip') {
      const known = new Map(records.map((record) => [record.cell, record]));
      for (const { cell, since } of verdict.cells) {
        await store.updateCell(id, { cell, watchedFrom: at, lastBlipAt: since, blips: (known.get(cell)?.blips ?? 0) + 1 });
      }
    }
    if (verdict.verdict === 'alone') for (const { cell, since } of verdict.cells) await store.updateCell(id, { cell, lastBlipAt: since });
    const cells = 'cells' in verdict ? verdict.cells.map(({ cell }) => cell) : [verdict.cell];
    const numbers = 'numbers' in verdict && verdict.numbers ? { numbers: verdict.numbers } : {};
    const kept: VerdictRecord = { at, wave, verdict: verdict.verdict, sentence: verdict.sentence, cells: cells.slice(0, 20), ...numbers };
    const { verdicts = [] } = await store.requireRecord(id);
    await store.updateRecord(id, { verdicts: [...verdicts, kept].slice(-VERDICTS_KEPT) });
  }

  /** @param wave whose cells are asked for requests, too */
  protected async healthsOf(
    cells: readonly RolloutCell[],
    records: readonly CellRecord[],
    { requestsSince, wave }: { readonly requestsSince?: string | undefined; readonly wave?: number },
  ): Promise<readonly CellHealth[]> {
    const { component, kind, traffic, removal } = this.plan;
    const known = new Map(records.filter(hasVersion).map((record) => [record.cell, record]));
    const now = this.now();
    return forEach(cells, (cell) => {
      const record = known.get(cell.name);
      const asked = record?.wave === wave ? requestsSince : undefined;
      const question = { component, kind, traffic, removal, firedSince: record && watchedFrom(record), requestsSince: asked, now };
      return this.context.access.health(cell, question);
    });
  }

  /** Cells without the version, and how many of them fell sick in the same time: nobody expects them to be better. */
  private async others(records: readonly CellRecord[], firedSince: string): Promise<Tally> {
    const { store } = this.context;
    const { id, waves, component, kind, traffic, removal } = this.plan;
    const known = new Set(records.filter(hasVersion).map(({ cell }) => cell));
    const names = new Set(
      waves
        .toReversed()
        .flatMap(({ cells }) => cells.filter((cell) => !known.has(cell)))
        .slice(0, OTHERS),
    );
    const lists = waves.filter(({ cells }) => cells.some((cell) => names.has(cell)));
    const cells = (await Promise.all(lists.map(({ number }) => store.cellsIn(id, number)))).flat().filter(({ name }) => names.has(name));
    const question = { component, kind, traffic, removal, firedSince, requestsSince: undefined, now: this.now() };
    const healths = await forEach(cells, (cell) => this.context.access.health(cell, question));
    return {
      cells: healths.length,
      sick: healths.filter(({ alarms, fired }) => fired.length > 0 || alarms.some(({ state }) => state === 'ALARM')).length,
    };
  }
}
