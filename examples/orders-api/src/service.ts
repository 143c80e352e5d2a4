/** The whole service: its adapters, its loops and its HTTP server, started and stopped together. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { cacheLogin, databaseLogin, loginSource } from './login.ts';
import type { Log } from './orders.ts';
import { PostgresOrders } from './postgres.ts';
import { readiness } from './readiness.ts';
import { RedisCache } from './redis.ts';
import { createOrdersServer } from './server.ts';
import type { Settings } from './settings.ts';
import { SqsQueue } from './sqs.ts';
import { startConfirming, startSending } from './work.ts';

export interface RunningService {
  readonly port: number;
  /** Takes nothing new, finishes what is under way, and lets go of every connection. */
  stop(): Promise<void>;
}

/** It serves from the start, also while it can't reach its database: it must be seen to say so. */
export async function startService(settings: Settings, log: Log): Promise<RunningService> {
  const { identity, database } = settings;
  const { region } = identity;
  const secrets = new SecretsManagerClient({ region });
  const store = new PostgresOrders(database, loginSource(database.login, databaseLogin, secrets), log);
  const cache = new RedisCache(settings.cache, loginSource(settings.cache.login, cacheLogin, secrets), log);
  const queue = new SqsQueue(settings.queueUrl, region);

  const work = { store, cache, queue, log };
  const sending = startSending(work);
  const confirming = startConfirming(work);
  const server = createOrdersServer({
    ...work,
    identity,
    readiness: () => readiness({ database: () => store.check(), cache: () => cache.check(), queue: () => queue.check() }),
    onPlaced: () => sending.wake(),
  });
  server.listen(settings.port);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  log('started', { port });

  return {
    port,
    async stop() {
      log('stopping');
      server.close();
      await Promise.all([once(server, 'close'), sending.stop(), confirming.stop()]);
      cache.close();
      queue.close();
      secrets.destroy();
      await store.close();
      log('stopped');
    },
  };
}
