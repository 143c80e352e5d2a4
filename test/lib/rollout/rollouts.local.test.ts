/** Rollouts that really run: the machines, the operator's code and CloudFormation of the local cloud. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { previousKey, previousTemplateKey } from '../../../lib/rollout/rollout-record.ts';
import { cell } from '../../_helpers/organization.ts';
import { addComponents, expectUnlocked } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    input.cells['charlie'] = cell('charlie', 3, { trafficWeight: 5 });
    input.cells['delta'] = cell('delta', 4, { trafficWeight: 6 });
    addComponents(input, 'c', 14);
  });
});
afterAll(() => lab?.stop());
afterEach(() => expectUnlocked(lab));

const all = (version: string) => ({ staging: version, alpha: version, bravo: version, charlie: version, delta: version });
const statuses = (view: { waves: readonly { status: string }[] }) => view.waves.map(({ status }) => status);

describe('a rollout', () => {
  test('takes a version through staging and wave after wave, also into another region, and the next one after it', async () => {
    const first = await lab.ended(await lab.roll('orders-api', '1.0.0'));
    expect(first.record).toMatchObject({ status: 'succeeded', outcome: { sentence: 'orders-api 1.0.0 is in every cell of its waves' } });
    expect(await lab.running('orders-api')).toEqual(all('1.0.0'));
    expect(first.plan.waves.map(({ cells }) => cells)).toEqual([['staging'], ['alpha'], ['bravo', 'charlie', 'delta']]);

    const second = await lab.ended(await lab.roll('orders-api', '2.0.0'));
    expect(second.record.status).toBe('succeeded');
    expect(await lab.running('orders-api')).toEqual(all('2.0.0'));
    // Waves follow each other: none began before the one before had baked.
    for (const [index, wave] of second.waves.entries()) {
      const before = second.waves[index - 1];
      expect(Date.parse(wave.deployBeganAt ?? '')).toBeGreaterThanOrEqual(Date.parse(before?.endedAt ?? '1970-01-01'));
    }
  });

  test('of a version that runs already changes nothing', async () => {
    const id = await lab.start('orders-api', '2.0.0', await lab.publish('orders-api', '2.0.0'));
    const view = await lab.ended(id);
    expect(view.record.status).toBe('succeeded');
    expect(view.cells.map(({ unchanged }) => unchanged)).toEqual([true, true, true, true, true]);
  });
});

describe('an alarm', () => {
  test('before the wave stops the rollout, and nothing of the wave is touched', async () => {
    await lab.alarm('alpha', 'latency', 'ALARM');
    try {
      const view = await lab.ended(await lab.roll('c0', '1.0.0'));
      expect(view.record).toMatchObject({ status: 'stopped', outcome: { cell: 'alpha', wave: 1 } });
      expect(view.record.outcome?.sentence).toContain('cell-alpha-latency');
      expect(await lab.running('c0')).toEqual({ ...all('-'), staging: '1.0.0' });
    } finally {
      await lab.alarm('alpha', 'latency', 'OK');
    }
  });

  test('during the bake rolls the wave back; later cells never see the version', async () => {
    await lab.install('c1', '1.0.0');
    const id = await lab.roll('c1', '2.0.0');
    await lab.baking(id, 1);
    await lab.alarm('alpha', 'server-errors', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('alpha', 'server-errors', 'OK');
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'alpha', wave: 1 } });
    expect(await lab.running('c1')).toEqual({ ...all('1.0.0'), staging: '2.0.0' });
    expect(statuses(view)).toEqual(['passed', 'rolled back', 'pending']);
  });

  test('that came and went between two looks rolls the wave back all the same', async () => {
    // Looks so far apart that both happen between two of them.
    await lab.pace(3);
    const id = await lab.roll('c2', '1.0.0');
    await lab.baking(id, 0);
    await lab.alarm('staging', 'latency', 'ALARM');
    await lab.alarm('staging', 'latency', 'OK');
    await lab.pace();
    const view = await lab.ended(id);
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'staging', wave: 0 } });
    // It was not there before: putting back means that it is gone.
    expect(await lab.running('c2')).toEqual(all('-'));
  });

  test('in the last moment of the bake rolls the wave back', async () => {
    const digest = await lab.publish('c13', '1.0.0');
    const id = await lab.start('c13', '1.0.0', digest, { stagingBake: '200s' });
    const baking = await lab.baking(id, 0);
    await sleep(Date.parse(baking.waves[0]?.bakeUntil ?? '') - Date.now() - 250);
    await lab.alarm('staging', 'latency', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('staging', 'latency', 'OK');
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'staging', wave: 0 } });
  });

  test('without data holds the wave back for the grace, and then stops it, although the composite says OK', async () => {
    await lab.alarm('staging', 'latency', 'INSUFFICIENT_DATA');
    try {
      const view = await lab.ended(await lab.roll('c2', '1.0.1'));
      expect(view.record.status).toBe('stopped');
      expect(view.record.outcome?.sentence).toMatch(/cell-staging-latency without data, longer than the grace of 150s/);
    } finally {
      await lab.alarm('staging', 'latency', 'OK');
    }
  });
});

test('too few requests make the bake longer, and in the end fail it', async () => {
  await lab.traffic('staging', 0);
  try {
    const view = await lab.ended(await lab.roll('c3', '1.0.0'));
    expect(view.record.status).toBe('rolled back');
    expect(view.record.outcome?.sentence).toMatch(
      /^staging served (no|0) requests, and 10 are needed, even after the bake was extended by 150s/,
    );
    expect(view.waves[0]?.extended).toContain('extended until');
  } finally {
    await lab.traffic('staging', 500);
  }
});

describe('a deployment that fails', () => {
  test('lets no further cell begin, and takes the wave back', async () => {
    await lab.install('c4', '1.0.0');
    // CloudFormation refuses to create what is there already.
    await lab.occupy('charlie', '/c4/new');
    const digest = await lab.publish('c4', '2.0.0', {
      New: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/c4/new', Value: 'x' } },
    });
    // One at a time: bravo is done, and delta has its turn still to come.
    const id = await lab.start('c4', '2.0.0', digest, { concurrency: 1 });
    const view = await lab.ended(id);
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'charlie', wave: 2 } });
    expect(view.record.outcome?.sentence).toContain('New (AWS::SSM::Parameter)');
    expect(view.cells.find((each) => each.cell === 'delta')).toBeUndefined();
    expect(await lab.running('c4')).toEqual({ ...all('1.0.0'), staging: '2.0.0', alpha: '2.0.0' });
  });

  test('and can’t be rolled back either is named', async () => {
    const old = { Old: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/c5/old', Value: 'x' } } };
    await lab.install('c5', '1.0.0', old);
    const id = await lab.roll('c5', '2.0.0');
    await lab.baking(id, 0);
    await lab.occupy('staging', '/c5/old');
    await lab.alarm('staging', 'latency', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('staging', 'latency', 'OK');
    expect(view.record.status).toBe('rolled back in part');
    expect(view.record.outcome?.sentence).toMatch(/Not rolled back: staging \(.*Old \(AWS::SSM::Parameter\)/);
  });

  test('leaves a cell alone that somebody else has changed meanwhile, and names it', async () => {
    const id = await lab.roll('c12', '1.0.0');
    await lab.baking(id, 0);
    await lab.hotfix('staging', 'c12', '9.9-hotfix');
    await lab.alarm('staging', 'latency', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('staging', 'latency', 'OK');
    expect(view.record.status).toBe('rolled back in part');
    expect(view.record.outcome?.sentence).toContain('staging runs 9.9-hotfix, which this rollout did not deploy: left alone');
    expect(await lab.running('c12')).toMatchObject({ staging: '9.9-hotfix' });
  });

  test('because it would lose data is refused before it begins', async () => {
    const queue = (fifo: boolean) => ({ Jobs: { Type: 'AWS::SQS::Queue', Properties: fifo ? { FifoQueue: true } : {} } });
    await lab.install('c6', '1.0.0', queue(false));
    const view = await lab.ended(await lab.roll('c6', '2.0.0', queue(true)));
    expect(view.record.status).toBe('rolled back');
    expect(view.record.outcome?.sentence).toContain('Jobs (AWS::SQS::Queue) would be replaced');
    expect(await lab.running('c6')).toEqual(all('1.0.0'));
  });
});

test('bytes that were changed behind its back are never deployed', async () => {
  const digest = await lab.publish('c7', '1.0.0');
  await lab.overwrite('artifacts/c7/1.0.0/files/template.json', '{"Resources":{}}');
  const view = await lab.ended(await lab.start('c7', '1.0.0', digest));
  expect(view.record.status).toBe('rolled back');
  expect(view.record.outcome?.sentence).toMatch(/^staging: .*template\.json/);
  expect(await lab.running('c7')).toEqual(all('-'));
});

test('throttling is waited out', async () => {
  await lab.fault({ service: 'cloudformation', operation: 'CreateChangeSet', code: 'Throttling', times: 7 });
  const id = await lab.roll('c8', '1.0.0');
  await lab.fault({ service: 'dynamodb', operation: 'UpdateItem', code: 'ProvisionedThroughputExceededException', times: 7 });
  const view = await lab.ended(id);
  expect(view.record.status).toBe('succeeded');
});

describe('two rollouts', () => {
  test('of one component: the second is refused, whether it comes later or at the same moment', async () => {
    const digest = await lab.publish('c9', '1.0.0');
    const racers = await Promise.allSettled([lab.start('c9', '1.0.0', digest), lab.start('c9', '1.0.0', digest)]);
    const won = racers.flatMap((racer) => (racer.status === 'fulfilled' ? [racer.value] : []));
    expect(won).toHaveLength(1);
    await expect(lab.start('c9', '1.0.0', digest)).rejects.toMatchObject({ code: 'LOCKED' });
    expect((await lab.ended(won[0] ?? '')).record.status).toBe('succeeded');
  });

  test('of two components go through the same cells side by side', async () => {
    const ids = await Promise.all([lab.roll('c10', '1.0.0'), lab.roll('c11', '1.0.0')]);
    const views = await Promise.all(ids.map((id) => lab.ended(id)));
    expect(views.map(({ record }) => record.status)).toEqual(['succeeded', 'succeeded']);
  });
});

test('what ran before is kept with its template, and written once', async () => {
  const id = await lab.client.resolve('c1');
  const { objects } = lab.client.store;
  const kept = await objects.get(previousKey(id, 'alpha'));
  expect(JSON.parse(kept?.text ?? '')).toMatchObject({ there: true, version: '1.0.0' });
  const template = await objects.get(previousTemplateKey(id, 'alpha'));
  expect(JSON.parse(template?.text ?? '')).toMatchObject({ Resources: { Running: { Type: 'AWS::SSM::Parameter' } } });
  // Whoever writes a second time changes nothing.
  await lab.client.store.writeOnce(previousKey(id, 'alpha'), { there: false });
  expect(await objects.get(previousKey(id, 'alpha'))).toEqual(kept);
});
