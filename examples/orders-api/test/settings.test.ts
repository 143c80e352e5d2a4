import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheLogin, databaseLogin, loginSource } from '../src/login.ts';
import { reasonOf } from '../src/orders.ts';
import { readiness } from '../src/readiness.ts';
import { readSettings } from '../src/settings.ts';

const CELL = {
  CELL_NAME: 'alpha',
  CELL_STAGE: 'production',
  CELL_REGION: 'test-region',
  DATABASE_HOST: 'db',
  DATABASE_SECRET_ARN: 'db-secret',
  CACHE_HOST: 'cache',
  CACHE_SECRET_ARN: 'cache-secret',
  QUEUE_URL: 'https://queue',
};

test("a cell's environment: secrets, and TLS", () => {
  const { database, cache, identity } = readSettings(CELL);
  assert.deepEqual(database, { host: 'db', port: 5432, tls: true, login: { secretArn: 'db-secret' }, name: 'cell' });
  assert.deepEqual(cache, { host: 'cache', port: 6379, tls: true, login: { secretArn: 'cache-secret' } });
  assert.equal(identity.region, 'test-region');
});

test("a laptop's environment: passwords, and no TLS", () => {
  const { DATABASE_SECRET_ARN, CACHE_SECRET_ARN, ...rest } = CELL;
  const laptop = { DATABASE_TLS: 'off', DATABASE_USER: 'me', DATABASE_PASSWORD: 'p', CACHE_TLS: 'off', CACHE_PORT: '7000' };
  const { database, cache } = readSettings({ ...rest, ...laptop });
  assert.deepEqual(database, { host: 'db', port: 5432, tls: false, login: { username: 'me', password: 'p' }, name: 'cell' });
  assert.deepEqual(cache, { host: 'cache', port: 7000, tls: false, login: { username: undefined, password: undefined } });
});

test('all that is missing or wrong is said at once', () => {
  assert.throws(() => readSettings({ DATABASE_TLS: 'no', PORT: '99999' }), {
    message:
      'CELL_REGION is missing; PORT is "99999", expected a port; DATABASE_TLS is "no", expected on or off; DATABASE_HOST is missing; ' +
      'CACHE_HOST is missing; QUEUE_URL is missing. README.md shows a complete environment.',
  });
});

test('a secret is read once, and again after the server refused it', async () => {
  let reads = 0;
  const client = { send: async () => ({ SecretString: `password-${++reads}` }) };
  const login = loginSource({ secretArn: 'arn' }, cacheLogin, client as never);
  assert.equal((await login.read()).password, 'password-1');
  assert.equal((await login.read()).password, 'password-1');
  login.forget();
  assert.equal((await login.read()).password, 'password-2');
});

test("the database's secret is what RDS writes; anything else is refused without being quoted", () => {
  assert.deepEqual(databaseLogin('{"username":"u","password":"p"}'), { username: 'u', password: 'p' });
  for (const text of ['hunter2', '{"password":"hunter2"}', 'null', '']) {
    assert.throws(
      () => databaseLogin(text),
      (error: Error) => /not what RDS writes/.test(error.message) && !error.message.includes('hunter2') && error.cause === undefined,
    );
  }
});

test('a host with several addresses fails with the reason of each', () => {
  const refused = new Error('refused');
  assert.equal(reasonOf(new AggregateError([refused, refused, new Error('no route')])), 'refused; no route');
  assert.equal(reasonOf('text'), 'text');
});

test('a dependency that does not answer is given up', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = readiness({ cache: () => new Promise(() => {}) });
  await Promise.resolve();
  context.mock.timers.tick(2000);
  assert.equal((await asked).dependencies['cache']?.reason, 'no answer within 2000 ms');
});
