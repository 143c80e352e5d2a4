/**
 * Ratios that must hold, measured in one run on one machine: two commands in turn, medians of several runs.
 * `make bench`; docs/performance.md has figures. Absolute times are shown, never judged.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCell, defineOrganization, draft, serialize, validate } from '../../dist/registry/index.js';

const FOLDER = '.bench';

/** A published document of an organization with `count` cells, the first of them called c0. */
function documentOf(count) {
  const settings = defineOrganization({
    name: 'bench',
    homeRegion: 'eu-west-1',
    domain: 'example.com',
    emailPattern: 'aws+{account}@example.com',
    network: { supernet: '10.0.0.0/8', prefixLength: 20 },
  });
  const account = (index) => String(400_000_000_000 + index);
  const cells = Array.from({ length: count }, (_, index) => ({
    ...defineCell({
      name: `c${index}`,
      stage: index === 0 ? 'staging' : 'production',
      region: 'eu-west-1',
      network: { block: `10.${Math.floor(index / 16)}.${(index % 16) * 16}.0/20` },
    }),
    accountId: account(index),
  }));
  const input = { settings, cells: Object.fromEntries(cells.map((cell) => [cell.name, cell])), components: {} };
  const file = join(FOLDER, `${count}.json`);
  writeFileSync(file, serialize({ ...draft(validate(input, file)), published: { revision: 1, at: '2026-01-01T00:00:00Z', by: 'bench' } }));
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
function inTurn(runs, first, second) {
  first();
  second();
  const pairs = Array.from({ length: runs }, () => [first(), second()]);
  return [median(pairs.map(([time]) => time)), median(pairs.map(([, time]) => time))];
}

function synthesis(document) {
  const context = JSON.stringify({ organization: document, cells: 'c0' });
  return () => milliseconds(['node', 'dist/bin/factory.js'], { CDK_OUTDIR: mkdtempSync(join(FOLDER, 'out-')), CDK_CONTEXT_JSON: context });
}

mkdirSync(FOLDER, { recursive: true });
const MEASUREMENTS = [
  {
    name: 'synth of one cell: of 1,000 / of one',
    limit: 1.1,
    runs: 7,
    first: synthesis(documentOf(1_000)),
    second: synthesis(documentOf(1)),
  },
  {
    name: 'cellctl --help / node -e 0',
    limit: 3,
    runs: 15,
    first: () => milliseconds(['bin/cellctl', '--help']),
    second: () => milliseconds(['node', '-e', '0']),
  },
];

let exceeded = false;
process.stdout.write(`${'ratio of medians'.padEnd(40)}  RATIO  LIMIT   MEDIANS\n`);
for (const { name, limit, runs, first, second } of MEASUREMENTS) {
  const [a, b] = inTurn(runs, first, second);
  exceeded ||= a / b > limit;
  process.stdout.write(
    `${name.padEnd(40)}  ${(a / b).toFixed(2).padStart(5)}  ${limit.toFixed(1).padStart(5)}   ${a.toFixed(0)} ms / ${b.toFixed(0)} ms\n`,
  );
}
rmSync(FOLDER, { recursive: true, force: true });
process.exitCode = exceeded ? 1 : 0;
