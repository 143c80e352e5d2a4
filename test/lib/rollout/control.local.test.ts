/** What people ask of rollouts while they really run, and what becomes of those that die. */
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectUnlocked, threeCells } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;
const BY = { by: 'ada', reason: 'a test' };

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    threeCells('c', 14)(input);
    const [first, last] = input.settings.rollout.waves;
    if (first && last) input.settings.rollout.waves = [first, { ...last, approval: true }];
  });
});
afterAll(() => lab?.stop());
afterEach(() => expectUnlocked(lab));

/** Lets the last wave begin, and waits for the end. */
async function approved(id: string) {
  await lab.client.approve(id, 2, BY);
  return lab.ended(id);
}

/** A version in every cell. */
async function everywhere(name: string, version: string) {
  const id = await lab.roll(name, version);
  await lab.client.approve(id, 2, BY);
  const view = await lab.ended(id);
  expect(view.record.status).toBe('succeeded');
}

/** The execution of the rollout ends as if somebody had stopped it in the console, with the wave's. */
async function kill(id: string) {
  const { record, waves } = await lab.client.view(id);
  const machines = new SFNClient(lab.session);
  const executions = [record.execution, waves.findLast(({ execution }) => execution !== undefined)?.execution];
  for (const executionArn of executions) if (executionArn !== undefined) await machines.send(new StopExecutionCommand({ executionArn }));
  await lab.until(id, ({ alive }) => !alive, 'dead');
}

test('an approval is waited for without an execution, and the locks are kept meanwhile', async () => {
  const id = await lab.roll('c0', '1.0.0');
  const waiting = await lab.ended(id);
  expect(waiting.record).toMatchObject({ status: 'awaiting approval', outcome: { wave: 2 } });
  expect((await lab.client.store.locks('c0')).map((lock) => lock.cell)).toEqual(['alpha', 'staging']);
  expect(await lab.running('c0')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '-' });
  expect((await approved(id)).record.status).toBe('succeeded');
  expect(await lab.running('c0')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
});

describe('a stop', () => {
  test.each([
    ['preflight', 'c1'],
    ['deploying', 'c2'],
    ['baking', 'c3'],
  ])('while wave 0 is %s ends it where it is, and gives the locks back', async (phase, name) => {
    if (phase === 'preflight') await lab.alarm('staging', 'latency', 'INSUFFICIENT_DATA');
    const id = await lab.roll(name, '1.0.0');
    await lab.until(id, ({ waves }) => waves[0]?.status === phase, phase);
    await lab.client.stop(id, BY);
    const view = await lab.ended(id);
    await lab.alarm('staging', 'latency', 'OK');
    expect(view.record).toMatchObject({ status: 'stopped', outcome: { sentence: 'stopped by ada: a test' } });
    expect(await lab.running(name)).toMatchObject({ alpha: '-', charlie: '-' });
  });

  test('can be taken back: it goes on where it was, and redeploys nothing', async () => {
    const id = await lab.client.resolve('c3');
    const before = await lab.client.view(id);
    await lab.client.resume(id, BY);
    const view = await approved(id);
    expect(view.record.status).toBe('succeeded');
    const deployed = (each: typeof view) => each.cells.find(({ cell: name }) => name === 'staging');
    expect(deployed(view)).toEqual(deployed(before));
  });
});

describe('a pause', () => {
  test('lets the bake go on and begins nothing more, until it is taken back', async () => {
    const id = await lab.roll('c4', '1.0.0');
    await lab.baking(id, 0);
    await lab.client.pause(id, BY);
    const paused = await lab.ended(id);
    expect(paused.record.status).toBe('paused');
    expect(paused.waves[0]?.status).toBe('passed');
    expect(await lab.running('c4')).toEqual({ staging: '1.0.0', alpha: '-', charlie: '-' });
    await expect(lab.roll('c4', '1.0.1')).rejects.toMatchObject({ code: 'LOCKED' });
    await lab.client.resume(id, BY);
    expect((await approved(id)).record.status).toBe('succeeded');
  });
});

test('a bake that is skipped passes, and says who wanted it and why', async () => {
  const id = await lab.roll('c5', '1.0.0');
  await lab.baking(id, 0);
  await lab.client.skipBake(id, 0, BY);
  const view = await approved(id);
  expect(view.waves[0]).toMatchObject({ status: 'passed', sentence: 'bake skipped by ada: a test' });
});

describe('a rollback that a person asks for', () => {
  test('during the bake takes every wave back', async () => {
    await lab.install('c6', '1.0.0');
    const id = await lab.roll('c6', '2.0.0');
    await lab.baking(id, 1);
    await lab.client.rollback(id, 'all', BY);
    // Somebody else's resume does not take it back.
    await expect(lab.client.resume(id, BY)).rejects.toMatchObject({ code: 'REFUSED' });
    const view = await lab.ended(id);
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { sentence: 'rolled back by ada: a test' } });
    expect(await lab.running('c6')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });

  test('after the end does the same, and finds nothing more to do in an earlier one', async () => {
    await everywhere('c6', '3.0.0');
    await lab.client.rollback(await lab.client.resolve('c6'), 'all', BY);
    const view = await lab.ended(await lab.client.resolve('c6'));
    expect(view.record.status).toBe('rolled back');
    expect(await lab.running('c6')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    await lab.client.rollback('c6-1', 'all', BY);
    expect((await lab.ended('c6-1')).record.status).toBe('rolled back');
    expect(await lab.running('c6')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });
});

describe('a rollout whose execution has died', () => {
  test('is known to be dead, goes on from where it was, and leaves good cells as they are', async () => {
    const id = await lab.roll('c7', '1.0.0');
    await lab.baking(id, 1);
    await kill(id);
    const dead = await lab.client.view(id);
    expect(dead.record.status).toBe('running');
    // Nobody would hear it.
    const refused = { code: 'REFUSED', message: expect.stringContaining(`${id} is dead`) };
    await expect(lab.client.pause(id, BY)).rejects.toMatchObject(refused);
    await expect(lab.client.skipBake(id, 1, BY)).rejects.toMatchObject(refused);
    await lab.client.resume(id, BY);
    const view = await approved(id);
    expect(view.record.status).toBe('succeeded');
    for (const name of ['staging', 'alpha']) {
      expect(view.cells.find((each) => each.cell === name)).toEqual(dead.cells.find((each) => each.cell === name));
    }
  });

  test('in the middle of a deployment goes on with the change set that is there', async () => {
    const id = await lab.roll('c8', '1.0.0');
    await lab.until(id, ({ cells }) => cells.some(({ status }) => status === 'deploying'), 'deploying');
    await kill(id);
    await lab.client.resume(id, BY);
    expect((await approved(id)).record.status).toBe('succeeded');
  });

  test('on the way back goes on with that, and does not bring the version back', async () => {
    await lab.install('c10', '1.0.0');
    const id = await lab.roll('c10', '2.0.0');
    await lab.baking(id, 0);
    // Nothing can be rolled back for a while: time enough to die in it.
    await lab.fault({ service: 'cloudformation', operation: 'CreateChangeSet', code: 'Throttling', times: 1_000 });
    await lab.alarm('staging', 'latency', 'ALARM');
    await lab.until(id, ({ waves }) => waves[0]?.status === 'rolling back', 'rolling back');
    await kill(id);
    await lab.alarm('staging', 'latency', 'OK');
    await lab.clearFaults();
    await lab.client.resume(id, BY);
    const view = await lab.ended(id);
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'staging', wave: 0 } });
    expect(await lab.running('c10')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });

  test('makes way for another one, which takes its locks over', async () => {
    const id = await lab.roll('c9', '1.0.0');
    await lab.baking(id, 1);
    await kill(id);
    const next = await lab.roll('c9', '1.0.1');
    expect((await approved(next)).record.status).toBe('succeeded');
    expect((await lab.client.view(id)).record).toMatchObject({ status: 'stopped' });
    expect(await lab.running('c9')).toEqual({ staging: '1.0.1', alpha: '1.0.1', charlie: '1.0.1' });
  });
});

describe('a pipeline', () => {
  test('takes a rollout through its waves, a stage each; the newest that waits is the next, and those before it never begin', async () => {
    const first = await lab.enqueue('c11', '1.0.0');
    expect(await lab.stage(first, 0)).toMatchObject({ state: 'passed', view: { record: { status: 'between waves', through: 0 } } });
    expect(await lab.running('c11')).toEqual({ staging: '1.0.0', alpha: '-', charlie: '-' });

    const [second, third] = [await lab.enqueue('c11', '2.0.0'), await lab.enqueue('c11', '3.0.0')];
    expect((await lab.client.view(second)).record).toMatchObject({
      status: 'stopped',
      outcome: { sentence: expect.stringContaining('is newer') },
    });
    // Its turn comes when the first is over.
    await lab.client.runStage(third, { through: 0, approved: false, last: false });
    expect(await lab.stage(first, 1)).toMatchObject({ state: 'passed' });
    // Nobody has agreed to the last wave.
    expect((await lab.client.view(third)).record.status).toBe('queued');
    await lab.client.runStage(first, { through: 2, approved: false, last: true });
    await lab.until(first, ({ record }) => record.status === 'awaiting approval', 'waiting for an approval');
    const done = await lab.stage(first, 2, true, true);
    expect(done.view.record).toMatchObject({ status: 'succeeded', control: { approvals: { 2: { by: 'its pipeline' } } } });
    expect(await lab.running('c11')).toMatchObject({ alpha: '1.0.0', charlie: '1.0.0' });

    await lab.until(third, ({ record }) => record.status === 'between waves', 'through with staging');
    expect(await lab.running('c11')).toEqual({ staging: '3.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    expect(await lab.stage(third, 0)).toMatchObject({ state: 'passed' });
    // Without its pipeline, to the end.
    await lab.client.resume(third, BY);
    expect((await approved(third)).record.status).toBe('succeeded');
  });

  test('that was made when the policy had fewer waves takes the rollout to its end in its last stage', async () => {
    const id = await lab.enqueue('c12', '1.0.0');
    expect(await lab.stage(id, 0)).toMatchObject({ state: 'passed' });
    // The last that this pipeline knows of; nobody has agreed to the one after it there.
    await lab.client.runStage(id, { through: 1, approved: false, last: true });
    await lab.until(id, ({ record }) => record.status === 'awaiting approval', 'waiting for an approval');
    expect(await lab.running('c12')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '-' });
    await lab.client.approve(id, 2, BY);
    expect((await lab.ended(id)).record.status).toBe('succeeded');
    expect(await lab.stage(id, 1, false, true)).toMatchObject({ state: 'passed' });
    expect(await lab.running('c12')).toMatchObject({ charlie: '1.0.0' });
  });

  test('that has more stages than the rollout has waves passes those at once', async () => {
    const id = await lab.enqueue('c13', '1.0.0');
    for (const [through, agreed] of [
      [0, false],
      [1, false],
      [2, true],
    ] as const)
      expect(await lab.stage(id, through, agreed)).toMatchObject({ state: 'passed' });
    expect(await lab.stage(id, 3)).toMatchObject({ state: 'passed', view: { record: { status: 'succeeded' } } });
    expect(await lab.stage(id, 4, false, true)).toMatchObject({ state: 'passed' });
  });
});
