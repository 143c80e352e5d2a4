import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../../lib/plan/plan.ts';
import { draftRollout, foreseeRollout } from '../../../lib/rollout/draft.ts';
import { cell, foundations, registry } from '../../_helpers/organization.ts';
import { ago, NOW, publishedPlan, wavesOf } from '../../_helpers/rollout-view.ts';

const input = {
  plan: publishedPlan(),
  component: 'orders-api',
  artifact: { version: '2.0.0', digest: 'sha256:00' },
  by: 'ada',
  reason: 'a cure',
  allowReplacement: ['alpha/Queue'],
  now: NOW,
};
const blackout = (from: string, until: string) => ({ timeZone: 'UTC', windows: [], blackouts: [{ from, until, reason: 'freeze' }] });
const days = (count: number) => ago(-count * 24 * 60);

describe('a draft', () => {
  test('has the waves of the plan, and everything that is fixed for the rollout', () => {
    const { plan } = draftRollout(input);
    expect(plan).toMatchObject({
      component: 'orders-api',
      version: '2.0.0',
      digest: 'sha256:00',
      registry: { revision: 7, digest: input.plan.digest },
      policy: input.plan.rollout,
      parameters: { ListenerPriority: '100' },
      allowReplacement: ['alpha/Queue'],
      by: 'ada',
      reason: 'a cure',
    });
    const { waves, leftOut } = wavesOf(input.plan);
    expect(plan.waves).toEqual(waves.map((wave) => ({ ...wave, cells: wave.cells.map(({ name }) => name) })));
    expect(plan.waves.slice(0, 3).map(({ cells }) => cells)).toEqual([['staging'], ['alpha'], ['bravo']]);
    expect(plan.leftOut).toEqual(leftOut);
  });

  test('has the cell of a drill, which must be in a wave', () => {
    expect(draftRollout(input).plan).not.toHaveProperty('drill');
    expect(draftRollout({ ...input, drill: 'alpha' }).plan.drill).toBe('alpha');
    expect(() => draftRollout({ ...input, drill: 'zulu' })).toThrow('a drill in zulu, and no wave of orders-api has that cell');
  });

  test('of an emergency has its waves, bakes staging no longer, may reach several regions at once, and needs a reason', () => {
    const emergency = [
      { ...input.plan.rollout.emergency[0], name: 'now', admit: { percent: 100 }, bake: '5m' },
      input.plan.rollout.emergency[1],
    ] as unknown as typeof input.plan.rollout.emergency;
    const { plan } = draftRollout({ ...input, plan: publishedPlan({ emergency }), emergency: true });
    expect(plan).toMatchObject({ emergency: true, policy: { waves: emergency, stagingBake: '5m' } });
    expect(plan.waves.map(({ name, cells, bakeSeconds }) => [name, cells, bakeSeconds])).toEqual([
      ['staging', ['staging'], 300],
      ['now', ['alpha', 'bravo'], 300],
      ['emergency-rest', [], 600],
    ]);
    expect(draftRollout(input).plan).not.toHaveProperty('emergency');
    expect(() => draftRollout({ ...input, emergency: true, reason: ' ' })).toThrow('--emergency without a reason');
  });

  test('names cells that it cures, which must be in a wave, and needs a reason for it', () => {
    expect(draftRollout({ ...input, cures: ['alpha'] }).plan.cures).toEqual(['alpha']);
    expect(draftRollout(input).plan).not.toHaveProperty('cures');
    expect(() => draftRollout({ ...input, cures: ['alpha'], reason: undefined })).toThrow('--cures without a reason');
    expect(() => draftRollout({ ...input, cures: ['zulu'] })).toThrow('a cure of zulu, and no wave of orders-api has that cell');
  });

  test('has of each cell what it takes to act there, whatever becomes of the registry', () => {
    const { cells, plan } = draftRollout(input);
    expect(cells.map((each) => each.map(({ name }) => name))).toEqual(plan.waves.map((wave) => wave.cells));
    const [bravo] = cells[2] ?? [];
    expect(bravo).toMatchObject({
      name: 'bravo',
      stage: 'production',
      region: 'us-east-1',
      accountId: '400000000002',
      weight: 1,
      healthAlarm: 'cell-bravo-health',
      calendar: { timeZone: 'UTC', windows: [], blackouts: [] },
    });
    expect(bravo?.alarms).toContain('cell-bravo-server-errors');
    // It calls for a person, and is no part of the health.
    expect(bravo?.alarms).not.toContain('cell-bravo-full');
    expect(bravo?.alarms).not.toContain('cell-bravo-health');
  });

  describe('of foundations', () => {
    const of = (change: Parameters<typeof registry>[0] = () => undefined) => {
      const plan = {
        ...createPlan(
          registry((given) => {
            given.components['foundations'] = foundations();
            change(given);
          }),
        ),
        revision: 7,
      };
      const madeFor = new Set(['staging', 'alpha']);
      return { ...input, plan, component: 'foundations', artifact: { ...input.artifact, madeFor } };
    };

    test('counts the requests of all components, and leaves out cells that it was not built for', () => {
      const { plan } = draftRollout(of());
      expect(plan).toMatchObject({ kind: 'foundation', traffic: ['billing', 'orders-api'], parameters: {} });
      expect(plan.policy.minRequestsPerCell).toBe(100);
      expect(plan.waves.flatMap(({ cells }) => cells)).toEqual(['staging', 'alpha']);
      expect(plan.leftOut.map(({ cell: left }) => left)).toEqual(['bravo']);
      const { plan: foreseen, component, artifact } = of();
      expect(foreseeRollout(foreseen, component, undefined, NOW, artifact).leftOut).toEqual(plan.leftOut);
    });

    test('waits for no requests where no component makes any', () => {
      const { plan } = draftRollout(
        of((given) => {
          given.components = { foundations: foundations() };
        }),
      );
      expect(plan).toMatchObject({ traffic: [], policy: { minRequestsPerCell: 0 } });
    });
  });

  test('takes the time scale that was asked for in place of the policy’s', () => {
    const plan = publishedPlan({ timeScale: 0.5 });
    expect(draftRollout({ ...input, plan }).plan.policy.timeScale).toBe(0.5);
    expect(draftRollout({ ...input, plan, timeScale: 0.01 }).plan.policy).toEqual({ ...plan.rollout, timeScale: 0.01 });
  });
});

describe('no rollout begins', () => {
  test('of definitions that nobody has published', () => {
    expect(() => draftRollout({ ...input, plan: createPlan(registry()) })).toThrow(/pinned to a revision/);
  });

  test('of a component that there isn’t', () => {
    expect(() => draftRollout({ ...input, component: 'nonsense' })).toThrow('no such component: nonsense');
  });

  test('that would reach no cell, and each is told why', () => {
    const plan = publishedPlan({}, (organization) => {
      organization.cells = {
        staging: cell('staging', 0, { stage: 'staging', intent: 'cordoned' }),
        alpha: cell('alpha', 1, { intent: 'retiring' }),
      };
    });
    expect(() => draftRollout({ ...input, plan })).toThrow(
      /^ROLLOUT_NO_CELL: no cell would get orders-api:\n {2}staging: It is cordoned.*\n {2}alpha: It is retiring/,
    );
  });

  test('whose wave could never begin', () => {
    const at = (from: string, until: string) => ({ timeZone: 'UTC', windows: [{ days: ['mon' as const], from, until }], blackouts: [] });
    const plan = publishedPlan({}, (organization) => {
      for (const [index, hours] of [at('09:00', '10:00'), at('11:00', '12:00')].entries())
        organization.cells[`s${index}`] = cell(`s${index}`, 5 + index, { stage: 'staging', calendar: hours });
    });
    expect(() => draftRollout({ ...input, plan })).toThrow('the calendars of wave 0, staging, have no hour in common within a year');
  });

  test('whose execution would outgrow its history, and the message says what would not', () => {
    const [first, ...waves] = input.plan.rollout.waves;
    if (!first) throw new Error('no wave');
    const plan = publishedPlan({ waves: [{ ...first, bake: '30d' }, ...waves] });
    expect(() => draftRollout({ ...input, plan })).toThrow(
      /^ROLLOUT_HISTORY: wave 1, one-quiet-cell, may take [\d,]+ events .* allows 25,000$/,
    );
    try {
      draftRollout({ ...input, plan });
    } catch (error) {
      expect(error).toMatchObject({ code: 'REFUSED', fix: expect.stringMatching(/a bake of at most \d+ h will do/) });
    }
  });

  test('whose wave would bake for long after it has waited for long', () => {
    const [first, ...waves] = input.plan.rollout.waves;
    if (!first) throw new Error('no wave');
    const closed = (until: number, bake: string) =>
      publishedPlan({ waves: [{ ...first, bake }, ...waves] }, ({ cells }) => {
        cells['alpha'] = cell('alpha', 1, { calendar: blackout(days(-1), days(until)) });
      });
    expect(() => draftRollout({ ...input, plan: closed(200, '6d') })).toThrow(/^ROLLOUT_HISTORY: wave 1, one-quiet-cell, may take/);
    expect(() => draftRollout({ ...input, plan: closed(200, '2d') })).not.toThrow();
  });
});

describe('what a rollout would do', () => {
  test('is told wave by wave, with the times', () => {
    const { waves, ends, seconds, registry: pinned, timeScale } = foreseeRollout(input.plan, 'orders-api', undefined, NOW);
    expect(pinned).toEqual({ revision: 7, digest: input.plan.digest });
    expect(timeScale).toBe(1);
    // Five minutes to deploy, an hour to bake.
    expect(waves[0]).toMatchObject({ cells: ['staging'], exposure: 0, begins: ago(0), ends: ago(-65) });
    expect(waves[1]).toMatchObject({ cells: ['alpha'], exposure: 0.5, begins: ago(-65) });
    expect(waves[2]).toMatchObject({ cells: ['bravo'], exposure: 1, regions: ['us-east-1'] });
    expect(waves.at(-1)).toMatchObject({ cells: [], ends });
    expect(seconds).toBe(3 * 300 + (1 + 12 + 4) * 3_600);
  });

  test('is told of definitions, too', () => {
    expect(foreseeRollout(createPlan(registry()), 'orders-api', 0.1, NOW)).toMatchObject({
      registry: { revision: undefined },
      timeScale: 0.1,
    });
  });
});
