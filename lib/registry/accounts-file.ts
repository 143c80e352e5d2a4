/**
 * The lock file: which account belongs to which cell. Written by `cellctl`, committed by people.
 * One line per account, sorted, and a last line that stays: so every account's line ends with a comma, and git can put the
 * lines of two branches together (`accounts.json merge=union` in the folder's .gitattributes) and the result is JSON.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lock } from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { FactoryError, isNamed, messageOf } from './errors.ts';
import { isObject, type UncheckedOrganization } from './shape.ts';
import { accountId } from './values.ts';

const schema = z.strictObject({
  /** AWS Organizations' id, once `cellctl init` knows it. */
  organization: z.string().optional(),
  control: z.strictObject({ management: accountId.optional(), monitoring: accountId.optional(), tooling: accountId.optional() }),
  cells: z.record(z.string(), accountId),
});

/** Key of the last line of the cells: no cell can have that name, and it sorts after all that can. */
const LAST_LINE = '~';
const LAST_LINE_TEXT = 'stays last, so that git can merge the lines above';

export type AccountsFile = z.infer<typeof schema>;
type ControlAccount = keyof AccountsFile['control'];

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
  const twice = repeatedCell(text);
  if (twice !== undefined)
    throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${twice}`, {
      fix: 'keep the line with the right account: AWS Organizations says whose it is, by e-mail and tag',
    });
  const parsed = schema.safeParse(withoutLastLine(value));
  if (parsed.success) return parsed.data;
  throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, { fix });
}

/** The content of a file without the line that only git needs. */
function withoutLastLine(value: unknown): unknown {
  if (!isObject(value) || !isObject(value['cells'])) return value;
  const { [LAST_LINE]: _, ...cells } = value['cells'];
  return { ...value, cells };
}

/** What a merge leaves when two branches gave one cell different accounts. JSON.parse would silently take the later line. */
function repeatedCell(text: string): string | undefined {
  const seen = new Map<string, string>();
  for (const [, name = '', id = ''] of text.matchAll(/^\s*"([^"]+)"\s*:\s*"(\d{12})"/gm)) {
    const other = seen.get(name);
    if (other !== undefined && other !== id) return `"${name}" stands twice, with ${other} and ${id}`;
    seen.set(name, id);
  }
  return undefined;
}

const sorted = <T>(record: Record<string, T>) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

function textOf({ organization, control, cells }: AccountsFile): string {
  const file = {
    ...(organization === undefined ? {} : { organization }),
    control: sorted(control),
    cells: { ...sorted(cells), [LAST_LINE]: LAST_LINE_TEXT },
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** One change after the other in this process; between processes the lock decides. */
let queue: Promise<unknown> = Promise.resolve();

/** Changes the lock file: reads it, applies `change`, and swaps the new file in whole, with every other writer kept out. */
export function updateAccountsFile(path: string, change: (file: AccountsFile) => AccountsFile): Promise<AccountsFile> {
  const next = queue.then(async () => {
    await mkdir(dirname(path), { recursive: true });
    const release = await lock(path, { realpath: false, stale: 10_000, retries: { retries: 100, minTimeout: 20, maxTimeout: 200 } });
    try {
      const file = change(await readAccountsFile(path));
      await writeFileAtomic(path, textOf(file));
      return file;
    } finally {
      await release();
    }
  });
  queue = next.catch(() => undefined);
  return next;
}

/**
 * Definitions with the account ids of the lock file, before they are checked: two cells with one account is a fault of the
 * lock file that shows only then. What is no object passes through as it is; ids of cells that are not defined are left out.
 */
export function withAccounts(input: UncheckedOrganization, file: AccountsFile): UncheckedOrganization {
  const control = (accounts: unknown) =>
    Object.fromEntries(CONTROL_ACCOUNTS.map((name) => [name, { ...Object(Object(accounts)[name]), ...idOf(file.control[name]) }]));
  const settings = isObject(input.settings)
    ? {
        ...input.settings,
        ...(file.organization === undefined ? {} : { organizationId: file.organization }),
        accounts: control(input.settings['accounts']),
      }
    : input.settings;
  const cells = Object.entries(input.cells).map(
    ([name, cell]) => [name, isObject(cell) && cell['cloud'] === 'aws' ? { ...cell, ...idOf(ownId(file, name)) } : cell] as const,
  );
  return { ...input, settings, cells: Object.fromEntries(cells) };
}

const CONTROL_ACCOUNTS = ['management', 'tooling', 'monitoring'] as const satisfies readonly ControlAccount[];

const idOf = (accountId: string | undefined) => (accountId === undefined ? {} : { accountId });

const ownId = (file: AccountsFile, cell: string) => (Object.hasOwn(file.cells, cell) ? file.cells[cell] : undefined);
