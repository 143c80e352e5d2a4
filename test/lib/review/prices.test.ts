import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPlan } from '../../../lib/plan/plan.ts';
import { CACHE_TYPES, DATABASE_CLASSES } from '../../../lib/registry/instances.ts';
import type { Overrides, Size, Stage } from '../../../lib/registry/model.ts';
import { capacityOf, resourcesOf, STAGE_PROFILES } from '../../../lib/registry/sizes.ts';
import { type Estimate, estimate, estimateCell, PRICE_SOURCE } from '../../../lib/review/prices.ts';
import { component, registry } from '../../_helpers/organization.ts';

const SIZES: readonly Size[] = ['small', 'medium', 'large'];
const STAGES: readonly Stage[] = ['personal', 'staging', 'production'];
const of = (size: Size, stage: Stage, overrides: Overrides = {}) =>
  estimate(
    { resources: resourcesOf({ size, stage, overrides }), profile: STAGE_PROFILES[stage], capacity: capacityOf(size, stage, 'shared') },
    { services: 1, probed: 1, alarms: 16 },
  );
const byName = ({ items }: Estimate) => Object.fromEntries(items.map(({ what, monthly }) => [what, monthly]));
/** Names of the items that differ. */
const changed = (a: Estimate, b: Estimate) =>
  Object.keys({ ...byName(a), ...byName(b) }).filter((what) => byName(a)[what] !== byName(b)[what]);
const ascending = (values: readonly number[]) => {
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(new Set(values).size).toBe(values.length);
};

describe('the estimate', () => {
  test('calls itself one, and says where its figures come from', () => {
    expect(PRICE_SOURCE).toMatch(/^estimate: US dollars a month at list prices of us-east-1, .* \d{4}-\d{2}-\d{2}$/);
  });

  test('has a price for every class that rules allow, and more for a larger one of its family', () => {
    const price = (overrides: Overrides, what: string) => byName(of('medium', 'staging', overrides))[what] ?? Number.NaN;
    const families = (names: readonly string[]) => {
      const family = (name: string) => name.replace(/\.[^.]+$/, '');
      return [...new Set(names.map(family))].map((each) => names.filter((name) => family(name) === each));
    };
    for (const names of families(Object.keys(DATABASE_CLASSES)))
      ascending(names.map((instanceClass) => price({ database: { instanceClass } }, 'database')));
    for (const names of families(Object.keys(CACHE_TYPES))) ascending(names.map((nodeType) => price({ cache: { nodeType } }, 'cache')));
  });

  test.each(STAGES)('is more for a larger size: %s', (stage) => {
    ascending(SIZES.map((size) => of(size, stage).monthly));
  });

  test.each(SIZES)('is more for production than for staging than for personal: %s', (size) => {
    ascending(STAGES.map((stage) => of(size, stage).monthly));
  });

  test('is the sum of its items, each of which costs something', () => {
    for (const size of SIZES)
      for (const stage of STAGES) {
        const { items, monthly } = of(size, stage);
        expect(items.reduce((sum, item) => sum + item.monthly, 0)).toBeCloseTo(monthly, 6);
        expect(items.filter((item) => !(item.monthly > 0))).toEqual([]);
        expect(new Set(items.map(({ what }) => what)).size).toBe(items.length);
      }
  });

  test.each([
    [{ database: { instanceClass: 'r7g.large' } }, ['database']],
    [{ database: { storageGiB: 200 } }, ['database storage']],
    [{ database: { standby: false } }, ['database', 'database storage']],
    [{ cache: { nodeType: 'cache.r7g.large' } }, ['cache']],
    [{ cache: { replicas: 2 } }, ['cache']],
    [{ service: { minTasks: 4 } }, ['services']],
    [{ service: { memoryMiB: 2_048 } }, ['services']],
    [{ nat: 'one-gateway' }, ['NAT']],
    // What is paid only when it is used.
    [{ database: { maxStorageGiB: 900, backupDays: 30 }, service: { maxTasks: 20 } }, []],
  ] as [Overrides, string[]][])('changes with an override in its item only: %j', (overrides, items) => {
    expect(changed(of('medium', 'production'), of('medium', 'production', overrides)).sort()).toEqual(items);
  });

  test('grows with storage, tasks and replicas, whatever the cell', () => {
    const amounts = fc.record({
      storageGiB: fc.integer({ min: 20, max: 5_000 }),
      minTasks: fc.integer({ min: 1, max: 50 }),
      replicas: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), fc.constantFrom(...STAGES), amounts, (size, stage, { storageGiB, minTasks, replicas }) => {
        const at = (more: 0 | 1) =>
          of(size, stage, {
            database: { storageGiB: storageGiB + more },
            service: { minTasks: minTasks + more },
            cache: { replicas: replicas + more },
          });
        const [less, more] = [byName(at(0)), byName(at(1))];
        for (const what of ['database storage', 'services', 'cache']) expect(more[what]).toBeGreaterThan(less[what] ?? Number.NaN);
      }),
    );
  });

  test('counts what a layout has of NAT gateways', () => {
    expect(byName(of('small', 'production'))['NAT']).toBeCloseTo(3 * 730 * (0.045 + 0.005), 6);
  });

  test('has the endpoints of every zone, Container Insights, and the logs of network and database', () => {
    expect(byName(of('small', 'production'))).toMatchObject({
      'private endpoints': expect.closeTo(8 * 3 * 730 * 0.01, 6),
      // A cluster, and a service with its family of tasks.
      'Container Insights': expect.closeTo((8 + 17) * 0.3, 6),
      // 40 requests a second, 120 bytes each, for 730 hours.
      'flow log': expect.closeTo(((40 * 730 * 3_600 * 120) / 2 ** 30) * 0.25, 6),
      'database log': expect.closeTo(0.25, 6),
    });
    expect(byName(of('small', 'personal'))).not.toHaveProperty('private endpoints');
  });

  test('of a cell of the plan counts every component that runs in it as a service', () => {
    const plan = createPlan(registry());
    const [cell] = plan.cells;
    if (!cell) throw new Error('the plan has no cell');
    const services = (count: number) => byName(estimateCell({ components: plan.components.slice(0, count) }, cell))['services'] ?? 0;
    expect(services(0)).toBe(0);
    expect(services(2)).toBeCloseTo(2 * services(1), 6);
    expect(services(1)).toBeGreaterThan(0);
  });

  test('counts the metrics of requests of each component that the probe asks, and the calls that put them', () => {
    const plan = createPlan(
      registry((input) => {
        input.components['worker'] = { ...component('worker', 900), route: undefined };
      }),
    );
    const cell = plan.cells.find(({ stage }) => stage === 'production');
    if (!cell) throw new Error('the plan has no cell of production');
    const metrics = (...names: string[]) =>
      byName(estimateCell({ components: plan.components.filter(({ name }) => names.includes(name)) }, cell))['metrics'];
    const [one, other] = plan.components.filter(({ route }) => route !== undefined).map(({ name }) => name);
    // A probe each minute of 730 hours, at a cent for a thousand calls.
    expect(metrics(one ?? '')).toBeCloseTo(0.6 + 0.438, 6);
    expect(metrics(one ?? '', other ?? '', 'worker')).toBeCloseTo(1.2 + 0.438, 6);
    expect(metrics('worker')).toBeUndefined();
  });
});
