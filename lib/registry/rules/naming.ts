/** Rules about names and tags: whose they are, and how long AWS takes them. */
import {
  ACCESS_NAMES,
  CELL_DOMAIN_NAMES,
  CELL_NAMES,
  COMPONENT_NAMES,
  type DerivedName,
  EMAIL_LIMIT,
  ORGANIZATION_NAMES,
} from '../names.ts';
import { accountEmails } from './account-ids.ts';
import type { Rule, RuleFinding } from './subject.ts';

/** Names that mean another account wherever a cell's name is taken. */
const RESERVED = ['management', 'tooling', 'monitoring', 'pool'];

function* namesOfFiles(kind: 'cells' | 'components', entries: ReadonlyMap<string, { name: string }>): Generator<RuleFinding> {
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

function* duplicateNames(kind: 'cells' | 'components', entries: ReadonlyMap<string, { name: string }>): Generator<RuleFinding> {
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
): Generator<RuleFinding> {
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

export const NAMING_RULES: readonly Rule[] = [
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
      for (const { path, email } of accountEmails(subject)) {
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
];
