/** The operator's guards, one by one: what no random rollout would notice if it were gone. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Freeze } from '../../../../lib/rollout/freezes.ts';
import type { CellHealth } from '../../../../lib/rollout/health.ts';
import type { ChangeProgress } from '../../../../lib/rollout/operator/change.ts';
import { type Operation, operate } from '../../../../lib/rollout/operator/index.ts';
import type { WaveContext } from '../../../../lib/rollout/operator/rollout-work.ts';
import type { CellRecord, RolloutRecord } from '../../../../lib/rollout/rollout-record.ts';
import { MemoryRolloutStore } from '../../../_helpers/rollout-store.ts';
import { ago, NOW, rollout } from '../../../_helpers/rollout-view.ts';

const ID = 'orders-api-7';
let store: MemoryRolloutStore;
/** What the component's stack says it runs, in every cell. */
let runs: string;
/** What else the stack says. */
let status: object;
/** What a look at a cell shows; nobody may look where it is undefined. */
let seen: CellHealth | undefined;

/** Where CloudFormation is with a change. */
let looked: ChangeProgress;

beforeEach(async () => {
  store = new MemoryRolloutStore(() => NOW);
  runs = '2.0.0';
  seen = undefined;
  looked = { state: 'done', changed: true };
});

/** A rollout that has come so far. */
async function given(record: Partial<RolloutRecord> = {}) {
  const { view, cells } = rollout({ record });
  await store.create(view.plan, cells, view.record, undefined);
  const [staging] = cells[0] ?? [];
  if (!staging) throw new Error('the test has no staging cell');
  return staging;
}

const stack = () => ({
  name: 'orders-api',
  find: async () => ({
    ...{ StackName: 'orders-api', CreationTime: NOW, StackStatus: 'UPDATE_COMPLETE' as const },
    Parameters: [{ ParameterKey: 'Version', ParameterValue: runs }],
    ...status,
  }),
  template: async () => '{}',
  propose: async () => ({ state: 'working' as const, sentence: 'being made' }),
  look: async () => looked,
  execute: async () => ({ state: 'working' as const, sentence: 'being changed' }),
  remove: async () => undefined,
  reason: async () => '',
});

function step(operation: Omit<Operation, 'rollout'> & { readonly [rest: string]: unknown }) {
  const health = async () => {
    if (!seen) throw new Error('nobody may look');
    return seen;
  };
  const context: WaveContext = {
    ...{ store, homeRegion: 'eu-west-1', now: () => NOW, isRunning: async () => true, access: { stack, health } },
    published: { withdrawn: async () => new Map() },
    pipelineStatus: async () => 'InProgress',
  };
  return operate(context, { rollout: ID, ...operation } as Operation);
}

describe('an execution that no longer drives its rollout', () => {
  test.each(['preflight', 'deployed', 'look', 'rollback', 'restored', 'broken'] as const)(
    'is told to end at %s, and changes nothing',
    async (op) => {
      await given({ runs: 2 });
      const before = await store.wave(ID, 0);
      const answer = await step({ op, run: 1, wave: 0, execution: 'first', error: { Error: 'X' } });
      expect(answer).toMatchObject({ action: 'end', well: false, sentence: expect.stringContaining('another execution') });
      expect(await store.wave(ID, 0)).toEqual(before);
      expect(await store.locks('orders-api')).toEqual([]);
    },
  );

  test.each(['startDeploy', 'pollDeploy', 'startRestore', 'pollRestore', 'cellBroken'] as const)(
    'is done with its cells at %s, and changes none',
    async (op) => {
      const cell = await given({ runs: 2 });
      await store.updateCell(ID, { cell: 'staging', wave: 0, status: 'deploying' });
      expect(await step({ op, run: 1, wave: 0, cell, error: { Error: 'X' } })).toMatchObject({ action: 'done' });
      expect(await store.cell(ID, 0, 'staging')).toMatchObject({ status: 'deploying' });
    },
  );

  test('is told so between waves, too', async () => {
    await given({ execution: 'second' });
    expect(await step({ op: 'next', execution: 'first' })).toMatchObject({
      action: 'end',
      sentence: expect.stringContaining('another execution'),
    });
  });
});

test('a cell that says it runs something else, when its deployment is done, has failed', async () => {
  const cell = await given();
  await store.updateCell(ID, {
    cell: 'staging',
    wave: 0,
    status: 'deploying',
    changeSet: 'x',
    executing: true,
    startedAt: NOW.toISOString(),
  });
  runs = '1.9-hotfix';
  await step({ op: 'pollDeploy', run: 1, wave: 0, cell });
  expect(await store.cell(ID, 0, 'staging')).toMatchObject({
    status: 'failed',
    sentence: 'staging: orders-api says it runs 1.9-hotfix, not 2.0.0: somebody else has changed it',
  });
});

test('a wave that waits for an approval says so again, when its answer was lost', async () => {
  const outcome = { wave: 1, sentence: 'wave 1 waits for an approval' };
  await given({ status: 'awaiting approval', outcome });
  expect(await step({ op: 'preflight', run: 1, wave: 1, execution: 'wave' })).toEqual({
    action: 'end',
    well: true,
    sentence: outcome.sentence,
  });
});

test('a way back on which no cell has anything to roll back is passed at once', async () => {
  await given({ control: { rollback: { by: 'ada', at: NOW.toISOString(), reason: undefined, scope: 'wave' } } });
  expect(await step({ op: 'rollback', run: 1, wave: 0 })).toMatchObject({ action: 'pass' });
  expect(await store.wave(ID, 0)).toMatchObject({ status: 'rolling back' });
});

describe('a cell that may not begin leaves its place to others, and the wave waits for it before its next attempt:', () => {
  const at = NOW.toISOString();
  const freeze: Freeze = { scope: { on: 'cell', name: 'staging' }, by: 'ada', at, until: undefined, reason: 'INC-42' };
  const frozen = (...freezes: readonly Freeze[]) => Object.assign(store.freezes, { list: async () => freezes });
  const SENTENCE = 'staging is frozen by ada: INC-42';
  const attempt = (number: number) => ({ op: 'preflight', run: 1, wave: 0, execution: `attempt-${number}` }) as const;

  test('one that is frozen', async () => {
    const cell = await given({ execution: 'rollout' });
    seen = { cell: 'staging', alarms: [], missing: [], fired: [], requests: undefined };
    expect(await step(attempt(1))).toMatchObject({ action: 'go' });
    frozen(freeze);
    expect(await step({ op: 'startDeploy', run: 1, wave: 0, cell })).toMatchObject({ action: 'done' });
    expect(await store.cell(ID, 0, 'staging')).toMatchObject({ status: 'pending', waitingSince: at, heldIn: 1, sentence: SENTENCE });
    expect(await step({ op: 'watch', run: 1, wave: 0 })).toMatchObject({ action: 'done' });
    expect(await step({ op: 'deployed', run: 1, wave: 0 })).toEqual({ action: 'end', well: true, sentence: 'waits for staging' });
    const again = { action: 'wave', wave: 0, name: expect.stringMatching(/-wave-0-2$/) };
    expect(await step({ op: 'next', execution: 'rollout', stage: null })).toMatchObject(again);

    expect(await step(attempt(2))).toMatchObject({ action: 'wait', seconds: 30, sentence: SENTENCE });
    expect(await store.wave(ID, 0)).toMatchObject({ status: 'preflight', frozenSince: at, sentence: SENTENCE });
    frozen();
    expect(await step(attempt(2))).toMatchObject({ action: 'end', well: true });
    expect(await step(attempt(3))).toMatchObject({ action: 'go' });
    await step({ op: 'startDeploy', run: 1, wave: 0, cell });
    const begun = await store.cell(ID, 0, 'staging');
    expect(begun).not.toMatchObject({ heldIn: expect.anything() });
    expect(begun).not.toMatchObject({ waitingSince: expect.anything() });
    expect(begun.status).not.toBe('pending');
  });

  test('one whose calendar has closed', async () => {
    const { calendar, ...cell } = await given();
    const blackouts = [{ from: at, until: '2026-06-01T00:00:00Z', reason: 'an audit' }];
    await step({ op: 'startDeploy', run: 1, wave: 0, cell: { ...cell, calendar: { ...calendar, blackouts } } });
    expect(await store.cell(ID, 0, 'staging')).toMatchObject({ status: 'pending', sentence: 'staging is closed for an audit' });
    expect(await step({ op: 'deployed', run: 1, wave: 0 })).toMatchObject({ action: 'end', well: true });
  });
});

describe('a rollout whose cells are no longer as they were deployed does not succeed', () => {
  const deployed = { wave: 0, status: 'deployed', startedAt: NOW.toISOString(), endedAt: NOW.toISOString() } as const;
  const OUTCOME =
    'not as it was deployed: staging: orders-api runs 1.9-hotfix. `cellctl rollout resume orders-api-7` deploys it there again';

  /** All waves but these have passed, and somebody has changed staging since. */
  async function changed(...open: number[]) {
    await given({ execution: 'rollout' });
    const { waves } = await store.plan(ID);
    for (const { number } of waves)
      await store.updateWave(ID, number, { status: open.includes(number) ? 'pending' : 'passed', attempts: 1 });
    await store.updateCell(ID, { cell: 'staging', ...deployed });
    runs = '1.9-hotfix';
  }

  /** It is stopped, and a resume begins with the cell. */
  async function expectStopped() {
    expect(await store.record(ID)).toMatchObject({ status: 'stopped', outcome: { cell: 'staging', sentence: OUTCOME } });
    expect(await store.wave(ID, 0)).toMatchObject({ status: 'failed' });
    expect(await store.cell(ID, 0, 'staging')).toMatchObject({ status: 'failed' });
  }

  test('where its last wave has no cells', async () => {
    await changed(6);
    expect(await step({ op: 'preflight', run: 1, wave: 6, execution: 'wave' })).toEqual({ action: 'end', well: false, sentence: OUTCOME });
    await expectStopped();
  });

  test('where every cell of its last wave is skipped', async () => {
    await changed(2);
    const bravo = { by: 'ada', at: NOW.toISOString(), reason: undefined };
    await store.updateRecord(ID, { control: { skipCells: { bravo } } });
    expect(await step({ op: 'preflight', run: 1, wave: 2, execution: 'wave' })).toEqual({ action: 'end', well: false, sentence: OUTCOME });
    await expectStopped();
  });

  test('where it is found between waves that all have passed', async () => {
    await changed();
    expect(await step({ op: 'next', execution: 'rollout', stage: null })).toEqual({ action: 'end', well: false, sentence: OUTCOME });
    await expectStopped();
  });

  test('and one whose cells are as they were does', async () => {
    await changed(6);
    runs = '2.0.0';
    expect(await step({ op: 'preflight', run: 1, wave: 6, execution: 'wave' })).toMatchObject({ action: 'pass' });
    expect(await store.record(ID)).toMatchObject({ status: 'succeeded' });
  });
});

describe('a stack that somebody else is changing', () => {
  const busy = { StackStatus: 'UPDATE_IN_PROGRESS' as const };
  const start = async (record: Partial<CellRecord>, stackStatus = busy, startedAt = ago(600)) => {
    const cell = await given();
    await store.updateWave(ID, 0, { status: 'deploying', startedAt, begun: 0, admitted: 1 });
    await store.lock('orders-api', cell.name, ID);
    await store.updateCell(ID, { cell: cell.name, wave: 0, status: 'pending', ...record });
    status = stackStatus;
    return { cell, answer: await step({ op: 'startDeploy', run: 1, wave: 0, cell }), after: await store.cell(ID, 0, cell.name) };
  };

  test('is waited for, and the cell says so', async () => {
    const { answer, after } = await start({});
    expect(answer).toMatchObject({ action: 'again' });
    expect(after).toMatchObject({ status: 'pending', busySince: ago(0), sentence: 'staging: somebody else is changing orders-api' });
  });

  test('is waited for anew after a freeze, and after a failure', async () => {
    expect(await start({ waitingSince: ago(500) })).toMatchObject({ answer: { action: 'again' }, after: { busySince: ago(0) } });
  });

  test('is waited for anew in another attempt at the wave', async () => {
    expect(await start({ busySince: ago(500) }, busy, ago(10))).toMatchObject({
      answer: { action: 'again' },
      after: { busySince: ago(0) },
    });
  });

  test('is not waited for longer than an hour: the cell fails, and says what to do', async () => {
    const { answer, after } = await start({ busySince: ago(61) });
    expect(answer).toMatchObject({ action: 'done' });
    expect(after).toMatchObject({
      status: 'failed',
      sentence: expect.stringMatching(
        /^staging: somebody else is changing orders-api; orders-api has waited for more than 60 minutes\. .* resume/,
      ),
    });
    expect(after.busySince).toBeUndefined();
  });
});

describe('the lock of a stack', () => {
  const lock = { cell: 'staging', by: 'ada@laptop', foundationAlone: true };
  const taken = () => store.stackLocks.of('staging', NOW);
  const begun = async (record: Partial<CellRecord> = {}) => {
    status = {};
    const cell = await given();
    await store.updateWave(ID, 0, { status: 'deploying', startedAt: ago(600), begun: 0, admitted: 1 });
    await store.lock('orders-api', cell.name, ID);
    await store.updateCell(ID, { cell: cell.name, wave: 0, status: 'pending', ...record });
    return cell;
  };

  test.each([
    ['of the component by hand', 'orders-api'],
    ['of the foundation', 'Cell-staging'],
  ])('is waited for, while somebody else changes the stack %s', async (_, stack) => {
    const cell = await begun();
    await store.stackLocks.take({ ...lock, stack }, NOW);
    expect(await step({ op: 'startDeploy', run: 1, wave: 0, cell })).toMatchObject({ action: 'again' });
    expect((await store.cell(ID, 0, 'staging')).sentence).toMatch(`ada@laptop is changing ${stack} in staging, since 2026-`);
    expect(await taken()).toHaveLength(1);
  });

  test('that was lost while nobody looked keeps a change from being executed', async () => {
    const cell = await begun({ status: 'deploying', changeSet: 'x', previous: '1.0.0', executing: false, startedAt: ago(1) });
    await store.stackLocks.take({ ...lock, stack: 'orders-api' }, NOW);
    looked = { state: 'ready' };
    expect(await step({ op: 'pollDeploy', run: 1, wave: 0, cell })).toMatchObject({ action: 'poll' });
    expect(await store.cell(ID, 0, 'staging')).toMatchObject({ executing: false });
    await store.stackLocks.release({ ...lock, stack: 'orders-api' });
    await step({ op: 'pollDeploy', run: 1, wave: 0, cell });
    expect(await store.cell(ID, 0, 'staging')).toMatchObject({ executing: true });
    expect(await taken()).toMatchObject([{ by: ID, stack: 'orders-api' }]);
  });

  test('is given back when the change is done', async () => {
    const cell = await begun({ status: 'deploying', changeSet: 'x', previous: '1.0.0', executing: true, startedAt: ago(1) });
    await store.stackLocks.take({ ...lock, by: ID, stack: 'orders-api' }, NOW);
    expect(await step({ op: 'pollDeploy', run: 1, wave: 0, cell })).toMatchObject({ action: 'done' });
    expect(await taken()).toEqual([]);
  });
});

describe('a change that CloudFormation is still at', () => {
  const poll = async (minutes: number, patience?: CellRecord['patience']) => {
    const cell = await given();
    await store.updateWave(ID, 0, { status: 'deploying', startedAt: ago(600), begun: 1, admitted: 1 });
    const record = { changeSet: `${ID}-1-1`, previous: '1.0.0', executing: true, startedAt: ago(minutes) };
    await store.updateCell(ID, { cell: cell.name, wave: 0, status: 'deploying', ...record, ...(patience ? { patience } : {}) });
    looked = { state: 'working', sentence: 'orders-api is being changed' };
    const answer = await step({ op: 'pollDeploy', run: 1, wave: 0, cell });
    return { answer, after: await store.cell(ID, 0, cell.name) };
  };
  const CLASS = { seconds: 7_200, what: 'another class of the database' };

  test('is waited for as long as what changes may take, with looks a minute apart after the first hour', async () => {
    expect(await poll(30)).toMatchObject({ answer: { action: 'poll', seconds: 15 } });
    expect(await poll(119, CLASS)).toMatchObject({ answer: { action: 'poll', seconds: 60 }, after: { status: 'deploying' } });
  });

  test.each([
    [121, CLASS, '120 minutes that it has for another class of the database'],
    [61, undefined, '60 minutes that it has for the change'],
  ])('fails the cell afterwards, which says for how long and for what it was waited: %s minutes', async (minutes, patience, text) => {
    expect((await poll(minutes, patience)).after).toMatchObject({
      status: 'failed',
      sentence: `staging: orders-api took longer than the ${text}`,
    });
  });
});
