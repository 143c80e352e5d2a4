import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPlan, selectComponent } from '../../lib/plan/plan.ts';
import type { Hook } from '../../lib/registry/index.ts';
import { shellOf } from '../../pipelines/commands.ts';
import { mermaidOf, needsOf, pipelineOf, stepsOf, textOf } from '../../pipelines/graph.ts';
import { cell, component, registry } from '../_helpers/organization.ts';

type Input = Parameters<NonNullable<Parameters<typeof registry>[0]>>[0];

function pipeline(change: (input: Input) => void = () => undefined) {
  const plan = createPlan(registry(change));
  return pipelineOf(plan, selectComponent(plan, 'orders-api'));
}

const HOOKS: Hook[] = [
  { name: 'scan', after: 'build', run: 'scan' },
  { name: 'lint', after: 'build', run: 'lint' },
  { name: 'orders-work', after: 'staging', run: 'integration-test' },
  { name: 'board', before: 'one-busy-cell', approval: true },
  { name: 'last-look', before: 'rest', run: 'integration-test' },
];
const withHooks = (input: Input) => {
  input.components['orders-api'] = component('orders-api', 100, { pipeline: { hooks: HOOKS } });
};

describe('a pipeline', () => {
  test('goes from the source through build, publication and staging to every wave', () => {
    expect(textOf(pipeline())).toMatchInlineSnapshot(`
"orders-api on codepipeline
source
  source          https://github.com/acme/orders-api main
build
  build           make pipeline-build
publish
  publish         make pipeline-publish
  start           pins the rollout: revision, artifact, cells of each wave
staging
  staging         wave 0: preflight, deployment, bake
one-quiet-cell
  one-quiet-cell  wave 1: preflight, deployment, bake
one-busy-cell
  one-busy-cell   wave 2: preflight, deployment, bake
first-tenth
  first-tenth     wave 3: preflight, deployment, bake
next-fifth
  next-fifth      wave 4: preflight, deployment, bake
next-third
  next-third      wave 5: preflight, deployment, bake
rest
  rest            wave 6: preflight, deployment, bake"
`);
  });

  test("has a component's own steps where it says, and approvals before waves that need them", () => {
    const text = textOf(
      pipeline((input) => {
        withHooks(input);
        input.settings.rollout.waves = input.settings.rollout.waves.map((wave) => ({ ...wave, approval: wave.name === 'rest' }));
      }),
    );
    expect(text).toMatchInlineSnapshot(`
"orders-api on codepipeline
source
  source          https://github.com/acme/orders-api main
build
  build           make pipeline-build
  scan            make scan
  | lint          make lint
publish
  publish         make pipeline-publish
  start           pins the rollout: revision, artifact, cells of each wave
staging
  staging         wave 0: preflight, deployment, bake
  orders-work     make integration-test, for each cell of the wave
one-quiet-cell
  one-quiet-cell  wave 1: preflight, deployment, bake
one-busy-cell
  board           somebody must agree
  one-busy-cell   wave 2: preflight, deployment, bake
first-tenth
  first-tenth     wave 3: preflight, deployment, bake
next-fifth
  next-fifth      wave 4: preflight, deployment, bake
next-third
  next-third      wave 5: preflight, deployment, bake
rest
  approve-rest    somebody must agree
  last-look       make integration-test
  rest            wave 6: preflight, deployment, bake"
`);
  });

  test('needs, for each step, all of the steps right before it', () => {
    const needs = needsOf(pipeline(withHooks));
    expect(needs.get('source')).toEqual([]);
    expect(needs.get('scan')).toEqual(['build']);
    expect(needs.get('publish')).toEqual(['scan', 'lint']);
    expect(needs.get('orders-work')).toEqual(['staging']);
    expect(needs.get('one-busy-cell')).toEqual(['board']);
  });

  test('runs on the engine of its component, or else of the organization', () => {
    expect(pipeline().engine).toBe('codepipeline');
    expect(pipeline(({ settings }) => Object.assign(settings.pipelines, { engine: 'github-actions' })).engine).toBe('github-actions');
    const own = component('orders-api', 100, { pipeline: { engine: 'github-actions' } });
    expect(pipeline((input) => Object.assign(input.components, { 'orders-api': own })).engine).toBe('github-actions');
  });

  test('looks at its own folder of a repository that it shares, or at the paths that it says', () => {
    const source = (rest: object) => {
      const found = stepsOf(pipeline((input) => Object.assign(input.components, { 'orders-api': component('orders-api', 100, rest) })))[0];
      return found?.kind === 'source' ? found.paths : undefined;
    };
    const url = 'https://github.com/acme/shop';
    expect(source({ repository: { url } })).toEqual([]);
    expect(source({ repository: { url, path: 'services/orders' } })).toEqual(['services/orders/**']);
    expect(source({ repository: { url, path: 'services/orders' }, pipeline: { paths: ['services/**'] } })).toEqual(['services/**']);
  });

  test('is the same for any number of cells', () => {
    const few = pipeline();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
        const many = pipeline((input) => {
          for (let index = 0; index < count; index++) input.cells[`c${index}`] = cell(`c${index}`, index + 10);
        });
        expect(many).toEqual(few);
      }),
      { numRuns: 10 },
    );
  });

  test('has steps of different names, each of which comes after all that it needs', () => {
    const all = pipeline(withHooks);
    const names = stepsOf(all).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [name, needs] of needsOf(all)) for (const need of needs) expect(names.indexOf(need)).toBeLessThan(names.indexOf(name));
  });

  test('is drawn with an arrow for each need', () => {
    const all = pipeline(withHooks);
    const drawing = mermaidOf(all);
    expect(drawing).toContain('step_board{{"board"}}');
    expect(drawing.match(/ --> /g)).toHaveLength([...needsOf(all).values()].flat().length);
  });
});

describe('the shell of a step', () => {
  test('takes only what a step before it has left', () => {
    const left = new Set<string>();
    for (const step of stepsOf(pipeline(withHooks))) {
      const shell = shellOf(step);
      for (const name of shell?.takes ?? [])
        expect({ step: step.name, name, left: left.has(name) }).toEqual({ step: step.name, name, left: true });
      for (const name of shell?.leaves ?? []) left.add(name);
    }
    expect([...left].sort()).toEqual(['COMMIT', 'COMPONENT_VERSION', 'ROLLOUT']);
  });

  test('holds nothing of its component: names and what a commit brings stand in variables', () => {
    const linesOf = (name: string) => {
      const plan = createPlan(
        registry((input) => Object.assign(input.components, { web: component('web', 9, { pipeline: { hooks: HOOKS } }) })),
      );
      const steps = stepsOf(pipelineOf(plan, selectComponent(plan, name))).filter(({ kind }) => kind !== 'hook' && kind !== 'approval');
      return steps.flatMap((step) => shellOf(step)?.lines ?? []);
    };
    expect(linesOf('web')).toEqual(linesOf('billing'));
  });
});
