/** What a component that is new would take from one that is gone, and may run in cells still. Pure. */
import type { Problem } from './errors.ts';
import type { Organization } from './model.ts';

/**
 * New components with the listener priority of one that this revision takes out. The old one's stacks stay in cells until
 * `cellctl component remove`, and a listener has one rule of a priority: the new one would fail in staging, as `PriorityInUse`.
 * Source: "CreateRule", Elastic Load Balancing API Reference (version 2015-12-01).
 */
export function takenPriorities(before: Organization, after: Organization): readonly Problem[] {
  const gone = Object.values(before.components).filter(({ name }) => !Object.hasOwn(after.components, name));
  const fresh = Object.values(after.components).filter(({ name }) => !Object.hasOwn(before.components, name));
  return fresh.flatMap(({ name, route }) => {
    const owner = gone.find((old) => route !== undefined && old.route?.priority === route.priority);
    if (!owner || !route) return [];
    return [
      {
        code: 'PRIORITY_IN_USE',
        path: `components.${name}.route.priority`,
        message: `${route.priority} is the priority of ${owner.name}, which leaves the registry and still runs in cells: a rollout of ${name} would fail with PriorityInUse`,
        fix: `give ${name} another priority; the path may be the same. Once it runs everywhere: \`cellctl component remove ${owner.name}\``,
      },
    ];
  });
}
