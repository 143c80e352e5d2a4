/** Runs other people's programs: container engines, git, make. Never through a shell, so that no name can become a command. */
import { spawn } from 'node:child_process';
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
}

export interface Ended {
  /** -1 when there is no such program, or when it took too long. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Run = (program: string, words: readonly string[], options: ProgramOptions) => Promise<Ended>;

/** Runs a program to its end, with everything that it started. Never throws for what the program did. */
export const run: Run = (program, words, { folder, environment, without, input, timeout }) =>
  new Promise((resolve, reject) => {
    const env = { ...inheritedEnvironment(without), ...environment };
    // A group of its own: what takes too long ends with all that it has started.
    const child = spawn(program, words, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    const end = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch (error) {
        // It ended by itself in the meantime.
        if (!isNamed(error, 'ESRCH')) throw error;
      }
    };
    // Being a group of its own, it does not hear what the terminal tells us.
    const pass = (signal: NodeJS.Signals) => {
      end(signal);
      process.kill(process.pid, signal);
    };
    process.once('SIGINT', pass).once('SIGTERM', pass);
    const timer = setTimeout(() => {
      late = true;
      end('SIGKILL');
    }, timeout);
    const settle = () => {
      clearTimeout(timer);
      process.off('SIGINT', pass).off('SIGTERM', pass);
    };
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
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
      const stopped = `${said}${program} was stopped after ${Math.round(timeout / 1_000)} s`;
      resolve({ code: late ? -1 : (code ?? -1), stdout: Buffer.concat(stdout).toString(), stderr: late ? stopped : said });
    });
  });

/** The last lines of what a program said, for an error. */
export function lastLines({ stdout, stderr }: Ended, count = 1): string {
  const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
  const said = lines(stderr).length > 0 ? lines(stderr) : lines(stdout);
  return said.slice(-count).join('\n') || 'it says nothing';
}
