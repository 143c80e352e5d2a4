/** Servers of local clouds that are forked from one process which has loaded everything: see nursery.py. */
import { createConnection } from 'node:net';
import { inheritedEnvironment } from '../../lib/environment.ts';
import { processInfo } from '../../lib/process-info.ts';
import { type StartServer, serverVariables } from '../../tools/local-cloud/launcher/cloud.ts';

/** How long a fork may take. */
const PATIENCE_MS = 30_000;

/** Has the process that listens on the socket fork a server. */
export const startForked =
  (socket: string): StartServer =>
  async (environment, port, log) => {
    const order = { port, log, environment: { ...inheritedEnvironment(), ...serverVariables(environment) } };
    const pid = Number(await exchange(socket, JSON.stringify(order)));
    return { pid, hasEnded: () => processInfo(pid) === undefined };
  };

/** Sends a line, and gives the one that is answered. */
function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let answer = '';
    socket.setEncoding('utf8').setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`${path} does not answer`)));
    socket.on('data', (part: string) => {
      answer += part;
      if (!answer.endsWith('\n')) return;
      socket.end();
      resolve(answer.trim());
    });
    socket.on('error', reject);
    socket.write(`${line}\n`);
  });
}
