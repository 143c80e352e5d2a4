import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../../lib/plan/plan.ts';
import { costDifference, costsOf } from '../../../lib/review/costs.ts';
import { registry } from '../../_helpers/organization.ts';

const estimated = (items: Record<string, number>) => ({
  items: Object.entries(items).map(([what, monthly]) => ({ what, monthly })),
  monthly: Object.values(items).reduce((sum, monthly) => sum + monthly, 0),
});

describe('estimates', () => {
  test('of cells add up to the total, and say that they are estimates', () => {
    const plan = createPlan(registry());
    const { source, cells, monthly } = costsOf(plan, plan.cells);
    expect(source).toMatch(/^estimate/);
    expect(cells.map(({ cell }) => cell)).toEqual(plan.cells.map(({ name }) => name));
    expect(monthly).toBeCloseTo(
      cells.reduce((sum, cell) => sum + cell.monthly, 0),
      2,
    );
  });

  test('before and after differ item by item, the biggest difference first; what is the same is left out', () => {
    const { before, after, items } = costDifference(estimated({ a: 1, b: 20, new: 3 }), estimated({ a: 1, b: 10, gone: 5 }));
    expect({ before, after }).toEqual({ before: 16, after: 24 });
    expect(items).toEqual([
      { what: 'b', before: 10, after: 20 },
      { what: 'gone', before: 5, after: 0 },
      { what: 'new', before: 0, after: 3 },
    ]);
  });

  test('of a new cell have no before, and all items', () => {
    expect(costDifference(estimated({ a: 1 }), undefined)).toMatchObject({
      before: undefined,
      after: 1,
      items: [{ what: 'a', before: 0, after: 1 }],
    });
  });
});
