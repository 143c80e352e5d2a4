/** Pipelines for tests: of one component, with the waves and steps that the test is about. */
import { createPlan, type InitializedPlan, requireInitialized, selectComponent } from '../../lib/plan/plan.ts';
import type { ComponentDefinition } from '../../lib/registry/index.ts';
import { type Pipeline, pipelineOf } from '../../pipelines/graph.ts';
import { component, registry, type settings } from './organization.ts';

type Policy = ReturnType<typeof settings>['rollout'];

interface Shape {
  /** Name of the component. @default orders-api */
  readonly name?: string;
  readonly component?: Partial<ComponentDefinition>;
  readonly rollout?: Partial<Policy>;
  /** Cells of the plan. @default the three that tests have */
  readonly cells?: number;
}

/** The plan of an organization with one component, and that component's pipeline. */
export function pipelineWith({ name = 'orders-api', component: rest = {}, rollout = {}, cells }: Shape = {}): {
  plan: InitializedPlan;
  pipeline: Pipeline;
} {
  const small = requireInitialized(
    createPlan(
      registry((input) => {
        const policy = { ...input.settings.rollout, ...rollout };
        const multiRegionFromWave = Math.min(policy.multiRegionFromWave, policy.waves.length);
        input.settings = { ...input.settings, rollout: { ...policy, multiRegionFromWave } };
        input.components = { [name]: component(name, 100, rest) };
      }),
    ),
  );
  const [first] = small.cells;
  const many =
    first && cells !== undefined ? Array.from({ length: cells }, (_, index) => ({ ...first, name: `cell-${index}` })) : small.cells;
  const plan = { ...small, cells: many };
  return { plan, pipeline: pipelineOf(plan, selectComponent(plan, name)) };
}

/** A wave of the policy. */
export const wave = (name: string, rest: Partial<Policy['waves'][number]> = {}) =>
  ({ name, prefer: 'any', admit: { rest: true }, bake: '2h', approval: false, ...rest }) as const;

/** Pipelines of all shapes, by what is special about them. */
export const PIPELINE_SHAPES: Readonly<Record<string, Shape>> = {
  'the default policy': {},
  'one wave': { rollout: { waves: [wave('everywhere')] } },
  'long bakes': { rollout: { stagingBake: '24h', waves: [wave('first', { admit: { cells: 1 }, bake: '48h' }), wave('rest')] } },
  'approvals before waves': { rollout: { waves: [wave('first', { admit: { cells: 1 } }), wave('rest', { approval: true, bake: '12h' })] } },
  'steps of its own at every place, side by side and alone': {
    component: {
      repository: { url: 'https://github.com/acme/shop', branch: 'release/2026', path: 'services/orders' },
      pipeline: {
        hooks: [
          { name: 'scan', after: 'build', run: 'scan' },
          { name: 'licences', after: 'build', run: 'licences' },
          { name: 'freeze', before: 'publish', approval: true },
          { name: 'announce', after: 'publish', run: 'announce' },
          { name: 'ready', before: 'staging', run: 'ready' },
          { name: 'integration', after: 'staging', run: 'integration-test' },
          { name: 'load', after: 'staging', run: 'load-test' },
          { name: 'board', before: 'first', approval: true },
          { name: 'smoke', after: 'rest', run: 'integration-test' },
        ],
      },
    },
    rollout: { waves: [wave('first', { admit: { cells: 1 }, bake: '12h', approval: true }), wave('rest')] },
  },
};
