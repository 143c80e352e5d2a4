import { setTimeout as delay } from 'node:timers/promises';
import { type Log, reasonOf } from './orders.ts';

export interface LoopProps {
  /** What it does, for the log. */
  readonly name: string;
  /** One step. @returns whether there is more to do at once */
  readonly step: () => Promise<boolean>;
  readonly log: Log;
  /** Pause when there is nothing to do, in milliseconds. @default 1000 */
  readonly idle?: number;
}

const LONGEST_PAUSE_MS = 30_000;

/** Work that goes on for as long as the process: step by step, slower while it fails, until it is stopped. */
export class Loop {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private woken = new AbortController();

  constructor({ name, step, log, idle = 1000 }: LoopProps) {
    this.running = this.run(name, step, log, idle);
  }

  /** Ends the pause of a loop that had nothing to do. One that fails keeps its pause: it is there to spare what failed. */
  wake(): void {
    this.woken.abort();
  }

  /** Lets the step that is under way end. */
  stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    return this.running;
  }

  private async run(name: string, step: LoopProps['step'], log: Log, idle: number): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      this.woken = new AbortController();
      try {
        const more = await step();
        failures = 0;
        if (!more) await pause(idle, this.woken.signal);
      } catch (error) {
        log('error', { during: name, message: reasonOf(error) });
        failures += 1;
        await pause(Math.min(LONGEST_PAUSE_MS, idle * 2 ** failures), signal);
      }
    }
  }
}

/** It ends early, without an error, when the signal says so. */
const pause = (milliseconds: number, signal: AbortSignal) => delay(milliseconds, undefined, { signal }).catch(() => {});
