/**
 * Lambda's Node.js runtime for one invocation: `node runtime.cjs <file for the answer>`, the event on standard input.
 * The handler is found as Lambda finds it, and called with event, context and callback.
 */
const dns = require('node:dns');
const { readFileSync, existsSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { syncBuiltinESMExports } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const answerFile = process.argv[2];
const event = JSON.parse(readFileSync(0, 'utf8') || '{}');
const { env } = process;
const { arn, timeout, request } = JSON.parse(env.CELL_FACTORY_FUNCTION);
delete env.CELL_FACTORY_FUNCTION;

/**
 * CloudFormation takes answers at an https address without a port, and handlers (those of the CDK, too) take no other.
 * Here that address stands for the local cloud's own.
 */
function redirectAnswers() {
  const ours = new URL(env.AWS_ENDPOINT_URL);
  const answersAt = event.ResponseURL === undefined ? undefined : new URL(event.ResponseURL).hostname;
  const { request: send } = https;
  https.request = (first, ...rest) => {
    const address = typeof first === 'string' ? new URL(first) : first;
    if ((address.hostname ?? address.host) !== answersAt) return send(first, ...rest);
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
    return address?.hostname === answersAt ? get(new URL(address.pathname + address.search, ours), ...rest) : get(first, ...rest);
  };
  syncBuiltinESMExports();
}

/** A bucket is a host of its own to the SDK, and not every system knows that names below localhost are this machine (RFC 6761). */
function resolveLocalhost() {
  const { lookup } = dns;
  dns.lookup = (hostname, ...rest) => lookup(hostname.endsWith('.localhost') ? 'localhost' : hostname, ...rest);
  syncBuiltinESMExports();
}

async function findHandler() {
  const dot = env._HANDLER.lastIndexOf('.');
  const base = path.resolve(env.LAMBDA_TASK_ROOT, env._HANDLER.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map((ending) => base + ending).find((name) => existsSync(name));
  if (file === undefined) throw Object.assign(new Error(`Cannot find module '${base}'`), { name: 'Runtime.ImportModuleError' });
  const loaded = await import(pathToFileURL(file).href);
  const name = env._HANDLER.slice(dot + 1);
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler === 'function') return handler;
  throw Object.assign(new Error(`${env._HANDLER} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
}

function finish(failed, value) {
  // The first one to finish wins: a handler that returns after its time is up changes nothing.
  if (readFileSync(answerFile).length === 0) writeFileSync(answerFile, JSON.stringify({ failed, payload: JSON.stringify(value ?? null) }));
  process.exit(failed ? 1 : 0);
}

function fail(error) {
  const { name = 'Error', message = String(error), stack = '' } = error ?? {};
  process.stderr.write(`${stack || message}\n`);
  finish(true, { errorType: name, errorMessage: message, trace: stack.split('\n') });
}

function call(handler) {
  const deadline = Date.now() + timeout * 1000;
  const late = { errorType: 'Sandbox.Timedout', errorMessage: `Task timed out after ${timeout}.00 seconds` };
  setTimeout(() => finish(true, late), timeout * 1000).unref();
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

process.on('uncaughtException', fail);
// A handler that answers by callback and never calls it has answered nothing.
process.on('beforeExit', () => finish(false, null));
redirectAnswers();
resolveLocalhost();
findHandler()
  .then(call)
  .then((value) => finish(false, value), fail);
