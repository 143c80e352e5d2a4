import { describe, expect, test } from '@jest/globals';
import { checkTemplate, TEMPLATE_LIMITS } from '../../../lib/plan/limits.ts';

const section = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`A${index}`, {}]));

describe('a template', () => {
  test('far from CloudFormation’s limits has nothing to say', () => {
    expect(checkTemplate({ Resources: section(399), Outputs: section(159), Parameters: section(10) })).toEqual([]);
  });

  test('names each limit that it comes near', () => {
    expect(checkTemplate({ Resources: section(400), Outputs: section(160), Parameters: section(200) })).toEqual([
      { what: 'resources', used: 400, limit: 500 },
      { what: 'parameters', used: 200, limit: 200 },
      { what: 'outputs', used: 160, limit: 200 },
    ]);
  });

  test('counts in bytes, not in characters', () => {
    const text = (size: number) => ({ Resources: { A: 'ü'.repeat(size) } });
    expect(checkTemplate(text(399_000))).toEqual([]);
    expect(checkTemplate(text(400_000)).map(({ what }) => what)).toEqual(['bytes']);
  });

  test('is held to every limit of the table, by any share', () => {
    expect(checkTemplate({}, 0).map(({ what }) => what)).toEqual(TEMPLATE_LIMITS.map(({ what }) => what));
  });
});
