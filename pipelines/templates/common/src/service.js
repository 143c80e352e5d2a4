/** The service: plain Node, without packages. All that it knows about its cell it finds in its environment. */
import { createServer } from 'node:http';

/**
 * @param who cell, component and version, from the environment
 * @param write where log lines go: one line of JSON per event. The cell's metrics and alarms are made of `cell`, `component` and `event`.
 */
export function createService(who, write = (line) => process.stdout.write(line)) {
  const route = ({ method, url }) => {
    const { pathname } = new URL(url, 'http://cell');
    if (!['/health', '/__COMPONENT__'].includes(pathname)) return [404, { error: 'not found' }];
    return method === 'GET' ? [200, { status: 'ok', ...who }] : [405, { error: `${method} is not allowed here` }];
  };
  return createServer((request, response) => {
    const [status, body] = route(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    const event = status < 500 ? 'request' : 'error';
    write(`${JSON.stringify({ time: new Date().toISOString(), ...who, event, method: request.method, path: request.url, status })}\n`);
  });
}
