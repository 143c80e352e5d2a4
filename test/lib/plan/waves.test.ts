import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPlan, type Plan } from '../../../lib/plan/plan.ts';
import { forecast, planWaves, type Wave } from '../../../lib/plan/waves.ts';
import { type AwsCell, byImpact, type Component, type LifeState, type RolloutPolicy } from '../../../lib/registry/index.ts';
import { cell, component, foundations, googleCell, registry, settings } from '../../_helpers/organization.ts';
import { runs } from '../../_helpers/properties.ts';

type Waves = readonly Wave[];
type PolicyWave = RolloutPolicy['waves'][number];

const base = registry();
const orders = component('orders-api', 100);
const since = '2026-01-01T00:00:00.000Z';

/** A cell with an account. */
const vended = (name: string, index: number, rest: object = {}): AwsCell => ({
  ...cell(name, index, rest),
  accountId: String(400_000_000_000 + index),
});

/** The plan of such cells, besides one of staging; nothing is checked, so that a thousand plans take no time. */
function planOf(cells: readonly AwsCell[], policy: Partial<RolloutPolicy> = {}, life: Record<string, LifeState> = {}): Plan {
  const all = [vended('stage', 0, { stage: 'staging' }), ...cells];
  const organization = {
    ...base.organization,
    rollout: { ...settings().rollout, ...policy },
    cells: Object.fromEntries(all.map((each) => [each.name, structuredClone(each)])),
  };
  return createPlan({
    ...base,
    organization,
    life: Object.fromEntries(Object.entries(life).map(([name, state]) => [name, { state, since }])),
  });
}

const wavesOf = (cells: readonly AwsCell[], policy?: Partial<RolloutPolicy>) => planWaves(planOf(cells, policy), orders).waves;
const names = (wave: Wave | undefined) => wave?.cells.map(({ name }) => name) ?? [];

/** One line per wave. */
const text = (waves: Waves) =>
  waves.map(({ number, name, cells, regions, exposure }) =>
    [
      `${number} ${name}:`,
      cells.length > 6 ? `${cells.length} cells` : cells.map((each) => each.name).join(' ') || '-',
      `(${regions.join(' ')})`,
      `${Math.round(exposure * 100)} %`,
    ].join(' '),
  );

const numbered = (count: number, rest: (index: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, index) => vended(`c${String(index).padStart(4, '0')}`, index + 1, rest(index)));

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

describe('for any cells and any policy', () => {
  const REGIONS = ['eu-west-1', 'eu-west-2', 'us-east-1'];
  const weight = fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 1_000 }), fc.double({ min: 0, max: 50, noNaN: true }));
  const traits = fc.record({
    importance: fc.constantFrom('low', 'normal', 'high'),
    size: fc.constantFrom('small', 'medium', 'large'),
    region: fc.constantFrom(...REGIONS),
    trafficWeight: weight,
  });
  const eligible = fc.record({ kind: fc.constant('eligible'), traits });
  const ineligible = fc.record({
    kind: fc.constantFrom('cordoned', 'retiring', 'personal', 'draining', 'provisioning', 'eks', 'unvended'),
    traits,
  });
  const fleet = fc
    .array(fc.oneof({ arbitrary: eligible, weight: 9 }, { arbitrary: ineligible, weight: 1 }), {
      minLength: 1,
      maxLength: 400,
      size: 'max',
    })
    .map((members) =>
      members.map(({ kind, traits: rest }, index) => ({
        kind,
        cell: memberOf(kind, `c${String((index * 7919) % 10_007).padStart(5, '0')}`, index + 1, rest),
      })),
    );
  type Fleet = readonly { readonly kind: string; readonly cell: AwsCell }[];

  function memberOf(kind: string, name: string, index: number, rest: object): AwsCell {
    const change = {
      cordoned: { intent: 'cordoned' },
      retiring: { intent: 'retiring' },
      personal: { stage: 'personal', owner: 'ada', expiresAt: since },
      eks: { platforms: ['eks'] },
    }[kind];
    const { accountId, ...each } = vended(name, index, { ...rest, ...change });
    return kind === 'unvended' ? each : { ...each, ...(accountId === undefined ? {} : { accountId }) };
  }
  const livesOf = (members: Fleet) =>
    Object.fromEntries(
      members.flatMap(({ kind, cell: { name } }) => (kind === 'draining' || kind === 'provisioning' ? [[name, kind as LifeState]] : [])),
    );
  const planned = (members: Fleet, policy: Partial<RolloutPolicy>) =>
    planWaves(
      planOf(
        members.map((each) => each.cell),
        policy,
        livesOf(members),
      ),
      orders,
    );

  const admit = fc.oneof(
    fc.record({ cells: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ percent: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.double({ min: 0.01, max: 24, noNaN: true })) }),
  );
  const prefer = fc.constantFrom('low-traffic', 'busy', 'any');
  const policyOf = (preferences: fc.Arbitrary<PolicyWave['prefer']>) =>
    fc.tuple(fc.array(fc.record({ prefer: preferences, admit }), { maxLength: 4 }), preferences, fc.nat({ max: 100 })).map(
      ([waves, last, n]): Pick<RolloutPolicy, 'waves' | 'multiRegionFromWave'> => ({
        waves: [...waves, { prefer: last, admit: { rest: true as const } }].map((each, index) => ({
          ...each,
          name: `w${index}`,
          bake: '1h',
          approval: false,
        })),
        multiRegionFromWave: 1 + (n % (waves.length + 1)),
      }),
    );
  const policy = policyOf(prefer);
  const usual = { numRuns: runs(40) };

  test('every cell is in exactly one wave, or left out', () => {
    fc.assert(
      fc.property(fleet, policy, (members, rules) => {
        const { waves, leftOut } = planned(members, rules);
        const reached = waves.flatMap(names);
        expect(new Set(reached).size).toBe(reached.length);
        const wanted = members.filter(({ kind }) => kind === 'eligible').map((each) => each.cell.name);
        expect(reached.toSorted()).toEqual(['stage', ...wanted].toSorted());
        expect(leftOut.map((each) => each.cell).toSorted()).toEqual(
          members
            .filter(({ kind }) => kind !== 'eligible')
            .map((each) => each.cell.name)
            .toSorted(),
        );
      }),
      usual,
    );
  });

  test('no wave is more than the policy allows: cells, share of cells and of traffic, regions', () => {
    fc.assert(
      fc.property(fleet, policy, (members, rules) => {
        const { waves } = planned(members, rules);
        const cells = members.filter(({ kind }) => kind === 'eligible').map((each) => each.cell);
        const total = cells.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0);
        expect(waves).toHaveLength(rules.waves.length + 1);
        for (const [index, each] of rules.waves.entries()) {
          const wave = waves[index + 1] as Wave;
          const carried = wave.cells.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0);
          if ('cells' in each.admit) expect(wave.cells.length).toBeLessThanOrEqual(each.admit.cells);
          if ('percent' in each.admit) {
            expect(wave.cells.length).toBeLessThanOrEqual((each.admit.percent * cells.length) / 100 + 1e-6);
            expect(carried).toBeLessThanOrEqual(((each.admit.percent * total) / 100) * (1 + 1e-6));
          }
          if (index + 1 < rules.multiRegionFromWave) expect(wave.regions.length).toBeLessThanOrEqual(1);
        }
      }),
      usual,
    );
  });

  test('exposure begins with none, never falls, and is the share of traffic that runs the version', () => {
    fc.assert(
      fc.property(fleet, policy, (members, rules) => {
        const { waves } = planned(members, rules);
        const production = members.filter(({ kind }) => kind !== 'personal').map((each) => each.cell);
        const weights = production.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0);
        let [cells, carried] = [0, 0];
        for (const wave of waves.slice(1)) {
          cells += wave.cells.length;
          carried += wave.cells.reduce((sum, { trafficWeight }) => sum + trafficWeight, 0);
          expect(wave.exposure).toBeCloseTo(weights > 0 ? carried / weights : cells / Math.max(1, production.length), 6);
        }
        const exposures = waves.map(({ exposure }) => exposure);
        expect(exposures).toEqual(exposures.toSorted((a, b) => a - b));
        expect(exposures[0]).toBe(0);
        expect(exposures.at(-1)).toBeLessThanOrEqual(1);
        if (production.length > 0 && members.every(({ kind }) => kind === 'eligible' || kind === 'personal'))
          expect(exposures.at(-1)).toBe(1);
      }),
      usual,
    );
  });

  test('the order of definitions does not matter', () => {
    fc.assert(
      fc.property(
        fleet.chain((members) => fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length }))),
        policy,
        ([members, other], rules) => {
          const outline = ({ waves, leftOut }: ReturnType<typeof planWaves>) => ({
            waves: waves.map((each) => ({ ...each, cells: names(each) })),
            leftOut,
          });
          expect(outline(planned(other, rules))).toEqual(outline(planned(members, rules)));
        },
      ),
      usual,
    );
  });

  /** Cells of production in the order in which the waves reach them. */
  const sequence = (members: Fleet, rules: Partial<RolloutPolicy>) =>
    planned(members, rules)
      .waves.slice(1)
      .flatMap((each) => each.cells);

  test('no wave takes a cell and leaves another that it prefers, in the same region and no heavier', () => {
    const before = {
      any: byImpact,
      'low-traffic': (a: AwsCell, b: AwsCell) =>
        Number(a.importance === 'high') - Number(b.importance === 'high') || a.trafficWeight - b.trafficWeight || byImpact(a, b),
      busy: (a: AwsCell, b: AwsCell) =>
        Number(a.importance === 'high') - Number(b.importance === 'high') || b.trafficWeight - a.trafficWeight || byImpact(a, b),
    };
    fc.assert(
      fc.property(fleet, policy, (members, rules) => {
        const { waves } = planned(members, rules);
        const cells = new Map(members.map((each) => [each.cell.name, each.cell]));
        const of = (wave: Wave) => names(wave).flatMap((name) => cells.get(name) ?? []);
        for (const [index, { prefer: preference }] of rules.waves.entries()) {
          const later = waves.slice(index + 2).flatMap(of);
          for (const taken of of(waves[index + 1] as Wave)) {
            const slighted = later.filter(
              (each) => each.region === taken.region && each.trafficWeight <= taken.trafficWeight && before[preference](each, taken) < 0,
            );
            expect(slighted.map(({ name }) => name)).toEqual([]);
          }
        }
      }),
      usual,
    );
  });

  test('a new cell changes nothing about the order of two others of one region, the first no heavier, where waves prefer one thing', () => {
    fc.assert(
      fc.property(
        fleet,
        prefer.chain((each) => policyOf(fc.constant(each))),
        (members, rules) => {
          const [added, ...others] = members;
          const orders = [sequence(others, rules), sequence([...others, ...(added ? [added] : [])], rules)];
          // By the policy's one preference: what it says of two cells is what the sequence without limits says of them.
          const preferred = sequence(members, { waves: rules.waves.slice(-1), multiRegionFromWave: 1 });
          const rank = new Map(preferred.map(({ name }, index) => [name, index]));
          for (const order of orders) {
            for (const [index, later] of order.entries()) {
              const slighting = order
                .slice(0, index)
                .filter(
                  ({ name, region, trafficWeight }) =>
                    region === later.region && later.trafficWeight <= trafficWeight && (rank.get(later.name) ?? 0) < (rank.get(name) ?? 0),
                );
              expect(slighting.map(({ name }) => name)).toEqual([]);
            }
          }
        },
      ),
      usual,
    );
  });

  test('where all cells have one weight and one region, a new cell is put in between, and the sequence of the others stays', () => {
    fc.assert(
      fc.property(fleet, fc.nat(), policyOf(fc.constant('any')), (members, at, rules) => {
        const alike = members.map((each) => ({ ...each, cell: { ...each.cell, region: 'eu-west-1', trafficWeight: 1 } }));
        const added = alike[at % alike.length]?.cell.name;
        const others = alike.filter((each) => each.cell.name !== added);
        const before = sequence(others, rules).map(({ name }) => name);
        expect(sequence(alike, rules).flatMap(({ name }) => (name === added ? [] : [name]))).toEqual(before);
      }),
      usual,
    );
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
