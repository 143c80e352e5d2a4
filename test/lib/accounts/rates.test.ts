import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket } from '../../../lib/accounts/rates.ts';
import { VirtualClock } from '../../_helpers/clock.ts';

const RATE = { perSecond: 0.1, burst: 3 };

/** Takes `gaps.length` tokens, each asked for a while after the one before; gives the moments, in ms from the start. */
async function takes(gaps: readonly number[], rate = RATE, earlier: readonly number[] = []): Promise<number[]> {
  const clock = new VirtualClock();
  const start = clock.now();
  const bucket = new TokenBucket(rate, clock);
  bucket.charge(earlier.map((ago) => start - ago));
  const moments: number[] = [];
  const all = gaps.map(async (_, index) => {
    await clock.sleep(gaps.slice(0, index + 1).reduce((sum, gap) => sum + gap, 0));
    await bucket.take();
    moments.push(clock.now() - start);
  });
  await clock.run(Promise.all(all));
  return moments;
}

/** True when a bucket that was full at the first moment has a token for each. */
function allowed(moments: readonly number[], { perSecond, burst } = RATE): boolean {
  let tokens = burst;
  let last = moments[0] ?? 0;
  return moments.every((moment) => {
    tokens = Math.min(burst, tokens + ((moment - last) * perSecond) / 1000) - 1;
    last = moment;
    return tokens > -1e-6;
  });
}

const gaps = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 30 });
const rates = fc.record({ perSecond: fc.constantFrom(0.1, 0.5, 2), burst: fc.integer({ min: 1, max: 5 }) });

describe('a token bucket', () => {
  test('gives the burst at once, and then one token per interval', async () => {
    expect(await takes([0, 0, 0, 0, 0])).toEqual([0, 0, 0, 10_000, 20_000]);
  });

  test('never gives more than the rate allows, and gives none away', async () => {
    await fc.assert(
      fc.asyncProperty(gaps, rates, async (each, rate) => {
        const moments = await takes(each, rate);
        expect(moments).toHaveLength(each.length);
        expect([...moments].sort((a, b) => a - b)).toEqual(moments);
        expect(allowed(moments, rate)).toBe(true);
        // As soon as possible: who has no token waits no longer than for those before.
        const asked = each.map((_, index) => each.slice(0, index + 1).reduce((sum, gap) => sum + gap, 0));
        const interval = 1000 / rate.perSecond;
        moments.forEach((moment, index) => {
          expect(moment).toBeLessThanOrEqual((asked[index] ?? 0) + (index + 1) * interval);
        });
      }),
    );
  });

  test('counts takes of a run before, in any order', async () => {
    const earlier = fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(earlier, fc.integer({ min: 1, max: 6 }), async (ago, count) => {
        const before = [...ago].sort((a, b) => b - a).map((ms) => -ms);
        fc.pre(allowed(before));
        const moments = await takes(Array<number>(count).fill(0), RATE, ago);
        expect(allowed([...before, ...moments])).toBe(true);
      }),
    );
  });

  test('says how long the n-th token takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 8 }), async (taken, n) => {
        const clock = new VirtualClock();
        const bucket = new TokenBucket(RATE, clock);
        for (let count = 0; count < taken; count++) void bucket.take();
        const [start, said] = [clock.now(), bucket.waitFor(n)];
        await clock.run(Promise.all(Array.from({ length: n }, () => bucket.take())));
        expect(clock.now() - start).toBe(said);
      }),
    );
  });

  test('that AWS calls empty waits a whole interval', async () => {
    const clock = new VirtualClock();
    const bucket = new TokenBucket(RATE, clock);
    bucket.drained();
    expect(bucket.waitFor(1)).toBe(10_000);
  });
});
