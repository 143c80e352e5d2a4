import type { z } from 'zod';
import { FactoryError, type Problem } from './errors.ts';
import { type Cell, type Component, cellSchema, componentSchema, type Organization, settingsSchema } from './model.ts';
import { RULES } from './rules.ts';

/** An organization as it was loaded: anything may be wrong with it. */
export interface UncheckedOrganization {
  readonly settings: unknown;
  readonly cells: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, unknown>>;
}

/** The value at `path`, for the message: what is there, or that nothing is. */
function actual(value: unknown, path: readonly PropertyKey[]): string {
  let current = value;
  for (const key of path) current = current === null || typeof current !== 'object' ? undefined : Reflect.get(current, key);
  return current === undefined ? 'nothing' : JSON.stringify(current);
}

function schemaProblems(value: unknown, error: z.ZodError, prefix: readonly string[]): Problem[] {
  return error.issues.flatMap((issue) => {
    const at = [...prefix, ...issue.path.map(String)].join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        code: 'FIELD_UNKNOWN',
        path: at === '' ? key : `${at}.${key}`,
        message: `there is no field "${key}"`,
        fix: 'remove it, or correct its spelling',
      }));
    }
    const found = actual(value, issue.path);
    return [{ code: 'FIELD_INVALID', path: at || 'organization', message: `${found} is not allowed`, fix: issue.message }];
  });
}

/** Parses each entry on its own, so that one bad entry hides nothing about the others. */
function parseEntries<T>(entries: Readonly<Record<string, unknown>>, schema: z.ZodType<T>, kind: string, problems: Problem[]) {
  const valid = new Map<string, T>();
  for (const key of Object.keys(entries).sort()) {
    const parsed = schema.safeParse(entries[key]);
    if (parsed.success) valid.set(key, parsed.data);
    else problems.push(...schemaProblems(entries[key], parsed.error, [kind, key]));
  }
  return valid;
}

/**
 * All problems of an organization, by schema and rules, in a stable order; the organization when there are none.
 * Never throws on bad input.
 */
export function check(input: UncheckedOrganization): { organization?: Organization; problems: Problem[] } {
  const problems: Problem[] = [];
  const settings = settingsSchema.safeParse(input.settings);
  if (!settings.success) problems.push(...schemaProblems(input.settings, settings.error, []));
  const cells = parseEntries<Cell>(input.cells, cellSchema, 'cells', problems);
  const components = parseEntries<Component>(input.components, componentSchema, 'components', problems);
  for (const rule of RULES) {
    for (const finding of rule.check({ settings: settings.data, cells, components })) problems.push({ code: rule.code, ...finding });
  }
  if (problems.length > 0 || !settings.success) return { problems };
  const organization = { ...settings.data, cells: Object.fromEntries(cells), components: Object.fromEntries(components) };
  return { organization, problems };
}

/** The error that carries `problems`. */
export function invalid(problems: readonly Problem[], source: string): FactoryError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new FactoryError('REGISTRY_INVALID', `${count} in ${source}; nothing was changed`, { problems });
}

/** The organization, or `REGISTRY_INVALID` with every problem. */
export function validate(input: UncheckedOrganization, source: string): Organization {
  const { organization, problems } = check(input);
  if (organization) return organization;
  throw invalid(problems, source);
}
