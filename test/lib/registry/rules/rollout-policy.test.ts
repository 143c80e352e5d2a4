import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../lib/registry/index.ts';
import { calendar, rollout, wave } from '../../../_helpers/broken-rules.ts';
import { unchecked } from '../../../_helpers/organization.ts';

describe('the rules of the rollout policy', () => {
  test('a wave is not called staging: that is wave 0', () => {
    const input = unchecked();
    rollout(input, { waves: [wave('staging', { rest: true })], multiRegionFromWave: 1 });
    expect(check(input).problems).toMatchObject([
      { code: 'WAVE_DUPLICATE', path: 'rollout.waves.0.name', message: '"staging" is also the name of wave 0' },
    ]);
  });

  test('a bake counts with its extension: the pipeline waits for both', () => {
    const input = unchecked();
    rollout(input, { stagingBake: '167h' });
    expect(check(input).problems).toMatchObject([
      { code: 'BAKE_TOO_LONG', path: 'rollout.stagingBake', message: expect.stringContaining('"167h" and maxBakeExtension') },
    ]);
  });

  test('an offset is no time zone: it would miss summer time', () => {
    const input = unchecked();
    calendar(input, { timeZone: '+02:00' });
    expect(check(input).problems.map(({ code }) => code)).toEqual(['TIME_ZONE_UNKNOWN']);
  });
});
