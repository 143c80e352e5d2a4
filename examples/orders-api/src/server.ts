/** The service's HTTP side. Plain Node, no framework. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isOrderId, type Log, newOrder, type OrderCache, type OrderStore, RequestError, readOrder, reasonOf } from './orders.ts';
import type { Readiness } from './readiness.ts';
import type { Identity } from './settings.ts';

const BODY_LIMIT = 64 * 1024;
const LISTED = 50;

export interface ServerProps {
  readonly identity: Identity;
  readonly store: OrderStore;
  readonly cache: OrderCache;
  readonly log: Log;
  readonly readiness: () => Promise<Readiness>;
  /** An order was placed, its message waits to be sent. */
  readonly onPlaced: () => void;
}

type Answer = readonly [status: number, body: object];

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // To the end, even if it is too long: who is cut off while sending never reads the answer. Not kept, and no longer than `requestTimeout`.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  if (size > BODY_LIMIT) throw new RequestError(413, 'body larger than 64 KiB');
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new RequestError(400, 'body is not JSON');
  }
}

async function route(request: IncomingMessage, pathname: string, props: ServerProps): Promise<Answer> {
  const { identity, store, cache, log } = props;
  const { cell, version } = identity;
  const { method } = request;
  if (pathname === '/health' && method === 'GET') return [200, { status: 'ok', cell, version }];
  if (pathname === '/ready' && method === 'GET') {
    const { ready, dependencies } = await props.readiness();
    return [ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', cell, version, dependencies }];
  }
  const [, collection, id, ...rest] = pathname.split('/');
  if (collection !== 'orders' || rest.length > 0) return [404, { error: 'not found' }];
  if (method === 'GET' && id === undefined) {
    return [200, { cell, orders: (await store.newest(LISTED)).map((order) => ({ cell, ...order })) }];
  }
  if (method === 'GET') {
    const order = isOrderId(id) ? await readOrder(id, store, cache, log) : undefined;
    return order ? [200, { cell, ...order }] : [404, { error: `no order ${id}` }];
  }
  if (method !== 'POST' || id !== undefined) return [405, { error: `${method} is not allowed here` }];
  const order = newOrder(await readJson(request));
  await store.add(order);
  props.onPlaced();
  return [201, { cell, ...order }];
}

/** Without the query: nobody knows what is in it, and a log is no place for it. */
const pathOf = (request: IncomingMessage) => (request.url ?? '/').split('?', 1)[0] ?? '/';

/** The HTTP server; whoever calls makes it listen. */
export function createOrdersServer(props: ServerProps): Server {
  const { identity, log } = props;
  const server = createServer(async (request, response) => {
    const began = performance.now();
    const path = pathOf(request);
    let [status, body]: Answer = [500, { error: 'internal error' }];
    try {
      [status, body] = await route(request, path, props);
    } catch (error) {
      if (error instanceof RequestError) [status, body] = [error.status, { error: error.message }];
      else log('error', { method: request.method, path, message: reasonOf(error) });
    }
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-cell': identity.cell,
      // While it is stopping, a connection must not be kept for a next request.
      ...(server.listening ? {} : { connection: 'close' }),
    });
    response.end(`${JSON.stringify(body)}\n`);
    log('request', { method: request.method, path, status, milliseconds: Math.round(performance.now() - began) });
  });
  server.requestTimeout = 30_000;
  // Longer than the load balancer's 60 s: it must be the one who closes, or it sends a request into a connection that is gone.
  server.keepAliveTimeout = 65_000;
  return server;
}
