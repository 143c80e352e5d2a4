import { relative } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import type { CellPlan } from '../../plan/plan.ts';
import type { AddedCell } from '../../registry/index.ts';
import type { Addition } from '../../review/addition.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { byCost, costLines } from '../cost.ts';
import { manual } from '../manual.ts';
import { wholeNumber } from '../numbers.ts';

interface AddOptions {
  readonly region?: string;
  readonly size?: string;
  readonly stage?: string;
  readonly like?: string;
  readonly tier?: string;
  readonly owner?: string;
  readonly expires?: string;
  readonly block?: string;
  readonly prefix?: string;
  readonly override: readonly string[];
  readonly dryRun?: boolean;
}

const many = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

/** A value on a command line, as a definition would hold it. */
function parsedValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** `field=value`, taken apart. @throws FactoryError `USAGE` */
async function overridesFrom(texts: readonly string[]): Promise<Map<string, string | number | boolean>> {
  const unclear = texts.find((text) => !/^[a-zA-Z.]+=./.test(text));
  if (unclear !== undefined) {
    const { FactoryError } = await import('../../registry/index.ts');
    throw new FactoryError('USAGE', `--override is "${unclear}"`, { fix: 'write field=value, e.g. --override database.storageGiB=200' });
  }
  return new Map(texts.map((text) => [text.slice(0, text.indexOf('=')), parsedValue(text.slice(text.indexOf('=') + 1))]));
}

const NAT = { 'gateway-per-zone': 'a NAT gateway in each', 'one-gateway': 'one NAT gateway', instance: 'a NAT instance' } as const;

/** What a cell is made of, in words. */
function resourceRows({ resources, profile, capacity, overrides }: CellPlan): [string, string][] {
  const { database, cache, service, nat } = resources;
  const standby = database.standby ? 'with standby' : 'single';
  const { maxRequestsPerSecond, maxTenants, headroom } = capacity;
  const caps = (requests: number, tenants: number) => `${requests.toLocaleString('en')} requests/s, ${many(tenants, 'tenant')}`;
  // Its one tenant fills a dedicated cell only by its requests.
  const full = caps(Math.floor(maxRequestsPerSecond * headroom), Math.max(1, Math.floor(maxTenants * headroom)));
  return [
    [
      'database',
      `PostgreSQL ${database.instanceClass}, ${standby}, ${database.storageGiB} GiB growing to ${database.maxStorageGiB.toLocaleString('en')}, ${many(database.backupDays, 'day')} of recovery`,
    ],
    ['cache', `Valkey ${cache.nodeType.replace(/^cache\./, '')}, ${cache.replicas === 0 ? 'no replica' : many(cache.replicas, 'replica')}`],
    [
      'service',
      `${service.minTasks} to ${many(service.maxTasks, 'task')} of each component, ${service.cpu / 1_024} vCPU and ${service.memoryMiB.toLocaleString('en')} MiB each`,
    ],
    ['network', `${profile.zones} zones, ${NAT[nat]}${nat === 'gateway-per-zone' ? '' : ' for all'}`],
    ['capacity', `${caps(maxRequestsPerSecond, maxTenants)}; counts as full at ${Math.round(headroom * 100)} %: ${full}`],
    ...overrides.map(({ field, value, instead }): [string, string] => ['override', `${field} is ${value} instead of ${instead}`]),
  ];
}

/** Where a change reaches the cell, and what of the traffic it is meant to get. */
function rolloutWords({ cell, rollout: { place, of, after, before }, traffic }: Addition): string[] {
  const neighbours = [after && `after ${after}`, before && `before ${before}`].filter(Boolean).join(', ');
  const order = `a change reaches it as number ${place} of ${many(of, 'cell')}${neighbours && `: ${neighbours}`}`;
  if (traffic) return [order, `${Math.round(traffic.share * 100)} % of the traffic by weight: ${traffic.weight} of ${traffic.total}`];
  return [
    order,
    cell.stage === 'production'
      ? 'no traffic: no production cell has any weight'
      : `none of the customers' traffic: it is a ${cell.stage} cell`,
  ];
}

/** What to run next, in that order. */
function nextCommands(context: Context, file: string, name: string): string[] {
  const option = context.organizationOption;
  const commands = [`accounts ${name}`, 'publish', `deploy ${name}`, 'publish', `rollout catch-up ${name}`];
  return [`git add ${file}`, ...commands.map((command) => `cellctl ${command}${option}`)];
}

/** Text in lines of at most `width`, broken after commas and semicolons. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(/(?<=[,;] )/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.trimEnd().length <= width) lines[lines.length - 1] = last + part;
    else lines.push(part);
  }
  return lines.map((line) => line.trimEnd());
}

/** A label, then its lines below each other. */
const section = (label: string, lines: readonly string[]) => lines.map((line, index) => `${(index === 0 ? label : '').padEnd(10)}${line}`);

async function add(context: Context, name: string, options: AddOptions): Promise<number> {
  const { override, dryRun, prefix, ...rest } = options;
  const [{ addCell, FactoryError }, { additionOf }, { PRICE_SOURCE }] = await Promise.all([
    import('../../registry/index.ts'),
    import('../../review/addition.ts'),
    import('../../review/prices.ts'),
  ]);
  if (rest.block !== undefined && prefix !== undefined) {
    throw new FactoryError('USAGE', '--block and --prefix at once', { fix: 'a block has its own prefix length: leave one out' });
  }
  const wanted = {
    ...rest,
    name,
    overrides: await overridesFrom(override),
    prefix: prefix === undefined ? undefined : await prefixLength(prefix),
  };
  const added = await addCell(context.organization, wanted, {
    accountsFile: context.accountsElsewhere,
    person: () => context.person(),
    dryRun: dryRun === true,
  });
  report(context, added, additionOf(added.registry, name), { written: dryRun !== true, source: PRICE_SOURCE });
  return 0;
}

async function prefixLength(text: string): Promise<number> {
  const { BLOCK_PREFIX } = await import('../../registry/index.ts');
  return wholeNumber(text, '--prefix', BLOCK_PREFIX);
}

function report(context: Context, added: AddedCell, addition: Addition, { written, source }: { written: boolean; source: string }): void {
  const { output } = context;
  const { cell, estimate, rollout, traffic } = addition;
  const { text, assumed, warnings, network } = added;
  const near = relative('', added.file);
  const file = near.startsWith('..') ? added.file : near;
  const next = nextCommands(context, file, cell.name);
  const { account, endpoint, region, stage, size, tier, resources, overrides, capacity, profile, owner, expiresAt } = cell;
  const data = {
    ...{ file, written, definition: text, assumed },
    cell: { name: cell.name, stage, region, size, tier, owner, expiresAt, endpoint, resources, overrides, capacity, profile },
    account: { name: account.name, email: account.email },
    network: { block: cell.block, ...network },
    estimate: { monthly: estimate.monthly, items: byCost(estimate), source },
    ...{ rollout, traffic, warnings, next },
  };
  output.result(data, () => {
    output.line(`${written ? pc.green('wrote') : pc.yellow('would write')} ${pc.bold(file)}`);
    for (const sentence of assumed) output.say(`  ${sentence}`);
    const { supernet, prefix, free } = network;
    const rows: [string, string[]][] = [
      ['cell', [`${pc.bold(cell.name)}: ${stage}, ${size}, ${tier}, in ${region}`]],
      ['block', [`${cell.block}; after it, ${free.toLocaleString('en')} more /${prefix} ${free === 1 ? 'is' : 'are'} free in ${supernet}`]],
      ['account', [`${account.name}, ${account.email}`]],
      ['endpoint', [endpoint]],
      ...resourceRows(cell).map(([label, line]): [string, string[]] => [label, [line]]),
      ['cost', costLines(estimate, source).flatMap((line) => wrapped(line, 110))],
      ['rollout', rolloutWords(addition)],
    ];
    for (const [label, lines] of rows) for (const line of section(label, lines)) output.say(line);
    output.warnings(warnings);
    for (const line of section('next', written ? next : ['run it again without --dry-run'])) output.say(line);
  });
}

const HELP = `
Takes the next free block of the network plan, checks the new definition together with all the
others, and writes it if nothing is wrong. What is wrong is said at once, and nothing is written.
--like takes over what the other cell decided; name, block, e-mail, owner and expiry are its own.
Overrides replace single resources of the size; ${manual('cells.md')} lists them.

Examples:
  cellctl cell add delta --region eu-west-1 --size small
  cellctl cell add delta --like alpha
  cellctl cell add delta --like bravo --region us-east-1 --override database.storageGiB=200
  cellctl cell add jo --stage personal --region eu-west-1 --expires 14d
  cellctl cell add delta --like alpha --dry-run --json`;

const addCommand = () =>
  new Command('add')
    .description("write a new cell's definition, with the next free block; say what it costs and changes")
    .argument('<name>', 'name of the cell')
    .option('-r, --region <region>', 'where it runs (needed without --like)')
    .option('-s, --size <size>', 'small, medium or large (default: small)')
    .option('--stage <stage>', 'production, staging or personal (default: production)')
    .option('-l, --like <cell>', 'take over what this cell decided')
    .option('--tier <tier>', 'shared or dedicated (default: shared)')
    .option(
      '--override <field=value>',
      'one resource other than the size says; may be given again',
      (each, all: string[]) => [...all, each],
      [],
    )
    .option('--owner <who>', 'who it belongs to (default for a personal cell: you)')
    .option('--expires <time>', 'when it ends: ISO 8601, or 30d from now (default for a personal cell: 30d)')
    .option('--block <block>', 'its IPv4 block (default: the first free one)')
    .option('--prefix <length>', "prefix length of its block (default: the network plan's)")
    .option('-n, --dry-run', 'only say what it would write')
    .addHelpText('after', HELP)
    .action(action(add));

export const cellCommand = () => new Command('cell').description('the definitions of cells').addCommand(addCommand());
