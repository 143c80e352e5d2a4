import type { Clock } from '../../lib/accounts/clock.ts';

/** A sleeper and when it wakes. */
interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * Time that advances only when nothing else can run: all that is tested with it does its work in promises alone.
 * {@link VirtualClock.process} gives each process of a test its own clock, which stops with it.
 */
export class VirtualClock implements Clock {
  private time = Date.parse('2026-01-01T00:00:00Z');
  private readonly sleepers: Sleeper[] = [];
  private order = 0;

  now(): number {
    return this.time;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.add({ at: this.time + Math.max(0, ms), order: this.order++, wake }));
  }

  /** The clock of one process: when `alive` says so, nobody wakes any more. */
  process(alive: () => boolean): Clock {
    return {
      now: () => this.time,
      sleep: (ms) =>
        new Promise((wake) => {
          if (alive()) this.add({ at: this.time + Math.max(0, ms), order: this.order++, wake: () => (alive() ? wake() : undefined) });
        }),
    };
  }

  /** Runs until `work` is settled, or `stopped` says that it never will be. */
  async run<T>(work: Promise<T>, stopped: () => boolean = () => false): Promise<T | undefined> {
    let settled = false;
    const ended = () => {
      settled = true;
    };
    work.then(ended, ended);
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (settled) return work;
      if (stopped()) return undefined;
      const next = this.pop();
      if (!next) throw new Error('nothing can run, and nobody sleeps: the work waits for ever');
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
  }

  /** A heap: a thousand accounts sleep at once. */
  private add(sleeper: Sleeper): void {
    const heap = this.sleepers;
    heap.push(sleeper);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at], heap[parent])) break;
      swap(heap, at, parent);
      at = parent;
    }
  }

  private pop(): Sleeper | undefined {
    const heap = this.sleepers;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const least = left + 1 < heap.length && before(heap[left + 1], heap[left]) ? left + 1 : left;
      if (least >= heap.length || !before(heap[least], heap[at])) return first;
      swap(heap, at, least);
      at = least;
    }
  }
}

const before = (a: Sleeper | undefined, b: Sleeper | undefined) =>
  a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));

function swap(heap: Sleeper[], a: number, b: number): void {
  const [first, second] = [heap[a], heap[b]];
  if (first && second) [heap[a], heap[b]] = [second, first];
}
