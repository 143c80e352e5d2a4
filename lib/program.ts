/** Runs other people's programs: container engines, git, make. Never through a shell, so that no name can become a command. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { inheritedEnvironment } from './environment.ts';
import { isNamed } from './registry/errors.ts';

export interface ProgramOptions {
  readonly folder?: string;
  /** Variables besides ours. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of ours that the program must not see. */
  readonly without?: RegExp;
  /** What the program reads; the only way for a password, which a command line would show to everybody on the machine. */
  readonly input?: string;
  /** Milliseconds after which it is ended. */
  readonly timeout: number;
  /** Told each line that it says, of either stream, as it says it. */
  readonly hear?: (line: string) => void;
  /** Ends it, with all that it has started. */
  readonly signal?: AbortSignal;
}

export interface Ended {
  /** -1 when there is no such program, when it took too long, or when it was ended. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Run = (program: string, words: readonly string[], options: ProgramOptions) => Promise<Ended>;

/** How long a program has to tidy up after it was asked to end, in milliseconds. */
const PATIENCE = 5_000;

/** What ends each program that is under way. */
const underWay = new Set<() => Promise<void>>();

/** Ends all programs that are under way, with all that they have started: for a program that is about to end itself. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...underWay].map((end) => end()));
}

/** Runs a program to its end, with everything that it started. Never throws for what the program did. */
export const run: Run = (program, words, { folder, environment, without, input, timeout, hear, signal }) =>
  new Promise((resolve, reject) => {
    const env = { ...inheritedEnvironment(without), ...environment };
    // A group of its own: what takes too long, or is ended, ends with all that it has started. It does not hear the terminal.
    const child = spawn(program, words, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    let stopped = false;
    const kill = (how: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch (error) {
        // It ended by itself in the meantime.
        if (!isNamed(error, 'ESRCH')) throw error;
      }
    };
    const closed = new Promise<void>((done) => child.once('close', () => done()));
    const end = async () => {
      stopped = true;
      kill('SIGTERM');
      await Promise.race([closed, sleep(PATIENCE, undefined, { ref: false })]);
      kill('SIGKILL');
    };
    const abort = () => void end();
    underWay.add(end);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    const timer = setTimeout(() => {
      late = true;
      kill('SIGKILL');
    }, timeout);
    const settle = () => {
      clearTimeout(timer);
      underWay.delete(end);
      signal?.removeEventListener('abort', abort);
    };
    for (const [stream, kept] of [
      [child.stdout, stdout],
      [child.stderr, stderr],
    ] as const) {
      stream.on('data', (chunk: Buffer) => kept.push(chunk));
      if (hear) createInterface({ input: stream }).on('line', hear);
    }
    // It may end without having read what it was given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error) => {
      settle();
      if (isNamed(error, 'ENOENT', 'EACCES')) resolve({ code: -1, stdout: '', stderr: `${program}: ${error.message}` });
      else reject(error);
    });
    child.once('close', (code) => {
      settle();
      const said = Buffer.concat(stderr).toString();
      const why = late ? `${program} was stopped after ${Math.round(timeout / 1_000)} s` : stopped ? `${program} was ended` : '';
      resolve({ code: late || stopped ? -1 : (code ?? -1), stdout: Buffer.concat(stdout).toString(), stderr: `${said}${why}` });
    });
  });

/** The last lines of what a program said, for an error. */
export function lastLines({ stdout, stderr }: Ended, count = 1): string {
  const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
  const said = lines(stderr).length > 0 ? lines(stderr) : lines(stdout);
  return said.slice(-count).join('\n') || 'it says nothing';
}
