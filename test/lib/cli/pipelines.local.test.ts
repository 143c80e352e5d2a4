/** A commit that travels: a repository with a Makefile, its pipeline by `cellctl`, and the machines on a local cloud. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { createPlan, requireInitialized, selectComponent } from '../../../lib/plan/plan.ts';
import { registryBucketName } from '../../../lib/registry/index.ts';
import { GitHubRolesStack } from '../../../pipelines/github/roles-stack.ts';
import { renderWorkflow } from '../../../pipelines/github/workflow.ts';
import { pipelineOf } from '../../../pipelines/graph.ts';
import { cellctl, startCellctl } from '../../_helpers/cellctl.ts';
import { keysByToken } from '../../_helpers/github-token.ts';
import { cell, component, registry } from '../../_helpers/organization.ts';
import { createStack, withoutBootstrap } from '../../_helpers/rollout-stacks.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';
import { app } from '../../_helpers/synth.ts';
import { runSteps } from '../../_helpers/workflow.ts';

type Input = Parameters<NonNullable<Parameters<typeof registry>[0]>>[0];

let lab: RolloutLab;
let environment: Record<string, string>;
let repository: string;

/** What a rollout looks at is a parameter of the cell that says which version runs; the build takes it from a file. */
const MAKEFILE = `
pipeline-build:
	@mkdir -p cdk.out && cp assembly.json cdk.out/manifest.json && cp template.json cdk.out/orders-api.template.json
	@"$$CELL_FACTORY/bin/cellctl" component package "$$COMPONENT" --assembly cdk.out --release "$$COMPONENT_VERSION" --commit "$$COMMIT" --out dist
	@! [ -f lie ] || echo ' ' >> dist/orders-api.template.json
pipeline-publish:
	@"$$CELL_FACTORY/bin/cellctl" component publish "$$COMPONENT" --from dist
integration-test:
	@[ ! -f "${resolve(tmpdir())}/$$HOOK_LOG.broken" ]
	@echo "$$CELL_NAME $$CELL_STAGE $$CELL_REGION $$CELL_ACCOUNT_ID $$CELL_ENDPOINT $$COMPONENT_VERSION" >> "${resolve(tmpdir())}/$$HOOK_LOG"
`;
const ASSEMBLY = {
  version: '55.0.0',
  artifacts: { 'orders-api': { type: 'aws:cloudformation:stack', properties: { templateFile: 'orders-api.template.json' } } },
};
const parameter = (name: string, value: object | string) => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Type: 'String', Name: name, Value: value },
});
const TEMPLATE = {
  Parameters: { Version: { Type: 'String' } },
  Resources: { Running: parameter('/orders-api/version', { Ref: 'Version' }), Probe: parameter('/cell/probe/orders-api', '/orders-api') },
};

const git = (...words: string[]) =>
  execFileSync('git', [
    '-C',
    repository,
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    '-c',
    'commit.gpgsign=false',
    ...words,
  ]);

async function commit(files: Readonly<Record<string, string>>, message = 'change'): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(repository, name), text);
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '-m', message);
  return git('rev-parse', 'HEAD').toString().trim();
}

function organization(input: Input): void {
  const bake = { prefer: 'any', bake: '50s' } as const;
  Object.assign(input.settings.rollout, { timeScale: 0.02, stagingBake: '50s', minRequestsPerCell: 0, multiRegionFromWave: 1 });
  input.settings.rollout.waves = [
    { name: 'one', ...bake, admit: { cells: 1 }, approval: true },
    { name: 'rest', ...bake, admit: { rest: true }, approval: false },
  ];
  // The bucket of artifacts is in one region here.
  input.cells['bravo'] = cell('bravo', 2);
  const hooks = [{ name: 'orders-work', after: 'staging', run: 'integration-test' }];
  input.components['orders-api'] = component('orders-api', 100, { repository: { url: `file://${repository}` }, pipeline: { hooks } });
}

beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'cell-factory-repository-'));
  git('init', '--quiet', '--initial-branch=main');
  await commit({ Makefile: MAKEFILE, 'assembly.json': JSON.stringify(ASSEMBLY), 'template.json': JSON.stringify(TEMPLATE) });
  lab = await RolloutLab.start(organization);
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await lab.session.credentials();
  const Bucket = registryBucketName(registry().organization);
  environment = {
    ...{ AWS_ENDPOINT_URL: lab.endpoint, AWS_REGION: lab.session.region, HOOK_LOG: `cell-factory-hook-${process.pid}` },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken },
    // All that a pipeline knows of the organization.
    CELL_FACTORY_ORGANIZATION: `s3://${Bucket}`,
  };
});
afterAll(() => lab?.stop());

const call = (...args: string[]) => cellctl(args, environment);
const deliver = (...args: string[]) => call('pipelines', 'run', 'orders-api', '--json', ...args);
const everywhere = (version: string) => ({ staging: version, alpha: version, bravo: version });

describe('a commit', () => {
  let first: string;

  test('travels through its pipeline to every cell', async () => {
    const { code, stdout, stderr } = await deliver('--yes');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { COMPONENT_VERSION = '', ROLLOUT = '', COMMIT } = JSON.parse(stdout) as Record<string, string>;
    expect({ ROLLOUT, COMMIT }).toEqual({ ROLLOUT: 'orders-api-1', COMMIT: git('rev-parse', 'HEAD').toString().trim() });
    expect(await lab.running('orders-api')).toEqual(everywhere(COMPONENT_VERSION));
    first = COMPONENT_VERSION;
    // The component's own step has asked staging, before any other cell had it.
    const asked = await readFile(join(tmpdir(), environment['HOOK_LOG'] ?? ''), 'utf8');
    expect(asked).toBe(`staging staging eu-west-1 400000000000 https://staging.cells.example.com ${COMPONENT_VERSION}\n`);
    const { record } = await lab.client.view('orders-api-1');
    expect(record).toMatchObject({ status: 'succeeded', control: { approvals: { 1: { by: 'its pipeline' } } }, runs: 3 });
    expect((await call('rollout', 'status', 'orders-api-1', '--markdown')).stdout).toContain(
      `| alpha | 1 | deployed | - | ${COMPONENT_VERSION} |`,
    );
  });

  test('again is the same version: its rollout changes nothing', async () => {
    const { code, stdout } = await deliver('--yes');
    expect({ code, left: JSON.parse(stdout) as object }).toMatchObject({
      code: 0,
      left: { COMPONENT_VERSION: first, ROLLOUT: 'orders-api-2' },
    });
    expect((await lab.client.view('orders-api-2')).cells.map(({ unchanged }) => unchanged)).toEqual([true, true, true]);
  });

  test('of before can be delivered by its name, whatever its message says', async () => {
    const bad = await commit({ lie: '' }, '$(touch /tmp/pwned); `id`');
    const found = await deliver('--yes');
    expect(found.code).toBe(1);
    // A manifest that lies about its digests.
    expect(found.stderr).toMatch(/PIPELINE_FAILED.*publish: ended with [\s\S]*ARTIFACT_INVALID/);
    const good = git('rev-parse', `${bad}~1`).toString().trim();
    const again = await deliver('--yes', '--commit', good.slice(0, 12));
    expect(again.code).toBe(0);
    expect(await lab.running('orders-api')).toEqual(everywhere(first));
  });

  test('goes no further than a wave whose alarm fires, and the wave is rolled back', async () => {
    git('rm', '--quiet', 'lie');
    await commit({ note: 'two' });
    const delivery = deliver('--yes');
    const id = 'orders-api-4';
    await lab.until(id, ({ waves }) => waves[1]?.status === 'baking', 'baking in wave 1').catch(() => undefined);
    await lab.alarm('alpha', 'latency', 'ALARM');
    const { code, stderr } = await delivery;
    await lab.alarm('alpha', 'latency', 'OK');
    expect(code).toBe(1);
    expect(stderr).toMatch(/PIPELINE_FAILED.*one: ended with 1:[\s\S]*cell-alpha-latency/);
    expect(await lab.running('orders-api')).toMatchObject({ alpha: first, bravo: first });
  });
});

/** Folders of runs that are under way, or were not tidied up. */
const clones = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('cell-factory-checkout-'));

test('a run that is stopped, killed, or fails on its way leaves nobody stuck: the same commit takes its rollout on, to its end', async () => {
  const id = 'orders-api-5';
  const words = ['pipelines', 'run', 'orders-api', '--yes', '--commit', await commit({ note: 'three' })];
  const start = () => startCellctl(words, environment);
  const view = () => lab.client.view(id);

  // Somebody presses Ctrl-C in the bake of staging.
  const stopped = start();
  await lab.baking(id, 0);
  stopped.kill('SIGINT');
  expect(await stopped.ended()).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(
      new RegExp(`${id} stops, or is rolled back, as the policy says; go on with \`cellctl ${words.slice(0, 3).join(' ')}.* --commit`),
    ),
  });
  expect(await clones()).toEqual([]);
  const left = await lab.until(id, ({ record }) => record.status === 'stopped', 'stopped');
  expect(left.record.outcome?.sentence).toBe('stopped by its pipeline: its run was stopped by hand');
  expect(await lab.client.store.locks('orders-api')).toEqual([]);

  // Run again, it goes on, and its machine dies.
  const killed = start();
  await lab.until(id, ({ record, waves }) => record.status === 'running' && waves[0]?.status === 'baking', 'baking again');
  killed.kill('SIGKILL');
  await killed.ended();

  // Run again, its own step fails after staging.
  const broken = join(tmpdir(), `${environment['HOOK_LOG']}.broken`);
  await writeFile(broken, '');
  const failed = await call(...words);
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('PIPELINE_FAILED: orders-work: ended with 1') });
  await rm(broken);
  await lab.until(id, ({ record }) => record.status === 'stopped', 'stopped');
  expect((await view()).record.outcome?.sentence).toMatch(/^stopped by its pipeline: orders-work: ended with 1/);
  expect(await lab.client.store.locks('orders-api')).toEqual([]);

  // Run again from there, it goes to its end.
  expect(await call(...words, '--from', 'orders-work')).toMatchObject({ code: 0 });
  expect((await view()).record).toMatchObject({ status: 'succeeded', control: { approvals: { 1: { by: 'its pipeline' } } } });
  expect((await lab.client.history('orders-api', 10)).map((record) => record.id)).not.toContain('orders-api-6');
});

test('the shell of every step of the workflow on GitHub, run as it is by the roles of its jobs, does the same', async () => {
  await commit({ note: 'three' });
  const plan = requireInitialized(createPlan(registry(organization)));
  const workflow = renderWorkflow(plan, pipelineOf(plan, selectComponent(plan, 'orders-api')));
  // The same component, where GitHub would know its repository.
  const entry = selectComponent(plan, 'orders-api');
  const github = { url: 'https://github.com/acme/orders-api', github: { ownerId: 1, repositoryId: 2 } };
  const roles = new GitHubRolesStack(app(), plan, { ...entry, repository: { ...entry.repository, ...github } });
  await createStack(lab.session, 'roles', withoutBootstrap(Template.fromStack(roles).toJSON()));
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, AWS_SESSION_TOKEN: ___, ...withoutKeys } = environment;
  const { steps, outputs, skipped, summaries } = await runSteps(workflow, {
    repository,
    programs: programs(),
    environment: withoutKeys,
    become: (role) => keysByToken(lab.endpoint, role, { sub: 'repo:acme@1/orders-api@2:ref:refs/heads/main' }),
    timeout: 240_000,
  });
  expect(steps.filter(({ code }) => code !== 0)).toEqual([]);
  expect(skipped).toEqual([]);
  const { COMPONENT_VERSION = '', COMMIT } = outputs.get('build') ?? {};
  expect(COMMIT).toBe(git('rev-parse', 'HEAD').toString().trim());
  expect(await lab.running('orders-api')).toEqual(everywhere(COMPONENT_VERSION));
  expect(await readFile(join(tmpdir(), environment['HOOK_LOG'] ?? ''), 'utf8')).toMatch(
    new RegExp(`^staging .* ${COMPONENT_VERSION}$`, 'm'),
  );
  // What people read on the page of the run.
  expect(summaries.get('rest')).toContain(`| bravo | 2 | deployed | `);
  const { record } = await lab.client.view(outputs.get('start')?.['ROLLOUT'] ?? '');
  expect(record).toMatchObject({ status: 'succeeded', version: COMPONENT_VERSION });
});

/** What a runner of GitHub has and this machine has not: npm that installs the factory, which is this one, and gh. */
function programs(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cell-factory-programs-'));
  const write = (name: string, ...lines: string[]) =>
    writeFileSync(join(folder, name), ['#!/bin/bash', 'set -eu', ...lines, ''].join('\n'), { mode: 0o755 });
  write(
    'npm',
    'while [ "$1" != --prefix ]; do shift; done',
    'mkdir -p "$2/lib/node_modules"',
    `ln -sfn "${resolve('.')}" "$2/lib/node_modules/cell-factory"`,
  );
  write('gh', 'echo true');
  return folder;
}

describe('what is wrong is said', () => {
  test.each([
    ['a component that there is none of', ['billings'], 2, 'COMPONENT_UNKNOWN'],
    ['a repository that is not there', ['orders-api', '--yes', '--repository', '/nowhere'], 1, 'REPOSITORY_UNREACHABLE'],
    ['a commit that is none', ['orders-api', '--commit', '--upload-pack=id'], 2, 'USAGE'],
    ['a commit that is not there', ['orders-api', '--yes', '--commit', '0123456789'], 1, 'REPOSITORY_UNREACHABLE'],
    ['an approval without a terminal', ['orders-api'], 2, 'USAGE'],
  ])('of %s', async (_, args, code, problem) => {
    const found = await call('pipelines', 'run', ...args);
    expect({ code: found.code, said: found.stderr }).toEqual({ code, said: expect.stringContaining(problem) });
  });

  test('of a branch that is missing', async () => {
    git('branch', '-m', 'main', 'trunk');
    try {
      const { code, stderr } = await deliver('--yes');
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/REPOSITORY_UNREACHABLE.*main/) });
    } finally {
      git('branch', '-m', 'trunk', 'main');
    }
  });

  test('of a Makefile without a target', async () => {
    await commit({ Makefile: 'pipeline-publish:\n\t@:\n' });
    const { code, stderr } = await deliver('--yes');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/PIPELINE_FAILED.*build: ended with [\s\S]*pipeline-build/),
    });
  });
});
