/**
 * The pool: empty accounts that are set up as far as an account can be without its cell, so that a cell's account takes
 * minutes when it matters. Vending takes from it (pool-claim.ts); here it is filled, shown, and given back to.
 */

import { ACCOUNT_TAG, type CellPlan, ORGANIZATIONAL_UNITS, type Plan, poolAccount } from '../plan/plan.ts';
import { cellAccountName, FactoryError, poolAccountName } from '../registry/index.ts';
import { type AccountRecord, type AccountRecords, type AccountStep, entered, type RecordChange } from './account-record.ts';
import type { Directory } from './directory.ts';
import type { LockFile } from './lock-file.ts';
import { freeAccounts, isFree } from './pool-claim.ts';
import { isPoolName, type Survey, type WantedAccount } from './survey.ts';
import type { Vending, VendingOptions, VendResult } from './vend.ts';

const wantedNumber = (plan: Plan, number: number): WantedAccount => ({
  account: poolAccount(plan, number),
  cell: undefined,
  mayClaim: false,
  accountId: undefined,
});

const numberOf = (name: string) => Number(name.slice('pool-'.length));

/** Names in the pool that no cell has, of accounts that are there or on their way. */
function unclaimed({ records, pooled, claims, users, creations, byId }: Survey): string[] {
  const claimed = new Set([...claims.values()].map(({ pool }) => pool));
  for (const { name, claimedBy } of records.values()) if (claimedBy !== undefined) claimed.add(name);
  for (const id of users.keys()) claimed.add(pooled.get(id) ?? '');
  const gone = [...pooled].filter(([id]) => byId.get(id)?.status !== 'ACTIVE').map(([, name]) => name);
  const known = [
    ...[...records.values()].filter(({ accountId, step }) => accountId !== undefined || step !== 'returned').map(({ name }) => name),
    ...pooled.values(),
    ...creations.filter(({ state }) => state === 'IN_PROGRESS').map(({ name }) => name),
  ];
  return [...new Set(known)].filter((name) => isPoolName(name) && !claimed.has(name) && !gone.includes(name)).sort();
}

/**
 * Tops the pool up to `keep` accounts that no cell has; never takes one away. What is on its way is finished first.
 * @returns what became of each account that there is now
 */
export async function keepPool(vending: Vending, plan: Plan, keep: number): Promise<VendResult[]> {
  // One account is asked for, so that the survey reads the tags of accounts that nothing else explains.
  const seen = await vending.look([wantedNumber(plan, 1)]);
  const free = freeAccounts(seen).filter(({ name }) => seen.records.has(name));
  const done = free.map(
    ({ name, id }): VendResult => ({ account: name, cell: undefined, accountId: id, state: 'unchanged', warnings: [] }),
  );
  const there = unclaimed(seen);
  const used = new Set([...there, ...seen.records.keys(), ...seen.pooled.values()].filter(isPoolName).map(numberOf));
  const numbers = there.map(numberOf);
  for (let number = 1; numbers.length < keep; number++) if (!used.has(number)) numbers.push(number);
  const idOf = new Map([...seen.pooled].map(([id, name]) => [name, id]));
  // What is ready is left alone: a cell may take it at any moment, and looks at every step again then.
  const ready = new Set(free.map(({ name }) => name));
  const unfinished = numbers.filter((number) => !ready.has(poolAccountName(number)));
  const vended = await vending.vend(
    unfinished.map((number) => {
      const wanted = wantedNumber(plan, number);
      // One that was given back has the e-mail of the cell it was made for; it is known by its id.
      const id = idOf.get(wanted.account.name);
      const email = (id === undefined ? undefined : seen.byId.get(id)?.email) ?? wanted.account.email;
      return { ...wanted, account: { ...wanted.account, email }, accountId: id };
    }),
    seen,
  );
  return [...done, ...vended];
}

/** One line of `cellctl accounts pool`. */
export interface PoolRow {
  readonly account: string;
  readonly accountId: string | undefined;
  readonly state: 'free' | 'claimed' | AccountStep;
  readonly cell: string | undefined;
  readonly since: string;
}

/** The pool as the records show it. */
export function poolRows(records: Iterable<AccountRecord>): PoolRow[] {
  return [...records]
    .filter(({ name }) => isPoolName(name))
    .map((record) => ({
      account: record.name,
      accountId: record.accountId,
      state: isFree(record) ? 'free' : record.step === 'ready' ? 'claimed' : record.step,
      cell: record.claimedBy,
      since: record.since,
    }));
}

/** What giving an account back needs, of all that vending has. */
export type ReturnOptions = Pick<VendingOptions, 'clock' | 'run' | 'emit'> & {
  readonly directory: Directory;
  readonly records: AccountRecords;
  readonly lockFile: LockFile;
  readonly plan: Plan;
  /** Notes that the cell has come to its end. */
  readonly ended: () => Promise<void>;
  /** What is left in the account; nothing proves it empty. */
  readonly whatIsLeft: (accountId: string) => Promise<readonly string[]>;
};

/** The account that goes back: out of the lock file, or, when a run died in between, by its claim. */
function accountOf(cell: CellPlan, { locked, claims, pooled }: Survey): { id: string; name: string | undefined } {
  const claim = claims.get(cellAccountName(cell.name));
  const id = locked.get(cell.name) ?? claim?.id;
  if (id === undefined) throw new FactoryError('CELL_WITHOUT_ACCOUNT', `${cell.name} has no account to give back`);
  return { id, name: claim?.id === id ? claim.pool : pooled.get(id) };
}

/**
 * Gives a cell's account back to the pool.
 * @throws FactoryError `REFUSED` unless the cell is retiring and the account proven empty, listing what is left
 */
export async function returnAccount(
  vending: Vending,
  cell: CellPlan,
  options: ReturnOptions,
): Promise<{ account: string; accountId: string }> {
  if (cell.intent !== 'retiring') {
    throw new FactoryError('REFUSED', `${cell.name} is not retiring: its intent is "${cell.intent}"`, {
      fix: `set intent: 'retiring' in cells/${cell.name}.ts, and run \`cellctl destroy ${cell.name}\` first`,
    });
  }
  const seen = await vending.look([{ account: cell.account, cell: cell.name, mayClaim: false, accountId: undefined }]);
  const { id, name = nextName(seen) } = accountOf(cell, seen);
  const left = await options.whatIsLeft(id);
  if (left.length > 0) {
    throw new FactoryError('REFUSED', `account ${id} of ${cell.name} is not empty:\n${left.map((each) => `  ${each}`).join('\n')}`, {
      fix: `\`cellctl destroy ${cell.name}\` deletes the stacks; what they keep on purpose, and what others made, delete by hand`,
    });
  }
  // Before the account goes: a cell without one could not be ended any more.
  await options.ended();
  await handOver(cell, { id, name, email: seen.byId.get(id)?.email ?? '' }, options);
  return { account: name, accountId: id };
}

/** A name for an account that was not in the pool before. */
function nextName({ records, pooled }: Survey): string {
  const used = new Set([...records.keys(), ...pooled.values()]);
  let number = 1;
  while (used.has(poolAccountName(number))) number++;
  return poolAccountName(number);
}

/**
 * The order keeps the account with one owner, whatever dies when. First the pool's record says that it is still the cell's,
 * and on its way back: nobody else may claim it, and the same command finds it again without the lock file. Then everything
 * that names the cell goes. Last, the record frees it: only then can another cell have it.
 */
async function handOver(cell: CellPlan, account: { id: string; name: string; email: string }, options: ReturnOptions): Promise<void> {
  const { directory, records, lockFile, clock, run, emit, plan } = options;
  const { id, name, email } = account;
  const subject = cell.account.name;
  const enter = (step: AccountStep, change: RecordChange) =>
    records.update(name, (current) => entered(current, step, { name, email, cell: undefined, run, now: clock.now() }, change));
  emit({ kind: 'started', subject, text: `account ${id} goes back to the pool as ${name}` });
  await enter('returning', { accountId: id, claimedBy: cell.name, warnings: [] });
  await lockFile.update((cells) => Object.fromEntries(Object.entries(cells).filter(([other]) => other !== cell.name)));
  await records.update(subject, (current) =>
    entered(
      current,
      'returned',
      { name: subject, email: cell.account.email, cell: cell.name, run, now: clock.now() },
      { accountId: undefined, requestId: undefined, warnings: [] },
    ),
  );
  await directory.place(id, ORGANIZATIONAL_UNITS.pool, false);
  const strange = Object.keys(await directory.tags(id)).filter((key) => !(key in plan.pool.tags) && key !== ACCOUNT_TAG);
  if (strange.length > 0) await directory.untag(id, strange);
  await directory.tag(id, { ...plan.pool.tags, [ACCOUNT_TAG]: name });
  await enter('ready', { claimedBy: undefined });
  emit({ kind: 'done', subject, text: `account ${id} is in the pool as ${name}` });
}
