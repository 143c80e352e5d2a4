/** A component's repository in a folder of our own, which is gone afterwards. */
import { rmSync } from 'node:fs';
import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve, sep } from 'node:path';
import { type Ended, lastLines, type ProgramOptions, type Run } from '../lib/program.ts';
import { FactoryError } from '../lib/registry/index.ts';

/** Ways to a repository that git may take. Others run commands, or are read by everybody on the way. */
const PROTOCOLS = ['https', 'ssh', 'file'];

/** True for what only git can fetch; anything else is a path. */
export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[\w.-]+@[\w.-]+:/.test(text);

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-checkout-'));
  // Also when somebody stops us in the middle.
  const tidy = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', tidy);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    process.off('exit', tidy);
  }
}

const GIT: ProgramOptions = {
  environment: { GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: PROTOCOLS.join(':'), GIT_LFS_SKIP_SMUDGE: '1', LC_ALL: 'C' },
  without: /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|CONFIG|TEMPLATE_DIR)/,
  timeout: 5 * 60_000,
};

/** What git complains of: after that it gives advice. */
const complaint = (ended: Ended): string =>
  ended.stderr
    .split('\n')
    .find((line) => /^(fatal|error):/.test(line))
    ?.replace(/^(fatal|error): /, '') ?? lastLines(ended);

/** @throws FactoryError `USAGE` for an address that git would take for an option, or by another way than those allowed */
function requireAddress(url: string): void {
  const usage = (message: string, fix: string) => new FactoryError('USAGE', message, { fix });
  if (url.startsWith('-')) throw usage(`"${url}" would be an option of git`, 'pass an address or a path');
  const protocol = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? 'ssh';
  if (!PROTOCOLS.includes(protocol))
    throw usage(`git is not allowed ${protocol}:// here`, `use ${PROTOCOLS.map((each) => `${each}://`).join(', ')}, or clone it yourself`);
}

export interface CloneOptions {
  readonly url: string;
  /** Folder in the repository. */
  readonly path: string;
  /** @default - the repository's own */
  readonly branch?: string;
  /** @default - the newest of the branch */
  readonly commit?: string | undefined;
}

/**
 * Clones a commit for the time of `work`, with nobody asked for a password, no hook, and no submodule.
 * @throws FactoryError `USAGE`, `REPOSITORY_UNREACHABLE` with what git says last
 */
export async function withClone<T>(
  { url, path, branch, commit }: CloneOptions,
  run: Run,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  requireAddress(url);
  if (commit !== undefined && !/^[0-9a-f]{7,40}$/.test(commit)) {
    throw new FactoryError('USAGE', `"${commit}" is no commit`, { fix: 'pass its SHA: 7 to 40 hexadecimal digits' });
  }
  return inFolder(async (parent) => {
    const clone = join(
      parent,
      basename(url)
        .replace(/\.git$/, '')
        .replace(/[^\w-]/g, '') || 'repository',
    );
    const git = async (words: readonly string[], what: string) => {
      const ended = await run('git', ['-c', 'core.hooksPath=/dev/null', ...words], GIT);
      if (ended.code === 0) return;
      throw new FactoryError('REPOSITORY_UNREACHABLE', `git can't ${what}: ${complaint(ended)}`, {
        fix: `try \`git clone --depth 1 ${url}\`; git must need nobody's password`,
      });
    };
    // Not every server gives out a commit by its name: with one, all commits of the branch are fetched.
    const depth = commit === undefined ? ['--depth', '1'] : [];
    const ofBranch = branch === undefined ? [] : ['--single-branch', `--branch=${branch}`];
    const options = ['clone', '--quiet', ...depth, ...ofBranch, '--no-tags', '--template=', '--no-recurse-submodules'];
    await git([...options, '--', url, clone], `clone ${branch === undefined ? '' : `${branch} of `}${url}`);
    if (commit !== undefined) await git(['-C', clone, 'checkout', '--quiet', '--detach', commit], `find ${commit} in ${url}`);
    const folder = resolve(clone, path);
    if (folder !== clone && !folder.startsWith(clone + sep)) {
      throw new FactoryError('USAGE', `${path} leaves the repository`, { fix: 'pass a folder of the repository with --path' });
    }
    const isThere = await stat(folder).then(
      (state) => state.isDirectory(),
      () => false,
    );
    if (isThere) return work(folder);
    throw new FactoryError('REPOSITORY_UNREACHABLE', `${commit ?? branch ?? 'the newest commit'} of ${url} has no folder ${path}`, {
      fix: 'correct repository.path in the registry, or commit the folder',
    });
  });
}

/** What a fresh clone would not have. */
const MADE = new Set(['.git', 'node_modules', 'dist', 'cdk.out']);

/** Copies `folder` for the time of `work`, without what was made in it. */
export const withCopy = <T>(folder: string, work: (copy: string) => Promise<T>): Promise<T> =>
  inFolder(async (parent) => {
    const copy = join(parent, basename(resolve(folder)));
    await cp(folder, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => path === folder || !MADE.has(basename(path)) });
    return work(copy);
  });
