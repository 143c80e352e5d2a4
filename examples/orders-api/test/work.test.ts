import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Loop } from '../src/loop.ts';
import { messageFor, newOrder } from '../src/orders.ts';
import { startConfirming, startSending } from '../src/work.ts';
import { collectLog, type Lines, MemoryCache, MemoryQueue, MemoryStore, until } from './fakes.ts';

let world: { store: MemoryStore; cache: MemoryCache; queue: MemoryQueue; idle: number } & Lines;
let loops: Loop[];

beforeEach(() => {
  world = { store: new MemoryStore(), cache: new MemoryCache(), queue: new MemoryQueue(messageFor), idle: 5, ...collectLog() };
  loops = [];
});
afterEach(() => Promise.all(loops.map((loop) => loop.stop())));

const send = () => loops.push(startSending(world));
const confirm = () => loops.push(startConfirming(world));
async function place(): Promise<string> {
  const order = newOrder({ item: 'tea', quantity: 1 });
  await world.store.add(order);
  return order.id;
}
const statusOf = (id: string) => world.store.orders.get(id)?.status;
const errors = () => world.lines.filter(({ event }) => event === 'error').map(({ message }) => message);

test('an order is confirmed by its message, which is gone then', async () => {
  send();
  confirm();
  const id = await place();
  await until('it is confirmed', () => statusOf(id) === 'confirmed' && world.queue.bodies.length === 0);
  assert.deepEqual(world.store.waiting, []);
  assert.deepEqual(errors(), []);
});

test('while the queue is down, messages wait; then they are sent', async () => {
  world.queue.broken = true;
  const id = await place();
  send();
  await until('it was tried', () => errors().includes('connection refused'));
  assert.deepEqual(world.store.waiting, [id]);
  world.queue.broken = false;
  await until('it is sent', () => world.store.waiting.length === 0);
  assert.deepEqual(world.queue.bodies, [messageFor(id)]);
});

test('what the queue refuses of a batch is sent again', async () => {
  world.queue.takes = 1;
  const ids = [await place(), await place()];
  send();
  await until('both are sent', () => world.store.waiting.length === 0);
  assert.deepEqual(world.queue.bodies, ids.map(messageFor));
  assert.deepEqual(errors(), ['the queue refused 1 of 2 messages; they are sent again']);
});

test('many orders are sent without a pause between batches', async () => {
  world.idle = 60_000;
  for (let count = 0; count < 35; count++) await place();
  send();
  await until('all are sent', () => world.queue.bodies.length === 35);
});

test('an order that is placed ends the pause', async () => {
  world.idle = 60_000;
  send();
  await until('it pauses', () => world.store.calls.length === 1);
  await place();
  loops[0]?.wake();
  await until('it is sent', () => world.queue.bodies.length === 1);
});

test('a message that comes twice changes nothing', async () => {
  const id = await place();
  world.queue.bodies.push(messageFor(id), messageFor(id));
  confirm();
  await until('both are gone', () => world.queue.bodies.length === 0);
  assert.equal(statusOf(id), 'confirmed');
  assert.deepEqual(errors(), []);
});

test('an order that changes leaves the cache; a broken cache stops nothing', async () => {
  const [first, second] = [await place(), await place()];
  for (const order of world.store.orders.values()) world.cache.orders.set(order.id, order);
  confirm();
  world.queue.bodies.push(messageFor(first));
  await until('the first is confirmed', () => statusOf(first) === 'confirmed');
  await until('it left the cache', () => !world.cache.orders.has(first));
  world.cache.broken = true;
  world.queue.bodies.push(messageFor(second));
  await until('the second is confirmed', () => statusOf(second) === 'confirmed' && world.queue.bodies.length === 0);
});

test('messages that are none of ours stay on the queue, with an error, and hold up no other', async () => {
  const unknown = messageFor('00000000-0000-4000-8000-000000000000');
  const foreign = ['{"type":"cart-closed"}', 'null', 'no json', '{"type":"order-placed","order":"1"}', unknown];
  world.queue.bodies.push(...foreign);
  const id = await place();
  world.queue.bodies.push(messageFor(id));
  confirm();
  await until('ours is confirmed', () => statusOf(id) === 'confirmed');
  await until('ours is gone', () => world.queue.bodies.length === foreign.length);
  assert.deepEqual(world.queue.bodies, foreign);
  assert.ok(errors().includes('the message names no order: another sender uses this queue'));
});

test('without a database no message is received: each receipt counts towards the dead letters', async () => {
  world.store.broken = true;
  confirm();
  await until('it was tried', () => errors().length > 0);
  assert.deepEqual(world.queue.calls, []);
});

test('what is under way is finished before it stops', async () => {
  const id = await place();
  let begun = false;
  const { queue } = world;
  world.queue.send = async (ids) => {
    begun = true;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return MemoryQueue.prototype.send.call(queue, ids);
  };
  send();
  await until('it is being sent', () => begun);
  await loops[0]?.stop();
  assert.deepEqual(world.queue.bodies, [messageFor(id)]);
  assert.deepEqual(world.store.waiting, []);
});
