/** The factory's own stacks of the cells, and what builds them. */
import { type App, Stack } from 'aws-cdk-lib/core';
import { isVended, type Plan, requireAccounts, selectCells, type VendedCell } from '../plan/plan.ts';
import { requireZones } from '../plan/zones.ts';
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

/** What becomes of cells whose zones aren't written down: built to be looked at, or not built, because others would be deployed. */
export type WithoutZones = 'built' | 'refused';

/** The cells that can be built, of all. */
function buildable(cells: readonly VendedCell[], withoutZones: WithoutZones, note: Note): readonly VendedCell[] {
  const missing = cells.filter(({ zones }) => zones === undefined).map(({ name }) => name);
  if (withoutZones === 'built' || missing.length === 0) return cells;
  note(`no zones are written down of ${missing.join(', ')}, which are not built: run cellctl accounts ${missing.join(' ')}`);
  return cells.filter(({ zones }) => zones !== undefined);
}

/** The cell that a stack belongs to. */
const cellOfStack = (stack: string) => stack.replace(new RegExp(`^(${cellStackName('')}|${cellDelegationStackName('')})`), '');

/**
 * Builds the wanted stacks of cells.
 * @throws FactoryError `CELL_UNKNOWN`, `CELL_WITHOUT_ACCOUNT`, or `CELL_WITHOUT_ZONES` for the named stack of a cell that has none
 */
export async function buildCells(app: App, plan: Plan, wanted: Wanted, note: Note, withoutZones: WithoutZones): Promise<void> {
  const cells = plan.cells.filter(isVended);
  if (wanted === 'names') {
    for (const cell of cells) listCell(app, cell);
    return;
  }
  if (wanted === 'all') {
    const waiting = plan.cells.length - cells.length;
    if (waiting > 0) note(`${waiting} of ${plan.cells.length} cells have no account yet and are not built: run cellctl accounts`);
    for (const cell of buildable(cells, withoutZones, note)) await buildCell(app, cell);
    return;
  }
  const control = controlStackNames(plan);
  const names = [...new Set([...wanted].filter((stack) => !control.has(stack)).map(cellOfStack))];
  if (names.length === 0) return;
  const chosen = requireAccounts(selectCells(plan, names));
  if (withoutZones === 'refused') requireZones(chosen);
  for (const cell of chosen) await buildCell(app, cell);
}
