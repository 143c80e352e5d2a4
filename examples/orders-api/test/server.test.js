import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { createOrdersServer } from '../src/server.js';

const lines = [];
const cell = { name: 'alpha', stage: 'production', region: 'eu-west-1', component: 'orders-api', version: '1.0.0' };
const server = createOrdersServer(cell, (line) => lines.push(JSON.parse(line)));
let address;

before(async () => {
  server.listen(0);
  await once(server, 'listening');
  address = `http://localhost:${server.address().port}`;
});
after(() => server.close());

const post = (body) => fetch(`${address}/orders`, { method: 'POST', body });

test('health names cell and version', async () => {
  assert.deepEqual(await (await fetch(`${address}/health`)).json(), { status: 'ok', cell: 'alpha', version: '1.0.0' });
});

test('an order can be placed and read', async () => {
  const placed = await post(JSON.stringify({ item: 'tea', quantity: 2 }));
  assert.equal(placed.status, 201);
  const order = await placed.json();
  assert.deepEqual(await (await fetch(`${address}/orders/${order.id}`)).json(), order);
});

test('a bad order is refused with every reason', async () => {
  const refused = await post('{}');
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error, /item .*; quantity/);
  assert.equal((await post('no json')).status, 400);
});

test('an unknown path, method or order is refused', async () => {
  assert.equal((await fetch(`${address}/carts`)).status, 404);
  assert.equal((await fetch(`${address}/orders/none`)).status, 404);
  assert.equal((await fetch(`${address}/orders`, { method: 'DELETE' })).status, 405);
});

test('every log line says whose it is: cell, stage, region, component, version', () => {
  assert.ok(lines.length > 0);
  const { name, ...rest } = cell;
  for (const line of lines) assert.deepEqual({ ...line, cell: name, ...rest }, line);
});
