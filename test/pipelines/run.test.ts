/** Pipelines on this machine, over a repository whose Makefile and a `cellctl` that only write down how they were called. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Message } from '../../lib/messages.ts';
import { createPlan, selectComponent } from '../../lib/plan/plan.ts';
import type { Hook } from '../../lib/registry/index.ts';
import { pipelineOf } from '../../pipelines/graph.ts';
import { runPipeline, type Variables } from '../../pipelines/run.ts';
import { eventually } from '../_helpers/eventually.ts';
import { component, registry } from '../_helpers/organization.ts';

let folder: string;
let factory: string;
let messages: Message[];

const MAKEFILE = `
pipeline-build: note ; @mkdir -p dist && echo dist > .git/info/exclude && echo '{}' > dist/component.json
note: ; @printf '%s %s %s %s\\n' pipeline-build "$$COMPONENT" "$$COMPONENT_VERSION" "$\${AWS_ACCESS_KEY_ID:-none}" >> "$$CELL_FACTORY/calls"
pipeline-publish scan: ; @printf '%s %s %s %s\\n' $@ "$$COMPONENT" "$$COMPONENT_VERSION" "$\${AWS_ACCESS_KEY_ID:-none}" >> "$$CELL_FACTORY/calls"
slow: ; @trap 'echo slow was told >> "$$CELL_FACTORY/calls"; exit 1' TERM; touch "$$CELL_FACTORY/slow"; sleep 61.25 & wait; echo slow >> "$$CELL_FACTORY/calls"
broken: ; @echo 'no such thing' >&2; exit 3
`;
const CELLCTL = `#!/usr/bin/env bash
printf 'cellctl %s\\n' "$*" >> "$CELL_FACTORY/calls"
case "$1 $2" in 'rollout start') echo '{ "rollout": { "id": "orders-api-7" } }';; esac
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cell-factory-component-'));
  factory = await mkdtemp(join(tmpdir(), 'cell-factory-factory-'));
  messages = [];
  await writeFile(join(folder, 'Makefile'), MAKEFILE);
  await mkdir(join(factory, 'bin'));
  await writeFile(join(factory, 'bin', 'cellctl'), CELLCTL);
  await chmod(join(factory, 'bin', 'cellctl'), 0o755);
  const git = (...words: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words]);
  git('init', '--quiet');
  git('add', '--all');
  // Nothing of what people write may become a command.
  git('commit', '--quiet', '--date=2026-01-02T03:04:05+02:00', '-m', '$(touch pwned) `touch pwned`; touch pwned');
});

async function run(hooks: Hook[] = [], agree = async () => true, more: Partial<Parameters<typeof runPipeline>[1]> = {}) {
  const plan = createPlan(
    registry(({ settings, components }) => {
      settings.rollout = {
        ...settings.rollout,
        waves: [{ name: 'rest', prefer: 'any', admit: { rest: true }, bake: '1h', approval: true }],
        multiRegionFromWave: 1,
      };
      components['orders-api'] = component('orders-api', 100, { pipeline: { hooks } });
    }),
  );
  process.env['AWS_ACCESS_KEY_ID'] = 'secret';
  const environment = { COMPONENT: 'orders-api', CELL_FACTORY: factory, CELL_FACTORY_ORGANIZATION: 's3://x' };
  try {
    const emit = (message: Message) => messages.push(message);
    return await runPipeline(pipelineOf(plan, selectComponent(plan, 'orders-api')), { folder, environment, agree, emit, ...more });
  } finally {
    delete process.env['AWS_ACCESS_KEY_ID'];
  }
}
const calls = async () => (await readFile(join(factory, 'calls'), 'utf8')).trimEnd().split('\n');

describe('a pipeline on this machine', () => {
  test('builds without credentials, publishes, starts, and goes through every wave', async () => {
    const left = await run([{ name: 'scan', after: 'build', run: 'scan' }]);
    expect(left).toMatchObject({ ROLLOUT: 'orders-api-7', COMMIT: expect.stringMatching(/^[0-9a-f]{40}$/) });
    const { COMMIT = '', COMPONENT_VERSION = '' } = left;
    // When it was committed, and which it is.
    expect(COMPONENT_VERSION).toMatch(new RegExp(`^20\\d{6}T\\d{6}-${COMMIT.slice(0, 12)}$`));
    expect(await calls()).toEqual([
      `pipeline-build orders-api ${COMPONENT_VERSION} none`,
      `scan orders-api ${COMPONENT_VERSION} secret`,
      `pipeline-publish orders-api ${COMPONENT_VERSION} secret`,
      `cellctl rollout start orders-api --release ${COMPONENT_VERSION} --queue --reason commit ${COMMIT} --yes --json`,
      'cellctl rollout stage orders-api-7 --wave 0',
      'cellctl rollout stage orders-api-7 --wave 1 --approved --last',
    ]);
    expect(execFileSync('git', ['-C', folder, 'status', '--short']).toString()).toBe('');
  });

  test('asks the cells of a wave what its component wants to know', async () => {
    await run([{ name: 'orders-work', after: 'staging', run: 'integration-test' }]);
    expect(await calls()).toContain('cellctl pipelines hook orders-api-7 --wave 0 --target integration-test');
  });

  test('goes no further than a step that fails, and says what it said last', async () => {
    const failing = run([{ name: 'smoke', after: 'publish', run: 'broken' }]);
    await expect(failing).rejects.toMatchObject({
      code: 'PIPELINE_FAILED',
      message: expect.stringMatching(/^smoke: ended with 2:\n(.*\n)*no such thing/),
    });
    expect((await calls()).filter((call) => call.startsWith('cellctl'))).toEqual([]);
    expect(messages.at(-1)).toMatchObject({ kind: 'failed', subject: 'smoke' });
  });

  test('fails in the build when that leaves nothing to publish', async () => {
    await writeFile(join(folder, 'Makefile'), 'pipeline-build:;\n');
    await expect(run()).rejects.toMatchObject({ message: expect.stringMatching(/^build: (.*\n)*.*has left no dist\/component\.json/) });
  });

  test('ends the steps beside one that fails before it says so', async () => {
    const began = Date.now();
    const failing = run([
      { name: 'slow', after: 'publish', run: 'slow' },
      { name: 'smoke', after: 'publish', run: 'broken' },
    ]);
    await expect(failing).rejects.toMatchObject({ message: expect.stringMatching(/^smoke: ended with 2/) });
    expect(Date.now() - began).toBeLessThan(30_000);
    expect(execFileSync('bash', ['-c', `pgrep -f '[s]leep 61.25' || true`]).toString()).toBe('');
  });

  test('ends what it has begun when somebody stops it', async () => {
    const stop = new AbortController();
    const running = run([{ name: 'slow', after: 'publish', run: 'slow' }], undefined, { signal: stop.signal });
    const stopped = expect(running).rejects.toMatchObject({ code: 'PIPELINE_FAILED', message: expect.stringContaining('was ended') });
    await eventually('the step to run', async () => existsSync(join(factory, 'slow')));
    stop.abort();
    await stopped;
    expect((await calls()).filter((call) => call.startsWith('cellctl'))).toEqual([]);
  });

  test('says what steps have left before the next begins, and how long each may take', async () => {
    const left: Variables[] = [];
    await run([], undefined, { left: async (variables) => void left.push(variables) });
    expect(left.at(-1)).toMatchObject({ ROLLOUT: 'orders-api-7' });
    expect(left[1]).not.toHaveProperty('ROLLOUT');
    expect(messages.find(({ kind, subject }) => kind === 'started' && subject === 'build')?.text).toBe(
      'make pipeline-build, for 60 minutes at most',
    );
  });

  test('goes on from a step of the same commit: what was before it is done, and its rollout is found', async () => {
    await run([{ name: 'orders-work', after: 'staging', run: 'integration-test' }], undefined, { from: 'orders-work' });
    expect(await calls()).toEqual([
      expect.stringMatching(/^cellctl rollout start orders-api --release 20\d{6}T\d{6}-[0-9a-f]{12} --queue/),
      'cellctl pipelines hook orders-api-7 --wave 0 --target integration-test',
      'cellctl rollout stage orders-api-7 --wave 1 --approved --last',
    ]);
  });

  test('begins with nothing that needs what a build has left, and with no step that there is not', async () => {
    await expect(run([], undefined, { from: 'publish' })).rejects.toMatchObject({
      code: 'USAGE',
      message: '--from publish needs what the build leaves, and no run keeps that',
      fix: 'begin with one of: build, start, staging, approve-rest, rest',
    });
    await expect(run([], undefined, { from: 'nowhere' })).rejects.toMatchObject({ message: '--from nowhere is no step of the pipeline' });
    await run([], undefined, { from: 'build' });
    expect(await calls()).toHaveLength(5);
  });

  test('begins no wave that nobody has agreed to', async () => {
    await expect(run([], async () => false)).rejects.toMatchObject({ code: 'REFUSED', message: 'nobody agreed to approve-rest' });
    expect((await calls()).at(-1)).toBe('cellctl rollout stage orders-api-7 --wave 0');
  });
});
