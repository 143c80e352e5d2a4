/** Ways out of the runbook, by its own commands: versions that cure, a production without staging, and dependencies first. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { callIn, doneIn } from '../../_helpers/lab-cellctl.ts';
import { expectUnlocked, threeCells } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';
import { runbook } from '../../_helpers/runbook.ts';

let lab: RolloutLab;

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    threeCells('p', 2)(input);
    const { rollout } = input.settings;
    // Long enough for an alarm to clear in the middle.
    rollout.waves = rollout.waves.map((wave) => ({ ...wave, bake: '250s' }));
  });
});
afterAll(() => lab?.stop());

afterEach(async () => {
  await lab.alarm('alpha', 'latency', 'OK');
  await expectUnlocked(lab);
});

/** Starts a rollout. @param words what is given to `cellctl` @returns its id */
async function started(words: readonly string[]): Promise<string> {
  return (await doneIn<{ rollout: { id: string } }>(lab, ...words, '--yes')).rollout.id;
}

/** Skips bakes, and waits for the end. */
async function hurried(id: string) {
  for (const wave of [0, 1, 2]) await lab.client.skipBake(id, wave, { by: 'ada', reason: 'a test' });
  return lab.ended(id);
}

test('a version that does not cure a sick cell stays there, the next one cures it, and both ways back are open', async () => {
  const sick = { component: 'p0', cell: 'alpha' };
  await lab.install('p0', '1.0.0');
  for (const version of ['2.0.0', '3.0.0']) await lab.publish('p0', version);
  await lab.alarm('alpha', 'latency', 'ALARM');

  const plain = await started(runbook('cellctl rollout start <component> --release <version>', { ...sick, version: '2.0.0' }));
  const kept = await lab.ended(plain);
  expect(kept.record).toMatchObject({
    status: 'stopped',
    outcome: { cell: 'alpha', sentence: expect.stringContaining('`cellctl rollout start --cures alpha --reason …` has a version cure it') },
  });
  expect(await lab.running('p0')).toEqual({ staging: '2.0.0', alpha: '1.0.0', charlie: '1.0.0' });

  const cure = (version: string) =>
    started(runbook('cellctl rollout start <component> --release <version> --cures <cell> --reason "…"', { ...sick, version }));
  const uncured = await cure('2.0.0');
  await lab.baking(uncured, 1);
  // As when a deployment interrupts the data of an alarm: what fires again is what fired before.
  await lab.alarm('alpha', 'latency', 'INSUFFICIENT_DATA');
  await lab.alarm('alpha', 'latency', 'ALARM');
  const failed = await lab.ended(uncured);
  expect(failed.record).toMatchObject({
    status: 'stopped',
    outcome: {
      ...{ cell: 'alpha', wave: 1 },
      sentence: expect.stringMatching(
        /^alpha: .*cell-alpha-latency.* in ALARM: not cured, and it keeps the version\. `cellctl rollout start --cures alpha --reason …` has another/,
      ),
    },
  });
  // It was looked at all the while, and judged at the end.
  expect(failed.waves[1]?.bakeBeganAt).toBeDefined();
  expect(await lab.running('p0')).toEqual({ staging: '2.0.0', alpha: '2.0.0', charlie: '1.0.0' });

  const cured = await cure('3.0.0');
  await lab.baking(cured, 1);
  for (const state of ['INSUFFICIENT_DATA', 'ALARM', 'OK'] as const) await lab.alarm('alpha', 'latency', state);
  expect((await lab.ended(cured)).record).toMatchObject({ status: 'succeeded' });
  expect(await lab.running('p0')).toEqual({ staging: '3.0.0', alpha: '3.0.0', charlie: '3.0.0' });

  await doneIn(lab, ...runbook('cellctl rollout rollback <id> --wave-only --reason "…"', { id: cured }), '--yes');
  expect((await lab.ended(cured)).record).toMatchObject({
    status: 'rolled back',
    outcome: { sentence: expect.stringContaining('INC-42') },
  });
  expect(await lab.running('p0')).toEqual({ staging: '3.0.0', alpha: '3.0.0', charlie: '1.0.0' });
  const { rollouts } = await doneIn<{ rollouts: { id: string; status: string }[] }>(
    lab,
    ...runbook('cellctl rollout history <component>', sick),
  );
  expect(rollouts.map(({ id, status }) => [id, status])).toEqual([
    [cured, 'rolled back'],
    [failed.record.id, 'stopped'],
    [plain, 'stopped'],
  ]);
});

test('production without staging is refused, and goes on with a reason', async () => {
  await lab.publish('p1', '1.0.0');
  await lab.published(({ cells }) => Object.assign(cells['staging'] ?? {}, { intent: 'cordoned' }));
  try {
    const names = { component: 'p1', version: '1.0.0' };
    const plain = runbook('cellctl rollout start <component> --release <version>', names);
    const refused = await callIn(lab, ...plain, '--yes');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('ROLLOUT_NO_STAGING') });
    expect(refused.stderr).toContain('--without-staging --reason');
    expect(await callIn(lab, ...plain, '--without-staging', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('USAGE: --without-staging without a reason'),
    });
    expect(await lab.client.store.history('p1', 1)).toEqual([]);

    const id = await started(runbook('cellctl rollout start <component> --release <version> --without-staging --reason "…"', names));
    const view = await hurried(id);
    expect(view.record.status).toBe('succeeded');
    expect(view.plan).toMatchObject({ reason: 'INC-42', leftOut: [{ cell: 'staging', reason: expect.stringContaining('cordoned') }] });
    expect(await lab.running('p1')).toEqual({ staging: '-', alpha: '1.0.0', charlie: '1.0.0' });
  } finally {
    await lab.published();
  }
});

describe('a component that depends on another', () => {
  test('waits until rollouts have brought that to every cell, one that was skipped included', async () => {
    for (const name of ['orders-api', 'billing']) await lab.publish(name, '1.0.0');
    const start = (name: string) => runbook('cellctl rollout start <component> --release <version>', { component: name, version: '1.0.0' });
    const missing = 'ROLLOUT_DEPENDENCY: billing depends on orders-api, which no rollout has brought to';
    const nowhere = await callIn(lab, ...start('billing'), '--yes');
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining(`${missing} any of its cells: alpha, charlie, staging`) });
    expect(nowhere.stderr).toContain('`cellctl rollout start orders-api --release <version>` first');

    const first = await started(start('orders-api'));
    await doneIn(lab, ...runbook('cellctl rollout skip-cell <cell> --rollout <id> --reason "…"', { cell: 'charlie', id: first }));
    expect((await hurried(first)).record.outcome?.sentence).toContain('but for charlie');
    const partly = await callIn(lab, ...start('billing'), '--yes');
    expect(partly).toMatchObject({ code: 2, stderr: expect.stringContaining(`${missing} charlie`) });
    expect(partly.stderr).toContain('`cellctl rollout catch-up <cell>` for single cells');
    expect(await lab.client.store.history('billing', 1)).toEqual([]);

    await doneIn(lab, ...runbook('cellctl rollout catch-up <cell>', { cell: 'charlie' }), '--yes');
    expect(await lab.running('orders-api')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    expect((await hurried(await started(start('billing')))).record.status).toBe('succeeded');
    expect(await lab.running('billing')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });
});
