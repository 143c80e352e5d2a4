/** `cellctl` in tests: in a process that is kept for the next call, or in one of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { eventually, inTime } from './eventually.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CELLCTL = join('bin', 'cellctl');

type Environment = Readonly<Record<string, string>>;

/** No command of a test takes longer than this many milliseconds, on however busy a machine. */
const DEADLINE = 240_000;

/** The environment of a program: nothing of the caller's own AWS settings, and no traces of jest, reach it. */
function environmentWith(environment: Environment): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(AWS_|CELL|NODE_OPTIONS|JEST|CDK_(?!VALIDATION$))/.test(entry[0]),
  );
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...environment };
}

/** Runs a program to its end, without a terminal. */
export function run(program: string, args: readonly string[], environment: Environment = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environmentWith(environment), stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = collect(child);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} ${args.join(' ')} has not ended in ${DEADLINE / 1_000} s: ${printed.stdout}${printed.stderr}`));
    }, DEADLINE);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, ...printed });
    });
  });
}

/** What a child prints, as it goes. */
function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const printed = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    printed.stderr += chunk.toString();
  });
  return printed;
}

/** `cellctl` as people start it, in a process of its own. */
export const cellctlProcess = (args: readonly string[], environment: Environment = {}) => run(CELLCTL, args, environment);

/** A `cellctl` that runs while the test does something to it. */
export interface Running {
  /** Waits until it has printed the text. @param on @default stderr */
  readonly says: (text: string, on?: 'stdout' | 'stderr') => Promise<unknown>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: () => Promise<Finished & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts `cellctl` in a process of its own. */
export function startCellctl(args: readonly string[], environment: Environment = {}): Running {
  const child = spawn(CELLCTL, args, { env: environmentWith(environment), stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = collect(child);
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const what = `cellctl ${args.join(' ')}`;
  return {
    says: (text, on = 'stderr') =>
      eventually(`${what} to say ${JSON.stringify(text)}`, () => printed[on].includes(text), {
        deadline: DEADLINE,
        pause: 10,
        seen: () => printed,
      }),
    kill: (signal) => void child.kill(signal),
    ended: async () => {
      const [code, signal] = await inTime(`the end of ${what}`, closed, DEADLINE);
      return { code: code ?? -1, signal, ...printed };
    },
  };
}

/** `cellctl`, in a process that has loaded it already: see cellctl-hosts.js. */
export async function cellctl(words: readonly string[], environment: Environment = {}): Promise<Finished> {
  const socket = createConnection({ path: process.env['TESTS_HOSTS'] ?? '', allowHalfOpen: true });
  const late = () => socket.destroy(new Error(`cellctl ${words.join(' ')} has not ended in ${DEADLINE / 1_000} s`));
  const timer = setTimeout(late, DEADLINE);
  try {
    socket.end(JSON.stringify({ words, environment: environmentWith(environment) }));
    return (await json(socket)) as Finished;
  } finally {
    clearTimeout(timer);
  }
}
