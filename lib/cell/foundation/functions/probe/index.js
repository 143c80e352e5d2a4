/**
 * The code of a cell's probe (a canary of CloudWatch Synthetics): asks for what each component said it answers, through
 * the cell's entrance, as a customer would. What is to be asked for is read at each run, so that a new component is probed
 * without a new foundation.
 */
const { CloudWatchClient, PutMetricDataCommand } = require('@aws-sdk/client-cloudwatch');
const { SSMClient, paginateGetParametersByPath } = require('@aws-sdk/client-ssm');

const TIMEOUT_MS = 5_000;

/** Components that want to be probed, and paths, from the parameters that they wrote. */
async function targetsIn(folder) {
  const targets = [];
  for await (const page of paginateGetParametersByPath({ client: new SSMClient({}) }, { Path: folder, Recursive: true })) {
    targets.push(...page.Parameters.map(({ Name, Value }) => ({ component: Name.slice(folder.length + 1), path: Value })));
  }
  return targets.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** How many requests each component gets from us: a bake waits for those of customers, and takes these off. */
const countOf = ({ cell, components, requests, now }) => ({
  Namespace: 'Cell',
  MetricData: components.map((component) => ({
    MetricName: 'ProbeRequests',
    Dimensions: [
      { Name: 'cell', Value: cell },
      { Name: 'component', Value: component },
    ],
    Timestamp: now,
    Unit: 'Count',
    Value: requests,
  })),
});

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

/** Puts the count; without it, a bake takes our requests for customers'. That the count failed says nothing of the cell. */
async function putCount(count) {
  try {
    if (count.MetricData.length > 0) await new CloudWatchClient({}).send(new PutMetricDataCommand(count));
  } catch (error) {
    process.stderr.write(`could not count the requests: ${error.message}\n`);
  }
}

exports.countOf = countOf;
exports.probe = probe;

exports.handler = async () => {
  const { CELL_NAME: cell, CELL_ENDPOINT: endpoint, PROBE_PATHS: folder, PROBE_REQUESTS } = process.env;
  const requests = Number(PROBE_REQUESTS);
  const targets = await targetsIn(folder);
  await putCount(countOf({ cell, components: targets.map(({ component }) => component), requests, now: new Date() }));
  return probe({ endpoint, paths: targets.map(({ path }) => path), requests });
};
