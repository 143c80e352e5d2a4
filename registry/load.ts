/** Reads an organization: a folder of definitions, or a published document. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti, type Jiti } from 'jiti';
import { readAccountsFile, withAccounts } from './accounts-file.ts';
import { draft, parseDocument, type Registry } from './document.ts';
import { FactoryError, messageOf, type Problem } from './errors.ts';
import { check, invalid, type UncheckedOrganization, validate } from './validate.ts';

export interface LoadOptions {
  /** The lock file. @default - `accounts.json` in the folder of definitions */
  readonly accountsFile?: string | undefined;
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
    problems.push({ code: 'FILE_UNREADABLE', path: label, message: messageOf(error), fix: 'mend the file; it must be valid TypeScript' });
  }
  return undefined;
}

/** Imports `<folder>/<kind>/*.ts`, keyed by file name. */
async function importFolder(jiti: Jiti, folder: string, kind: string, problems: Problem[]): Promise<Record<string, unknown>> {
  const files = (await readdir(join(folder, kind)).catch(() => [])).filter((file) => file.endsWith('.ts') && !file.startsWith('.')).sort();
  const entries: Record<string, unknown> = {};
  for (const file of files) {
    const value = await importDefault(jiti, join(folder, kind, file), `${kind}/${file}`, problems);
    if (value !== undefined) entries[basename(file, '.ts')] = value;
  }
  return entries;
}

async function importDefinitions(folder: string): Promise<{ input: UncheckedOrganization; problems: Problem[] }> {
  const problems: Problem[] = [];
  // Definitions import 'cell-factory/registry' wherever their folder lies, also where no node_modules is in sight.
  const jiti = createJiti(import.meta.url, {
    moduleCache: false,
    // A file without a default export must not pass for one whose exports are its definition.
    interopDefault: false,
    alias: { 'cell-factory/registry': fileURLToPath(new URL(`./define${extname(import.meta.url)}`, import.meta.url)) },
  });
  const settings = await importDefault(jiti, join(folder, 'organization.ts'), 'organization.ts', problems);
  const cells = await importFolder(jiti, folder, 'cells', problems);
  const components = await importFolder(jiti, folder, 'components', problems);
  return { input: { settings, cells, components }, problems };
}

/**
 * The registry at `path`: a folder that holds `organization.ts`, `cells/`, `components/`, or a published `.json`.
 * @throws FactoryError `ORGANIZATION_NOT_FOUND`, `REGISTRY_INVALID` (with every problem of every file), `LOCK_FILE_INVALID`, `DOCUMENT_INVALID`
 */
export async function loadRegistry(path: string, options: LoadOptions = {}): Promise<Registry> {
  const accountsFile = accountsFileOf(path, options);
  if (accountsFile === undefined) {
    const text = await readFile(path, 'utf8').catch((cause) => {
      throw new FactoryError('ORGANIZATION_NOT_FOUND', `${path} can't be read`, {
        cause,
        fix: 'pass an existing document to --organization',
      });
    });
    return parseDocument(text, path);
  }
  const folder = resolve(path);
  if (!(await exists(join(folder, 'organization.ts')))) {
    throw new FactoryError('ORGANIZATION_NOT_FOUND', `${path} holds no organization.ts`, {
      fix: 'pass the folder of definitions, or a published .json, with --organization',
    });
  }
  const { input, problems } = await importDefinitions(folder);
  if (problems.length > 0) {
    const more = check(input).problems.filter((problem) => input.settings !== undefined || problem.path !== 'organization');
    throw invalid([...problems, ...more], path);
  }
  const organization = withAccounts(validate(input, path), await readAccountsFile(accountsFile));
  // Again, with the ids: two cells with one account is a fault of the lock file that only shows now.
  const { cells, components, ...settings } = organization;
  return draft(validate({ settings, cells, components }, path));
}
