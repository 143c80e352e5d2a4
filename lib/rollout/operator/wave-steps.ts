/** What the operator does for a wave as a whole: it looks, takes locks, decides by `decide.ts`, and writes down. */
import { sha256 } from '../../artifact/artifacts.ts';
import { openTogether } from '../../plan/calendar.ts';
import { advance } from '../advance.ts';
import { afterDeploy, bakeEnd, isDeployed, lackingIn, look, preflight, type Spoken } from '../decide.ts';
import { hasVersion } from '../health.ts';
import { watchAgain } from '../looks.ts';
import { afterRollback, backOf, isTouched, toldRollback, toRestore } from '../roll-back.ts';
import {
  type CellRecord,
  type Control,
  drilledIn,
  hasEnded,
  leftKey,
  type Outcome,
  type RolloutCell,
  rollbackKey,
  type WaveRecord,
  waveKey,
} from '../rollout-record.ts';
import type { AnswerTo, WaveAnswer } from './answers.ts';
import { holdOfAll, type Live, readLive, skippedIn, waitFor, withoutSkipped } from './live.ts';
import { Watching } from './watching.ts';

/** Cells that a sentence names. */
const NAMED = 10;

/** The execution ends, and the wave does not: the rollout's goes on with it in another one. */
const handOver = (sentence: string): WaveAnswer<'end'> => ({ action: 'end', well: true, sentence });

/** Why a wave has no cells that had some; undefined where none was skipped. */
function skipsOf({ skipped }: Live): string | undefined {
  if (skipped.size === 0) return undefined;
  const reasons = [...skipped].map(([cell, reason]) => `${cell} (${reason})`);
  return `every cell is skipped: ${reasons.slice(0, NAMED).join(', ')}`;
}

/** One rollout in its waves. */
export class WaveWork extends Watching {
  /** Whether the wave may begin. Locks are taken here. */
  async preflight(number: number, execution: string): Promise<WaveAnswer<AnswerTo<'preflight'>>> {
    const { store } = this.context;
    const { id, component, policy } = this.plan;
    const wave = this.wave(number);
    const [found, pinned, before] = await Promise.all([store.requireRecord(id), store.cellsIn(id, number), store.wave(id, number)]);
    const record = await this.heard(found, { silence: true });
    // Asked again, because its answer was lost.
    if (record.status !== 'running') return this.ended(record);
    if (before.status === 'rolling back' || record.back?.scope === 'cells') {
      // An execution has died on the way back: this one goes on with that.
      const outcome = record.outcome ?? { wave: number, sentence: `wave ${number} was being rolled back` };
      return this.answer({ action: 'rollback', outcome }, number);
    }
    const begun = await this.begin(before, execution);
    const all = await store.cells(id);
    const done = all.filter((cell) => cell.wave === number);
    const changed = done.some(isTouched);
    // A wave that nothing may begin in any more needs no locks, and no look at its cells.
    const halted = record.control.rollback ?? record.control.stop ?? record.control.pause;
    const approved = !wave.approval || record.control.approvals?.[number] !== undefined;
    const live = await this.live(number, record.control, done);
    // Who is skipped may be sick, locked or closed: nothing is done there.
    const cells = pinned.filter(({ name }) => !live.skipped.has(name));
    const locked = halted || !approved ? [] : await this.lock(component, cells);
    const idle = halted || !approved || locked.length > 0;
    const seen = idle || cells.length === 0 ? undefined : await this.survey(wave, begun, all, { control: record.control });
    // Those that have the version were just looked at.
    const looked = new Map(seen?.healths.map((health) => [health.cell, health]));
    const others = idle
      ? []
      : await this.healthsOf(
          cells.filter(({ name }) => !looked.has(name)),
          all,
          {},
        );
    const healths = [...cells.flatMap(({ name }) => looked.get(name) ?? []), ...others];
    const verdict = seen?.verdict ?? ({ verdict: 'well' } as const);
    const open = withoutSkipped(wave, new Set(live.skipped.keys()));
    const lacking = lackingIn(open, done);
    const opens = this.opening(
      cells.filter(({ name }) => lacking.includes(name)),
      begun,
    );
    const hold = holdOfAll(live, lacking);
    const frozen = hold && {
      sentence: hold.sentence,
      seconds: waitFor(hold, begun.frozenSince, this.context.now(), policy.timeScale),
    };
    const decided = preflight({
      wave: open,
      record: begun,
      policy,
      control: record.control,
      cells: done,
      healths,
      verdict,
      cures: this.plan.cures,
      locked,
      opens,
      frozen,
      now: this.now(),
    });
    const decision = decided.action === 'pass' ? { ...decided, sentence: skipsOf(live) ?? decided.sentence } : decided;
    if (seen) await this.keep(seen, number);
    if (decision.action === 'hand over') return handOver(decision.sentence);
    if (decision.action === 'wait') {
      const until = typeof opens === 'object' ? { opensAt: opens.at } : {};
      const since = decision.sentence === frozen?.sentence ? { frozenSince: begun.frozenSince ?? this.now() } : {};
      await store.updateWave(id, number, { sentence: decision.sentence, ...until, ...since });
    }
    if (decision.action === 'end' && !hasEnded(decision.status)) {
      await store.updateWave(id, number, { sentence: decision.outcome.sentence });
      // What it waits for may just have come: an approval that is written beside the end would be heard by nobody.
      return (await this.endUnless(record, decision.status, decision.outcome)) ?? this.preflight(number, execution);
    }
    if (decision.action === 'wait' && decision.apart)
      for (const cell of decision.apart)
        await store.updateCell(id, { cell, wave: number, status: 'pending', apart: decision.sentence, apartFor: 'alarm' });
    if (decision.action !== 'go') return this.answer(decision, number);
    const begunSoFar = begun.begun ?? 0;
    await store.updateWave(id, number, {
      status: 'deploying',
      sentence: undefined,
      failedCell: undefined,
      held: undefined,
      begun: begunSoFar,
      admitted: begunSoFar + policy.concurrency,
      // What fired before the first cell changed is nobody's fault here; what fired since then counts, however often the wave begins anew.
      deployBeganAt: changed ? (begun.deployBeganAt ?? this.now()) : this.now(),
    });
    const left = new Set(lackingIn(wave, done));
    if (left.size === 0 || left.size === cells.length) return { action: 'go', cells: waveKey(id, number), concurrency: policy.concurrency };
    const list = cells.filter(({ name }) => left.has(name));
    // Called after what is in it: who is skipped or left out may change between two.
    const key = leftKey(id, number, sha256(list.map(({ name }) => name).join()).slice(0, 16));
    await store.writeOnce(key, list);
    return { action: 'go', cells: key, concurrency: policy.concurrency };
  }

  /**
   * A look at every cell with the version while cells of the wave are deployed. Once one is sick, no other begins. Between two
   * looks no more than the policy's concurrency may begin: so many and no more can follow a cell that has just fallen sick.
   */
  async watch(number: number): Promise<WaveAnswer<AnswerTo<'watch'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const wave = this.wave(number);
    const { record, wave: before, cells: all } = await this.written(number);
    const seen = await this.survey(wave, before, all, { control: record.control });
    const { verdict } = seen.verdict;
    // Any other is given by the look that follows, once no cell is being deployed.
    if (verdict === 'blip') await this.keep(seen, number);
    const held = verdict === 'well' || verdict === 'blip' ? undefined : (before.held ?? this.now());
    if (held === undefined) await store.updateWave(id, number, { admitted: (before.begun ?? 0) + policy.concurrency });
    else if (before.held === undefined) {
      const sentence = 'sentence' in seen.verdict ? seen.verdict.sentence : '';
      await store.updateWave(id, number, { held, sentence });
    }
    const own = (await store.cells(id)).filter((cell) => cell.wave === number);
    const waveRecord = await store.wave(id, number);
    if (isDeployed(wave, waveRecord, own, record.control)) return { action: 'done', sentence: 'no cell is being deployed' };
    const elapsed = (Date.parse(this.now()) - Date.parse(waveRecord.deployBeganAt ?? this.now())) / 1_000;
    return { action: 'wait', seconds: watchAgain(own, elapsed, policy.timeScale), sentence: `${own.length} cells have begun` };
  }

  /** Reads what holds the wave now, and writes down which of its cells are skipped in this attempt. */
  private async live(number: number, control: Control, records: readonly CellRecord[]): Promise<Live> {
    const { store } = this.context;
    const { id } = this.plan;
    const live = await readLive(this.context, this.plan, control, this.wave(number).cells, records);
    for (const cell of this.wave(number).cells) {
      const known = records.find((record) => record.cell === cell);
      const sentence = live.skipped.get(cell);
      if (sentence === undefined && known?.status !== 'skipped') continue;
      const status = sentence === undefined ? 'pending' : 'skipped';
      if (known?.status !== status || known.sentence !== sentence) await store.updateCell(id, { cell, wave: number, status, sentence });
    }
    return live;
  }

  /** What follows when no cell of the wave is being deployed any more. */
  async deployed(number: number): Promise<WaveAnswer<AnswerTo<'deployed'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const { record, wave: waveRecord, cells } = await this.written(number);
    const own = cells.filter((cell) => cell.wave === number);
    const wave = withoutSkipped(this.wave(number), skippedIn(own));
    const decision = afterDeploy(wave, {
      cells: own,
      record: waveRecord,
      control: record.control,
      policy,
      exposed: cells.filter(hasVersion).length,
    });
    if (decision.action === 'hand over') return handOver(decision.sentence);
    if (decision.action !== 'bake') return this.answer(decision, number);
    // What is held is judged before anything else.
    if (lackingIn(wave, own).length > 0) return { action: 'bake', seconds: 1, sentence: waveRecord.sentence ?? 'a cell is sick' };
    const now = this.now();
    const until = bakeEnd(wave, policy, now);
    await store.updateWave(id, number, { status: 'baking', bakeBeganAt: now, bakeUntil: until, extended: undefined, sentence: undefined });
    // At once: a deployment that went wrong shows now.
    return { action: 'bake', seconds: 1, sentence: `bakes until ${until}` };
  }

  /** A look at every cell with the version while the wave bakes, or while an alarm is judged. */
  async look(number: number): Promise<WaveAnswer<AnswerTo<'look'>>> {
    const { store } = this.context;
    const { id, policy, drill, cures } = this.plan;
    const { record, wave: waveRecord, cells } = await this.written(number);
    const own = cells.filter((cell) => cell.wave === number);
    const wave = withoutSkipped(this.wave(number), skippedIn(own));
    const seen = await this.survey(wave, waveRecord, cells, { control: record.control, requestsSince: waveRecord.bakeBeganAt });
    await this.keep(seen, number);
    const exposed = new Set(own.filter(hasVersion).map(({ cell }) => cell));
    const decision = look({
      wave,
      record: waveRecord,
      policy,
      control: record.control,
      healths: seen.healths.filter(({ cell }) => exposed.has(cell)),
      verdict: seen.verdict,
      lacking: lackingIn(wave, own),
      ...{ cures, drill: drilledIn(this.plan) === number ? drill : undefined },
      now: this.now(),
    });
    if (decision.action === 'extend') {
      await store.updateWave(id, number, { bakeUntil: decision.until, extended: decision.sentence });
      return { action: 'wait', seconds: decision.seconds, sentence: decision.sentence };
    }
    return this.answer(decision, number);
  }

  /** The cells to roll back. */
  async rollback(number: number): Promise<WaveAnswer<AnswerTo<'rollback'>>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const { record, wave, cells } = await this.written(number);
    const wanted = backOf(policy, record.control, record.back);
    const back = toRestore(cells, number, policy, record.control, record.back);
    const waves = [...new Set([...back.map(({ wave }) => wave), number])];
    const known = new Map((await Promise.all(waves.map((wave) => store.cellsIn(id, wave)))).flat().map((cell) => [cell.name, cell]));
    const found = back.flatMap(({ cell, wave }) => {
      const pinned = known.get(cell);
      return pinned ? [{ ...pinned, wave }] : [];
    });
    const why = record.outcome?.sentence ?? 'rolled back alone';
    // Also one that was never touched: it is done with, and the rollout goes on without it.
    if (wanted.scope === 'cells') {
      const { apartFor = 'alarm' } = wanted;
      for (const cell of wanted.cells) await store.updateCell(id, { cell, apart: why, apartFor });
    } else for (const wave of waves) await store.updateWave(id, wave, { status: 'rolling back' });
    // The same locks as on the way out: a rollout that was stopped has given them back.
    const locked = new Map((await this.lock(this.plan.component, found)).map(({ cell = '', sentence }) => [cell, sentence]));
    for (const [cell, sentence] of locked) await store.updateCell(id, { cell, status: 'not restored', sentence });
    const items = found.filter(({ name }) => !locked.has(name));
    if (items.length === 0) return { action: 'pass', sentence: 'no cell has anything to roll back' };
    const which = wanted.scope === 'cells' ? `-${cells.filter(({ apart }) => apart !== undefined).length}` : '';
    const key = rollbackKey(id, number, `${record.runs}-${wave.attempts}${which}`);
    await store.writeOnce(key, items);
    return { action: 'rollback', cells: key, concurrency: policy.rollbackConcurrency, sentence: `rolls ${items.length} cells back` };
  }

  /** How the rollback went. */
  async restored(number: number): Promise<WaveAnswer<AnswerTo<'restored'>>> {
    const { store } = this.context;
    const { id } = this.plan;
    const { record, waves, cells } = await this.written(number);
    const returning = waves.filter(({ status }) => status === 'rolling back');
    if (record.back?.scope === 'cells' && returning.length === 0) {
      const { cells: names } = record.back;
      const stuck = cells.find(({ cell, status }) => names.includes(cell) && status === 'not restored');
      const gone = names.join(', ');
      await store.updateRecord(id, { back: undefined, outcome: undefined, cause: undefined });
      if (!stuck) return { action: 'again', sentence: `${gone} was rolled back alone; the rollout goes on without it` };
      const sentence = `${stuck.cell} could not be rolled back alone: ${stuck.sentence ?? 'no reason known'}`;
      return this.end('awaiting decision', { wave: number, cell: stuck.cell, sentence });
    }
    const end = afterRollback(
      cells,
      returning.map((wave) => wave.number),
      record.outcome ?? { wave: number, sentence: 'rolled back' },
    );
    for (const wave of returning) {
      const stuck = cells.some((cell) => cell.wave === wave.number && isTouched(cell));
      await store.updateWave(id, wave.number, {
        status: stuck ? 'rolled back in part' : 'rolled back',
        endedAt: this.now(),
        ...(wave.number === number ? { sentence: end.outcome.sentence } : {}),
      });
    }
    return this.end(end.status, toldRollback(end.outcome, cells, this.plan.version));
  }

  /** The machine has come to an error that nothing else catches: whatever was changed goes back. */
  async broken(number: number, sentence: string): Promise<WaveAnswer<AnswerTo<'broken'>>> {
    const { store } = this.context;
    const { id } = this.plan;
    const outcome: Outcome = { sentence, wave: number };
    const { record, waves, cells } = await this.written(number);
    const returning = waves.filter(({ status }) => status === 'rolling back').map((wave) => wave.number);
    // A second time, the way back is broken, too: going round in circles helps nobody.
    if (returning.length === 0 && cells.some((cell) => cell.wave === number && isTouched(cell))) {
      await store.updateWave(id, number, { status: 'rolling back' });
      return this.answer({ action: 'rollback', outcome }, number);
    }
    const touched = cells.some((cell) => returning.includes(cell.wave) && isTouched(cell));
    for (const wave of returning) await store.updateWave(id, wave, { status: 'rolled back in part', sentence, endedAt: this.now() });
    if (returning.length === 0) await store.updateWave(id, number, { status: 'failed', sentence, endedAt: this.now() });
    if (!touched) return this.end('stopped', outcome);
    const { status, outcome: told } = afterRollback(cells, returning, {
      ...outcome,
      sentence: record.outcome ? `${record.outcome.sentence}. The way back broke: ${sentence}` : sentence,
    });
    return this.end(status, told);
  }

  private wave(number: number) {
    const wave = this.plan.waves[number];
    if (!wave) throw new Error(`${this.plan.id} has no wave ${number}`);
    return wave;
  }

  /** An attempt of its own for every execution; the same one when a call is repeated. */
  private async begin(wave: WaveRecord, execution: string): Promise<WaveRecord> {
    if (wave.execution === execution) return wave;
    const begun = { status: 'preflight', attempts: wave.attempts + 1, execution, startedAt: this.now() } as const;
    await this.context.store.updateWave(this.plan.id, wave.number, {
      ...begun,
      endedAt: undefined,
      sentence: undefined,
      opensAt: undefined,
      frozenSince: undefined,
    });
    const { frozenSince: _, ...before } = wave;
    return { ...before, ...begun };
  }

  /** When all calendars of the wave are open. In a rehearsal, the wait is shortened as every other is. */
  private opening(cells: readonly RolloutCell[], record: WaveRecord): { at: string; why: string } | 'never' | undefined {
    const { timeScale } = this.plan.policy;
    if (timeScale < 1 && record.opensAt !== undefined) return { at: record.opensAt, why: 'calendars are closed' };
    const now = this.context.now();
    const opening = openTogether(
      cells.map((cell) => ({ name: cell.name, calendars: [cell.calendar] })),
      now,
    );
    if (opening.open) return undefined;
    if (opening.until === undefined) return 'never';
    const at = new Date(now.getTime() + (opening.until.getTime() - now.getTime()) * timeScale);
    return { at: at.toISOString(), why: opening.reason };
  }

  /** Writes down what was decided, and says it to the machine. */
  private async answer<D extends Spoken>(decision: D, number: number): Promise<WaveAnswer<D['action'] | 'end'>> {
    return { action: decision.action, ...(await this.writeDown(decision, number)) };
  }

  private async writeDown(decision: Spoken, number: number): Promise<Omit<WaveAnswer, 'action'> | WaveAnswer<'end'>> {
    const { store } = this.context;
    const { id } = this.plan;
    switch (decision.action) {
      case 'go':
      case 'bake':
        return {};
      case 'wait':
        return { seconds: decision.seconds, sentence: decision.sentence };
      case 'again':
        await store.updateWave(id, number, { againAt: this.now() });
        return { sentence: decision.sentence };
      case 'pass':
        await store.updateWave(id, number, { status: 'passed', endedAt: this.now(), sentence: decision.sentence });
        return (await this.passed()) ?? { sentence: decision.sentence };
      case 'rollback':
        await store.updateRecord(id, { outcome: decision.outcome, cause: decision.outcome, back: decision.back });
        return { sentence: decision.outcome.sentence };
      case 'end':
        await store.updateWave(id, number, { sentence: decision.outcome.sentence });
        return this.end(decision.status, decision.outcome);
    }
  }

  /**
   * The last wave ends the rollout, whoever started it: a pipeline knows its waves, and not that there are no more.
   * @returns what the machine is told where the rollout stopped instead of succeeding
   */
  private async passed(): Promise<WaveAnswer<'end'> | undefined> {
    const { store } = this.context;
    const record = await store.requireRecord(this.plan.id);
    const step = advance(record, await store.waves(this.plan));
    const ended = step.action === 'end' && step.status === 'succeeded' && (await this.endUnless(record, step.status, step.outcome));
    return ended && !ended.well ? ended : undefined;
  }
}
