/** One account's way: says and records each step, before it begins and after it ended. */

import type { Emit } from '../messages.ts';
import { FactoryError } from '../registry/index.ts';
import { type AccountRecord, type AccountRecords, type AccountStep, entered, type RecordChange } from './account-record.ts';
import type { Clock } from './clock.ts';
import type { WantedAccount } from './survey.ts';

export interface JourneyOptions {
  readonly records: AccountRecords;
  readonly clock: Clock;
  /** Who works, and in which run. */
  readonly run: string;
  readonly emit: Emit;
}

export class Journey {
  constructor(
    private readonly options: JourneyOptions,
    readonly wanted: WantedAccount,
    private current: AccountRecord | undefined,
  ) {}

  get record(): AccountRecord | undefined {
    return this.current;
  }

  /** Writes down that `step` begins. */
  async enter(step: AccountStep, change: RecordChange = {}): Promise<void> {
    const { records, clock, run } = this.options;
    const { account, cell } = this.wanted;
    const writer = { name: account.name, email: account.email, cell, run, now: clock.now() };
    this.current = await records.update(account.name, (current) => {
      // Setting it up for the pool would take it away from the cell.
      if (cell === undefined && current?.claimedBy !== undefined) {
        throw new FactoryError('ORGANIZATION_CONFLICT', `${account.name} was taken by ${current.claimedBy} meanwhile`, {
          fix: 'run the command again',
        });
      }
      return entered(current, step, writer, change);
    });
  }

  say(kind: 'started' | 'progress' | 'done' | 'unchanged' | 'failed' | 'warning', text: string): void {
    this.options.emit({ kind, subject: this.wanted.account.name, text });
  }

  /** Writes down what went wrong. A record that can't be written must not hide the failure itself. */
  async stop(step: 'failed' | 'waiting', failure: FactoryError): Promise<void> {
    this.say('failed', failure.message);
    const at = this.current?.step ?? 'waiting';
    const problem = {
      in: at === 'failed' ? 'waiting' : at,
      reason: failure.message,
      advice: failure.fix ?? 'run the command again',
    } as const;
    await this.enter(step, { problem }).catch(() => undefined);
  }
}
