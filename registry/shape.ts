/**
 * Does it fit the schema? Entry by entry, so that one bad entry hides nothing about the others. What holds across
 * fields and entries is the rules' business (`rules.ts`); nothing stands in both.
 */
import type { z } from 'zod';
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

function parseEntries<T>(entries: Readonly<Record<string, unknown>>, schema: z.ZodType<T>, kind: string, problems: Problem[]) {
  const valid = new Map<string, T>();
  for (const key of Object.keys(entries).sort()) {
    const parsed = schema.safeParse(entries[key]);
    if (parsed.success) valid.set(key, parsed.data);
    else problems.push(...problemsOf(entries[key], parsed.error, [kind, key]));
  }
  return valid;
}

/** What fits the schema, and every problem of what doesn't: settings, cells by name, components by name. Never throws. */
export function checkShape(input: UncheckedOrganization): { parts: ValidParts; problems: Problem[] } {
  const problems: Problem[] = [];
  const settings = settingsSchema.safeParse(input.settings);
  if (!settings.success) problems.push(...problemsOf(input.settings, settings.error, []));
  const cells = parseEntries<Cell>(input.cells, cellSchema, 'cells', problems);
  const components = parseEntries<Component>(input.components, componentSchema, 'components', problems);
  return { parts: { settings: settings.data, cells, components }, problems };
}

/** The organization that parts without problems make. */
export function assemble(settings: OrganizationSettings, { cells, components }: ValidParts): Organization {
  return { ...settings, cells: Object.fromEntries(cells), components: Object.fromEntries(components) };
}

/** An organization taken apart again. */
export function takeApart({ cells, components, ...settings }: Organization): UncheckedOrganization {
  return { settings, cells, components };
}
