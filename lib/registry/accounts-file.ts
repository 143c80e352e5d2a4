/**
 * The lock file: which account belongs to which cell, and which availability zones. Written by `cellctl`, committed by people.
 * One line per account, and one per cell's zones, sorted, and a last line that stays: so every such line ends with a comma, and git can put the
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
  /** Names of zones by cell, in the order of the cell's subnets. A string, so that git merges a cell's zones as a whole. */
  zones: z
    .record(
      z.string(),
      z.string().transform((names) => names.split(' ')),
    )
    .default({}),
});

/** Key of the last line of the cells, and of their zones: no cell can have that name, and it sorts after all that can. */
const LAST_LINE = '~';
const LAST_LINE_TEXT = 'stays last, so that git can merge the lines above';

export type AccountsFile = z.infer<typeof schema>;
type ControlAccount = keyof AccountsFile['control'];

const EMPTY: AccountsFile = { control: {}, cells: {}, zones: {} };

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
  if (twice) throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${twice.message}`, { fix: twice.fix });
  const parsed = schema.safeParse(withoutLastLine(value));
  if (parsed.success) return parsed.data;
  throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, { fix });
}

/** The content of a file without the lines that only git needs. */
function withoutLastLine(value: unknown): unknown {
  if (!isObject(value)) return value;
  const without = (section: unknown) => {
    if (!isObject(section)) return section;
    const { [LAST_LINE]: _, ...rest } = section;
    return rest;
  };
  return { ...value, cells: without(value['cells']), ...('zones' in value ? { zones: without(value['zones']) } : {}) };
}

/** What may stand twice after a merge, and how to tell which line is right. */
const REPEATABLE = [
  {
    line: /^\s*"([^"]+)"\s*:\s*"(\d{12})"/gm,
    fix: 'keep the line with the right account: AWS Organizations says whose it is, by e-mail and tag',
  },
  {
    line: /^\s*"([^"]+)"\s*:\s*"([a-z]{2}-[a-z-]+-\d[a-z](?: [a-z0-9-]+)*)"/gm,
    fix: "keep the line with the zones of the cell's subnets; remove both, and `cellctl accounts` reads them again",
  },
];

/** What a merge leaves when two branches gave one cell different accounts or zones. JSON.parse would silently take the later line. */
function repeatedCell(text: string): { message: string; fix: string } | undefined {
  for (const { line, fix } of REPEATABLE) {
    const seen = new Map<string, string>();
    for (const [, name = '', value = ''] of text.matchAll(line)) {
      const other = seen.get(name);
      if (other !== undefined && other !== value) return { message: `"${name}" stands twice, with ${other} and ${value}`, fix };
      seen.set(name, value);
    }
  }
  return undefined;
}

const sorted = <T>(record: Record<string, T>) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

function textOf({ organization, control, cells, zones }: AccountsFile): string {
  const zoneLines = Object.fromEntries(Object.entries(zones).map(([cell, names]) => [cell, names.join(' ')]));
  const file = {
    ...(organization === undefined ? {} : { organization }),
    control: sorted(control),
    cells: { ...sorted(cells), [LAST_LINE]: LAST_LINE_TEXT },
    zones: { ...sorted(zoneLines), [LAST_LINE]: LAST_LINE_TEXT },
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
 * Definitions with the account ids and zones of the lock file, before they are checked: two cells with one account is a fault of the
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
    ([name, cell]) =>
      [
        name,
        isObject(cell) && cell['cloud'] === 'aws' ? { ...cell, ...idOf(own(file.cells, name)), ...zonesOf(own(file.zones, name)) } : cell,
      ] as const,
  );
  return { ...input, settings, cells: Object.fromEntries(cells) };
}

const CONTROL_ACCOUNTS = ['management', 'tooling', 'monitoring'] as const satisfies readonly ControlAccount[];

const idOf = (accountId: string | undefined) => (accountId === undefined ? {} : { accountId });

const zonesOf = (zones: readonly string[] | undefined) => (zones === undefined ? {} : { zones });

const own = <T>(section: Readonly<Record<string, T>>, cell: string) => (Object.hasOwn(section, cell) ? section[cell] : undefined);
