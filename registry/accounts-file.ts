/**
 * The lock file: which account belongs to which cell. Written by `cellctl`, committed by people.
 * One line per account, sorted, so that two branches that each add a cell rarely touch the same line.
 */
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { FactoryError, isNamed, messageOf } from './errors.ts';
import type { Organization } from './model.ts';

const accountId = z.string().regex(/^\d{12}$/);

const schema = z.strictObject({
  /** AWS Organizations' id, once `cellctl init` knows it. */
  organization: z.string().optional(),
  control: z.strictObject({ management: accountId.optional(), monitoring: accountId.optional(), tooling: accountId.optional() }),
  cells: z.record(z.string(), accountId),
});

export type AccountsFile = z.infer<typeof schema>;
export type ControlAccount = keyof AccountsFile['control'];

const EMPTY: AccountsFile = { control: {}, cells: {} };

/**
 * Reads the lock file; a missing one is an organization without accounts.
 * @throws FactoryError `LOCK_FILE_INVALID` when it exists and is not what `cellctl` wrote
 */
export async function readAccountsFile(path: string): Promise<AccountsFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isNamed(error, 'ENOENT')) return EMPTY;
    throw new FactoryError('LOCK_FILE_INVALID', `${path} can't be read`, { cause: error, fix: 'check its permissions' });
  }
  const fix =
    'restore it from git (`git checkout` or resolve the merge), or delete it: `cellctl init` and `cellctl accounts` find the ids again';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const conflict = text.includes('<<<<<<<') ? ': it holds an unresolved merge' : `: ${messageOf(error)}`;
    throw new FactoryError('LOCK_FILE_INVALID', `${path} is not JSON${conflict}`, { cause: error, fix });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, { fix });
}

const sorted = <T>(record: Record<string, T>) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** One write after the other: each reads what the one before left. */
let queue: Promise<unknown> = Promise.resolve();

/** Changes the lock file: reads it, applies `change`, and swaps the new file in whole. Returns what was written. */
export function updateAccountsFile(path: string, change: (file: AccountsFile) => AccountsFile): Promise<AccountsFile> {
  const next = queue.then(async () => {
    const { organization, control, cells } = change(await readAccountsFile(path));
    const file = { ...(organization === undefined ? {} : { organization }), control: sorted(control), cells: sorted(cells) };
    await writeFileAtomic(path, `${JSON.stringify(file, undefined, 2)}\n`);
    return file;
  });
  queue = next.catch(() => undefined);
  return next;
}

/** The organization with the account ids of the lock file. Ids of cells that are not in the registry are left out. */
export function withAccounts(organization: Organization, file: AccountsFile): Organization {
  const control = <K extends ControlAccount>(name: K) => {
    const id = file.control[name];
    return { ...organization.accounts[name], ...(id === undefined ? {} : { accountId: id }) };
  };
  const cells = Object.entries(organization.cells).map(([name, cell]) => {
    const id = file.cells[name];
    return [name, cell.cloud === 'aws' && id !== undefined ? { ...cell, accountId: id } : cell] as const;
  });
  return {
    ...organization,
    ...(file.organization === undefined ? {} : { organizationId: file.organization }),
    accounts: { management: control('management'), tooling: control('tooling'), monitoring: control('monitoring') },
    cells: Object.fromEntries(cells),
  };
}
