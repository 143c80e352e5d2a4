/**
 * A process that runs command lines of cellctl one after another, each as `bin/cellctl` would: loading the CLI and the
 * SDK takes longer than most commands. Its parent sends words and environment, and gets exit code and output.
 */
import { run } from '../../dist/lib/cli/main.js';

/** What a command has printed so far. */
let printed = { stdout: '', stderr: '' };

for (const name of ['stdout', 'stderr']) {
  process[name].write = (chunk, encoding, callback) => {
    printed[name] += chunk.toString();
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) queueMicrotask(done);
    return true;
  };
}

/** Replaces all of the environment: nothing of the command before is left. */
function setEnvironment(environment) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}

async function call({ words, environment }) {
  printed = { stdout: '', stderr: '' };
  setEnvironment(environment);
  process.exitCode = undefined;
  let code;
  try {
    code = await run(words);
  } catch (error) {
    code = 1;
    printed.stderr += `${error?.stack ?? error}\n`;
  }
  // A command listens for signals until its process ends, which this one doesn't.
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  process.exitCode = undefined;
  process.send({ code, ...printed });
}

process.on('message', (message) => void call(message));
process.on('disconnect', () => process.exit());
