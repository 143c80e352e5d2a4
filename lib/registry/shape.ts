/**
 * Does it fit the schema? Entry by entry, so that one bad entry hides nothing about the others. What holds across
 * fields and entries is the rules' business (`rules.ts`); nothing stands in both.
 */
import type { z } from 'zod';
import { CELL_DEFAULTS, ROLLOUT_DEFAULTS } from './define.ts';
import type { Problem } from './errors.ts';
import {
  type Cell,
  type Component,
  cellSchema,
  componentSchema,
  type Organization,
  type OrganizationSettings,
  settingsSchema,
} from './model.ts';
import { REGION_ZONES } from './regions.ts';
import { capacityOf } from './sizes.ts';

/** An organization as it was loaded: anything may be wrong with it. */
export interface UncheckedOrganization {
  readonly settings: unknown;
  readonly cells: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, unknown>>;
}

/** What of an organization fits the schema. `settings` is absent when `organization.ts` itself doesn't. */
export interface ValidParts {
  readonly settings: OrganizationSettings | undefined;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly components: ReadonlyMap<string, Component>;
  /**
   * Paths of fields that don't fit, in definitions that are here all the same, with stand-ins for these fields. What a rule
   * finds at such a path is about the stand-in, and is left out.
   */
  readonly standIns: readonly string[];
}

/** Codes of what the schema finds, with what each means. */
export const FIELD_CODES = {
  FIELD_MISSING: 'a field that must be there is not',
  FIELD_UNKNOWN: 'there is no such field',
  FIELD_TYPE: 'a value of another kind than the field takes',
  FIELD_FORMAT: 'a text that is not written as the field demands',
  FIELD_RANGE: 'a number, text or list out of bounds',
  FIELD_VALUE: 'a value that is none of those allowed',
} as const;

type FieldCode = keyof typeof FIELD_CODES;

const CODE_OF: Readonly<Partial<Record<z.core.$ZodIssue['code'], FieldCode>>> = {
  invalid_type: 'FIELD_TYPE',
  invalid_format: 'FIELD_FORMAT',
  too_small: 'FIELD_RANGE',
  too_big: 'FIELD_RANGE',
  not_multiple_of: 'FIELD_RANGE',
};

/** True for what has fields: no list, and not null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at `path`, or undefined. */
function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) current = current === null || typeof current !== 'object' ? undefined : Reflect.get(current, key);
  return current;
}

/** Characters of a value that a message shows. */
const LONGEST_SHOWN = 100;

/** A value as it is shown in a message; what JSON can't express is shown as JavaScript would. */
function shown(value: unknown): string {
  // JSON knows neither NaN nor Infinity, and would call them null.
  if (typeof value === 'number') return String(value);
  try {
    return shortened(JSON.stringify(value) ?? String(value));
  } catch {
    return shortened(String(value));
  }
}

const shortened = (text: string) => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)` : text);

function problemsOf(value: unknown, error: z.ZodError, prefix: readonly string[]): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path.map(String)].join('.') || 'organization';
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        code: 'FIELD_UNKNOWN' satisfies FieldCode,
        path: path === 'organization' ? key : `${path}.${key}`,
        message: `there is no field "${key}"`,
        fix: 'remove it, or correct its spelling',
      }));
    }
    const found = at(value, issue.path);
    if (found === undefined) return [{ code: 'FIELD_MISSING' satisfies FieldCode, path, message: 'is missing', fix: issue.message }];
    return [{ code: CODE_OF[issue.code] ?? 'FIELD_VALUE', path, message: `${shown(found)} is not allowed`, fix: issue.message }];
  });
}

const [ANY_REGION] = Object.keys(REGION_ZONES);

/** What stands in for a field that doesn't fit. None of it breaks a rule by itself, or matters to another definition. */
const STAND_INS: Readonly<Record<'settings' | 'cells' | 'components', (key: string) => Readonly<Record<string, unknown>>>> = {
  // Without network, emailPattern and accounts: what rules say of every cell depends on them.
  settings: () => ({
    name: 'x',
    homeRegion: ANY_REGION,
    domain: 'x',
    tags: {},
    contacts: {},
    notifications: { webhooks: {} },
    rollout: ROLLOUT_DEFAULTS,
    access: { roles: {} },
  }),
  cells: () => ({
    ...CELL_DEFAULTS,
    // Not the key: that is no better where both are wrong. Whatever is found of a name is left out.
    name: 'x',
    region: ANY_REGION,
    stage: 'staging',
    platforms: ['ecs'],
    capacity: capacityOf('small', 'staging', 'shared'),
    overrides: {},
    network: { block: '0.0.0.0/32', clients: ['0.0.0.0/0'] },
  }),
  components: (key) => ({
    name: 'x',
    kind: 'cloudformation',
    dependsOn: [],
    tags: {},
    repository: { url: 'x', branch: 'x', path: 'x' },
    route: { priority: 1 + Buffer.from(key).reduce((sum, byte) => (sum * 31 + byte) % 49_999, 7), path: `/${key}` },
  }),
};

/** The definition with stand-ins for what doesn't fit, and the names of those fields; undefined when there is nothing to save. */
function saved(value: unknown, error: z.ZodError, standIns: Readonly<Record<string, unknown>>) {
  if (!isObject(value)) return undefined;
  const unfit = new Set(
    error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [String(issue.path[0])])),
  );
  const fit = Object.entries(value).filter(([field]) => !unfit.has(field));
  const instead = Object.entries(standIns).filter(([field]) => unfit.has(field));
  return { value: Object.fromEntries([...fit, ...instead]), fields: [...unfit] };
}

/** Parses one definition. What doesn't fit is reported; the rest is given all the same, if anything can stand in for that. */
function parse<T>(value: unknown, schema: z.ZodType<T>, kind: keyof typeof STAND_INS, key: string, report: Report): T | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const prefix = kind === 'settings' ? [] : [kind, key];
  report.problems.push(...problemsOf(value, parsed.error, prefix));
  const rest = saved(value, parsed.error, STAND_INS[kind](key));
  const again = rest && schema.safeParse(rest.value);
  if (!rest || !again?.success) return undefined;
  report.standIns.push(...rest.fields.map((field) => [...prefix, field].join('.')));
  return again.data;
}

interface Report {
  readonly problems: Problem[];
  readonly standIns: string[];
}

function parseEntries<T>(entries: Readonly<Record<string, unknown>>, schema: z.ZodType<T>, kind: 'cells' | 'components', report: Report) {
  const valid = new Map<string, T>();
  for (const key of Object.keys(entries).sort()) {
    const parsed = parse(entries[key], schema, kind, key, report);
    if (parsed !== undefined) valid.set(key, parsed);
  }
  return valid;
}

/** What fits the schema, and every problem of what doesn't: settings, cells by name, components by name. Never throws. */
export function checkShape(input: UncheckedOrganization): { parts: ValidParts; problems: Problem[] } {
  const report: Report = { problems: [], standIns: [] };
  const settings = parse<OrganizationSettings>(input.settings, settingsSchema, 'settings', '', report);
  const cells = parseEntries<Cell>(input.cells, cellSchema, 'cells', report);
  const components = parseEntries<Component>(input.components, componentSchema, 'components', report);
  return { parts: { settings, cells, components, standIns: report.standIns }, problems: report.problems };
}

/** The organization that parts without problems make. */
export function assemble(settings: OrganizationSettings, { cells, components }: ValidParts): Organization {
  return { ...settings, cells: Object.fromEntries(cells), components: Object.fromEntries(components) };
}

/** An organization taken apart again. */
export function takeApart({ cells, components, ...settings }: Organization): UncheckedOrganization {
  return { settings, cells, components };
}
