import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countFree, freeBlock } from '../../../lib/registry/free-block.ts';
import { dotted, parseBlock } from '../../../lib/registry/rules/subject.ts';

const SUPERNET_PREFIX = 20;
const supernet = parseBlock('supernet', `10.1.16.0/${SUPERNET_PREFIX}`);
const block = (text: string) => parseBlock('', text);
/** A block in or around the supernet: aligned, of any size from the supernet's to a 64th of it; others may overlap it. */
const anyBlock = fc
  .record({ prefix: fc.integer({ min: SUPERNET_PREFIX, max: 26 }), at: fc.nat({ max: 2 ** 13 }) })
  .map(({ prefix, at }) => block(`${dotted(supernet.start - 2 ** 11 + at - (at % 2 ** (32 - prefix)))}/${prefix}`));
const used = fc.array(anyBlock, { maxLength: 30 });
const prefix = fc.integer({ min: SUPERNET_PREFIX, max: 26 });

/** Every aligned block of that length that overlaps none: what must be found, by trying all. */
function allFree(length: number, taken: readonly { start: number; end: number }[]): number[] {
  const size = 2 ** (32 - length);
  const starts = Array.from({ length: 2 ** (length - SUPERNET_PREFIX) }, (_, index) => supernet.start + index * size);
  return starts.filter((start) => taken.every((each) => each.end < start || each.start >= start + size));
}

describe('the next free block', () => {
  test('is the first aligned one that overlaps none, and is found whenever there is one', () => {
    fc.assert(
      fc.property(used, prefix, (taken, length) => {
        const [first] = allFree(length, taken);
        expect(freeBlock(supernet, length, taken)).toBe(first === undefined ? undefined : `${dotted(first)}/${length}`);
      }),
    );
  });

  test('is the same whatever the order of the cells', () => {
    fc.assert(
      fc.property(
        used.chain((taken) => fc.tuple(fc.constant(taken), fc.shuffledSubarray(taken, { minLength: taken.length }))),
        prefix,
        ([a, b], length) => {
          expect(freeBlock(supernet, length, b)).toBe(freeBlock(supernet, length, a));
        },
      ),
    );
  });

  test('can be taken as often as was counted, and then no more', () => {
    fc.assert(
      fc.property(used, prefix, (taken, length) => {
        const all = [...taken];
        let left = countFree(supernet, length, all);
        expect(left).toBe(allFree(length, taken).length);
        for (; left > 0; left--) {
          const next = freeBlock(supernet, length, all);
          if (next === undefined) throw new Error(`${left} were said to be left`);
          all.push(block(next));
        }
        expect(freeBlock(supernet, length, all)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['an empty supernet', [], 24, '10.1.16.0/24'],
    ['a hole between two cells', ['10.1.16.0/24', '10.1.18.0/24'], 24, '10.1.17.0/24'],
    ['a hole that is too small, or not aligned', ['10.1.16.0/24', '10.1.19.0/24'], 23, '10.1.20.0/23'],
    ['cells of other sizes', ['10.1.16.0/21', '10.1.24.0/26'], 24, '10.1.25.0/24'],
    ['cells elsewhere', ['10.2.0.0/16', '9.0.0.0/8'], 24, '10.1.16.0/24'],
    ['a full supernet', ['10.1.16.0/20'], 24, undefined],
    ['a block that is larger than the supernet', [], 19, undefined],
  ])('in %s', (_, taken, length, expected) => {
    expect(freeBlock(supernet, length, taken.map(block))).toBe(expected);
  });

  test('is found among ten thousand cells at once', () => {
    const wide = block('10.0.0.0/8');
    const taken = Array.from({ length: 10_000 }, (_, index) => {
      const start = wide.start + index * 1_024;
      return { start, end: start + 1_023 };
    }).reverse();
    const began = performance.now();
    expect(freeBlock(wide, 22, taken)).toBe('10.156.64.0/22');
    expect(countFree(wide, 22, taken)).toBe(16_384 - 10_000);
    // A search that looks at every cell for every block would take minutes.
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
