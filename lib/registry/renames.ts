/** Listener priorities that a component would take from one that left the registry, and may run in cells still. Pure. */
import type { Problem } from './errors.ts';
import type { Component, Organization } from './model.ts';

/** Components that get a listener priority by this revision: new ones, and those whose priority changes. */
export const takers = (before: Organization, after: Organization): readonly Component[] =>
  Object.values(after.components).filter(
    ({ name, route }) => route !== undefined && before.components[name]?.route?.priority !== route.priority,
  );

/**
 * Components that would get the priority of one that has left. Its stacks stay in cells until `cellctl component remove`, and a
 * listener has one rule of a priority: a rollout would fail in staging with `PriorityInUse`.
 * Source: "CreateRule" and "SetRulePriorities", Elastic Load Balancing API Reference (version 2015-12-01).
 * @param left last entries of components that this revision takes out, and of those that left earlier and have stacks in cells
 */
export function takenPriorities(before: Organization, after: Organization, left: readonly Component[] = []): readonly Problem[] {
  const gone = [...Object.values(before.components), ...left].filter(({ name }) => !Object.hasOwn(after.components, name));
  return takers(before, after).flatMap(({ name, route }) => {
    const owner = gone.find((old) => old.route?.priority === route?.priority);
    if (!owner || !route) return [];
    return [
      {
        code: 'PRIORITY_IN_USE',
        path: `components.${name}.route.priority`,
        message: `${route.priority} is the priority of ${owner.name}, which is not in the registry any more and still runs in cells: a rollout of ${name} would fail with PriorityInUse`,
        fix: `give ${name} another priority; the path may be the same. Once it runs everywhere: \`cellctl component remove ${owner.name}\`; for each step of a move, \`cellctl component rename ${owner.name} ${name}\``,
      },
    ];
  });
}

/** What one cell has of both names. */
export interface RenameInCell {
  readonly cell: string;
  /** Whether the old name's stack is there. */
  readonly old: boolean;
  /** Whether the new name's stack is there, complete. */
  readonly fresh: boolean;
  /** Listener priority that the new name's stack was deployed with. */
  readonly priority: number | undefined;
}

/** How far a component has come on its way to another name. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  /** Entries in the newest revision. */
  readonly components: Organization['components'];
  /** The last entry that the old name had. */
  readonly last: Component;
  readonly cells: readonly RenameInCell[];
}

/** One step: what to do, and whether it is done. */
export interface RenameStep {
  readonly text: string;
  readonly done: boolean;
}

/** The priorities that nobody has, next to `old`: below and above. */
function sparesBeside(old: number, components: Organization['components']) {
  const taken = new Set(Object.values(components).map(({ route }) => route?.priority));
  let [below, above] = [old - 1, old + 1];
  while (taken.has(below)) below--;
  while (taken.has(above)) above++;
  return { below, above };
}

const stillIn = (cells: readonly RenameInCell[], is: (cell: RenameInCell) => boolean) => cells.filter(is).map(({ cell }) => cell);
const named = (cells: readonly string[], text: string) => (cells.length === 0 ? '' : `; ${text} ${cells.join(', ')}`);

/**
 * The steps of a move without downtime. Both names run side by side: the new one first behind the old one's rule, because its own
 * exists before its tasks do; then before it, because the old one's rule outlives the old one's tasks. A step is done only
 * when those before it are.
 * Source: "Listener rules for your Application Load Balancer", User Guide for Application Load Balancers: rules are evaluated from the
 * lowest priority to the highest. "AWS::ElasticLoadBalancingV2::ListenerRule", AWS CloudFormation Template Reference: a change of
 * `Priority` needs no interruption.
 */
export function renameSteps({ from, to, components, last, cells }: Rename): readonly RenameStep[] {
  const fresh = components[to];
  const old = last.route?.priority;
  const holding = stillIn(cells, (cell) => cell.old);
  const missing = stillIn(cells, (cell) => cell.old && !cell.fresh);
  const late = stillIn(cells, ({ old: has, priority }) => has && old !== undefined && (priority === undefined || priority >= old));
  const spares = old === undefined ? undefined : sparesBeside(old, components);
  const above = spares === undefined ? '' : `, with priority ${spares.above} and the same path`;
  const steps = [
    {
      text: `add registry/components/${to}.ts beside ${from}.ts${above}; \`cellctl publish\`, \`cellctl pipelines sync\``,
      done: fresh !== undefined,
    },
    { text: `deliver ${to} to all cells by its pipeline${named(missing, 'missing in')}`, done: missing.length === 0 },
    ...(spares === undefined
      ? []
      : [
          {
            text:
              spares.below < 1
                ? `give ${from} a higher priority than that of ${to}, \`cellctl publish\`, and deliver ${from}: no priority below ${old} is free`
                : `give ${to} the priority ${spares.below}, \`cellctl publish\`, and deliver it: requests change over${named(late, 'not yet in')}`,
            done: late.length === 0,
          },
        ]),
    { text: `take registry/components/${from}.ts out; \`cellctl publish\``, done: components[from] === undefined },
    { text: `\`cellctl component remove ${from}\`${named(holding, 'it runs in')}`, done: holding.length === 0 },
  ];
  let before = true;
  return steps.map(({ text, done }) => {
    before &&= done;
    return { text, done: before };
  });
}
