import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cellsTooHeavy } from '../../../lib/plan/traffic.ts';
import { planWaves, policyWaveOf, type Wave } from '../../../lib/plan/waves.ts';
import { type AwsCell, byImpact, type LifeState, type RolloutPolicy } from '../../../lib/registry/index.ts';
import { runs } from '../../_helpers/properties.ts';
import { names, orders, type PolicyWave, planOf, since, vended } from '../../_helpers/waves.ts';

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
  /** The same with caps that never fall, and waves that go region by region. */
  const capped = policy.chain((rules) =>
    fc
      .tuple(
        fc.array(fc.double({ min: 1, max: 99, noNaN: true }), { minLength: rules.waves.length, maxLength: rules.waves.length }),
        fc.array(fc.boolean(), { minLength: 2 * rules.waves.length, maxLength: 2 * rules.waves.length }),
      )
      .map(([caps, coins]) => {
        const rising = caps.toSorted((a, b) => a - b);
        const waves = rules.waves.map((each, index) => ({
          ...each,
          ...(coins[2 * index] && index < rules.waves.length - 1 ? { maxTraffic: rising[index] ?? 100 } : {}),
          ...(coins[2 * index + 1] ? { regions: 'one-at-a-time' as const } : {}),
        }));
        return { ...rules, waves };
      }),
  );
  const together = (rules: Pick<RolloutPolicy, 'waves' | 'multiRegionFromWave'>) => ({
    ...rules,
    waves: rules.waves.map(({ regions: _, ...each }) => each),
  });
  const usual = { numRuns: runs(40) };

  test('every cell is in exactly one wave, or left out', () => {
    fc.assert(
      fc.property(fleet, fc.oneof(policy, capped), (members, rules) => {
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

  test('caps hold after every wave; a cell too heavy for any of them is in the last wave, and named', () => {
    fc.assert(
      fc.property(fleet, capped, (members, rules) => {
        const plan = planOf(
          members.map((each) => each.cell),
          rules,
          livesOf(members),
        );
        const { waves } = planWaves(plan, orders);
        const capOf = (wave: Wave) => (wave.number === 0 ? 100 : (rules.waves[policyWaveOf(wave) - 1]?.maxTraffic ?? 100));
        let before = 0;
        for (const wave of waves) {
          // A wave without a cap may reach more than the next one allows: then that has no cells.
          if (wave.cells.length > 0) expect(wave.exposure).toBeLessThanOrEqual(Math.max(capOf(wave) / 100, before) + 1e-6);
          if (wave.exposure > before + 1e-9) expect(wave.exposure).toBeLessThanOrEqual(capOf(wave) / 100 + 1e-6);
          before = wave.exposure;
        }
        const caps = rules.waves.slice(0, -1).map(({ maxTraffic = 100 }) => maxTraffic / 100);
        const last = new Set(waves.filter((wave) => policyWaveOf(wave) === rules.waves.length).flatMap(names));
        const { weight } = plan.production;
        const heavy = plan.cells.filter(
          ({ stage, trafficWeight }) => weight > 0 && stage === 'production' && trafficWeight / weight > Math.max(...caps, 0) + 1e-6,
        );
        const inWaves = new Set(waves.flatMap(names));
        const tooHeavy = caps.length > 0 ? heavy.filter(({ name }) => inWaves.has(name)).map(({ name }) => name) : [];
        for (const name of tooHeavy) expect(last).toContain(name);
        const named = cellsTooHeavy(plan, waves).map(({ cell }) => cell);
        expect(named).toEqual(expect.arrayContaining(tooHeavy));
        for (const name of named) expect(last).toContain(name);
      }),
      usual,
    );
  });

  test('a wave that goes region by region is waves of one region each, next to each other; all others are one wave', () => {
    fc.assert(
      fc.property(fleet, capped, (members, rules) => {
        const { waves } = planned(members, rules);
        expect(waves.map(({ number }) => number)).toEqual(waves.map((_, index) => index));
        const numbers = waves.map(policyWaveOf);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect([...new Set(numbers)]).toEqual([0, ...rules.waves.map((_, index) => index + 1)]);
        for (const [index, each] of rules.waves.entries()) {
          const own = waves.filter((wave) => policyWaveOf(wave) === index + 1);
          if (each.regions === undefined) expect(own).toHaveLength(1);
          else for (const wave of own) expect(wave.regions.length).toBeLessThanOrEqual(1);
          expect(new Set(own.flatMap(({ regions }) => regions)).size).toBe(own.flatMap(({ regions }) => regions).length);
        }
      }),
      usual,
    );
  });

  test('exposure begins with none, never falls, and is the share of traffic that runs the version', () => {
    fc.assert(
      fc.property(fleet, fc.oneof(policy, capped), (members, rules) => {
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
      fc.property(fleet, fc.oneof(policy, capped.map(together)), (members, rules) => {
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
