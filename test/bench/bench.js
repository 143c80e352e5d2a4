/**
 * Ratios that must hold, measured in one run on one machine: two commands in turn, medians of several runs.
 * `make bench`; docs/performance.md has figures. Absolute times are shown; only one is judged, whose limit is far off.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createJiti } from 'jiti';
import { createPlan } from '../../dist/lib/plan/plan.js';
import { planWaves } from '../../dist/lib/plan/waves.js';
import {
  defineCell,
  defineComponent,
  defineOrganization,
  draft,
  loadRegistry,
  serialize,
  validate,
} from '../../dist/lib/registry/index.js';
import { RegistryReader } from '../../dist/lib/registry/public.js';

const FOLDER = '.bench';

/** The `index`-th block of that prefix length in 10.0.0.0/8. */
function block(index, prefix) {
  const address = index * 2 ** (32 - prefix);
  return `10.${Math.floor(address / 65_536)}.${Math.floor(address / 256) % 256}.${address % 256}/${prefix}`;
}

/** A published document of an organization with `count` cells, the first of them called c0. */
function documentOf(count, prefix) {
  const settings = defineOrganization({
    name: 'bench',
    homeRegion: 'eu-west-1',
    domain: 'example.com',
    emailPattern: 'aws+{account}@example.com',
    network: { supernet: '10.0.0.0/8', prefixLength: prefix },
  });
  const account = (index) => String(400_000_000_000 + index);
  const cells = Array.from({ length: count }, (_, index) => ({
    ...defineCell({
      name: `c${index}`,
      stage: index === 0 ? 'staging' : 'production',
      region: 'eu-west-1',
      network: { block: block(index, prefix) },
    }),
    accountId: account(index),
  }));
  const { tooling, monitoring } = settings.accounts;
  const accounts = {
    management: { accountId: '100000000000' },
    tooling: { ...tooling, accountId: '200000000000' },
    monitoring: { ...monitoring, accountId: '300000000000' },
  };
  const initialized = { ...settings, organizationId: 'o-benchbench', accounts };
  const input = { settings: initialized, cells: Object.fromEntries(cells.map((cell) => [cell.name, cell])), components: {} };
  const file = join(FOLDER, `${count}.json`);
  const life = Object.fromEntries(cells.map(({ name }) => [name, { state: 'active', since: '2026-01-01T00:00:00Z' }]));
  const published = { revision: 1, at: '2026-01-01T00:00:00Z', by: 'bench' };
  writeFileSync(file, serialize({ ...draft(validate(input, file), life), published }));
  return file;
}

/** Milliseconds that a process takes. */
function milliseconds([program, ...args], environment = {}) {
  const began = performance.now();
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...environment }, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return performance.now() - began;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs two measurements in turn, once to warm up and then `runs` times; gives their medians. */
async function inTurn(runs, first, second) {
  await first();
  await second();
  const pairs = [];
  for (let run = 0; run < runs; run++) pairs.push([await first(), await second()]);
  return [median(pairs.map(([time]) => time)), median(pairs.map(([, time]) => time))];
}

/** Milliseconds that `work` takes, in this process. */
const timed = (work) => async () => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** A client of S3 that has the document at hand: what the network takes is left out. */
function bucketWith(text) {
  const { digest } = JSON.parse(text);
  const answer = { 'latest.json': JSON.stringify({ revision: 1, digest }), 'revisions/00000001.json': text };
  return { send: async ({ input }) => ({ ETag: 'etag', Body: { transformToString: async () => answer[input.Key] } }) };
}

/** A new reader's first read and two look-ups. */
function firstRead(text) {
  const s3 = bucketWith(text);
  return async () => {
    const registry = await new RegistryReader({ bucket: 'bench', region: 'eu-west-1', s3 }).read();
    if (registry.findCell('c1') !== registry.findCellByAccount('400000000001')) throw new Error('found another cell');
  };
}

/** A thousand look-ups by name and by account in a registry that has been read. */
async function lookUps(text, count) {
  const s3 = bucketWith(text);
  const registry = await new RegistryReader({ bucket: 'bench', region: 'eu-west-1', s3 }).read();
  return () => {
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 100; index++) {
        registry.findCell(`c${(index * 7) % count}`);
        registry.findCellByAccount(String(400_000_000_000 + ((index * 7) % count)));
      }
    }
  };
}

function synthesis(document) {
  const context = JSON.stringify({ organization: document, cells: 'c0' });
  return () => milliseconds(['node', 'dist/bin/factory.js'], { CDK_OUTDIR: mkdtempSync(join(FOLDER, 'out-')), CDK_CONTEXT_JSON: context });
}

/** The waves of a rollout through the cells of a plan, of all weights and in three regions. */
function waves(plan) {
  const regions = ['eu-west-1', 'eu-west-2', 'us-east-1'];
  const cells = plan.cells.map((cell, index) => ({ ...cell, trafficWeight: (index * 7919) % 1_000, region: regions[index % 3] }));
  const mixed = { ...plan, cells, production: { ...plan.production, weight: cells.reduce((sum, cell) => sum + cell.trafficWeight, 0) } };
  const component = defineComponent({ name: 'api', repository: { url: 'https://example.com/api' }, route: { priority: 1, path: '/*' } });
  return () => {
    const reached = planWaves(mixed, component).waves.flatMap((wave) => wave.cells);
    if (reached.length !== cells.length) throw new Error(`${reached.length} of ${cells.length} cells are in waves`);
  };
}

/** How long a rollout of 1,000 cells takes on the simulator's clock, and the least that it could have taken. */
async function simulatedRollout() {
  const jiti = createJiti(import.meta.url);
  const [{ criticalPath, simulate }, { scenario }] = await Promise.all([
    jiti.import('../_helpers/simulator.ts'),
    jiti.import('../_helpers/simulator-scenario.ts'),
  ]);
  const result = await simulate(scenario({ cells: 1_000 }));
  if (result.record.status !== 'succeeded') throw new Error(result.record.outcome?.sentence);
  return [result.makespan, criticalPath(result)];
}

/** Seconds for each cell of a rollout that really runs through twelve cells, and of those the seconds that are its bakes. */
async function localRollout() {
  const { RolloutLab } = await createJiti(import.meta.url).import('../_helpers/rollouts.ts');
  const cell = (index) =>
    defineCell({ name: `c${index}`, stage: 'production', region: 'eu-west-1', network: { block: block(16 + index, 20) } });
  const lab = await RolloutLab.start((input) => {
    for (let index = 0; index < 9; index++) input.cells[`c${index}`] = cell(index);
  });
  try {
    const began = performance.now();
    const { record, plan } = await lab.ended(await lab.roll('orders-api', '1.0.0'));
    if (record.status !== 'succeeded') throw new Error(record.outcome?.sentence);
    const bakes = plan.waves.reduce((sum, wave) => sum + wave.bakeSeconds * plan.policy.timeScale, 0);
    return [(performance.now() - began) / 1_000 / 12, bakes / 12];
  } finally {
    await lab.stop();
  }
}

mkdirSync(FOLDER, { recursive: true });
const many = documentOf(10_000, 22);
const hundred = documentOf(100, 22);
const text = readFileSync(many, 'utf8');
const [makespan, least] = await simulatedRollout();
const [perCell, baking] = await localRollout();
const MEASUREMENTS = [
  {
    name: 'synth of one cell: of 1,000 / of one',
    limit: 1.1,
    runs: 11,
    first: synthesis(documentOf(1_000, 20)),
    second: synthesis(documentOf(1, 20)),
  },
  {
    name: 'cellctl --help / node -e 0',
    limit: 3,
    runs: 15,
    first: () => milliseconds(['bin/cellctl', '--help']),
    second: () => milliseconds(['node', '-e', '0']),
  },
  {
    name: 'validate and plan 10,000 cells / JSON.parse',
    limit: 10,
    runs: 15,
    first: timed(async () => createPlan(await loadRegistry(many))),
    second: timed(() => JSON.parse(text)),
  },
  {
    name: 'waves for 10,000 cells / JSON.parse',
    limit: 3,
    most: 1_000,
    runs: 15,
    first: timed(waves(createPlan(await loadRegistry(many)))),
    second: timed(() => JSON.parse(text)),
  },
  {
    name: 'reader: first read of 10,000 / JSON.parse',
    limit: 3,
    runs: 15,
    first: timed(firstRead(text)),
    second: timed(() => JSON.parse(text)),
  },
  {
    name: 'reader: look-ups among 10,000 / among 100',
    limit: 3,
    runs: 15,
    first: timed(await lookUps(text, 10_000)),
    second: timed(await lookUps(readFileSync(hundred, 'utf8'), 100)),
  },
  {
    name: 'simulated rollout of 1,000 / critical path',
    limit: 1.05,
    unit: 's',
    runs: 1,
    first: () => makespan,
    second: () => least,
  },
  {
    name: 'local rollout of 12 cells, each / its bakes',
    limit: 10,
    unit: 's',
    runs: 1,
    first: () => perCell,
    second: () => baking,
  },
];

let exceeded = false;
process.stdout.write(`${'ratio of medians'.padEnd(46)}  RATIO  LIMIT   MEDIANS\n`);
for (const { name, limit, most = Number.POSITIVE_INFINITY, unit = 'ms', runs, first, second } of MEASUREMENTS) {
  const [a, b] = await inTurn(runs, first, second);
  exceeded ||= a / b > limit || a > most;
  process.stdout.write(
    `${name.padEnd(46)}  ${(a / b).toFixed(2).padStart(5)}  ${limit.toFixed(2).padStart(5)}   ${a.toFixed(1)} ${unit} / ${b.toFixed(1)} ${unit}\n`,
  );
}
rmSync(FOLDER, { recursive: true, force: true });
process.exitCode = exceeded ? 1 : 0;
