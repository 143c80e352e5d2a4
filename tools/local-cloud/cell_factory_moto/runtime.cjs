/**
 * Lambda's Node.js runtime: takes one event after the other and answers each, a line of JSON both ways, until there are no more.
 * The handler is found as Lambda finds it, and called with event, context and callback. Between two events everything stands
 * still, timers and connections too, because the next one is read without giving way: so does Lambda freeze a function.
 */
const dns = require('node:dns');
const { existsSync, readSync, writeSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { syncBuiltinESMExports } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { env } = process;
const { arn, timeout, events, answers } = JSON.parse(env.CELL_FACTORY_FUNCTION);
delete env.CELL_FACTORY_FUNCTION;

/** The invocation that has not been answered yet: its event, request id and alarm clock. */
let current;
let handler;

/**
 * CloudFormation takes answers at an https address without a port, and handlers (those of the CDK, too) take no other.
 * Here that address stands for the local cloud's own.
 */
function redirectAnswers() {
  const ours = new URL(env.AWS_ENDPOINT_URL);
  const isAnswer = (hostname) => {
    const url = current?.event?.ResponseURL;
    return typeof url === 'string' && URL.canParse(url) && new URL(url).hostname === hostname;
  };
  const { request: send } = https;
  https.request = (first, ...rest) => {
    const address = typeof first === 'string' ? new URL(first) : first;
    if (!isAnswer(address.hostname ?? address.host)) return send(first, ...rest);
    const [options, callback] = typeof rest[0] === 'function' ? [{}, rest[0]] : [rest[0], rest[1]];
    const where = address instanceof URL ? { path: `${address.pathname}${address.search}` } : address;
    return http.request(
      { ...where, ...options, protocol: 'http:', host: ours.hostname, hostname: ours.hostname, port: ours.port },
      callback,
    );
  };
  const { fetch: get } = globalThis;
  globalThis.fetch = (first, ...rest) => {
    const address = typeof first === 'string' || first instanceof URL ? new URL(first) : undefined;
    return address && isAnswer(address.hostname) ? get(new URL(address.pathname + address.search, ours), ...rest) : get(first, ...rest);
  };
  syncBuiltinESMExports();
}

/** A bucket is a host of its own to the SDK, and not every system knows that names below localhost are this machine (RFC 6761). */
function resolveLocalhost() {
  const { lookup } = dns;
  dns.lookup = (hostname, ...rest) => lookup(hostname.endsWith('.localhost') ? 'localhost' : hostname, ...rest);
  syncBuiltinESMExports();
}

/** `import` reads all of a CommonJS file for its exports before it runs it, which takes longer than running it. */
async function load(file) {
  try {
    if (!file.endsWith('.mjs')) return require(file);
  } catch (error) {
    // A package of ES modules.
    if (error?.code !== 'ERR_REQUIRE_ESM') throw error;
  }
  return import(pathToFileURL(file).href);
}

async function findHandler() {
  const dot = env._HANDLER.lastIndexOf('.');
  const base = path.resolve(env.LAMBDA_TASK_ROOT, env._HANDLER.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map((ending) => base + ending).find((name) => existsSync(name));
  if (file === undefined) throw Object.assign(new Error(`Cannot find module '${base}'`), { name: 'Runtime.ImportModuleError' });
  const loaded = await load(file);
  const name = env._HANDLER.slice(dot + 1);
  const found = loaded[name] ?? loaded.default?.[name];
  if (typeof found === 'function') return found;
  throw Object.assign(new Error(`${env._HANDLER} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
}

/** The next line from the local cloud, however long that takes; undefined when it has none any more. */
function nextLine() {
  const parts = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    const length = readSync(events, buffer);
    if (length === 0) return undefined;
    parts.push(Buffer.from(buffer.subarray(0, length)));
    // The local cloud sends a line only when the one before is answered.
    if (buffer[length - 1] === 10) return Buffer.concat(parts).toString();
  }
}

/** `last` says that the process ends now, and can take no other event. */
function answer(failed, value, last = false) {
  // The first answer counts: a handler that returns after its time is up changes nothing.
  if (current === undefined) return;
  clearTimeout(current.clock);
  current = undefined;
  const line = Buffer.from(`${JSON.stringify({ failed, last, payload: JSON.stringify(value ?? null) })}\n`);
  for (let sent = 0; sent < line.length; ) sent += writeSync(answers, line, sent);
}

function fail(error, last = false) {
  const { name = 'Error', message = String(error), stack = '' } = error ?? {};
  process.stderr.write(`${stack || message}\n`);
  answer(true, { errorType: name, errorMessage: message, trace: stack.split('\n') }, last);
}

/** An error that nobody expects ends the process, as on Lambda; the next event gets a new one. */
function die(error) {
  fail(error, true);
  process.exit(1);
}

function runOutOfTime() {
  answer(true, { errorType: 'Sandbox.Timedout', errorMessage: `Task timed out after ${timeout}.00 seconds` }, true);
  process.exit(1);
}

function call({ event, request }) {
  const deadline = Date.now() + timeout * 1000;
  current.clock = setTimeout(runOutOfTime, timeout * 1000).unref();
  const context = {
    awsRequestId: request,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: arn,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  return new Promise((resolve, reject) => {
    const result = handler(event, context, (error, value) => (error ? reject(error) : resolve(value)));
    if (typeof result?.then === 'function') result.then(resolve, reject);
  });
}

async function next() {
  const line = nextLine();
  if (line === undefined) process.exit(0);
  const { event, request } = JSON.parse(line);
  const mine = { event: JSON.parse(event), request };
  current = mine;
  handler ??= await findHandler().catch(die);
  const settle = (failed, value) => {
    if (current !== mine) return;
    if (failed) fail(value);
    else answer(false, value);
    setImmediate(next);
  };
  call(mine).then(
    (value) => settle(false, value),
    (error) => settle(true, error),
  );
}

process.on('uncaughtException', die);
// A handler that answers by callback and never calls it has answered nothing.
process.on('beforeExit', () => {
  answer(false, null);
  next();
});
redirectAnswers();
resolveLocalhost();
next();
