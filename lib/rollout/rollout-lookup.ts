/** Looks rollouts up, and says how they are. Changes nothing. */
import { FactoryError } from '../registry/index.ts';
import type { Executions } from './executions.ts';
import { hasEnded, type RolloutPlan, type RolloutRecord } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';
import type { Written } from './written.ts';

/** Everything that is known of a rollout. */
export interface RolloutView extends Written {
  readonly plan: RolloutPlan;
  /** False where the record says that it runs, and no execution does: it can be resumed, or another one begun. */
  readonly alive: boolean;
}

/** What brought a component to a cell. */
export interface Deployment {
  readonly rollout: string;
  readonly version: string;
}

/** Rollouts of a component among which one is looked for: it is one of the first, as a rule. */
const LOOKED_BACK = [20, 500, 10_000];

export class RolloutLookup {
  constructor(
    protected readonly executions: Executions,
    readonly store: RolloutStore,
  ) {}

  /**
   * The id of a rollout, by its id or by its component: then the newest to all cells, or else to one.
   * @throws FactoryError `ROLLOUT_UNKNOWN`
   */
  async resolve(name: string): Promise<string> {
    if (await this.store.record(name)) return name;
    const [newest] = await this.newest(name);
    if (newest) return newest.id;
    throw new FactoryError('ROLLOUT_UNKNOWN', `there is no rollout ${name}, and none of a component of that name`, {
      fix: 'begin one with `cellctl rollout start <component> --release <version>`',
    });
  }

  /** @throws FactoryError `ROLLOUT_UNKNOWN` */
  async view(id: string): Promise<RolloutView> {
    const plan = await this.store.plan(id);
    const written = await this.store.written(plan);
    const alive = await this.isAlive(written.record);
    // An execution ends right after it has written down how: one that ended between the two looks has not died.
    if (!alive && (await this.store.requireRecord(id)).updatedAt !== written.record.updatedAt) return this.view(id);
    return { plan, ...written, alive };
  }

  /** Rollouts of the component, newest first, whose records can be read. */
  async history(component: string, limit: number): Promise<readonly RolloutRecord[]> {
    return (await this.readable(component, limit)).records;
  }

  /** What is wrong with the component's newest rollout; undefined where its record can be read. */
  async flaw(component: string): Promise<string | undefined> {
    const [newest] = await this.store.history(component, 1);
    const flaw = newest === undefined ? undefined : (await this.store.inspect(newest)).flaw;
    return flaw && `${newest}: ${flaw}`;
  }

  /** Those of the newest `limit` rollouts whose records can be read, and whether there are no older ones. */
  private async readable(component: string, limit: number): Promise<{ records: readonly RolloutRecord[]; isAll: boolean }> {
    const ids = await this.store.history(component, limit);
    const found = await Promise.all(ids.map((id) => this.store.inspect(id)));
    return { records: found.flatMap(({ record }) => (record ? [record] : [])), isAll: ids.length < limit };
  }

  /** The newest rollout of the component to all cells, or else to one; then those to one cell that are not over. */
  async newest(component: string): Promise<readonly RolloutRecord[]> {
    const { found, records } = await this.lookBack(component, ({ only }) => only === undefined);
    const main = found ?? records[0];
    const beside = records.filter((record) => record.only !== undefined && record !== main && !hasEnded(record.status));
    return main ? [main, ...beside] : [];
  }

  /**
   * The version that the component's cells are at: that of the newest rollout to all of them which has succeeded.
   * @returns undefined where none has
   */
  async current(component: string): Promise<Pick<RolloutRecord, 'version' | 'digest'> | undefined> {
    const { found } = await this.lookBack(component, ({ status, only }) => status === 'succeeded' && only === undefined);
    // One that has left runs nowhere, whatever ran before.
    return found && found.removal !== true ? { version: found.version, digest: found.digest } : undefined;
  }

  /**
   * What is to be where: what the newest rollout to all cells which has succeeded left in each, and those to one cell since.
   * @returns by name of the cell; a cell that was left out is missing
   */
  async deployments(component: string): Promise<ReadonlyMap<string, Deployment>> {
    const { found, records } = await this.lookBack(component, ({ status, only }) => status === 'succeeded' && only === undefined);
    const places = new Map<string, Deployment>();
    const since = found ? records.slice(0, records.indexOf(found) + 1) : [];
    for (const { id, version, status, removal } of since.toReversed()) {
      if (status !== 'succeeded') continue;
      for (const { cell, status: state } of await this.store.cells(id)) {
        if (state !== 'deployed') continue;
        if (removal === true) places.delete(cell);
        else places.set(cell, { rollout: id, version });
      }
    }
    return places;
  }

  /** The newest rollout that is wanted, and all that were looked at for it: few, where it is one of the last. */
  private async lookBack(component: string, wanted: (record: RolloutRecord) => boolean) {
    let records: readonly RolloutRecord[] = [];
    for (const limit of LOOKED_BACK) {
      const read = await this.readable(component, limit);
      records = read.records;
      const found = records.find(wanted);
      if (found || read.isAll) return { found, records };
    }
    return { found: undefined, records };
  }

  /** False where the record says that it runs, and no execution does. */
  async isAlive({ status, execution }: RolloutRecord): Promise<boolean> {
    return status !== 'running' || (execution !== undefined && (await this.executions.isRunning(execution)));
  }
}

/** How the stage of a pipeline is that goes to this wave. */
export function stageOf(
  { record, waves, plan }: RolloutView,
  through: number,
): { state: 'going on' | 'passed' | 'failed'; sentence: string } {
  const { status, outcome } = record;
  const own = waves.filter(({ number }) => number <= through);
  if (own.every((wave) => wave.status === 'passed'))
    return { state: 'passed', sentence: own.at(-1)?.sentence ?? `wave ${through} has passed` };
  const open = waves.find((wave) => wave.status !== 'passed');
  const sentence = outcome?.sentence ?? open?.sentence ?? `${plan.id} is ${status}`;
  return { state: hasEnded(status) || status === 'paused' ? 'failed' : 'going on', sentence };
}
