/** What keeps a rollout that really runs from beginning in a cell: freezes, skipped cells, and cells that are cordoned meanwhile. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { FreezeScope } from '../../../lib/rollout/freezes.ts';
import { expectUnlocked, threeCells } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;
const BY = { by: 'ada', reason: 'INC-42' };

beforeAll(async () => {
  lab = await RolloutLab.start(threeCells('h', 7));
});
afterAll(() => lab?.stop());
afterEach(() => expectUnlocked(lab));

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

/** Freezes for an hour, or until then. */
async function freeze(scope: FreezeScope, until = inAnHour()) {
  const made = { scope, by: BY.by, at: new Date().toISOString(), until, reason: BY.reason };
  await lab.client.store.freezes.add(made);
  return made;
}
const lift = (made: Awaited<ReturnType<typeof freeze>>) => lab.client.store.freezes.lift(made, 'ada', new Date().toISOString(), undefined);

type View = Awaited<ReturnType<RolloutLab['ended']>>;
const recordOf = (view: View, name: string) => view.cells.find((each) => each.cell === name);

describe('a freeze', () => {
  test('of a cell keeps it waiting while others of its wave are deployed, says so, and ends when it is lifted', async () => {
    const made = await freeze({ on: 'cell', name: 'alpha' });
    const rest = { name: 'all', prefer: 'any' as const, admit: { rest: true as const }, bake: '50s', approval: false };
    const id = await lab.start('h0', '1.0.0', await lab.publish('h0', '1.0.0'), { waves: [rest] });
    const sentence = `alpha is frozen until ${made.until} by ada: INC-42`;
    const waits = ({ waves: [, wave] }: View) => wave?.status === 'preflight' && wave.sentence === sentence;
    const view = await lab.until(id, waits, 'waiting for the freeze');
    expect(recordOf(view, 'alpha')).toMatchObject({ status: 'pending', heldIn: 1, sentence });
    expect(await lab.running('h0')).toEqual({ staging: '1.0.0', alpha: '-', charlie: '1.0.0' });
    await lift(made);
    expect((await lab.ended(id)).record.status).toBe('succeeded');
    expect(await lab.running('h0')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
  });

  test('of a component holds its next wave, and ends by itself', async () => {
    const made = await freeze({ on: 'component', name: 'h1' }, new Date(Date.now() + 8_000).toISOString());
    const [held, free] = [await lab.roll('h1', '1.0.0'), await lab.roll('h2', '1.0.0')];
    const sentence = `h1 is frozen until ${made.until} by ada: INC-42`;
    await lab.until(held, ({ waves }) => waves[0]?.status === 'preflight' && waves[0].sentence === sentence, 'waiting for the freeze');
    const view = await lab.ended(held);
    expect(view.record.status).toBe('succeeded');
    expect(Date.parse(view.waves[0]?.deployBeganAt ?? '')).toBeGreaterThanOrEqual(Date.parse(made.until));
    expect((await lab.ended(free)).record.status).toBe('succeeded');
  });

  test('of everything holds no rollback, and a stop is heard', async () => {
    await lab.install('h3', '1.0.0');
    const id = await lab.roll('h3', '2.0.0');
    await lab.baking(id, 0);
    const made = await freeze({ on: 'all' });
    const other = await lab.roll('h4', '1.0.0');
    await lab.client.rollback(id, 'all', BY);
    expect((await lab.ended(id)).record.status).toBe('rolled back');
    expect(await lab.running('h3')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '1.0.0' });
    await lab.until(other, ({ waves }) => waves[0]?.status === 'preflight', 'frozen');
    await lab.client.stop(other, BY);
    expect((await lab.ended(other)).record).toMatchObject({ status: 'stopped', outcome: { sentence: 'stopped by ada: INC-42' } });
    await lift(made);
  });
});

describe('a cell that is skipped', () => {
  test('holds nothing with its alarm, gets nothing, and is named with the reason', async () => {
    await lab.alarm('alpha', 'latency', 'ALARM');
    const id = await lab.roll('h5', '1.0.0');
    const sick = await lab.ended(id);
    expect(sick.record).toMatchObject({ status: 'stopped', outcome: { cell: 'alpha' } });
    await lab.client.skipCell(id, 'alpha', BY);
    await lab.client.resume(id, BY);
    const view = await lab.ended(id);
    await lab.alarm('alpha', 'latency', 'OK');
    expect(view.record).toMatchObject({
      status: 'succeeded',
      outcome: { sentence: expect.stringContaining('alpha (skipped by ada: INC-42)') },
    });
    expect(recordOf(view, 'alpha')).toMatchObject({ status: 'skipped', sentence: 'skipped by ada: INC-42' });
    expect(await lab.running('h5')).toEqual({ staging: '1.0.0', alpha: '-', charlie: '1.0.0' });
    await expect(lab.client.skipCell(id, 'charlie', BY)).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(lab.client.skipCell(id, 'zulu', BY)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

test('a cell that a newer revision cordons while a rollout runs is skipped and named', async () => {
  const id = await lab.roll('h6', '1.0.0');
  await lab.baking(id, 0);
  await lab.published(({ cells }) => Object.assign(cells['charlie'] ?? {}, { intent: 'cordoned' }));
  const view = await lab.ended(id);
  expect(view.record).toMatchObject({
    status: 'succeeded',
    outcome: { sentence: expect.stringContaining('charlie (charlie is cordoned') },
  });
  expect(recordOf(view, 'charlie')).toMatchObject({
    status: 'skipped',
    sentence: expect.stringContaining('newer than the rollout’s: 2'.replace('’', "'")),
  });
  expect(await lab.running('h6')).toEqual({ staging: '1.0.0', alpha: '1.0.0', charlie: '-' });
  await lab.published();
});
