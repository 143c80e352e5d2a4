/** What the operator does between waves: it finds the next one, or has a stage of a pipeline take the rollout on. */
import { policyWaveOf } from '../../plan/waves.ts';
import { seconds } from '../../registry/index.ts';
import { advance } from '../advance.ts';
import { type PipelineStage, reachOf } from '../executions.ts';
import { scaled } from '../looks.ts';
import { hasEnded, isGoingBack, type RolloutRecord, type WaveRecord } from '../rollout-record.ts';
import type { AnswerTo, WaveAnswer } from './answers.ts';
import { RolloutWork } from './rollout-work.ts';

/** Between two looks at whether it is a rollout's turn; a bake of two days takes some six hundred. */
const TURN_SECONDS = 300;

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
    if (step.action === 'end') return (await this.endUnless(record, step.status, step.outcome)) ?? this.next(execution, stage);
    const { attempts } = await store.wave(id, step.wave);
    // By run, too: an execution that died before it could count itself has used the name up for ninety days.
    return { action: 'wave', wave: step.wave, run: record.runs, name: `${id}-${record.runs}-wave-${step.wave}-${attempts + 1}`.slice(-80) };
  }

  /** What is over; after a success, cells are looked at by an execution of its own: a pipeline does not wait for that. */
  private over(record: RolloutRecord): WaveAnswer<AnswerTo<'next'>> {
    const { id, policy } = this.plan;
    const ended = this.ended(record);
    if (record.status !== 'succeeded' || seconds(policy.watchAfter) === 0) return ended;
    return { ...ended, action: 'after', name: `${id}-${record.runs}-after`.slice(-80) };
  }

  /** A stage of a pipeline has come: its execution drives the rollout from here on, when there is something to do, and its turn. */
  private async takeOn(record: RolloutRecord, execution: string, stage: PipelineStage): Promise<WaveAnswer<AnswerTo<'next'>>> {
    const { store } = this.context;
    const { id, component, policy } = this.plan;
    const { status, runs } = record;
    const through = reachOf(stage, this.plan.waves);
    const wait = (sentence: string): WaveAnswer<'wait'> => ({ action: 'wait', seconds: scaled(TURN_SECONDS, policy.timeScale), sentence });
    if (hasEnded(status)) return this.ended(record);
    const waves = await store.waves(this.plan);
    // A stage that is tried again finds its work done.
    const passed = waves.filter(({ number }) => number <= through).every((wave) => wave.status === 'passed');
    if (passed) return { action: 'end', well: true, sentence: `wave ${through} has passed already` };
    if (status === 'paused') return this.ended({ ...record, through });
    if (status === 'running' && record.execution !== undefined && (await this.context.isRunning(record.execution))) {
      return wait(`another execution drives ${id}: ${record.execution}`);
    }
    const before = await store.active(this.plan);
    if (status === 'queued') {
      const { record: other, flaw } = before === undefined ? {} : await store.inspect(before);
      if (before !== undefined && flaw !== undefined) await store.giveUp(before, this.plan);
      if (other && !hasEnded(other.status)) {
        return wait(
          `${other.id} (${component} ${other.version}) is ${other.status}, since ${other.startedAt}: \`cellctl rollout stop ${other.id}\` ends it`,
        );
      }
    }
    const { control } = record;
    // One that died on its way back still knows why it went back.
    const anew = status === 'running' ? {} : { outcome: undefined };
    const driven = { status: 'running', runs: runs + 1, execution, through, control: this.agreed(record, waves, stage), ...anew } as const;
    const expected = { status, runs, control };
    const taken = await (status === 'queued'
      ? store.begin(id, this.plan, driven, expected, before)
      : store.drive(id, this.plan, driven, expected));
    return taken ? this.next(execution, stage) : wait(`somebody else has just set ${id} going`);
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
