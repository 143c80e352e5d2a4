/** The shell of every step, run by bash as GitHub would, with programs that only write down how they were called. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { renderWorkflow } from '../../../pipelines/github/workflow.ts';
import { pipelineWith, wave } from '../../_helpers/pipelines.ts';
import { fakePrograms } from '../../_helpers/programs.ts';
import { parsed, repositoryOf, runSteps } from '../../_helpers/workflow.ts';

const FOLDER = 'services/orders';
const { plan, pipeline } = pipelineWith({
  component: {
    repository: { url: 'https://github.com/acme/orders-api', path: FOLDER },
    pipeline: {
      hooks: [
        { name: 'scan', after: 'build', run: 'scan' },
        { name: 'integration', after: 'staging', run: 'integration-test' },
        { name: 'board', before: 'rest', approval: true },
      ],
    },
  },
  rollout: { waves: [wave('first', { admit: { cells: 1 }, bake: '6h' }), wave('rest')] },
});
const workflow = renderWorkflow(plan, pipeline);
const repository = (message = 'Sell more', branch = 'main') =>
  repositoryOf({ [`${FOLDER}/Makefile`]: 'pipeline-build:\n' }, message, branch);
const git = (folder: string, ...words: string[]) => execFileSync('git', ['-C', folder, ...words], { encoding: 'utf8' }).trim();

async function ran(programs: ReturnType<typeof fakePrograms>, folder = repository()) {
  const result = await runSteps(workflow, { repository: folder, programs: programs.folder });
  return { ...result, calls: programs.calls(), commit: git(folder, 'rev-parse', 'HEAD') };
}

const said = (calls: ReturnType<ReturnType<typeof fakePrograms>['calls']>) =>
  calls.map(({ words }) => words.join(' ')).filter((call) => !call.startsWith('npm '));

describe('the shell of the generated steps', () => {
  let all: Awaited<ReturnType<typeof ran>>;

  beforeAll(async () => {
    all = await ran(fakePrograms());
  });

  test('builds, publishes, starts, follows each wave, and asks in between', () => {
    const { calls, steps, outputs, commit } = all;
    expect(steps.filter(({ code }) => code !== 0)).toEqual([]);
    const version = outputs.get('build')?.['COMPONENT_VERSION'] ?? '';
    expect(version).toMatch(/^\d{8}T\d{6}-[0-9a-f]{12}$/);
    expect(outputs.get('build')).toEqual({ COMMIT: commit, COMPONENT_VERSION: version });
    expect(outputs.get('start')).toEqual({ ROLLOUT: 'orders-api-7' });
    const status = 'cellctl rollout status orders-api-7 --markdown';
    expect(said(calls).map((call) => call.replace(/\S+\/temp\//g, ''))).toEqual([
      'make pipeline-build',
      'docker save --output packed/images.tar orders-api:1',
      'docker load --input packed/images.tar',
      'make scan',
      'docker load --input packed/images.tar',
      'make pipeline-publish',
      `cellctl rollout start orders-api --release ${version} --queue --reason commit ${commit} --yes --json`,
      'cellctl rollout stage orders-api-7 --wave 0',
      status,
      'cellctl pipelines hook orders-api-7 --wave 0 --target integration-test',
      'cellctl rollout stage orders-api-7 --wave 1 --for 18000s',
      status,
      'cellctl rollout stage orders-api-7 --wave 1',
      status,
      'gh api repos/acme/orders-api/environments/orders-api-board --jq any(.protection_rules[]; .type == "required_reviewers")',
      'cellctl rollout stage orders-api-7 --wave 2 --last',
      status,
    ]);
  });

  test('gives each program the variables of the contract', () => {
    const { calls, outputs } = all;
    const of = (call: string) => calls.find(({ words }) => words.join(' ').startsWith(call));
    const factory = { CELL_FACTORY_ORGANIZATION: 's3://acme-cell-registry-200000000000', CELL_FACTORY_DRIVER: 'run 1.1 on GitHub' };
    const always = { COMPONENT: 'orders-api', ...factory };
    const built = outputs.get('build');
    for (const call of ['make pipeline-build', 'make scan', 'make pipeline-publish']) {
      const { CELL_FACTORY, ...rest } = of(call)?.environment ?? {};
      expect(rest).toEqual({ ...always, ...built });
      expect(CELL_FACTORY).toMatch(/\/factory\/lib\/node_modules\/cell-factory$/);
      expect(of(call)?.folder).toMatch(/\/services\/orders$/);
    }
    const { CELL_FACTORY: _, ...following } = of('cellctl rollout stage')?.environment ?? {};
    expect(following).toEqual({ ...always, ROLLOUT: 'orders-api-7' });
  });

  test('writes a summary for each job of a wave, also of one that fails, after which nothing runs', async () => {
    const programs = fakePrograms({ failing: /^cellctl rollout stage orders-api-7 --wave 0/ });
    const { steps, skipped, summaries, calls } = await ran(programs);
    expect(steps.filter(({ code }) => code !== 0)).toEqual([expect.objectContaining({ job: 'staging', step: 'staging' })]);
    expect(summaries.get('staging')).toBe('| wave | state |\n');
    expect(skipped).toEqual(['integration', 'first', 'first_2', 'board', 'rest']);
    expect(said(calls).slice(-2)).toEqual(['cellctl rollout status orders-api-7 --markdown', 'cellctl rollout leave orders-api-7']);
  });

  test.each([
    ['the build', /^make pipeline-build/, 'build'],
    ['what installs the factory', /^npm /, 'build'],
    ['publishing', /^make pipeline-publish/, 'publish'],
    ['the start of the rollout', /^cellctl rollout start/, 'start'],
    ["a component's own step", /^cellctl pipelines hook/, 'integration'],
  ])('where %s fails, its job does, and leaves nothing', async (_, failing, job) => {
    const { steps, outputs, skipped } = await ran(fakePrograms({ failing }));
    expect(steps.filter(({ code }) => code !== 0)).toEqual([expect.objectContaining({ job, code: 1 })]);
    expect(Object.values(outputs.get(job) ?? {}).join('')).toBe('');
    expect(skipped).not.toEqual([]);
    // What has no rollout yet leaves none.
    expect(steps.some((step) => step.step === 'Leave the rollout')).toBe(job === 'integration');
  });

  test('where the factory is, the repository says; without, nothing is installed by its bare name', async () => {
    expect(all.calls.find(({ words }) => words[0] === 'npm')?.words.at(-1)).toBe('cell-factory@npm:@acme/cell-factory@0.1.0');
    const programs = fakePrograms();
    const { steps } = await runSteps(workflow, { repository: repository(), programs: programs.folder, factory: '' });
    expect(steps.at(-1)).toMatchObject({ job: 'build', step: 'The cell factory', code: 1 });
    expect(steps.at(-1)?.stdout).toContain('::error::variable CELL_FACTORY_PACKAGE is not set');
    expect(programs.calls()).toEqual([]);
  });

  test('an environment that asks nobody lets nothing through', async () => {
    const { steps, skipped } = await ran(fakePrograms({ reviewers: false }));
    const [board] = steps.filter(({ code }) => code !== 0);
    expect(board).toMatchObject({ job: 'board', code: 1 });
    expect(board?.stdout).toContain('::error::environment orders-api-board has no required reviewers');
    expect(skipped).toEqual(['rest']);
  });

  test.each([
    [
      'a message that would be shell, an expression, or a command of GitHub',
      `"; touch pwned; echo "$(touch pwned)\`touch pwned\`' \ntouch pwned\n\${{ github.token }}\n::set-output name=ROLLOUT::evil\nROLLOUT=evil`,
      'main',
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of a shell
    ['a branch that would be shell', 'Sell more', 'main;$(touch${IFS}pwned)'],
  ])('%s does nothing', async (_, message, branch) => {
    const { calls, outputs, steps, commit, folder } = await ran(fakePrograms(), repository(message, branch));
    expect(steps.filter(({ code }) => code !== 0)).toEqual([]);
    expect(outputs.get('start')).toEqual({ ROLLOUT: 'orders-api-7' });
    expect(said(calls)).toContainEqual(expect.stringMatching(new RegExp(`--reason commit ${commit} --yes`)));
    expect(JSON.stringify(calls)).not.toContain('evil');
    expect(execFileSync('find', [folder, '-name', 'pwned'], { encoding: 'utf8' })).toBe('');
  });

  test('no context of a commit is even mentioned: what GitHub fills in is ids, outputs, the token, and where the factory is', () => {
    const mentioned = new Set([...workflow.text.matchAll(/\$\{\{ (.+?) \}\}/g)].map(([, expression]) => expression));
    const others = [...mentioned].filter((expression) => !/^(needs\.[\w-]+|steps\.run)\.outputs\.[A-Z_]+$/.test(expression ?? ''));
    expect(others.sort()).toEqual(['github.run_attempt', 'github.run_id', 'github.token', 'runner.temp', 'vars.CELL_FACTORY_PACKAGE']);
    const shells = new Set(Object.values(parsed(workflow).jobs).map(({ defaults }) => defaults.run.shell));
    expect([...shells]).toEqual(['bash --noprofile --norc -euo pipefail {0}']);
  });
});
