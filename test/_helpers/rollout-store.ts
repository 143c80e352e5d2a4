/** The table of rollouts in memory, with the conditions that the real one has. */
import type { Drivers, Sign } from '../../lib/rollout/drivers.ts';
import type { Freezes } from '../../lib/rollout/freezes.ts';
import {
  type CellRecord,
  hasEnded,
  type Lane,
  type Lock,
  planKey,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type WaveRecord,
  waveKey,
} from '../../lib/rollout/rollout-record.ts';
import { RolloutStore } from '../../lib/rollout/rollout-store.ts';
import type { RolloutTable } from '../../lib/rollout/rollout-table.ts';
import { type StackLock, StackLocks } from '../../lib/rollout/stack-locks.ts';
import type { Written } from '../../lib/rollout/written.ts';
import { MemoryObjects } from './objects.ts';

type Patch<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** An item with the patch on it; what is undefined in the patch is gone. */
const patched = <T extends object>(item: T, patch: Patch<T>): T =>
  Object.fromEntries(Object.entries({ ...item, ...patch }).filter(([, value]) => value !== undefined)) as T;

const key = (...parts: readonly (string | number)[]) => parts.join('#');

const laneOf = ({ component, only = '' }: Lane) => `${component}/${only}`;

/** The same decisions, over a map. */
class MemoryStackLocks extends StackLocks {
  constructor() {
    const cells = new Map<string, Map<string, StackLock>>();
    const of = (pk: string) => cells.get(pk) ?? cells.set(pk, new Map()).get(pk) ?? new Map<string, StackLock>();
    const table = {
      get: async (pk: string, sk: string) => of(pk).get(sk),
      update: async (pk: string, sk: string, patch: Partial<StackLock>, { by, until }: Partial<StackLock>) => {
        const known = of(pk).get(sk);
        if (!known || known.by !== by || (until !== undefined && known.until !== until)) return false;
        of(pk).set(sk, { ...known, ...patch });
        return true;
      },
      put: async ({ pk, sk, ...lock }: StackLock & { pk: string; sk: string }) => {
        const known = of(pk).get(sk);
        if (known && known.until >= lock.since && known.by !== lock.by) return false;
        of(pk).set(sk, lock);
        return true;
      },
      delete: async (pk: string, sk: string, { ExpressionAttributeValues: values }: { ExpressionAttributeValues: { ':by': string } }) =>
        of(pk).get(sk)?.by === values[':by'] && of(pk).delete(sk),
      query: async (pk: string) => [...of(pk).values()],
    };
    super(table as unknown as RolloutTable);
  }
}

class MemoryDrivers implements Pick<Drivers, 'of' | 'sign' | 'leave'> {
  private readonly signs = new Map<string, Sign>();

  async of(id: string): Promise<Sign | undefined> {
    return this.signs.get(id);
  }

  async sign(id: string, sign: Omit<Sign, 'left'>): Promise<void> {
    const known = this.signs.get(id);
    const { left: _left, ...rest }: Sign = known ?? sign;
    this.signs.set(id, rest.by === sign.by ? { ...rest, at: sign.at } : sign);
  }

  async leave(id: string, by: string, left: string): Promise<boolean> {
    const known = this.signs.get(id);
    if (known?.by !== by) return false;
    this.signs.set(id, { ...known, left });
    return true;
  }
}

export class MemoryRolloutStore extends RolloutStore {
  override readonly drivers = new MemoryDrivers() as unknown as Drivers;
  override readonly stackLocks = new MemoryStackLocks();
  override readonly freezes = { list: async () => [] } as unknown as Freezes;
  private readonly records = new Map<string, RolloutRecord>();
  private readonly waveRecords = new Map<string, WaveRecord>();
  /** By rollout, then by cell. */
  private readonly cellRecords = new Map<string, Map<string, CellRecord>>();
  private readonly pointers = new Map<string, { count: number; rollout?: string }>();
  private readonly histories = new Map<string, string[]>();
  /** By component, then by cell. */
  private readonly lockRecords = new Map<string, Map<string, Lock>>();
  /** Keys of what was sent, by component and cell. */
  private readonly sent = new Map<string, readonly string[]>();
  /** What was parsed already: objects of a rollout never change. */
  private readonly parsed = new Map<string, unknown>();

  constructor(private readonly now: () => Date) {
    super({ region: 'memory' }, 'memory', new MemoryObjects());
  }

  override async object<T>(name: string, id: string): Promise<T> {
    const known = this.parsed.get(name) ?? (await super.object<T>(name, id));
    this.parsed.set(name, known);
    return known as T;
  }

  override async plan(id: string): Promise<RolloutPlan> {
    return this.object(planKey(id), id);
  }

  override async cellsIn(id: string, wave: number): Promise<readonly RolloutCell[]> {
    return this.object(waveKey(id, wave), id);
  }

  override async record(id: string): Promise<RolloutRecord | undefined> {
    return this.records.get(id);
  }

  override async written(plan: RolloutPlan): Promise<Written> {
    const [record, waves, cells] = await Promise.all([this.requireRecord(plan.id), this.waves(plan), this.cells(plan.id)]);
    return { record, waves, cells };
  }

  override async waves(plan: RolloutPlan): Promise<readonly WaveRecord[]> {
    return Promise.all(plan.waves.map(({ number }) => this.wave(plan.id, number)));
  }

  override async wave(id: string, number: number): Promise<WaveRecord> {
    return this.waveRecords.get(key(id, number)) ?? { number, status: 'pending', attempts: 0 };
  }

  override async cells(id: string): Promise<readonly CellRecord[]> {
    return [...(this.cellRecords.get(id)?.values() ?? [])];
  }

  override async cell(id: string, wave: number, cell: string): Promise<CellRecord> {
    return this.cellRecords.get(id)?.get(cell) ?? { cell, wave, status: 'pending' };
  }

  override async updateRecord(id: string, patch: Patch<RolloutRecord>, expected: Partial<RolloutRecord> = {}): Promise<boolean> {
    const record = this.records.get(id);
    if (!record || Object.entries(expected).some(([name, value]) => Reflect.get(record, name) !== value)) return false;
    this.records.set(id, patched(record, { ...patch, updatedAt: this.now().toISOString() }));
    return true;
  }

  override async drive(id: string, lane: Lane, patch: Patch<RolloutRecord>, expected: Partial<RolloutRecord>): Promise<boolean> {
    return this.pointers.get(laneOf(lane))?.rollout === id && (await this.updateRecord(id, patch, expected));
  }

  override async begin(
    id: string,
    lane: Lane,
    patch: Patch<RolloutRecord>,
    expected: Partial<RolloutRecord>,
    before: string | undefined,
  ): Promise<boolean> {
    if (!this.isFree(lane, before) || !(await this.updateRecord(id, patch, expected))) return false;
    this.pointers.set(laneOf(lane), { count: 0, ...this.pointers.get(laneOf(lane)), rollout: id });
    return true;
  }

  /** Whether the lane's pointer still names `before`, and that is over. */
  private isFree(lane: Lane, before: string | undefined): boolean {
    const last = before === undefined ? undefined : this.records.get(before);
    return this.pointers.get(laneOf(lane))?.rollout === before && (!last || hasEnded(last.status));
  }

  override async updateWave(id: string, number: number, patch: Patch<WaveRecord>): Promise<void> {
    this.waveRecords.set(key(id, number), patched(await this.wave(id, number), patch));
  }

  override async admit(id: string, number: number): Promise<boolean> {
    const { begun = 0, admitted = 0 } = await this.wave(id, number);
    if (begun >= admitted) return false;
    await this.updateWave(id, number, { begun: begun + 1 });
    return true;
  }

  override async updateCell(id: string, record: Patch<CellRecord> & Pick<CellRecord, 'cell'>): Promise<void> {
    const cells = this.cellRecords.get(id) ?? new Map<string, CellRecord>();
    cells.set(record.cell, patched(cells.get(record.cell) ?? (record as CellRecord), record));
    this.cellRecords.set(id, cells);
  }

  override async active(lane: Lane): Promise<string | undefined> {
    return this.pointers.get(laneOf(lane))?.rollout;
  }

  override async nextNumber(component: string): Promise<number> {
    const pointer = this.pointers.get(laneOf({ component })) ?? { count: 0 };
    this.pointers.set(laneOf({ component }), { ...pointer, count: pointer.count + 1 });
    return pointer.count + 1;
  }

  override async create(
    plan: RolloutPlan,
    cells: readonly (readonly RolloutCell[])[],
    record: RolloutRecord,
    before: string | undefined,
  ): Promise<boolean> {
    if (!this.isFree(plan, before) || !(await this.enqueue(plan, cells, record))) return false;
    this.pointers.set(laneOf(plan), { count: 0, ...this.pointers.get(laneOf(plan)), rollout: plan.id });
    return true;
  }

  override async enqueue(plan: RolloutPlan, cells: readonly (readonly RolloutCell[])[], record: RolloutRecord): Promise<boolean> {
    for (const { number } of plan.waves) await this.writeOnce(waveKey(plan.id, number), cells[number] ?? []);
    await this.writeOnce(planKey(plan.id), plan);
    if (this.records.has(plan.id)) return false;
    this.records.set(plan.id, record);
    this.histories.set(plan.component, [plan.id, ...(this.histories.get(plan.component) ?? [])]);
    return true;
  }

  override async history(component: string, limit: number): Promise<readonly string[]> {
    return (this.histories.get(component) ?? []).slice(0, limit);
  }

  override async sentKeys(component: string, cell: string): Promise<readonly string[]> {
    return this.sent.get(key(component, cell)) ?? [];
  }

  override async noteSent(component: string, cell: string, ...keys: (string | undefined)[]): Promise<void> {
    this.sent.set(
      key(component, cell),
      keys.filter((each) => each !== undefined),
    );
  }

  override async lock(component: string, cell: string, rollout: string, dead?: string): Promise<Lock | undefined> {
    const locks = this.lockRecords.get(component) ?? new Map<string, Lock>();
    this.lockRecords.set(component, locks);
    const held = locks.get(cell);
    if (held && held.rollout !== rollout && held.rollout !== dead) return held;
    locks.set(cell, { cell, rollout, since: this.now().toISOString() });
    return undefined;
  }

  override async holds(component: string, cell: string, rollout: string): Promise<boolean> {
    return this.lockRecords.get(component)?.get(cell)?.rollout === rollout;
  }

  override async locks(component: string): Promise<readonly Lock[]> {
    return [...(this.lockRecords.get(component)?.values() ?? [])];
  }

  override async releaseLocks(component: string, rollout: string): Promise<void> {
    const locks = this.lockRecords.get(component);
    for (const lock of locks?.values() ?? []) if (lock.rollout === rollout) locks?.delete(lock.cell);
  }
}
