/** Waiting in tests: for a condition, until a deadline, and with a message. */
import { setTimeout as sleep } from 'node:timers/promises';

interface Patience {
  /** Milliseconds. @default 60 s, which nothing in a test takes unless it is broken */
  readonly deadline?: number;
  /** Milliseconds between two looks. @default 250: on the local cloud, each look costs time that what is waited for needs */
  readonly pause?: number;
  /** What was seen last, for the message. @default - the last error, if there was one */
  readonly seen?: () => unknown;
}

/**
 * Looks again and again until the condition answers something other than undefined or false, and returns that.
 * A condition that throws has not been met yet.
 * @param what what is waited for, for the message
 */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { deadline = 60_000, pause = 250, seen }: Patience = {},
): Promise<T> {
  const end = Date.now() + deadline;
  for (let error: unknown; ; await sleep(pause)) {
    try {
      const found = await condition();
      if (found !== undefined && found !== false) return found;
      error = undefined;
    } catch (thrown) {
      error = thrown;
    }
    if (Date.now() > end) {
      const last = seen ? `: ${JSON.stringify(seen(), undefined, 1)}` : error === undefined ? '' : `: ${error}`;
      throw new Error(`waited ${Math.round(deadline / 1_000)} s for ${what}, in vain${last}`, { cause: error });
    }
  }
}

/** What a promise answers, if it does so in time. */
export async function inTime<T>(what: string, promise: Promise<T>, deadline = 60_000): Promise<T> {
  const abort = new AbortController();
  const late = sleep(deadline, undefined, { signal: abort.signal, ref: false }).then(() => {
    throw new Error(`waited ${Math.round(deadline / 1_000)} s for ${what}, in vain`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
    late.catch(() => undefined);
  }
}
