/** Lets one process at a time do a piece of work on this machine, while others wait for it. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { processInfo } from '../../../lib/process-info.ts';
import { FactoryError, isNamed } from '../../../lib/registry/errors.ts';

const POLL_MS = 100;

/** Files that this process holds itself: its own id in one that it doesn't hold is that of a dead process. */
const held = new Set<string>();

export interface Turn {
  /** The file that says who works: it holds the id of that process. Its folder exists. */
  readonly file: string;
  /** What the holder does, for messages: "process 17 (node bin/cellctl local up), which <work>". */
  readonly doing: string;
  /** How long to wait for others. */
  readonly patienceMs: number;
  /** Called once when somebody else has to be waited for. @default nothing */
  readonly waiting?: (text: string) => void;
}

/**
 * Does `work` when no other process does it. A file whose process is dead is taken over.
 * @throws FactoryError `LOCAL_CLOUD_UNAVAILABLE` when the one that is waited for does not finish
 */
export async function oneAtATime<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  await take(turn);
  try {
    return await work();
  } finally {
    held.delete(turn.file);
    await rm(turn.file, { force: true });
  }
}

async function take({ file, doing, patienceMs, waiting }: Turn): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let told = false;
  while (!(await claim(file))) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const holder = text === undefined ? undefined : holderOf(file, text);
    if (text !== undefined && holder === undefined) {
      await discard(file, text);
      continue;
    }
    if (Date.now() > deadline) {
      throw new FactoryError(
        'LOCAL_CLOUD_UNAVAILABLE',
        `waited ${Math.round(patienceMs / 1000)} s for ${holder ?? 'others'}, which ${doing}`,
        { fix: `let it finish or end it, then run the command again; if that is no process of cellctl, delete ${file}` },
      );
    }
    if (!told && holder !== undefined) waiting?.(`waiting for ${holder}, which ${doing}`);
    told ||= holder !== undefined;
    await sleep(POLL_MS);
  }
}

/** Puts our id into the file, unless there is one: whole at once, so that nobody ever reads an empty one. */
async function claim(file: string): Promise<boolean> {
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, String(process.pid));
  try {
    await link(own, file);
    held.add(file);
    return true;
  } catch (error) {
    if (!isNamed(error, 'EEXIST')) throw error;
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

/** The living process that a file names, in words, or undefined when it is dead. */
function holderOf(file: string, text: string): string | undefined {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0 || (pid === process.pid && !held.has(file))) return undefined;
  const info = processInfo(pid);
  return info && `process ${pid} (${info.words.slice(0, 4).join(' ')})`;
}

/** Removes the file of a dead process. If somebody else was quicker and holds it by now, it gets it back. */
async function discard(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, file);
  } catch (error) {
    if (!isNamed(error, 'ENOENT', 'EEXIST')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
