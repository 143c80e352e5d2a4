import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../../lib/plan/plan.ts';
import { draftRollout, foreseeRollout } from '../../../lib/rollout/draft.ts';
import { checkRollouts } from '../../../lib/rollout/start-checks.ts';
import { cell, component, foundations, registry } from '../../_helpers/organization.ts';
import { ago, NOW, publishedPlan } from '../../_helpers/rollout-view.ts';

type Change = NonNullable<Parameters<typeof registry>[0]>;

const input = (plan: ReturnType<typeof publishedPlan>, rest: object = {}) => ({
  ...{ plan, component: 'orders-api', artifact: { version: '2.0.0', digest: 'sha256:00' } },
  ...{ by: 'ada', reason: undefined, allowReplacement: [], now: NOW },
  ...rest,
});
const codes = (problems: readonly { code: string }[]) => problems.map(({ code }) => code);

test('one problem that was found in a cell says where', () => {
  const problem = { code: 'REPLACEMENT_REFUSED', path: 'alpha/Queue', message: 'would be removed', fix: 'keep it' };
  expect(() => draftRollout(input(publishedPlan(), { found: [problem] }))).toThrow('REPLACEMENT_REFUSED: alpha/Queue: would be removed');
});

describe('without a staging cell that gets the version', () => {
  const cordoned: Change = ({ cells }) => {
    cells['staging'] = cell('staging', 0, { stage: 'staging', intent: 'cordoned' });
  };
  const plan = publishedPlan({}, cordoned);

  test('start refuses, and names the first cell with customers, why staging is left out, and the way out', () => {
    expect(() => draftRollout(input(plan))).toThrow(
      /^ROLLOUT_NO_STAGING: no staging cell would get orders-api, so that alpha, which serves customers, would be the first to run a version; left out:\n {2}staging: It is cordoned/,
    );
    expect(() => draftRollout(input(plan))).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('--without-staging --reason') }),
    );
  });

  test('start goes on once somebody says so, with a reason', () => {
    expect(() => draftRollout(input(plan, { withoutStaging: true }))).toThrow('--without-staging without a reason');
    const { waves } = draftRollout(input(plan, { withoutStaging: true, reason: 'it burns' })).plan;
    expect(waves.slice(0, 2).map(({ cells }) => cells)).toEqual([[], ['alpha']]);
  });

  test('a cell that catches up is none of it', () => {
    expect(() => draftRollout(input(plan, { only: 'bravo' }))).not.toThrow();
  });

  test.each<[string, Change]>([
    ['cordoned', cordoned],
    [
      'retiring',
      ({ cells }) => {
        cells['staging'] = cell('staging', 0, { stage: 'staging', intent: 'retiring' });
      },
    ],
  ])('validate warns and plan says so: %s', (_, change) => {
    expect(codes(checkRollouts(createPlan(registry(change)), NOW).warnings)).toEqual(['ROLLOUT_NO_STAGING']);
    expect(codes(foreseeRollout(publishedPlan({}, change), 'orders-api', undefined, NOW).obstacles)).toEqual(['ROLLOUT_NO_STAGING']);
  });

  test('plan is told of those that somebody allows, too', () => {
    expect(foreseeRollout(plan, 'orders-api', undefined, NOW, undefined, true).obstacles).toEqual([]);
  });

  test('one that is not built yet is none; nothing is said while nothing is built', () => {
    const { organization, ...rest } = registry();
    const unbuilt = (names: readonly string[]) =>
      createPlan({
        ...rest,
        organization,
        life: Object.fromEntries(names.map((name) => [name, { state: 'provisioning', since: ago(10) }])),
      });
    expect(codes(checkRollouts(unbuilt(['staging']), NOW).warnings)).toEqual(['ROLLOUT_NO_STAGING']);
    expect(checkRollouts(unbuilt(['staging', 'alpha', 'bravo']), NOW)).toEqual({ problems: [], warnings: [] });
  });
});

describe('what the definitions show', () => {
  test('is nothing of the default policy', () => {
    expect(checkRollouts(createPlan(registry()), NOW)).toEqual({ problems: [], warnings: [] });
  });

  test('is a problem where the policy alone fills the history of an execution', () => {
    const plan = publishedPlan({ alarmGrace: '8d' });
    const { problems, warnings } = checkRollouts(plan, NOW);
    expect(new Set(codes(problems))).toEqual(new Set(['ROLLOUT_HISTORY']));
    expect(problems[0]).toMatchObject({ path: 'rollout.stagingBake', fix: expect.stringContaining('shorten alarmGrace') });
    expect(warnings).toEqual([]);
  });

  test('is a warning where only calendars do, or have no hour in common', () => {
    const [first, ...others] = publishedPlan().rollout.waves;
    if (!first) throw new Error('no wave');
    const closed = { timeZone: 'UTC', windows: [], blackouts: [{ from: ago(1_440), until: ago(-200 * 1_440), reason: 'freeze' }] };
    const long = publishedPlan({ waves: [{ ...first, bake: '6d' }, ...others] }, ({ cells }) => {
      cells['alpha'] = cell('alpha', 1, { calendar: closed });
    });
    expect(checkRollouts(long, NOW)).toMatchObject({ problems: [], warnings: [{ code: 'ROLLOUT_HISTORY', path: 'rollout.waves.0.bake' }] });

    const at = (from: string, until: string) => ({ timeZone: 'UTC', windows: [{ days: ['mon' as const], from, until }], blackouts: [] });
    const never = publishedPlan({}, ({ cells }) => {
      cells['staging'] = cell('staging', 0, { stage: 'staging', calendar: at('09:00', '10:00') });
      cells['second'] = cell('second', 5, { stage: 'staging', calendar: at('11:00', '12:00') });
    });
    expect(codes(checkRollouts(never, NOW).warnings)).toEqual(['ROLLOUT_NEVER_OPEN']);
  });

  test('is said once, whatever the number of components', () => {
    const plan = publishedPlan({ alarmGrace: '8d' }, ({ components }) => {
      components['foundations'] = foundations();
      components['carts'] = component('carts', 300);
    });
    const { problems } = checkRollouts(plan, NOW);
    expect(new Set(problems.map(({ path, message }) => `${path} ${message}`)).size).toBe(problems.length);
  });
});

describe('start', () => {
  test('says everything at once', () => {
    const plan = publishedPlan({ alarmGrace: '8d' }, ({ cells }) => {
      cells['staging'] = cell('staging', 0, { stage: 'staging', intent: 'cordoned' });
    });
    const found = [{ code: 'ROLLOUT_DEPENDENCY', path: 'components.orders-api.dependsOn', message: 'needs carts', fix: 'roll it out' }];
    try {
      draftRollout(input(plan, { found }));
    } catch (error) {
      expect(new Set(codes((error as { problems: { code: string }[] }).problems))).toEqual(
        new Set(['ROLLOUT_NO_STAGING', 'ROLLOUT_HISTORY', 'ROLLOUT_DEPENDENCY']),
      );
      return;
    }
    throw new Error('nothing was refused');
  });
});

describe('the requests that a bake waits for', () => {
  const needed = (change: Change, name = 'orders-api') => {
    const { plan } = draftRollout(input(publishedPlan({}, change), { component: name }));
    return { traffic: plan.traffic, needed: plan.policy.minRequestsPerCell };
  };

  test('are the policy’s, or the component’s own', () => {
    expect(needed(() => undefined)).toEqual({ traffic: ['orders-api'], needed: 100 });
    expect(
      needed(({ components }) => {
        components['orders-api'] = component('orders-api', 100, { minRequests: 7 });
      }),
    ).toEqual({ traffic: ['orders-api'], needed: 7 });
  });

  test('of foundations are those of components that serve any', () => {
    const worker: Change = ({ components }) => {
      components['foundations'] = foundations();
      components['billing'] = component('billing', 200, { minRequests: 0 });
    };
    expect(needed(worker, 'foundations')).toEqual({ traffic: ['orders-api'], needed: 100 });
    expect(
      needed((each) => {
        worker(each);
        each.components['orders-api'] = component('orders-api', 100, { minRequests: 0 });
      }, 'foundations'),
    ).toEqual({ traffic: [], needed: 0 });
  });
});
