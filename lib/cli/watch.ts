/** `--watch`: shows a table again and again: in place on a terminal, and elsewhere only when something has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';

/** Pause between two looks, in milliseconds: a look at a thousand accounts reads a thousand records. */
const pauseFor = (size: number) => Math.max(2_000, 20 * size);

/** One look at what is watched. */
export interface Look {
  readonly text: string;
  /** The same as data, for --json. */
  readonly data: unknown;
  /** How many things are watched. */
  readonly size: number;
  /** Equal for looks between which nothing has happened: without durations, which change by themselves. */
  readonly signature: string;
  /** Nothing will change any more. */
  readonly done: boolean;
  /** Nothing will change unless a person does something. */
  readonly stuck: boolean;
}

/** Looks until everything is done; without a terminal also when only a person could change anything. Returns the last look. */
export async function watch(stream: NodeJS.WriteStream, json: boolean, look: () => Promise<Look>): Promise<Look> {
  const live = stream.isTTY === true && !json;
  const update = live ? createLogUpdate(stream) : undefined;
  let shown: string | undefined;
  try {
    for (;;) {
      const now = await look();
      if (update) update(fitting(now.text, stream.rows));
      else if (now.signature !== shown)
        stream.write(json ? `${JSON.stringify({ at: new Date().toISOString(), accounts: now.data })}\n` : `${now.text}\n`);
      shown = now.signature;
      if (now.done || (now.stuck && !live)) return now;
      await sleep(pauseFor(now.size));
    }
  } finally {
    update?.done();
  }
}

/** A terminal can't take back what has scrolled out of it. */
function fitting(text: string, rows: number | undefined): string {
  const lines = text.split('\n');
  // A terminal that doesn't know its size says 0.
  const room = Math.max(2, (rows || 24) - 2);
  return lines.length > room ? [...lines.slice(0, room), `… and ${lines.length - room} more`].join('\n') : text;
}
