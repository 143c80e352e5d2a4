/**
 * The orders service. Plain Node, no framework: the image is this folder on top of Node itself.
 * Everything it knows about its cell it finds in its environment.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const BODY_LIMIT = 64 * 1024;

/** One line of JSON per event, always with whose it is: the cell's metrics are made of `cell`, `component` and `event`. */
function createLog({ name, stage, region, component, version }, write) {
  return (event, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), cell: name, stage, region, component, version, event, ...fields })}\n`);
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw Object.assign(new Error('body larger than 64 KiB'), { status: 413 });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error('body is not JSON'), { status: 400 });
  }
}

function checkOrder(order) {
  const problems = [];
  if (typeof order?.item !== 'string' || order.item === '') problems.push('item must be a name');
  if (!Number.isSafeInteger(order?.quantity) || order.quantity < 1) problems.push('quantity must be a whole number of at least 1');
  if (problems.length > 0) throw Object.assign(new Error(problems.join('; ')), { status: 400 });
  return { item: order.item, quantity: order.quantity };
}

/**
 * The HTTP server of the service.
 * @param cell name, stage and region of the cell, component and version, from the environment
 * @param write where log lines go
 */
export function createOrdersServer(cell, write = (line) => process.stdout.write(line)) {
  const orders = new Map();
  const log = createLog(cell, write);

  async function route(request) {
    const { pathname } = new URL(request.url, 'http://cell');
    const [, collection, id] = pathname.split('/');
    if (pathname === '/health' && request.method === 'GET') return [200, { status: 'ok', cell: cell.name, version: cell.version }];
    if (collection !== 'orders') return [404, { error: 'not found' }];
    if (request.method === 'GET' && id === undefined) return [200, { cell: cell.name, orders: [...orders.values()] }];
    if (request.method === 'GET') return orders.has(id) ? [200, orders.get(id)] : [404, { error: `no order ${id}` }];
    if (request.method !== 'POST' || id !== undefined) return [405, { error: `${request.method} is not allowed here` }];
    const order = { id: randomUUID(), cell: cell.name, ...checkOrder(await readJson(request)) };
    orders.set(order.id, order);
    return [201, order];
  }

  return createServer(async (request, response) => {
    const began = performance.now();
    let status = 500;
    let body = { error: 'internal error' };
    try {
      [status, body] = await route(request);
    } catch (error) {
      status = error.status ?? 500;
      if (status < 500) body = { error: error.message };
      else log('error', { message: error.message });
    }
    response.writeHead(status, { 'content-type': 'application/json', 'x-cell': cell.name });
    response.end(`${JSON.stringify(body)}\n`);
    log('request', { method: request.method, path: request.url, status, milliseconds: Math.round(performance.now() - began) });
  });
}
