/** What a rollout's cells are looked at for after it has succeeded. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { RolloutClient } from '../../../../lib/rollout/client.ts';
import type { CellHealth } from '../../../../lib/rollout/health.ts';
import { type Operation, operate } from '../../../../lib/rollout/operator/index.ts';
import type { WaveContext } from '../../../../lib/rollout/operator/rollout-work.ts';
import type { CellRecord, RolloutRecord } from '../../../../lib/rollout/rollout-record.ts';
import { MemoryRolloutStore } from '../../../_helpers/rollout-store.ts';
import { ago, NOW, rollout } from '../../../_helpers/rollout-view.ts';

const ID = 'orders-api-7';
let store: MemoryRolloutStore;
/** Cells whose alarm fires now. */
let firing: Set<string>;
/** From when on alarms were asked for, by cell. */
let asked: Map<string, string | undefined>;

beforeEach(() => {
  store = new MemoryRolloutStore(() => NOW);
  firing = new Set();
  asked = new Map();
});

const SUCCEEDED = { status: 'succeeded', runs: 1, execution: 'own', startedAt: ago(500), endedAt: ago(60) } as const;

/** A rollout that has succeeded an hour ago, in staging, alpha and bravo. */
async function given(record: Partial<RolloutRecord> = {}, policy: Parameters<typeof rollout>[0] = {}) {
  const { view, cells } = rollout({ ...policy, record: { ...SUCCEEDED, ...record } });
  await store.create(view.plan, cells, view.record, undefined);
  for (const [wave, list] of cells.entries()) {
    for (const { name: cell } of list) {
      await store.updateCell(ID, { cell, wave, status: 'deployed', startedAt: ago(400), endedAt: ago(390) } as CellRecord);
    }
  }
}

function step(operation: Omit<Operation, 'rollout'> & { readonly [rest: string]: unknown } = { op: 'after' }) {
  const health: WaveContext['access']['health'] = async ({ name }, { firedSince }): Promise<CellHealth> => {
    asked.set(name, firedSince);
    const state = firing.has(name) ? ('ALARM' as const) : ('OK' as const);
    return { cell: name, alarms: [{ name: `cell-${name}-latency`, state }], missing: [], fired: [], requests: undefined };
  };
  const stack = () => {
    throw new Error('nothing is done to a stack');
  };
  const context: WaveContext = {
    ...{ store, homeRegion: 'eu-west-1', now: () => NOW, isRunning: async () => true, access: { stack, health } },
    published: { withdrawn: async () => new Map() },
    pipelineStatus: async () => 'InProgress',
  };
  return operate(context, { rollout: ID, ...operation } as Operation);
}
const sick = async () => (await store.requireRecord(ID)).afterwards?.sick.map(({ cell }) => cell);

describe('after a success', () => {
  test('every cell is looked at, for alarms since then, a hundred times in all', async () => {
    await given();
    firing.add('bravo');
    expect(await step()).toMatchObject({ action: 'wait', seconds: 864, sentence: '1 of 3 cells fell sick since' });
    expect(Object.fromEntries(asked)).toEqual({ staging: ago(60), alpha: ago(60), bravo: ago(60) });
    const { afterwards, status } = await store.requireRecord(ID);
    const known = { cell: 'bravo', sentence: 'bravo: cell-bravo-latency in ALARM' };
    expect({ afterwards, status }).toEqual({
      status: 'succeeded',
      afterwards: { until: ago(60 - 24 * 60), lookedAt: ago(0), sick: [known] },
    });
  });

  test('a cell that was sick stays named when it is well again', async () => {
    await given();
    firing.add('bravo');
    await step();
    firing = new Set(['alpha']);
    await step();
    expect(await sick()).toEqual(['bravo', 'alpha']);
  });

  test('a cell that a later rollout has touched is looked at no longer, and one that it has not is', async () => {
    await given();
    firing = new Set(['alpha', 'bravo']);
    const later = rollout({ record: { id: 'orders-api-8', startedAt: ago(30), runs: 1 } });
    await store.create({ ...later.view.plan, id: 'orders-api-8', startedAt: ago(30) }, later.cells, later.view.record, ID);
    await store.updateCell('orders-api-8', { cell: 'alpha', wave: 1, status: 'deploying', startedAt: ago(20) } as CellRecord);
    await store.updateCell('orders-api-8', { cell: 'bravo', wave: 2, status: 'pending', waitingSince: ago(20) } as CellRecord);
    await step();
    expect(await sick()).toEqual(['bravo']);
  });

  test.each([
    ['its time is over', { endedAt: ago(24 * 60 + 1) }],
    ['it is rolled back', { status: 'rolled back' as const }],
    ['it goes on', { status: 'running' as const }],
  ])('nothing is looked at once %s', async (_, record) => {
    await given(record);
    expect(await step()).toMatchObject({ action: 'end' });
    expect(asked.size).toBe(0);
  });

  test('nothing is looked at once every cell has got something else', async () => {
    await given();
    for (const cell of ['staging', 'alpha', 'bravo']) await store.updateCell(ID, { cell, status: 'restored' });
    expect(await step()).toMatchObject({ action: 'end' });
  });

  test('the last look is when the time is over', async () => {
    await given({ endedAt: ago(24 * 60 - 2) });
    expect(await step()).toMatchObject({ action: 'wait', seconds: 120 });
  });
});

test('what looks have shown is gone once somebody has the rollout go on, or back: the next success begins anew', async () => {
  await given();
  firing.add('bravo');
  await step();
  expect(await sick()).toEqual(['bravo']);
  const executions = { idOf: (name: string) => name, start: async () => undefined, isRunning: async () => false };
  await new RolloutClient(executions, store).rollback(ID, 'all', { by: 'eve' });
  expect(await store.requireRecord(ID)).toMatchObject({ status: 'running' });
  expect(await sick()).toBeUndefined();
});

describe('the execution of a rollout', () => {
  const next = { op: 'next', execution: 'own', stage: null } as const;

  test('begins the looks when it has succeeded, and ends well', async () => {
    await given();
    expect(await step(next)).toEqual({ action: 'after', well: true, sentence: 'succeeded', name: 'orders-api-7-1-after' });
  });

  test('begins none where the policy wants none, or the rollout has not succeeded', async () => {
    await given({}, { policy: { watchAfter: '0s' } });
    expect(await step(next)).toMatchObject({ action: 'end', well: true });
    await store.updateRecord(ID, { status: 'stopped' });
    expect(await step(next)).toMatchObject({ action: 'end', well: false });
  });
});
