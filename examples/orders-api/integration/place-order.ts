/** What a customer does, against a service that runs: an order is placed, read back, and confirmed after a while. */
const WAIT_MS = 60_000;

const address = (process.env['CELL_URL'] || process.env['CELL_ENDPOINT'])?.replace(/\/$/, '');
if (!address) {
  process.stderr.write('CELL_ENDPOINT is missing. Set it to where the cell answers, such as http://localhost:8080\n');
  process.exit(2);
}

interface Order {
  readonly id: string;
  readonly item: string;
  readonly status: string;
  readonly cell: string;
}

async function call(path: string, expected: number, init: RequestInit = {}): Promise<Order> {
  const response = await fetch(`${address}${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (response.status !== expected) {
    throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}, expected ${expected}: ${text.slice(0, 200)}`);
  }
  return JSON.parse(text) as Order;
}

/** @throws Error that says what the service did instead */
async function run(): Promise<string> {
  const began = Date.now();
  await call('/orders', 400, { method: 'POST', body: '{}' });
  const { id, cell } = await call('/orders', 201, { method: 'POST', body: JSON.stringify({ item: 'integration test', quantity: 1 }) });
  if (process.env['CELL_NAME'] && cell !== process.env['CELL_NAME']) {
    throw new Error(`cell ${cell} answered, expected ${process.env['CELL_NAME']}: ${address} leads to another cell`);
  }
  for (;;) {
    const { item, status } = await call(`/orders/${id}`, 200);
    if (item !== 'integration test') throw new Error(`order ${id} came back with item "${item}"`);
    if (status === 'confirmed') return `order ${id} in cell ${cell}: placed, read, confirmed after ${Date.now() - began} ms`;
    if (Date.now() - began > WAIT_MS)
      throw new Error(`order ${id} is still "${status}" after ${WAIT_MS / 1000} s: is its message on the queue?`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

try {
  process.stdout.write(`${await run()}\n`);
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`${address}: ${message}${cause instanceof Error ? ` (${cause.message || cause.name})` : ''}\n`);
  process.exitCode = 1;
}
