/** Is it an organization? Schema first, then the rules on what fits the schema: all problems at once, in a stable order. */
import { FactoryError, type Problem } from './errors.ts';
import type { Cell, Organization } from './model.ts';
import { cellEndpoint } from './names.ts';
import { RULES } from './rules/registry-rules.ts';
import { prepare, type Surroundings } from './rules/subject.ts';
import { WARNINGS } from './rules/warnings.ts';
import { assemble, checkShape, type UncheckedOrganization } from './shape.ts';

/** What was found of an organization. */
export interface Checked {
  /** Present when there is no problem. */
  readonly organization?: Organization;
  /** What must be mended. */
  readonly problems: readonly Problem[];
  /** What is legal and unwise. */
  readonly warnings: readonly Problem[];
}

/**
 * Every problem and every warning. Never throws on bad input.
 * @param surroundings what a rule must know that the definitions don't say; by default there is nothing around them
 */
export function check(input: UncheckedOrganization, surroundings: Surroundings = {}): Checked {
  const { parts, problems } = checkShape(input);
  // A definition that doesn't fit the schema is one problem; that its cell is not defined would be a false second one.
  const existing = new Map([...(surroundings.existing ?? [])].filter(([cell]) => !Object.hasOwn(input.cells, cell)));
  const subject = prepare(parts, { ...surroundings, existing });
  const find = (rules: typeof RULES) =>
    rules.flatMap((rule) =>
      [...rule.check(subject)]
        .filter(({ path }) => !parts.standIns.some((field) => path === field || path.startsWith(`${field}.`)))
        .map((finding): Problem => ({ code: rule.code, ...finding })),
    );
  problems.push(...find(RULES));
  const { settings } = parts;
  let warnings: readonly Problem[] | undefined;
  return {
    ...(problems.length > 0 || !settings ? {} : { organization: withEndpoints(assemble(settings, parts)) }),
    problems,
    // Only when they are asked for, which a synthesis never does: with many cells they take as long as the problems.
    get warnings() {
      warnings ??= find(WARNINGS);
      return warnings;
    },
  };
}

/** Every cell on AWS is reached under its name, unless its definition says where. */
function withEndpoints(organization: Organization): Organization {
  const cells = Object.entries(organization.cells).map(([name, cell]): [string, Cell] => [
    name,
    cell.cloud === 'aws' ? { ...cell, endpoints: { api: cellEndpoint(name, organization.domain), ...cell.endpoints } } : cell,
  ]);
  return { ...organization, cells: Object.fromEntries(cells) };
}

/** The error that carries `problems`. */
export function invalid(problems: readonly Problem[], source: string): FactoryError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new FactoryError('REGISTRY_INVALID', `${count} in ${source}; nothing was changed`, { problems });
}

/** The organization, or `REGISTRY_INVALID` with every problem. */
export function validate(input: UncheckedOrganization, source: string, surroundings: Surroundings = {}): Organization {
  const { organization, problems } = check(input, surroundings);
  if (organization) return organization;
  throw invalid(problems, source);
}
