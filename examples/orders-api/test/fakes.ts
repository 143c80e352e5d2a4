/** The world in memory: the three ports, each of which can be broken. */
import type { Log, Message, Order, OrderCache, OrderQueue, OrderStore } from '../src/orders.ts';

/** What happened to the others, as a server that is down. */
class Breakable {
  broken = false;
  calls: string[] = [];

  protected use(call: string): void {
    this.calls.push(call);
    if (this.broken) throw new Error('connection refused');
  }

  async check(): Promise<void> {
    this.use('check');
  }
}

export class MemoryStore extends Breakable implements OrderStore {
  readonly orders = new Map<string, Order>();
  readonly waiting: string[] = [];

  async add(order: Order): Promise<void> {
    this.use('add');
    this.orders.set(order.id, order);
    this.waiting.push(order.id);
  }

  async find(id: string): Promise<Order | undefined> {
    this.use('find');
    return this.orders.get(id);
  }

  async newest(limit: number): Promise<Order[]> {
    this.use('newest');
    return [...this.orders.values()].reverse().slice(0, limit);
  }

  async confirm(id: string): Promise<boolean> {
    this.use('confirm');
    const order = this.orders.get(id);
    if (order) this.orders.set(id, { ...order, status: 'confirmed' });
    return order !== undefined;
  }

  async sendWaiting(send: (ids: string[]) => Promise<string[]>): Promise<{ sent: number; refused: number }> {
    this.use('sendWaiting');
    const batch = this.waiting.slice(0, 10);
    if (batch.length === 0) return { sent: 0, refused: 0 };
    const taken = await send(batch);
    for (const id of taken) this.waiting.splice(this.waiting.indexOf(id), 1);
    return { sent: taken.length, refused: batch.length - taken.length };
  }
}

export class MemoryCache extends Breakable implements OrderCache {
  readonly orders = new Map<string, Order>();

  async get(id: string): Promise<Order | undefined> {
    this.use('get');
    return this.orders.get(id);
  }

  async set(order: Order): Promise<void> {
    this.use('set');
    this.orders.set(order.id, order);
  }

  async delete(id: string): Promise<void> {
    this.use('delete');
    this.orders.delete(id);
  }
}

export class MemoryQueue extends Breakable implements OrderQueue {
  readonly bodies: string[] = [];
  /** How many messages of each batch it takes. */
  takes = Number.POSITIVE_INFINITY;
  readonly sendBody: (id: string) => string;

  constructor(sendBody: (id: string) => string) {
    super();
    this.sendBody = sendBody;
  }

  async send(ids: string[]): Promise<string[]> {
    this.use('send');
    const taken = ids.slice(0, this.takes);
    this.bodies.push(...taken.map(this.sendBody));
    return taken;
  }

  async receive(): Promise<Message[]> {
    this.use('receive');
    // As the real one: it waits if there is nothing.
    let waited = 0;
    do {
      await new Promise((resolve) => setTimeout(resolve, 1));
    } while (this.bodies.length === 0 && ++waited < 100);
    return [...this.bodies].map((body) => ({
      body,
      done: async () => {
        this.bodies.splice(this.bodies.indexOf(body), 1);
      },
    }));
  }
}

export interface Lines {
  readonly log: Log;
  readonly lines: { event: string; [field: string]: unknown }[];
}

export function collectLog(): Lines {
  const lines: Lines['lines'] = [];
  return { lines, log: (event, fields = {}) => lines.push({ event, ...fields }) };
}

/** Waits until it holds; fails, saying what never did, after two seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, milliseconds = 2000): Promise<void> {
  for (const end = Date.now() + milliseconds; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
