import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:process';

/** What the operating system says of a process. */
export interface ProcessInfo {
  /** The words of its command line. */
  readonly words: readonly string[];
  /** Process id of its parent. */
  readonly parent: number;
}

/** The process with id `pid`, or undefined when there is none (a zombie counts as none). */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    if (platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') return undefined;
      return { words: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean), parent: Number(parent) };
    }
    const [parent, ...words] = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return { words, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
