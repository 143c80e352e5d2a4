import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check } from '../../../../lib/registry/index.ts';
import { RULES } from '../../../../lib/registry/rules/registry-rules.ts';
import { BROKEN } from '../../../_helpers/broken-rules.ts';
import { cell, unchecked } from '../../../_helpers/organization.ts';

describe('the rules', () => {
  test('the organization they are tried on breaks none', () => {
    expect(check(unchecked()).problems).toEqual([]);
  });

  test('each has a case', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(RULES.map((rule) => rule.code).sort());
  });

  // Reported alone also means that the schema has nothing to say of it: no check stands in both.
  test.each(Object.entries(BROKEN))('%s is reported alone, with place, value and cure', (code, broken) => {
    const input = unchecked();
    broken.break(input);
    const { problems, organization } = check(input, broken.surroundings);
    expect(organization).toBeUndefined();
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]).toMatchObject({ path: broken.path });
    expect(problems[0]?.message).toContain(broken.actual ?? '');
    expect(problems[0]?.fix).not.toBe('');
  });

  test('all problems are reported at once, the schema’s and the rules’, in a stable order', () => {
    const input = unchecked();
    input.settings = { ...input.settings, homeRegion: 'Mars' };
    input.cells['alpha'] = { ...cell('alpha', 1), size: 'huge', colour: 'red' };
    input.cells['me'] = cell('me', 2, { stage: 'personal' });
    const { problems } = check(input);
    expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'FIELD_FORMAT homeRegion',
      'FIELD_VALUE cells.alpha.size',
      'FIELD_UNKNOWN cells.alpha.colour',
      'NETWORK_DUPLICATE cells.me.network.block',
      'PERSONAL_WITHOUT_OWNER cells.me.owner',
      'PERSONAL_WITHOUT_EXPIRY cells.me.expiresAt',
    ]);
    expect(problems[1]?.message).toContain('"huge"');
    const shuffled = { ...input, cells: Object.fromEntries(Object.entries(input.cells).reverse()) };
    expect(check(shuffled).problems).toEqual(problems);
  });

  test('of any number of faults none hides another', () => {
    const faults = Object.entries(BROKEN).filter(
      ([code]) =>
        code.startsWith('PERSONAL') ||
        code.startsWith('PATH') ||
        code.startsWith('BAKE') ||
        code.startsWith('TAG') ||
        code.startsWith('SESSION') ||
        code === 'PLATFORM_MISSING',
    );
    fc.assert(
      fc.property(fc.subarray(faults, { minLength: 1 }), (chosen) => {
        const input = unchecked();
        for (const [, { break: damage }] of chosen) damage(input);
        const found = new Set(check(input).problems.map((problem) => problem.code));
        // Two faults of one cell or component are put into the same definition; the later one then stands for both.
        for (const [code, { path }] of chosen) {
          const overwritten = chosen.some(
            ([other, { path: at }]) => other !== code && at.split('.').slice(0, 2).join() === path.split('.').slice(0, 2).join(),
          );
          if (!overwritten) expect(found).toContain(code);
        }
        expect(found.size).toBeGreaterThan(0);
      }),
    );
  });
});
