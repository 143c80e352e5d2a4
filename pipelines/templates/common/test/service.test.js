import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { createService } from '../src/service.js';

const who = { cell: 'alpha', component: '__COMPONENT__', version: '1.0.0' };
const lines = [];
const server = createService(who, (line) => lines.push(JSON.parse(line)));
let address;

before(async () => {
  server.listen(0);
  await once(server, 'listening');
  address = `http://localhost:${server.address().port}`;
});
after(() => server.close());

test('health and the service say which version of which cell they are', async () => {
  for (const path of ['/health', '/__COMPONENT__']) {
    assert.deepEqual(await (await fetch(`${address}${path}`)).json(), { status: 'ok', ...who });
  }
});

test('other paths and methods are refused', async () => {
  assert.equal((await fetch(`${address}/other`)).status, 404);
  assert.equal((await fetch(`${address}/health`, { method: 'DELETE' })).status, 405);
});

test('every log line says whose it is', () => {
  assert.ok(lines.length > 0);
  for (const line of lines) assert.deepEqual({ ...line, ...who, event: 'request' }, line);
});
