import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { createLog } from '../src/log.ts';
import { messageFor } from '../src/orders.ts';
import { readiness } from '../src/readiness.ts';
import { createOrdersServer } from '../src/server.ts';
import { MemoryCache, MemoryQueue, MemoryStore, until } from './fakes.ts';

const identity = { cell: 'alpha', stage: 'production', region: 'test-region', component: 'orders-api', version: '1.0.0' };
const store = new MemoryStore();
const cache = new MemoryCache();
const queue = new MemoryQueue(messageFor);
let lines: Record<string, unknown>[] = [];
let placed = 0;
const server = createOrdersServer({
  identity,
  store,
  cache,
  log: createLog(identity, (line) => lines.push(JSON.parse(line))),
  readiness: () => readiness({ database: () => store.check(), cache: () => cache.check(), queue: () => queue.check() }),
  onPlaced: () => {
    placed += 1;
  },
});
let address = '';

before(async () => {
  server.listen(0);
  await once(server, 'listening');
  address = `http://localhost:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());
beforeEach(() => {
  for (const each of [store, cache, queue]) Object.assign(each, { broken: false, calls: [] });
  lines = [];
});

async function call(path: string, init?: RequestInit) {
  const response = await fetch(`${address}${path}`, init);
  return { status: response.status, cell: response.headers.get('x-cell'), body: (await response.json()) as Record<string, unknown> };
}
const post = (body: string) => call('/orders', { method: 'POST', body });
const place = async () => (await post(JSON.stringify({ item: 'tea', quantity: 2 }))).body;

test('health names cell and version, and asks nobody', async () => {
  for (const each of [store, cache, queue]) each.broken = true;
  assert.deepEqual(await call('/health'), { status: 200, cell: 'alpha', body: { status: 'ok', cell: 'alpha', version: '1.0.0' } });
});

test('readiness names each dependency, with milliseconds', async () => {
  const { status, body } = await call('/ready');
  assert.equal(status, 200);
  assert.equal(body['status'], 'ready');
  assert.deepEqual(Object.keys(body['dependencies'] as object), ['database', 'cache', 'queue']);
});

test('readiness names the dependency that fails, and why', async () => {
  queue.broken = true;
  const { status, body } = await call('/ready');
  assert.equal(status, 503);
  const { database, queue: failed } = body['dependencies'] as Record<string, Record<string, unknown>>;
  assert.equal(database?.['status'], 'ok');
  assert.equal(failed?.['status'], 'failed');
  assert.equal(failed?.['reason'], 'connection refused');
  assert.equal(typeof failed?.['milliseconds'], 'number');
});

test('an order can be placed, read and listed', async () => {
  const { status, body: order } = await post(JSON.stringify({ item: 'tea', quantity: 2 }));
  assert.equal(status, 201);
  assert.deepEqual({ ...order, id: '', placedAt: '' }, { cell: 'alpha', id: '', item: 'tea', quantity: 2, status: 'placed', placedAt: '' });
  assert.deepEqual((await call(`/orders/${order['id']}`)).body, order);
  assert.deepEqual(((await call('/orders')).body['orders'] as unknown[])[0], order);
});

test('of many orders the newest fifty are listed', async () => {
  for (let count = 0; count < 51; count++) await place();
  const last = await place();
  const orders = (await call('/orders')).body['orders'] as unknown[];
  assert.equal(orders.length, 50);
  assert.deepEqual(orders[0], last);
});

test('whoever sends messages hears of an order at once', async () => {
  const before = placed;
  await place();
  assert.equal(placed, before + 1);
});

test('an order that was read lately comes from the cache', async () => {
  const { id } = await place();
  await call(`/orders/${id}`);
  store.broken = true;
  assert.equal((await call(`/orders/${id}`)).status, 200);
});

test('a broken cache breaks no read, and is logged', async () => {
  const { id } = await place();
  cache.broken = true;
  assert.equal((await call(`/orders/${id}`)).status, 200);
  assert.ok(lines.some(({ event, dependency }) => event === 'warning' && dependency === 'cache'));
  assert.ok(!lines.some(({ event }) => event === 'error'));
});

test('a bad order is refused with every reason, and not kept', async () => {
  const kept = store.orders.size;
  for (const body of ['{}', 'null', '[]', '{"item":"","quantity":0}', '{"item":"\\u0000","quantity":1.5}', '{"item":7,"quantity":"2"}']) {
    const refused = await post(body);
    assert.equal(refused.status, 400, body);
    assert.match(String(refused.body['error']), /item .*; quantity/);
  }
  assert.equal((await post(JSON.stringify({ item: 'x'.repeat(201), quantity: 1 }))).status, 400);
  assert.equal((await post(JSON.stringify({ item: 'x', quantity: 1_000_001 }))).status, 400);
  assert.equal((await post('no json')).status, 400);
  assert.equal(store.orders.size, kept);
});

test('a body that is too large is refused, however large', async () => {
  assert.equal((await post('x'.repeat(64 * 1024 + 1))).status, 413);
  assert.equal((await post('x'.repeat(5 * 1024 * 1024))).status, 413);
});

test('an unknown path, method or order is refused', async () => {
  for (const path of ['/carts', '/', '/orders/none', '/orders/', '//', '/orders/a/b', `/orders/${'0'.repeat(36)}`]) {
    assert.equal((await call(path)).status, 404, path);
  }
  assert.equal((await call('/orders', { method: 'DELETE' })).status, 405);
});

test('a database that fails is an error: logged with its reason, answered without', async () => {
  store.broken = true;
  assert.deepEqual(await call('/orders'), { status: 500, cell: 'alpha', body: { error: 'internal error' } });
  await until('both lines are written', () => lines.length === 2);
  assert.deepEqual(
    lines.map(({ event, message, status }) => ({ event, message, status })),
    [
      { event: 'error', message: 'connection refused', status: undefined },
      { event: 'request', message: undefined, status: 500 },
    ],
  );
});

test('every log line says whose it is, and none what was asked with the path', async () => {
  await call('/orders?token=secret');
  await until('the line is written', () => lines.length === 1);
  for (const line of lines) assert.deepEqual({ ...line, ...identity }, line);
  assert.doesNotMatch(JSON.stringify(lines), /secret/);
});
