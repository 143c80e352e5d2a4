import { describe, expect, test } from '@jest/globals';
import { isExpired, lasting, refuseEnding } from '../../../lib/plan/expiry.ts';
import { createPlan } from '../../../lib/plan/plan.ts';
import { cell, registry } from '../../_helpers/organization.ts';

const NOW = new Date('2030-01-01T00:00:00Z');
const past = { owner: 'ada', expiresAt: '2029-12-31T00:00:00Z' };
const { cells } = createPlan(
  registry((input) =>
    Object.assign(input.cells, {
      alpha: cell('alpha', 1, { intent: 'retiring' }),
      bravo: cell('bravo', 2, past),
      mine: cell('mine', 3, { ...past, stage: 'personal' }),
    }),
  ),
);

describe('a cell that is to end', () => {
  test('is a personal one past its end, or one that is retiring; customers don’t go by a date', () => {
    expect(cells.filter((each) => isExpired(each, NOW)).map(({ name }) => name)).toEqual(['mine']);
    expect(lasting(cells, NOW).map(({ name }) => name)).toEqual(['staging', 'bravo']);
  });

  test('is not built, and the refusal names each', () => {
    expect(() => refuseEnding(lasting(cells, NOW), NOW)).not.toThrow();
    expect(() => refuseEnding(cells, NOW)).toThrow('alpha is retiring, mine has expired: nothing was deployed');
  });
});
