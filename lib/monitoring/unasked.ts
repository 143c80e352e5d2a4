/** Stacks in cells that nobody asks for: no component of the registry has their name. What they run, and what they cost. */
import { CloudFormationClient, paginateDescribeStacks, type Stack } from '@aws-sdk/client-cloudformation';
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import { namingCalls } from '../aws/named-calls.ts';
import { assumeLookup, type Session } from '../aws/session.ts';
import { stackResources, versionOf } from '../aws/stacks.ts';
import { type CellPlan, componentStackName, type Plan, type VendedCell } from '../plan/plan.ts';
import { estimateStack } from '../review/prices.ts';

export interface UnaskedStack {
  readonly stackName: string;
  /** Empty for one that doesn't say. */
  readonly version: string;
  /** CloudFormation's. */
  readonly status: string;
  /** Dollars a month, an estimate: see `PRICE_SOURCE`. */
  readonly monthly: number;
  /** Types of resources that cost something and have no price here. */
  readonly unpriced: readonly string[];
}

/** Cells that are looked at once. */
const CONCURRENCY = 10;

/** The stack of the CDK's bootstrap. */
const BOOTSTRAP = 'CDKToolkit';
/**
 * How names of stacks begin that a stack set of the organization has made: they are somebody else's to ask for. Source:
 * "StackSets concepts", AWS CloudFormation User Guide: a stack instance's stack is called `StackSet-<name>-<id>`.
 */
const OF_STACK_SETS = 'StackSet-';

/** Whether a stack in the cell's account is none that the plan has there. */
export function isUnasked({ components }: Pick<Plan, 'components'>, cell: Pick<CellPlan, 'stackName'>, stackName: string): boolean {
  const asked = [BOOTSTRAP, cell.stackName, ...components.map((component) => componentStackName(component, cell))];
  return !asked.includes(stackName) && !stackName.startsWith(OF_STACK_SETS);
}

/** Stacks that are there: neither deleted, nor only a change set that nobody has executed, nor part of another one. */
const isThere = ({ StackStatus, ParentId }: Stack) =>
  StackStatus !== 'DELETE_COMPLETE' && StackStatus !== 'REVIEW_IN_PROGRESS' && ParentId === undefined;

/** The stacks of an account in a region. */
export async function stacksThere(session: Session): Promise<readonly Stack[]> {
  const client = namingCalls(new CloudFormationClient(session));
  const found: Stack[] = [];
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) found.push(...Stacks.filter(isThere));
  return found;
}

/** Those in one cell, by name. @param cellSession may read the cell's account, in the cell's region */
export async function unaskedIn(cellSession: Session, plan: Pick<Plan, 'components'>, cell: CellPlan): Promise<readonly UnaskedStack[]> {
  const found = (await stacksThere(cellSession)).filter((stack) => isUnasked(plan, cell, stack.StackName ?? ''));
  const stacks = await Promise.all(
    found.map(async (stack): Promise<UnaskedStack> => {
      const { StackName: stackName = '', StackStatus: status = 'UNKNOWN' } = stack;
      const types = [...(await stackResources(cellSession, stackName)).values()].map(({ type }) => type);
      return { stackName, version: versionOf(stack) ?? '', status, ...estimateStack(cell, types) };
    }),
  );
  return stacks.sort((a, b) => (a.stackName < b.stackName ? -1 : 1));
}

/** What one cell has that nobody asks for; or why nobody could look. */
export interface UnaskedInCell {
  readonly cell: string;
  readonly unasked: readonly UnaskedStack[];
  readonly error?: string;
}

/** Those in each of some cells. A cell that can't be looked at says why, and hides no other. @param session tooling's */
export async function unaskedInCells(
  plan: Pick<Plan, 'components'>,
  cells: readonly VendedCell[],
  session: Session,
  partition: string,
): Promise<readonly UnaskedInCell[]> {
  const limit = pLimit(CONCURRENCY);
  return Promise.all(
    cells.map((cell) =>
      limit(async (): Promise<UnaskedInCell> => {
        try {
          const unasked = await unaskedIn(assumeLookup(session, partition, cell.account.accountId, cell.region), plan, cell);
          return { cell: cell.name, unasked };
        } catch (error) {
          return { cell: cell.name, unasked: [], error: asCloudError(error).message };
        }
      }),
    ),
  );
}
