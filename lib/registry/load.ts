/** Reads an organization: a folder of definitions, or a published document. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti, type Jiti } from 'jiti';
import { readAccountsFile, withAccounts } from './accounts-file.ts';
import { draft, lifeOf, openDocument, partsOf, type Registry } from './document.ts';
import { FactoryError, messageOf, type Problem } from './errors.ts';
import { locate } from './locate.ts';
import type { UncheckedOrganization } from './shape.ts';
import { type Checked, check, invalid } from './validate.ts';

export interface LoadOptions {
  /** The lock file. @default - `accounts.json` in the folder of definitions */
  readonly accountsFile?: string | undefined;
  /** The time by which expiry is judged. @default - now */
  readonly now?: Date;
  /** `settings`: leaves cells and components out, for who must only know where the registry is. @default - everything */
  readonly only?: 'settings';
}

/** An organization that breaks no rule, and what is unwise about it. */
export interface LoadedRegistry extends Registry {
  readonly warnings: readonly Problem[];
}

/** Where the account ids of the organization at `path` are kept, or undefined for a document, which holds its own. */
export function accountsFileOf(path: string, options: LoadOptions = {}): string | undefined {
  return path.endsWith('.json') ? undefined : (options.accountsFile ?? join(path, 'accounts.json'));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function importDefault(jiti: Jiti, file: string, label: string, problems: Problem[]): Promise<unknown> {
  try {
    const { default: value } = await jiti.import<{ default?: unknown }>(file);
    if (value !== null && typeof value === 'object') return value;
    problems.push({
      code: 'FILE_WITHOUT_DEFAULT',
      path: label,
      message: 'exports no definition',
      fix: 'write `export default define…({ … })`',
    });
  } catch (error) {
    problems.push({
      code: 'FILE_UNREADABLE',
      path: label,
      message: messageOf(error).replaceAll(/\s+/g, ' '),
      fix: 'mend the file: it must be TypeScript that can be imported',
    });
  }
  return undefined;
}

/** Imports `<folder>/<kind>/*.ts`, keyed by file name. */
async function importFolder(jiti: Jiti, folder: string, kind: string, problems: Problem[]): Promise<Record<string, unknown>> {
  const files = (await readdir(join(folder, kind)).catch(() => [])).filter((file) => !file.startsWith('.')).sort();
  const entries: [string, unknown][] = [];
  for (const file of files) {
    if (file.endsWith('.ts')) {
      const value = await importDefault(jiti, join(folder, kind, file), `${kind}/${file}`, problems);
      if (value !== undefined) entries.push([basename(file, '.ts'), value]);
    } else if (/\.([cm]?[jt]sx?|json)$/i.test(file)) {
      const fix = `call it ${file.replace(/\.[^.]+$/, '')}.ts, or move it out of ${kind}/`;
      problems.push({ code: 'FILE_IGNORED', path: `${kind}/${file}`, message: 'is no definition by its name', fix });
    }
  }
  // Not by assignment: a file may be called __proto__.ts, and that is a problem to be told.
  return Object.fromEntries(entries);
}

/**
 * Does `work` while definitions are running. What they print goes to stderr, because stdout is for results, and what would
 * end the process ends the definition instead: a check that somebody ended early would pass for a good one.
 */
async function contained<T>(work: () => Promise<T>): Promise<T> {
  const { exit, stdout } = process;
  const { write } = stdout;
  process.exit = (code) => {
    throw new Error(`calls process.exit(${code ?? ''})`);
  };
  stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  try {
    return await work();
  } finally {
    process.exit = exit;
    stdout.write = write;
  }
}

async function importDefinitions(
  folder: string,
  only: LoadOptions['only'],
): Promise<{ input: UncheckedOrganization; problems: Problem[] }> {
  const problems: Problem[] = [];
  // Definitions import 'cell-factory/registry' wherever their folder lies, also where no node_modules is in sight.
  const jiti = createJiti(import.meta.url, {
    moduleCache: false,
    // A file without a default export must not pass for one whose exports are its definition.
    interopDefault: false,
    alias: { 'cell-factory/registry': fileURLToPath(new URL(`./define${extname(import.meta.url)}`, import.meta.url)) },
  });
  return contained(async () => {
    const settings = await importDefault(jiti, join(folder, 'organization.ts'), 'organization.ts', problems);
    const entries = async (kind: string) => (only === 'settings' ? {} : importFolder(jiti, folder, kind, problems));
    return { input: { settings, cells: await entries('cells'), components: await entries('components') }, problems };
  });
}

/** What stands in a folder of definitions, with the lock file's ids. Nothing of it has been checked. */
export interface Definitions {
  readonly folder: string;
  readonly input: UncheckedOrganization;
  /** What is wrong with files. */
  readonly problems: readonly Problem[];
  /** Cells that have an account, with what shows it. */
  readonly existing: ReadonlyMap<string, string>;
}

/**
 * The definitions in the folder `path`, unchecked.
 * @throws FactoryError `ORGANIZATION_NOT_FOUND`, `LOCK_FILE_INVALID`
 */
export async function readDefinitions(path: string, accountsFile: string, only?: LoadOptions['only']): Promise<Definitions> {
  // Not the folder we are in: an empty path is a variable that somebody forgot to set.
  if (path === '')
    throw new FactoryError('ORGANIZATION_NOT_FOUND', 'the path of the organization is empty', {
      fix: 'pass a folder or document with --organization',
    });
  const folder = resolve(path);
  if (!(await exists(join(folder, 'organization.ts')))) {
    throw new FactoryError('ORGANIZATION_NOT_FOUND', `${path} holds no organization.ts`, {
      fix: 'pass the folder of definitions, or a published .json, with --organization',
    });
  }
  const accounts = await readAccountsFile(accountsFile);
  const { input, problems } = await importDefinitions(folder, only);
  const known = only === 'settings' ? {} : accounts.cells;
  const existing = new Map(Object.entries(known).map(([cell, id]) => [cell, `account ${id} in ${basename(accountsFile)}`]));
  // A file that can't be read is one problem; that its cell is not defined would be a second one about the same.
  for (const { path: file } of problems) existing.delete(basename(file, '.ts'));
  return { folder, input: withAccounts(input, accounts), problems, existing };
}

/** What is right and wrong with definitions: their files, their fields, and what the rules say of them. */
export async function checkDefinitions({ folder, input, problems, existing }: Definitions, now: Date): Promise<Checked> {
  const { organization, ...found } = check(input, { now, existing });
  const all = [...problems, ...found.problems.filter((problem) => input.settings !== undefined || problem.path !== 'organization')];
  const result = { problems: await locate(folder, all), warnings: await locate(folder, found.warnings) };
  return organization && all.length === 0 ? { ...result, organization } : result;
}

/**
 * The registry at `path`: a folder that holds `organization.ts`, `cells/`, `components/`, or a published `.json`.
 * @throws FactoryError `ORGANIZATION_NOT_FOUND`, `REGISTRY_INVALID` (with every problem of every file), `LOCK_FILE_INVALID`, `DOCUMENT_INVALID`
 */
export async function loadRegistry(path: string, options: LoadOptions = {}): Promise<LoadedRegistry> {
  const accountsFile = accountsFileOf(path, options);
  const now = options.now ?? new Date();
  if (accountsFile === undefined) return loadDocument(path, now);
  const { organization, problems, warnings } = await checkDefinitions(await readDefinitions(path, accountsFile, options.only), now);
  if (!organization) throw invalid(problems, path);
  return { ...draft(organization), warnings };
}

async function loadDocument(path: string, now: Date): Promise<LoadedRegistry> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new FactoryError('ORGANIZATION_NOT_FOUND', `${path} can't be read`, {
      cause,
      fix: 'pass an existing document to --organization',
    });
  });
  const document = openDocument(text, path);
  const checked = check(partsOf(document), { now });
  const { organization, problems } = checked;
  if (!organization) throw invalid(problems, path);
  const { digest, published } = document;
  return {
    ...{ organization, life: lifeOf(document, path), digest, published },
    get warnings() {
      return checked.warnings;
    },
  };
}
