/**
 * The deployment template: document and component -> the steps that take a commit to every cell. Pure, and of no engine:
 * CodePipeline, GitHub Actions and `cellctl pipelines run` go through the same graph.
 *
 * Its structure follows from the number of waves and from the component's own steps. Which cells are in a wave is decided
 * when a rollout begins, so that no number of cells, and no new one, changes a pipeline.
 */
import { engineOf } from '../lib/plan/pipeline-stacks.ts';
import type { Plan } from '../lib/plan/plan.ts';
import { approvalOf, type Component, type Engine, FIRST_STAGES, type Hook, STAGING, START, seconds } from '../lib/registry/index.ts';

/** The default steps, in their order; staging and the waves of the policy come after them. */
const [SOURCE, BUILD, PUBLISH] = FIRST_STAGES;

/** Something that a pipeline does. */
export type Step = {
  /** Unique in the pipeline. */
  readonly name: string;
} & (
  | { readonly kind: 'source'; readonly repository: Component['repository']; readonly paths: readonly string[] }
  /** `make pipeline-build`. */
  | { readonly kind: 'build' }
  /** `make pipeline-publish`. */
  | { readonly kind: 'publish' }
  /** Pins the rollout: revision, artifact, and who is in which wave. */
  | { readonly kind: 'start' }
  /** A person must agree. */
  | { readonly kind: 'approval' }
  /** Preflight, deployment and bake of one wave. */
  | { readonly kind: 'wave'; readonly wave: WaveStep }
  /** A target of the component's Makefile; after a wave, for each of its cells. */
  | { readonly kind: 'hook'; readonly target: string; readonly wave: number | undefined }
);

interface WaveStep {
  /** 0 is staging. */
  readonly number: number;
  readonly name: string;
  /** Longest bake, with its extension, by the time scale, of all its regions: how long the step may take besides deploying. */
  readonly longestSeconds: number;
  /** Whether somebody has agreed to the wave before it begins. */
  readonly approved: boolean;
  /** Whether it is the last: a rollout that has more waves goes on to its end in it. */
  readonly last: boolean;
}

/** Steps that a commit comes to together: one newer commit may wait before each stage. */
interface PipelineStage {
  readonly name: string;
  /** One group after the other; the steps of a group side by side. */
  readonly groups: readonly (readonly Step[])[];
}

/** A component's pipeline. */
export interface Pipeline {
  readonly component: Component;
  readonly engine: Engine;
  readonly stages: readonly PipelineStage[];
}

const stepOfHook = ({ name, run }: Hook, wave: number | undefined): Step =>
  run === undefined ? { name, kind: 'approval' } : { name, kind: 'hook', target: run, wave };

/** Regions that a wave may have to bake in, one after the other. */
const productionRegions = ({ cells }: Plan): number =>
  Math.max(1, new Set(cells.filter(({ stage }) => stage === 'production').map(({ region }) => region)).size);

/** The pipeline of a component. */
export function pipelineOf(plan: Plan, component: Component): Pipeline {
  const { hooks, paths } = component.pipeline;
  const { path } = component.repository;
  const { stagingBake, waves, maxBakeExtension, timeScale } = plan.rollout;
  const at = (side: 'before' | 'after', place: string, wave?: number): readonly Step[] =>
    hooks.filter((hook) => hook[side] === place).map((hook) => stepOfHook(hook, wave));
  const stage = (name: string, groups: readonly (readonly Step[])[]): PipelineStage => ({
    name,
    groups: groups.filter((group) => group.length > 0),
  });
  const ownPaths = path === '.' ? [] : [`${path}/**`];
  const source: Step = { name: SOURCE, kind: 'source', repository: component.repository, paths: paths.length > 0 ? paths : ownPaths };
  const all = [{ name: STAGING, bake: stagingBake, approval: false, regions: undefined }, ...waves];
  return {
    component,
    engine: engineOf(plan, component),
    stages: [
      stage(SOURCE, [[source]]),
      stage(BUILD, [[{ name: BUILD, kind: 'build' }], at('after', BUILD)]),
      stage(PUBLISH, [at('before', PUBLISH), [{ name: PUBLISH, kind: 'publish' }], at('after', PUBLISH), [{ name: START, kind: 'start' }]]),
      ...all.map(({ name, bake, approval, regions }, number) => {
        const gate: readonly Step[] = approval ? [{ name: approvalOf(name), kind: 'approval' }] : [];
        const bakes = regions === 'one-at-a-time' ? productionRegions(plan) : 1;
        const longestSeconds = bakes * (seconds(bake) + seconds(maxBakeExtension)) * timeScale;
        const step: Step = {
          name,
          kind: 'wave',
          wave: { number, name, longestSeconds, approved: approval, last: number === all.length - 1 },
        };
        return stage(name, [gate, at('before', name), [step], at('after', name, number)]);
      }),
    ],
  };
}

/** Every step, each after all that it needs. */
export const stepsOf = ({ stages }: Pipeline): readonly Step[] => stages.flatMap(({ groups }) => groups.flat());

/** For each step the steps that must have ended well before it begins: all of the group before it. */
export function needsOf({ stages }: Pipeline): ReadonlyMap<string, readonly string[]> {
  const groups = stages.flatMap((stage) => stage.groups);
  return new Map(
    groups.flatMap((group, index) => group.map(({ name }) => [name, (groups[index - 1] ?? []).map((step) => step.name)] as const)),
  );
}

/** What a step does, in words. */
export function wordsOf(step: Step): string {
  switch (step.kind) {
    case 'source':
      return `${step.repository.url} ${step.repository.branch}${step.paths.length === 0 ? '' : `, when ${step.paths.join(' or ')} change`}`;
    case 'build':
      return 'make pipeline-build';
    case 'publish':
      return 'make pipeline-publish';
    case 'start':
      return 'pins the rollout: revision, artifact, cells of each wave';
    case 'approval':
      return 'somebody must agree';
    case 'wave':
      return `wave ${step.wave.number}: preflight, deployment, bake`;
    case 'hook':
      return `make ${step.target}${step.wave === undefined ? '' : ', for each cell of the wave'}`;
  }
}

/** The pipeline as text: a line for each step. */
export function textOf(pipeline: Pipeline): string {
  const width = Math.max(...stepsOf(pipeline).map(({ name }) => name.length));
  const lines = pipeline.stages.flatMap(({ name, groups }) => [
    name,
    ...groups.flatMap((group) =>
      group.map((step, index) => `  ${index === 0 ? '' : '| '}${step.name.padEnd(width - (index === 0 ? 0 : 2))}  ${wordsOf(step)}`),
    ),
  ]);
  return [`${pipeline.component.name} on ${pipeline.engine}`, ...lines].join('\n');
}

/** The pipeline as a Mermaid flowchart. Names hold nothing that Mermaid would take for its own. */
export function mermaidOf(pipeline: Pipeline): string {
  const id = (name: string, kind = 'step') => `${kind}_${name.replaceAll('-', '_')}`;
  const shape = (step: Step) => (step.kind === 'approval' ? `{{"${step.name}"}}` : `["${step.name}"]`);
  const stages = pipeline.stages.map(
    ({ name, groups }) =>
      `  subgraph ${id(name, 'stage')}["${name}"]\n${groups.flatMap((group) => group.map((step) => `    ${id(step.name)}${shape(step)}`)).join('\n')}\n  end`,
  );
  const arrows = [...needsOf(pipeline)].flatMap(([name, needs]) => needs.map((need) => `  ${id(need)} --> ${id(name)}`));
  return ['flowchart LR', ...stages, ...arrows].join('\n');
}
