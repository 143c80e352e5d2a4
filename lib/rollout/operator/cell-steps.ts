/** What the operator does in one cell: the way out, and the way back. */
import { fileKey } from '../../artifact/artifacts.ts';
import { versionOf } from '../../aws/stacks.ts';
import { openAt } from '../../plan/calendar.ts';
import { FactoryError } from '../../registry/index.ts';
import { patienceOf, USUAL } from '../../review/patience.ts';
import { isTolerated, mayBegin } from '../decide.ts';
import { hasVersion } from '../health.ts';
import { nextPoll, POLL_SECONDS, scaled } from '../looks.ts';
import { isTouched } from '../roll-back.ts';
import { type CellRecord, type Control, previousKey, sentKey, type WaveRecord } from '../rollout-record.ts';
import { recordOf } from '../sent.ts';
import { inTheWay } from '../stack-locks.ts';
import type { AnswerTo, CellAnswer } from './answers.ts';
import type { ChangeProgress, Consent, Desired } from './change.ts';
import { desiredOf } from './desired.ts';
import { readLive } from './live.ts';
import { LockedStack } from './locked-stack.ts';
import { PreviousVersion } from './previous.ts';
import { removeStep } from './removal.ts';

/** Seconds until a cell asks again that may not begin before the next look at those that have the version. */
const ADMISSION_SECONDS = 15;
/** How long a stack is waited for that somebody else is changing: nobody knows by what. */
const OTHERS_SECONDS = 3_600;

const DONE: CellAnswer<'done'> = { action: 'done', seconds: 1 };

/** One cell of one rollout. */
export class CellWork extends LockedStack {
  /** Does a step. The stack's lock is renewed while its change goes on, and given back when that is done. */
  async step(operation: 'startDeploy' | 'pollDeploy' | 'startRestore' | 'pollRestore'): Promise<CellAnswer> {
    const answer = await this[operation]();
    if (answer.action === 'poll') await this.takeLock();
    else if (answer.action === 'done') await this.giveBack();
    return answer;
  }

  /** Begins to deploy, unless the cell has the version already, or nobody may begin any more. */
  async startDeploy(): Promise<CellAnswer<AnswerTo<'startDeploy'>>> {
    const { store, now } = this.context;
    const { id, component, policy } = this.plan;
    const [record, control, waveRecord] = await Promise.all([this.record(), store.requireRecord(id), store.wave(id, this.wave)]);
    // Who is skipped stays so until another attempt at the wave; who was rolled back alone, for good.
    if (record.status === 'deployed' || record.status === 'skipped' || record.apart !== undefined) return DONE;
    if (!mayBegin(waveRecord, control.control)) return DONE;
    const goesOn = record.status === 'deploying';
    if (!goesOn && (await this.isHeld(record, control.control, waveRecord))) return DONE;
    if (!(await store.holds(component, this.cell.name, id))) {
      return this.fail(`${this.cell.name}: its lock was lost to another rollout of ${component}`);
    }
    const busy = goesOn ? undefined : await this.busyWith();
    if (busy !== undefined) return this.waitForOthers(record, waveRecord, busy);
    if (!goesOn && !(await store.admit(id, this.wave))) {
      await this.giveBack();
      return { action: 'again', seconds: scaled(ADMISSION_SECONDS, policy.timeScale) };
    }
    const previous = goesOn ? '' : await this.remember();
    if (typeof previous !== 'string') return this.onward(async () => previous);
    const begun: CellRecord = goesOn
      ? // It goes on; how long nobody drove it does not count.
        { ...record, startedAt: now().toISOString() }
      : {
          cell: this.cell.name,
          wave: this.wave,
          status: 'deploying',
          changeSet: `${id}-${control.runs}-${waveRecord.attempts}`,
          previous,
          executing: false,
          startedAt: now().toISOString(),
          // One that an earlier attempt changed, and nobody could roll back, has the version by us, not from before.
          ...(isTouched(record) ? { unchanged: false } : {}),
        };
    // What an earlier attempt has left is none of this one's.
    const gone = { unchanged: undefined, sentence: undefined, endedAt: undefined, watchedFrom: undefined };
    await store.updateCell(id, { ...gone, ...begun, waitingSince: undefined, heldIn: undefined, busySince: undefined });
    return this.onward(() => this.forward(begun));
  }

  /**
   * Whether the cell is not to begin: it is skipped, frozen, or its calendar has closed since the wave began. It leaves its place
   * to the others, and the wave waits for it before its next attempt: an execution of the cell's own would fill its history.
   */
  private async isHeld(record: CellRecord, control: Control, { attempts }: WaveRecord): Promise<boolean> {
    const { name } = this.cell;
    const live = await readLive(this.context, this.plan, control, [name], [record]);
    const reason = live.skipped.get(name);
    if (reason !== undefined) {
      await this.settle({ ...record, status: 'skipped', sentence: reason });
      return true;
    }
    const sentence = live.holdOf(name)?.sentence ?? this.closed();
    if (sentence === undefined) return false;
    const waitingSince = record.waitingSince ?? this.context.now().toISOString();
    await this.context.store.updateCell(this.plan.id, { ...record, waitingSince, heldIn: attempts, busySince: undefined, sentence });
    return true;
  }

  /** Why its calendar is closed; undefined while it is open, and in a rehearsal. */
  private closed(): string | undefined {
    const opening = this.plan.policy.timeScale < 1 ? { open: true as const } : openAt([this.cell.calendar], this.context.now());
    return opening.open ? undefined : `${this.cell.name} ${opening.reason}`;
  }

  /** Waits until they are done, as long as for a change of its own: without an end, the cell's execution would fill its history. */
  private async waitForOthers(record: CellRecord, { startedAt = '' }: WaveRecord, who: string): Promise<CellAnswer<'again' | 'done'>> {
    const { name } = this.cell;
    const { id, component, policy } = this.plan;
    const now = this.context.now();
    const { store } = this.context;
    // Of an earlier attempt at the wave, it says nothing about this one.
    const busySince = record.busySince !== undefined && record.busySince >= startedAt ? record.busySince : now.toISOString();
    if (now.getTime() - Date.parse(busySince) > OTHERS_SECONDS * 1_000) {
      // Whoever goes on waits anew.
      await store.updateCell(id, { cell: name, busySince: undefined });
      const minutes = OTHERS_SECONDS / 60;
      return this.fail(
        `${name}: ${who}; ${component} has waited for more than ${minutes} minutes. When that is done, \`cellctl rollout resume ${id}\` goes on`,
      );
    }
    await store.updateCell(id, { ...record, busySince, sentence: `${name}: ${who}` });
    return { action: 'again', seconds: scaled(POLL_SECONDS, policy.timeScale) };
  }

  /** Looks at the deployment, and takes it a step on. */
  async pollDeploy(): Promise<CellAnswer<AnswerTo<'pollDeploy'>>> {
    const record = await this.record();
    if (record.status !== 'deploying') return DONE;
    return this.onward(() => this.forward(record));
  }

  /** Begins to roll back to what ran before. */
  async startRestore(): Promise<CellAnswer<AnswerTo<'startRestore'>>> {
    const { store } = this.context;
    const { id } = this.plan;
    const record = await this.record();
    if (record.status === 'restored' || record.status === 'pending') return DONE;
    const control = await store.requireRecord(id);
    const left = control.control.rollback?.later === true && record.status !== 'restoring' ? await this.replaced(record) : undefined;
    if (left) return this.settle(left);
    const waveRecord = await store.wave(id, this.wave);
    const restoring: CellRecord = {
      ...record,
      status: 'restoring',
      changeSet: `${id}-back-${control.runs}-${waveRecord.attempts}`,
      executing: false,
      startedAt: this.context.now().toISOString(),
    };
    await store.updateCell(id, restoring);
    return this.backward(() => this.proposeBack(restoring));
  }

  /** The cell as it is left, where it no longer runs the version; undefined where it does. */
  private async replaced(record: CellRecord): Promise<CellRecord | undefined> {
    const { store } = this.context;
    const { id, component, version, removal } = this.plan;
    const found = await this.stack().find();
    if (!found) return removal ? undefined : { ...record, status: 'replaced', sentence: `${component} is not there any more` };
    const runs = versionOf(found);
    if (removal) return { ...record, status: 'replaced', sentence: `${component} is there again${runs === undefined ? '' : `: ${runs}`}` };
    if (runs === version) return undefined;
    // One that takes no version tells by what it was sent last.
    const [last] = runs === undefined ? await store.sentKeys(component, this.cell.name) : [];
    if (last === sentKey(id, this.cell.name)) return undefined;
    if (runs !== undefined) return { ...record, status: 'replaced', sentence: `it runs ${runs}` };
    const sentence = `${component} does not say which version it runs, and there were later rollouts: left alone`;
    return { ...record, status: 'not restored', sentence };
  }

  /** Looks at the way back, and takes it a step on. */
  async pollRestore(): Promise<CellAnswer<AnswerTo<'pollRestore'>>> {
    const record = await this.record();
    if (record.status !== 'restoring') return DONE;
    return this.backward(() => this.proposeBack(record));
  }

  /** Writes down that the machine has given up on the cell, whatever it was doing. */
  async broken(sentence: string): Promise<CellAnswer<AnswerTo<'cellBroken'>>> {
    const record = await this.record();
    if (record.status === 'restoring') return this.settle({ ...record, status: 'not restored', sentence });
    return this.fail(`${this.cell.name}: ${sentence}`);
  }

  /** What may be lost in this cell. */
  private get consent(): Consent {
    return { cell: this.cell.name, allowed: this.plan.allowReplacement };
  }

  /** Where CloudFormation finds an artifact's file that is too long to go along: in the cell's own region. */
  private url(key: string): string {
    const { bucket } = this.context.store.objects;
    return `https://${bucket.slice(0, -this.context.homeRegion.length)}${this.cell.region}.s3.${this.cell.region}.amazonaws.com/${key}`;
  }

  /** The version, as exactly the bytes that were pinned. */
  private async propose(record: CellRecord): Promise<ChangeProgress> {
    const desired = await this.desired();
    if ('state' in desired) return desired;
    const { id, version, digest } = this.plan;
    await this.context.store.writeOnce(sentKey(id, this.cell.name), await recordOf(version, digest, desired.template, desired.parameters));
    return this.proposed(record, desired);
  }

  /** Has the change set made, and writes down how long its change is waited for: whoever looks meanwhile sees it. */
  private async proposed({ changeSet = '' }: CellRecord, desired: Desired): Promise<ChangeProgress> {
    const stack = this.stack();
    const patience = patienceOf((await stack.find()) ? await stack.template() : '', desired.template);
    await this.context.store.updateCell(this.plan.id, { cell: this.cell.name, patience });
    return stack.propose(changeSet, desired);
  }

  /** Points to the record of what the stack was sent. @param isOpen while its execution may still fail */
  private async noteSent(status: CellRecord['status'], isOpen: boolean): Promise<void> {
    const { id, component } = this.plan;
    const { name } = this.cell;
    const [own, before] = [sentKey(id, name), previousKey(id, name)];
    const [last, other] = status === 'restoring' ? [before, own] : [own, before];
    await this.context.store.noteSent(component, name, last, isOpen ? other : undefined);
  }

  private desired(): Promise<Desired | ChangeProgress> {
    return desiredOf(this.context.store.objects, this.plan, this.cell, (key) => this.url(key));
  }

  private get previous(): PreviousVersion {
    return new PreviousVersion(this.context.store, this.plan, this.cell);
  }

  /** Keeps what runs now. @returns its version, empty for none; or why nothing may be deployed over it */
  private async remember(): Promise<string | ChangeProgress> {
    try {
      const previous = await this.previous.keep(this.stack(), async () => {
        if (this.plan.removal) return {};
        const desired = await this.desired();
        return 'state' in desired ? {} : desired.parameters;
      });
      return previous.there ? previous.version : '';
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== 'ROLLBACK_IMPOSSIBLE') throw error;
      return { state: 'failed', sentence: whole(error) };
    }
  }

  private async proposeBack(record: CellRecord): Promise<ChangeProgress> {
    const { component, id, version } = this.plan;
    const { store } = this.context;
    const stack = this.stack();
    const [previous, found] = await Promise.all([this.previous.kept(), stack.find()]);
    // It failed before anything was begun.
    if (!previous) return { state: 'done', changed: false };
    const status = found?.StackStatus ?? '';
    const runs = found && versionOf(found);
    if (runs !== undefined && runs !== version && !(previous.there && runs === previous.version)) {
      return { state: 'failed', sentence: `${this.cell.name} runs ${runs}, which this rollout did not deploy: left alone` };
    }
    // Its change was refused; what is left of it is not ours to delete.
    if (!previous.there && this.plan.kind === 'foundation') return { state: 'done', changed: false };
    if (!previous.there) {
      if (!found) return { state: 'done', changed: true };
      if (status.endsWith('_IN_PROGRESS')) return { state: 'working', sentence: `${component} is ${status}` };
      // Once for each attempt: what held it may be gone.
      if (status === 'DELETE_FAILED' && record.executing) return { state: 'failed', sentence: `${component} can't be deleted` };
      const other = await this.takeLock();
      if (other) return { state: 'working', sentence: inTheWay(other) };
      await store.updateCell(id, { ...record, executing: true });
      await stack.remove();
      return { state: 'working', sentence: `${component} is being deleted: it was not there before` };
    }
    if (!found && !this.plan.removal) return { state: 'failed', sentence: `${this.cell.name} has no ${component} any more: left alone` };
    return this.drive(record, 'all', async () => {
      try {
        const desired = await this.previous.desired(previous, (file) => this.url(fileKey(component, previous.version, file)));
        return await this.proposed(record, desired);
      } catch (error) {
        if (error instanceof FactoryError) return { state: 'failed', sentence: whole(error) };
        throw error;
      }
    });
  }

  /** Takes the way out a step on: the version, or the end of the component in the cell. */
  private async forward(record: CellRecord): Promise<ChangeProgress> {
    const { removal } = this.plan;
    const cell = this.cell.name;
    if (!removal) return this.drive(record, this.consent, () => this.propose(record));
    const other = await this.takeLock();
    if (other && record.executing !== true) return { state: 'working', sentence: inTheWay(other) };
    const begins = () => this.context.store.updateCell(this.plan.id, { cell, executing: true });
    return removeStep({ cell, record, removal, stack: this.stack(), begins });
  }

  /** Takes a change a step on: made, executed, done. */
  private async drive(record: CellRecord, consent: Consent, propose: () => Promise<ChangeProgress>): Promise<ChangeProgress> {
    const { changeSet = '', executing = false } = record;
    const stack = this.stack();
    let progress = await stack.look(changeSet, executing, consent);
    if (progress.state === 'absent') {
      const proposed = await propose();
      if (proposed.state !== 'working') return proposed;
      // A small change set is ready in a moment: who looks at once may save a wait.
      progress = await stack.look(changeSet, executing, consent);
      if (progress.state === 'absent') return proposed;
    }
    if (progress.state === 'done' && progress.changed) return this.verified(progress, record);
    if (progress.state !== 'ready') return progress;
    const other = await this.takeLock();
    // It was lost while nobody looked: theirs comes first.
    if (other) return { state: 'working', sentence: inTheWay(other) };
    await this.noteSent(record.status, true);
    // Before it happens: whoever comes after a death in between finds the change set, and executes it.
    await this.context.store.updateCell(this.plan.id, { cell: record.cell, executing: true });
    return stack.execute(changeSet);
  }

  /** Done is what the stack says it runs: somebody else may have changed it in the meantime. */
  private async verified(progress: ChangeProgress, { status, previous = '' }: CellRecord): Promise<ChangeProgress> {
    const wanted = status === 'restoring' ? previous : this.plan.version;
    const found = await this.stack().find();
    const runs = found && versionOf(found);
    if (runs === undefined || runs === wanted) return progress;
    return { state: 'failed', sentence: `${this.plan.component} says it runs ${runs}, not ${wanted}: somebody else has changed it` };
  }

  /** Writes down what became of a step of the way out. */
  private async onward(step: () => Promise<ChangeProgress>): Promise<CellAnswer<'poll' | 'done'>> {
    const progress = await step();
    const record = await this.record();
    if (progress.state === 'failed') return this.fail(`${this.cell.name}: ${progress.sentence}`);
    // Also where nothing was to be changed: CloudFormation has compared what it hides, too.
    if (progress.state === 'done' && !this.plan.removal) await this.noteSent('deploying', false);
    const gone = this.plan.removal ? { removed: true } : {};
    if (progress.state === 'done')
      return this.settle({ ...record, status: 'deployed', unchanged: record.unchanged ?? !progress.changed, ...gone });
    return this.later(record, (sentence) => this.fail(sentence));
  }

  /** Writes down what became of a step of the way back. */
  private async backward(step: () => Promise<ChangeProgress>): Promise<CellAnswer<'poll' | 'done'>> {
    const progress = await step();
    const record = await this.record();
    const stuck = (sentence: string) => this.settle({ ...record, status: 'not restored', sentence });
    if (progress.state === 'failed') return stuck(progress.sentence);
    if (progress.state === 'done' && (await this.previous.kept())?.there) await this.noteSent('restoring', false);
    return progress.state === 'done' ? this.settle({ ...record, status: 'restored' }) : this.later(record, stuck);
  }

  private async later(record: CellRecord, giveUp: (sentence: string) => Promise<CellAnswer<'done'>>): Promise<CellAnswer<'poll' | 'done'>> {
    const since = Date.parse(record.startedAt ?? this.context.now().toISOString());
    const elapsed = (this.context.now().getTime() - since) / 1_000;
    const { seconds, what } = record.patience ?? USUAL;
    // By no time scale: CloudFormation takes as long in a rehearsal.
    if (elapsed > seconds) {
      return giveUp(`${this.cell.name}: ${this.plan.component} took longer than the ${seconds / 60} minutes that it has for ${what}`);
    }
    return { action: 'poll', seconds: nextPoll(elapsed, this.plan.policy.timeScale) };
  }

  /** The cell has failed, and no other of the wave begins, if that is one more than the policy tolerates. */
  private async fail(sentence: string): Promise<CellAnswer<'done'>> {
    const { store } = this.context;
    const { id, policy } = this.plan;
    const settled = await this.settle({ ...(await this.record()), status: 'failed', sentence });
    const cells = await store.cells(id);
    const own = cells.filter(({ wave }) => wave === this.wave);
    if (!isTolerated(own, cells.filter(hasVersion).length, policy)) await store.updateWave(id, this.wave, { failedCell: this.cell.name });
    return settled;
  }

  private async settle(record: CellRecord): Promise<CellAnswer<'done'>> {
    await this.context.store.updateCell(this.plan.id, { ...record, endedAt: this.context.now().toISOString() });
    return DONE;
  }
}

/** An error as a sentence that also says how to fix it. */
const whole = ({ message, fix, code }: FactoryError): string => (fix === undefined ? message : `${message}. ${code}: ${fix}`);
