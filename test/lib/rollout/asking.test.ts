import { describe, expect, test } from '@jest/globals';
import { type Ask, followingOf, waveToApprove, waveToSkip } from '../../../lib/rollout/asking.ts';
import { ago, publishedPlan, rollout } from '../../_helpers/rollout-view.ts';

const waves = publishedPlan().rollout.waves.map((wave, index) => ({ ...wave, approval: index === 1 || index === 3 }));
const view = (story: Parameters<typeof rollout>[0] = {}) => rollout({ policy: { waves }, ...story }).view;
const request = { by: 'ada', at: ago(1), reason: undefined };
const BAKING = { 0: { status: 'passed' }, 1: { status: 'baking' } } as const;

describe('the wave to approve', () => {
  test('is the next that needs it and has none', () => {
    expect(waveToApprove(view(), undefined)).toBe(2);
    expect(waveToApprove(view({ record: { control: { approvals: { 2: request } } } }), undefined)).toBe(4);
  });

  test('is the one that was named', () => {
    expect(waveToApprove(view(), 4)).toBe(4);
    expect(() => waveToApprove(view(), 99)).toThrow('orders-api-7 has no wave 99');
    expect(() => waveToApprove(view(), 1)).toThrow('wave 1, one-quiet-cell, needs no approval');
    expect(() => waveToApprove(view({ waves: { 2: { status: 'passed' } } }), 2)).toThrow('has passed');
  });

  test('is none where none waits', () => {
    expect(() => waveToApprove(rollout().view, undefined)).toThrow('no wave of orders-api-7 waits for an approval');
  });
});

describe('the wave whose bake is skipped', () => {
  test('is the one that bakes', () => {
    expect(waveToSkip(view({ waves: BAKING }), undefined)).toBe(1);
    expect(() => waveToSkip(view(), undefined)).toThrow('no wave of orders-api-7 bakes now');
  });

  test('is none that waits for a drill', () => {
    const sentence = 'wave 1, one-quiet-cell, waits for a drill in alpha, and never passes';
    expect(() => waveToSkip(view({ waves: BAKING, drill: 'alpha' }), undefined)).toThrow(sentence);
    expect(() => waveToSkip(view({ drill: 'alpha' }), 1)).toThrow(sentence);
    expect(waveToSkip(view({ waves: BAKING, drill: 'alpha' }), 3)).toBe(3);
  });

  test('is the one that was named, unless it has passed', () => {
    expect(waveToSkip(view({ waves: BAKING }), 3)).toBe(3);
    expect(() => waveToSkip(view({ waves: BAKING }), 0)).toThrow('wave 0, staging, has passed');
    expect(() => waveToSkip(view(), 99)).toThrow('orders-api-7 has no wave 99');
  });
});

describe('what follows', () => {
  test.each<[Ask, number | undefined, string]>([
    ['pause', undefined, 'wave 1, one-quiet-cell, bakes to its end'],
    ['stop', undefined, 'it ends at the next look at wave 1, one-quiet-cell'],
    ['resume', undefined, 'it goes on with wave 1, one-quiet-cell; cells that run 2.0.0 stay as they are'],
    ['continue', undefined, 'it goes on; the cells that are sick now keep the version'],
    ['rollback', undefined, 'rolled back in every cell'],
    ['rollback', 1, 'rolled back in its last wave'],
    ['approve', 2, 'wave 2, one-busy-cell, begins when its turn comes'],
    ['skip-bake', 1, 'wave 1, one-quiet-cell, passes at its next look'],
    ['skip-bake', 2, 'wave 2, one-busy-cell, passes as soon as it is deployed'],
  ])('%s (%s) during a bake: %s', (ask, wave, sentence) => {
    expect(followingOf(ask, view({ waves: BAKING }), wave)).toContain(sentence);
  });

  test('is another thing while cells are deployed, or while somebody is waited for', () => {
    const deploying = view({ waves: { 0: { status: 'deploying' } } });
    expect(followingOf('pause', deploying)).toMatch(/^no further cell begins.*`cellctl rollout resume orders-api-7`/);
    expect(followingOf('stop', deploying)).toMatch(/every cell keeps what it runs$/);
    expect(followingOf('approve', view({ record: { status: 'awaiting approval' } }), 2)).toBe('wave 2, one-busy-cell, begins now');
  });
});
