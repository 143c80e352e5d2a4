import { setTimeout as pause } from 'node:timers/promises';

/** Time, as everything in this folder takes it: tests pass one that only advances when nothing else can run. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms) => {
    await pause(ms);
  },
};
