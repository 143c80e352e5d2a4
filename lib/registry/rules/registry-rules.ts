/**
 * Rules across fields and across definitions. What a single field may hold is the schema's business (`model.ts`);
 * nothing stands in both. Each rule sees only definitions that fit the schema, so none needs to guard against shape.
 * docs/registry.md lists them; a test keeps that list current.
 */

import { CACHE_TYPES, DATABASE_CLASSES, FARGATE_MEMORY } from '../instances.ts';
import { BLOCK_PREFIX } from '../layout.ts';
import type { AwsCell, Organization } from '../model.ts';
import {
  ACCESS_NAMES,
  accountEmail,
  CELL_DOMAIN_NAMES,
  CELL_NAMES,
  COMPONENT_NAMES,
  cellAccountName,
  type DerivedName,
  EMAIL_LIMIT,
  ORGANIZATION_NAMES,
} from '../names.ts';
import { REGION_ZONES } from '../regions.ts';
import { resourcesOf, STAGE_PROFILES, shortfalls } from '../sizes.ts';
import { COMPONENT_RULES } from './components.ts';
import { PIPELINE_RULES, STAGING } from './pipelines.ts';
import {
  type Block,
  bakesOf,
  blackoutsOf,
  dotted,
  type Finding,
  type Place,
  parseBlock,
  type Rule,
  repeated,
  type Subject,
  seconds,
  UNIT,
} from './subject.ts';

/** Names that mean another account wherever a cell's name is taken. */
const RESERVED = ['management', 'tooling', 'monitoring', 'pool'];
/** The longest bake: a Step Functions action of CodePipeline ends after that. Source: "Quotas in AWS CodePipeline". */
const LONGEST_BAKE = 7 * UNIT.d;
/** Shortest and longest session. Source: "Set session duration for AWS accounts", IAM Identity Center User Guide. */
const SESSION = { min: UNIT.h, max: 12 * UNIT.h } as const;

/** True for a time zone that the runtime's own database knows. An offset such as +02:00 is none: it would miss the change to summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function* namesOfFiles(kind: 'cells' | 'components', entries: ReadonlyMap<string, { name: string }>): Generator<Finding> {
  for (const [key, { name }] of entries) {
    // A name that is another file's, too, is a duplicate and reported as that.
    if (key === name || entries.get(name)?.name === name) continue;
    yield {
      path: `${kind}.${key}.name`,
      message: `the file is called ${key}, the definition "${name}"`,
      fix: `rename the file to ${kind}/${name}.ts, or set name: '${key}'`,
    };
  }
}

function* duplicateNames(kind: 'cells' | 'components', entries: ReadonlyMap<string, { name: string }>): Generator<Finding> {
  for (const [key, { name }] of entries) {
    if (key === name || entries.get(name)?.name !== name) continue;
    yield {
      path: `${kind}.${key}.name`,
      message: `"${name}" is also the name of ${kind}/${name}.ts`,
      fix: `set name: '${key}'`,
    };
  }
}

/** The names of `table` that come out longer than AWS takes. */
function* tooLong<A extends string[]>(
  path: string,
  table: readonly (DerivedName & { readonly of: (...names: A) => string })[],
  ...names: A
): Generator<Finding> {
  for (const { what, limit, of } of table) {
    const name = of(...names);
    if (name.length <= limit) continue;
    yield {
      path,
      message: `"${name}" (${what}) has ${name.length} characters`,
      fix: `AWS takes ${limit}: shorten ${names.map((each) => `"${each}"`).join(' or ')} by ${name.length - limit}`,
    };
  }
}

/** Every id that the lock file gives an organization, by the path at which it stands. */
export function accountIds({
  organizationId,
  accounts,
  cells,
}: Pick<Organization, 'organizationId' | 'accounts' | 'cells'>): Map<string, string> {
  const ids = new Map<string, string | undefined>([['organizationId', organizationId]]);
  for (const [name, { accountId }] of Object.entries(accounts)) ids.set(`accounts.${name}.accountId`, accountId);
  for (const [name, cell] of Object.entries(cells)) if (cell.cloud === 'aws') ids.set(`cells.${name}.accountId`, cell.accountId);
  return new Map([...ids].flatMap(([path, id]) => (id === undefined ? [] : [[path, id] as const])));
}

/** E-mails of all accounts, with what each comes from. */
function* emails({ settings, cells }: Subject): Generator<{ path: string; email: string }> {
  if (!settings) return;
  for (const name of ['tooling', 'monitoring'] as const) yield { path: `accounts.${name}.email`, email: settings.accounts[name].email };
  for (const [key, cell] of cells) {
    if (cell.cloud !== 'aws') continue;
    yield { path: `cells.${key}.email`, email: cell.email ?? accountEmail(settings.emailPattern, cellAccountName(key)) };
  }
}

/** Cells on AWS whose size is known: where something stands in for what says it, nothing can be said of their resources. */
function* sized({ cells, standIns }: Subject): Generator<[string, AwsCell]> {
  const unknown = new Set(standIns);
  for (const [key, cell] of cells) {
    const known = ['size', 'stage', 'capacity', 'overrides'].every((field) => !unknown.has(`cells.${key}.${field}`));
    if (cell.cloud === 'aws' && known) yield [key, cell];
  }
}

/** Cells that are defined for another stage or region than they were built for. */
export function* movedCells(cells: Iterable<readonly [string, Place]>, places: ReadonlyMap<string, Place>): Generator<Finding> {
  for (const [name, cell] of cells) {
    const place = places.get(name);
    for (const field of ['stage', 'region'] as const) {
      if (place === undefined || place[field] === cell[field]) continue;
      yield {
        path: `cells.${name}.${field}`,
        message: `"${cell[field]}" instead of "${place[field]}", for which the cell was built`,
        fix: `set it back; add a cell for "${cell[field]}" (\`cellctl cell add\`), move the customers, and retire this one`,
      };
    }
  }
}

/** What must hold, in the order in which problems are reported. */
export const RULES: readonly Rule[] = [
  {
    code: 'NAME_MISMATCH',
    description: 'a definition has the name of its file',
    *check({ cells, components }) {
      yield* namesOfFiles('cells', cells);
      yield* namesOfFiles('components', components);
    },
  },
  {
    code: 'NAME_DUPLICATE',
    description: 'no two cells and no two components have the same name',
    *check({ cells, components }) {
      yield* duplicateNames('cells', cells);
      yield* duplicateNames('components', components);
    },
  },
  {
    code: 'NAME_RESERVED',
    description: `no cell is called ${RESERVED.join(', ')}: commands mean other accounts by these`,
    *check({ cells }) {
      for (const name of RESERVED.filter((each) => cells.has(each))) {
        yield { path: `cells.${name}.name`, message: `"${name}" means an account that is no cell`, fix: 'choose another name' };
      }
    },
  },
  {
    code: 'NAME_TOO_LONG',
    description: 'every name that AWS is given keeps within its limit; computed from the definitions',
    *check(subject) {
      const { settings, cells, components } = subject;
      if (settings) yield* tooLong('name', ORGANIZATION_NAMES, settings.name);
      for (const [key, cell] of cells) {
        yield* tooLong(`cells.${key}.name`, CELL_NAMES, cell.name);
        if (settings) yield* tooLong(`cells.${key}.name`, CELL_DOMAIN_NAMES, cell.name, settings.domain);
        for (const [role, { stages }] of Object.entries(settings?.access.roles ?? {})) {
          if (stages.includes(cell.stage)) yield* tooLong(`cells.${key}.name`, ACCESS_NAMES, cell.name, role);
        }
      }
      for (const [key, component] of components) yield* tooLong(`components.${key}.name`, COMPONENT_NAMES, component.name);
      for (const { path, email } of emails(subject)) {
        if (email.length <= EMAIL_LIMIT) continue;
        yield {
          path,
          message: `"${email}" has ${email.length} characters`,
          fix: `AWS takes ${EMAIL_LIMIT} in an account's e-mail: shorten emailPattern or the name, or set email`,
        };
      }
    },
  },
  {
    code: 'TAG_RESERVED',
    description: "no tag begins with aws:, and cell, stage and cell-factory:… are the factory's own",
    *check({ settings, cells, components }) {
      const all = [
        { path: 'tags', tags: settings?.tags ?? {} },
        ...[...cells].map(([key, { tags }]) => ({ path: `cells.${key}.tags`, tags })),
        ...[...components].map(([key, { tags }]) => ({ path: `components.${key}.tags`, tags })),
      ];
      for (const { path, tags } of all) {
        for (const key of Object.keys(tags).filter((each) => /^(aws:|cell-factory:|cell$|stage$)/i.test(each))) {
          yield { path: `${path}.${key}`, message: `"${key}" is not yours to set`, fix: 'choose another key' };
        }
      }
    },
  },
  {
    code: 'REGION_UNKNOWN',
    description: 'a region of AWS is one that the factory knows',
    *check({ settings, cells }) {
      const fix = `use one of ${Object.keys(REGION_ZONES).join(', ')}`;
      if (settings && !Object.hasOwn(REGION_ZONES, settings.homeRegion)) {
        yield { path: 'homeRegion', message: `"${settings.homeRegion}" is no region of AWS`, fix };
      }
      for (const [key, cell] of cells) {
        if (cell.cloud === 'aws' && !Object.hasOwn(REGION_ZONES, cell.region)) {
          yield { path: `cells.${key}.region`, message: `"${cell.region}" is no region of AWS`, fix };
        }
      }
    },
  },
  {
    code: 'REGION_TOO_FEW_ZONES',
    description: `a region has as many availability zones as the cell's stage needs: ${STAGE_PROFILES.production.zones} in production, ${STAGE_PROFILES.staging.zones} elsewhere`,
    *check({ cells }) {
      for (const [key, cell] of cells) {
        const zones = cell.cloud === 'aws' ? REGION_ZONES[cell.region] : undefined;
        if (zones === undefined || zones >= STAGE_PROFILES[cell.stage].zones) continue;
        yield {
          path: `cells.${key}.region`,
          message: `"${cell.region}" has ${zones} availability zones`,
          fix: `a ${cell.stage} cell needs ${STAGE_PROFILES[cell.stage].zones}: choose another region`,
        };
      }
    },
  },
  {
    code: 'NETWORK_UNALIGNED',
    description: 'a block is written with its own first address',
    *check({ settings, cells, blocks }) {
      const supernet = settings ? [['network.supernet', parseBlock('', settings.network.supernet)] as const] : [];
      const clients = [...cells].flatMap(([key, cell]) =>
        (cell.cloud === 'aws' ? cell.network.clients : []).map(
          (text, index) => [`cells.${key}.network.clients.${index}`, parseBlock(key, text)] as const,
        ),
      );
      const own = [...blocks].map(([key, each]) => [`cells.${key}.network.block`, each] as const);
      for (const [path, block] of [...supernet, ...own, ...clients]) {
        if (block.address === block.start) continue;
        yield { path, message: `"${block.text}" starts inside a block`, fix: `write ${dotted(block.start)}/${block.prefix}` };
      }
    },
  },
  {
    code: 'NETWORK_SIZE',
    description: `a cell's block is a /${BLOCK_PREFIX.min} (the largest network) to /${BLOCK_PREFIX.max} (so that each zone's smallest subnet still takes a load balancer)`,
    *check({ settings, blocks }) {
      const all = [...blocks].map(([key, { text, prefix }]) => ({ path: `cells.${key}.network.block`, text, prefix }));
      if (settings) {
        const { prefixLength } = settings.network;
        all.unshift({ path: 'network.prefixLength', text: `/${prefixLength}`, prefix: prefixLength });
      }
      for (const { path, text, prefix } of all) {
        if (prefix >= BLOCK_PREFIX.min && prefix <= BLOCK_PREFIX.max) continue;
        yield {
          path,
          message: `"${text}" is ${prefix > BLOCK_PREFIX.max ? 'too small for its subnets' : 'larger than a network may be'}`,
          fix: `use a prefix length from ${BLOCK_PREFIX.min} to ${BLOCK_PREFIX.max}`,
        };
      }
    },
  },
  {
    code: 'NETWORK_OUTSIDE_PLAN',
    description: "a cell's block lies inside the organization's supernet",
    *check({ settings, blocks }) {
      if (!settings) return;
      const supernet = parseBlock('supernet', settings.network.supernet);
      for (const [key, block] of blocks) {
        if (block.start >= supernet.start && block.end <= supernet.end) continue;
        yield {
          path: `cells.${key}.network.block`,
          message: `"${block.text}" is outside the supernet ${supernet.text}`,
          fix: 'take a free block of the supernet, or widen network.supernet in organization.ts',
        };
      }
    },
  },
  {
    code: 'NETWORK_DUPLICATE',
    description: 'no two cells have the same block',
    *check({ blocks }) {
      for (const [first, later] of repeated(blocks.values(), ({ start, prefix }) => `${start}/${prefix}`)) {
        yield {
          path: `cells.${later.name}.network.block`,
          message: `"${later.text}" is also the block of ${first.name}`,
          fix: 'give one of the two a free block',
        };
      }
    },
  },
  {
    code: 'NETWORK_OVERLAP',
    description: "no two cells' blocks overlap",
    *check({ blocks }) {
      const sorted = [...blocks.values()].sort((a, b) => a.start - b.start || a.prefix - b.prefix || (a.name < b.name ? -1 : 1));
      let widest: Block | undefined;
      for (const current of sorted) {
        // The same block twice is the rule before this one's business.
        const same = widest?.start === current.start && widest.prefix === current.prefix;
        if (widest && current.start <= widest.end && !same) {
          yield {
            path: `cells.${current.name}.network.block`,
            message: `"${current.text}" overlaps ${widest.text} of ${widest.name}`,
            fix: 'give one of the two a free block',
          };
        }
        if (!widest || current.end > widest.end) widest = current;
      }
    },
  },
  {
    code: 'RESOURCE_UNKNOWN',
    description: 'an instance class is one that the factory knows the size and price of',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.cloud !== 'aws') continue;
        const { database, cache } = cell.overrides;
        const named = [
          ['database.instanceClass', database?.instanceClass, DATABASE_CLASSES],
          ['cache.nodeType', cache?.nodeType, CACHE_TYPES],
        ] as const;
        for (const [field, value, table] of named) {
          if (value === undefined || Object.hasOwn(table, value)) continue;
          yield {
            path: `cells.${key}.overrides.${field}`,
            message: `"${value}" is not known`,
            fix: `use one of ${Object.keys(table).join(', ')}; or add it to lib/registry/instances.ts and lib/review/prices.ts`,
          };
        }
      }
    },
  },
  {
    code: 'RESOURCE_IMPOSSIBLE',
    description: 'values that belong together fit: memory to processor units, the most to the least',
    *check(subject) {
      for (const [key, cell] of sized(subject)) {
        const { database, service } = resourcesOf(cell);
        const path = `cells.${key}.overrides`;
        const memory = FARGATE_MEMORY[service.cpu];
        const fits = (least: { min: number; max: number; step: number }) =>
          service.memoryMiB >= least.min &&
          service.memoryMiB <= least.max &&
          service.memoryMiB % least.step === 0 &&
          !(service.cpu === 256 && service.memoryMiB === 1_536);
        if (memory && !fits(memory)) {
          yield {
            path: `${path}.service.memoryMiB`,
            message: `${service.memoryMiB} MiB don't go with ${service.cpu} processor units`,
            fix: `use ${memory.min} to ${memory.max} in steps of ${memory.step}${service.cpu === 256 ? ' (but 1536)' : ''}, or another cpu`,
          };
        }
        if (service.maxTasks < service.minTasks) {
          yield {
            path: `${path}.service.maxTasks`,
            message: `${service.maxTasks} is less than minTasks, which is ${service.minTasks}`,
            fix: `use ${service.minTasks} or more, or lower minTasks`,
          };
        }
        // Source: "Managing capacity automatically with Amazon RDS storage autoscaling", Amazon RDS User Guide.
        const least = Math.ceil(database.storageGiB * 1.1);
        if (database.maxStorageGiB < least) {
          yield {
            path: `${path}.database.maxStorageGiB`,
            message: `${database.maxStorageGiB} GiB is not 10 % above storageGiB, which is ${database.storageGiB}`,
            fix: `use ${least} or more, or lower storageGiB`,
          };
        }
      }
    },
  },
  {
    code: 'CAPACITY_UNCARRIED',
    description: "a cell's resources carry the caps of its capacity",
    *check(subject) {
      for (const [key, cell] of sized(subject)) {
        for (const { field, value, cap, carries } of shortfalls(resourcesOf(cell), cell.capacity)) {
          yield {
            path: `cells.${key}.overrides.${field}`,
            message: `"${value}" carries ${carries} of capacity.${cap}, which is ${cell.capacity[cap]}`,
            fix: `choose a larger one, set capacity.${cap} to ${carries} or less, or choose another size`,
          };
        }
      }
    },
  },
  {
    code: 'EMAIL_DUPLICATE',
    description: 'every account has an e-mail of its own',
    *check(subject) {
      for (const [first, later] of repeated(emails(subject), ({ email }) => email.toLowerCase())) {
        yield { path: later.path, message: `"${later.email}" is also ${first.path}`, fix: 'give each account its own address' };
      }
    },
  },
  {
    code: 'ACCOUNT_REUSED',
    description: 'no two cells share an account, and none uses a control account',
    *check({ settings, cells }) {
      const control = Object.entries(settings?.accounts ?? {}).map(([name, { accountId }]) => ({ path: `accounts.${name}`, accountId }));
      const owners = [
        ...control,
        ...[...cells].flatMap(([key, cell]) => (cell.cloud === 'aws' ? [{ path: `cells.${key}`, accountId: cell.accountId }] : [])),
      ];
      for (const [first, later] of repeated(owners, (owner) => owner.accountId)) {
        yield {
          path: `${later.path}.accountId`,
          message: `account ${later.accountId} also belongs to ${first.path}`,
          fix: 'restore accounts.json from git, or remove the wrong line and run `cellctl accounts`',
        };
      }
    },
  },
  {
    code: 'ACCOUNT_CHANGED',
    description: 'a cell that exists keeps its account, and the organization its id and its control accounts',
    *check(subject) {
      const { settled, settings } = subject;
      const now = settings ? accountIds({ ...settings, cells: Object.fromEntries(subject.cells) }) : settled;
      for (const [path, id] of settled) {
        // A cell that is defined no more is the next rule's business.
        if (now.get(path) === id || (path.startsWith('cells.') && !subject.cells.has(path.split('.')[1] ?? ''))) continue;
        yield {
          path,
          message: `${now.get(path) ?? 'nothing'} instead of ${id}, which is published and in use`,
          fix: 'restore accounts.json from git; `cellctl plan` compares it with AWS Organizations',
        };
      }
    },
  },
  {
    code: 'CELL_MOVED',
    description: 'a cell that exists keeps its stage and its region',
    *check({ cells, places }) {
      yield* movedCells(cells, places);
    },
  },
  {
    code: 'CELL_REMOVED',
    description: 'a cell that exists is defined',
    *check({ cells, existing }) {
      for (const [name, evidence] of existing) {
        if (cells.has(name)) continue;
        yield {
          path: `cells.${name}`,
          message: `there is no definition, but the cell exists: ${evidence}`,
          fix: `restore cells/${name}.ts; to end the cell, set intent: 'retiring' and run \`cellctl destroy ${name}\`, then \`cellctl accounts pool --return ${name}\``,
        };
      }
    },
  },
  {
    code: 'PERSONAL_WITHOUT_OWNER',
    description: 'a personal cell has an owner',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.stage !== 'personal' || cell.owner !== undefined) continue;
        yield { path: `cells.${key}.owner`, message: 'a personal cell without an owner', fix: "add owner: '<who it belongs to>'" };
      }
    },
  },
  {
    code: 'PERSONAL_WITHOUT_EXPIRY',
    description: 'a personal cell has an expiry',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.stage !== 'personal' || cell.expiresAt !== undefined) continue;
        yield {
          path: `cells.${key}.expiresAt`,
          message: 'a personal cell without an expiry',
          fix: "add expiresAt: '<ISO 8601 time, e.g. 2030-01-31T18:00:00Z>'",
        };
      }
    },
  },
  {
    code: 'PRODUCTION_WITHOUT_STAGING',
    description: 'an organization with production cells has a staging cell',
    *check({ cells }) {
      const stages = new Set([...cells.values()].map((cell) => cell.stage));
      if (!stages.has('production') || stages.has('staging')) return;
      yield { path: 'cells', message: 'production cells, and no staging cell', fix: "add a cell with stage: 'staging'" };
    },
  },
  ...COMPONENT_RULES,
  {
    code: 'WAVES_INCOMPLETE',
    description: 'the last wave, and no other, admits the rest; percentages before it stay below 100 together',
    *check({ settings }) {
      const waves = settings?.rollout.waves ?? [];
      const percent = waves.reduce((sum, { admit }) => sum + ('percent' in admit ? admit.percent : 0), 0);
      if (percent >= 100) {
        yield { path: 'rollout.waves', message: `${percent} % before the last wave`, fix: 'lower the percentages: below 100 together' };
      }
      for (const [index, { name, admit }] of waves.entries()) {
        const last = index === waves.length - 1;
        if ('rest' in admit === last) continue;
        yield {
          path: `rollout.waves.${index}.admit`,
          message: last ? `"${name}" is the last wave and doesn't admit the rest` : `"${name}" leaves nothing to the waves after it`,
          fix: last ? 'write admit: { rest: true }, or some cells would never be reached' : 'move it to the end',
        };
      }
    },
  },
  {
    code: 'WAVE_DUPLICATE',
    description: 'every wave has a name of its own, and none that of wave 0, staging',
    *check({ settings }) {
      const waves = [{ name: STAGING }, ...(settings?.rollout.waves ?? [])].entries();
      for (const [first, later] of repeated(waves, ([, { name }]) => name)) {
        yield {
          path: `rollout.waves.${later[0] - 1}.name`,
          message: `"${later[1].name}" is also the name of wave ${first[0]}`,
          fix: 'choose another name',
        };
      }
    },
  },
  {
    code: 'WAVES_ONE_REGION',
    description: 'the last wave takes cells of every region: multiRegionFromWave is no later than that',
    *check({ settings }) {
      if (!settings) return;
      const { multiRegionFromWave, waves } = settings.rollout;
      if (multiRegionFromWave <= waves.length) return;
      yield {
        path: 'rollout.multiRegionFromWave',
        message: `${multiRegionFromWave}, and the last wave is number ${waves.length}: cells of further regions would never be reached`,
        fix: `use ${waves.length} or less, or add waves`,
      };
    },
  },
  {
    code: 'BAKE_TOO_LONG',
    description: 'a bake, with its longest extension, takes seven days at most: then the pipeline that waits for it ends',
    *check({ settings }) {
      if (!settings) return;
      const extension = seconds(settings.rollout.maxBakeExtension);
      for (const { path, bake } of bakesOf(settings.rollout)) {
        if (seconds(bake) > LONGEST_BAKE) yield { path, message: `"${bake}" is more than 7 days`, fix: 'use at most 7d' };
        else if (seconds(bake) + extension > LONGEST_BAKE) {
          yield {
            path,
            message: `"${bake}" and maxBakeExtension, which is "${settings.rollout.maxBakeExtension}", are more than 7 days`,
            fix: 'shorten the one or the other: at most 7d together',
          };
        }
      }
    },
  },
  {
    code: 'TIME_ZONE_UNKNOWN',
    description: "a calendar's time zone is one of the IANA database",
    *check({ cells }) {
      // Asking takes long, and ten thousand cells have few time zones.
      const known = new Map<string, boolean>();
      for (const [key, { calendar }] of cells) {
        const { timeZone } = calendar;
        if (!known.has(timeZone)) known.set(timeZone, isTimeZone(timeZone));
        if (known.get(timeZone)) continue;
        yield {
          path: `cells.${key}.calendar.timeZone`,
          message: `"${timeZone}" is no time zone`,
          fix: 'use a name of the IANA database, such as UTC, Europe/Berlin or America/New_York',
        };
      }
    },
  },
  {
    code: 'WINDOW_EMPTY',
    description: "a calendar's window has a length",
    *check({ cells }) {
      for (const [key, { calendar }] of cells) {
        for (const [index, { from, until }] of calendar.windows.entries()) {
          if (from !== until) continue;
          yield {
            path: `cells.${key}.calendar.windows.${index}.until`,
            message: `"${until}" is also when the window begins`,
            fix: "use another time; a whole day is from: '00:00', until: '24:00'",
          };
        }
      }
    },
  },
  {
    code: 'BLACKOUT_BACKWARDS',
    description: 'a blackout ends after it begins',
    *check(subject) {
      for (const { path, blackout } of blackoutsOf(subject)) {
        if (Date.parse(blackout.until) > Date.parse(blackout.from)) continue;
        yield {
          path: `${path}.until`,
          message: `"${blackout.until}" is not after "${blackout.from}", when the blackout begins`,
          fix: 'write a later time, or exchange the two',
        };
      }
    },
  },
  {
    code: 'SESSION_LENGTH',
    description: 'a session lasts from one hour to twelve',
    *check({ settings }) {
      for (const [role, { session }] of Object.entries(settings?.access.roles ?? {})) {
        if (seconds(session) >= SESSION.min && seconds(session) <= SESSION.max) continue;
        yield { path: `access.roles.${role}.session`, message: `"${session}" is not allowed`, fix: 'use 1h to 12h' };
      }
    },
  },
  ...PIPELINE_RULES,
];
