/**
 * The review of one cell: what a deployment would do to it, what that costs, what will wake somebody, and what may go
 * wrong. Pure: the caller has looked and says what time it is; lib/cli prints it.
 */

import { plannedAlarms } from '../plan/alarms.ts';
import { cellStacks } from '../plan/cell-stacks.ts';
import { asDeployed } from '../plan/deployed-cell.ts';
import { lasting, sinceWhen } from '../plan/expiry.ts';
import type { CellPlan, Plan } from '../plan/plan.ts';
import type { Override, Problem } from '../registry/index.ts';
import type { ResourceChange } from './changes.ts';
import { type CostDifference, costDifference } from './costs.ts';
import { compare, type Difference, type Observed, type ObservedStack } from './difference.ts';
import { estimateCell } from './prices.ts';
import { allowance } from './replacements.ts';
import { type Risk, risksOf } from './risks.ts';
import { type Destruction, destructionsIn, isStateful } from './stateful.ts';

/** One stack of the cell. */
export interface StackReview {
  readonly name: string;
  /** `new`: not there yet. `unknown`: not looked at, because the cell has no account. */
  readonly state: 'new' | 'unchanged' | 'changed' | 'unknown';
  /** CloudFormation's status. */
  readonly status: string | undefined;
  readonly changes: readonly ResourceChange[];
  /** Alarms and parameters that somebody has deleted. */
  readonly missing: readonly string[];
  /** Logical ids among them of what holds data or a name: never one of many. */
  readonly stateful: readonly string[];
}

/** What becomes of the alarms. */
interface AlarmReview {
  readonly count: number;
  /** How many of them make the cell sick. */
  readonly health: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly thresholds: readonly { readonly id: string; readonly before: number; readonly after: number }[];
}

/** A command, and when to run it. */
interface Step {
  readonly command: string;
  readonly remark?: string;
}

export interface Review {
  readonly cell: string;
  readonly stage: string;
  readonly size: string;
  readonly tier: string;
  readonly intent: string;
  readonly region: string;
  readonly accountId: string | undefined;
  readonly endpoint: string;
  readonly block: string;
  readonly owner: string | undefined;
  readonly expiresAt: string | undefined;
  /** `expired at …, 3 days ago`; undefined while the cell has time left. */
  readonly expired: string | undefined;
  /** What "before" is: `what is deployed`, or `revision 4` where the template doesn't say; undefined for a cell that is new. */
  readonly comparedWith: string | undefined;
  readonly overrides: readonly Override[];
  readonly stacks: readonly StackReview[];
  readonly destructive: readonly Destruction[];
  /** What RDS would refuse. */
  readonly refused: readonly Problem[];
  readonly cost: CostDifference;
  readonly alarms: AlarmReview;
  readonly risks: readonly Risk[];
  /** Everything that differs about the cell: its account, its stacks, its place in the published registry. */
  readonly differences: readonly Difference[];
  /** Differences that are not about this cell. */
  readonly elsewhere: number;
  readonly steps: readonly Step[];
}

/** The registry as it was published last. */
export interface Before {
  readonly plan: Plan;
  readonly revision: number;
}

function reviewStack(name: string, observed: Observed): StackReview {
  const found = observed.stacks.get(name);
  if (!found) return { name, state: 'unknown', status: undefined, changes: [], missing: [], stateful: [] };
  const { status, changes, missing = [] } = found;
  const stateful = changes.filter(({ type }) => isStateful(type)).map(({ logicalId }) => logicalId);
  const state = status === undefined ? 'new' : changes.length > 0 || missing.length > 0 ? 'changed' : 'unchanged';
  return { name, state, status, changes, missing, stateful };
}

function reviewAlarms(cell: CellPlan, before: CellPlan | undefined): AlarmReview {
  const now = plannedAlarms(cell);
  const old = new Map((before ? plannedAlarms(before) : []).map(({ id, threshold }) => [id, threshold]));
  const current = new Set(now.map(({ id }) => id));
  return {
    count: now.length,
    health: now.filter(({ health }) => health).length,
    added: before ? now.filter(({ id }) => !old.has(id)).map(({ id }) => id) : [],
    removed: [...old.keys()].filter((id) => !current.has(id)),
    thresholds: now.flatMap(({ id, threshold }) => {
      const was = old.get(id);
      return was === undefined || was === threshold ? [] : [{ id, before: was, after: threshold }];
    }),
  };
}

/** True for a difference about this cell. The registry as a whole is, too, when the cell's own entry differs. */
function isAbout(cell: CellPlan, { kind, name }: Difference, observed: Observed): boolean {
  if (kind === 'registry') {
    const { published } = observed;
    if (!published) return true;
    const { added, changed, removed } = published.changes;
    return [...added, ...changed, ...removed].includes(`cells.${cell.name}`) || published.movedOn.includes(cell.name);
  }
  // Only a cell that isn't there yet waits for the domain.
  if (kind === 'domain') return observed.stacks.get(cell.stackName)?.status === undefined;
  if (kind === 'cell') return name === cell.name;
  return kind === 'account' ? name === cell.account.name : cellStacks(cell).some(({ stackName }) => stackName === name);
}

/** The commands that make the differences go away, each once, in order; and how to consent to a loss. */
function stepsOf(cell: CellPlan, differences: readonly Difference[], destructive: readonly Destruction[]): Step[] {
  const commands = [...new Set(differences.map(({ action }) => action))].map((command): Step => ({ command }));
  if (destructive.length === 0) return commands;
  const deploy = `cellctl deploy ${cell.name}`;
  const consent = destructive.map(({ logicalId }) => allowance(cell.name, logicalId)).join(' ');
  return commands.map((step) =>
    step.command === deploy ? { command: `${deploy} --allow-replacement ${consent}`, remark: 'only if what is lost may go' } : step,
  );
}

/** The cell as it is, and what says so; undefined for one that is not there, or of which nothing is known. */
function cellBefore(
  cell: CellPlan,
  found: ObservedStack | undefined,
  before: Before | undefined,
): { cell: CellPlan; source: string } | undefined {
  // Of a cell that is not there yet, everything is new, whatever was published.
  if (found?.status === undefined) return undefined;
  if (found.deployed) {
    // Where no resource changes, the metadata may be older than the template: CloudFormation doesn't change it alone.
    return { cell: found.changes.length === 0 ? cell : asDeployed(cell, found.deployed), source: 'what is deployed' };
  }
  const published = before?.plan.cells.find((each) => each.name === cell.name);
  return before && published && { cell: published, source: `revision ${before.revision}` };
}

/** The review of `cell`. @param before the registry as it was published last, if it was */
export function review(plan: Plan, cell: CellPlan, observed: Observed, before: Before | undefined, now: Date): Review {
  const { name, stage, size, tier, intent, region, account, endpoint, block, owner, expiresAt, overrides } = cell;
  const { cell: known, source } = cellBefore(cell, observed.stacks.get(cell.stackName), before) ?? {};
  const all = compare(plan, [cell], observed, now);
  const differences = all.filter((difference) => isAbout(cell, difference, observed));
  const stacks = lasting([cell], now).length === 0 ? [] : cellStacks(cell).map(({ stackName }) => reviewStack(stackName, observed));
  const seen = new Map([...observed.stacks].filter(([stackName]) => cellStacks(cell).some((stack) => stack.stackName === stackName)));
  const destructive = stacks.flatMap(({ state, changes }) => (state === 'changed' ? destructionsIn(changes) : []));
  return {
    cell: name,
    stage,
    size,
    tier,
    intent,
    region,
    accountId: account.accountId,
    endpoint,
    block,
    owner,
    expiresAt,
    expired: sinceWhen(cell, now),
    comparedWith: source,
    overrides,
    stacks,
    destructive,
    refused: [...seen.values()].flatMap(({ refused = [] }) => refused),
    // What runs in the cell is what was published.
    cost: costDifference(estimateCell(plan, cell), known && estimateCell(before?.plan ?? plan, known)),
    alarms: reviewAlarms(cell, known),
    risks: risksOf({ cell, before: known, stacks: seen, now }),
    differences,
    elsewhere: all.length - differences.length,
    steps: stepsOf(cell, differences, destructive),
  };
}
