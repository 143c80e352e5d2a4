/**
 * A new cell: its definition, checked together with all others before anything is written, and written whole or not at all.
 */
import { randomUUID } from 'node:crypto';
import { access, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { type AwsCellDefinition, CELL_DEFAULTS, defineCell } from './define.ts';
import { definitionText } from './definition-text.ts';
import { draft, type Registry } from './document.ts';
import { FactoryError, isNamed, type Problem } from './errors.ts';
import { countFree, freeBlock } from './free-block.ts';
import { BLOCK_PREFIX } from './layout.ts';
import { accountsFileOf, checkDefinitions, type Definitions, type LoadOptions, readDefinitions } from './load.ts';
import type { AwsCell, Capacity, Organization, Overrides, Size, Stage } from './model.ts';
import { type Block, parseBlock, seconds } from './rules/subject.ts';
import { isObject } from './shape.ts';
import { capacityOf, defaultResources, SIZE_CLASSES, STAGE_PROFILES } from './sizes.ts';
import { invalid } from './validate.ts';

/** What is wanted of a new cell. Nothing of it has been checked: what is wrong with it is told with all else that is. */
export interface NewCell {
  readonly name: string;
  /** A cell whose decisions it takes over, but for what is a cell's own. @default - the defaults of `defineCell` */
  readonly like?: string | undefined;
  /** @default - the region of `like` */
  readonly region?: string | undefined;
  /** @default - the stage of `like`, or production */
  readonly stage?: string | undefined;
  /** @default - the size of `like`, or small */
  readonly size?: string | undefined;
  /** @default - the tier of `like`, or shared */
  readonly tier?: string | undefined;
  /** Single resources by their path, e.g. `database.storageGiB`; they come on top of those of `like`. @default - none */
  readonly overrides?: ReadonlyMap<string, string | number | boolean>;
  /** @default - of a personal cell, whoever makes it */
  readonly owner?: string | undefined;
  /** When it ends: a time in ISO 8601, or a duration from now such as `30d`. @default - of a personal cell, 30 days from now */
  readonly expires?: string | undefined;
  /** Its block. @default - the first that is free */
  readonly block?: string | undefined;
  /** Prefix length of its block. @default - as the organization's network plan says */
  readonly prefix?: number | undefined;
}

export interface NewCellOptions extends LoadOptions {
  /** Who makes the cell, and how that is known; asked for only where it matters. */
  readonly person: () => Promise<{ readonly name: string; readonly source: string }>;
  /** Writes nothing. @default false */
  readonly dryRun?: boolean;
}

/** A cell that was added to the definitions, or would be. */
export interface AddedCell {
  /** The file that holds it. */
  readonly file: string;
  readonly text: string;
  /** What was decided because nobody said it, as sentences. */
  readonly assumed: readonly string[];
  /** The organization as it is with the cell. */
  readonly registry: Registry;
  /** What is unwise since the cell is there. */
  readonly warnings: readonly Problem[];
  /** The network plan with the cell: how many more blocks of that size it has. */
  readonly network: { readonly supernet: string; readonly prefix: number; readonly free: number };
}

/** How long a personal cell lasts when nobody says. */
const PERSONAL_LIFE = '30d';
const DURATION = /^\d+[smhd]$/;

/** An organization with the network as numbers. */
interface Ground {
  readonly organization: Organization;
  readonly supernet: Block;
  readonly blocks: readonly Block[];
}

function groundOf(organization: Organization): Ground {
  const blocks = Object.entries(organization.cells).map(([name, { network }]) => parseBlock(name, network.block));
  return { organization, supernet: parseBlock('supernet', organization.network.supernet), blocks };
}

/** The cell to be like. @throws FactoryError `CELL_UNKNOWN`, `CELL_NOT_ON_AWS` */
function modelOf({ cells }: Organization, name: string): AwsCell {
  const cell = Object.hasOwn(cells, name) ? cells[name] : undefined;
  if (cell?.cloud === 'aws') return cell;
  if (cell) throw new FactoryError('CELL_NOT_ON_AWS', `not on AWS: ${name}`, { fix: 'name a cell with cloud: aws' });
  const known = Object.values(cells).filter(({ cloud }) => cloud === 'aws');
  throw new FactoryError('CELL_UNKNOWN', `no such cell: ${name}`, {
    fix: `--like takes one of ${
      known
        .map((each) => each.name)
        .slice(0, 20)
        .join(', ') || '(there is no cell yet)'
    }${known.length > 20 ? ', …' : ''}`,
  });
}

/** Fields of `value` that `base` has not, or has otherwise; undefined for none. */
function differing<T extends object>(value: T, base: object): Partial<T> | undefined {
  const fields = Object.entries(value).filter(
    ([key, each]) => each !== undefined && JSON.stringify(each) !== JSON.stringify(Reflect.get(base, key)),
  );
  return fields.length === 0 ? undefined : (Object.fromEntries(fields) as Partial<T>);
}

/** What a cell decided about its caps: where they are other than by its size. Those by size are not passed on: the new cell may have another. */
const decidedCapacity = ({ capacity, size, stage, tier }: AwsCell): Partial<Capacity> | undefined =>
  differing(capacity, capacityOf(size, stage, tier));

/** Overrides with those by path put on top. Whether such fields exist is for the schema to say. */
function overridden(base: Overrides, changes: NewCell['overrides'] = new Map()): Overrides {
  const result: Record<string, unknown> = structuredClone(base);
  for (const [path, value] of changes) {
    const [group = '', ...rest] = path.split('.');
    const field = rest.join('.');
    result[group] = field === '' ? value : { ...Object(result[group]), [field]: value };
  }
  return result;
}

/** Overrides without those that the new cell gets by its size. Of an unknown size or stage nothing is known; the schema tells that. */
function withoutDefaults(overrides: Overrides, size: string, stage: string): Overrides {
  if (!Object.hasOwn(SIZE_CLASSES, size) || !Object.hasOwn(STAGE_PROFILES, stage)) return overrides;
  const defaults = defaultResources({ size: size as Size, stage: stage as Stage });
  return Object.fromEntries(
    Object.entries(overrides).flatMap(([key, value]) => {
      const byDefault: unknown = Reflect.get(defaults, key);
      const rest = isObject(value) && isObject(byDefault) ? differing(value, byDefault) : value === byDefault ? undefined : value;
      return rest === undefined ? [] : [[key, rest]];
    }),
  );
}

/** The time that `text` means. What is neither duration nor time passes through, for the schema to report. */
function timeOf(text: string, now: Date): string {
  if (!DURATION.test(text)) return text;
  const time = new Date(now.getTime() + seconds(text) * 1_000);
  return Number.isNaN(time.getTime()) ? text : time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Owner and expiry, and what was assumed of them. Only a personal cell must have them. */
async function ownership(wanted: NewCell, stage: string, { person }: NewCellOptions, now: Date) {
  const assumed: string[] = [];
  let { owner, expires } = wanted;
  if (stage === 'personal' && owner === undefined) {
    const { name, source } = await person();
    owner = name;
    assumed.push(`it belongs to ${name}, from ${source}; --owner says otherwise`);
  }
  if (stage === 'personal' && expires === undefined) {
    expires = PERSONAL_LIFE;
    assumed.push(`it ends at ${timeOf(expires, now)}, in ${seconds(expires) / seconds('1d')} days; --expires says otherwise`);
  }
  return { owner, expiresAt: expires === undefined ? undefined : timeOf(expires, now), assumed };
}

/**
 * The definition: what was asked for and what `like` decided, as far as it differs from the defaults.
 * @param block absent where the network plan has none
 */
function definitionOf(
  wanted: NewCell,
  like: AwsCell | undefined,
  own: { owner?: string | undefined; expiresAt?: string | undefined },
  block: string | undefined,
) {
  const clients = like && differing({ clients: like.network.clients }, defineCell({ ...like, network: { block: '' } }).network);
  const stage = wanted.stage ?? like?.stage ?? 'production';
  const size = wanted.size ?? like?.size ?? CELL_DEFAULTS.size;
  const decided = {
    size,
    tier: wanted.tier ?? like?.tier ?? CELL_DEFAULTS.tier,
    importance: like?.importance ?? CELL_DEFAULTS.importance,
    trafficWeight: like?.trafficWeight ?? CELL_DEFAULTS.trafficWeight,
    tags: like?.tags ?? CELL_DEFAULTS.tags,
    calendar: like?.calendar ?? CELL_DEFAULTS.calendar,
    platforms: like?.platforms ?? ['ecs'],
    overrides: withoutDefaults(overridden(like?.overrides ?? {}, wanted.overrides), size, stage),
  };
  return {
    name: wanted.name,
    stage,
    region: wanted.region ?? like?.region,
    ...own,
    ...differing(decided, { ...CELL_DEFAULTS, platforms: ['ecs'], overrides: {} }),
    capacity: like && decidedCapacity(like),
    network: { block, ...clients },
    // Anything may be wrong with it, which is found out before it is used as what it is called here.
  } as AwsCellDefinition;
}

/** Why there is no block, and what is left. */
function exhausted({ supernet, blocks }: Ground, prefix: number): { message: string; fix: string } {
  const smaller = Array.from({ length: Math.max(0, BLOCK_PREFIX.max - prefix) }, (_, index) => prefix + 1 + index);
  const left = smaller.map((each) => ({ each, free: countFree(supernet, each, blocks) })).filter(({ free }) => free > 0);
  const cells = blocks.length === 1 ? '1 cell is there' : `${blocks.length} cells are there`;
  const room = left.map(({ each, free }) => `${free.toLocaleString('en')} /${each}`).join(' or ') || 'no smaller one';
  const widen = 'widen network.supernet in organization.ts';
  return {
    message: `${supernet.text} has no free /${prefix}: ${cells}, and there is room for ${room}`,
    fix: left[0] ? `pass --prefix ${left[0].each} for a smaller block, or ${widen}` : widen,
  };
}

/** The definition, with everything that is wrong with the organization once it has it. */
async function checked(definitions: Definitions, definition: AwsCellDefinition, ground: Ground, now: Date, prefix: number) {
  const { name, network } = definition;
  const taken = Object.hasOwn(ground.organization.cells, name);
  const input = { ...definitions.input, cells: { ...definitions.input.cells, [name]: defineCell(definition) } };
  const { organization, problems, warnings } = await checkDefinitions({ ...definitions, input }, now);
  // That it has no block is said in other words.
  const others = problems.filter(({ path }) => network.block !== undefined || path !== `cells.${name}.network.block`);
  if (taken) {
    throw new FactoryError('REFUSED', `cells/${name}.ts is there already; nothing was changed`, {
      fix: 'choose another name, or change that file',
      problems: others,
    });
  }
  if (network.block === undefined) {
    const { message, fix } = exhausted(ground, prefix);
    throw new FactoryError('NETWORK_EXHAUSTED', `${message}; nothing was changed`, { fix, problems: others });
  }
  if (!organization) throw invalid(others, `the new cell ${name}`);
  return { organization, warnings };
}

/** The cell, thought through to the end; nothing is written. */
async function propose(folder: string, accountsFile: string, wanted: NewCell, options: NewCellOptions): Promise<AddedCell> {
  const now = options.now ?? new Date();
  const definitions = await readDefinitions(folder, accountsFile);
  const before = await checkDefinitions(definitions, now);
  if (!before.organization) throw invalid(before.problems, folder);
  const ground = groundOf(before.organization);
  const like = wanted.like === undefined ? undefined : modelOf(ground.organization, wanted.like);
  const prefix = wanted.prefix ?? ground.organization.network.prefixLength;
  const block = wanted.block ?? freeBlock(ground.supernet, prefix, ground.blocks);
  const { assumed, ...own } = await ownership(wanted, wanted.stage ?? like?.stage ?? 'production', options, now);
  const definition = definitionOf(wanted, like, own, block);
  const after = await checked(definitions, definition, ground, now, prefix);
  const known = new Set(before.warnings.map(({ code, path }) => `${code} ${path}`));
  const made = `Made by \`cellctl cell add\` on ${now.toISOString().slice(0, 10)}${like ? `, like ${like.name}` : ''}.`;
  const { supernet, blocks } = groundOf(after.organization);
  const size = parseBlock(wanted.name, definition.network.block).prefix;
  return {
    file: join(folder, 'cells', `${wanted.name}.ts`),
    text: definitionText(definition, made),
    assumed,
    registry: draft(after.organization),
    warnings: after.warnings.filter(({ code, path }) => !known.has(`${code} ${path}`)),
    network: { supernet: supernet.text, prefix: size, free: countFree(supernet, size, blocks) },
  };
}

/** Writes a file that must not be there yet: whole, or not at all. @throws FactoryError `REFUSED` */
async function writeNew(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // The loader looks at no file whose name begins with a dot.
  const draftFile = join(dirname(file), `.${basename(file)}.${randomUUID()}`);
  try {
    await writeFile(draftFile, text, { flag: 'wx', flush: true });
    // A link, not a rename: that would overwrite what another has written meanwhile.
    await link(draftFile, file);
  } catch (error) {
    if (!isNamed(error, 'EEXIST')) throw error;
    throw new FactoryError('REFUSED', `${file} is there already; nothing was changed`, { cause: error, fix: 'choose another name' });
  } finally {
    await rm(draftFile, { force: true });
  }
}

/** Does `work` while nobody else adds a cell to the folder: two at once would be given the same block. @throws FactoryError `LOCKED` */
async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const retries = { retries: 300, minTimeout: 50, maxTimeout: 200 };
  const release = await lock(join(folder, 'cells'), { realpath: false, stale: 20_000, retries }).catch((error: unknown) => {
    if (!isNamed(error, 'ELOCKED')) throw error;
    throw new FactoryError('LOCKED', `somebody else is adding a cell to ${folder}`, { cause: error, fix: 'run the command again' });
  });
  try {
    return await work();
  } finally {
    await release();
  }
}

/**
 * Adds a cell to the definitions in the folder `path`: writes `cells/<name>.ts`, with the next free block.
 * @throws FactoryError `USAGE` for a published document or without a region, `CELL_UNKNOWN`, `CELL_NOT_ON_AWS`, `REFUSED` when the
 * file is there, `NETWORK_EXHAUSTED`, `LOCKED`, `REGISTRY_INVALID`; each with every other problem of the cell, and with nothing changed
 */
export async function addCell(path: string, wanted: NewCell, options: NewCellOptions): Promise<AddedCell> {
  const accountsFile = accountsFileOf(path, options);
  if (accountsFile === undefined) {
    throw new FactoryError('USAGE', `${path} is a published document; a cell is added to definitions`, {
      fix: 'pass the folder of definitions with --organization',
    });
  }
  if (wanted.region === undefined && wanted.like === undefined) {
    throw new FactoryError('USAGE', 'no region', { fix: 'pass --region <region>, or --like <cell> to take over its region' });
  }
  const work = () => propose(path, accountsFile, wanted, options);
  if (options.dryRun === true || !(await holdsDefinitions(path))) return work();
  return alone(path, async () => {
    const added = await work();
    await writeNew(added.file, added.text);
    return added;
  });
}

/** Whether definitions can be there at all: a lock beside nothing would be a riddle. */
const holdsDefinitions = (path: string) =>
  access(join(path, 'organization.ts')).then(
    () => true,
    () => false,
  );
