/** The stacks of the tooling account: which there are, where, and in which order they are deployed. A stack is a line. */
import { artifactsStackName, CONTROL_STACKS, type Plan } from './plan.ts';

export interface ToolingStack {
  readonly stackName: string;
  readonly region: string;
}

/** In the order in which they are deployed. */
export function toolingStacks({ homeRegion, regions }: Pick<Plan, 'homeRegion' | 'regions'>): readonly ToolingStack[] {
  const atHome = (stackName: string): ToolingStack => ({ stackName, region: homeRegion });
  const elsewhere = regions.filter((region) => region !== homeRegion);
  return [
    atHome(CONTROL_STACKS.registry),
    atHome(CONTROL_STACKS.domain),
    // Before the one at home, which sends images there.
    ...elsewhere.map((region) => ({ stackName: artifactsStackName(region, homeRegion), region })),
    atHome(CONTROL_STACKS.artifacts),
    // It reads what the one before holds.
    atHome(CONTROL_STACKS.rollouts),
  ];
}
