/** A pipeline that is run again for the same version, and what it finds of its own rollout. */
import { beforeEach, expect, test } from '@jest/globals';
import { RolloutQueue } from '../../../lib/rollout/rollout-queue.ts';
import type { Control, RolloutRecord } from '../../../lib/rollout/rollout-record.ts';
import { MemoryRolloutStore } from '../../_helpers/rollout-store.ts';
import { ago, NOW, rollout } from '../../_helpers/rollout-view.ts';

const ID = 'orders-api-7';
const STAGE = { through: 1, approved: false, last: false };
const BY = { by: 'ada', at: ago(3), reason: undefined };
let store: MemoryRolloutStore;
let queue: RolloutQueue;
let started: string[];

beforeEach(async () => {
  store = new MemoryRolloutStore(() => NOW);
  started = [];
  const executions = {
    idOf: (name: string) => name,
    start: async (name: string) => void started.push(name),
    isRunning: async (id: string) => id === 'running' || started.includes(id),
  };
  queue = new RolloutQueue(executions, store);
  for (let number = 0; number < 7; number++) await store.nextNumber('orders-api');
});

/** The rollout of before, as far as a test wants it to be. */
async function given(record: Partial<RolloutRecord>) {
  const { view, cells } = rollout({ record });
  await store.create(view.plan, cells, view.record, undefined);
  const { id: _id, startedAt: _at, ...plan } = view.plan;
  return { plan, cells };
}

const LEFT: Control = { stop: { ...BY, by: 'its pipeline', pipeline: true } };

test.each<[string, Partial<RolloutRecord>, string]>([
  ['between two waves', { status: 'between waves' }, ID],
  ['queued', { status: 'queued', runs: 0 }, ID],
  ['running', { status: 'running', execution: 'running' }, ID],
  ['paused', { status: 'paused' }, ID],
  ['stopped by its pipeline', { status: 'stopped', control: LEFT }, ID],
  ['about to stop by its pipeline', { status: 'running', execution: 'running', control: LEFT }, ID],
  ['stopped by a person', { status: 'stopped', control: { stop: BY } }, 'orders-api-8'],
  ['about to stop by a person', { status: 'running', execution: 'running', control: { stop: BY } }, 'orders-api-8'],
  ['being rolled back', { status: 'running', execution: 'running', control: { rollback: { ...BY, scope: 'all' } } }, 'orders-api-8'],
  ['rolled back', { status: 'rolled back' }, 'orders-api-8'],
  ['through', { status: 'succeeded' }, 'orders-api-8'],
  ['of another version', { status: 'between waves', version: '1.9.0' }, 'orders-api-8'],
])('the same version, %s, is taken on where it can be, and written down anew where not', async (_, record, id) => {
  expect((await queue.enqueue(await given(record))).id).toBe(id);
});

test('a stage takes back that its pipeline had left, as long as nobody has acted on it', async () => {
  await given({ status: 'running', execution: 'running', through: 1, control: LEFT });
  await queue.runStage(ID, STAGE);
  expect((await store.requireRecord(ID)).control).toEqual({});
  expect(started).toEqual([]);
});

test('a rollout that waits for its turn is awaited as long as its stage’s execution lives', async () => {
  await given({ status: 'queued', runs: 0 });
  const record = await store.requireRecord(ID);
  const own = await queue.runStage(ID, STAGE);
  expect(own).toMatch(/^orders-api-7-stage-1-/);
  expect(await queue.isAwaited(record, own)).toBe(true);
  expect(await queue.isAwaited(record, 'gone')).toBe(false);
  expect(await queue.isAwaited(record, undefined)).toBe(false);
  expect(await queue.isAwaited({ status: 'awaiting approval' }, undefined)).toBe(true);
});

test('who leaves a rollout that another drives, or that is over, changes nothing', async () => {
  await given({ status: 'between waves', through: 0 });
  await queue.sign(ID, { by: 'run 2', within: 300 });
  expect(await queue.leave(ID, 'run 1', 'failed')).toBe(false);
  expect(await queue.leave(ID, 'run 2', 'failed')).toBe(true);
  expect(started).toEqual([expect.stringMatching(/^orders-api-7-left-/)]);
  await store.updateRecord(ID, { status: 'succeeded' });
  expect(await queue.leave(ID, 'run 2', 'failed')).toBe(false);
});
