import { describe, expect, test } from '@jest/globals';
import { draft, validate } from '../../../lib/registry/index.ts';
import { additionOf } from '../../../lib/review/addition.ts';
import { cell, googleCell, registry, unchecked } from '../../_helpers/organization.ts';

/** What `charlie` adds to the organization. */
function adding(rest: Parameters<typeof cell>[2], others: Record<string, unknown> = {}) {
  const input = unchecked();
  const cells = { ...input.cells, ...others, charlie: cell('charlie', 9, rest) };
  return additionOf(draft(validate({ ...input, cells }, 'test')), 'charlie');
}

describe('a new cell', () => {
  test('comes where a change reaches it, between those before and after it', () => {
    expect(adding({}).rollout).toEqual({ place: 4, of: 4, after: 'bravo', before: undefined });
    expect(adding({ importance: 'low' }).rollout).toEqual({ place: 2, of: 4, after: 'staging', before: 'alpha' });
    expect(adding({ stage: 'staging' }).rollout).toEqual({ place: 1, of: 4, after: undefined, before: 'staging' });
  });

  test('comes among cells of other clouds, too', () => {
    expect(adding({ trafficWeight: 2 }, { zulu: googleCell('zulu') }).rollout).toMatchObject({ place: 5, of: 5, after: 'zulu' });
  });

  test('gets the share of the traffic that its weight has among production cells', () => {
    expect(adding({ trafficWeight: 2 }).traffic).toEqual({ weight: 2, total: 4, share: 0.5 });
    expect(adding({ trafficWeight: 0 }).traffic).toEqual({ weight: 0, total: 2, share: 0 });
  });

  test('gets none of the customers’ traffic outside production, or where no cell has any weight', () => {
    expect(adding({ stage: 'staging', trafficWeight: 5 }).traffic).toBeUndefined();
    const weightless = Object.fromEntries(['alpha', 'bravo'].map((name, index) => [name, cell(name, index + 1, { trafficWeight: 0 })]));
    expect(adding({ trafficWeight: 0 }, weightless).traffic).toBeUndefined();
  });

  test('is planned and estimated as it will be', () => {
    const { cell: planned, estimate } = adding({ size: 'medium' });
    expect(planned).toMatchObject({ name: 'charlie', size: 'medium', endpoint: 'https://charlie.cells.example.com' });
    expect(estimate.monthly).toBeGreaterThan(adding({ size: 'small' }).estimate.monthly);
  });

  test('that is not there is unknown', () => {
    expect(() => additionOf(registry(), 'charlie')).toThrow(expect.objectContaining({ code: 'CELL_UNKNOWN' }));
  });
});
