/** The factory's own stacks of the cells, and what builds them. */
import { type App, Stack } from 'aws-cdk-lib/core';
import { isVended, type Plan, requireAccounts, selectCells, type VendedCell } from '../plan/plan.ts';
import { cellDelegationStackName, cellStackName } from '../registry/index.ts';
import { controlStackNames } from './build-control.ts';
import { NAMES_ONLY, type Note, type Wanted } from './wanted.ts';

/** A cell's two stacks. The name is delegated by the first, in tooling, for the certificate of the second. */
async function buildCell(app: App, cell: VendedCell): Promise<void> {
  // Loaded once a cell is wanted, as in build-control.ts.
  const [{ Foundation }, { Delegation }] = await Promise.all([
    import('../cell/foundation/foundation.ts'),
    import('../cell/foundation/delegation.ts'),
  ]);
  new Foundation(app, cell).addStackDependency(new Delegation(app, cell));
}

/** The same two stacks without content. */
function listCell(app: App, { stackName, delegationStackName, account, region, parentZone }: VendedCell): void {
  const env = { account: parentZone.accountId, region: parentZone.region };
  const delegation = new Stack(app, delegationStackName, { env, description: NAMES_ONLY });
  const foundation = new Stack(app, stackName, { env: { account: account.accountId, region }, description: NAMES_ONLY });
  foundation.addStackDependency(delegation);
}

/** `cellctl deploy` refuses these; `cdk deploy` must not be silent about them. */
function noteMissingZones(cells: readonly VendedCell[], note: Note): void {
  const missing = cells.filter(({ zones }) => zones === undefined).map(({ name }) => name);
  if (missing.length === 0) return;
  const run = `cellctl accounts ${missing.join(' ')}`;
  note(`no zones are written down of ${missing.join(', ')}: CloudFormation may choose others than before; run ${run} first`);
}

/** The cell that a stack belongs to. */
const cellOfStack = (stack: string) => stack.replace(new RegExp(`^(${cellStackName('')}|${cellDelegationStackName('')})`), '');

/** Builds the wanted stacks of cells. @throws FactoryError `CELL_UNKNOWN` or `CELL_WITHOUT_ACCOUNT` for a stack of a cell that has none */
export async function buildCells(app: App, plan: Plan, wanted: Wanted, note: Note): Promise<void> {
  const cells = plan.cells.filter(isVended);
  if (wanted === 'names') {
    for (const cell of cells) listCell(app, cell);
    return;
  }
  if (wanted === 'all') {
    const waiting = plan.cells.length - cells.length;
    if (waiting > 0) note(`${waiting} of ${plan.cells.length} cells have no account yet and are not built: run cellctl accounts`);
    noteMissingZones(cells, note);
    for (const cell of cells) await buildCell(app, cell);
    return;
  }
  const control = controlStackNames(plan);
  const names = [...new Set([...wanted].filter((stack) => !control.has(stack)).map(cellOfStack))];
  if (names.length === 0) return;
  const chosen = requireAccounts(selectCells(plan, names));
  noteMissingZones(chosen, note);
  for (const cell of chosen) await buildCell(app, cell);
}
