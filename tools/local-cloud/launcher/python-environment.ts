/**
 * The virtual environment with everything that the factory uses of Python: moto, cfn-lint, awscli. It is made once for a machine,
 * outside of every clone, and found again without a network. The system's own packages are never used.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../../lib/environment.ts';
import { packageRoot } from '../../../lib/package-root.ts';
import { processInfo } from '../../../lib/process-info.ts';
import { FactoryError, isNamed, messageOf } from '../../../lib/registry/errors.ts';
import { findInterpreter, type Interpreter, type Variables } from './interpreter.ts';
import { oneAtATime } from './one-at-a-time.ts';

const run = promisify(execFile);

/** How long pip may take, and how long others wait for it. A slow machine takes two minutes. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;
const PATIENCE_MS = 20 * 60_000;

export interface PythonEnvironment {
  /** Path of its interpreter. */
  readonly python: string;
  /** The folder with its programs: `aws`, `cfn-lint`, `python`. */
  readonly bin: string;
  /** Where compiled modules go, also those of the plugin: its own folder may be read-only, and is packed. */
  readonly bytecode: string;
}

export interface PythonEnvironmentOptions {
  /** What to install, all of it with exact versions. @default requirements.txt of this package */
  readonly requirements?: string;
  /** The process's variables: `PATH`, `XDG_CACHE_HOME`, and what pip reads. @default those of this process */
  readonly environment?: Variables;
  /** Told what takes long. @default nothing */
  readonly progress?: (text: string) => void;
}

/**
 * Finds the environment, or makes it.
 * @throws FactoryError `LOCAL_CLOUD_UNAVAILABLE` that says what is missing, and what to do about it
 */
export async function pythonEnvironment(options: PythonEnvironmentOptions = {}): Promise<PythonEnvironment> {
  const {
    requirements = join(packageRoot(), 'tools/local-cloud/requirements.txt'),
    environment = inheritedEnvironment(),
    progress = () => undefined,
  } = options;
  const interpreter = await findInterpreter(environment);
  const place = join(cacheFolder(environment), `python-${interpreter.minor}-${await digestOf(requirements)}`);
  const found: PythonEnvironment = { python: join(place, 'bin', 'python'), bin: join(place, 'bin'), bytecode: join(place, 'bytecode') };
  if (await exists(found.python)) return found;
  await makeCache(dirname(place));
  await oneAtATime(
    { file: `${place}.lock`, doing: `installs Python packages into ${place}`, patienceMs: PATIENCE_MS, waiting: progress },
    async () => {
      // Meanwhile somebody else may have made it.
      if (await exists(found.python)) return;
      progress(`installing the Python packages of the local cloud into ${place} (${interpreter.name} ${interpreter.version}); once`);
      await make(place, interpreter, requirements, environment);
    },
  );
  return found;
}

/** Where programs of this user keep what they can make again. */
function cacheFolder(environment: Variables): string {
  const { XDG_CACHE_HOME: chosen = '', HOME: home = homedir() } = environment;
  if (isAbsolute(chosen)) return join(chosen, 'cell-factory');
  return join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'cell-factory');
}

async function makeCache(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `can't make ${folder}: ${messageOf(error)}`, {
      fix: 'set XDG_CACHE_HOME to a folder that you may write to, then run the command again',
      cause: error,
    });
  }
}

/** What tells environments apart: the packages, and the kind of machine that their compiled parts are for. */
async function digestOf(requirements: string): Promise<string> {
  const text = await readFile(requirements, 'utf8');
  return createHash('sha256').update(`${process.platform} ${process.arch}\n${text}`).digest('hex').slice(0, 12);
}

/** True for a file, also behind links: a virtual environment whose Python was removed has none. */
const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/**
 * Makes the environment in a folder of this process's own, then links `place` to it. The link comes last, so that nobody finds
 * a half of it; a rename would not do, because programs of a virtual environment carry its path.
 */
async function make(place: string, interpreter: Interpreter, requirements: string, environment: Variables): Promise<void> {
  await sweep(place);
  const folder = await mkdtemp(`${place}-${process.pid}-`);
  try {
    await install(folder, interpreter, requirements, environment);
    await rm(place, { force: true });
    await symlink(basename(folder), place);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what makers left that did not finish, and what nothing links to any more. */
async function sweep(place: string): Promise<void> {
  const linked = await realpath(place).catch(() => undefined);
  const own = `${basename(place)}-`;
  for (const name of await readdir(dirname(place))) {
    const folder = join(dirname(place), name);
    const maker = Number(/^(\d+)-/.exec(name.slice(own.length))?.[1] ?? 0);
    if (!name.startsWith(own) || (linked !== undefined && basename(linked) === name)) continue;
    if (processInfo(maker) === undefined || maker === process.pid) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function install(folder: string, interpreter: Interpreter, requirements: string, environment: Variables): Promise<void> {
  // Somebody's own settings for pip must not lead it elsewhere.
  const env = { ...environment, PIP_USER: '0', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  try {
    await run(interpreter.executable, ['-I', '-m', 'venv', folder], { env, timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `${interpreter.name} can't make a virtual environment: ${lastLine(error)}`, {
      fix: `find out with: ${interpreter.executable} -m venv ${folder}`,
      cause: error,
    });
  }
  try {
    // Without dependencies: the file names them all, and pip need not work them out. Nor compiled: most of it is never imported,
    // and that halves the time.
    const words = ['-I', '-m', 'pip', 'install', '--quiet', '--no-input', '--no-deps', '--no-compile', '-r', requirements];
    await run(join(folder, 'bin', 'python'), words, { env, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `pip can't install the packages of ${requirements}: ${lastLine(error)}`, {
      fix:
        'connect this machine to a package index and run the command again: this once is enough. Without one, fetch them elsewhere ' +
        `(python${interpreter.minor} -m pip download --no-deps -r ${requirements} --dest wheels), copy that folder here, and run the command ` +
        'with PIP_NO_INDEX=1 PIP_FIND_LINKS=<that folder>. A mirror goes into PIP_INDEX_URL',
      cause: error,
    });
  }
}

/** The last line that a program wrote of what went wrong. */
function lastLine(error: unknown): string {
  if (isNamed(error, 'ETIMEDOUT') || (error instanceof Error && 'killed' in error && error.killed === true)) {
    return `it did not finish in ${INSTALL_TIMEOUT_MS / 60_000} minutes`;
  }
  const written = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = (written.trim() || messageOf(error).trim()).split('\n');
  return lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? '';
}
