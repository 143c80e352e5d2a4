import { expect, test } from '@jest/globals';
import { type RenameInCell, renameSteps, takenPriorities } from '../../../lib/registry/renames.ts';
import { component, registry } from '../../_helpers/organization.ts';

const having = (...components: readonly (readonly [name: string, priority: number])[]) =>
  registry((input) => {
    input.components = Object.fromEntries(components.map(([name, priority]) => [name, component(name, priority)]));
  }).organization;

test('a component that is renamed may not keep its priority: the old one’s rule stays in cells until it is removed', () => {
  const before = having(['search', 100], ['orders', 200]);
  const [problem, ...others] = takenPriorities(before, having(['finder', 100], ['orders', 200]));
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: 'PRIORITY_IN_USE', path: 'components.finder.route.priority' });
  expect(problem?.fix).toContain('`cellctl component remove search`');
  expect(takenPriorities(before, having(['finder', 101], ['orders', 200]))).toEqual([]);
  expect(takenPriorities(before, having(['search', 100], ['orders', 300]))).toEqual([]);
});

test('a rename that is spread over two publications is seen by the stacks that cells have still, also of a priority that changes', () => {
  const { search } = having(['search', 100]).components;
  if (!search) throw new Error('no search');
  const between = having(['orders', 200]);
  expect(takenPriorities(between, having(['finder', 100], ['orders', 200]))).toEqual([]);
  expect(takenPriorities(between, having(['finder', 100], ['orders', 200]), [search])).toMatchObject([
    { path: 'components.finder.route.priority', fix: expect.stringContaining('`cellctl component rename search finder`') },
  ]);
  expect(takenPriorities(between, having(['orders', 100]), [search])).toMatchObject([{ path: 'components.orders.route.priority' }]);
  expect(takenPriorities(between, having(['search', 100], ['orders', 200]), [search])).toEqual([]);
});

test('the steps of a rename go from both side by side, over a priority before the old one, to the end', () => {
  const { search } = having(['search', 100]).components;
  if (!search) throw new Error('no search');
  const cell = (name: string, old: boolean, priority?: number): RenameInCell => ({
    cell: name,
    old,
    fresh: priority !== undefined,
    priority,
  });
  const next = (components: readonly (readonly [string, number])[], ...cells: RenameInCell[]) =>
    renameSteps({ from: 'search', to: 'finder', components: having(...components).components, last: search, cells }).find(
      ({ done }) => !done,
    )?.text;
  const OLD = ['search', 100] as const;
  expect(next([OLD, ['orders', 101]], cell('alpha', true))).toContain(
    'add registry/components/finder.ts beside search.ts, with priority 102',
  );
  expect(next([OLD, ['finder', 102]], cell('alpha', true, 102), cell('bravo', true))).toContain('missing in bravo');
  expect(next([OLD, ['finder', 102], ['orders', 99]], cell('alpha', true, 102))).toMatch(/give finder the priority 98.*not yet in alpha/);
  // Published is not delivered.
  expect(next([OLD, ['finder', 98]], cell('alpha', true, 98), cell('bravo', true, 102))).toContain('not yet in bravo');
  expect(next([OLD, ['finder', 98]], cell('alpha', true, 98))).toContain('take registry/components/search.ts out');
  expect(next([['finder', 98]], cell('alpha', true, 98))).toBe('`cellctl component remove search`; it runs in alpha');
  expect(next([['finder', 98]], cell('alpha', false, 98))).toBeUndefined();
});
