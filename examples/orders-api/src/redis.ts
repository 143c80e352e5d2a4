/** Orders that were read lately, in the cell's cache (Valkey, which speaks Redis's protocol). */
import { createClient } from '@redis/client';
import type { LoginSource } from './login.ts';
import { type Log, type Order, type OrderCache, reasonOf } from './orders.ts';
import type { ServerSettings } from './settings.ts';
import { within } from './time.ts';

/** Whoever reads just while an order changes may put its old state back; it stays for no longer than this. */
const SECONDS_TO_LIVE = 30;

/** A cache that takes longer than this is no help: the database is asked instead. */
const PATIENCE_MS = 250;

const keyOf = (id: string) => `orders-api:order:${id}`;

/** Wrong password, or none: what a changed secret looks like. */
const isRefusedLogin = (message: string) => /^(WRONGPASS|NOAUTH|ERR AUTH)/.test(message);

export class RedisCache implements OrderCache {
  private readonly client: ReturnType<typeof clientFor>;
  /** Why it is not connected, if it is not. */
  private failure: string | undefined = 'not connected yet';

  constructor(settings: ServerSettings, login: LoginSource, log: Log) {
    this.client = clientFor(settings, login);
    this.client.on('error', (error) => {
      const message = reasonOf(error);
      this.failure = message;
      if (isRefusedLogin(message)) login.forget();
      log('warning', { dependency: 'cache', message });
    });
    this.client.on('ready', () => {
      this.failure = undefined;
    });
    // It connects, and connects again, for as long as it lives; what can't be had meanwhile fails at once.
    this.client.connect().catch(() => {});
  }

  async get(id: string): Promise<Order | undefined> {
    const text = await within(PATIENCE_MS, this.client.get(keyOf(id)));
    return text === null ? undefined : (JSON.parse(text) as Order);
  }

  async set(order: Order): Promise<void> {
    const expiration = { type: 'EX', value: SECONDS_TO_LIVE } as const;
    await within(PATIENCE_MS, this.client.set(keyOf(order.id), JSON.stringify(order), { expiration }));
  }

  async delete(id: string): Promise<void> {
    await within(PATIENCE_MS, this.client.del(keyOf(id)));
  }

  async check(): Promise<void> {
    // By itself the client only says that it is offline.
    if (this.failure !== undefined) throw new Error(this.failure);
    await this.client.ping();
  }

  close(): void {
    this.client.destroy();
  }
}

const clientFor = ({ host, port, tls }: ServerSettings, login: LoginSource) =>
  createClient({
    socket: {
      host,
      port,
      ...(tls ? { tls: true } : {}),
      connectTimeout: 2000,
      // With a ping every ten seconds, so much silence means that nobody is there.
      socketTimeout: 15_000,
      reconnectStrategy: (retries) => Math.min(10_000, 200 * 2 ** Math.min(retries, 10)),
    },
    pingInterval: 10_000,
    disableOfflineQueue: true,
    credentialsProvider: {
      type: 'async-credentials-provider',
      credentials: async () => {
        const { username, password } = await login.read();
        return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
      },
    },
  });
