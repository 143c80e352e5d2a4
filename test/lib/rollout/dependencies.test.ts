import { describe, expect, test } from '@jest/globals';
import { cellsWithout, type Deployments, missingDependencies } from '../../../lib/rollout/dependencies.ts';
import type { CellRecord } from '../../../lib/rollout/rollout-record.ts';
import { component, foundations } from '../../_helpers/organization.ts';

type Told = Readonly<Record<string, Partial<CellRecord>>>;

/** Rollouts of a component, newest first: what each has written down of cells. */
const deployments = (rollouts: Readonly<Record<string, readonly Told[]>>): Deployments => ({
  ids: async (name, limit) => (rollouts[name] ?? []).map((_, index) => `${name}-${index}`).slice(0, limit),
  cells: async (id) => {
    const [, name = '', index = ''] = /^(.*)-(\d+)$/.exec(id) ?? [];
    return Object.entries(rollouts[name]?.[Number(index)] ?? {}).map(([cell, record]) => ({ cell, wave: 1, status: 'pending', ...record }));
  },
});

describe('a cell runs a component', () => {
  const without = (...rollouts: readonly Told[]) => cellsWithout('orders-api', ['alpha'], deployments({ 'orders-api': rollouts }));

  test.each<[string, readonly Told[], boolean]>([
    ['that a rollout deployed', [{ alpha: { status: 'deployed', previous: '' } }], true],
    ['that a rollout of another cell alone has not touched', [{ bravo: { status: 'deployed' } }], false],
    ['that an older rollout deployed', [{ bravo: { status: 'deployed' } }, { alpha: { status: 'deployed' } }], true],
    ['whose newer version was rolled back', [{ alpha: { status: 'restored', previous: '1.0.0' } }], true],
    ['whose newer version failed', [{ alpha: { status: 'failed', previous: '1.0.0' } }], true],
    ['whose newer version failed before anybody looked', [{ alpha: { status: 'failed' } }, { alpha: { status: 'deployed' } }], true],
  ])('%s', async (_, rollouts, there) => {
    expect(await without(...rollouts)).toEqual(there ? [] : ['alpha']);
  });

  test.each<[string, readonly Told[]]>([
    ['without any rollout', []],
    ['whose only rollout was rolled back', [{ alpha: { status: 'restored', previous: '' } }]],
    ['whose only rollout is still under way', [{ alpha: { status: 'deploying', previous: '' } }]],
    [
      'that was taken away again after it had been there',
      [{ alpha: { status: 'restored', previous: '' } }, { alpha: { status: 'deployed' } }],
    ],
  ])('not one %s', async (_, rollouts) => {
    expect(await without(...rollouts)).toEqual(['alpha']);
  });
});

describe('a component that depends on others', () => {
  const billing = component('billing', 200, { dependsOn: ['orders-api', 'foundations'] });
  const all = [billing, component('orders-api', 100), foundations()];
  const cells = ['alpha', 'bravo'];

  test('may go where they are; foundations are everywhere', async () => {
    const there = { alpha: { status: 'deployed' }, bravo: { status: 'deployed' } } as const;
    expect(await missingDependencies(billing, all, cells, deployments({ 'orders-api': [there] }))).toEqual([]);
  });

  test('is told which cells lack what, and what to do', async () => {
    const [problem] = await missingDependencies(billing, all, cells, deployments({ 'orders-api': [{ alpha: { status: 'deployed' } }] }));
    expect(problem).toEqual({
      code: 'ROLLOUT_DEPENDENCY',
      path: 'components.billing.dependsOn',
      message: 'billing depends on orders-api, which no rollout has brought to bravo',
      fix: expect.stringContaining('`cellctl rollout catch-up <cell>`'),
    });
  });

  test('is told so, too, where nothing was rolled out yet', async () => {
    const [problem] = await missingDependencies(billing, all, cells, deployments({}));
    expect(problem?.message).toBe('billing depends on orders-api, which no rollout has brought to any of its cells: alpha, bravo');
    expect(problem?.fix).toContain('`cellctl rollout start orders-api --release <version>` first');
  });
});
