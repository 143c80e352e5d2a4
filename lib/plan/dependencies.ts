import type { Component } from '../registry/index.ts';

/** Components, each after all that it depends on; otherwise by name. What one depends on that is not among them is nobody's concern. */
export function inDependencyOrder<C extends Pick<Component, 'name' | 'dependsOn'>>(components: readonly C[]): readonly C[] {
  const byName = new Map([...components].sort((a, b) => (a.name < b.name ? -1 : 1)).map((component) => [component.name, component]));
  const ordered = new Set<C>();
  const visit = (component: C): void => {
    // A rule of the registry keeps them from depending on each other in a circle.
    for (const name of [...component.dependsOn].sort()) {
      const first = byName.get(name);
      if (first && !ordered.has(first)) visit(first);
    }
    ordered.add(component);
  };
  for (const component of byName.values()) visit(component);
  return [...ordered];
}
