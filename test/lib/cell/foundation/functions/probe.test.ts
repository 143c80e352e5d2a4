import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

interface Probe {
  readonly probe: (how: { endpoint: string; paths: string[]; requests: number }) => Promise<number>;
  readonly countOf: (how: { cell: string; components: string[]; requests: number; now: Date }) => object;
}
const { probe, countOf } = createRequire(import.meta.url)('../../../../../lib/cell/foundation/functions/probe/index.js') as Probe;

let server: Server;
let endpoint: string;
let asked: string[] = [];
/** Status by path; 404 is what the entrance itself says where no component is. */
let answers: Record<string, number> = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(String(request.url));
    const status = answers[String(request.url)] ?? 404;
    response.writeHead(status, status === 301 ? { location: '/elsewhere' } : {}).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
  answers = {};
});

describe('the probe of a cell', () => {
  test('asks for what each component named, as often as it should', async () => {
    answers = { '/orders': 200, '/carts/health': 301 };
    expect(await probe({ endpoint, paths: ['/orders', '/carts/health'], requests: 3 })).toBe(6);
    expect(asked).toEqual(['/orders', '/carts/health', '/orders', '/carts/health', '/orders', '/carts/health']);
  });

  test('fails when one answers badly, and says which and how often', async () => {
    answers = { '/orders': 200, '/carts': 503 };
    await expect(probe({ endpoint, paths: ['/orders', '/carts'], requests: 2 })).rejects.toThrow(
      `2 of 4 requests failed: ${endpoint}/carts answered 503`,
    );
  });

  test('of a cell without components asks its entrance, which knows that it serves nothing', async () => {
    expect(await probe({ endpoint, paths: [], requests: 1 })).toBe(1);
    answers = { '/': 502 };
    await expect(probe({ endpoint, paths: [], requests: 1 })).rejects.toThrow('answered 502');
  });

  test('counts what it asks of each component, so that nobody takes it for customers', () => {
    const now = new Date('2030-01-01T00:00:00Z');
    expect(countOf({ cell: 'alpha', components: ['orders-api', 'carts'], requests: 5, now })).toEqual({
      Namespace: 'Cell',
      MetricData: ['orders-api', 'carts'].map((component) => ({
        MetricName: 'ProbeRequests',
        Dimensions: [
          { Name: 'cell', Value: 'alpha' },
          { Name: 'component', Value: component },
        ],
        Timestamp: now,
        Unit: 'Count',
        Value: 5,
      })),
    });
  });

  test('says why it reached nobody', async () => {
    await expect(probe({ endpoint: 'http://127.0.0.1:1', paths: ['/orders'], requests: 1 })).rejects.toThrow(
      /1 of 1 requests failed: .*(ECONNREFUSED|bad port)/,
    );
  });
});
