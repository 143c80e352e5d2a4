import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check } from '../../../../lib/registry/index.ts';
import { cell, unchecked } from '../../../_helpers/organization.ts';

test('overlapping blocks are found among many, whatever the order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(60).keys()], { minLength: 2 }), fc.nat(), (indices, pick) => {
      const cells = Object.fromEntries(indices.map((index) => [`c${index}`, cell(`c${index}`, index)]));
      cells['staging'] = cell('staging', 100, { stage: 'staging' });
      expect(check({ ...unchecked(), cells }).problems).toEqual([]);
      const twin = indices[pick % indices.length] ?? 0;
      cells['twin'] = cell('twin', twin);
      expect(check({ ...unchecked(), cells }).problems.map((problem) => problem.code)).toEqual(['NETWORK_DUPLICATE']);
    }),
    { numRuns: 30 },
  );
});

test('each block inside another one is found, also behind a small one inside the same', () => {
  // A prefix and which block of that size, in 10.0.0.0/16.
  const block = fc.integer({ min: 18, max: 22 }).chain((prefix) => fc.tuple(fc.constant(prefix), fc.nat({ max: 2 ** (prefix - 16) - 1 })));
  fc.assert(
    fc.property(fc.uniqueArray(block, { minLength: 2, maxLength: 8, selector: String }), (blocks) => {
      const ranges = blocks.map(([prefix, number], index) => {
        const size = 2 ** (32 - prefix);
        return { name: `c${index}`, prefix, start: number * size, end: (number + 1) * size - 1 };
      });
      const inside = ranges.filter((one) =>
        ranges.some((other) => other.prefix < one.prefix && other.start <= one.start && other.end >= one.end),
      );
      const cells = Object.fromEntries(
        ranges.map(({ name, prefix, start }, index) => {
          const text = `10.0.${Math.floor(start / 256)}.0/${prefix}`;
          const definition = cell(name, index);
          return [name, { ...definition, network: { ...definition.network, block: text } }];
        }),
      );
      cells['staging'] = cell('staging', 100, { stage: 'staging' });
      expect(
        check({ ...unchecked(), cells })
          .problems.map(({ code, path }) => `${code} ${path}`)
          .sort(),
      ).toEqual(inside.map(({ name }) => `NETWORK_OVERLAP cells.${name}.network.block`).sort());
    }),
  );
});
