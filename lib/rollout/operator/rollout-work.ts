/** What every step of a rollout's machine needs: the plan, the clock, and how a rollout ends. */
import type { Stack } from '@aws-sdk/client-cloudformation';
import { versionOf } from '../../aws/stacks.ts';
import { type Absence, absenceBy, absenceOf, askedInAbsence, overdue } from '../drivers.ts';
import {
  type CellRecord,
  endsWell,
  hasEnded,
  type Outcome,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type RolloutStatus,
  type WaveRecord,
} from '../rollout-record.ts';
import { type Written, waveOf } from '../written.ts';
import type { WaveAnswer } from './answers.ts';
import type { CellContext } from './locked-stack.ts';

/** Cells that a sentence names. */
const NAMED = 10;

/** Cells that are looked at, or locked, at once. */
const AT_ONCE = 25;

/** Does the work for each, so many at once. A queue of promises would take longer than looking at a cell in memory does. */
export async function forEach<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) done[index] = await work(items[index] as In);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return done;
}

export interface WaveContext extends CellContext {
  /** Whether the execution is under way. */
  readonly isRunning: (execution: string) => Promise<boolean>;
  /** How an execution of a component's pipeline on CodePipeline is, in the words of CodePipeline; `unknown` where it knows none. */
  readonly pipelineStatus: (component: string, execution: string) => Promise<string>;
}

export abstract class RolloutWork {
  constructor(
    protected readonly context: WaveContext,
    protected readonly plan: RolloutPlan,
  ) {}

  protected now(): string {
    return this.context.now().toISOString();
  }

  /** What is written down of the rollout, and of a wave of it. */
  protected async written(number: number): Promise<Written & { readonly wave: WaveRecord }> {
    const written = await this.context.store.written(this.plan);
    const record = await this.heard(written.record, { silence: false });
    return { ...written, record, wave: waveOf(written, number) };
  }

  /** Why nobody takes it on any more; undefined while somebody does, and where nobody has said that they would. */
  protected async absence({ id, component, status, updatedAt, pipelineExecution }: RolloutRecord): Promise<Absence | undefined> {
    const { store, now, pipelineStatus } = this.context;
    const gone =
      pipelineExecution === undefined
        ? absenceBy(await store.drivers.of(id), status, now())
        : absenceOf(pipelineExecution, await pipelineStatus(component, pipelineExecution));
    return gone ?? (status === 'between waves' ? overdue({ updatedAt }, this.plan.policy, now()) : undefined);
  }

  /**
   * The record, in which a driver that is gone has asked for what the policy says.
   * @param silence whether silence is enough: before a wave begins; what is under way is watched to its end first
   */
  protected async heard(record: RolloutRecord, { silence }: { readonly silence: boolean }): Promise<RolloutRecord> {
    const { id, control, status, through } = record;
    if (status !== 'running' || through === undefined || control.stop || control.rollback) return record;
    const gone = await this.absence(record);
    if (!gone || !(gone.said || silence)) return record;
    const asked = askedInAbsence(control, this.plan.policy, gone.sentence, this.now());
    await this.context.store.updateRecord(id, { control: asked }, { status, control });
    return this.context.store.requireRecord(id);
  }

  /**
   * Ends it, unless somebody has asked for something since `record` was read. Every way to `succeeded` leads through here, and one
   * whose cells are no longer as they were deployed stops instead.
   */
  protected async endUnless({ control }: RolloutRecord, status: RolloutStatus, outcome: Outcome): Promise<WaveAnswer<'end'> | undefined> {
    const succeeds = status === 'succeeded';
    const changed = succeeds ? await this.changedSince() : undefined;
    const told = changed ?? (succeeds ? await this.withExceptions(outcome) : outcome);
    const unchanged = await this.context.store.updateRecord(this.plan.id, { outcome: told }, { control, status: 'running' });
    return unchanged ? this.end(changed ? 'stopped' : status, told) : undefined;
  }

  /**
   * Cells whose stack is no longer what was deployed: deleted, changed by hand, or in the middle of something. They count as
   * failed, so that who goes on deploys there again.
   */
  private async changedSince(): Promise<Outcome | undefined> {
    const { store, access } = this.context;
    const { id, component } = this.plan;
    const records = await store.cells(id);
    const known = new Map(records.map((record) => [record.cell, record]));
    const cells = await this.cellsOf(records.filter(({ status, apart }) => status === 'deployed' && apart === undefined));
    const found = await forEach(cells, async (cell) => {
      const stack = await access.stack(cell, this.plan).find();
      return { cell, why: differenceOf(stack, known.get(cell.name), this.plan) };
    });
    const changed = found.filter(({ why }) => why !== undefined);
    const [first] = changed;
    if (!first) return undefined;
    const waves = new Set<number>();
    for (const { cell, why = '' } of changed) {
      const wave = known.get(cell.name)?.wave ?? 0;
      waves.add(wave);
      await store.updateCell(id, { cell: cell.name, status: 'failed', sentence: `${cell.name}: ${component} ${why}` });
    }
    for (const wave of waves) await store.updateWave(id, wave, { status: 'failed', sentence: 'a cell is not as it was deployed' });
    const names = changed.slice(0, 10).map(({ cell, why }) => `${cell.name}: ${component} ${why}`);
    const more = changed.length > names.length ? ` and ${changed.length - names.length} more` : '';
    return {
      cell: first.cell.name,
      sentence: `not as it was deployed: ${names.join('; ')}${more}. \`cellctl rollout resume ${id}\` deploys it there again`,
    };
  }

  /** The outcome, with the cells that were left out, or rolled back alone, on the way. */
  private async withExceptions(outcome: Outcome): Promise<Outcome> {
    const cells = (await this.context.store.cells(this.plan.id)).filter((cell) => cell.status === 'skipped' || cell.apart !== undefined);
    if (cells.length === 0) return outcome;
    const why = ({ apart, status, sentence = 'skipped' }: CellRecord) =>
      apart === undefined ? sentence : status === 'pending' ? apart : `rolled back alone: ${apart}`;
    const named = cells.slice(0, NAMED).map((cell) => `${cell.cell} (${why(cell)})`);
    const more = cells.length > NAMED ? ` and ${cells.length - NAMED} more` : '';
    return { ...outcome, sentence: `${outcome.sentence}, but for ${named.join(', ')}${more}` };
  }

  /** Cells as the rollout has them. */
  protected async cellsOf(records: readonly CellRecord[]): Promise<readonly RolloutCell[]> {
    const names = new Set(records.map(({ cell }) => cell));
    const waves = [...new Set(records.map(({ wave }) => wave))];
    const lists = await Promise.all(waves.map((wave) => this.context.store.cellsIn(this.plan.id, wave)));
    return lists.flat().filter(({ name }) => names.has(name));
  }

  /** What the machine is told of a rollout that does not go on. */
  protected ended({ status, outcome, through }: RolloutRecord): WaveAnswer<'end'> {
    return { action: 'end', well: endsWell(status, through), sentence: outcome?.sentence ?? status };
  }

  /** Takes the locks. A lock of a rollout that is over, or whose execution is, is taken over. */
  protected async lock(component: string, cells: readonly RolloutCell[]): Promise<readonly Outcome[]> {
    const { store } = this.context;
    const { id } = this.plan;
    const over = new Map<string, Promise<boolean>>();
    const isOver = (rollout: string) => {
      const known = over.get(rollout) ?? this.isOver(rollout);
      over.set(rollout, known);
      return known;
    };
    const taken = await forEach(cells, async ({ name }): Promise<Outcome[]> => {
      const held = await store.lock(component, name, id);
      if (!held) return [];
      const again = (await isOver(held.rollout)) ? await store.lock(component, name, id, held.rollout) : held;
      return again ? [{ cell: name, sentence: `${name} is locked by ${again.rollout} since ${again.since}` }] : [];
    });
    return taken.flat();
  }

  private async isOver(rollout: string): Promise<boolean> {
    const { record } = await this.context.store.inspect(rollout);
    if (!record || hasEnded(record.status)) return true;
    return record.status === 'running' && record.execution !== undefined && !(await this.context.isRunning(record.execution));
  }

  /** Writes the end down, and gives the locks back: last, so that nobody begins while the record says it runs. */
  protected async end(status: RolloutStatus, outcome: Outcome): Promise<WaveAnswer<'end'>> {
    const { store } = this.context;
    const { id, component } = this.plan;
    const ended = hasEnded(status);
    if (status === 'stopped') {
      // Nobody looks at them any more.
      const open = (await store.waves(this.plan)).filter((wave) => ['preflight', 'deploying', 'baking'].includes(wave.status));
      for (const { number } of open) {
        await store.updateWave(id, number, { status: 'failed', sentence: outcome.sentence, endedAt: this.now() });
      }
    }
    await store.updateRecord(id, { status, outcome, ...(ended ? { endedAt: this.now() } : {}) });
    if (ended) await store.releaseLocks(component, id);
    return this.ended(await store.requireRecord(id));
  }
}

/** What has become of a stack since it was deployed; undefined where nothing has. */
function differenceOf(
  stack: Stack | undefined,
  { endedAt = '', unchanged }: Partial<CellRecord> = {},
  { version, removal }: Pick<RolloutPlan, 'version' | 'removal'>,
): string | undefined {
  if (removal) return stack && 'is there again';
  if (!stack) return 'is gone';
  const { StackStatus = '', LastUpdatedTime } = stack;
  const runs = versionOf(stack);
  if (runs !== undefined && runs !== version) return `runs ${runs}`;
  if (!/^(CREATE|UPDATE)_COMPLETE/.test(StackStatus)) return `is ${StackStatus}`;
  const changed = LastUpdatedTime?.toISOString();
  if (unchanged !== true && changed !== undefined && endedAt !== '' && changed > endedAt)
    return `was changed at ${changed}, after its deployment`;
  return undefined;
}
