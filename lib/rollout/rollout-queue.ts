/** How rollouts are written down, and what pipelines do with them: they queue up, are taken on stage by stage, and are left. */
import { randomUUID } from 'node:crypto';
import { FactoryError } from '../registry/index.ts';
import type { Sign } from './drivers.ts';
import { type PipelineStage, reachOf } from './executions.ts';
import { RolloutLookup, stageOf } from './rollout-lookup.ts';
import { type Control, hasEnded, isLeft, planKey, type RolloutCell, type RolloutPlan, type RolloutRecord } from './rollout-record.ts';
import { takeUp } from './take-up.ts';

/** A rollout that is about to be written down. */
export interface Draft {
  readonly plan: Omit<RolloutPlan, 'id' | 'startedAt'>;
  /** By number of the wave. */
  readonly cells: readonly (readonly RolloutCell[])[];
}

/** Rollouts of a component among which one may still be queued: each that comes later ends those before it. */
const QUEUE = 100;

export class RolloutQueue extends RolloutLookup {
  /**
   * Writes a rollout down that the stages of a pipeline take on, one wave each, when its turn comes: the newest of those that
   * wait is the next, and those before it are over. A pipeline that is run again for the same version finds its own rollout.
   */
  async enqueue({ plan: draft, cells }: Draft): Promise<RolloutRecord> {
    const own = await this.unfinished(draft);
    if (own) return own;
    const { plan, record, number } = await this.newRollout(draft);
    if (!(await this.store.enqueue(plan, cells, record))) {
      throw new FactoryError('RECORD_CONFLICT', `there is a rollout ${plan.id} already`, { fix: 'run the command again' });
    }
    const before = await this.history(plan.component, QUEUE);
    const outcome = { sentence: `${plan.id} (${plan.version}) is newer, and goes instead` };
    for (const { id, status } of before) {
      if (status !== 'queued' || numberOf(id) >= number) continue;
      // One whose turn has just come goes on.
      await this.store.updateRecord(id, { status: 'stopped', outcome, endedAt: plan.startedAt }, { status: 'queued' });
    }
    return record;
  }

  /**
   * Has an execution take the rollout on as far as the stage of a pipeline goes, unless one is at it already, or its wave has
   * passed. Whether the stage has ended well, `stageOf` says.
   * @returns the execution that was started, if one was
   */
  async runStage(id: string, stage: PipelineStage): Promise<string | undefined> {
    const record = await this.store.requireRecord(id);
    // A pipeline that had failed is run again.
    if (isLeft(record)) await takeUp(this.store, record);
    // Asked for, and not seen yet: it is taken back.
    const { status, control } = record;
    const { stop, ...rest } = control;
    if (status === 'running' && stop?.pipeline) await this.store.updateRecord(id, { control: rest }, { status, control });
    const view = await this.view(id);
    const reach = reachOf(stage, view.plan.waves);
    const { state } = stageOf(view, reach);
    const isAtIt = view.record.status === 'running' && view.alive && view.record.through === reach;
    if (state !== 'going on' || isAtIt) return undefined;
    // A name of its own: that of an execution that has ended is not free for ninety days.
    const name = `${id}-stage-${stage.through}-${randomUUID().slice(0, 8)}`;
    await this.executions.start(name, { rollout: id, stage });
    return this.executions.idOf(name);
  }

  /**
   * Whether a stage's rollout, which nobody drives just now, is taken on when its turn comes.
   * @param started what {@link runStage} has returned
   */
  async isAwaited({ status }: Pick<RolloutRecord, 'status'>, started: string | undefined): Promise<boolean> {
    if (status !== 'queued' && status !== 'between waves') return true;
    return started !== undefined && (await this.executions.isRunning(started));
  }

  /** The rollout of the same version that is not over, or was left by its pipeline and can go on; undefined where there is none. */
  private async unfinished({ component, only, drill, version, digest }: Draft['plan']): Promise<RolloutRecord | undefined> {
    if (only !== undefined || drill !== undefined) return undefined;
    const active = await this.store.active({ component });
    for (const record of await this.history(component, QUEUE)) {
      if (record.only !== undefined || record.version !== version || record.digest !== digest) continue;
      const goesOn = (!hasEnded(record.status) && !isToEnd(record.control)) || (isLeft(record) && record.id === active);
      if (goesOn && (await this.store.plan(record.id)).drill === undefined) return record;
    }
    return undefined;
  }

  /** Says that whoever drives the rollout is at it. */
  async sign(id: string, sign: Omit<Sign, 'at' | 'left'>): Promise<void> {
    await this.store.drivers.sign(id, { ...sign, at: new Date().toISOString() });
  }

  /**
   * Says that whoever drives the rollout has left it: its pipeline has failed or was cancelled. The operator hears of it at its
   * next look, and stops the rollout or rolls it back, as the policy says; between two waves at once.
   * @returns false where somebody else has taken over, or it is over, and nothing was done
   */
  async leave(id: string, by: string, why: string): Promise<boolean> {
    const { status, through = 0 } = await this.store.requireRecord(id);
    if (hasEnded(status) || !(await this.store.drivers.leave(id, by, why))) return false;
    if (status === 'running') return true;
    await this.executions.start(`${id}-left-${randomUUID().slice(0, 8)}`, {
      rollout: id,
      stage: { through, approved: false, last: false },
    });
    return true;
  }

  /** A rollout that nobody drives yet. */
  protected async newRollout(draft: Draft['plan']): Promise<{ plan: RolloutPlan; record: RolloutRecord; number: number }> {
    const { component, only, removal, version, digest, by } = draft;
    const number = await this.freeNumber(component);
    const id = `${component}-${number}`;
    const startedAt = new Date().toISOString();
    const revision = draft.registry.revision;
    const record: RolloutRecord = {
      ...{ id, component, version, digest, by, startedAt, revision },
      ...{ status: 'queued', updatedAt: startedAt, control: {}, runs: 0 },
      ...(only === undefined ? {} : { only }),
      ...(removal === undefined ? {} : { removal: true }),
    };
    return { plan: { ...draft, id, startedAt }, record, number };
  }

  /** A number whose plan nobody has written: where the counter was lost, that would be another rollout's plan. */
  private async freeNumber(component: string): Promise<number> {
    const isTaken = async (number: number) => (await this.store.objects.get(planKey(`${component}-${number}`))) !== undefined;
    let number = await this.store.nextNumber(component);
    if (!(await isTaken(number))) return number;
    const [newest = ''] = await this.store.history(component, 1);
    await this.store.raiseNumber(component, number, Math.max(number, numberOf(newest)));
    do number = await this.store.nextNumber(component);
    while (await isTaken(number));
    return number;
  }
}

/** Whether somebody has asked for what ends it: a pipeline that left it may take it on again, unless it is rolled back. */
const isToEnd = ({ rollback, stop }: Control): boolean => rollback !== undefined || (stop !== undefined && stop.pipeline !== true);

const numberOf = (id: string): number => Number(/\d+$/.exec(id)?.[0] ?? 0);
