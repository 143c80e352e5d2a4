/** What an order is, and what the service needs of the world: three small ports, so that its rules are tested without a server. */
import { randomUUID } from 'node:crypto';

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
  /** `placed` until the worker has received the order's message. */
  readonly status: 'placed' | 'confirmed';
  /** ISO 8601, UTC. */
  readonly placedAt: string;
}

/** Where orders are kept. */
export interface OrderStore {
  /** Writes the order and, in the same transaction, that its message is still to be sent. */
  add(order: Order): Promise<void>;
  find(id: string): Promise<Order | undefined>;
  newest(limit: number): Promise<Order[]>;
  /** Marks the order as confirmed, however often it is called. @returns whether there is such an order */
  confirm(id: string): Promise<boolean>;
  /** Hands some orders whose messages are still to be sent to `send`, and forgets those that it returns: they are sent. */
  sendWaiting(send: (ids: string[]) => Promise<string[]>): Promise<{ sent: number; refused: number }>;
  /** Throws when it can't be used. */
  check(): Promise<void>;
}

/** Orders that were read lately. It may fail at any time; nobody may notice but the database. */
export interface OrderCache {
  get(id: string): Promise<Order | undefined>;
  set(order: Order): Promise<void>;
  delete(id: string): Promise<void>;
  /** Throws when it can't be used. */
  check(): Promise<void>;
}

export interface Message {
  readonly body: string;
  /** Takes the message off the queue. Without it, the queue delivers it again. */
  done(): Promise<void>;
}

export interface OrderQueue {
  /** Sends a message for each order. @returns the orders whose messages the queue took */
  send(ids: string[]): Promise<string[]>;
  /** Waits for messages, until there are some, or for as long as the queue lets wait. */
  receive(): Promise<Message[]>;
  /** Throws when it can't be used. */
  check(): Promise<void>;
}

/** One line of the log. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** The client's mistake; its message is for the client. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const LONGEST_NAME = 200;
const LARGEST_QUANTITY = 1_000_000;

/**
 * A new order of what a client sent.
 * @throws RequestError with every reason at once
 */
export function newOrder(input: unknown): Order {
  const { item, quantity } = (input ?? {}) as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof item !== 'string' || item.trim() === '' || item.length > LONGEST_NAME || item.includes('\0')) {
    problems.push(`item must be a name of at most ${LONGEST_NAME} characters`);
  }
  if (!Number.isInteger(quantity) || Number(quantity) < 1 || Number(quantity) > LARGEST_QUANTITY) {
    problems.push(`quantity must be a whole number from 1 to ${LARGEST_QUANTITY}`);
  }
  if (problems.length > 0) throw new RequestError(400, problems.join('; '));
  return { id: randomUUID(), item: item as string, quantity: quantity as number, status: 'placed', placedAt: new Date().toISOString() };
}

/** Tries the cache; a cache that fails is worth a line in the log, not an error to whoever asked. */
async function tryCache<T>(log: Log, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    log('warning', { dependency: 'cache', message: reasonOf(error) });
    return undefined;
  }
}

/** An order, from the cache if it is there. */
export async function readOrder(id: string, store: OrderStore, cache: OrderCache, log: Log): Promise<Order | undefined> {
  const cached = await tryCache(log, () => cache.get(id));
  if (cached) return cached;
  const order = await store.find(id);
  if (order) await tryCache(log, () => cache.set(order));
  return order;
}

/** Confirms the order of a message. @throws when the message is none of ours; the queue moves it to the dead letters */
export async function confirmOrder({ body }: Message, store: OrderStore, cache: OrderCache, log: Log): Promise<void> {
  const id = orderOf(body);
  if (id === undefined) throw new Error('the message names no order: another sender uses this queue');
  if (!(await store.confirm(id))) throw new Error(`the message is for order ${id}, which is not in this cell's database`);
  await tryCache(log, () => cache.delete(id));
  log('confirmed', { order: id });
}

export const messageFor = (id: string) => JSON.stringify({ type: 'order-placed', order: id });

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const isOrderId = (text: unknown): text is string => typeof text === 'string' && UUID.test(text);

function orderOf(body: string): string | undefined {
  try {
    const { type, order } = JSON.parse(body) as Record<string, unknown>;
    return type === 'order-placed' && isOrderId(order) ? order : undefined;
  } catch {
    return undefined;
  }
}

/** What went wrong, for the log and for /ready. A host with several addresses fails with one error for each, and no message. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
