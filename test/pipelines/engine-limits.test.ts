import { describe, expect, test } from '@jest/globals';
import { createPlan, requireInitialized } from '../../lib/plan/plan.ts';
import { check } from '../../lib/registry/index.ts';
import {
  MOST_PIPELINES,
  PIPELINE_LIMITS,
  requirePipelineFits,
  requirePipelinesFit,
  requireTemplateFits,
} from '../../pipelines/engine-limits.ts';
import { type Pipeline, pipelineOf, type Step } from '../../pipelines/graph.ts';
import { component, registry, unchecked } from '../_helpers/organization.ts';

/** The pipeline of an organization with so many waves, whose component has so many hooks after staging. */
function pipelineWith({ waves, hooks = 0 }: { waves: number; hooks?: number }): Pipeline {
  const source = registry((input) => {
    input.settings = {
      ...input.settings,
      rollout: { ...input.settings.rollout, waves: wavesOf(waves) },
    };
    const own = Array.from({ length: hooks }, (_, index) => ({ name: `hook-${index}`, after: 'staging', run: 'smoke' }));
    input.components['orders-api'] = component('orders-api', 100, { pipeline: { hooks: own } });
  });
  const plan = requireInitialized(createPlan(source));
  const [found] = plan.components.filter(({ name }) => name === 'orders-api');
  if (!found) throw new Error('no component');
  return pipelineOf(plan, found);
}

const wavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `wave-${index + 1}`,
    bake: '1h',
    prefer: 'any' as const,
    approval: false,
    admit: index === count - 1 ? { rest: true as const } : { cells: 1 },
  }));

const problemsWith = (waves: number) => {
  const input = unchecked();
  input.settings = { ...input.settings, rollout: { ...input.settings.rollout, waves: wavesOf(waves) } };
  return check(input).problems.map(({ code }) => code);
};

const refusal = (message: RegExp, fix: RegExp) =>
  expect.objectContaining({ code: 'PIPELINE_TOO_LARGE', message: expect.stringMatching(message), fix: expect.stringMatching(fix) });

describe('limits on pipelines', () => {
  test('50 stages are accepted, and 51 refused, by the rules and by the pipeline', () => {
    expect(problemsWith(46)).not.toContain('WAVES_TOO_MANY');
    expect(problemsWith(47)).toContain('WAVES_TOO_MANY');
    const most = pipelineWith({ waves: 46 });
    expect(most.stages).toHaveLength(50);
    expect(() => requirePipelineFits(most)).not.toThrow();
    const [stage] = most.stages.slice(-1);
    const more = { ...most, stages: [...most.stages, ...(stage ? [stage] : [])] };
    expect(() => requirePipelineFits(more)).toThrow(refusal(/orders-api would have 51 stages of a pipeline, of 50 at most/, /fewer waves/));
  });

  test('100 actions of a stage are accepted, and 101 refused', () => {
    expect(() => requirePipelineFits(pipelineWith({ waves: 3, hooks: 99 }))).not.toThrow();
    expect(() => requirePipelineFits(pipelineWith({ waves: 3, hooks: 100 }))).toThrow(
      refusal(/101 actions of a stage, of 100 at most/, /fewer hooks/),
    );
  });

  test('1,000 actions are accepted, and 1,001 refused', () => {
    const graph = pipelineWith({ waves: 3 });
    const approvals = (count: number): Step[] => Array.from({ length: count }, (_, index) => ({ name: `a-${index}`, kind: 'approval' }));
    const filled = (last: number): Pipeline => ({
      ...graph,
      stages: [...Array.from({ length: 10 }, () => 99), last].map((count, index) => ({ name: `s-${index}`, groups: [approvals(count)] })),
    });
    expect(() => requirePipelineFits(filled(10))).not.toThrow();
    expect(() => requirePipelineFits(filled(11))).toThrow(
      refusal(/1,001 actions of a pipeline, of 1,000 at most/, /one target of the Makefile/),
    );
  });

  test('1,000 pipelines are accepted in a region, and 1,001 refused', () => {
    expect(() => requirePipelinesFit(MOST_PIPELINES)).not.toThrow();
    expect(() => requirePipelinesFit(MOST_PIPELINES + 1)).toThrow(
      refusal(/1,001 pipelines in a region, of 1,000 at most/, /github-actions/),
    );
  });

  test('a template of 500 resources is accepted, and one of 501 refused', () => {
    const template = (count: number) => ({
      Resources: Object.fromEntries(Array.from({ length: count }, (_, index) => [index, { Type: 'A' }])),
    });
    expect(() => requireTemplateFits('Pipeline-x', template(500))).not.toThrow();
    expect(() => requireTemplateFits('Pipeline-x', template(501))).toThrow(
      refusal(/Pipeline-x would have 501 resources, of 500 at most/, /fewer/),
    );
  });

  test('a template of 1 MB is accepted, and one byte more refused', () => {
    const template = (bytes: number) => ({ Resources: { A: { Type: 'A'.repeat(bytes) } } });
    const around = Buffer.byteLength(JSON.stringify(template(0), undefined, 1));
    expect(() => requireTemplateFits('Pipeline-x', template(1_000_000 - around))).not.toThrow();
    expect(() => requireTemplateFits('Pipeline-x', template(1_000_001 - around))).toThrow(
      refusal(/1,000,001 bytes, of 1,000,000 at most/, /fewer/),
    );
  });

  test('each says where AWS says so', () => {
    for (const { source } of PIPELINE_LIMITS) expect(source).toMatch(/AWS/);
  });
});
