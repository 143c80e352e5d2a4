/** One cell of many stays sick: it is rolled back alone, or a person decides. On the local cloud, with enough cells for it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RolloutPolicy } from '../../../lib/registry/index.ts';
import { doneIn } from '../../_helpers/lab-cellctl.ts';
import { cell } from '../../_helpers/organization.ts';
import { addComponents, expectUnlocked } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';
import { runbook } from '../../_helpers/runbook.ts';

let lab: RolloutLab;
const BY = { by: 'ada', reason: 'a test' };
/** With staging as many as it takes not to blame the version for one alarm that lasts; `zulu` comes after them. */
const MANY = ['alpha', 'bravo', ...Array.from({ length: 17 }, (_, index) => `fleet-${index}`)];

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    for (const [index, name] of [...MANY.slice(2), 'zulu'].entries())
      input.cells[name] = cell(name, 3 + index, { trafficWeight: 5 + index });
    addComponents(input, 'j', 3);
  });
});
afterAll(() => lab?.stop());

const POLICY: Partial<RolloutPolicy> = {
  ...{ diagnosisTime: '100s', minRequestsPerCell: 0, multiRegionFromWave: 1, concurrency: 25, rollbackConcurrency: 25 },
  waves: [
    // Long enough for three rollouts to be in it at once.
    { name: 'many', prefer: 'any', admit: { cells: MANY.length }, bake: '2000s', approval: false },
    { name: 'rest', prefer: 'any', admit: { rest: true }, bake: '50s', approval: false },
  ],
};
const everywhere = (version: string, but: Record<string, string> = {}) => ({
  ...Object.fromEntries(['staging', ...MANY, 'zulu'].map((name) => [name, version])),
  ...but,
});

test('an alarm that lasts in one cell of many: within what is tolerated it is rolled back alone; beyond that a person goes on, or back', async () => {
  const start = async (name: string, cells: number) =>
    lab.start(name, '1.0.0', await lab.publish(name, '1.0.0'), { ...POLICY, alarmTolerance: { cells } });
  const ids = await Promise.all([start('j0', 1), start('j1', 0), start('j2', 0)]);
  const [tolerated, continued, undone] = ids;
  // Seldom looked at: each look reads the records of all cells.
  for (const id of ids) await lab.until(id, ({ waves }) => waves[1]?.status === 'baking', 'baking in wave 1', 1_000);
  await lab.alarm('alpha', 'latency', 'ALARM');
  // An alarm goes before a bake that is skipped.
  for (const id of ids) await lab.client.skipBake(id, 1, BY);

  const alone = await lab.ended(tolerated);
  expect(alone.record).toMatchObject({
    status: 'succeeded',
    outcome: {
      sentence: expect.stringMatching(/but for alpha \(rolled back alone: alpha: .*cell-alpha-latency.*, which chance explains\)/),
    },
    verdicts: [{ verdict: 'alone', wave: 1, cells: ['alpha'], numbers: { sick: 1, of: MANY.length + 1 } }],
  });
  expect(await lab.running('j0')).toEqual(everywhere('1.0.0', { alpha: '-' }));

  for (const id of [continued, undone]) {
    expect((await lab.ended(id)).record).toMatchObject({
      status: 'awaiting decision',
      outcome: {
        cell: 'alpha',
        sentence: expect.stringContaining(
          'no more than 0 may be rolled back alone: `cellctl rollout continue` or `cellctl rollout rollback` decides',
        ),
      },
    });
  }
  expect(await lab.running('j1')).toEqual(everywhere('1.0.0', { zulu: '-' }));
  await doneIn(lab, ...runbook('cellctl rollout continue <id> --reason "…"', { id: continued }));
  await doneIn(lab, ...runbook('cellctl rollout rollback <id> --reason "…"', { id: undone }), '--yes');
  // Alpha is as sick as it was.
  expect((await lab.ended(continued)).record).toMatchObject({ status: 'succeeded', control: { continued: { reason: 'INC-42' } } });
  expect(await lab.running('j1')).toEqual(everywhere('1.0.0'));
  expect((await lab.ended(undone)).record).toMatchObject({
    status: 'rolled back',
    outcome: { sentence: expect.stringMatching(/^rolled back by .*: INC-42$/) },
  });
  expect(await lab.running('j2')).toEqual(everywhere('-'));
  await lab.alarm('alpha', 'latency', 'OK');
  await expectUnlocked(lab);
});
