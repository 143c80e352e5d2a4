/** What becomes of a rollout that its pipeline is to take on, by who is behind it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Sign } from '../../../../lib/rollout/drivers.ts';
import { type Operation, operate } from '../../../../lib/rollout/operator/index.ts';
import type { WaveContext } from '../../../../lib/rollout/operator/rollout-work.ts';
import type { RolloutRecord, WaveRecord } from '../../../../lib/rollout/rollout-record.ts';
import { MemoryRolloutStore } from '../../../_helpers/rollout-store.ts';
import { ago, NOW, rollout } from '../../../_helpers/rollout-view.ts';

const ID = 'orders-api-7';
const NEXT = 'orders-api-8';
const STAGE = { through: 1, approved: false, last: false };
let store: MemoryRolloutStore;
let now: Date;
/** How the pipeline on CodePipeline is, by its execution. */
let pipelines: Record<string, string>;
/** Executions of the machine that are under way. */
let running: Set<string>;

beforeEach(() => {
  now = NOW;
  store = new MemoryRolloutStore(() => now);
  pipelines = {};
  running = new Set();
});

const passed: Readonly<Record<number, Partial<WaveRecord>>> = { 0: { status: 'passed', attempts: 1 } };

/** The rollout that has gone through staging, with locks in its cells. */
async function given(record: Partial<RolloutRecord> = {}, policy: Parameters<typeof rollout>[0] = {}) {
  const { view, cells } = rollout({
    ...policy,
    record: { status: 'between waves', through: 0, runs: 1, updatedAt: ago(5), ...record },
  });
  await store.create(view.plan, cells, view.record, undefined);
  for (const [number, wave] of Object.entries(passed)) await store.updateWave(ID, Number(number), wave);
  for (const cell of view.plan.waves.flatMap((wave) => wave.cells)) await store.lock('orders-api', cell, ID);
  return view;
}

/** A later version that waits for its turn. */
async function queued() {
  const { view, cells } = rollout();
  const record = { ...view.record, id: NEXT, version: '3.0.0', status: 'queued', runs: 0 } as const;
  await store.enqueue({ ...view.plan, id: NEXT, version: '3.0.0' }, cells, record);
}

const sign = (signed: Partial<Sign> = {}) => store.drivers.sign(ID, { by: 'ada', at: ago(1), within: 300, ...signed });

function step(operation: Omit<Operation, 'rollout'> & { readonly [rest: string]: unknown }, id = ID) {
  const context: WaveContext = {
    ...{ store, homeRegion: 'eu-west-1', now: () => now, isRunning: async (execution) => running.has(execution) },
    access: {
      stack: () => {
        throw new Error('nobody may touch a stack');
      },
      health: async () => {
        throw new Error('nobody may look');
      },
    },
    published: { withdrawn: async () => new Map() },
    pipelineStatus: async (_, execution) => pipelines[execution] ?? 'unknown',
  };
  return operate(context, { rollout: id, ...operation } as Operation);
}

const next = (stage: object = STAGE, execution = 'mine', id = ID) => step({ op: 'next', execution, stage }, id);
const record = (id = ID) => store.requireRecord(id);
const later = (minutes: number) => {
  now = new Date(NOW.getTime() + minutes * 60_000);
};

describe('a rollout between two waves', () => {
  test('is looked at by an execution of its own', async () => {
    await given({ status: 'running', execution: 'mine', through: 0 });
    expect(await next(null as never)).toMatchObject({ action: 'between', well: true, name: 'orders-api-7-1-between' });
  });

  test('waits while its pipeline is there: the process that gives signs, or the execution of CodePipeline', async () => {
    await given();
    expect(await step({ op: 'idle' })).toMatchObject({ action: 'wait' });
    await sign({ always: true });
    expect(await step({ op: 'idle' })).toMatchObject({ action: 'wait' });
    pipelines['p1'] = 'InProgress';
    await store.updateRecord(ID, { pipelineExecution: 'p1' });
    expect(await step({ op: 'idle' })).toMatchObject({ action: 'wait' });
  });

  test('waits through silence of a driver that has no process between two jobs, and no longer than betweenWaves', async () => {
    await given();
    await sign({ at: ago(24 * 60), within: 3_600 });
    expect(await step({ op: 'idle' })).toMatchObject({ action: 'wait' });
    later(7 * 24 * 60 + 1);
    expect(await step({ op: 'idle' })).toMatchObject({ action: 'stage', sentence: expect.stringContaining('betweenWaves is 7d') });
  });

  test.each([
    ['a process that has died', () => sign({ at: ago(6), always: true }), 'ada has given no sign of life since'],
    [
      'one that said so',
      () => sign().then(() => store.drivers.leave(ID, 'ada', 'step integration ended with 2')),
      'step integration ended with 2',
    ],
    [
      'a pipeline that has failed',
      async () => {
        pipelines['p1'] = 'Failed';
        await store.updateRecord(ID, { pipelineExecution: 'p1' });
      },
      'execution p1 of its pipeline is Failed',
    ],
  ] as const)('is stopped when its driver is gone: %s. Cells keep what they run, and locks go', async (_, happens, why) => {
    await given();
    await happens();
    const idle = await step({ op: 'idle' });
    expect(idle).toMatchObject({ action: 'stage', sentence: expect.stringContaining(why) });
    expect(await next('stage' in idle ? idle.stage : undefined)).toMatchObject({ action: 'end', well: false });
    expect(await record()).toMatchObject({
      status: 'stopped',
      outcome: { sentence: expect.stringMatching(new RegExp(`^stopped by its pipeline: .*${why}`)) },
      control: { stop: { by: 'its pipeline', pipeline: true } },
    });
    expect(await store.locks('orders-api')).toEqual([]);
  });

  test('is rolled back when its driver is gone, where the policy says so', async () => {
    await given({}, { policy: { onPipelineFailure: 'rollback' } });
    await sign({ at: ago(6), always: true });
    const idle = await step({ op: 'idle' });
    expect(await next('stage' in idle ? idle.stage : undefined)).toMatchObject({ action: 'wave', wave: 0 });
    expect(await record()).toMatchObject({ status: 'running', control: { rollback: { by: 'its pipeline', scope: 'all' } } });
  });
});

describe('a rollout that its pipeline had left', () => {
  const left = {
    status: 'stopped',
    endedAt: ago(3),
    control: { stop: { by: 'its pipeline', at: ago(3), reason: 'x', pipeline: true } },
  } as const;

  test('is taken on where it stood, by a stage that is tried again', async () => {
    await given(left);
    expect(await next()).toMatchObject({ action: 'wave', wave: 1, run: 2 });
    expect(await record()).toMatchObject({ status: 'running', through: 1, control: {} });
    expect(await record()).not.toHaveProperty('endedAt');
  });

  test('stays so for a look that comes late, behind which there is nobody', async () => {
    await given(left);
    await sign();
    await store.drivers.leave(ID, 'ada', 'its run was stopped by hand');
    expect(await next()).toMatchObject({ action: 'end', well: false });
    expect(await record()).toMatchObject({ status: 'stopped', endedAt: ago(3) });
    await sign({ by: 'another run', at: ago(0) });
    expect(await next()).toMatchObject({ action: 'wave', wave: 1 });
  });

  test('stays so when a person had stopped it, and when another has begun since', async () => {
    await given({ ...left, control: { stop: { by: 'ada', at: ago(3), reason: 'x' } } });
    expect(await next()).toMatchObject({ action: 'end', well: false });
    await store.updateRecord(ID, { control: left.control });
    await queued();
    await next(STAGE, 'other', NEXT);
    expect(await next()).toMatchObject({ action: 'end', well: false });
    expect(await record()).toMatchObject({ status: 'stopped' });
  });

  test('before its turn came waits for it again, unless a later one was written down', async () => {
    const { view, cells } = rollout({ record: { ...left, runs: 0 } });
    await store.enqueue(view.plan, cells, view.record);
    expect(await next()).toMatchObject({ action: 'wave', wave: 0 });
    await store.updateRecord(ID, { ...left, runs: 0 });
    await queued();
    expect(await next()).toMatchObject({ action: 'end', well: false });
  });
});

describe('a rollout that waits for its turn', () => {
  test('says what for, since when, and the way out', async () => {
    await given();
    await sign({ always: true });
    await queued();
    const sentence = expect.stringMatching(
      /^waits for orders-api-7 \(orders-api 2\.0\.0\), which is between waves since 2026-.*`cellctl rollout stop orders-api-7` ends it/,
    );
    expect(await next(STAGE, 'other', NEXT)).toMatchObject({ action: 'wait', sentence });
    expect(await record(NEXT)).toMatchObject({ status: 'queued', outcome: { sentence } });
  });

  test('is not blocked by one whose pipeline is gone', async () => {
    await given();
    await sign({ at: ago(6), always: true });
    await queued();
    expect(await next(STAGE, 'other', NEXT)).toMatchObject({ action: 'wave', wave: 0 });
    expect(await record()).toMatchObject({ status: 'stopped', outcome: { sentence: expect.stringContaining('no sign of life') } });
    expect(await record(NEXT)).toMatchObject({ status: 'running' });
  });

  test('is not blocked by one whose execution has died', async () => {
    await given({ status: 'running', execution: 'dead', updatedAt: ago(5) });
    await queued();
    expect(await next(STAGE, 'other', NEXT)).toMatchObject({ action: 'wave', wave: 0 });
    expect(await record()).toMatchObject({ status: 'stopped', outcome: { sentence: expect.stringContaining('ended without a word') } });
  });

  test('waits for one whose execution was written down a moment ago, and may not be started yet', async () => {
    await given({ status: 'running', execution: 'new', updatedAt: ago(1) });
    await queued();
    expect(await next(STAGE, 'other', NEXT)).toMatchObject({ action: 'wait' });
  });

  test('ends when its own pipeline is gone, and nothing is deployed by itself later', async () => {
    await given();
    await queued();
    await store.drivers.sign(NEXT, { by: 'ada', at: ago(6), within: 300, always: true });
    expect(await next(STAGE, 'other', NEXT)).toMatchObject({ action: 'end', well: false });
    expect(await record(NEXT)).toMatchObject({
      status: 'stopped',
      outcome: { sentence: expect.stringMatching(/no sign of life since .*, before its turn came$/) },
    });
  });
});

describe('a wave of a rollout whose driver is silent', () => {
  const wave = (op: string, number: number) => step({ op, run: 1, wave: number, execution: 'wave' } as never);

  test('does not begin', async () => {
    await given({ status: 'running', execution: 'mine', through: 1 });
    await sign({ at: ago(6), within: 300 });
    expect(await wave('preflight', 1)).toMatchObject({ action: 'end', well: false });
    expect(await record()).toMatchObject({ status: 'stopped', control: { stop: { pipeline: true } } });
  });

  test('goes on to its end when it has begun; but ends at once when the driver has said that it left', async () => {
    await given({ status: 'running', execution: 'mine', through: 1 });
    await store.updateWave(ID, 1, { status: 'deploying', attempts: 1, deployBeganAt: ago(8) });
    await sign({ at: ago(6), within: 300 });
    await wave('deployed', 1);
    expect(await record()).toMatchObject({ status: 'running' });
    await store.drivers.leave(ID, 'ada', 'cancelled');
    await wave('deployed', 1);
    expect(await record()).toMatchObject({ status: 'stopped', outcome: { sentence: 'stopped by its pipeline: cancelled' } });
  });

  test('begins all the same where a person has it go on to its end', async () => {
    await given({ status: 'running', execution: 'mine' });
    await store.updateRecord(ID, { through: undefined });
    await sign({ at: ago(60), within: 300 });
    await expect(wave('preflight', 1)).rejects.toThrow('nobody may look');
  });
});

test('one that has succeeded is looked at for as long as watchAfter says', async () => {
  const view = await given({ status: 'running', execution: 'mine' }, { policy: { watchAfter: '24h' } });
  for (const { number } of view.plan.waves) await store.updateWave(ID, number, { status: 'passed', attempts: 1 });
  expect(await next(null as never)).toMatchObject({ action: 'after', well: true, name: 'orders-api-7-1-after' });
  expect(await record()).toMatchObject({ status: 'succeeded' });
});
