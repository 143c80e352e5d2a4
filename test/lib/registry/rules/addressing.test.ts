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
