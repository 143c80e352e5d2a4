/** Proves from synthesized templates that no cell reaches another, or names every place where one does. Pure. */

import { SHARED, type SharedEntry } from './allowed-sharing.ts';
import { type Crossing, EVERY_CELL, type IsolationInput, prepareSubject, type Stack } from './compared-stacks.ts';
import { ISOLATION_RULES } from './isolation-rules.ts';
import { unique } from './template.ts';

/** A place where one cell could reach another. */
export interface Violation {
  readonly kind: string;
  /** Name of the stack. */
  readonly template: string;
  readonly logicalId: string;
  /** Property path within the resource. */
  readonly path: string;
  /** Whose stack it is. */
  readonly cell: string;
  /** Which cells or accounts are on the other end. */
  readonly reaches: string;
  readonly message: string;
  readonly fix: string;
}

/** What is shared, why, and by whom. */
interface SharedUse {
  readonly name: string;
  readonly what: string;
  readonly reason: string;
  /** Places where it stands. */
  readonly places: number;
  readonly cells: readonly string[];
}

export interface IsolationReport {
  /** Cells whose templates were looked at. */
  readonly cells: number;
  /** Pairs of cells, from one of these to any other. */
  readonly pairs: number;
  readonly templates: number;
  /** Strings that were looked at, functions worked out. */
  readonly values: number;
  readonly rules: number;
  /** Empty is the proof. */
  readonly violations: readonly Violation[];
  readonly shared: readonly SharedUse[];
  /** Entries of the allow-list that nothing needs. */
  readonly unused: readonly string[];
}

interface Found {
  readonly kind: string;
  readonly stack: Stack;
  readonly finding: Crossing;
}

const place = ({ kind, stack, finding }: Found) => [kind, stack.stackName, finding.logicalId, finding.path, finding.message].join('\n');

const asViolation = ({ kind, stack, finding }: Found): Violation => {
  const { logicalId, path, reaches, message, fix } = finding;
  return { kind, template: stack.stackName, logicalId, path, cell: stack.cell?.name ?? EVERY_CELL, reaches, message, fix };
};

function asUse({ name, what, reason }: SharedEntry, places: readonly Found[]): SharedUse {
  const cells = [...new Set(places.map(({ stack }) => stack.cell?.name ?? EVERY_CELL))].sort();
  return { name, what, reason, places: places.length, cells };
}

/** Looks at every stack with every rule. What the allow-list explains is shared; everything else that was found is a violation. */
export function checkIsolation(input: IsolationInput): IsolationReport {
  const subject = prepareSubject(input);
  const all = subject.looked.flatMap((stack) =>
    ISOLATION_RULES.flatMap(({ kind, check }) => [...check(stack, subject)].map((finding): Found => ({ kind, stack, finding }))),
  );
  const explained = new Map<SharedEntry, Found[]>(SHARED.map((each) => [each, []]));
  const violations: Found[] = [];
  for (const found of unique(all, place)) {
    const { kind, finding, stack } = found;
    const reason = SHARED.find((each) => each.kinds.includes(kind) && each.explains(finding, stack, subject));
    (reason ? explained.get(reason) : violations)?.push(found);
  }
  const uses = [...explained].map(([each, places]) => asUse(each, places));
  const cells = input.stacks.filter(({ purpose }) => purpose === 'foundation').length;
  return {
    cells,
    pairs: cells * (input.cells.length - 1),
    templates: input.stacks.length,
    values: subject.looked.reduce((sum, { texts }) => sum + texts.length, 0),
    rules: ISOLATION_RULES.length,
    violations: violations.map(asViolation),
    shared: uses.filter(({ places }) => places > 0),
    unused: uses.filter(({ places }) => places === 0).map(({ name }) => name),
  };
}
