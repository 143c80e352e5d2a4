/** Draws a machine as a Mermaid state diagram. What stands in docs/rollout-states.md is drawn from what is deployed. */
import { type Branch, branchesOf, type State } from '../lib/rollout/machines.ts';

interface Choice {
  readonly StringEquals?: string;
  readonly BooleanEquals?: boolean;
  readonly Next: string;
}

interface Edge {
  readonly to: string;
  readonly label?: string;
}

/** Where a state leads: a choice behind it is drawn as its arrows, as is one behind that. */
function edgesOf({ States }: Branch, name: string): Edge[] {
  const { Next, ...state } = States[name] as State;
  const errors = ((state['Catch'] ?? []) as readonly { readonly Next: string }[]).map((rule) => ({ to: rule.Next, label: 'error' }));
  const through = ({ to, label }: Edge): Edge[] => {
    const target = States[to];
    if (target?.Type !== 'Choice') return [label === undefined ? { to } : { to, label }];
    return choicesOf(target).flatMap((edge) =>
      through({ ...edge, label: [label, edge.label].filter((word) => word !== undefined).join(', ') }),
    );
  };
  return [...(Next === undefined ? [] : through({ to: Next })), ...errors];
}

function choicesOf(state: State): Edge[] {
  const rules = (state['Choices'] ?? []) as readonly Choice[];
  const otherwise = state['Default'] as string | undefined;
  return [
    ...rules.map(({ StringEquals, Next }) => ({ to: Next, label: StringEquals ?? 'well' })),
    ...(otherwise === undefined ? [] : [{ to: otherwise, label: 'not well' }]),
  ];
}

/** Arrows that go the same way, as one. */
function together(edges: readonly Edge[]): Edge[] {
  const labels = new Map<string, string[]>();
  for (const { to, label } of edges) labels.set(to, [...(labels.get(to) ?? []), ...(label === undefined ? [] : [label])]);
  return [...labels].map(([to, words]) => (words.length === 0 ? { to } : { to, label: words.join(', ') }));
}

function linesOf(machine: Branch, indent: string): string[] {
  const { StartAt, States } = machine;
  const drawn = Object.entries(States).filter(([, { Type }]) => Type !== 'Choice');
  return [
    `${indent}[*] --> ${StartAt}`,
    ...drawn.flatMap(([name, state]) => {
      const processor = state['ItemProcessor'] as Branch | undefined;
      const inside = processor ? [processor] : branchesOf(state);
      const drawing = inside.flatMap((each, index) => [...(index > 0 ? [`${indent}  --`] : []), ...linesOf(each, `${indent}  `)]);
      return [
        ...(inside.length > 0 ? [`${indent}state ${name} {`, ...drawing, `${indent}}`] : []),
        ...together(edgesOf(machine, name)).map(({ to, label }) => `${indent}${name} --> ${to}${label === undefined ? '' : `: ${label}`}`),
        ...(['Succeed', 'Fail'].includes(state.Type) || state.End === true ? [`${indent}${name} --> [*]`] : []),
      ];
    }),
  ];
}

/** The machine as Mermaid's `stateDiagram-v2`. Choices are arrows; what is done for each cell, or side by side, is drawn inside. */
export const drawingOf = (machine: Branch): string => ['stateDiagram-v2', ...linesOf(machine, '  ')].join('\n');
