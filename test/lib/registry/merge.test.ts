import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changesBetween, fieldChanges, type Organization } from '../../../lib/registry/index.ts';
import { merge } from '../../../lib/registry/merge.ts';
import { cell, registry } from '../../_helpers/organization.ts';

const base = registry().organization;
const NOTHING = { added: [], changed: [], removed: [] };

/** `base` with cells set to another importance, or removed. */
function edited(edits: Readonly<Record<string, 'low' | 'high' | 'removed' | 'added'>>): Organization {
  const cells = { ...base.cells };
  for (const [name, edit] of Object.entries(edits)) {
    if (edit === 'removed') delete cells[name];
    else if (edit === 'added') cells[name] = cell(name, 50);
    else cells[name] = { ...cell(name, 1), importance: edit };
  }
  return { ...base, cells };
}

describe('what differs between two organizations', () => {
  test('is named entry by entry, and value by value', () => {
    const other = { ...edited({ alpha: 'removed', zulu: 'added' }), domain: 'example.org' };
    expect(changesBetween(base, other)).toEqual({ added: ['cells.zulu'], changed: ['domain'], removed: ['cells.alpha'] });
    expect(fieldChanges(base, { ...base, rollout: { ...base.rollout, stagingBake: '2h' }, domain: 'example.org' })).toEqual([
      { path: 'domain', before: 'example.com', after: 'example.org' },
      { path: 'rollout.stagingBake', before: '1h', after: '2h' },
    ]);
    expect(changesBetween(base, structuredClone(base))).toEqual(NOTHING);
  });
});

describe('a merge', () => {
  test('takes what each side changed, added and removed', () => {
    const { merged, conflicts } = merge(base, edited({ alpha: 'low', zulu: 'added' }), edited({ bravo: 'removed', yankee: 'added' }));
    expect(conflicts).toEqual([]);
    expect(Object.keys(merged.cells)).toEqual(['alpha', 'staging', 'yankee', 'zulu']);
    expect(merged.cells['alpha']).toMatchObject({ importance: 'low' });
  });

  test.each([
    ['changed by both', { alpha: 'low' }, { alpha: 'high' }],
    ['changed by one and removed by the other', { alpha: 'low' }, { alpha: 'removed' }],
  ] as const)('names an entry that was %s', (_, mine, theirs) => {
    expect(merge(base, edited(mine), edited(theirs)).conflicts).toEqual(['cells.alpha']);
  });

  test('is no conflict where both did the same', () => {
    const { merged, conflicts } = merge(base, edited({ alpha: 'low', bravo: 'removed' }), edited({ alpha: 'low', bravo: 'removed' }));
    expect({ merged, conflicts }).toEqual({ merged: edited({ alpha: 'low', bravo: 'removed' }), conflicts: [] });
  });

  test('of changes to different entries is the same in either direction, and holds all of them', () => {
    const names = [...Array(12).keys()].map((index) => `n${index}`);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('mine', 'theirs', 'nobody'), { minLength: 12, maxLength: 12 }), (owners) => {
        const by = (owner: string) =>
          edited(Object.fromEntries(names.filter((_, index) => owners[index] === owner).map((name) => [name, 'added'])));
        const forth = merge(base, by('mine'), by('theirs'));
        expect(forth).toEqual(merge(base, by('theirs'), by('mine')));
        expect(forth.conflicts).toEqual([]);
        expect(changesBetween(base, forth.merged).added).toEqual(
          names
            .filter((_, index) => owners[index] !== 'nobody')
            .map((name) => `cells.${name}`)
            .sort(),
        );
      }),
    );
  });
});
