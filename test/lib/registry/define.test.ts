import { describe, expect, test } from '@jest/globals';
import { check, defineCell, defineOrganization } from '../../../lib/registry/index.ts';
import { wave } from '../../_helpers/broken-rules.ts';
import { cell, googleCell, settings, unchecked } from '../../_helpers/organization.ts';

describe('defaults', () => {
  test('a cell needs only name, stage, region and block', () => {
    expect(cell('alpha', 1)).toMatchObject({
      cloud: 'aws',
      size: 'small',
      platforms: ['ecs'],
      importance: 'normal',
      intent: 'active',
      tier: 'shared',
      capacity: { maxRequestsPerSecond: 200, maxTenants: 100, headroom: 0.7 },
    });
  });

  test('capacity follows the size, and single values can be overridden', () => {
    expect(cell('alpha', 1, { size: 'large', capacity: { maxTenants: 5 } }).capacity).toEqual({
      maxRequestsPerSecond: 5_000,
      maxTenants: 5,
      headroom: 0.7,
    });
  });

  test('a cell on Google Cloud is valid beside the others', () => {
    const input = unchecked();
    input.cells['golf'] = googleCell('golf');
    expect(check(input).problems).toEqual([]);
  });

  test('a wrong value is passed through, for the loader to report', () => {
    const wrong = defineCell({ name: 'alpha', stage: 'production', region: 'eu-west-1', size: 'huge' as 'small', network: { block: 'x' } });
    expect(check({ ...unchecked(), cells: { alpha: wrong } }).problems.map((problem) => problem.path)).toEqual(
      expect.arrayContaining(['cells.alpha.size', 'cells.alpha.network.block']),
    );
  });

  test('a policy of fewer waves than three may mix regions in the last', () => {
    const { waves, multiRegionFromWave } = defineOrganization({
      ...settings(),
      rollout: { waves: [{ name: 'all', prefer: 'any', admit: { rest: true }, bake: '2h' }] },
    }).rollout;
    expect({ waves, multiRegionFromWave }).toEqual({ waves: [wave('all', { rest: true })], multiRegionFromWave: 1 });
  });
});
