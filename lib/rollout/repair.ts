/**
 * Looks for what is wrong in the records of a component's rollouts, and mends pointers and locks that name what isn't there.
 * What cells run is never touched, and nothing that is written down is deleted but a lock.
 */
import type { Executions } from './executions.ts';
import { hasEnded, type Lane, type Lock, type Pointer, planKey, type RolloutRecord } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';

/** Rollouts of a component that are looked at, newest first. */
const LOOKED_AT = 500;

/** Something that is wrong, and what became of it. */
export interface RepairFinding {
  readonly component: string;
  /** What is wrong: a whole sentence. */
  readonly sentence: string;
  /** What was done, or would be; undefined where nothing can be. */
  readonly mended?: string;
  /** What a person can do: a whole sentence. */
  readonly fix?: string;
}

/** What there is of a rollout that history names. */
interface Known {
  readonly id: string;
  readonly record: RolloutRecord | undefined;
  readonly flaw: string | undefined;
}

export class RolloutRepair {
  /** @param mend false to say only what would be done */
  constructor(
    private readonly executions: Executions,
    private readonly store: RolloutStore,
    private readonly mend: boolean,
  ) {}

  /** What is wrong with the component's rollouts; mended as far as it can be. */
  async of(component: string): Promise<readonly RepairFinding[]> {
    const ids = await this.store.history(component, LOOKED_AT);
    const known = await Promise.all(ids.map(async (id): Promise<Known> => ({ id, ...(await this.store.inspect(id)) })));
    const [records, pointers, locks] = await Promise.all([
      Promise.all(known.map((each) => this.rollout(component, each))),
      this.pointers(component, known),
      this.locks(component),
    ]);
    return [...records.flat(), ...pointers, ...locks];
  }

  private async rollout(component: string, { id, record, flaw }: Known): Promise<readonly RepairFinding[]> {
    if (!record) {
      const fix = 'its cells keep what they run; the next rollout of the component begins as ever';
      return [{ component, sentence: `${id}: ${flaw ?? 'its record is missing'}`, fix }];
    }
    const found: RepairFinding[] = [];
    if ((await this.store.objects.get(planKey(id))) === undefined) {
      const sentence = `${id}: its plan is missing, s3://${this.store.objects.bucket}/${planKey(id)}`;
      found.push({ component, sentence, fix: 'restore its version in S3; without it, the rollout can be neither shown nor rolled back' });
    }
    if (record.status === 'running' && (record.execution === undefined || !(await this.executions.isRunning(record.execution)))) {
      const fix = `have it go on with \`cellctl rollout resume ${id}\`; another rollout of the component ends it`;
      found.push({ component, sentence: `${id} is dead: it is running, and no execution drives it`, fix });
    }
    return found;
  }

  /** A pointer that names a rollout that isn't there goes to the newest of its lane that has begun. */
  private async pointers(component: string, known: readonly Known[]): Promise<readonly RepairFinding[]> {
    const pointers = await this.store.lanePointers(component);
    const begun = known.flatMap(({ record }) => (record && record.runs > 0 ? [record] : []));
    const lanes = new Set([undefined, ...pointers.map(({ only }) => only)]);
    const findings = await Promise.all(
      [...lanes].map(async (only): Promise<RepairFinding[]> => {
        const pointer: Pointer = pointers.find((each) => each.only === only) ?? { only, rollout: undefined };
        const newest = begun.find((record) => record.only === only)?.id;
        return this.pointer({ component, only }, pointer, newest);
      }),
    );
    return findings.flat();
  }

  private async pointer(lane: Lane, { rollout }: Pointer, newest: string | undefined): Promise<RepairFinding[]> {
    const { component, only } = lane;
    const where = only === undefined ? 'the last rollout' : `the last rollout to ${only}`;
    const flaw = rollout === undefined ? 'there is none' : (await this.store.inspect(rollout)).flaw;
    if (flaw === undefined || rollout === newest) return [];
    if (this.mend) await this.store.movePointer(lane, rollout, newest);
    const named = rollout === undefined ? 'nothing' : `${rollout}, and ${flaw}`;
    return [{ component, sentence: `${where} of ${component} is said to be ${named}`, mended: `it is ${newest ?? 'none'} now` }];
  }

  /** A lock of a rollout that isn't there, or is over, is held by nobody. */
  private async locks(component: string): Promise<readonly RepairFinding[]> {
    const locks = await this.store.locks(component);
    return (await Promise.all(locks.map((lock) => this.lock(component, lock)))).flat();
  }

  private async lock(component: string, { cell, rollout, since }: Lock): Promise<RepairFinding[]> {
    const { record, flaw } = await this.store.inspect(rollout);
    const why = record && hasEnded(record.status) ? `which is ${record.status}` : flaw && `and ${flaw}`;
    if (why === undefined) return [];
    if (this.mend) await this.store.unlock(component, cell, rollout);
    return [{ component, sentence: `${cell} is locked by ${rollout} since ${since}, ${why}`, mended: 'the lock is released' }];
  }
}
