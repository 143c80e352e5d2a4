/** Taking an account out of the pool. */

import { type AccountRecord, entered } from './account-record.ts';
import type { JourneyOptions } from './journey.ts';
import type { Survey } from './survey.ts';

/** An account that waits in the pool. */
export interface FreeAccount {
  /** Its name in the pool. */
  readonly name: string;
  readonly id: string;
  readonly email: string;
}

/** True for a record whose account may be taken. */
export const isFree = ({ step, claimedBy, accountId }: AccountRecord): boolean =>
  step === 'ready' && claimedBy === undefined && accountId !== undefined;

/** Accounts that no cell has, by the records or, where they are lost, by the tags. In the order of their names. */
export function freeAccounts({ byId, users, pooled, records, owners }: Survey): FreeAccount[] {
  return [...pooled]
    .filter(([id, name]) => {
      const record = records.get(name);
      const free = record ? record.accountId === id && isFree(record) : owners.get(id) === name;
      return free && byId.get(id)?.status === 'ACTIVE' && !users.has(id);
    })
    .map(([id, name]) => ({ id, name, email: byId.get(id)?.email ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Takes the first account of `free` for `cell`, and removes it there. The record decides who was first: of two that want the
 * same account, one finds it claimed and takes the next. Nothing else is touched before that.
 */
export async function claim(cell: string, free: FreeAccount[], { records, clock, run }: JourneyOptions): Promise<FreeAccount | undefined> {
  for (let next = free.shift(); next !== undefined; next = free.shift()) {
    const { name, email, id } = next;
    const writer = { name, email, cell: undefined, run, now: clock.now() };
    const record = await records.update(name, (current) =>
      current && !(isFree(current) && current.accountId === id)
        ? current
        : entered(current, 'ready', writer, { accountId: id, claimedBy: cell }),
    );
    if (record.claimedBy === cell && record.accountId === id) return next;
  }
  return undefined;
}
