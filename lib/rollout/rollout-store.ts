/**
 * Where a rollout's records are read and written: plan and cells in the artifacts' bucket, status and locks in the table.
 * Every write that could lose a race carries its condition.
 */
import pLimit from 'p-limit';
import type { Session } from '../aws/session.ts';
import { FactoryError, type Objects, ROLLOUT_DEFAULTS } from '../registry/index.ts';
import { Drivers } from './drivers.ts';
import { Freezes } from './freezes.ts';
import {
  type CellRecord,
  ENDED,
  type Lane,
  type Lock,
  type Pointer,
  planKey,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type WaveRecord,
  waveKey,
} from './rollout-record.ts';
import { type Item, RolloutTable, type TransactItem, updateOf } from './rollout-table.ts';
import { StackLocks } from './stack-locks.ts';
import { parseRecord } from './stored-record.ts';
import {
  ACTIVE,
  CELL,
  cellSk,
  componentPk,
  historySk,
  lockSk,
  pointerKey,
  RECORD,
  rolloutPk,
  sentSk,
  unknownRollout,
  untouchedWave,
  WAVE,
  type Written,
  waveSk,
  wavesOf,
  writtenOf,
} from './written.ts';

/** Items that are written or deleted at once. */
const CONCURRENCY = 25;

/** A patch: what is `undefined` in it is removed. */
type Patch<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** What must still be so for a write to happen: the values of these attributes. */
type Expected = Readonly<Partial<RolloutRecord>>;

/** Pinned plans and lists of cells that are kept: an operator that is called often has a few rollouts at a time. */
const PINNED_KEPT = 20;

export class RolloutStore {
  private readonly table: RolloutTable;
  readonly freezes: Freezes;
  readonly drivers: Drivers;
  readonly stackLocks: StackLocks;
  /** What is pinned never changes, and is asked for with every step. */
  private readonly pinned = new Map<string, unknown>();

  /** @param objects the artifacts' bucket of the home region */
  constructor(
    session: Partial<Session>,
    table: string,
    readonly objects: Objects,
  ) {
    this.table = new RolloutTable(session, table);
    this.freezes = new Freezes(this.table);
    this.drivers = new Drivers(this.table);
    this.stackLocks = new StackLocks(this.table);
  }

  // The pinned plan

  async plan(id: string): Promise<RolloutPlan> {
    return this.keep(planKey(id), async (key) => {
      const pinned = await this.object<Omit<RolloutPlan, 'kind' | 'traffic'> & Partial<RolloutPlan>>(key, id);
      // One that was pinned by an older factory lacks what has come since: kinds, traffic, parts of the policy.
      const policy = { ...ROLLOUT_DEFAULTS, ...pinned.policy };
      return { kind: 'cloudformation', traffic: [pinned.component], ...pinned, policy };
    });
  }

  async cellsIn(id: string, wave: number): Promise<readonly RolloutCell[]> {
    return this.keep(waveKey(id, wave), (key) => this.object<readonly RolloutCell[]>(key, id));
  }

  private async keep<T>(key: string, read: (key: string) => Promise<T>): Promise<T> {
    if (this.pinned.has(key)) return this.pinned.get(key) as T;
    const found = await read(key);
    if (this.pinned.size >= PINNED_KEPT) this.pinned.clear();
    this.pinned.set(key, found);
    return found;
  }

  async object<T>(key: string, id: string): Promise<T> {
    const found = await this.objects.get(key);
    if (found) return JSON.parse(found.text) as T;
    throw new FactoryError('ROLLOUT_UNKNOWN', `${id}: there is no ${key} in ${this.objects.bucket}`, {
      fix: 'list what there is with `cellctl rollout history <component>`',
    });
  }

  /** Writes what nobody may change afterwards. Written already, it stays as it is. */
  async writeOnce(key: string, value: unknown): Promise<void> {
    await this.objects.put(key, JSON.stringify(value), { absent: true });
  }

  // The record

  /** @throws FactoryError `RECORD_INVALID` for one that is damaged */
  async record(id: string): Promise<RolloutRecord | undefined> {
    const item = await this.table.get<Item>(rolloutPk(id), RECORD);
    return item && parseRecord(id, item);
  }

  /** The record, or why there is none that can be read: one rollout's damage must not stop others. */
  async inspect(id: string): Promise<{ readonly record: RolloutRecord | undefined; readonly flaw: string | undefined }> {
    try {
      const record = await this.record(id);
      return { record, flaw: record ? undefined : 'its record is missing' };
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== 'RECORD_INVALID') throw error;
      return { record: undefined, flaw: error.message };
    }
  }

  /** Ends a rollout whose record is damaged or gone, so that the next one of its lane can begin. */
  async giveUp(id: string, lane: Lane): Promise<void> {
    const outcome = { sentence: 'its record could not be read, and another rollout took over' };
    const isThere = (await this.table.get<Item>(rolloutPk(id), RECORD)) !== undefined;
    if (isThere) await this.updateRecord(id, { status: 'stopped', outcome, endedAt: new Date().toISOString() });
    await this.releaseLocks(lane.component, id);
  }

  /** @throws FactoryError `ROLLOUT_UNKNOWN` */
  async requireRecord(id: string): Promise<RolloutRecord> {
    return (await this.record(id)) ?? unknownRollout(id);
  }

  /** Record, waves and cells of a rollout by one read, where each step would take three. @throws FactoryError as {@link requireRecord} */
  async written(plan: RolloutPlan): Promise<Written> {
    return writtenOf(plan, await this.table.entries(rolloutPk(plan.id), ''));
  }

  /** What the table says of each wave of the plan; a wave that nobody has begun is `pending`. */
  async waves(plan: RolloutPlan): Promise<readonly WaveRecord[]> {
    return wavesOf(plan, await this.table.query(rolloutPk(plan.id), WAVE));
  }

  async wave(id: string, number: number): Promise<WaveRecord> {
    return { ...untouchedWave(number), ...(await this.table.get<Partial<WaveRecord>>(rolloutPk(id), waveSk(number))) };
  }

  /** Every cell that something was done to, or was about to be. */
  async cells(id: string): Promise<readonly CellRecord[]> {
    return this.table.query<CellRecord>(rolloutPk(id), CELL);
  }

  async cell(id: string, wave: number, cell: string): Promise<CellRecord> {
    return (await this.table.get<CellRecord>(rolloutPk(id), cellSk(cell))) ?? { cell, wave, status: 'pending' };
  }

  /** @returns false when `expected` no longer holds, and nothing was written */
  async updateRecord(id: string, patch: Patch<RolloutRecord>, expected: Expected = {}): Promise<boolean> {
    return this.table.update(rolloutPk(id), RECORD, { ...patch, updatedAt: new Date().toISOString() }, expected);
  }

  async updateWave(id: string, number: number, patch: Patch<WaveRecord>): Promise<void> {
    await this.table.update(rolloutPk(id), waveSk(number), { ...patch, number });
  }

  /**
   * Counts a cell that is to begin, unless as many have begun as may before the next look.
   * @returns false when it may not begin yet
   */
  async admit(id: string, wave: number): Promise<boolean> {
    return this.table.countBelow(rolloutPk(id), waveSk(wave), 'begun', 'admitted');
  }

  async updateCell(id: string, record: Patch<CellRecord> & Pick<CellRecord, 'cell'>): Promise<void> {
    await this.table.update(rolloutPk(id), cellSk(record.cell), { ...record });
  }

  /**
   * Has the rollout run again, if nobody else has set it going, and no later one of its lane has begun.
   * @param expected what the record must still say
   * @returns false when one of the two is so, and nothing was written
   */
  async drive(id: string, lane: Lane, patch: Patch<RolloutRecord>, expected: Expected): Promise<boolean> {
    return this.table.transact([
      this.recordUpdate(id, patch, expected),
      {
        ConditionCheck: {
          TableName: this.table.name,
          Key: pointerKey(lane),
          ConditionExpression: '#rollout = :id',
          ExpressionAttributeNames: { '#rollout': 'rollout' },
          ExpressionAttributeValues: { ':id': id },
        },
      },
    ]);
  }

  private recordUpdate(id: string, patch: Patch<RolloutRecord>, expected: Expected): TransactItem {
    const update = updateOf({ ...patch, updatedAt: new Date().toISOString() }, expected);
    return { Update: { TableName: this.table.name, Key: { pk: rolloutPk(id), sk: RECORD }, ...update } };
  }

  /**
   * The same for one that has waited for its turn: the lane's pointer goes on from `before` to it.
   * @returns false when somebody else was first, and nothing was written
   */
  async begin(id: string, lane: Lane, patch: Patch<RolloutRecord>, expected: Expected, before: string | undefined): Promise<boolean> {
    return this.table.transact([this.recordUpdate(id, patch, expected), ...this.pointTo(id, lane, before)]);
  }

  // One active rollout in a lane, and the history of a component

  /** The rollout that the lane's pointer names. Whether it has ended stands in its record. */
  async active(lane: Lane): Promise<string | undefined> {
    const { pk, sk } = pointerKey(lane);
    return (await this.table.get<{ rollout?: string }>(pk, sk))?.rollout;
  }

  /** The pointers of all lanes of the component. */
  async lanePointers(component: string): Promise<readonly Pointer[]> {
    const entries = await this.table.entries(componentPk(component), ACTIVE);
    return entries.map(({ sk, item }) => {
      const rollout = item['rollout'];
      return { only: sk === ACTIVE ? undefined : sk.slice(ACTIVE.length + 1), rollout: typeof rollout === 'string' ? rollout : undefined };
    });
  }

  /** Has the lane's pointer name another rollout, or none, whatever has become of the one that it named. */
  async movePointer(lane: Lane, from: string | undefined, to: string | undefined): Promise<void> {
    const { pk, sk } = pointerKey(lane);
    await this.table.update(pk, sk, { rollout: to }, from === undefined ? {} : { rollout: from });
  }

  /** Has the next number be above `number`, if nobody has taken one since `last`. */
  async raiseNumber(component: string, last: number, number: number): Promise<void> {
    await this.table.update(componentPk(component), ACTIVE, { count: number }, { count: last });
  }

  /** A number that no other rollout of the component has. */
  async nextNumber(component: string): Promise<number> {
    return this.table.count(componentPk(component), ACTIVE, 'count');
  }

  /**
   * Writes a new rollout down: cells and plan first, then, in one step, its record, its place in the history, and the
   * lane's pointer, if that still names `before`, and `before` is still over.
   * @returns false when somebody else was first
   */
  async create(
    plan: RolloutPlan,
    cells: readonly (readonly RolloutCell[])[],
    record: RolloutRecord,
    before: string | undefined,
  ): Promise<boolean> {
    await this.pin(plan, cells);
    return this.table.transact([...this.newRecord(plan, record), ...this.pointTo(plan.id, plan, before)]);
  }

  /** The same for one that waits for its turn: no pointer names it yet. @returns false when the id is taken */
  async enqueue(plan: RolloutPlan, cells: readonly (readonly RolloutCell[])[], record: RolloutRecord): Promise<boolean> {
    await this.pin(plan, cells);
    return this.table.transact(this.newRecord(plan, record));
  }

  /** Writes what is fixed, in objects of its own. */
  private async pin(plan: RolloutPlan, cells: readonly (readonly RolloutCell[])[]): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    await Promise.all(plan.waves.map(({ number }) => limit(() => this.writeOnce(waveKey(plan.id, number), cells[number] ?? []))));
    await this.writeOnce(planKey(plan.id), plan);
  }

  private newRecord({ id, component, startedAt }: RolloutPlan, record: RolloutRecord): TransactItem[] {
    return [
      {
        Put: {
          TableName: this.table.name,
          Item: { pk: rolloutPk(id), sk: RECORD, ...record },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      { Put: { TableName: this.table.name, Item: { pk: componentPk(component), sk: historySk(startedAt, id), rollout: id } } },
    ];
  }

  /** Has the lane's pointer name the rollout, if it still names `before`, and that is still over. */
  private pointTo(id: string, lane: Lane, before: string | undefined): TransactItem[] {
    const pointer = before === undefined ? 'attribute_not_exists(#rollout)' : '#rollout = :before';
    return [
      {
        Update: {
          TableName: this.table.name,
          Key: pointerKey(lane),
          UpdateExpression: 'SET #rollout = :id',
          ConditionExpression: pointer,
          ExpressionAttributeNames: { '#rollout': 'rollout' },
          ExpressionAttributeValues: { ':id': id, ...(before === undefined ? {} : { ':before': before }) },
        },
      },
      ...(before === undefined ? [] : [this.isOver(before)]),
    ];
  }

  /** Somebody may just have begun to roll it back. */
  private isOver(id: string): TransactItem {
    const values = Object.fromEntries(ENDED.map((status, index) => [`:s${index}`, status]));
    return {
      ConditionCheck: {
        TableName: this.table.name,
        Key: { pk: rolloutPk(id), sk: RECORD },
        // A record that is gone has nothing more to say.
        ConditionExpression: `attribute_not_exists(pk) OR #status IN (${Object.keys(values).join(', ')})`,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: values,
      },
    };
  }

  /** Ids of the component's rollouts, newest first. */
  async history(component: string, limit: number): Promise<readonly string[]> {
    const items = await this.table.query<{ rollout: string }>(componentPk(component), 'rollout#', { newestFirst: true, limit });
    return items.map(({ rollout }) => rollout);
  }

  // What cells were sent

  /** Keys of what the component's stack in the cell was sent last, and of what it was sent before, while the end of that is open. */
  async sentKeys(component: string, cell: string): Promise<readonly string[]> {
    const { last, before } = (await this.table.get<{ last?: string; before?: string }>(componentPk(component), sentSk(cell))) ?? {};
    return [last, before].filter((key) => key !== undefined);
  }

  /** @param before what the stack was sent before. @default - none: `last` is what it runs */
  async noteSent(component: string, cell: string, last: string, before?: string): Promise<void> {
    await this.table.update(componentPk(component), sentSk(cell), { last, before });
  }

  // Locks

  /**
   * Takes the component's lock in the cell for the rollout, which may have it already.
   * @param dead a rollout whose lock may be taken over
   * @returns the lock that is in the way, or undefined
   */
  async lock(component: string, cell: string, rollout: string, dead?: string): Promise<Lock | undefined> {
    const since = new Date().toISOString();
    const taken = await this.table.put(
      { pk: componentPk(component), sk: lockSk(cell), cell, rollout, since },
      {
        ConditionExpression: 'attribute_not_exists(pk) OR #rollout = :rollout OR #rollout = :dead',
        ExpressionAttributeNames: { '#rollout': 'rollout' },
        ExpressionAttributeValues: { ':rollout': rollout, ':dead': dead ?? rollout },
      },
    );
    if (taken) return undefined;
    return (await this.table.get<Lock>(componentPk(component), lockSk(cell))) ?? this.lock(component, cell, rollout, dead);
  }

  /** True while the rollout holds the component's lock in the cell. */
  async holds(component: string, cell: string, rollout: string): Promise<boolean> {
    return (await this.table.get<Lock>(componentPk(component), lockSk(cell)))?.rollout === rollout;
  }

  async locks(component: string): Promise<readonly Lock[]> {
    return this.table.query<Lock>(componentPk(component), 'lock#');
  }

  /** Gives back every lock of the rollout; another's stays. */
  async releaseLocks(component: string, rollout: string): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    const own = (await this.locks(component)).filter((lock) => lock.rollout === rollout);
    await Promise.all(own.map(({ cell }) => limit(() => this.unlock(component, cell, rollout))));
  }

  /** Gives a lock back, if the rollout has it. */
  async unlock(component: string, cell: string, rollout: string): Promise<void> {
    await this.table.delete(componentPk(component), lockSk(cell), {
      ConditionExpression: '#rollout = :rollout',
      ExpressionAttributeNames: { '#rollout': 'rollout' },
      ExpressionAttributeValues: { ':rollout': rollout },
    });
  }
}
