import { describe, expect, test } from '@jest/globals';
import { byCost, costLines, dollars } from '../../../lib/cli/cost.ts';

const estimate = {
  monthly: 1_234.56,
  items: [
    { what: 'alarms', monthly: 1.8 },
    { what: 'database', monthly: 1_200 },
    { what: 'NAT', monthly: 32.76 },
  ],
};

describe('an estimate', () => {
  test('is shown as a sum, its items from the most expensive on, and the source of its figures', () => {
    const [sum, items, source] = costLines(estimate, 'estimate: from nowhere');
    expect(sum).toContain('$1,235 a month');
    expect(items).toBe('database $1,200; NAT $33; alarms $1.80');
    expect(source).toContain('estimate: from nowhere');
  });

  test('has one line for all that is below a hundredth of the sum, where that is more than one item', () => {
    const small = { what: 'logs', monthly: 0.25 };
    const [, items] = costLines({ monthly: 1_234.81, items: [...estimate.items, small] }, '');
    expect(items).toBe('database $1,200; NAT $33; the rest $2.05');
  });

  test('always says that it is one', () => {
    expect(costLines({ monthly: 0, items: [] }, '').join('\n')).toContain('estimate');
  });

  test('is not put in another order by being shown', () => {
    expect(byCost(estimate).map(({ what }) => what)).toEqual(['database', 'NAT', 'alarms']);
    expect(estimate.items.map(({ what }) => what)).toEqual(['alarms', 'database', 'NAT']);
  });

  test.each([
    [0, '$0'],
    [0.005, '$0.01'],
    [9.99, '$9.99'],
    [9.996, '$10'],
    [12.4, '$12'],
    [1_234_567, '$1,234,567'],
  ])('%d is %s', (amount, text) => {
    expect(dollars(amount)).toBe(text);
  });
});
