/** Looks before it leaps: what there is already, and what follows from it for one account. */
import pLimit from 'p-limit';
import type { Emit } from '../messages.ts';
import { ACCOUNT_TAG, type AccountPlan } from '../plan/plan.ts';
import { cellAccountName, FactoryError } from '../registry/index.ts';
import { type AccountRecord, type AccountRecords, knownRecords } from './account-record.ts';
import { sameEmail, usable } from './creation.ts';
import type { Creation, Directory, ListedAccount } from './directory.ts';
import { type LockFile, takenBy } from './lock-file.ts';

/** An account that somebody wants: of a cell, or for the pool. */
export interface WantedAccount {
  readonly account: AccountPlan;
  /** Its line in the lock file: the cell it is for, or a control account; undefined for the pool. */
  readonly cell: string | undefined;
  /** Whether an account of the pool will do. */
  readonly mayClaim: boolean;
  /** Its id as far as the caller knows it, which comes from the lock file. */
  readonly accountId: string | undefined;
}

/** All that was looked at, by what it is looked up by. */
export interface Survey {
  readonly byId: ReadonlyMap<string, ListedAccount>;
  /** By e-mail in lower case. */
  readonly byEmail: ReadonlyMap<string, ListedAccount>;
  readonly creations: readonly Creation[];
  readonly records: ReadonlyMap<string, AccountRecord>;
  /** Account id by cell, from the lock file. */
  readonly locked: ReadonlyMap<string, string>;
  /** Cell by account id, from the lock file. */
  readonly users: ReadonlyMap<string, string>;
  /** Account name by account id, from the tag, of accounts that the lock file doesn't explain. */
  readonly owners: ReadonlyMap<string, string>;
  /** Accounts out of the pool, by the name of the account that the cell would have otherwise. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** Names in the pool by account id. */
  readonly pooled: ReadonlyMap<string, string>;
}

/** An account of the pool that a cell has taken. */
interface Claim {
  readonly id: string;
  /** Its name in the pool. */
  readonly pool: string;
}

/** What is to be done for one account. */
export type AccountDecision =
  | { readonly kind: 'found'; readonly id: string; readonly pool?: string }
  | { readonly kind: 'follow'; readonly creations: readonly Creation[] }
  | { readonly kind: 'missing' };

/** Names of accounts in the pool, as `poolAccountName` makes them. */
export const isPoolName = (name: string) => /^pool-\d{4,}$/.test(name);

/** Tags that are read at once. */
const CONCURRENCY = 10;

/** Looks at everything that says which accounts there are. */
export async function survey(
  directory: Directory,
  records: AccountRecords,
  lockFile: LockFile,
  wanted: readonly WantedAccount[],
  emit: Emit,
): Promise<Survey> {
  const [accounts, creations, known, cells] = await Promise.all([
    directory.accounts(),
    directory.creations(),
    knownRecords(records, emit),
    lockFile.read(),
  ]);
  const users = new Map(Object.entries(cells).map(([cell, id]) => [id, cell]));
  const all = [...accounts, ...(await lateAccounts(directory, accounts, creations, known, cells, wanted))];
  const limit = pLimit(CONCURRENCY);
  const unexplained = all.filter((account) => isUnexplained(account, wanted, users));
  const owners = await Promise.all(
    unexplained.map(({ id }) => limit(async () => [id, (await directory.tags(id))[ACCOUNT_TAG] ?? ''] as const)),
  );
  return { ...byKey(all), creations, records: known, locked: new Map(Object.entries(cells)), users, ...pool(all, known, new Map(owners)) };
}

/** Lists lag behind: accounts that should be there are asked for by their id. */
async function lateAccounts(
  directory: Directory,
  accounts: readonly ListedAccount[],
  creations: readonly Creation[],
  records: ReadonlyMap<string, AccountRecord>,
  cells: Readonly<Record<string, string>>,
  wanted: readonly WantedAccount[],
): Promise<ListedAccount[]> {
  const listed = new Set(accounts.map(({ id }) => id));
  const names = new Set(wanted.map(({ account }) => account.name));
  const isOurs = ({ name }: { name: string }) => names.has(name) || isPoolName(name);
  const expected = [
    ...wanted.flatMap(({ cell, accountId }) => [accountId, cell === undefined || !Object.hasOwn(cells, cell) ? undefined : cells[cell]]),
    ...creations.filter((creation) => creation.state === 'SUCCEEDED' && isOurs(creation)).map(({ accountId }) => accountId),
    ...[...records.values()].filter(isOurs).map(({ accountId }) => accountId),
  ];
  const missing = [...new Set(expected)].filter((id) => id !== undefined).filter((id) => !listed.has(id));
  const limit = pLimit(CONCURRENCY);
  const late = await Promise.all(missing.map((id) => limit(() => directory.account(id))));
  return late.filter((account) => account !== undefined);
}

const byKey = (accounts: readonly ListedAccount[]) => ({
  byId: new Map(accounts.map((account) => [account.id, account])),
  byEmail: new Map(accounts.map((account) => [account.email.toLowerCase(), account])),
});

/**
 * The pool by records and, where they are lost, by tags. Organizations keeps the name that an account was created with, and
 * an account that was given back has another one in the pool: its tag while it waits there, its record in any case.
 */
function pool(accounts: readonly ListedAccount[], records: ReadonlyMap<string, AccountRecord>, owners: ReadonlyMap<string, string>) {
  const pooled = new Map<string, string>();
  const claims = new Map<string, Claim>();
  for (const { id, name } of accounts) {
    const owner = owners.get(id) ?? '';
    if (isPoolName(name)) pooled.set(id, name);
    if (isPoolName(owner)) pooled.set(id, owner);
  }
  for (const { name, accountId } of records.values()) if (isPoolName(name) && accountId !== undefined) pooled.set(accountId, name);
  const recorded = new Set<string>();
  for (const { name, accountId, claimedBy } of records.values()) {
    if (!isPoolName(name) || accountId === undefined) continue;
    recorded.add(accountId);
    if (claimedBy !== undefined) claims.set(cellAccountName(claimedBy), { id: accountId, pool: name });
  }
  // Where there is a record, it alone decides: a claim is written there first and withdrawn there last.
  for (const [id, owner] of owners) {
    const name = pooled.get(id);
    if (name !== undefined && !recorded.has(id) && owner !== '' && !isPoolName(owner)) claims.set(owner, { id, pool: name });
  }
  return { owners, pooled, claims };
}

/**
 * True for an account whose tags must be read: neither in the lock file under the e-mail that its cell is to have, nor
 * closed. Nobody needs any tags when every cell has its account.
 */
function isUnexplained(account: ListedAccount, wanted: readonly WantedAccount[], locked: ReadonlyMap<string, string>): boolean {
  if (account.status !== 'ACTIVE') return false;
  const cell = locked.get(account.id);
  if (cell === undefined) return wanted.some((each) => each.accountId === undefined);
  const own = wanted.find((each) => each.cell === cell);
  return own !== undefined && !sameEmail(own.account.email, account.email);
}

/** What the survey says about one account. Pure. @throws FactoryError `ORGANIZATION_CONFLICT` */
export function decide(wanted: WantedAccount, seen: Survey): AccountDecision {
  const { account, cell, accountId } = wanted;
  const claim = seen.claims.get(account.name);
  const lockedId = (cell === undefined ? undefined : seen.locked.get(cell)) ?? accountId;
  if (lockedId !== undefined) {
    return { kind: 'found', id: checkLocked(wanted, lockedId, claim, seen), ...(claim?.id === lockedId ? { pool: claim.pool } : {}) };
  }
  if (claim) return { kind: 'found', id: usable(accountOf(claim.id, seen)), pool: claim.pool };
  const there = seen.byEmail.get(account.email.toLowerCase());
  if (there) return adopt(wanted, there, seen);
  const creations = seen.creations.filter(({ name, state }) => state === 'IN_PROGRESS' && name === account.name);
  return creations.length > 0 ? { kind: 'follow', creations } : { kind: 'missing' };
}

function accountOf(id: string, { byId }: Survey): ListedAccount {
  const account = byId.get(id);
  if (account) return account;
  throw new FactoryError('ORGANIZATION_CONFLICT', `account ${id} is not in the organization`, {
    fix: 'remove its line from accounts.json: `cellctl accounts` finds the right id again',
  });
}

/** The lock file's word is checked: its account must be there, be usable, and belong to the cell by e-mail, claim or tag. */
function checkLocked({ account, cell = account.name }: WantedAccount, id: string, claim: Claim | undefined, seen: Survey): string {
  const found = accountOf(id, seen);
  usable(found);
  const own = seen.byEmail.get(account.email.toLowerCase());
  if (own?.id === id || claim?.id === id || seen.owners.get(id) === account.name) return id;
  const what = own
    ? `${account.email} is account ${own.id}; the lock file says ${id}`
    : `the lock file says ${id} for ${cell}; that is the account of ${found.email}`;
  throw new FactoryError('ORGANIZATION_CONFLICT', what, {
    fix: `correct the line of ${cell} in accounts.json: the account id alone, since zones are another account's`,
  });
}

/** An account with the right e-mail is adopted, unless it belongs to another cell: one that came out of the pool keeps its e-mail. */
function adopt({ account, cell }: WantedAccount, there: ListedAccount, seen: Survey): AccountDecision {
  const id = usable(there);
  if (cell === undefined) return { kind: 'found', id };
  const user = seen.users.get(id) ?? [...seen.records.values()].find((each) => each.accountId === id && each.claimedBy)?.claimedBy;
  if (user !== undefined && user !== cell) throw takenBy(id, user, cell);
  const owner = seen.owners.get(id) ?? '';
  // It was given back to the pool: whoever wants it claims it there, like everybody.
  if (isPoolName(owner)) return { kind: 'missing' };
  if (owner.startsWith('cell-') && owner !== account.name) throw takenBy(id, owner, cell);
  return { kind: 'found', id };
}
