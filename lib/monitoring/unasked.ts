/** Stacks in cells that nobody asks for: no component of the registry has their name. What they run, and what they cost. */
import { CloudFormationClient, paginateDescribeStacks, type Stack } from '@aws-sdk/client-cloudformation';
import { namingCalls } from '../aws/named-calls.ts';
import type { Session } from '../aws/session.ts';
import { stackResources, versionOf } from '../aws/stacks.ts';
import { type CellPlan, componentStackName, type Plan } from '../plan/plan.ts';
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

/** Those in one cell, by name. @param cellSession may read the cell's account, in the cell's region */
export async function unaskedIn(cellSession: Session, plan: Pick<Plan, 'components'>, cell: CellPlan): Promise<readonly UnaskedStack[]> {
  const client = namingCalls(new CloudFormationClient(cellSession));
  const found: Stack[] = [];
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
    found.push(...Stacks.filter((stack) => isThere(stack) && isUnasked(plan, cell, stack.StackName ?? '')));
  }
  const stacks = await Promise.all(
    found.map(async (stack): Promise<UnaskedStack> => {
      const { StackName: stackName = '', StackStatus: status = 'UNKNOWN' } = stack;
      const types = [...(await stackResources(cellSession, stackName)).values()].map(({ type }) => type);
      return { stackName, version: versionOf(stack) ?? '', status, ...estimateStack(cell, types) };
    }),
  );
  return stacks.sort((a, b) => (a.stackName < b.stackName ? -1 : 1));
}
