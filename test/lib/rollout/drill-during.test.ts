import { describe, expect, test } from '@jest/globals';
import { type DrillWorld, drillMoment, untilBaking, untilJudged } from '../../../lib/rollout/drill-during.ts';
import { NOW, rollout } from '../../_helpers/rollout-view.ts';

type Story = NonNullable<Parameters<typeof rollout>[0]>;
const seen = (story: Story = {}) => rollout(story).view;
const wave = (status: NonNullable<NonNullable<Story['waves']>[number]>['status'] & string) => ({ waves: { 1: { status } } });
const sick = { wave: 1, cell: 'alpha', sentence: 'alpha: cell-alpha-server-errors in ALARM' };

/** A rollout that is like each story in turn, and like the last from then on; on a machine on which a look takes so long. */
function world(stories: readonly Story[], lookSeconds = 0.1) {
  let time = NOW.getTime();
  let looks = 0;
  const said: string[] = [];
  const it: DrillWorld = {
    look: async () => {
      time += lookSeconds * 1_000;
      return seen(stories[Math.min(looks++, stories.length - 1)]);
    },
    cell: 'alpha',
    now: () => time,
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
    say: (sentence) => said.push(sentence),
  };
  return { it, said, seconds: () => (time - NOW.getTime()) / 1_000 };
}

describe('for a drill in alpha, of wave 1, a rollout', () => {
  test.each(['pending', 'preflight', 'deploying'] as const)('is not there yet while the wave is %s', (status) => {
    const sentence = `orders-api-7 wave 1 one-quiet-cell: ${status}`;
    expect(drillMoment(seen(wave(status)), 'alpha')).toEqual({ state: 'before', sentence });
  });

  test.each(['passed', 'rolling back', 'rolled back', 'rolled back in part', 'failed'] as const)(
    'is past it when the wave is %s',
    (status) => {
      expect(drillMoment(seen(wave(status)), 'alpha').state).toBe('after');
    },
  );

  test('is past it when it has ended, however the wave is', () => {
    const story = { record: { status: 'stopped', outcome: { sentence: 'stopped by ada' } }, ...wave('pending') } as const;
    expect(drillMoment(seen(story), 'alpha')).toEqual({
      state: 'after',
      sentence: 'orders-api-7 (stopped) wave 1 one-quiet-cell: pending; stopped by ada',
    });
  });

  test('is not there yet while it is paused', () => {
    expect(drillMoment(seen({ record: { status: 'paused' } }), 'alpha')).toEqual({
      state: 'before',
      sentence: 'orders-api-7 (paused) wave 1 one-quiet-cell: pending',
    });
  });

  test('must go to the cell', () => {
    expect(() => drillMoment(seen(), 'zulu')).toThrow('orders-api-7 does not go to zulu');
  });
});

describe('the wait for the bake', () => {
  test('ends when the wave bakes, and says each change once', async () => {
    const { it, said } = world([{}, {}, wave('deploying'), wave('deploying'), wave('baking')]);
    expect((await untilBaking(it, 60)).waves[1]?.status).toBe('baking');
    expect(said).toEqual(['orders-api-7 wave 1 one-quiet-cell: pending', 'orders-api-7 wave 1 one-quiet-cell: deploying']);
  });

  test('fails on a machine so slow that the bake is over when it looks', async () => {
    const { it } = world([{}, wave('passed')], 120);
    await expect(untilBaking(it, 600)).rejects.toMatchObject({
      code: 'DRILL_FAILED',
      message: 'the drill comes too late: orders-api-7 wave 1 one-quiet-cell: passed',
      fix: expect.stringContaining('cellctl rollout start orders-api --release 2.0.0 --drill alpha'),
    });
  });

  test('fails when the rollout ends before it', async () => {
    const { it } = world([{}, { record: { status: 'stopped', outcome: { sentence: 'staging: x in ALARM' } } }]);
    await expect(untilBaking(it, 600)).rejects.toThrow(
      'too late: orders-api-7 (stopped) wave 1 one-quiet-cell: pending; staging: x in ALARM',
    );
  });

  test('ends at its deadline, however long a look takes', async () => {
    const fast = world([{}]);
    await expect(untilBaking(fast.it, 60)).rejects.toThrow(
      'orders-api-7 did not bake within 60 s: orders-api-7 wave 1 one-quiet-cell: pending',
    );
    expect(fast.seconds()).toBeLessThan(63);
    const slow = world([{}], 50);
    await expect(untilBaking(slow.it, 60)).rejects.toThrow('did not bake within 60 s');
    expect(slow.seconds()).toBeLessThan(170);
  });

  test('fails when nothing drives the rollout, unless that is for a moment', async () => {
    const dead = { alive: false };
    await expect(untilBaking(world([dead]).it, 600)).rejects.toThrow('orders-api-7 is dead');
    const { it } = world([dead, dead, {}, dead, wave('baking')]);
    expect((await untilBaking(it, 600)).waves[1]?.status).toBe('baking');
  });
});

describe('the wait for the judgement', () => {
  test('ends when the wave goes back because of the cell', async () => {
    const { it } = world([
      wave('baking'),
      { ...wave('baking'), record: { outcome: sick } },
      { ...wave('rolling back'), record: { outcome: sick } },
    ]);
    expect(await untilJudged(it, 60)).toEqual({ rollout: 'orders-api-7', wave: 1, sentence: sick.sentence });
  });

  test('has it, too, when the rollout is over by then', async () => {
    const { it } = world([{ ...wave('rolled back'), record: { status: 'rolled back', outcome: sick } }]);
    expect(await untilJudged(it, 60)).toMatchObject({ sentence: sick.sentence });
  });

  test('fails when the wave passed all the same', async () => {
    await expect(untilJudged(world([wave('baking'), wave('passed')]).it, 60)).rejects.toThrow('the wave passed before it saw the alarm');
  });

  test.each<[string, Story]>([
    [
      'bravo: y in ALARM',
      { ...wave('rolled back'), record: { status: 'rolled back', outcome: { cell: 'bravo', sentence: 'bravo: y in ALARM' } } },
    ],
    ['stopped by ada', { ...wave('failed'), record: { status: 'stopped', outcome: { sentence: 'stopped by ada' } } }],
    ['rolled back by ada', { ...wave('rolling back'), record: { outcome: { sentence: 'rolled back by ada' } } }],
  ])('fails when the wave ended for another reason: %s', async (reason, story) => {
    await expect(untilJudged(world([story]).it, 60)).rejects.toMatchObject({
      code: 'DRILL_FAILED',
      message: expect.stringMatching(new RegExp(`^it was not the alarm that ended the wave: .*${reason}$`)),
    });
  });

  test('ends at its deadline when nobody looks', async () => {
    await expect(untilJudged(world([wave('baking')]).it, 60)).rejects.toThrow('orders-api-7 did not see the alarm within 60 s');
  });
});
