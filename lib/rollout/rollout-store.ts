/**
 * Where a rollout's records are read and written: plan and cells in the artifacts' bucket, status and locks in the table.
 * Every write that could lose a race carries its condition.
 */
import { ConditionalCheckFailedException, DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import pLimit from 'p-limit';
import type { Session } from '../aws/session.ts';
import { FactoryError, type Objects } from '../registry/index.ts';
import {
  type CellRecord,
  ENDED,
  type Lane,
  planKey,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type WaveRecord,
  waveKey,
} from './rollout-record.ts';

/** Items that are written or deleted at once. */
const CONCURRENCY = 25;

const rolloutPk = (id: string) => `rollout#${id}`;
const componentPk = (component: string) => `component#${component}`;
/** The pointer to the last rollout of a lane that has begun. */
const pointerKey = ({ component, only }: Lane) => ({ pk: componentPk(component), sk: only === undefined ? ACTIVE : `${ACTIVE}#${only}` });
const RECORD = 'record';
const ACTIVE = 'active';
const waveSk = (wave: number) => `wave#${String(wave).padStart(3, '0')}`;
const cellSk = (cell: string) => `cell#${cell}`;
const lockSk = (cell: string) => `lock#${cell}`;
const historySk = (startedAt: string, id: string) => `rollout#${startedAt}#${id}`;

type Item = Record<string, unknown>;
type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
/** A patch: what is `undefined` in it is removed. */
type Patch<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface Lock {
  readonly cell: string;
  readonly rollout: string;
  readonly since: string;
}

/** What must still be so for a write to happen: the values of these attributes. */
type Expected = Readonly<Partial<RolloutRecord>>;

/** Plans that are kept: an operator that is called often has a few rollouts at a time. */
const PLANS_KEPT = 20;

function withoutKeys<T>(item: Item): T {
  const { pk: _pk, sk: _sk, ...rest } = item;
  return rest as T;
}

const untouched = (number: number): WaveRecord => ({ number, status: 'pending', attempts: 0 });

const isConflict = (error: unknown) => error instanceof ConditionalCheckFailedException || error instanceof TransactionCanceledException;

export class RolloutStore {
  private readonly db: DynamoDBDocumentClient;
  /** A plan never changes, and is asked for with every step. */
  private readonly plans = new Map<string, RolloutPlan>();

  /** @param objects the artifacts' bucket of the home region */
  constructor(
    session: Partial<Session>,
    private readonly table: string,
    readonly objects: Objects,
  ) {
    const client = new DynamoDBClient({ ...session, maxAttempts: 6 });
    this.db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  }

  // The pinned plan

  async plan(id: string): Promise<RolloutPlan> {
    const known = this.plans.get(id);
    if (known) return known;
    const pinned = await this.object<Omit<RolloutPlan, 'kind' | 'traffic'> & Partial<RolloutPlan>>(planKey(id), id);
    // Those of before foundations were rolled out don't say it.
    const plan: RolloutPlan = { kind: 'cloudformation', traffic: [pinned.component], ...pinned };
    if (this.plans.size >= PLANS_KEPT) this.plans.clear();
    this.plans.set(id, plan);
    return plan;
  }

  async cellsIn(id: string, wave: number): Promise<readonly RolloutCell[]> {
    return this.object<readonly RolloutCell[]>(waveKey(id, wave), id);
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

  async record(id: string): Promise<RolloutRecord | undefined> {
    return this.get<RolloutRecord>(rolloutPk(id), RECORD);
  }

  /** @throws FactoryError `ROLLOUT_UNKNOWN` */
  async requireRecord(id: string): Promise<RolloutRecord> {
    const found = await this.record(id);
    if (found) return found;
    throw new FactoryError('ROLLOUT_UNKNOWN', `there is no rollout ${id}`, {
      fix: 'list what there is with `cellctl rollout history <component>`',
    });
  }

  /** What the table says of each wave of the plan; a wave that nobody has begun is `pending`. */
  async waves(plan: RolloutPlan): Promise<readonly WaveRecord[]> {
    const found = new Map((await this.query<Partial<WaveRecord>>(rolloutPk(plan.id), 'wave#')).map((wave) => [wave.number, wave]));
    return plan.waves.map(({ number }) => ({ ...untouched(number), ...found.get(number) }));
  }

  async wave(id: string, number: number): Promise<WaveRecord> {
    return { ...untouched(number), ...(await this.get<Partial<WaveRecord>>(rolloutPk(id), waveSk(number))) };
  }

  /** Every cell that something was done to, or was about to be. */
  async cells(id: string): Promise<readonly CellRecord[]> {
    return this.query<CellRecord>(rolloutPk(id), 'cell#');
  }

  async cell(id: string, wave: number, cell: string): Promise<CellRecord> {
    return (await this.get<CellRecord>(rolloutPk(id), cellSk(cell))) ?? { cell, wave, status: 'pending' };
  }

  /** @returns false when `expected` no longer holds, and nothing was written */
  async updateRecord(id: string, patch: Patch<RolloutRecord>, expected: Expected = {}): Promise<boolean> {
    return this.update(rolloutPk(id), RECORD, { ...patch, updatedAt: new Date().toISOString() }, expected);
  }

  async updateWave(id: string, number: number, patch: Patch<WaveRecord>): Promise<void> {
    await this.update(rolloutPk(id), waveSk(number), { ...patch, number });
  }

  async updateCell(id: string, record: Patch<CellRecord> & Pick<CellRecord, 'cell'>): Promise<void> {
    await this.update(rolloutPk(id), cellSk(record.cell), { ...record });
  }

  /**
   * Has the rollout run again, if nobody else has set it going, and no later one of its lane has begun.
   * @param expected what the record must still say
   * @returns false when one of the two is so, and nothing was written
   */
  async drive(id: string, lane: Lane, patch: Patch<RolloutRecord>, expected: Expected): Promise<boolean> {
    return this.transact([
      this.recordUpdate(id, patch, expected),
      {
        ConditionCheck: {
          TableName: this.table,
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
    return { Update: { TableName: this.table, Key: { pk: rolloutPk(id), sk: RECORD }, ...update } };
  }

  /**
   * The same for one that has waited for its turn: the lane's pointer goes on from `before` to it.
   * @returns false when somebody else was first, and nothing was written
   */
  async begin(id: string, lane: Lane, patch: Patch<RolloutRecord>, expected: Expected, before: string | undefined): Promise<boolean> {
    return this.transact([this.recordUpdate(id, patch, expected), ...this.pointTo(id, lane, before)]);
  }

  // One active rollout in a lane, and the history of a component

  /** The rollout that the lane's pointer names. Whether it has ended stands in its record. */
  async active(lane: Lane): Promise<string | undefined> {
    const { pk, sk } = pointerKey(lane);
    return (await this.get<{ rollout?: string }>(pk, sk))?.rollout;
  }

  /** A number that no other rollout of the component has. */
  async nextNumber(component: string): Promise<number> {
    const { Attributes } = await this.db.send(
      new UpdateCommand({
        TableName: this.table,
        Key: { pk: componentPk(component), sk: ACTIVE },
        UpdateExpression: 'ADD #count :one',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(Attributes?.['count']);
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
    return this.transact([...this.newRecord(plan, record), ...this.pointTo(plan.id, plan, before)]);
  }

  /** The same for one that waits for its turn: no pointer names it yet. @returns false when the id is taken */
  async enqueue(plan: RolloutPlan, cells: readonly (readonly RolloutCell[])[], record: RolloutRecord): Promise<boolean> {
    await this.pin(plan, cells);
    return this.transact(this.newRecord(plan, record));
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
        Put: { TableName: this.table, Item: { pk: rolloutPk(id), sk: RECORD, ...record }, ConditionExpression: 'attribute_not_exists(pk)' },
      },
      { Put: { TableName: this.table, Item: { pk: componentPk(component), sk: historySk(startedAt, id), rollout: id } } },
    ];
  }

  /** Has the lane's pointer name the rollout, if it still names `before`, and that is still over. */
  private pointTo(id: string, lane: Lane, before: string | undefined): TransactItem[] {
    const pointer = before === undefined ? 'attribute_not_exists(#rollout)' : '#rollout = :before';
    return [
      {
        Update: {
          TableName: this.table,
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
        TableName: this.table,
        Key: { pk: rolloutPk(id), sk: RECORD },
        ConditionExpression: `#status IN (${Object.keys(values).join(', ')})`,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: values,
      },
    };
  }

  /** Ids of the component's rollouts, newest first. */
  async history(component: string, limit: number): Promise<readonly string[]> {
    const items = await this.query<{ rollout: string }>(componentPk(component), 'rollout#', { newestFirst: true, limit });
    return items.map(({ rollout }) => rollout);
  }

  // Locks

  /**
   * Takes the component's lock in the cell for the rollout, which may have it already.
   * @param dead a rollout whose lock may be taken over
   * @returns the lock that is in the way, or undefined
   */
  async lock(component: string, cell: string, rollout: string, dead?: string): Promise<Lock | undefined> {
    try {
      await this.db.send(
        new PutCommand({
          TableName: this.table,
          Item: { pk: componentPk(component), sk: lockSk(cell), cell, rollout, since: new Date().toISOString() },
          ConditionExpression: 'attribute_not_exists(pk) OR #rollout = :rollout OR #rollout = :dead',
          ExpressionAttributeNames: { '#rollout': 'rollout' },
          ExpressionAttributeValues: { ':rollout': rollout, ':dead': dead ?? rollout },
        }),
      );
      return undefined;
    } catch (error) {
      if (!isConflict(error)) throw error;
      return (await this.get<Lock>(componentPk(component), lockSk(cell))) ?? this.lock(component, cell, rollout, dead);
    }
  }

  /** True while the rollout holds the component's lock in the cell. */
  async holds(component: string, cell: string, rollout: string): Promise<boolean> {
    return (await this.get<Lock>(componentPk(component), lockSk(cell)))?.rollout === rollout;
  }

  async locks(component: string): Promise<readonly Lock[]> {
    return this.query<Lock>(componentPk(component), 'lock#');
  }

  /** Gives back every lock of the rollout; another's stays. */
  async releaseLocks(component: string, rollout: string): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    const own = (await this.locks(component)).filter((lock) => lock.rollout === rollout);
    await Promise.all(own.map(({ cell }) => limit(() => this.release(component, cell, rollout))));
  }

  private async release(component: string, cell: string, rollout: string): Promise<void> {
    try {
      await this.db.send(
        new DeleteCommand({
          TableName: this.table,
          Key: { pk: componentPk(component), sk: lockSk(cell) },
          ConditionExpression: '#rollout = :rollout',
          ExpressionAttributeNames: { '#rollout': 'rollout' },
          ExpressionAttributeValues: { ':rollout': rollout },
        }),
      );
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  // The table

  private async get<T>(pk: string, sk: string): Promise<T | undefined> {
    const { Item } = await this.db.send(new GetCommand({ TableName: this.table, Key: { pk, sk }, ConsistentRead: true }));
    return Item && withoutKeys<T>(Item);
  }

  private async query<T>(pk: string, prefix: string, options: { newestFirst?: boolean; limit?: number } = {}): Promise<T[]> {
    const { newestFirst = false, limit = Number.POSITIVE_INFINITY } = options;
    const found: T[] = [];
    const pages = paginateQuery(
      { client: this.db },
      {
        TableName: this.table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
        ConsistentRead: true,
        ScanIndexForward: !newestFirst,
      },
    );
    for await (const page of pages) {
      found.push(...(page.Items ?? []).map((item) => withoutKeys<T>(item)));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** All of it, or nothing. @returns false when a condition does not hold */
  private async transact(TransactItems: TransactItem[]): Promise<boolean> {
    try {
      await this.db.send(new TransactWriteCommand({ TransactItems }));
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  private async update(pk: string, sk: string, patch: Item, expected: Expected = {}): Promise<boolean> {
    try {
      await this.db.send(
        new UpdateCommand({
          TableName: this.table,
          Key: { pk, sk },
          ...updateOf(patch, expected),
        }),
      );
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }
}

/** What an update changes, and what must still be so. */
function updateOf(patch: Item, expected: Expected) {
  const names: Record<string, string> = {};
  const values: Item = {};
  const set: string[] = [];
  const remove: string[] = [];
  for (const [index, [name, value]] of Object.entries(patch).entries()) {
    names[`#n${index}`] = name;
    if (value === undefined) remove.push(`#n${index}`);
    else {
      values[`:v${index}`] = value;
      set.push(`#n${index} = :v${index}`);
    }
  }
  const conditions = Object.entries(expected).map(([name, value], index) => {
    names[`#e${index}`] = name;
    values[`:e${index}`] = value;
    return `#e${index} = :e${index}`;
  });
  const expression = [set.length > 0 ? `SET ${set.join(', ')}` : '', remove.length > 0 ? `REMOVE ${remove.join(', ')}` : ''];
  return {
    UpdateExpression: expression.join(' ').trim(),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ...(conditions.length > 0 ? { ConditionExpression: conditions.join(' AND ') } : {}),
  };
}
