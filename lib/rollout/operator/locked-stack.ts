/** A cell's stack as the operator has it: with the lock under which it is changed. */
import { cellStackName } from '../../registry/index.ts';
import type { CellRecord, RolloutCell, RolloutPlan } from '../rollout-record.ts';
import type { RolloutStore } from '../rollout-store.ts';
import { inTheWay, type StackLock, type Wanted } from '../stack-locks.ts';
import type { CellAccess } from './cell-access.ts';
import type { PublishedCells } from './live.ts';

export interface CellContext {
  readonly store: RolloutStore;
  /** The region of tooling's artifacts, and of everything that is written down. */
  readonly homeRegion: string;
  readonly access: CellAccess;
  /** The newest published registry: which cells are not to be deployed to any more. */
  readonly published: PublishedCells;
  readonly now: () => Date;
}

export abstract class LockedStack {
  constructor(
    protected readonly context: CellContext,
    protected readonly plan: RolloutPlan,
    protected readonly wave: number,
    protected readonly cell: RolloutCell,
  ) {}

  protected record(): Promise<CellRecord> {
    return this.context.store.cell(this.plan.id, this.wave, this.cell.name);
  }

  protected stack(): ReturnType<CellAccess['stack']> {
    return this.context.access.stack(this.cell, this.plan);
  }

  /**
   * Who else is changing the stack, or what excludes its change: what it says it runs is already what they want, and must not be
   * kept for what ran before. @returns undefined once the stack's lock is taken
   */
  protected async busyWith(): Promise<string | undefined> {
    const isChanging = ((await this.stack().find())?.StackStatus ?? '').endsWith('_IN_PROGRESS');
    if (isChanging) return `somebody else is changing ${this.plan.component}`;
    const other = await this.takeLock();
    return other && inTheWay(other);
  }

  private get lock(): Wanted {
    const { id, component, kind, policy } = this.plan;
    const { name: cell } = this.cell;
    const stack = kind === 'foundation' ? cellStackName(cell) : component;
    return { cell, stack, by: id, foundationAlone: policy.foundationAlone };
  }

  /** Takes the stack's lock, or renews it. @returns the lock that is in the way */
  protected takeLock(): Promise<StackLock | undefined> {
    return this.context.store.stackLocks.take(this.lock, this.context.now());
  }

  protected async giveBack(): Promise<void> {
    await this.context.store.stackLocks.release(this.lock);
  }
}
