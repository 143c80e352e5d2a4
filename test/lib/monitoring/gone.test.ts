import { expect, test } from '@jest/globals';
import { goneFrom } from '../../../lib/monitoring/gone.ts';

const left = { rollout: 'orders-api-7', version: '2.0.0' };
const deployments = new Map([['orders-api', new Map([['alpha', left]])]]);
const looked = { cell: 'alpha', foundation: 'CREATE_COMPLETE', components: {} };

test('a stack is gone where a rollout has left it, and nowhere else', () => {
  expect(goneFrom([looked, { ...looked, cell: 'bravo' }], deployments)).toEqual([{ cell: 'alpha', component: 'orders-api', ...left }]);
  const there = { 'orders-api': { version: '1.0.0', status: 'UPDATE_FAILED' } };
  expect(goneFrom([{ ...looked, components: there }], deployments)).toEqual([]);
});

test('nothing is gone from a cell that has no foundation, or that nobody could look at', () => {
  expect(
    goneFrom(
      [
        { ...looked, foundation: undefined },
        { ...looked, error: 'no access' },
      ],
      deployments,
    ),
  ).toEqual([]);
});
