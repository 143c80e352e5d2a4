import { describe, expect, test } from '@jest/globals';
import { plannedAlarms, watchesEngine } from '../../../lib/plan/alarms.ts';
import { CACHE_TYPES, DATABASE_CLASSES } from '../../../lib/registry/instances.ts';
import type { AwsCell, Size, Stage } from '../../../lib/registry/model.ts';
import { capacityOf, resourcesOf, STAGE_PROFILES } from '../../../lib/registry/sizes.ts';

const cell = (size: Size, stage: Stage = 'production', overrides: AwsCell['overrides'] = {}) => ({
  name: 'alpha',
  resources: resourcesOf({ size, stage, overrides }),
  capacity: capacityOf(size, stage, 'shared'),
  profile: STAGE_PROFILES[stage],
});
const thresholds = (...of: Parameters<typeof cell>) =>
  Object.fromEntries(plannedAlarms(cell(...of)).map(({ id, threshold }) => [id, threshold]));

describe('the alarms of a cell', () => {
  test('have names of their own, which carry the cell’s, and say their threshold', () => {
    const alarms = plannedAlarms(cell('small'));
    expect(new Set(alarms.map(({ name }) => name)).size).toBe(alarms.length);
    for (const { id, name, description, threshold } of alarms) {
      expect(name).toBe(`cell-alpha-${id}`);
      expect(description).toContain(threshold.toLocaleString('en'));
      expect(description).not.toContain('{');
    }
  });

  test('are as many for every size and stage, each with a threshold that can be crossed', () => {
    const count = plannedAlarms(cell('small')).length;
    for (const size of ['small', 'medium', 'large'] as const)
      for (const stage of ['staging', 'production', 'personal'] as const) {
        const alarms = plannedAlarms(cell(size, stage));
        expect(alarms).toHaveLength(count);
        for (const { threshold, fires } of alarms) expect(threshold).toBeGreaterThanOrEqual(fires === 'below' ? 1 : 0);
      }
  });

  test('need no more of their last periods than they look at', () => {
    for (const { datapoints } of plannedAlarms(cell('small'))) expect(datapoints[0]).toBeLessThanOrEqual(datapoints[1]);
  });

  test('make the cell sick, all but the one that says that it is full', () => {
    expect(
      plannedAlarms(cell('small'))
        .filter(({ health }) => !health)
        .map(({ id }) => id),
    ).toEqual(['full']);
  });

  test('say that it is full at its headroom, not at its cap', () => {
    expect(thresholds('small')['full']).toBe(140);
    expect(thresholds('medium')['full']).toBe(700);
  });

  test('grow with what the cell has: connections with memory, free storage with storage, evictions with requests', () => {
    const sizes = (['small', 'medium', 'large'] as const).map((size) => thresholds(size));
    for (const id of ['database-connections', 'database-storage', 'cache-evictions', 'full']) {
      const values = sizes.map((each) => each[id] ?? Number.NaN);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values[0]).toBeGreaterThan(0);
    }
    const overridden = thresholds('small', 'production', { database: { instanceClass: 'm7g.large', storageGiB: 80 } });
    expect(overridden['database-connections']).toBe(Math.floor((0.8 * 8 * 2 ** 30) / 9_531_392));
    expect(overridden['database-storage']).toBe(4 * 2 ** 30);
  });

  test('know every class that rules allow', () => {
    for (const instanceClass of Object.keys(DATABASE_CLASSES))
      for (const nodeType of Object.keys(CACHE_TYPES)) {
        const of = thresholds('small', 'production', { database: { instanceClass }, cache: { nodeType } });
        expect(Object.values(of).filter((each) => !Number.isFinite(each))).toEqual([]);
      }
  });

  test('never expect more connections than PostgreSQL takes on the largest class', () => {
    expect(thresholds('large', 'production', { database: { instanceClass: 'r7g.4xlarge' } })['database-connections']).toBe(4_000);
  });

  test('watch a small cache node by its whole processor, a larger one by its engine’s core, as AWS advises', () => {
    const of = (nodeType: string) => cell('small', 'production', { cache: { nodeType } });
    expect([watchesEngine(of('cache.t4g.small')), watchesEngine(of('cache.m7g.large')), watchesEngine(of('cache.m7g.xlarge'))]).toEqual([
      false,
      false,
      true,
    ]);
    expect(thresholds('small')['cache-cpu']).toBe(45);
    expect(thresholds('small', 'production', { cache: { nodeType: 'cache.r7g.xlarge' } })['cache-cpu']).toBe(90);
  });
});
