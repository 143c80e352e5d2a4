/** The stacks of the tooling account: which there are, where, and in which order they are deployed. A stack is a line. */
import { artifactsStackName, CONTROL_STACKS, type Plan } from './plan.ts';

/** A stack that the plan puts into tooling. */
export interface StackPlace {
  readonly stackName: string;
  readonly region: string;
}

export interface ToolingStack extends StackPlace {
  /** Decides what is built under the name: lib/app/build-control.ts has a builder for each. */
  readonly kind: 'registry' | 'domain' | 'artifacts' | 'artifacts-replica' | 'rollouts';
}

/** In the order in which they are deployed. */
export function toolingStacks({ homeRegion, regions }: Pick<Plan, 'homeRegion' | 'regions'>): readonly ToolingStack[] {
  const atHome = (kind: keyof typeof CONTROL_STACKS & ToolingStack['kind']): ToolingStack => ({
    kind,
    stackName: CONTROL_STACKS[kind],
    region: homeRegion,
  });
  const elsewhere = regions.filter((region) => region !== homeRegion);
  return [
    atHome('registry'),
    atHome('domain'),
    // Before the one at home, which sends images there.
    ...elsewhere.map((region): ToolingStack => ({ kind: 'artifacts-replica', stackName: artifactsStackName(region, homeRegion), region })),
    atHome('artifacts'),
    // It reads what the one before holds.
    atHome('rollouts'),
  ];
}
