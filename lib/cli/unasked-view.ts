/** Stacks that nobody asks for, as `status`, `versions` and `plan` show them. Pure. */
import pc from 'picocolors';
import type { CellStatus } from '../monitoring/status.ts';
import { colourState } from './colour.ts';
import { dollars } from './cost.ts';
import { tableText } from './output.ts';

type Looked = Pick<CellStatus, 'cell' | 'unasked'>;

/** A component's name: what can be removed in waves. Other stacks are somebody's own. */
const COMPONENT = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;

/** Names of the stacks, each once, sorted. */
export const unaskedNames = (cells: readonly Looked[]): readonly string[] =>
  [...new Set(cells.flatMap(({ unasked }) => unasked.map(({ stackName }) => stackName)))].sort();

/**
 * A row for each stack, what all of them cost, and how they go; nothing where there are none.
 * @param source `PRICE_SOURCE` of lib/review/prices.ts
 */
export function unaskedLines(cells: readonly Looked[], source: string): readonly string[] {
  const rows = cells.flatMap(({ cell, unasked }) => unasked.map((stack) => ({ cell, ...stack })));
  if (rows.length === 0) return [];
  const table = tableText(
    ['STACK', 'CELL', 'VERSION', 'STATUS', 'A MONTH'],
    rows.map(({ cell, stackName, version, status, monthly, unpriced }) => [
      pc.bold(stackName),
      cell,
      version === '' ? '-' : version,
      colourState(status),
      [dollars(monthly), ...unpriced].join(' + '),
    ]),
  );
  const sum = rows.reduce((total, { monthly }) => total + monthly, 0);
  return [
    `${pc.yellow('Nobody asks for')} these stacks, which cost ${dollars(sum)} a month, an estimate:`,
    table,
    ...unaskedNames(cells).map((name) =>
      COMPONENT.test(name)
        ? `${pc.bold(name)} goes with \`cellctl component remove ${name}\``
        : `${pc.bold(name)} is no component's: delete it in CloudFormation, if nobody needs it`,
    ),
    pc.dim(source),
  ];
}
