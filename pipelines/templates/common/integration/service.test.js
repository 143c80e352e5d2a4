/** Asks a cell whether the service works there: CELL_ENDPOINT and CELL_NAME say which one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { CELL_ENDPOINT, CELL_NAME } = process.env;

test('the service answers in its cell', async () => {
  assert.ok(CELL_ENDPOINT, 'CELL_ENDPOINT is not set');
  const response = await fetch(new URL('/__COMPONENT__', CELL_ENDPOINT), { signal: AbortSignal.timeout(10_000) });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).cell, CELL_NAME);
});
