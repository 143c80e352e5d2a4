import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { draft, FactoryError, parseDocument, serialize, validate } from '../../registry/index.ts';
import { cell, registry, unchecked } from '../_helpers/organization.ts';

const published = { revision: 7, at: '2026-01-02T03:04:05.000Z', by: 'ada@laptop' };
const document = () => ({ ...registry(), published });

function failure(text: string): FactoryError {
  try {
    parseDocument(text, 'test.json');
  } catch (error) {
    if (error instanceof FactoryError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the published document', () => {
  test('is read back as it was written', () => {
    expect(parseDocument(serialize(document()), 'test')).toEqual(document());
  });

  test('has the same bytes whatever the order of definitions and fields', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['staging', 'alpha', 'bravo'], { minLength: 3 }), (order) => {
        const input = unchecked();
        const cells = Object.fromEntries(
          order.map((name) => [name, Object.fromEntries(Object.entries(input.cells[name] as object).reverse())]),
        );
        const shuffled = draft(validate({ ...input, cells }, 'test'));
        expect(serialize({ ...shuffled, published })).toBe(serialize({ ...draft(validate(unchecked(), 'test')), published }));
      }),
    );
  });

  test('gets other bytes only where a cell is added, and in the header', () => {
    const before = serialize(document());
    const more = registry((input) => Object.assign(input.cells, { zulu: cell('zulu', 9) }));
    const after = serialize({ ...more, published });
    const withoutZulu = after.replace(/,"zulu":\{.*?"trafficWeight":1\}/, '').replace(more.digest, document().digest);
    expect(withoutZulu).toBe(before);
  });

  test('is refused when it is of another version, before anything else is looked at', () => {
    const error = failure(JSON.stringify({ schemaVersion: 99, nonsense: true }));
    expect(error.code).toBe('DOCUMENT_INVALID');
    expect(error.message).toContain('schema version 99, this reader knows 1');
  });

  test('is refused when its content was changed after it was published', () => {
    expect(failure(serialize(document()).replace('10.0.16.0/20', '10.0.96.0/20')).message).toContain('header says');
  });

  test.each([
    ['', 'is not JSON'],
    ['[]', 'no schemaVersion'],
    ['{"schemaVersion":1}', 'header'],
  ])('is refused when it is %p', (text, reason) => {
    expect(failure(text).message).toContain(reason);
  });
});
