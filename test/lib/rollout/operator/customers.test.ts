import { describe, expect, test } from '@jest/globals';
import { customersOf } from '../../../../lib/rollout/operator/cell-health.ts';

const result = (Id: string, ...Values: number[]) => ({ Id, Values });

describe('the requests that a bake counts', () => {
  test('are those of customers: what the probe asked for is taken off', () => {
    expect(customersOf([result('requests0', 60, 50), result('probe0', 5, 5)])).toBe(100);
  });

  test('are none where only the probe came', () => {
    expect(customersOf([result('requests0', 5, 5), result('probe0', 5, 5)])).toBe(0);
    // One more run than has shown in the log.
    expect(customersOf([result('requests0', 5), result('probe0', 5, 5)])).toBe(0);
  });

  test('are counted for each component: what one does not log is not taken off another', () => {
    expect(customersOf([result('requests0', 20), result('probe0', 5), result('requests1'), result('probe1', 5)])).toBe(15);
  });

  test('are all where a foundation is older than the count of its probe', () => {
    expect(customersOf([result('requests0', 20), result('probe0')])).toBe(20);
  });

  test('are not known without data', () => {
    expect(customersOf([])).toBeUndefined();
    expect(customersOf([result('requests0'), result('probe0', 5)])).toBeUndefined();
  });

  test('come in several pages', () => {
    expect(customersOf([result('requests0', 20), result('requests0', 30), result('probe0', 5)])).toBe(45);
  });
});
