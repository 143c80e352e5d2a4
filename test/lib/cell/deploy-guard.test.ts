import { describe, expect, test } from '@jest/globals';
import { guardCells } from '../../../lib/cell/deploy-guard.ts';
import { createPlan, isVended } from '../../../lib/plan/plan.ts';
import { registry } from '../../_helpers/organization.ts';

const cells = createPlan(registry()).cells.filter(isVended);
/** Nobody can look anywhere with it. */
const blind = { region: 'eu-west-1', credentials: () => Promise.reject(new Error('no credentials')) };
const task = () => ({ stackName: 'x', deploy: async () => ({ changed: true }) });

describe('a cell that can’t be looked at', () => {
  test('stops none of its siblings, and is not deployed itself: what it would lose is not known', async () => {
    const { guard: guarded } = await guardCells(cells, new Map([['Cell-alpha', { Resources: {} }]]), blind, 'aws', []);
    const outcomes = await Promise.allSettled(
      cells.map((cell) => guarded(task)(cell).deploy(cell, { incomplete: false, session: blind }, () => undefined)),
    );
    expect(cells.map(({ name }, index) => `${name} ${outcomes[index]?.status}`).sort()).toEqual([
      'alpha rejected',
      'bravo fulfilled',
      'staging fulfilled',
    ]);
  });
});
