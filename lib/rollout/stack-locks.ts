/**
 * Who changes a stack of a cell just now: rollouts, and whoever deploys or deletes by hand. One lock for each stack; and where the
 * policy has a foundation changed alone, none of the cell's components is changed meanwhile. It is taken before a change,
 * renewed during it, and looked at right before it is executed. One that nobody renews runs out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FactoryError } from '../registry/errors.ts';
import { cellStackName } from '../registry/names.ts';
import type { RolloutTable } from './rollout-table.ts';

/** Seconds that a lock lasts that nobody renews: longer than the operator takes between two looks at a change. */
const LASTS = 300;
/** Seconds between two renewals by a process. */
const RENEWED = 60;

/** A lock, as it is stored. */
export interface StackLock {
  readonly cell: string;
  readonly stack: string;
  /** A rollout, or a person with their run. */
  readonly by: string;
  /** ISO 8601, as every time here. */
  readonly since: string;
  readonly until: string;
  /** Whether everybody whom it excludes has made way. */
  readonly clear: boolean;
}

/** What is to be locked, for whom, and whether a foundation is changed alone. */
export interface Wanted extends Pick<StackLock, 'cell' | 'stack' | 'by'> {
  readonly foundationAlone: boolean;
}

const cellPk = (cell: string) => `cell#${cell}`;
const stackSk = (stack: string) => `change#${stack}`;

/** A sentence of who is in the way. */
export const inTheWay = ({ by, stack, cell, since }: StackLock): string => `${by} is changing ${stack} in ${cell}, since ${since}`;

export class StackLocks {
  private readonly held = new Map<string, { readonly wanted: Wanted; readonly taking: Promise<unknown> }>();

  constructor(private readonly table: RolloutTable) {}

  /**
   * Takes a lock, or renews it.
   * @returns the lock that is in the way, or undefined
   */
  async take({ cell, stack, by, foundationAlone }: Wanted, now: Date): Promise<StackLock | undefined> {
    const at = now.toISOString();
    const until = new Date(now.getTime() + LASTS * 1_000).toISOString();
    // Who has it is not asked again whether others make way: they would be in the middle of their change.
    const known = await this.table.get<StackLock>(cellPk(cell), stackSk(stack));
    const isOwn = known?.by === by && known.clear && known.until >= at;
    if (isOwn && (await this.table.update(cellPk(cell), stackSk(stack), { until }, { by, until: known.until }))) return undefined;
    const taken = await this.table.put(
      { pk: cellPk(cell), sk: stackSk(stack), cell, stack, by, since: at, until, clear: !foundationAlone },
      {
        ConditionExpression: 'attribute_not_exists(pk) OR #until < :now OR #by = :by',
        ExpressionAttributeNames: { '#until': 'until', '#by': 'by' },
        ExpressionAttributeValues: { ':now': at, ':by': by },
      },
    );
    if (!taken) {
      const found = await this.table.get<StackLock>(cellPk(cell), stackSk(stack));
      return found ?? this.take({ cell, stack, by, foundationAlone }, now);
    }
    if (!foundationAlone) return undefined;
    // Each writes down that it comes, and then looks: of two at the same moment, at least one sees the other.
    const others = (await this.of(cell, now)).filter((lock) => lock.by !== by && lock.stack !== stack);
    const foundation = cellStackName(cell);
    const other = stack === foundation ? others[0] : others.find((lock) => lock.stack === foundation);
    // A component makes way; a foundation keeps its lock and waits, so that no further component begins.
    if (other && stack !== foundation) await this.release({ cell, stack, by });
    if (!other) await this.table.update(cellPk(cell), stackSk(stack), { clear: true }, { by });
    return other;
  }

  /** Gives a lock back, if it is still theirs. */
  async release({ cell, stack, by }: Pick<StackLock, 'cell' | 'stack' | 'by'>): Promise<void> {
    await this.table.delete(cellPk(cell), stackSk(stack), {
      ConditionExpression: '#by = :by',
      ExpressionAttributeNames: { '#by': 'by' },
      ExpressionAttributeValues: { ':by': by },
    });
  }

  /** Locks in a cell that have not run out. */
  async of(cell: string, now: Date): Promise<readonly StackLock[]> {
    const locks = await this.table.query<StackLock>(cellPk(cell), 'change#');
    return locks.filter(({ until }) => until >= now.toISOString());
  }

  /**
   * Does `work` under the lock, which is renewed meanwhile.
   * @param patience seconds to wait for who is in the way
   * @throws FactoryError `LOCKED`
   */
  async hold<T>(wanted: Wanted, work: () => Promise<T>, patience = 30): Promise<T> {
    const key = `${wanted.cell}/${wanted.stack}`;
    for (const began = Date.now(); ; await sleep(1_000)) {
      const taking = this.take(wanted, new Date());
      // From now on: who is stopped in the middle gives back what they are about to get.
      this.held.set(key, { wanted, taking });
      const other = await taking;
      if (!other) break;
      if (Date.now() - began < patience * 1_000) continue;
      this.held.delete(key);
      await this.release(wanted);
      throw new FactoryError('LOCKED', inTheWay(other), {
        fix: `run it again when that is done; if it died, its lock runs out at ${other.until}`,
      });
    }
    // A renewal that fails leaves the lock to run out; the work fails or ends on its own.
    const timer = setInterval(() => void this.take(wanted, new Date()).catch(() => undefined), RENEWED * 1_000);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.held.delete(key);
      await this.release(wanted);
    }
  }

  /** Gives back all that is held, for a program that is about to end. */
  async releaseAll(): Promise<void> {
    const held = [...this.held.values()];
    await Promise.allSettled(held.map(({ taking }) => taking));
    await Promise.all(held.map(({ wanted }) => this.release(wanted)));
  }
}
