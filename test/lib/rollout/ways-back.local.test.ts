/** Ways back from rollouts that really ran: after later ones, after failed ones, and after an execution was stopped. */
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectUnlocked, threeCells } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;
const BY = { by: 'ada', reason: 'INC-42' };

beforeAll(async () => {
  lab = await RolloutLab.start(threeCells('b', 10));
});
afterAll(() => lab?.stop());
afterEach(() => expectUnlocked(lab));

type View = Awaited<ReturnType<RolloutLab['ended']>>;
const recordOf = ({ cells }: View, name: string) => cells.find((each) => each.cell === name);

/** Skips bakes, and waits for the end. */
async function hurried(id: string): Promise<View> {
  for (const wave of [0, 1, 2]) await lab.client.skipBake(id, wave, BY);
  return lab.ended(id);
}

/** A version in every cell but those that are skipped. */
async function everywhere(name: string, version: string, ...skipped: string[]): Promise<string> {
  const id = await lab.roll(name, version);
  for (const each of skipped) await lab.client.skipCell(id, each, BY);
  expect((await hurried(id)).record.status).toBe('succeeded');
  return id;
}

/** Stops executions as somebody would in the console: the rollout's, or only that of its wave. */
async function stop(id: string, which: 'rollout' | 'wave') {
  const { record, waves } = await lab.client.view(id);
  const executionArn = which === 'rollout' ? record.execution : waves.findLast(({ execution }) => execution !== undefined)?.execution;
  await new SFNClient(lab.session).send(new StopExecutionCommand({ executionArn }));
  await lab.until(id, ({ alive, record: { status } }) => !alive || status !== 'running', 'stopped');
}

describe('a rollback of a rollout that is not the last', () => {
  test('is done in exactly those cells that still run its version', async () => {
    await lab.install('b0', '1.0.0');
    const bad = await everywhere('b0', '2.0.0');
    await everywhere('b0', '3.0.0', 'alpha', 'charlie');
    expect(await lab.running('b0')).toEqual({ staging: '3.0.0', alpha: '2.0.0', charlie: '2.0.0' });
    await lab.client.rollback(bad, 'all', BY);
    const view = await lab.ended(bad);
    expect(view.record).toMatchObject({
      status: 'rolled back',
      outcome: { sentence: 'rolled back by ada: INC-42. Left as they are: staging (it runs 3.0.0)' },
    });
    expect(recordOf(view, 'staging')).toMatchObject({ status: 'replaced', sentence: 'it runs 3.0.0' });
    expect(await lab.running('b0')).toEqual({ staging: '3.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    // The next one begins as ever.
    await everywhere('b0', '4.0.0');
  });

  test('is refused while the later one is under way, and says how to end that', async () => {
    const first = await everywhere('b1', '1.0.0');
    const second = await lab.roll('b1', '2.0.0');
    await lab.baking(second, 0);
    await expect(lab.client.rollback(first, 'all', BY)).rejects.toMatchObject({
      code: 'LOCKED',
      fix: expect.stringContaining(`cellctl rollout stop ${second}`),
    });
    await lab.client.rollback(second, 'all', BY);
    expect((await lab.ended(second)).record.status).toBe('rolled back');
  });
});

describe('a start that fails', () => {
  test('because a cell is sick does not forfeit the rollback of the version that made it so', async () => {
    await lab.install('b2', '1.0.0');
    const bad = await everywhere('b2', '2.0.0');
    await lab.alarm('staging', 'latency', 'ALARM');
    const refused = await lab.ended(await lab.roll('b2', '2.0.1'));
    expect(refused.record).toMatchObject({ status: 'stopped', outcome: { cell: 'staging' } });
    await lab.client.rollback(bad, 'all', BY);
    const view = await lab.ended(bad);
    await lab.alarm('staging', 'latency', 'OK');
    expect(view.record.status).toBe('rolled back');
    expect(await lab.running('b2')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });

  test('before it has an execution does not, either', async () => {
    await lab.install('b3', '1.0.0');
    const bad = await everywhere('b3', '2.0.0');
    const digest = await lab.publish('b3', '3.0.0');
    await lab.fault({ service: 'stepfunctions', operation: 'StartExecution', code: 'AccessDeniedException', times: 1 });
    await expect(lab.start('b3', '3.0.0', digest)).rejects.toThrow();
    await lab.clearFaults();
    await lab.client.rollback(bad, 'all', BY);
    expect((await lab.ended(bad)).record.status).toBe('rolled back');
    expect(await lab.running('b3')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });
});

test('a cell that was never touched is not among those that are not rolled back, and its error names cell and call', async () => {
  await lab.install('b9', '1.0.0');
  const { accountId = '' } = lab.cell('staging').account;
  await lab.fault({ service: 'cloudformation', operation: 'CreateChangeSet', code: 'AccessDenied', times: 1_000, account: accountId });
  const view = await lab.ended(await lab.roll('b9', '2.0.0'));
  await lab.clearFaults();
  expect(view.record.status).toBe('rolled back');
  expect(view.record.outcome?.sentence).toMatch(/^staging: .*CreateChangeSet/);
  expect(view.record.outcome?.sentence).not.toContain('Not rolled back');
  expect(await lab.running('b9')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
});

test('the same version again, with an alarm, says that nothing was changed and that the cell is still sick', async () => {
  await everywhere('b4', '1.0.0');
  const id = await lab.roll('b4', '1.0.0');
  await lab.baking(id, 0);
  await lab.alarm('staging', 'latency', 'ALARM');
  const view = await lab.ended(id);
  await lab.alarm('staging', 'latency', 'OK');
  expect(view.record.outcome?.sentence).toMatch(
    /^staging: .*ALARM\. Nothing was changed in staging, which ran 1\.0\.0 before, and it is still sick$/,
  );
});

describe('an execution that somebody stops', () => {
  test.each([
    ['baking', 'b5', 'wave'],
    ['baking', 'b6', 'rollout'],
  ] as const)('while its wave is %s (%s: that of the %s) goes on forward', async (phase, name, which) => {
    const id = await lab.roll(name, '1.0.0');
    await lab.until(id, ({ waves }) => waves[0]?.status === phase, phase);
    await stop(id, which);
    await lab.client.resume(id, BY);
    expect((await hurried(id)).record.status).toBe('succeeded');
  });

  test.each([
    ['b7', 'wave'],
    ['b8', 'rollout'],
  ] as const)(
    'while it rolls every wave back (%s: that of the %s) goes on with that, for the same reason, behind the same locks',
    async (name, which) => {
      await lab.install(name, '1.0.0');
      const id = await lab.roll(name, '2.0.0');
      await lab.client.skipBake(id, 0, BY);
      await lab.baking(id, 1);
      // Nothing can be rolled back for a while: time enough to stop it.
      await lab.fault({ service: 'cloudformation', operation: 'CreateChangeSet', code: 'Throttling', times: 1_000 });
      await lab.client.rollback(id, 'all', BY);
      await lab.until(id, ({ cells }) => cells.some(({ status }) => status === 'restoring'), 'rolling back');
      expect((await lab.client.store.locks(name)).map((lock) => lock.cell)).toEqual(['alpha', 'staging']);
      await stop(id, which);
      await lab.clearFaults();
      await lab.client.resume(id, { by: 'bob', reason: 'the pager' });
      await lab.until(id, ({ cells }) => cells.some(({ status }) => status === 'restoring' || status === 'restored'), 'rolling back again');
      const view = await lab.ended(id);
      expect(view.record).toMatchObject({ status: 'rolled back', outcome: { sentence: 'rolled back by ada: INC-42' } });
      expect(await lab.running(name)).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    },
  );
});
