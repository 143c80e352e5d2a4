/** `--watch`: shows something again and again: in place on a terminal, and elsewhere only what has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';

/** Pause between two looks, in milliseconds: a look at a thousand accounts reads a thousand records. */
const pauseFor = (size: number) => Math.max(2_000, 20 * size);

/** How often a terminal is redrawn between two looks, in milliseconds: what counts down by itself. */
const REDRAW_MS = 1_000;

/** A part of what is watched. */
export interface Fact {
  readonly name: string;
  /** Equal while nothing has happened: without durations, which change by themselves. */
  readonly signature: string;
  /** What a log says of it. */
  readonly text: string;
}

/** One look at what is watched. */
export interface Look {
  /** All of it, as it is now, for a terminal. */
  readonly draw: () => string;
  /** The same in parts, for a log: each is said when it has changed. */
  readonly facts: readonly Fact[];
  /** The same as data, for --json: the fields of a line. */
  readonly data: object;
  /** How many things are looked at. */
  readonly size: number;
  /** Nothing will change any more. */
  readonly done: boolean;
  /** Nothing will change unless a person does something. */
  readonly stuck: boolean;
}

/** Looks until everything is done; without a terminal also when only a person could change anything. Returns the last look. */
export async function watch(stream: NodeJS.WriteStream, json: boolean, look: () => Promise<Look>): Promise<Look> {
  const live = stream.isTTY === true && !json;
  const update = live ? createLogUpdate(stream) : undefined;
  const shown = new Map<string, string>();
  try {
    for (;;) {
      const now = await look();
      const news = now.facts.filter(({ name, signature }) => shown.get(name) !== signature);
      for (const { name, signature } of news) shown.set(name, signature);
      if (update) update(fitting(now.draw(), stream.rows));
      else if (json && news.length > 0) stream.write(`${JSON.stringify({ at: new Date().toISOString(), ...now.data })}\n`);
      else for (const { text } of news) stream.write(`${text}\n`);
      if (now.done || (now.stuck && !live)) return now;
      for (let left = pauseFor(now.size); left > 0; left -= REDRAW_MS) {
        await sleep(Math.min(left, REDRAW_MS));
        update?.(fitting(now.draw(), stream.rows));
      }
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
