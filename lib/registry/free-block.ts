/** Free blocks of the network plan. Pure; the same cells give the same block. */
import { type Block, dotted } from './rules/subject.ts';

/** Addresses from `start` to `end`, both included. */
type Range = Pick<Block, 'start' | 'end'>;

const addressesOf = (prefix: number) => 2 ** (32 - prefix);

/** What of `whole` no range of `used` covers, in order. Ranges may overlap, and may lie outside. */
function* gaps(whole: Range, used: Iterable<Range>): Generator<Range> {
  let next = whole.start;
  for (const { start, end } of [...used].sort((a, b) => a.start - b.start)) {
    if (start > whole.end) break;
    if (start > next) yield { start: next, end: start - 1 };
    next = Math.max(next, end + 1);
  }
  if (next <= whole.end) yield { start: next, end: whole.end };
}

/** First address of the first aligned block in `gap`; beyond its end when none fits. */
const firstIn = (gap: Range, size: number) => Math.ceil(gap.start / size) * size;

/**
 * The first free block of the supernet, as CIDR; undefined when there is none. The first, not a random one: blocks stay
 * together, and large ones stay whole for as long as possible.
 * @param used blocks of all cells, whatever their size and cloud
 */
export function freeBlock(supernet: Range, prefix: number, used: Iterable<Range>): string | undefined {
  const size = addressesOf(prefix);
  for (const gap of gaps(supernet, used)) {
    const start = firstIn(gap, size);
    if (start + size - 1 <= gap.end) return `${dotted(start)}/${prefix}`;
  }
  return undefined;
}

/** How many blocks of that size are free, none of which overlap. */
export function countFree(supernet: Range, prefix: number, used: Iterable<Range>): number {
  const size = addressesOf(prefix);
  let count = 0;
  for (const gap of gaps(supernet, used)) count += Math.max(0, Math.floor((gap.end + 1 - firstIn(gap, size)) / size));
  return count;
}
