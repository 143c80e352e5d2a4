/** The factory's own stacks of a cell. Components are stacks of the cell, too, and are not in this list. */
import type { CellPlan } from './plan.ts';

/** A stack, and the account that it lives in: the cell's own in the cell's region, or tooling in the home region. */
export interface CellStack {
  readonly stackName: string;
  readonly account: 'cell' | 'tooling';
}

/** In the order in which they are deployed. */
export const cellStacks = ({ stackName, delegationStackName }: CellStackNames): readonly CellStack[] => [
  { stackName: delegationStackName, account: 'tooling' },
  { stackName, account: 'cell' },
];

type CellStackNames = Pick<CellPlan, 'stackName' | 'delegationStackName'>;
