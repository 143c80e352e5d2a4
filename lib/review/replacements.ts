/** Refuses a deployment by which something would be lost, unless somebody has named it. Pure. */
import { FactoryError, type Problem } from '../registry/index.ts';
import { describeProperty, type ResourceChange } from './changes.ts';
import { type Destruction, destructionsIn } from './stateful.ts';

/** What a deployment would do to a cell's stacks. */
export interface CellChanges {
  readonly cell: string;
  readonly changes: readonly ResourceChange[];
}

interface CellDestruction extends Destruction {
  readonly cell: string;
}

/** How `--allow-replacement` names a destruction in one cell. */
export const allowance = (cell: string, logicalId: string): string => `${cell}/${logicalId}`;

const OPTION = '--allow-replacement';

/** True when `allowed` names the destruction, as `cell/LogicalId`. No name stands for every cell: who lets go of data says where. */
export const isAllowed = ({ cell, logicalId }: { readonly cell: string; readonly logicalId: string }, allowed: string): boolean =>
  allowed === allowance(cell, logicalId);

/** `is replaced because of CidrBlock 10.0.16.0/20 → 10.0.32.0/20`. */
function describe({ type, change, certain, properties, lost, stays }: CellDestruction): string {
  const what =
    change === 'remove'
      ? 'would be removed'
      : `${certain ? 'would' : 'may'} be replaced because of ${properties.map(describeProperty).join(', ')}`;
  return `${type} ${what}; lost: ${lost}${stays === undefined ? '' : ` (${stays})`}`;
}

function problem(destruction: CellDestruction): Problem {
  const { cell, logicalId, change, properties } = destruction;
  const name = allowance(cell, logicalId);
  const undo =
    change === 'remove'
      ? 'keep it in the foundation'
      : `put ${properties.map((property) => property.name).join(', ')} back to what is deployed`;
  return {
    code: 'REPLACEMENT_REFUSED',
    path: name,
    message: describe(destruction),
    fix: `${undo} (registry/cells/${cell}.ts, or the version of the factory); if the loss is meant: ${OPTION} ${name}`,
  };
}

const destructionsOf = (cells: readonly CellChanges[]): CellDestruction[] =>
  cells.flatMap(({ cell, changes }) => destructionsIn(changes).map((each): CellDestruction => ({ ...each, cell })));

/** A problem for each resource that would be lost, and that nobody has named. */
export const replacementProblems = (cells: readonly CellChanges[], allowed: readonly string[]): Problem[] =>
  destructionsOf(cells)
    .filter((destruction) => !allowed.some((name) => isAllowed(destruction, name)))
    .map(problem);

/**
 * @param allowed as `cell/LogicalId`
 * @throws FactoryError `USAGE` for a name that fits nothing that would be lost: a typo must not pass for consent
 */
export function refuseStrangers(cells: readonly CellChanges[], allowed: readonly string[]): void {
  const destructions = destructionsOf(cells);
  const strangers = allowed.filter((name) => !destructions.some((destruction) => isAllowed(destruction, name)));
  if (strangers.length === 0) return;
  const there = [...new Set(destructions.map(({ cell, logicalId }) => allowance(cell, logicalId)))];
  throw new FactoryError('USAGE', `${OPTION} ${strangers.join(' ')}: nothing of that name is lost`, {
    fix: there.length === 0 ? 'leave it out: nothing is lost' : `name cell and resource, of what would be lost: ${there.join(', ')}`,
  });
}

/**
 * Lets a deployment pass by which nothing is lost, or only what `allowed` names.
 * @param allowed as `cell/LogicalId`
 * @param more whether losses may come to light later, so that a name that fits nothing yet is no typo
 * @throws FactoryError `USAGE` for a name that fits nothing: a typo must not pass for consent
 * @throws FactoryError `REPLACEMENT_REFUSED`, with a problem for each resource
 */
export function refuseReplacements(cells: readonly CellChanges[], allowed: readonly string[], { more = false } = {}): void {
  if (!more) refuseStrangers(cells, allowed);
  const problems = replacementProblems(cells, allowed);
  if (problems.length === 0) return;
  const what = problems.length === 1 ? 'a resource that holds data or a name' : `${problems.length} resources that hold data or a name`;
  throw new FactoryError('REPLACEMENT_REFUSED', `this would lose ${what}; nothing was deployed, to no cell`, {
    fix: `read it in full with \`cellctl plan <cell>\`; allow each loss by its name, and only if its data can go`,
    problems,
  });
}
