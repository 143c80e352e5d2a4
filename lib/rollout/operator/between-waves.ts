/** What the operator does between waves: it finds the next one, or has a stage of a pipeline take the rollout on. */
import { policyWaveOf } from '../../plan/waves.ts';
import { seconds } from '../../registry/index.ts';
import { advance } from '../advance.ts';
import { type Absence, askedInAbsence } from '../drivers.ts';
import { type PipelineStage, reachOf } from '../executions.ts';
import { freezeLook, scaled } from '../looks.ts';
import { hasEnded, isGoingBack, isLeft, type RolloutRecord, type WaveRecord } from '../rollout-record.ts';
import { takeUp } from '../take-up.ts';
import type { AnswerTo, WaveAnswer } from './answers.ts';
import { RolloutWork } from './rollout-work.ts';

/** Between two looks at whether it is a rollout's turn; a bake of two days takes some six hundred. */
const TURN_SECONDS = 300;
/** How long after a record says that an execution drives it that execution is started at the latest, in milliseconds. */
const STARTS_WITHIN = 120_000;
/** How long after a rollout came to stand between two waves its rollback begins at the latest, in milliseconds. */
const GOES_BACK_WITHIN = 3_600_000;

/** One rollout between its waves. */
export class BetweenWaves extends RolloutWork {
  /**
   * The next wave, or the end.
   * @param stage of the pipeline whose execution it is; null for one that the record names
   */
  async next(execution: string, stage: PipelineStage | null): Promise<WaveAnswer<AnswerTo<'next'>>> {
    const { store } = this.context;
    const { id } = this.plan;
    const record = await store.requireRecord(id);
    if (record.execution !== execution) {
      if (stage) return this.takeOn(record, execution, stage);
      return { action: 'end', well: false, sentence: `${id} is driven by another execution: ${record.execution ?? 'none'}` };
    }
    if (record.status !== 'running') return this.over(record);
    const step = advance(record, await store.waves(this.plan));
    // Somebody has just asked for something: it is decided anew.
    if (step.action === 'end') {
      const isWritten = (await this.endUnless(record, step.status, step.outcome)) !== undefined;
      return isWritten ? this.over(await store.requireRecord(id)) : this.next(execution, stage);
    }
    const { attempts } = await store.wave(id, step.wave);
    // By run, too: an execution that died before it could count itself has used the name up for ninety days.
    return { action: 'wave', wave: step.wave, run: record.runs, name: `${id}-${record.runs}-wave-${step.wave}-${attempts + 1}`.slice(-80) };
  }

  /**
   * What is over, or waits for its pipeline. What is looked at from here on, cells after a success, the pipeline between two
   * waves, an execution of its own looks at: a pipeline does not wait for that.
   */
  private over(record: RolloutRecord): WaveAnswer<AnswerTo<'next'>> {
    const { id, policy } = this.plan;
    const ended = this.ended(record);
    const watched = (action: 'after' | 'between') => ({ ...ended, action, name: `${id}-${record.runs}-${action}`.slice(-80) });
    if (record.status === 'between waves') return watched('between');
    return record.status === 'succeeded' && seconds(policy.watchAfter) > 0 ? watched('after') : ended;
  }

  /** A look between two waves: whether somebody still takes it on, and is within their time. */
  async idle(): Promise<WaveAnswer<AnswerTo<'idle'>>> {
    const { id, policy } = this.plan;
    const record = await this.context.store.requireRecord(id);
    const { status, updatedAt, through = 0, pipelineExecution } = record;
    if (status !== 'between waves') return this.ended(record);
    const gone = await this.absence(record);
    if (gone) {
      // By the machine that drives rollouts, which finds nobody behind this stage: it stops the rollout, or rolls it back.
      const execution = pipelineExecution === undefined ? {} : { execution: pipelineExecution };
      return { action: 'stage', stage: { through, approved: false, last: false, ...execution }, sentence: gone.sentence };
    }
    const elapsed = (this.context.now().getTime() - Date.parse(updatedAt)) / 1_000;
    const wait = freezeLook(elapsed, Math.max(1, seconds(policy.betweenWaves) - elapsed), policy.timeScale);
    return { action: 'wait', seconds: wait, sentence: `its pipeline is to take it on, until ${policy.betweenWaves} after ${updatedAt}` };
  }

  /** A stage of a pipeline has come: its execution drives the rollout from here on, when there is something to do, and its turn. */
  private async takeOn(record: RolloutRecord, execution: string, stage: PipelineStage): Promise<WaveAnswer<AnswerTo<'next'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const { status, runs } = record;
    const { execution: pipelineExecution } = stage;
    const through = reachOf(stage, this.plan.waves);
    const wait = (sentence: string): WaveAnswer<'wait'> => ({ action: 'wait', seconds: scaled(TURN_SECONDS, policy.timeScale), sentence });
    if (isLeft(record)) {
      // A look between two waves may come late: there is nobody behind it.
      const goesOn = !(await this.absence({ ...record, pipelineExecution })) && (await takeUp(store, record));
      return goesOn ? this.takeOn(await store.requireRecord(id), execution, stage) : this.ended(record);
    }
    if (hasEnded(status)) return this.ended(record);
    const gone = status === 'queued' || status === 'between waves' ? await this.absence({ ...record, pipelineExecution }) : undefined;
    if (gone) return this.abandon(record, execution, stage, gone);
    const waves = await store.waves(this.plan);
    // A stage that is tried again finds its work done.
    const passed = waves.filter(({ number }) => number <= through).every((wave) => wave.status === 'passed');
    if (passed) return { action: 'end', well: true, sentence: `wave ${through} has passed already` };
    if (status === 'paused') return this.ended({ ...record, through });
    if (status === 'running' && record.execution !== undefined && (await this.context.isRunning(record.execution))) {
      return wait(`another execution drives ${id}: ${record.execution}`);
    }
    const before = await store.active(this.plan);
    const blocked = status === 'queued' && before !== undefined ? await this.blockedBy(before) : undefined;
    if (blocked !== undefined) {
      // For whoever waits: what for, since when, and the way out.
      if (record.outcome?.sentence !== blocked) await store.updateRecord(id, { outcome: { sentence: blocked } }, { status });
      return wait(blocked);
    }
    const { control } = record;
    // One that died on its way back still knows why it went back.
    const anew = status === 'running' ? {} : { outcome: undefined };
    const agreed = this.agreed(record, waves, stage);
    const driven = { status: 'running', runs: runs + 1, execution, through, pipelineExecution, control: agreed, ...anew } as const;
    const expected = { status, runs, control };
    const taken = await (status === 'queued'
      ? store.begin(id, this.plan, driven, expected, before)
      : store.drive(id, this.plan, driven, expected));
    return taken ? this.next(execution, stage) : wait(`somebody else has just set ${id} going`);
  }

  /** Nobody is behind its stage: by the policy it stops, or goes back. One that has begun nothing is over. */
  private async abandon(
    record: RolloutRecord,
    execution: string,
    stage: PipelineStage,
    { sentence }: Absence,
  ): Promise<WaveAnswer<AnswerTo<'next'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const { status, runs, control } = record;
    const how = status === 'queued' ? { ...policy, onPipelineFailure: 'stop' as const } : policy;
    const asked = askedInAbsence(control, how, sentence, this.now());
    if (asked.rollback) {
      const driven = { status: 'running', runs: runs + 1, execution, control: asked, outcome: undefined } as const;
      await store.drive(id, this.plan, driven, { status, runs, control });
      return this.next(execution, stage);
    }
    const outcome = { sentence: status === 'queued' ? `${sentence}, before its turn came` : `stopped by its pipeline: ${sentence}` };
    const unchanged = await store.updateRecord(id, { control: asked, outcome }, { status, runs, control });
    return unchanged ? this.end('stopped', outcome) : this.next(execution, stage);
  }

  /** Why it is not this one's turn, while another of its lane is under way. One that nobody drives any more is ended here. */
  private async blockedBy(before: string): Promise<string | undefined> {
    const { store } = this.context;
    const { record: other, flaw } = await store.inspect(before);
    if (flaw !== undefined) await store.giveUp(before, this.plan);
    if (!other || hasEnded(other.status)) return undefined;
    const { status, startedAt, updatedAt, version, component, execution } = other;
    const its = new BetweenWaves(this.context, await store.plan(before));
    // An execution that has only just been written down may not be started yet.
    const quiet = this.context.now().getTime() - Date.parse(updatedAt) > STARTS_WITHIN;
    if (status === 'running' && quiet && !(execution !== undefined && (await this.context.isRunning(execution)))) {
      if (await its.halt(other, `its execution ended without a word; ${this.plan.id} took over`)) return undefined;
    }
    const gone = status === 'between waves' ? await its.absence(other) : undefined;
    if (gone) {
      // What looks between two waves has it go back. It is waited for, but not for ever: its execution may be gone, too.
      const goesBack = its.plan.policy.onPipelineFailure === 'rollback';
      const late = this.context.now().getTime() - Date.parse(updatedAt) > GOES_BACK_WITHIN;
      const todo = goesBack ? `; it was not rolled back within an hour: \`cellctl rollout rollback ${before}\` does` : '';
      if ((!goesBack || late) && (await its.halt(other, `stopped by its pipeline: ${gone.sentence}${todo}`))) return undefined;
    }
    const since = status === 'between waves' ? updatedAt : startedAt;
    const waysOut = status === 'running' ? '' : `, \`cellctl rollout resume ${before}\` has it go on`;
    return `waits for ${before} (${component} ${version}), which is ${status} since ${since}: \`cellctl rollout stop ${before}\` ends it${waysOut}`;
  }

  /** Ends it where it is, unless somebody has written to it meanwhile. @returns whether it is over */
  private async halt({ status, updatedAt, control }: RolloutRecord, sentence: string): Promise<boolean> {
    const { id } = this.plan;
    const asked = askedInAbsence(control, { ...this.plan.policy, onPipelineFailure: 'stop' }, sentence, this.now());
    const outcome = { sentence };
    if (!(await this.context.store.updateRecord(id, { control: asked, outcome }, { status, updatedAt, control }))) return false;
    await this.end('stopped', outcome);
    return true;
  }

  /** What was asked for, and that somebody has agreed in the pipeline to the wave that its stage begins. */
  private agreed({ control }: RolloutRecord, waves: readonly WaveRecord[], { through, approved }: PipelineStage): RolloutRecord['control'] {
    const next = waves.find(({ status }) => status !== 'passed')?.number ?? -1;
    const wave = this.plan.waves[next];
    if (!approved || !wave || policyWaveOf(wave) !== through || control.approvals?.[next] !== undefined) return control;
    return { ...control, approvals: { ...control.approvals, [next]: { by: 'its pipeline', at: this.now(), reason: undefined } } };
  }

  /** A wave's execution has failed: because the wave did, which is written down already, or because it died. */
  async waveFailed(execution: string, sentence: string): Promise<WaveAnswer<AnswerTo<'waveFailed'>>> {
    const record = await this.context.store.requireRecord(this.plan.id);
    if (record.status !== 'running' || record.execution !== execution) return this.ended(record);
    const died = `the execution of a wave ended without a word: ${sentence}`;
    if (!isGoingBack(record, await this.context.store.waves(this.plan))) return this.end('stopped', { sentence: died });
    const { cause } = record;
    const told = `rolling back was interrupted: ${died}; \`cellctl rollout resume ${this.plan.id}\` goes on with it`;
    return this.end('stopped', { ...cause, sentence: cause === undefined ? told : `${cause.sentence}; ${told}` });
  }
}
