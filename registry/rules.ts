/**
 * Rules across fields and across definitions. What a single field may hold is the schema's business (`model.ts`);
 * nothing stands in both. Each rule sees only definitions that fit the schema, so none needs to guard against shape.
 */
import { Address4 } from 'ip-address';
import type { Problem } from './errors.ts';
import type { Cell, Component, OrganizationSettings } from './model.ts';
import { accountEmail, cellAccountName } from './names.ts';
import { REGION_ZONES } from './regions.ts';

/** What of an organization fits the schema. `settings` is absent when `organization.ts` itself doesn't. */
interface ValidParts {
  readonly settings: OrganizationSettings | undefined;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly components: ReadonlyMap<string, Component>;
}

type Finding = Omit<Problem, 'code'>;

export interface Rule {
  /** Stable identifier, used by editors and CI. */
  readonly code: string;
  /** One sentence: what must hold. */
  readonly description: string;
  readonly check: (parts: ValidParts) => Iterable<Finding>;
}

/** Largest and smallest block of a cell. A /22 still holds three availability zones with a load balancer each (/27 or larger). */
const CELL_PREFIX = { min: 16, max: 22 } as const;

interface Block {
  readonly name: string;
  readonly text: string;
  readonly start: bigint;
  readonly end: bigint;
}

function parseBlock(name: string, text: string): Block {
  const address = new Address4(text);
  return { name, text, start: address.startAddress().bigInt(), end: address.endAddress().bigInt() };
}

/** Entries of `items` that share a key, as [first, later] pairs in the order given. */
function* repeated<T>(items: Iterable<T>, key: (item: T) => string | undefined): Generator<[T, T]> {
  const seen = new Map<string, T>();
  for (const item of items) {
    const value = key(item);
    if (value === undefined) continue;
    const first = seen.get(value);
    if (first === undefined) seen.set(value, item);
    else yield [first, item];
  }
}

function* nameMatchesKey(kind: 'cells' | 'components', entries: ReadonlyMap<string, { name: string }>): Generator<Finding> {
  for (const [key, { name }] of entries) {
    if (key === name) continue;
    yield {
      path: `${kind}.${key}.name`,
      message: `the file is called ${key}, the definition "${name}"`,
      fix: `rename the file to ${kind}/${name}.ts, or set name: '${key}'`,
    };
  }
}

/** A dependency cycle through `start`, as the names on it, or undefined. */
function cycleFrom(start: string, components: ReadonlyMap<string, Component>): string[] | undefined {
  const visited = new Set<string>();
  const walk = (name: string, trail: string[]): string[] | undefined => {
    for (const next of components.get(name)?.dependsOn ?? []) {
      if (next === start) return [...trail, next];
      if (visited.has(next)) continue;
      visited.add(next);
      const found = walk(next, [...trail, next]);
      if (found) return found;
    }
    return undefined;
  };
  return walk(start, [start]);
}

/** The table of rules, in the order in which their problems are reported. */
export const RULES: readonly Rule[] = [
  {
    code: 'NAME_MISMATCH',
    description: 'a definition has the name of its file',
    *check({ cells, components }) {
      yield* nameMatchesKey('cells', cells);
      yield* nameMatchesKey('components', components);
    },
  },
  {
    code: 'REGION_UNKNOWN',
    description: 'a region of AWS is one that the factory knows',
    *check({ settings, cells }) {
      const fix = `use one of ${Object.keys(REGION_ZONES).join(', ')}`;
      if (settings && !(settings.homeRegion in REGION_ZONES)) {
        yield { path: 'homeRegion', message: `"${settings.homeRegion}" is no region of AWS`, fix };
      }
      for (const [key, cell] of cells) {
        if (cell.cloud === 'aws' && !(cell.region in REGION_ZONES)) {
          yield { path: `cells.${key}.region`, message: `"${cell.region}" is no region of AWS`, fix };
        }
      }
    },
  },
  {
    code: 'REGION_TOO_FEW_ZONES',
    description: 'a production cell has three availability zones',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        const zones = REGION_ZONES[cell.region];
        if (cell.cloud === 'aws' && cell.stage === 'production' && zones !== undefined && zones < 3) {
          yield {
            path: `cells.${key}.region`,
            message: `"${cell.region}" has ${zones} availability zones`,
            fix: 'a production cell needs 3: choose another region',
          };
        }
      }
    },
  },
  {
    code: 'NETWORK_UNALIGNED',
    description: 'a block starts at its own first address',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        const address = new Address4(cell.network.block);
        const start = `${address.startAddress().correctForm()}/${address.subnetMask}`;
        if (start === cell.network.block) continue;
        yield { path: `cells.${key}.network.block`, message: `"${cell.network.block}" starts inside a block`, fix: `write ${start}` };
      }
    },
  },
  {
    code: 'NETWORK_SIZE',
    description: `a cell's block is a /${CELL_PREFIX.min} to /${CELL_PREFIX.max}`,
    *check({ cells }) {
      for (const [key, cell] of cells) {
        const prefix = new Address4(cell.network.block).subnetMask;
        if (prefix >= CELL_PREFIX.min && prefix <= CELL_PREFIX.max) continue;
        yield {
          path: `cells.${key}.network.block`,
          message: `"${cell.network.block}" is ${prefix > CELL_PREFIX.max ? 'too small for its subnets' : 'larger than a VPC may be'}`,
          fix: `use a prefix length from /${CELL_PREFIX.min} to /${CELL_PREFIX.max}`,
        };
      }
    },
  },
  {
    code: 'NETWORK_OUTSIDE_PLAN',
    description: "a cell's block lies inside the organization's supernet",
    *check({ settings, cells }) {
      if (!settings) return;
      const supernet = new Address4(settings.network.supernet);
      for (const [key, cell] of cells) {
        if (new Address4(cell.network.block).isInSubnet(supernet)) continue;
        yield {
          path: `cells.${key}.network.block`,
          message: `"${cell.network.block}" is outside the supernet ${settings.network.supernet}`,
          fix: 'take a free block of the supernet, or widen network.supernet in organization.ts',
        };
      }
    },
  },
  {
    code: 'NETWORK_OVERLAP',
    description: "no two cells' blocks overlap",
    *check({ cells }) {
      const blocks = [...cells].map(([key, cell]) => parseBlock(key, cell.network.block));
      blocks.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.name < b.name ? -1 : 1));
      let widest: Block | undefined;
      for (const current of blocks) {
        if (widest && current.start <= widest.end) {
          yield {
            path: `cells.${current.name}.network.block`,
            message: `"${current.text}" overlaps ${widest.text} of ${widest.name}`,
            fix: 'give one of the two another free block',
          };
        }
        if (!widest || current.end > widest.end) widest = current;
      }
    },
  },
  {
    code: 'EMAIL_DUPLICATE',
    description: 'every account has an e-mail of its own',
    *check({ settings, cells }) {
      if (!settings) return;
      const owners = [
        { path: 'accounts.tooling.email', email: settings.accounts.tooling.email },
        { path: 'accounts.monitoring.email', email: settings.accounts.monitoring.email },
        ...[...cells].flatMap(([key, cell]) =>
          cell.cloud === 'aws'
            ? [{ path: `cells.${key}.email`, email: cell.email ?? accountEmail(settings.emailPattern, cellAccountName(key)) }]
            : [],
        ),
      ];
      for (const [first, later] of repeated(owners, (owner) => owner.email.toLowerCase())) {
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
  {
    code: 'DEPENDENCY_UNKNOWN',
    description: 'a component depends on components that exist',
    *check({ components }) {
      for (const [key, component] of components) {
        for (const name of component.dependsOn.filter((dependency) => !components.has(dependency))) {
          yield {
            path: `components.${key}.dependsOn`,
            message: `"${name}" is no component`,
            fix: `use one of ${[...components.keys()].filter((other) => other !== key).join(', ') || '(there is no other component)'}`,
          };
        }
      }
    },
  },
  {
    code: 'DEPENDENCY_CYCLE',
    description: 'components do not depend on each other in a circle',
    *check({ components }) {
      for (const key of components.keys()) {
        const cycle = cycleFrom(key, components);
        // Each circle is reported once, at its first name in the alphabet.
        if (!cycle || cycle.some((name) => name < key)) continue;
        yield {
          path: `components.${key}.dependsOn`,
          message: `depends on itself: ${cycle.join(' -> ')}`,
          fix: 'remove one of these dependencies',
        };
      }
    },
  },
  {
    code: 'PRIORITY_COLLISION',
    description: 'every component has a listener priority of its own',
    *check({ components }) {
      for (const [first, later] of repeated(components, ([, component]) => String(component.route.priority))) {
        yield {
          path: `components.${later[0]}.route.priority`,
          message: `${later[1].route.priority} is also the priority of ${first[0]}`,
          fix: 'choose a number from 1 to 50000 that no other component has',
        };
      }
    },
  },
];
