import { expect, test } from '@jest/globals';
import { takenPriorities } from '../../../lib/registry/renames.ts';
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
