import { describe, expect, test } from '@jest/globals';
import type { AccountRecord, AccountStep } from '../../../lib/accounts/account-record.ts';
import { creationTimes, forecastAccounts, inWords } from '../../../lib/accounts/forecast.ts';
import { LIMITS, TokenBucket } from '../../../lib/accounts/rates.ts';
import { VirtualClock } from '../../_helpers/clock.ts';

const clock = new VirtualClock();
const now = clock.now();
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

const record = (name: string, step: AccountStep, secondsAgo: number, rest: Partial<AccountRecord> = {}): AccountRecord => ({
  name: `cell-${name}`,
  email: `${name}@example.com`,
  cell: name,
  step,
  since: ago(secondsAgo),
  attempts: 0,
  warnings: [],
  run: 'ada',
  history: [{ step, at: ago(secondsAgo) }],
  ...rest,
});

/** One that took 40 s to be created and 60 s to be set up. */
const measured = record('done', 'ready', 100, {
  history: [
    { step: 'creating', at: ago(200) },
    { step: 'created', at: ago(160) },
    { step: 'ready', at: ago(100) },
  ],
});

const rows = (records: AccountRecord[], holder: string | null = 'ada') => {
  const bucket = new TokenBucket(LIMITS.create, clock);
  return forecastAccounts({ records, now, waitFor: (n) => bucket.waitFor(n), pace: 1, heldBy: holder ?? undefined }).map(
    ({ cell, etaMs, stuck }) => ({
      cell,
      ...(etaMs === undefined ? {} : { eta: etaMs / 1000 }),
      ...(stuck === undefined ? {} : { stuck }),
    }),
  );
};

describe('the forecast', () => {
  test('reckons with tokens, places in flight, and what creations have taken', () => {
    const waiting = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => record(name, 'waiting', 5));
    expect(rows([measured, record('now', 'creating', 15), ...waiting])).toEqual([
      { cell: 'done' },
      { cell: 'now', eta: 25 + 60 },
      // Three at once by the burst, in four free places; then by the rate, and by the places.
      { cell: 'a', eta: 100 },
      { cell: 'b', eta: 100 },
      { cell: 'c', eta: 100 },
      { cell: 'd', eta: 110 },
      { cell: 'e', eta: 125 },
      { cell: 'f', eta: 140 },
    ]);
  });

  test('says what is stuck, and why', () => {
    const problem = { in: 'creating', reason: 'INVALID_EMAIL', advice: 'correct it' } as const;
    expect(
      rows([
        record('slow', 'placing', 301),
        record('fine', 'placing', 299),
        record('bad', 'failed', 5, { problem }),
        record('full', 'waiting', 5, { problem }),
      ]).map(({ cell, stuck }) => `${cell}: ${stuck}`),
    ).toEqual(['slow: placing takes 5 minutes at most', 'fine: undefined', 'bad: failed in creating', 'full: waits for a person']);
    expect(rows([record('left', 'services', 5), measured], null)).toEqual([
      { cell: 'left', stuck: 'nobody is working on it: run `cellctl accounts`' },
      { cell: 'done' },
    ]);
  });

  test('never has more in flight than AWS allows', () => {
    const times = creationTimes(20, () => 0, [5, 5], 100);
    expect(times.slice(0, 5)).toEqual([100, 100, 100, 105, 105]);
    expect(times.at(-1)).toBe(405);
  });

  test.each([
    [44_600, '45 s'],
    [600_000, '10 min'],
    [9_960_000, '2 h 46 min'],
  ])('writes %d ms as %s', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });
});
