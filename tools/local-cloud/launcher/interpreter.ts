/** The Python on this machine that a virtual environment can be made with. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { FactoryError } from '../../../lib/registry/errors.ts';

const run = promisify(execFile);

/** Minor versions of Python 3 that every package of requirements.txt supports. */
const OLDEST = 10;
const NEWEST = 14;
const RANGE = `Python 3.${OLDEST} to 3.${NEWEST}`;

/** Names that an interpreter may have on PATH, the preferred one first. */
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.14'] as const;

/** Asks an interpreter what it is; in words that any version of Python understands. */
const PROBE = `
import json, sys
try:
    import venv, ensurepip
    missing = None
except ImportError as error:
    missing = str(error)
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:3]), "missing": missing}))
`;

const probeSchema = z.object({
  executable: z.string().min(1),
  version: z.tuple([z.int(), z.int(), z.int()]),
  missing: z.string().nullable(),
});

/** Variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

export interface Interpreter {
  /** The name that it was found by. */
  readonly name: string;
  readonly executable: string;
  /** For example `3.12.1`. */
  readonly version: string;
  /** For example `3.12`: compiled packages fit no other. */
  readonly minor: string;
}

interface Candidate extends Interpreter {
  readonly isSupported: boolean;
  /** Why it makes no virtual environments: the module that it lacks. */
  readonly missing: string | undefined;
}

/** The interpreter of that name, or undefined when there is none that answers (pyenv has names for versions that are switched off). */
async function probe(name: string, environment: Variables): Promise<Candidate | undefined> {
  const stdout = await run(name, ['-I', '-c', PROBE], { env: environment, timeout: 60_000 }).then(
    (answer) => answer.stdout,
    () => '',
  );
  if (stdout === '') return undefined;
  const { executable, version, missing } = probeSchema.parse(JSON.parse(stdout));
  const [major, minor] = version;
  const isSupported = major === 3 && minor >= OLDEST && minor <= NEWEST;
  return { name, executable, version: version.join('.'), minor: `${major}.${minor}`, isSupported, missing: missing ?? undefined };
}

/**
 * The first Python on PATH that is neither too old nor too new, and has what virtual environments are made with.
 * @param environment the process's variables, of which PATH decides
 * @throws FactoryError `LOCAL_CLOUD_UNAVAILABLE`, which names the versions that were found, or the package that is missing
 */
export async function findInterpreter(environment: Variables): Promise<Interpreter> {
  const found: Candidate[] = [];
  for (const name of NAMES) {
    const candidate = await probe(name, environment);
    if (candidate?.isSupported && candidate.missing === undefined) return candidate;
    if (candidate) found.push(candidate);
  }
  const incomplete = found.find(({ isSupported }) => isSupported);
  if (incomplete) {
    const { name, version, minor, missing } = incomplete;
    const debian = name === 'python3' ? 'python3-venv' : `python${minor}-venv`;
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `${name} is ${version} and can't make a virtual environment: ${missing}`, {
      fix: `install the package ${debian} (Debian, Ubuntu: sudo apt-get install ${debian}), then run the command again`,
    });
  }
  const versions = found.map(({ name, version }) => `${name} is ${version}`).join(', ');
  throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `${RANGE} is needed, and ${versions || 'there is no python3 on PATH'}`, {
    fix:
      'install one beside it (Debian, Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python@3.13; anywhere: pyenv), ' +
      `so that one of ${NAMES.join(', ')} on PATH starts it, then run the command again`,
  });
}
