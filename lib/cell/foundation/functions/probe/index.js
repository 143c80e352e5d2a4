/**
 * The code of a cell's probe (a canary of CloudWatch Synthetics): asks for what each component said it answers, through
 * the cell's entrance, as a customer would. What is to be asked for is read at each run, so that a new component is probed
 * without a new foundation.
 */
const { SSMClient, paginateGetParametersByPath } = require('@aws-sdk/client-ssm');

const TIMEOUT_MS = 5_000;

/** Paths that components want probed, from the parameters that they wrote. */
async function pathsOf(folder) {
  const paths = [];
  for await (const page of paginateGetParametersByPath({ client: new SSMClient({}) }, { Path: folder, Recursive: true })) {
    paths.push(...page.Parameters.map(({ Value }) => Value));
  }
  return paths.sort();
}

/** One request; undefined when all is well, otherwise what is not. */
async function ask(url, expected) {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { 'user-agent': 'cell-probe' },
    });
    await response.arrayBuffer();
    return expected(response.status) ? undefined : `${url} answered ${response.status}`;
  } catch (error) {
    return `${url}: ${error.cause?.message ?? error.message}`;
  }
}

/**
 * Asks for each path `requests` times, one after the other; where there is no component yet, for `/`, which only the
 * entrance itself answers (404).
 * @throws Error that says how many requests failed, and each way in which one did
 */
async function probe({ endpoint, paths, requests }) {
  const targets = paths.length > 0 ? paths.map((path) => [path, (status) => status < 400]) : [['/', (status) => status === 404]];
  const failures = [];
  let asked = 0;
  for (let round = 0; round < requests; round++) {
    for (const [path, expected] of targets) {
      asked += 1;
      const failure = await ask(new URL(path, endpoint).href, expected);
      if (failure !== undefined) failures.push(failure);
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${asked} requests failed: ${[...new Set(failures)].join('; ')}`);
  return asked;
}

exports.probe = probe;

exports.handler = async () => {
  const { CELL_ENDPOINT: endpoint, PROBE_PATHS: folder, PROBE_REQUESTS: requests } = process.env;
  return probe({ endpoint, paths: await pathsOf(folder), requests: Number(requests) });
};
