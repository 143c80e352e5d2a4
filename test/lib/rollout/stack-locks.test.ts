import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StackLocks } from '../../../lib/rollout/stack-locks.ts';
import { runs } from '../../_helpers/properties.ts';
import { MemoryRolloutStore } from '../../_helpers/rollout-store.ts';

const NOW = new Date('2026-03-02T12:00:00.000Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const FOUNDATION = 'Cell-alpha';
let locks: StackLocks;
beforeEach(() => {
  locks = new MemoryRolloutStore(() => NOW).stackLocks;
});

const take = (by: string, stack: string, at = NOW, cell = 'alpha', foundationAlone = true) =>
  locks.take({ cell, stack, by, foundationAlone }, at);

describe('the lock of a stack in a cell', () => {
  test('is had by one at a time, who may take it again', async () => {
    expect(await take('orders-7', 'orders')).toBeUndefined();
    expect(await take('orders-7', 'orders', later(10))).toBeUndefined();
    expect(await take('ada', 'orders', later(20))).toMatchObject({ by: 'orders-7', since: NOW.toISOString() });
    await locks.release({ cell: 'alpha', stack: 'orders', by: 'ada' });
    expect(await take('ada', 'orders', later(20))).toMatchObject({ by: 'orders-7' });
    await locks.release({ cell: 'alpha', stack: 'orders', by: 'orders-7' });
    expect(await take('ada', 'orders', later(20))).toBeUndefined();
  });

  test('runs out when nobody renews it, and then it is whose who takes it', async () => {
    await take('orders-7', 'orders');
    expect(await take('ada', 'orders', later(300))).toMatchObject({ by: 'orders-7' });
    expect(await take('ada', 'orders', later(301))).toBeUndefined();
    expect(await take('orders-7', 'orders', later(302))).toMatchObject({ by: 'ada' });
  });

  test('is nobody else’s in another cell, and for another component', async () => {
    await take('orders-7', 'orders');
    expect(await take('orders-8', 'orders', NOW, 'bravo')).toBeUndefined();
    expect(await take('search-3', 'search')).toBeUndefined();
  });

  test('of a foundation keeps components from being changed, and waits for those that are', async () => {
    await take('orders-7', 'orders');
    expect(await take('base-2', FOUNDATION)).toMatchObject({ stack: 'orders' });
    // It keeps its place: no further component begins.
    expect(await take('search-3', 'search')).toMatchObject({ by: 'base-2', stack: FOUNDATION });
    expect(await locks.of('alpha', NOW)).toHaveLength(2);
    await locks.release({ cell: 'alpha', stack: 'orders', by: 'orders-7' });
    expect(await take('base-2', FOUNDATION)).toBeUndefined();
    await locks.release({ cell: 'alpha', stack: FOUNDATION, by: 'base-2' });
    expect(await take('search-3', 'search')).toBeUndefined();
  });

  test('excludes nothing else where the policy says so', async () => {
    await take('orders-7', 'orders', NOW, 'alpha', false);
    expect(await take('base-2', FOUNDATION, NOW, 'alpha', false)).toBeUndefined();
  });

  test('is held for a piece of work, and given back however that ends', async () => {
    const wanted = { cell: 'alpha', stack: 'orders', by: 'ada', foundationAlone: true };
    await expect(locks.hold(wanted, async () => locks.of('alpha', new Date()))).resolves.toMatchObject([{ by: 'ada' }]);
    await expect(locks.hold(wanted, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await locks.of('alpha', new Date())).toEqual([]);
    await take('orders-7', 'orders', new Date());
    await expect(locks.hold(wanted, async () => 1, 0)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(/^orders-7 is changing orders in alpha, since 20/),
      fix: expect.stringMatching(/^run it again when that is done; if it died, its lock runs out at 20/),
    });
  });

  test('is never had by two, and no component has one beside its foundation, whoever comes when', async () => {
    const who = fc.record({
      by: fc.constantFrom('a', 'b', 'c'),
      stack: fc.constantFrom('orders', 'search', FOUNDATION),
      what: fc.constantFrom('take', 'take', 'release'),
      wait: fc.integer({ min: 0, max: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(who, { maxLength: 40 }), async (steps) => {
        locks = new MemoryRolloutStore(() => NOW).stackLocks;
        let at = NOW;
        // Who was told that they may change the stack, and until when.
        const may = new Map<string, { by: string; until: number }>();
        for (const { by, stack, what, wait } of steps) {
          at = new Date(at.getTime() + wait * 1_000);
          for (const [name, { until }] of may) if (until < at.getTime()) may.delete(name);
          if (what === 'release') {
            await locks.release({ cell: 'alpha', stack, by });
            if (may.get(stack)?.by === by) may.delete(stack);
            continue;
          }
          if (await take(by, stack, at)) continue;
          expect(may.get(stack)?.by ?? by).toBe(by);
          const excluded = [...may].filter(
            ([name, other]) => other.by !== by && name !== stack && (name === FOUNDATION || stack === FOUNDATION),
          );
          expect(excluded).toEqual([]);
          may.set(stack, { by, until: at.getTime() + 300_000 });
        }
      }),
      { numRuns: runs(500) },
    );
  });
});
