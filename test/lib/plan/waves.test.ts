import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../../lib/plan/plan.ts';
import { forecast, planWaves } from '../../../lib/plan/waves.ts';
import type { Component, LifeState } from '../../../lib/registry/index.ts';
import { foundations, googleCell } from '../../_helpers/organization.ts';
import { base, names, numbered, orders, type PolicyWave, planOf, since, text, vended, wavesOf } from '../../_helpers/waves.ts';

describe('the waves of the default policy', () => {
  test('for three cells: most are empty, and none is more than its share', () => {
    const cells = [
      vended('alpha', 1, { importance: 'low' }),
      vended('bravo', 2, { trafficWeight: 4 }),
      vended('charlie', 3, { trafficWeight: 3, region: 'us-east-1' }),
    ];
    expect(text(wavesOf(cells))).toEqual([
      '0 staging: stage (eu-west-1) 0 %',
      '1 one-quiet-cell: alpha (eu-west-1) 13 %',
      '2 one-busy-cell: bravo (eu-west-1) 63 %',
      '3 first-tenth: - () 63 %',
      '4 next-fifth: - () 63 %',
      '5 next-third: - () 63 %',
      '6 rest: charlie (us-east-1) 100 %',
    ]);
  });

  test('for three hundred', () => {
    const waves = wavesOf(numbered(300, (index) => ({ trafficWeight: 1 + (index % 10), region: index % 2 ? 'us-east-1' : 'eu-west-1' })));
    expect(text(waves)).toEqual([
      '0 staging: stage (eu-west-1) 0 %',
      '1 one-quiet-cell: c0000 (eu-west-1) 0 %',
      '2 one-busy-cell: c0009 (us-east-1) 1 %',
      '3 first-tenth: 30 cells (eu-west-1 us-east-1) 3 %',
      '4 next-fifth: 60 cells (eu-west-1 us-east-1) 12 %',
      '5 next-third: 105 cells (eu-west-1 us-east-1) 46 %',
      '6 rest: 103 cells (eu-west-1 us-east-1) 100 %',
    ]);
  });

  test('carry what the policy says of each', () => {
    const policy = {
      stagingBake: '90m',
      waves: [{ name: 'all', prefer: 'any', admit: { rest: true }, bake: '2d', approval: true }],
    } as const;
    expect(wavesOf([vended('alpha', 1)], { ...policy, waves: [...policy.waves] })).toMatchObject([
      { number: 0, name: 'staging', bakeSeconds: 5_400, approval: false },
      { number: 1, name: 'all', bakeSeconds: 172_800, approval: true },
    ]);
  });
});

describe('a wave', () => {
  const wave = (admit: PolicyWave['admit'], prefer: PolicyWave['prefer'] = 'any'): PolicyWave => ({
    name: 'x',
    prefer,
    admit,
    bake: '1h',
    approval: false,
  });
  const rest = { ...wave({ rest: true }), name: 'rest' };

  test('of staging takes every region', () => {
    const plan = planOf([vended('far', 1, { stage: 'staging', region: 'us-east-1' })]);
    expect(planWaves(plan, orders).waves[0]).toMatchObject({ regions: ['eu-west-1', 'us-east-1'], exposure: 0 });
  });

  test('takes important cells late, whatever it prefers', () => {
    const cells = [
      vended('precious', 1, { importance: 'high', trafficWeight: 9 }),
      vended('tiny', 2, { importance: 'high', trafficWeight: 0.1 }),
      vended('normal', 3, { trafficWeight: 5 }),
      vended('low', 4, { trafficWeight: 6, importance: 'low' }),
    ];
    const first = (prefer: PolicyWave['prefer']) =>
      names(wavesOf(cells, { waves: [wave({ cells: 4 }, prefer), rest], multiRegionFromWave: 1 })[1]);
    expect(first('low-traffic')).toEqual(['normal', 'low', 'tiny', 'precious']);
    expect(first('busy')).toEqual(['low', 'normal', 'precious', 'tiny']);
    expect(first('any')).toEqual(['low', 'normal', 'tiny', 'precious']);
  });

  test('passes over a cell that is heavier than it may be, and takes the next', () => {
    const cells = [vended('whale', 1, { importance: 'low', trafficWeight: 60 }), ...numbered(20, () => ({ trafficWeight: 2 }))];
    const [, tenth, last] = wavesOf(cells, { waves: [wave({ percent: 10 }), rest], multiRegionFromWave: 1 });
    expect(names(tenth)).toEqual(['c0000', 'c0001']);
    expect(names(last)[0]).toBe('whale');
  });

  test('keeps to one region before the policy lets it mix: to that of the first cell it takes', () => {
    const cells = numbered(6, (index) => ({ region: index % 2 ? 'us-east-1' : 'eu-west-1' }));
    const waves = wavesOf(cells, { waves: [wave({ cells: 2 }), wave({ cells: 2 }), rest], multiRegionFromWave: 3 });
    expect(waves.slice(1).map(names)).toEqual([
      ['c0000', 'c0002'],
      ['c0001', 'c0003'],
      ['c0004', 'c0005'],
    ]);
  });

  test('counts cells alone where none has a weight', () => {
    const waves = wavesOf(
      numbered(10, () => ({ trafficWeight: 0 })),
      { waves: [wave({ percent: 30 }), rest], multiRegionFromWave: 1 },
    );
    expect(waves.map(({ cells, exposure }) => [cells.length, exposure])).toEqual([
      [1, 0],
      [3, 0.3],
      [7, 1],
    ]);
  });

  test('takes a cell without weight as often as there is room for a cell', () => {
    const cells = [vended('whale', 1, { trafficWeight: 8 }), ...numbered(3, () => ({ trafficWeight: 0 }))];
    const [, half] = wavesOf(cells, { waves: [wave({ percent: 50 }), rest], multiRegionFromWave: 1 });
    expect(names(half)).toEqual(['c0000', 'c0001']);
  });

  test('that may take what makes exactly its share does, though fractions add up to a little more', () => {
    const cells = numbered(10, () => ({ trafficWeight: 0.1 }));
    const waves = wavesOf(cells, { waves: [wave({ percent: 30 }), wave({ percent: 29 }), rest], multiRegionFromWave: 1 });
    expect(waves.map(({ exposure }) => exposure)).toEqual([0, 0.3, 0.5, 1]);
  });

  test('may take the whole of a policy', () => {
    expect(text(wavesOf(numbered(3), { waves: [rest], multiRegionFromWave: 1 }))).toEqual([
      '0 staging: stage (eu-west-1) 0 %',
      '1 rest: c0000 c0001 c0002 (eu-west-1) 100 %',
    ]);
  });
});

describe('a cell is left out, and listed with a sentence,', () => {
  const sentence = /^It .*\.$/;
  const reasonOf = (rest: object, life?: LifeState, of: Component = orders) => {
    const plan = planOf([vended('it', 1, rest)], {}, life ? { it: life } : {});
    return planWaves(plan, of).leftOut.find((each) => each.cell === 'it')?.reason;
  };

  test.each<[string, object, LifeState | undefined, string]>([
    ['when it is personal', { stage: 'personal', owner: 'ada', expiresAt: since }, 'active', 'ada decides'],
    ['when it is cordoned', { intent: 'cordoned' }, 'active', 'It is cordoned'],
    ['when it is retiring', { intent: 'retiring' }, 'active', 'It is retiring'],
    ['when it is draining', {}, 'draining', 'It is draining'],
    ['when it is drained', {}, 'drained', 'It is drained'],
    ['when it is retired', {}, 'retired', 'It is retired'],
    ['when it is not built yet', {}, 'provisioning', 'It is not built yet: `cellctl deploy it`'],
    [
      'when it has no platform for the component',
      { platforms: ['eks'] },
      'active',
      'It runs eks, and a component of kind cloudformation needs ecs',
    ],
    ['staging as any other', { stage: 'staging', intent: 'cordoned' }, 'active', 'It is cordoned'],
  ])('%s', (_, rest, life, expected) => {
    expect(reasonOf(rest, life)).toContain(expected);
    expect(reasonOf(rest, life)).toMatch(sentence);
  });

  test('but no platform matters to its foundation, and a personal cell is told who deploys that', () => {
    expect(reasonOf({ platforms: ['eks'] }, 'active', foundations())).toBeUndefined();
    const personal = { stage: 'personal', owner: 'ada', expiresAt: since };
    expect(reasonOf(personal, 'active', foundations())).toBe('It is a personal cell: ada decides what runs there (`cellctl deploy it`).');
  });

  test('when what is rolled out was built without it, unless there is more to say', () => {
    const plan = planOf([vended('alpha', 1), vended('bravo', 2), vended('charlie', 3, { intent: 'cordoned' })]);
    const { waves, leftOut } = planWaves(plan, foundations(), { version: '7', cells: new Set(['stage', 'alpha']) });
    expect(waves.flatMap(names)).toEqual(['stage', 'alpha']);
    expect(leftOut).toEqual([
      { cell: 'bravo', reason: 'It is not part of 7, which was built without it: the next version has it.' },
      { cell: 'charlie', reason: expect.stringContaining('cordoned') },
    ]);
    // Its customers don't see the version.
    expect(waves.at(-1)?.exposure).toBeCloseTo(1 / 3);
  });

  test('when it has no account', () => {
    const { accountId: _, ...without } = vended('it', 1);
    expect(planWaves(planOf([without]), orders).leftOut).toEqual([
      { cell: 'it', reason: 'It is not built yet, and has no account: `cellctl accounts it`, then `cellctl deploy it`.' },
    ]);
  });

  test('when it is in another cloud', () => {
    const { organization } = base;
    const plan = createPlan({ ...base, organization: { ...organization, cells: { ...organization.cells, golf: googleCell('golf') } } });
    expect(planWaves(plan, orders).leftOut).toEqual([{ cell: 'golf', reason: 'It is in another cloud, which rollouts do not reach.' }]);
    expect(planWaves(plan, { ...orders, kind: 'kubernetes' }).leftOut.map((each) => each.cell)).toEqual([
      'staging',
      'alpha',
      'bravo',
      'golf',
    ]);
  });

  test('and not when nothing is known of its life: definitions from a folder say nothing of it', () => {
    expect(reasonOf({})).toBeUndefined();
    expect(reasonOf({}, 'active')).toBeUndefined();
  });

  test('and its customers count: they don’t see the version', () => {
    const plan = planOf([vended('alpha', 1), vended('bravo', 2, { intent: 'cordoned', trafficWeight: 3 })]);
    expect(planWaves(plan, orders).waves.at(-1)?.exposure).toBe(0.25);
  });
});

describe('a forecast', () => {
  const now = new Date('2026-03-02T08:00:00Z'); // a Monday
  const policy = { concurrency: 2, timeScale: 1 };
  const cells = (count: number, calendar: object = {}) =>
    numbered(count, () => ({ calendar })).map(({ name, calendar: hours }) => ({ name, calendar: hours }));
  const told = (waves: Parameters<typeof forecast>[0], rules = policy) =>
    forecast(waves, rules, { deploySeconds: 600, now }).map(
      ({ begins, ends }) => `${begins?.toISOString().slice(5, 16) ?? 'never'} ${ends?.toISOString().slice(5, 16) ?? 'never'}`,
    );
  const hours = { windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', until: '10:00' }] };

  test('adds up batches and bakes, and passes empty waves at once', () => {
    expect(
      told([
        { cells: cells(1), bakeSeconds: 3_600 },
        { cells: [], bakeSeconds: 43_200 },
        { cells: cells(5), bakeSeconds: 7_200 },
      ]),
    ).toEqual(['03-02T08:00 03-02T09:10', '03-02T09:10 03-02T09:10', '03-02T09:10 03-02T11:40']);
  });

  test('waits until the calendars of a whole wave are open', () => {
    expect(told([{ cells: [...cells(1), ...cells(1, hours)], bakeSeconds: 0 }])).toEqual(['03-02T09:00 03-02T09:10']);
  });

  test('goes on with a later batch when that may', () => {
    expect(told([{ cells: cells(14, hours), bakeSeconds: 3_600 }])).toEqual(['03-02T09:00 03-03T10:10']);
  });

  test('is shorter in a rehearsal, but for what deploying takes', () => {
    const waves = [{ cells: cells(2, hours), bakeSeconds: 3_600 }];
    expect(told(waves, { concurrency: 2, timeScale: 0.1 })).toEqual(['03-02T08:06 03-02T08:22']);
  });

  test('has no end where calendars have no hour in common', () => {
    const other = { windows: [{ days: ['mon'], from: '10:00', until: '11:00' }] };
    expect(
      told([
        { cells: cells(1), bakeSeconds: 0 },
        { cells: [...cells(1, hours), ...cells(1, other)], bakeSeconds: 0 },
        { cells: cells(1), bakeSeconds: 0 },
      ]),
    ).toEqual(['03-02T08:00 03-02T08:10', 'never never', 'never never']);
  });
});
