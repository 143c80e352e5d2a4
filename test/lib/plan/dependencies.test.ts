import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inDependencyOrder } from '../../../lib/plan/dependencies.ts';

/** Components that depend on such as come before them in the alphabet, in any order. */
const components = fc
  .uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 12 })
  .chain((names) => {
    const sorted = [...names].sort();
    return fc.tuple(...sorted.map((name, index) => fc.subarray(sorted.slice(0, index)).map((dependsOn) => ({ name, dependsOn }))));
  })
  .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));

test('every component comes once, and after all that it depends on, in whatever order they are defined', () => {
  fc.assert(
    fc.property(components, (all) => {
      const ordered = inDependencyOrder(all);
      expect([...ordered].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([...all].sort((a, b) => (a.name < b.name ? -1 : 1)));
      const place = new Map(ordered.map(({ name }, index) => [name, index]));
      for (const { name, dependsOn } of all) for (const other of dependsOn) expect(place.get(other)).toBeLessThan(place.get(name) ?? 0);
      expect(inDependencyOrder([...all].reverse())).toEqual(ordered);
    }),
  );
});

test('what depends on nothing goes by name, and what is not there is no concern', () => {
  const all = [
    { name: 'web', dependsOn: ['orders'] },
    { name: 'billing', dependsOn: ['web', 'gone'] },
    { name: 'orders', dependsOn: [] },
    { name: 'audit', dependsOn: [] },
  ];
  expect(inDependencyOrder(all).map(({ name }) => name)).toEqual(['audit', 'orders', 'web', 'billing']);
});
