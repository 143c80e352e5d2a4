import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Hours, openAt, openTogether } from '../../../lib/plan/calendar.ts';
import type { Calendar } from '../../../lib/registry/index.ts';

type Window = Calendar['windows'][number];

const ALL_DAYS: Window['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const WORKDAYS: Window['days'] = ['mon', 'tue', 'wed', 'thu', 'fri'];
const calendar = (timeZone: string, windows: Window[], blackouts: Calendar['blackouts'] = []): Calendar => ({
  timeZone,
  windows,
  blackouts,
});
const daily = (timeZone: string, from: string, until: string) => calendar(timeZone, [{ days: ALL_DAYS, from, until }]);
const closed = (from: string, until: string, reason = 'Christmas') => ({ from, until, reason });

/** `open`, or until when it is closed. */
function told(calendars: Hours[], instant: string): string {
  const opening = openAt(calendars, new Date(instant));
  return opening.open ? 'open' : (opening.until?.toISOString() ?? 'never');
}

describe('a calendar', () => {
  test('without windows and blackouts is always open', () => {
    expect(told([], '2026-03-29T01:30:00Z')).toBe('open');
    expect(told([calendar('UTC', [])], '2026-03-29T01:30:00Z')).toBe('open');
  });

  test.each([
    ['before a window, the same day', '2026-03-02T08:59:59Z', '2026-03-02T09:00:00.000Z'],
    ['at its first moment', '2026-03-02T09:00:00Z', 'open'],
    ['at its last', '2026-03-02T16:59:59.999Z', 'open'],
    ['at its end, which is no part of it', '2026-03-02T17:00:00Z', '2026-03-03T09:00:00.000Z'],
    ['on Friday evening', '2026-03-06T18:00:00Z', '2026-03-09T09:00:00.000Z'],
    ['on Sunday', '2026-03-08T12:00:00Z', '2026-03-09T09:00:00.000Z'],
  ])('%s', (_, instant, expected) => {
    expect(told([calendar('UTC', [{ days: WORKDAYS, from: '09:00', until: '17:00' }])], instant)).toBe(expected);
  });

  test('counts days in its own time zone', () => {
    const mondays = calendar('Pacific/Auckland', [{ days: ['mon'], from: '00:00', until: '24:00' }]);
    // Monday in Auckland begins on Sunday at 11:00 UTC (summer time, +13).
    expect(told([mondays], '2026-01-04T10:59:59Z')).toBe('2026-01-04T11:00:00.000Z');
    expect(told([mondays], '2026-01-05T10:59:59Z')).toBe('open');
    expect(told([mondays], '2026-01-05T11:00:00Z')).toBe('2026-01-11T11:00:00.000Z');
  });

  test('keeps its hours by the clock when that changes', () => {
    const hours = daily('Europe/Berlin', '09:00', '17:00');
    expect(told([hours], '2026-03-28T17:00:00Z')).toBe('2026-03-29T07:00:00.000Z');
    expect(told([hours], '2026-10-24T17:00:00Z')).toBe('2026-10-25T08:00:00.000Z');
    const there = daily('America/New_York', '09:00', '17:00');
    expect(told([there], '2026-03-07T23:00:00Z')).toBe('2026-03-08T13:00:00.000Z');
  });

  describe('where the clock is put forward, from 02:00 to 03:00', () => {
    test.each([
      [
        'a window that begins in the hour left out begins when that would',
        '02:30',
        '04:00',
        '2026-03-29T00:59:00Z',
        '2026-03-29T01:00:00.000Z',
      ],
      ['and is open from there on', '02:30', '04:00', '2026-03-29T01:00:00Z', 'open'],
      ['one that ends in it ends there', '01:00', '02:30', '2026-03-29T00:59:59Z', 'open'],
      ['and is closed from there on', '01:00', '02:30', '2026-03-29T01:00:00Z', '2026-03-29T23:00:00.000Z'],
      ['one that lies in it is none on that day', '02:15', '02:45', '2026-03-29T00:30:00Z', '2026-03-30T00:15:00.000Z'],
    ])('%s', (_, from, until, instant, expected) => {
      expect(told([daily('Europe/Berlin', from, until)], instant)).toBe(expected);
    });

    test('and once a week, it is the week after', () => {
      const sundays = calendar('Europe/Berlin', [{ days: ['sun'], from: '02:15', until: '02:45' }]);
      expect(told([sundays], '2026-03-23T12:00:00Z')).toBe('2026-04-05T00:15:00.000Z');
    });
  });

  describe('where the clock is rolled back, from 03:00 to 02:00', () => {
    test.each([
      ['a time that is shown twice counts the first time: for the beginning', '02:30', '04:00', '2026-10-25T00:30:00Z', 'open'],
      ['and the window stays open while it is shown again', '02:30', '04:00', '2026-10-25T01:10:00Z', 'open'],
      ['until its end by the clock', '02:30', '04:00', '2026-10-25T03:00:00Z', '2026-10-26T01:30:00.000Z'],
      ['for the end', '01:00', '02:30', '2026-10-25T00:29:59Z', 'open'],
      ['which does not open again', '01:00', '02:30', '2026-10-25T01:10:00Z', '2026-10-26T00:00:00.000Z'],
      ['a whole day has 25 hours', '00:00', '24:00', '2026-10-25T22:59:59Z', 'open'],
    ])('%s', (_, from, until, instant, expected) => {
      expect(told([daily('Europe/Berlin', from, until)], instant)).toBe(expected);
    });
  });

  test('has zones whose clocks change by half an hour, and at midnight', () => {
    // Lord Howe Island goes from 02:00 to 02:30 on 2026-10-04, +10:30 to +11.
    expect(told([daily('Australia/Lord_Howe', '02:15', '03:00')], '2026-10-03T15:29:00Z')).toBe('2026-10-03T15:30:00.000Z');
    // In Beirut, the day of 2026-03-29 begins at 01:00.
    expect(told([calendar('Asia/Beirut', [{ days: ['sun'], from: '00:00', until: '00:30' }])], '2026-03-28T21:59:00Z')).toBe(
      '2026-04-04T21:00:00.000Z',
    );
  });

  describe('with a window that goes past midnight', () => {
    const nights = calendar('Europe/Berlin', [{ days: ['fri'], from: '22:00', until: '04:00' }]);
    test.each([
      ['is open in the evening', '2026-02-06T22:00:00Z', 'open'],
      ['and after midnight, on a day it does not name', '2026-02-07T02:59:59Z', 'open'],
      ['until its end', '2026-02-07T03:00:00Z', '2026-02-13T21:00:00.000Z'],
      ['not on the morning of its day', '2026-02-06T02:00:00Z', '2026-02-06T21:00:00.000Z'],
    ])('%s', (_, instant, expected) => {
      expect(told([nights], instant)).toBe(expected);
    });

    test('ends at midnight by either name', () => {
      for (const until of ['00:00', '24:00']) {
        expect(told([daily('UTC', '22:00', until)], '2026-02-06T23:59:59Z')).toBe('open');
        expect(told([daily('UTC', '22:00', until)], '2026-02-07T00:00:00Z')).toBe('2026-02-07T22:00:00.000Z');
      }
    });
  });

  test('joins windows that touch', () => {
    const days = calendar('Europe/Berlin', [
      { days: ['sat'], from: '08:00', until: '24:00' },
      { days: ['sun'], from: '00:00', until: '12:00' },
      { days: ['sun'], from: '12:00', until: '13:00' },
    ]);
    expect(['2026-02-07T22:59:59Z', '2026-02-07T23:00:00Z', '2026-02-08T11:00:00Z'].map((instant) => told([days], instant))).toEqual([
      'open',
      'open',
      'open',
    ]);
  });

  describe('with blackouts', () => {
    const hours = (...blackouts: Calendar['blackouts']) => calendar('UTC', [{ days: WORKDAYS, from: '09:00', until: '17:00' }], blackouts);
    test.each([
      ['inside of a window, opens again in it', [closed('2026-03-02T10:00:00Z', '2026-03-02T12:00:00+01:00')], '2026-03-02T11:00:00.000Z'],
      ['to the end of a window, opens with the next', [closed('2026-03-02T10:00:00Z', '2026-03-02T17:00:00Z')], '2026-03-03T09:00:00.000Z'],
      [
        'that overlap, opens after the last',
        [closed('2026-03-02T10:00:00Z', '2026-03-02T12:00:00Z'), closed('2026-03-02T11:00:00Z', '2026-03-03T10:30:00Z')],
        '2026-03-03T10:30:00.000Z',
      ],
      ['that are over, knows nothing of them', [closed('2026-03-01T10:00:00Z', '2026-03-02T10:30:00Z')], 'open'],
      ['longer than a year, never does', [closed('2026-01-01T00:00:00Z', '2028-01-01T00:00:00Z')], 'never'],
    ])('%s', (_, blackouts, expected) => {
      expect(told([hours(...blackouts)], '2026-03-02T10:30:00Z')).toBe(expected);
    });

    test('also of another calendar that has nothing else', () => {
      const organization = { blackouts: [closed('2026-12-20T00:00:00Z', '2026-12-28T00:00:00Z', 'the holidays')] };
      expect(told([hours(), organization], '2026-12-22T12:00:00Z')).toBe('2026-12-28T09:00:00.000Z');
    });
  });

  test('says what keeps it closed', () => {
    const hours = calendar('Europe/Berlin', [{ days: ['sat', 'sun'], from: '09:00', until: '17:00' }]);
    expect(openAt([hours], new Date('2026-03-02T12:00:00Z'))).toMatchObject({
      open: false,
      reason: 'is closed outside of sat, sun 09:00 to 17:00 (Europe/Berlin)',
    });
    const blackouts = [closed('2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z', 'the sale')];
    expect(openAt([{ blackouts }], new Date('2026-03-02T12:00:00Z'))).toMatchObject({ open: false, reason: 'is closed for the sale' });
  });
});

describe('calendars together', () => {
  const berlin = daily('Europe/Berlin', '09:00', '17:00');
  const newYork = daily('America/New_York', '09:00', '17:00');
  const sydney = daily('Australia/Sydney', '09:00', '17:00');
  const visited = (calendars: Record<string, Calendar>) => Object.entries(calendars).map(([name, each]) => ({ name, calendars: [each] }));

  test('open when all are, and the one that keeps them closed is named', () => {
    expect(openTogether(visited({ alpha: berlin, bravo: newYork }), new Date('2026-02-02T08:00:00Z'))).toEqual({
      open: false,
      until: new Date('2026-02-02T14:00:00Z'),
      reason: 'bravo is closed outside of mon, tue, wed, thu, fri, sat, sun 09:00 to 17:00 (America/New_York)',
    });
    expect(openTogether(visited({ alpha: berlin, bravo: newYork }), new Date('2026-02-02T15:00:00Z'))).toEqual({ open: true });
  });

  test('count those that are closed for the same', () => {
    const opening = openTogether(
      visited({ alpha: berlin, bravo: berlin, charlie: berlin, delta: newYork }),
      new Date('2026-02-02T06:00:00Z'),
    );
    expect(opening).toMatchObject({ reason: expect.stringMatching(/^alpha is closed .* \(Europe\/Berlin\), as 2 more are$/) });
  });

  test('are never open where they have no hour in common, and that is found out quickly', () => {
    const cells = Array.from({ length: 300 }, (_, index) => ({
      name: `c${index}`,
      calendars: [[berlin, newYork, sydney][index % 3] ?? berlin],
    }));
    expect(openTogether(cells, new Date('2026-02-02T06:00:00Z'))).toMatchObject({ open: false, until: undefined });
  });
});

describe('for any calendar', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'];
  const time = fc
    .integer({ min: 0, max: 95 })
    .map((quarter) => `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`);
  const window = fc
    .record({ days: fc.subarray(ALL_DAYS, { minLength: 1 }), from: time, until: fc.oneof(time, fc.constant('24:00')) })
    .filter(({ from, until }) => from !== until);
  const [begin, end] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse('2027-01-01T00:00:00Z')];
  const instant = fc.integer({ min: begin / 60_000, max: end / 60_000 }).map((minutes) => minutes * 60_000);
  const blackout = fc
    .tuple(instant, fc.integer({ min: 1, max: 10_000 }))
    .map(([from, minutes]) => closed(new Date(from).toISOString(), new Date(from + minutes * 60_000).toISOString()));
  const any = fc.record({
    timeZone: fc.constantFrom(...zones),
    windows: fc.array(window, { maxLength: 3 }),
    blackouts: fc.array(blackout, { maxLength: 2 }),
  });

  /** Weekday and minutes that a clock of the zone shows, as Intl has it. */
  function shown(timeZone: string, at: number) {
    const parts = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).formatToParts(at);
    const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
    return {
      day: (ALL_DAYS as readonly string[]).indexOf(part('weekday').toLowerCase()),
      minutes: Number(part('hour')) * 60 + Number(part('minute')),
    };
  }
  const minutesOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

  test('it is open when a clock on the wall says so, on days when no clock is changed', () => {
    fc.assert(
      fc.property(any, instant, (each, at) => {
        const { day, minutes } = shown(each.timeZone, at);
        fc.pre(
          [-30, 30].every((hours) => shown(each.timeZone, at + hours * 3_600_000).minutes === (minutes + hours * 60 + 2 * 1_440) % 1_440),
        );
        const inWindow = each.windows.some(({ days, from, until }) => {
          const [first, last] = [minutesOf(from), minutesOf(until)];
          const begins = (index: number) => days.some((name) => name === ALL_DAYS[(index + 7) % 7]);
          if (last > first) return begins(day) && minutes >= first && minutes < last;
          return (begins(day) && minutes >= first) || (begins(day - 1) && minutes < last);
        });
        const dark = each.blackouts.some(({ from, until }) => Date.parse(from) <= at && at < Date.parse(until));
        expect(openAt([each], new Date(at)).open).toBe(!dark && (each.windows.length === 0 || inWindow));
      }),
      { numRuns: 300 },
    );
  });

  test('it opens when it says, and not before', () => {
    fc.assert(
      fc.property(any, any, instant, (one, other, at) => {
        const opening = openAt([one, other], new Date(at));
        if (opening.open) return;
        const until = opening.until?.getTime();
        const last = until ?? at + 365 * 86_400_000;
        if (until !== undefined) expect(openAt([one, other], new Date(until)).open).toBe(true);
        for (let step = 0; step < 40; step++) {
          const between = at + Math.floor(((last - at) * step) / 40);
          expect(openAt([one], new Date(between)).open && openAt([other], new Date(between)).open).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });
});
