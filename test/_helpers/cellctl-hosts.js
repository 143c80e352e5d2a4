/**
 * Processes that have loaded the CLI, the CDK and the SDK, for the calls of all suites: loading takes longer than most commands.
 * A call comes as JSON on the socket, and is answered as JSON. They end with jest, which has started this process.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** Hosts that wait for a call. Calls that overlap get one each. */
const idle = [];

function startHost() {
  // Colours are decided when the program is loaded.
  const host = fork(fileURLToPath(new URL('cellctl-host.js', import.meta.url)), { env: { ...process.env, NO_COLOR: '1' }, silent: true });
  host.stdout.resume();
  host.stderr.resume();
  return host;
}

/** Has a host run the command. @param host one that has ended with it is gone, which is for the test to judge */
function call(host, order) {
  return new Promise((resolve, reject) => {
    const printed = { stdout: '', stderr: '' };
    const collect = (name) => (chunk) => {
      printed[name] += chunk.toString();
    };
    const listeners = { stdout: collect('stdout'), stderr: collect('stderr') };
    const done = () => {
      host.removeAllListeners();
      for (const name of ['stdout', 'stderr']) host[name].off('data', listeners[name]);
    };
    for (const name of ['stdout', 'stderr']) host[name].on('data', listeners[name]);
    host.once('message', (finished) => {
      done();
      idle.push(host);
      resolve(finished);
    });
    host.once('close', (code) => {
      done();
      resolve({ code: code ?? -1, ...printed });
    });
    host.once('error', (error) => {
      done();
      reject(error);
    });
    host.send(order);
  });
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  let order = '';
  socket.setEncoding('utf8');
  socket.on('data', (part) => {
    order += part;
  });
  socket.on('error', () => undefined);
  socket.on('end', async () => {
    const host = idle.pop() ?? startHost();
    // Whoever asked waits no longer.
    const abandon = () => host.kill('SIGKILL');
    socket.once('close', abandon);
    try {
      const finished = await call(host, JSON.parse(order));
      socket.off('close', abandon);
      socket.end(JSON.stringify(finished));
    } catch (error) {
      socket.destroy(error);
    }
  });
});

process.on('disconnect', () => process.exit());
server.listen(process.argv[2], () => process.send('ready'));
