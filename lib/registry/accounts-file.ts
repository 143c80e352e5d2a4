/**
 * The lock file: which account belongs to which cell, and in which availability zones of it the cell is. Written by `cellctl`,
 * committed by people. One line per cell, sorted, and a last line that stays: so every such line ends with a comma, and git can
 * put the lines of two branches together (`accounts.json merge=union` in the folder's .gitattributes) and the result is JSON.
 * One section only: between two of them, git can put a line of one into the other (decision 37).
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lock } from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { FactoryError, isNamed, messageOf } from './errors.ts';
import { isObject, type UncheckedOrganization } from './shape.ts';
import { accountId } from './values.ts';

/** Names of zones, with a space between them: "eu-west-1a eu-west-1b". */
const ZONE_NAMES = String.raw`[a-z]{2}(?:-[a-z]+)+-\d[a-z](?: [a-z]{2}(?:-[a-z]+)+-\d[a-z])*`;

const line = z.string().regex(new RegExp(`^\\d{12}(?: ${ZONE_NAMES})?$`), 'expected an account id, and names of zones behind it');

/** The content of the file, without the lines that only git needs. */
const storedSchema = z.strictObject({
  /** AWS Organizations' id, once `cellctl init` knows it. */
  organization: z.string().optional(),
  control: z.strictObject({ management: accountId.optional(), monitoring: accountId.optional(), tooling: accountId.optional() }),
  cells: z.record(z.string(), line),
  /** Where zones stood before they stood behind the account id. Only read: the next change moves them. */
  zones: z.record(z.string(), z.string().regex(new RegExp(`^${ZONE_NAMES}$`), 'expected names of zones')).optional(),
});

/** Key of the last line of the cells: no cell can have that name, and it sorts after all that can. */
const LAST_LINE = '~';
const LAST_LINE_TEXT = 'stays last, so that git can merge the lines above';

export interface AccountsFile extends Pick<z.infer<typeof storedSchema>, 'organization' | 'control'> {
  /** Account ids by cell. */
  readonly cells: Readonly<Record<string, string>>;
  /** Names of zones by cell, in the order of the cell's subnets. Only of cells that have an account. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
}

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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const conflict = text.includes('<<<<<<<') ? ': it holds an unresolved merge' : `: ${messageOf(error)}`;
    throw new FactoryError('LOCK_FILE_INVALID', `${path} is not JSON${conflict}`, { cause: error, fix: RESTORE });
  }
  const contradictions = contradictionsIn(text);
  if (contradictions.length > 0) throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${contradictions.join('; ')}`, { fix: DECIDE });
  const parsed = storedSchema.safeParse(withoutLastLine(value));
  if (!parsed.success) {
    throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, { fix: RESTORE });
  }
  return contentOf(path, parsed.data, text);
}

const RESTORE =
  'restore it from git (take one side of the merge whole: `git checkout --ours` or `--theirs`), or delete it: `cellctl init` and `cellctl accounts` find ids and zones again';
const DECIDE =
  'keep the line with the right account: AWS Organizations says whose it is, by e-mail and tag. Of zones that differ, remove both: `cellctl accounts` finds them again. Or take one side of the merge whole (`git checkout --ours` or `--theirs`) and run `cellctl accounts`';

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

/** Every key of the text with its value, `{` for an object, in their order: JSON.parse keeps only the last one of a key. */
function entriesOf(text: string): { readonly section: string; readonly key: string; readonly value: string }[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}:]/g) ?? [];
  const within: string[] = [];
  return tokens.flatMap((token, index) => {
    if (token === '}') within.pop();
    if (tokens[index + 1] !== ':') return [];
    const entry = { section: within.join('.'), key: unquoted(token), value: unquoted(tokens[index + 2] ?? '') };
    if (entry.value === '{') within.push(entry.key);
    return [entry];
  });
}

const unquoted = (token: string) => (token.startsWith('"') ? String(JSON.parse(token)) : token);

/** Whether two lines of a cell say the same, one perhaps without zones: one branch has added them, the other a line beside it. */
function agree(one: string, other: string): boolean {
  const [shorter = '', longer = ''] = [one, other].sort((a, b) => a.length - b.length);
  return longer === shorter || (!shorter.includes(' ') && longer.startsWith(`${shorter} `));
}

/** What a merge leaves when two branches wrote different things under one key. JSON.parse would silently take the later line. */
function contradictionsIn(text: string): string[] {
  const seen = new Map<string, string>();
  return entriesOf(text).flatMap(({ section, key, value }) => {
    const path = section === '' ? key : `${section}.${key}`;
    const other = seen.get(path);
    seen.set(path, value.length < (other?.length ?? 0) ? (other ?? '') : value);
    if (other === undefined) return [];
    if (value === '{') return [`the section "${key}" stands twice`];
    if (section === 'cells' ? agree(value, other) : value === other) return [];
    return [`"${key}" stands twice, with ${other} and ${value}`];
  });
}

/** What the file says of each cell, wherever it stands. @throws FactoryError `LOCK_FILE_INVALID` for zones that contradict, or of no account */
function contentOf(path: string, { organization, control, cells, zones = {} }: z.infer<typeof storedSchema>, text: string): AccountsFile {
  const lines = new Map(Object.entries(cells));
  for (const { section, key, value } of entriesOf(text)) {
    if (section === 'cells' && value.length > (lines.get(key)?.length ?? Number.POSITIVE_INFINITY)) lines.set(key, value);
  }
  const problems: string[] = [];
  for (const [cell, names] of Object.entries(zones)) {
    const [id, ...known] = lines.get(cell)?.split(' ') ?? [];
    if (id === undefined) problems.push(`"${cell}" has zones and no account`);
    else if (known.length > 0 && known.join(' ') !== names) problems.push(`"${cell}" stands twice, with ${known.join(' ')} and ${names}`);
    else lines.set(cell, `${id} ${names}`);
  }
  if (problems.length > 0) throw new FactoryError('LOCK_FILE_INVALID', `${path}: ${problems.join('; ')}`, { fix: DECIDE });
  const split = [...lines].map(([cell, each]) => ({ cell, id: each.slice(0, 12), names: each.split(' ').slice(1) }));
  return {
    ...(organization === undefined ? {} : { organization }),
    control,
    cells: Object.fromEntries(split.map(({ cell, id }) => [cell, id])),
    zones: Object.fromEntries(split.flatMap(({ cell, names }) => (names.length === 0 ? [] : [[cell, names]]))),
  };
}

const sorted = <T>(record: Record<string, T>) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

function textOf({ organization, control, cells, zones }: AccountsFile): string {
  const lines = Object.fromEntries(Object.entries(cells).map(([cell, id]) => [cell, [id, ...(own(zones, cell) ?? [])].join(' ')]));
  const file = {
    ...(organization === undefined ? {} : { organization }),
    control: sorted(control),
    cells: { ...sorted(lines), [LAST_LINE]: LAST_LINE_TEXT },
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
      const { cells, zones, ...rest } = change(await readAccountsFile(path));
      // Zones are an account's own: those of a cell that has none any more say nothing.
      const file = { ...rest, cells, zones: Object.fromEntries(Object.entries(zones).filter(([cell]) => own(cells, cell) !== undefined)) };
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
