/** Rules about components: what they depend on, what they run on, and how requests reach them. How they are delivered: `pipelines.ts`. */
import type { Cell, Component } from '../model.ts';
import { type Rule, repeated } from './subject.ts';

/** Whether a component can run in a cell. */
export const runsIn = ({ kind }: Component, cell: Cell): boolean => {
  if (kind === 'foundation') return cell.cloud === 'aws';
  return cell.platforms.some((platform) => (kind === 'kubernetes' ? platform !== 'ecs' : platform === 'ecs'));
};

/** A dependency cycle through `start`, as the names on it, or undefined. */
function cycleFrom(start: string, components: ReadonlyMap<string, Component>): string[] | undefined {
  const visited = new Set<string>();
  const walk = (name: string, trail: string[]): string[] | undefined => {
    for (const next of components.get(name)?.dependsOn ?? []) {
      if (next === start) return [...trail, next];
      if (visited.has(next)) continue;
      visited.add(next);
      const found = walk(next, [...trail, next]);
      if (found) return found;
    }
    return undefined;
  };
  return walk(start, [start]);
}

export const COMPONENT_RULES: readonly Rule[] = [
  {
    code: 'DEPENDENCY_UNKNOWN',
    description: 'a component depends on components that exist',
    *check({ components }) {
      for (const [key, component] of components) {
        for (const name of component.dependsOn.filter((dependency) => !components.has(dependency))) {
          yield {
            path: `components.${key}.dependsOn`,
            message: `"${name}" is no component`,
            fix: `use one of ${[...components.keys()].filter((other) => other !== key).join(', ') || '(there is no other component)'}`,
          };
        }
      }
    },
  },
  {
    code: 'DEPENDENCY_CYCLE',
    description: 'components do not depend on each other in a circle',
    *check({ components }) {
      for (const key of components.keys()) {
        const cycle = cycleFrom(key, components);
        // Each circle is reported once, at its first name in the alphabet.
        if (!cycle || cycle.some((name) => name < key)) continue;
        yield {
          path: `components.${key}.dependsOn`,
          message: `depends on itself: ${cycle.join(' -> ')}`,
          fix: 'remove one of these dependencies',
        };
      }
    },
  },
  {
    code: 'PLATFORM_MISSING',
    description: 'a component has a cell to run on: eks or gke for kubernetes, ecs for cloudformation, one on AWS for foundation',
    *check({ cells, components }) {
      if (cells.size === 0) return;
      for (const [key, component] of components) {
        if ([...cells.values()].some((cell) => runsIn(component, cell))) continue;
        yield {
          path: `components.${key}.kind`,
          message: `"${component.kind}", and no cell has a platform for it`,
          fix:
            component.kind === 'foundation'
              ? "add a cell with cloud: 'aws', or take the component out"
              : `add '${component.kind === 'kubernetes' ? 'eks' : 'ecs'}' to the platforms of a cell, or change kind`,
        };
      }
    },
  },
  {
    code: 'PRIORITY_COLLISION',
    description: 'every component has a listener priority of its own',
    *check({ components }) {
      for (const [first, later] of repeated(components, ([, { route }]) => route && String(route.priority))) {
        yield {
          path: `components.${later[0]}.route.priority`,
          message: `${later[1].route?.priority} is also the priority of ${first[0]}`,
          fix: 'choose a number from 1 to 50000 that no other component has',
        };
      }
    },
  },
  {
    code: 'PATH_COLLISION',
    description: 'no two components take the same path: the second would get nothing',
    *check({ components }) {
      for (const [first, later] of repeated(components, ([, { route }]) => route?.path)) {
        yield {
          path: `components.${later[0]}.route.path`,
          message: `"${later[1].route?.path}" is also the path of ${first[0]}`,
          fix: 'give each component a path of its own',
        };
      }
    },
  },
  {
    code: 'ROUTE_INVALID',
    description: 'a component of kind foundation has no route: requests reach services, not stacks of cells',
    *check({ components }) {
      for (const [key, { kind, route }] of components) {
        if (kind !== 'foundation' || !route) continue;
        yield { path: `components.${key}.route`, message: 'a foundation takes no requests', fix: 'remove the route' };
      }
    },
  },
  {
    code: 'FOUNDATION_SECOND',
    description: 'at most one component is of kind foundation: a cell has one',
    *check({ components }) {
      const foundations = [...components].filter(([, { kind }]) => kind === 'foundation');
      for (const [first, [key]] of repeated(foundations, ([, { kind }]) => kind)) {
        yield { path: `components.${key}.kind`, message: `"foundation", as ${first[0]} is already`, fix: 'keep one of the two' };
      }
    },
  },
  {
    code: 'FOUNDATION_DEPENDS',
    description: 'a foundation depends on no component: components stand on it',
    *check({ components }) {
      for (const [key, { kind, dependsOn }] of components) {
        if (kind !== 'foundation' || dependsOn.length === 0) continue;
        const message = `a foundation that depends on ${dependsOn.join(', ')}`;
        yield {
          path: `components.${key}.dependsOn`,
          message,
          fix: 'remove it: without the foundation there is nothing that a component could run on',
        };
      }
    },
  },
];
