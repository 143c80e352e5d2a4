/** How the operator reaches what is inside a cell: the component's stack, and how the cell is. */
import { executionRole, ROLLOUT_ROLE } from '../../aws/roles.ts';
import { assume, inRegion, type Session } from '../../aws/session.ts';
import type { CellHealth } from '../decide.ts';
import type { RolloutCell } from '../record.ts';
import { ComponentStack } from './change.ts';
import { type HealthQuestion, healthOf } from './health.ts';

/** What of cells rollouts need. In the simulator, ten thousand of them in memory. */
export interface Inside {
  readonly stack: (cell: RolloutCell, component: string) => Pick<ComponentStack, keyof ComponentStack>;
  readonly health: (cell: RolloutCell, question: HealthQuestion) => Promise<CellHealth>;
}

/** Cells as they are, by the one role that may roll out. */
export function inside(tooling: Session, partition: string): Inside {
  const session = ({ accountId, region }: RolloutCell) => assume(inRegion(tooling, region), partition, accountId, ROLLOUT_ROLE);
  return {
    stack: (cell, component) => {
      const { accountId, region } = cell;
      const role = `arn:${partition}:iam::${accountId}:role/${executionRole(accountId, region)}`;
      return new ComponentStack(session(cell), component, role);
    },
    health: (cell, question) => healthOf(session(cell), cell, question),
  };
}
