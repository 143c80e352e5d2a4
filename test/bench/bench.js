/**
 * Ratios that must hold, measured in one run on one machine: two commands in turn, medians of several runs.
 * `make bench`; docs/performance.md has figures. Absolute times are shown, never judged.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPlan } from '../../dist/lib/plan/plan.js';
import { defineCell, defineOrganization, draft, loadRegistry, serialize, validate } from '../../dist/registry/index.js';
import { RegistryReader } from '../../dist/registry/public.js';

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

mkdirSync(FOLDER, { recursive: true });
const many = documentOf(10_000, 22);
const hundred = documentOf(100, 22);
const text = readFileSync(many, 'utf8');
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
];

let exceeded = false;
process.stdout.write(`${'ratio of medians'.padEnd(46)}  RATIO  LIMIT   MEDIANS\n`);
for (const { name, limit, runs, first, second } of MEASUREMENTS) {
  const [a, b] = await inTurn(runs, first, second);
  exceeded ||= a / b > limit;
  process.stdout.write(
    `${name.padEnd(46)}  ${(a / b).toFixed(2).padStart(5)}  ${limit.toFixed(1).padStart(5)}   ${a.toFixed(1)} ms / ${b.toFixed(1)} ms\n`,
  );
}
rmSync(FOLDER, { recursive: true, force: true });
process.exitCode = exceeded ? 1 : 0;
