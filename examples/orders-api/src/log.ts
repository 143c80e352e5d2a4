import type { Log } from './orders.ts';
import type { Identity } from './settings.ts';

/** One line of JSON per event, always with whose it is: the cell's metrics are made of `cell`, `component` and `event`. */
export const createLog =
  (identity: Identity, write = (line: string): unknown => process.stdout.write(line)): Log =>
  (event, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), ...identity, event, ...fields })}\n`);
