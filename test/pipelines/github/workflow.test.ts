import { convertWorkflowTemplate, type ParseWorkflowResult, parseWorkflow } from '@actions/workflow-parser';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ACTIONS } from '../../../pipelines/github/actions.ts';
import { renderWorkflow } from '../../../pipelines/github/workflow.ts';
import { jobsOfWave } from '../../../pipelines/github/workflow-limits.ts';
import { PIPELINE_SHAPES, pipelineWith, wave } from '../../_helpers/pipelines.ts';
import { parsed } from '../../_helpers/workflow.ts';

const rendered = (shape: Parameters<typeof pipelineWith>[0] = {}) => {
  const { plan, pipeline } = pipelineWith(shape);
  return renderWorkflow(plan, pipeline);
};
const EVERYTHING = PIPELINE_SHAPES['steps of its own at every place, side by side and alone'] ?? {};
const jobs = (shape: Parameters<typeof pipelineWith>[0] = {}) => Object.entries(parsed(rendered(shape)).jobs);

describe.each(Object.entries(PIPELINE_SHAPES))('the workflow of %s', (_, shape) => {
  const workflow = rendered(shape);
  const document = parsed(workflow);
  const steps = Object.values(document.jobs).flatMap((job) => job.steps);
  let result: ParseWorkflowResult;

  beforeAll(() => {
    const trace = { error: () => undefined, info: () => undefined, verbose: () => undefined };
    result = parseWorkflow({ name: workflow.path, content: workflow.text }, trace);
  });

  test('is valid to the parser of GitHub, with its expressions', async () => {
    expect(result.context.errors.getErrors().map(String)).toEqual([]);
    if (!result.value) throw new Error('the parser says nothing');
    const template = await convertWorkflowTemplate(result.context, result.value);
    expect(template.errors ?? []).toEqual([]);
    expect(template.jobs).toHaveLength(Object.keys(document.jobs).length);
  });

  test('has no expression in any shell', () => {
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect(scripts.length).toBeGreaterThan(5);
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });

  test('names every action by its commit, with its version behind it', () => {
    const lines = workflow.text.split('\n').flatMap((line) => /^ *uses: (.*)$/.exec(line)?.[1] ?? []);
    expect(lines).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length);
    for (const line of lines) expect(line).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('no job lasts longer than GitHub lets it, or than credentials that it needs to the end', () => {
    for (const job of Object.values(document.jobs)) {
      expect(job['timeout-minutes']).toBeLessThan(6 * 60);
      for (const { with: inputs } of job.steps) {
        const seconds = inputs?.['role-duration-seconds'];
        // Steps in cells read who is in the wave, and call nobody after that.
        const toTheEnd = !String(inputs?.['role-to-assume']).endsWith('-hook');
        if (seconds !== undefined && toTheEnd) expect(Number(seconds)).toBeGreaterThanOrEqual(job['timeout-minutes'] * 60);
      }
    }
  });

  test('takes outputs of jobs only that it needs by name', () => {
    for (const { needs = [], env = {} } of Object.values(document.jobs)) {
      const asked = Object.values(env).flatMap((value) => /needs\.([\w-]+)\./.exec(value)?.[1] ?? []);
      expect(asked.filter((job) => !needs.includes(job))).toEqual([]);
    }
  });

  test('is the same whenever it is rendered', () => {
    expect(rendered(shape)).toEqual(workflow);
  });
});

describe('a workflow', () => {
  test('runs for commits to its branch that touch its paths, or by hand, and one at a time', () => {
    const { on, concurrency, permissions } = parsed(rendered(EVERYTHING));
    expect(on).toEqual({ push: { branches: ['release/2026'], paths: ['services/orders/**'] }, workflow_dispatch: {} });
    expect(concurrency).toEqual({ group: 'deliver-orders-api', 'cancel-in-progress': false });
    expect(permissions).toEqual({});
  });

  test('builds nothing of another branch, whoever runs it by hand', () => {
    expect(parsed(rendered(EVERYTHING)).jobs['build']?.if).toBe("github.ref == 'refs/heads/release/2026'");
  });

  test('gives each job what it needs and nothing else', () => {
    const permissions = Object.fromEntries(jobs(EVERYTHING).map(([id, job]) => [id, job.permissions]));
    const [code, cloud] = [{ contents: 'read' }, { 'id-token': 'write' }];
    expect(permissions).toEqual({
      build: code,
      scan: code,
      licences: code,
      freeze: { actions: 'read' },
      publish: { ...code, ...cloud },
      announce: code,
      start: cloud,
      ready: code,
      staging: cloud,
      integration: { ...code, ...cloud },
      load: { ...code, ...cloud },
      'approve-first': { actions: 'read' },
      board: { actions: 'read' },
      first: cloud,
      first_2: cloud,
      first_3: cloud,
      rest: cloud,
      smoke: { ...code, ...cloud },
      farewell_: cloud,
    });
  });

  test('has credentials by token only, each job those of its role', () => {
    const roles = jobs(EVERYTHING).flatMap(([id, { steps }]) =>
      steps.flatMap(({ uses, with: inputs = {} }) => {
        if (uses?.startsWith(ACTIONS.credentials.name) !== true) return [];
        expect(Object.keys(inputs).filter((name) => name.includes('key') || name.includes('token'))).toEqual([]);
        return [`${id} ${String(inputs['role-to-assume']).split('/').at(-1)} ${String(inputs['role-duration-seconds'])}`];
      }),
    );
    expect(roles).toEqual([
      'publish github-orders-api-publish 3600',
      'start github-orders-api-start 3600',
      'staging github-orders-api-follow 21600',
      'integration github-orders-api-hook 3600',
      'load github-orders-api-hook 3600',
      'first github-orders-api-follow 21600',
      'first_2 github-orders-api-follow 21600',
      'first_3 github-orders-api-follow 21600',
      'rest github-orders-api-follow 21600',
      'smoke github-orders-api-hook 3600',
      'farewell_ github-orders-api-follow 3600',
    ]);
    expect(rendered(EVERYTHING).text).not.toContain('secrets.');
  });

  test('follows a long wave with a chain of jobs, of which only the last waits for its end', () => {
    const { jobs: all } = parsed(rendered({ rollout: { waves: [wave('everywhere', { bake: '12h', approval: true })] } }));
    const chain = ['everywhere', 'everywhere_2', 'everywhere_3'];
    expect(Object.keys(all).filter((id) => id.startsWith('everywhere'))).toEqual(chain);
    expect(chain.map((id) => all[id]?.needs)).toEqual([
      ['approve-everywhere', 'start'],
      ['everywhere', 'start'],
      ['everywhere_2', 'start'],
    ]);
    const stages = chain.map((id) => all[id]?.steps.find(({ name }) => name === 'everywhere')?.run?.trim());
    const stage = '"$CELL_FACTORY/bin/cellctl" rollout stage "$ROLLOUT" --wave 1 --approved --last';
    expect(stages).toEqual([`${stage} --for 18000s`, `${stage} --for 18000s`, stage]);
  });

  test.each([
    [0, 1],
    [4 * 3_600, 1],
    [4 * 3_600 + 1, 2],
    [9 * 3_600, 2],
    [9 * 3_600 + 1, 3],
  ])('a wave of %d s at most is followed by %d jobs', (seconds, count) => {
    expect(jobsOfWave(seconds)).toBe(count);
  });

  test('works in the folder of the component where it has checked out, and nowhere else', () => {
    for (const [, job] of jobs(EVERYTHING)) {
      const checksOut = job.steps.some(({ uses }) => uses?.startsWith(ACTIONS.checkout.name));
      expect(job.defaults.run['working-directory']).toBe(checksOut ? 'services/orders' : undefined);
    }
  });

  test('says who has written it and how to change it', () => {
    expect(rendered().text.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/^# digest: sha256:[0-9a-f]{64}$/),
      expect.stringMatching(/^# Written by cell-factory \S+ for component orders-api/),
      expect.stringContaining('registry/components/orders-api.ts'),
      '# `cellctl pipelines render`.',
    ]);
  });
});

describe('limits', () => {
  test('are the same distance away with 10 cells and with 10,000', () => {
    const sizes = [10, 100, 1_000, 10_000].map((cells) => {
      const workflow = rendered({ cells });
      return [cells, Buffer.byteLength(workflow.text), Object.keys(parsed(workflow).jobs).length] as const;
    });
    const [, bytes] = sizes[0] ?? [];
    expect(sizes).toEqual([10, 100, 1_000, 10_000].map((cells) => [cells, bytes, 14]));
    expect(bytes).toBeLessThan(28_000);
  });

  test('more jobs and days than GitHub takes are refused, with figure, limit and way out', () => {
    const many = Array.from({ length: 39 }, (_, index) => wave(`wave-${index}`, { admit: { cells: 1 }, bake: '36h' }));
    expect(() => rendered({ rollout: { waves: [...many, wave('rest')] } })).toThrow(
      expect.objectContaining({
        code: 'PIPELINE_TOO_LARGE',
        message: expect.stringMatching(/would have .*\b\d+ jobs, of 256 at most; \d+ days that a run may take, of 35 at most/),
        fix: expect.stringContaining('fewer waves'),
      }),
    );
  });

  test('a component whose roles would have too long a name is refused', () => {
    expect(() => rendered({ name: 'a'.repeat(50) })).toThrow(/65 characters of a role, of 64/);
  });
});
