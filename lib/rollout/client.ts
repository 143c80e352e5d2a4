/** Starts rollouts, says how they are, and passes on what people ask of them. It only writes records: the machines act. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3Client } from '../aws/s3.ts';
import { S3Objects } from '../aws/s3-objects.ts';
import type { Session } from '../aws/session.ts';
import { FactoryError } from '../registry/index.ts';
import { refuseSkip } from './asking.ts';
import { executionsOf } from './executions.ts';
import { findMachines } from './find-machines.ts';
import { type RepairFinding, RolloutRepair } from './repair.ts';
import { type Draft, RolloutQueue } from './rollout-queue.ts';
import { type Control, hasEnded, isGoingBack, type Lane, type Request, type RolloutRecord, type RolloutStatus } from './rollout-record.ts';
import { RolloutStore } from './rollout-store.ts';

/** Who asks for something, and why. */
export interface Asker {
  readonly by: string;
  readonly reason?: string | undefined;
}

/** A rollout that is under way, whether or not anybody drives it just now. */
const HALTED_OR_RUNNING: readonly RolloutStatus[] = ['running', 'between waves', 'paused', 'awaiting approval', 'awaiting decision'];

/** Times that a request is tried when somebody else writes at the same moment. */
const ATTEMPTS = 10;

export class RolloutClient extends RolloutQueue {
  /**
   * @param session tooling's, in the home region
   * @param bucket the artifacts' bucket there
   * @throws FactoryError `NOT_INITIALIZED` while stack `Rollouts` is missing
   */
  static async connect(session: Session, bucket: string): Promise<RolloutClient> {
    const { table, machine } = await findMachines(session);
    const store = new RolloutStore(session, table, new S3Objects(s3Client(session), bucket));
    return new RolloutClient(executionsOf(new SFNClient(session), machine), store);
  }

  /**
   * Writes a rollout down and sets it going.
   * @throws FactoryError `LOCKED` while another one of the component is under way
   */
  async start({ plan: draft, cells }: Draft): Promise<RolloutRecord> {
    const { component } = draft;
    const before = await this.store.active(draft);
    if (before !== undefined) await this.giveWay(before, draft);
    const { plan, record: queued } = await this.newRollout(draft);
    const { id } = plan;
    const record: RolloutRecord = { ...queued, status: 'running', runs: 1, execution: this.execution(id, 1) };
    if (!(await this.store.create(plan, cells, record, before))) {
      throw new FactoryError('LOCKED', `somebody else has just started a rollout of ${component}`, {
        fix: `look at it with \`cellctl rollout status ${component}\``,
      });
    }
    await this.run(id, 1);
    return record;
  }

  /** Looks for what is wrong in the component's records, and mends what can be. @param mend false to say only what would be done */
  repair(component: string, mend: boolean): Promise<readonly RepairFinding[]> {
    return new RolloutRepair(this.executions, this.store, mend).of(component);
  }

  /** Has nothing more begun; a bake goes on to its end. @throws FactoryError `REFUSED` unless it runs */
  async pause(id: string, asker: Asker): Promise<RolloutRecord> {
    await this.refuseDead(id);
    return this.ask(id, ['running'], ({ control }) => ({ ...control, pause: request(asker) }));
  }

  /** Ends it where it is: cells keep what they run. @throws FactoryError `REFUSED` when it has ended */
  async stop(id: string, asker: Asker): Promise<RolloutRecord> {
    if (await this.unqueue(id, asker)) return this.store.requireRecord(id);
    const asked = await this.ask(id, HALTED_OR_RUNNING, ({ control }) => ({ ...control, stop: request(asker) }));
    return this.onward(asked);
  }

  /** One that has begun nothing is over at once. @returns false when it has begun */
  private async unqueue(id: string, asker: Asker): Promise<boolean> {
    const { status, control } = await this.store.requireRecord(id);
    if (status !== 'queued') return false;
    const stop = request(asker);
    const outcome = { sentence: `stopped by ${stop.by}${stop.reason === undefined ? '' : `: ${stop.reason}`}, before its turn came` };
    const patch = { status: 'stopped', outcome, control: { ...control, stop }, endedAt: stop.at } as const;
    return this.store.updateRecord(id, patch, { status: 'queued' });
  }

  /**
   * Rolls back what the rollout has changed, in its last wave, or in all: after later rollouts in exactly those cells that
   * still run its version.
   * @throws FactoryError `REFUSED` when it has begun nothing; `LOCKED` while a later rollout is under way
   */
  async rollback(id: string, scope: 'wave' | 'all', asker: Asker): Promise<RolloutRecord> {
    const known = await this.store.requireRecord(id);
    if (known.runs === 0) {
      throw new FactoryError('REFUSED', `${id} has not begun: no cell has its version by it`, {
        fix: `end it with \`cellctl rollout stop ${id}\``,
      });
    }
    const [newest, back, [last]] = await Promise.all([
      this.store.active(known),
      this.isGoingBack(known),
      this.store.history(known.component, 1),
    ]);
    const later = newest === id && last === id ? {} : { later: true as const };
    if (newest !== undefined && newest !== id) await this.giveWay(newest, known);
    const from: RolloutStatus[] = [...HALTED_OR_RUNNING, 'stopped', 'succeeded', 'rolled back in part', 'rolled back'];
    const asked = await this.ask(id, from, ({ control }) => ({ ...control, rollback: { ...request(asker), scope, ...later } }));
    return this.onward(asked, { back, newest });
  }

  /** Lets the wave's bake pass. @throws FactoryError `REFUSED` unless it runs */
  async skipBake(id: string, wave: number, asker: Asker): Promise<RolloutRecord> {
    await this.refuseDead(id);
    return this.ask(id, ['running', 'paused'], ({ control }) => ({
      ...control,
      skipBake: { ...control.skipBake, [wave]: request(asker) },
    }));
  }

  /** Lets a wave begin that waits for it; before its time, too. @throws FactoryError `REFUSED` when the rollout has ended */
  async approve(id: string, wave: number, asker: Asker): Promise<RolloutRecord> {
    const asked = await this.ask(id, HALTED_OR_RUNNING, ({ control }) => ({
      ...control,
      approvals: { ...control.approvals, [wave]: request(asker) },
    }));
    return asked.status === 'awaiting approval' ? this.onward(asked) : asked;
  }

  /**
   * Leaves a cell out that has not got the version yet.
   * @throws FactoryError `USAGE` for one that is in no wave; `REFUSED` when it has the version or is about to, or all is done
   */
  async skipCell(id: string, cell: string, asker: Asker): Promise<RolloutRecord> {
    const { plan, cells } = await this.view(id);
    refuseSkip(plan, cell, cells);
    const from: RolloutStatus[] = ['queued', ...HALTED_OR_RUNNING, 'stopped', 'rolled back', 'rolled back in part'];
    return this.ask(id, from, ({ control }) => ({ ...control, skipCells: { ...control.skipCells, [cell]: request(asker) } }));
  }

  /**
   * Goes on from where it was: cells that run the version stay as they are.
   * @throws FactoryError `REFUSED` while it runs, when it has succeeded, or when another rollout has begun since
   */
  async resume(id: string, asker: Asker): Promise<RolloutRecord> {
    const record = await this.store.requireRecord(id);
    const { pause, stop, rollback } = record.control;
    if (record.status === 'running' && (await this.isAlive(record))) {
      const other = rollback ?? stop;
      if (other) {
        throw new FactoryError(
          'REFUSED',
          `${id} is about to ${rollback ? 'be rolled back' : 'stop'}: ${other.by} asked for it at ${other.at}`,
          {
            fix: 'wait until that is done; then it can be resumed',
          },
        );
      }
      // The pause has not been seen yet: it is taken back.
      if (pause) return this.ask(id, ['running'], ({ control }) => ({ ...withoutPause(control), resumed: request(asker) }));
      throw new FactoryError('REFUSED', `${id} is running`, { fix: `watch it with \`cellctl rollout watch ${id}\`` });
    }
    await this.refuseOutdated(
      record,
      `roll it back with \`cellctl rollout rollback ${id}\`, or start a new one with \`cellctl rollout start ${record.component} --release ${record.version}\``,
    );
    const from: RolloutStatus[] = [...HALTED_OR_RUNNING, 'stopped', 'rolled back', 'rolled back in part'];
    // Interrupted on its way back, it goes on with that, for the reason that it had.
    const back = await this.isGoingBack(record);
    const asked = await this.ask(id, from, ({ control, status }) => ({
      // One that is over begins anew: waves are approved and bake again, and only cells that were skipped stay so.
      ...(hasEnded(status) && !back ? onlySkips(control) : withoutHalts(control)),
      resumed: request(asker),
    }));
    return this.onward(asked, { back, newest: id });
  }

  private async isGoingBack(record: RolloutRecord): Promise<boolean> {
    return isGoingBack(record, await this.store.waves(await this.store.plan(record.id)));
  }

  /**
   * Has a rollout go on that waits for a decision: cells that are sick by now are no reason to wait any more.
   * @throws FactoryError `REFUSED` unless it waits for one
   */
  async continue(id: string, asker: Asker): Promise<RolloutRecord> {
    const asked = await this.ask(id, ['awaiting decision'], ({ control }) => ({ ...withoutHalts(control), continued: request(asker) }));
    return this.onward(asked);
  }

  private async ask(id: string, from: readonly RolloutStatus[], change: (record: RolloutRecord) => Control): Promise<RolloutRecord> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const record = await this.store.requireRecord(id);
      if (!from.includes(record.status)) {
        const end = record.outcome === undefined ? '' : `: ${record.outcome.sentence}`;
        throw new FactoryError('REFUSED', `${id} is ${record.status}${end}`, { fix: `this takes one that is ${from.join(', ')}` });
      }
      const control = change(record);
      // Of two who ask at the same moment neither is forgotten, and one that is over meanwhile takes no more.
      const expected = { control: record.control, status: record.status };
      if (await this.store.updateRecord(id, { control }, expected)) return { ...record, control };
    }
    throw new FactoryError('RECORD_CONFLICT', `${id} changes all the time`, { fix: 'run the command again' });
  }

  /**
   * Has an execution act on what was asked, unless one is under way.
   * @param how whether it goes on rolling back, and the rollout that its lane's pointer names. @default - forward; this one
   */
  private async onward(
    record: RolloutRecord,
    how: { readonly back: boolean; readonly newest: string | undefined } = { back: false, newest: record.id },
  ): Promise<RolloutRecord> {
    const { back, newest } = how;
    if (record.status === 'running' && (await this.isAlive(record)) && !(await this.isWaiting(record))) return record;
    const { id } = record;
    const runs = record.runs + 1;
    const cause = back ? { outcome: record.cause ?? record.outcome } : { outcome: undefined, cause: undefined };
    // What looks after a success have shown is of that success.
    const anew = record.status === 'running' && !back ? {} : { ...cause, endedAt: undefined, afterwards: undefined };
    // A pipeline takes it on where it left it; who has it go on from there without one has it go to the end.
    const alone = record.status === 'between waves' || hasEnded(record.status) ? { through: undefined } : {};
    const driven = { status: 'running', runs, execution: this.execution(id, runs), ...anew, ...alone } as const;
    const expected = { runs: record.runs };
    const taken = await (newest === id
      ? this.store.drive(id, record, driven, expected)
      : this.store.begin(id, record, driven, expected, newest));
    if (!taken) {
      throw new FactoryError('LOCKED', `somebody else is setting ${id}, or another rollout of ${record.component}, going`, {
        fix: `look at it with \`cellctl rollout status ${id}\``,
      });
    }
    await this.run(id, runs);
    return this.store.requireRecord(id);
  }

  /**
   * True while the rollout waits before a wave, perhaps for a calendar that opens in days: nothing is under way that another
   * execution could disturb, and the one that waits finds out that it is no longer needed.
   */
  private async isWaiting({ id }: RolloutRecord): Promise<boolean> {
    return (await this.store.waves(await this.store.plan(id))).some(({ status }) => status === 'preflight');
  }

  /** Makes room for a new rollout. A dead one is ended: its locks are taken over cell by cell. @throws FactoryError `LOCKED` */
  private async giveWay(before: string, lane: Lane): Promise<void> {
    const { record, flaw } = await this.store.inspect(before);
    // What can't be read drives nothing: the operator could not read it, either.
    if (flaw !== undefined) await this.store.giveUp(before, lane);
    if (!record || hasEnded(record.status)) return;
    if (record.status === 'running' && !(await this.isAlive(record))) {
      const sentence = `its execution ended without a word; a new rollout of ${record.component} took over`;
      const endedAt = new Date().toISOString();
      await this.store.updateRecord(before, { status: 'stopped', outcome: { sentence }, endedAt }, { updatedAt: record.updatedAt });
      await this.store.releaseLocks(record.component, before);
      return;
    }
    throw new FactoryError(
      'LOCKED',
      `${before} (${record.component} ${record.version}) is ${record.status}, since ${record.startedAt} by ${record.by}`,
      {
        fix: `wait for it, or end it with \`cellctl rollout stop ${before}\``,
      },
    );
  }

  /** Only the last rollout that has begun may change cells again. @throws FactoryError `REFUSED` */
  private async refuseOutdated(record: RolloutRecord, fix: string): Promise<void> {
    const { id, component, runs } = record;
    const active = await this.store.active(record);
    if (active === id) return;
    const why = runs === 0 ? `${id} has not begun` : `${id} is not the last rollout of ${component}: ${active} came after it`;
    throw new FactoryError('REFUSED', why, { fix });
  }

  /** A request that nobody would hear is worse than none. @throws FactoryError `REFUSED` */
  private async refuseDead(id: string): Promise<void> {
    const record = await this.store.requireRecord(id);
    if (await this.isAlive(record)) return;
    throw new FactoryError('REFUSED', `${id} is dead: its execution ended without a word`, {
      fix: `resume it with \`cellctl rollout resume ${id}\``,
    });
  }

  private execution(id: string, run: number): string {
    return this.executions.idOf(`${id}-${run}`);
  }

  private async run(id: string, run: number): Promise<void> {
    await this.executions.start(`${id}-${run}`, { rollout: id, stage: null });
  }
}

const request = ({ by, reason }: Asker): Request => ({ by, reason, at: new Date().toISOString() });

function withoutPause({ pause: _pause, ...rest }: Control): Control {
  return rest;
}

/** Of what was asked for, the cells that were left out. */
const onlySkips = ({ skipCells }: Control): Control => (skipCells ? { skipCells } : {});

/** What was asked for before no longer holds; approvals and skipped bakes do. */
function withoutHalts({ pause: _pause, stop: _stop, ...rest }: Control): Control {
  return rest;
}
