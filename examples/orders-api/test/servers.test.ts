/** The whole service against a real PostgreSQL, Redis and queue: those that the environment names, as `make run` would use them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type RunningService, startService } from '../src/service.ts';
import { readSettings } from '../src/settings.ts';
import { collectLog, until } from './fakes.ts';

const missing = ['DATABASE_HOST', 'CACHE_HOST', 'QUEUE_URL'].filter((name) => !process.env[name]);
const skip = missing.length > 0 && `no servers: ${missing.join(', ')} not set`;

const { log, lines } = collectLog();
const running: RunningService[] = [];
after(() => Promise.all(running.map((service) => service.stop())));

/** All that answers have in them, though none has all of it. */
interface Body {
  readonly id: string;
  readonly item: string;
  readonly status: string;
  readonly orders: readonly { readonly id: string }[];
  readonly dependencies: Readonly<Record<'database' | 'cache' | 'queue', { readonly status: string; readonly reason: string }>>;
}

async function start(changes: Record<string, string> = {}) {
  const service = await startService(readSettings({ ...process.env, PORT: '0', ...changes }), log);
  running.push(service);
  return async (path: string, body?: object) => {
    const init = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`http://localhost:${service.port}${path}`, init);
    return { status: response.status, body: (await response.json()) as Body };
  };
}

test('two tasks that start together share one schema, and confirm what either has placed', { skip }, async () => {
  const [one, other] = await Promise.all([start(), start()]);
  const placed = await Promise.all([one, other, one, other].map((call) => call('/orders', { item: 'tea', quantity: 2 })));
  for (const { status, body } of placed) {
    assert.equal(status, 201);
    await until('confirmed', async () => (await one(`/orders/${body.id}`)).body.status === 'confirmed', 40_000);
    assert.equal((await other(`/orders/${body.id}`)).body.item, 'tea');
  }
  const listed = (await one('/orders')).body.orders.map(({ id }) => id);
  for (const { body } of placed) assert.ok(listed.includes(body.id));
  await until('ready', async () => (await one('/ready')).status === 200);
  assert.deepEqual(
    lines.filter(({ event }) => event === 'error'),
    [],
  );
});

test('SQL in an item is text', { skip }, async () => {
  const call = await start();
  const item = `'); drop table orders; --`;
  const { body } = await call('/orders', { item, quantity: 1 });
  assert.equal((await call(`/orders/${body.id}`)).body.item, item);
});

test('without a cache it serves, and readiness says what is missing', { skip }, async () => {
  const call = await start({ CACHE_PORT: '1' });
  const { body } = await call('/orders', { item: 'tea', quantity: 1 });
  assert.equal((await call(`/orders/${body.id}`)).status, 200);
  const { status, body: ready } = await call('/ready');
  assert.equal(status, 503);
  assert.equal(ready.dependencies.database.status, 'ok');
  assert.match(ready.dependencies.cache.reason, /ECONNREFUSED/);
});

test('without a database it lives, and readiness says what is missing', { skip }, async () => {
  const call = await start({ DATABASE_PORT: '1' });
  assert.equal((await call('/health')).status, 200);
  assert.equal((await call('/orders')).status, 500);
  const { status, body } = await call('/ready');
  assert.equal(status, 503);
  assert.match(body.dependencies.database.reason, /ECONNREFUSED/);
  assert.equal(body.dependencies.queue.status, 'ok');
});
