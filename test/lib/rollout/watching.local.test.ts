/** Rollouts that look at everything that has the version until their end, on the local cloud. */
import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cell } from '../../_helpers/organization.ts';
import { addComponents } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;
const NAMES = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot'];
const everywhere = (version: string) => Object.fromEntries(['staging', ...NAMES].map((name) => [name, version]));

/** Bakes are long enough for something to happen in them; an alarm that lasts is judged after two seconds. */
const POLICY = { diagnosisTime: '100s', minRequestsPerCell: 0 };

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    for (const [index, name] of NAMES.slice(2).entries()) input.cells[name] = cell(name, 3 + index, { trafficWeight: 5 + index });
    addComponents(input, 'c', 7);
  });
});
afterAll(() => lab?.stop());

async function start(name: string, version: string, policy: object = {}): Promise<string> {
  return lab.start(name, version, await lab.publish(name, version), { ...POLICY, ...policy });
}

describe('a cell with the version falls sick', () => {
  test('while others of its wave are deployed: no more than the concurrency begin, and all are rolled back', async () => {
    await lab.install('c0', '1.0.0');
    const rest = { name: 'all', prefer: 'any' as const, admit: { rest: true as const }, bake: '100s', approval: false };
    const id = await start('c0', '2.0.0', { waves: [rest], multiRegionFromWave: 1, concurrency: 1 });
    const seen = await lab.until(
      id,
      ({ cells }) => cells.some(({ wave, status }) => wave === 1 && status === 'deployed'),
      'in a first cell',
    );
    const first = seen.cells.find(({ wave, status }) => wave === 1 && status === 'deployed')?.cell ?? '';
    await lab.alarm(first, 'latency', 'ALARM');
    const begun = (view: typeof seen) => view.cells.filter(({ wave, changeSet }) => wave === 1 && changeSet !== undefined).length;
    const before = begun(await lab.client.view(id));
    const view = await lab.ended(id);
    await lab.alarm(first, 'latency', 'OK');
    expect(begun(view) - before).toBeLessThanOrEqual(1);
    expect(begun(view)).toBeLessThan(NAMES.length);
    expect(view.record).toMatchObject({
      status: 'rolled back',
      outcome: { cell: first, sentence: expect.stringContaining('the version is to blame') },
    });
    expect(view.record.verdicts).toMatchObject([{ verdict: 'blame', numbers: { sick: 1 } }]);
    expect(await lab.running('c0')).toEqual(everywhere('1.0.0'));
  });

  test('in an earlier wave, during the last bake: everything is rolled back', async () => {
    const id = await start('c1', '1.0.0');
    await lab.baking(id, 2);
    await lab.alarm('alpha', 'latency', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('alpha', 'latency', 'OK');
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'alpha', wave: 2 } });
    expect(await lab.running('c1')).toEqual(everywhere('-'));
  });

  test('in an earlier wave and for a moment, during a later bake: a blip, which is counted and told', async () => {
    const id = await start('c2', '1.0.0');
    await lab.baking(id, 2);
    await lab.alarm('alpha', 'latency', 'ALARM');
    await lab.alarm('alpha', 'latency', 'OK');
    const view = await lab.ended(id);
    expect(view.record).toMatchObject({
      status: 'succeeded',
      verdicts: [{ verdict: 'blip', cells: ['alpha'], sentence: expect.stringContaining('cell-alpha-latency fired at') }],
    });
    expect(view.cells.find((each) => each.cell === 'alpha')).toMatchObject({ blips: 1, status: 'deployed' });
  });
});

test('stacks that were deleted and changed after their deployment keep the rollout from succeeding; who resumes it deploys there again', async () => {
  const id = await start('c3', '1.0.0');
  await lab.baking(id, 2);
  await new CloudFormationClient(lab.cell('alpha').session).send(new DeleteStackCommand({ StackName: 'c3' }));
  await lab.hotfix('charlie', 'c3', '9.9-hotfix');
  const view = await lab.ended(id);
  expect(view.record).toMatchObject({
    status: 'stopped',
    outcome: {
      cell: 'alpha',
      sentence: expect.stringContaining('not as it was deployed: alpha: c3 is gone; charlie: c3 runs 9.9-hotfix. '),
    },
  });
  expect(view.record.outcome?.sentence).toContain(`\`cellctl rollout resume ${id}\``);
  await lab.client.resume(id, { by: 'ada' });
  expect((await lab.ended(id)).record.status).toBe('succeeded');
  expect(await lab.running('c3')).toEqual(everywhere('1.0.0'));
});

test('a cell that fails within what is tolerated is rolled back alone and named, and the rollout goes on', async () => {
  await lab.install('c4', '1.0.0');
  await lab.occupy('charlie', '/c4/new');
  const digest = await lab.publish('c4', '2.0.0', {
    New: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/c4/new', Value: 'x' } },
  });
  const view = await lab.ended(await lab.start('c4', '2.0.0', digest, { ...POLICY, failureTolerance: { cells: 1 } }));
  expect(view.record).toMatchObject({
    status: 'succeeded',
    outcome: { sentence: expect.stringContaining('but for charlie (rolled back alone: charlie: c4 is') },
  });
  expect(view.cells.find((each) => each.cell === 'charlie')).toMatchObject({ apartFor: 'failure' });
  expect(await lab.running('c4')).toEqual({ ...everywhere('2.0.0'), charlie: '1.0.0' });
});

test('a cell that was sick before a larger wave is waited for, then left out and named, and gets nothing', async () => {
  await lab.alarm('charlie', 'latency', 'ALARM');
  const view = await lab.ended(await start('c6', '1.0.0'));
  await lab.alarm('charlie', 'latency', 'OK');
  expect(view.record).toMatchObject({
    status: 'succeeded',
    outcome: {
      sentence: expect.stringMatching(/but for charlie \(.*cell-charlie-latency.*, before it had the version, for more than 100s/),
    },
  });
  expect(await lab.running('c6')).toEqual({ ...everywhere('1.0.0'), charlie: '-' });
});

test('a wave of two regions is two waves, one after the other: the second region sees the version once the first has baked', async () => {
  const rest = { name: 'rest', prefer: 'any' as const, admit: { rest: true as const }, bake: '100s', approval: false };
  const id = await start('c5', '1.0.0', { waves: [{ ...rest, regions: 'one-at-a-time' }], multiRegionFromWave: 1 });
  await lab.baking(id, 1);
  expect(await lab.running('c5')).toEqual({ ...everywhere('-'), staging: '1.0.0', bravo: '1.0.0' });
  const { record, plan, waves } = await lab.ended(id);
  expect(record.status).toBe('succeeded');
  expect(plan.waves.slice(1).map(({ name, regions, cells }) => ({ name, regions, cells: cells.toSorted() }))).toEqual([
    { name: 'rest-us-east-1', regions: ['us-east-1'], cells: ['bravo'] },
    { name: 'rest-eu-west-1', regions: ['eu-west-1'], cells: NAMES.filter((name) => name !== 'bravo') },
  ]);
  const [, first, second] = waves;
  expect(first?.sentence).toMatch(/^baked /);
  expect(Date.parse(second?.deployBeganAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.endedAt ?? ''));
  expect(await lab.running('c5')).toEqual(everywhere('1.0.0'));
});
