/** Requests that a bake waits for: of which components, and how many in each cell. Pure. */
import type { Component } from '../registry/index.ts';
import type { Plan } from './plan.ts';

type Registered = Pick<Plan, 'components' | 'rollout'>;

/** Requests of customers that each cell must have served before the bake of the component can pass, by its entry alone. */
const asked = ({ rollout }: Registered, { minRequests }: Component): number => minRequests ?? rollout.minRequestsPerCell;

/**
 * Components whose requests tell whether a cell is used: the component itself; of a foundation, which serves none of its own, all
 * that serve any.
 */
export const trafficOf = (plan: Registered, component: Component): readonly string[] =>
  component.kind === 'foundation'
    ? plan.components.filter((each) => each.kind !== 'foundation' && asked(plan, each) > 0).map(({ name }) => name)
    : [component.name];

/** Requests of customers that each cell must have served before a bake of the component can pass; 0 where nobody sends any. */
export const requestsNeeded = (plan: Registered, component: Component): number =>
  trafficOf(plan, component).length === 0 ? 0 : asked(plan, component);

/** What the registry asks of a component's template. */
export interface TemplateNeeds {
  /** Whether the component has a route: then its listener rule gets a priority. */
  readonly route: boolean;
  /** Requests of customers that each cell must have served before its bake can pass. */
  readonly requests: number;
}

export const templateNeeds = (plan: Registered, component: Component): TemplateNeeds => ({
  route: component.route !== undefined,
  requests: requestsNeeded(plan, component),
});
