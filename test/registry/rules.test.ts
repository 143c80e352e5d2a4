import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check, defineCell } from '../../registry/index.ts';
import { RULES } from '../../registry/rules.ts';
import { cell, component, googleCell, unchecked } from '../_helpers/organization.ts';

type Input = ReturnType<typeof unchecked>;

/** For each rule a way to break it, and where the problem is then found. */
const BROKEN: Record<string, { break: (input: Input) => void; path: string; actual?: string }> = {
  NAME_MISMATCH: {
    break: (input) => Object.assign(input.cells, { delta: cell('echo', 5) }),
    path: 'cells.delta.name',
    actual: '"echo"',
  },
  REGION_UNKNOWN: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { region: 'eu-west-9' }) }),
    path: 'cells.alpha.region',
    actual: '"eu-west-9"',
  },
  REGION_TOO_FEW_ZONES: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { region: 'us-west-1' }) }),
    path: 'cells.alpha.region',
    actual: '2 availability zones',
  },
  NETWORK_UNALIGNED: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { network: { block: '10.0.17.0/20' } }) }),
    path: 'cells.alpha.network.block',
    actual: '"10.0.17.0/20"',
  },
  NETWORK_SIZE: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { network: { block: '10.9.0.0/24' } }) }),
    path: 'cells.alpha.network.block',
    actual: '"10.9.0.0/24"',
  },
  NETWORK_OUTSIDE_PLAN: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { network: { block: '172.16.0.0/20' } }) }),
    path: 'cells.alpha.network.block',
    actual: '"172.16.0.0/20"',
  },
  NETWORK_OVERLAP: {
    break: (input) => Object.assign(input.cells, { twin: cell('twin', 0) }),
    path: 'cells.twin.network.block',
    actual: '10.0.0.0/20 of staging',
  },
  EMAIL_DUPLICATE: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { email: 'AWS+cell-bravo@example.com' }) }),
    path: 'cells.bravo.email',
    actual: 'aws+cell-bravo@example.com',
  },
  ACCOUNT_REUSED: {
    break: (input) => {
      for (const [index, name] of ['alpha', 'bravo'].entries()) {
        input.cells[name] = { ...cell(name, index + 1), accountId: '111111111111' };
      }
    },
    path: 'cells.bravo.accountId',
    actual: '111111111111',
  },
  PERSONAL_WITHOUT_OWNER: {
    break: (input) => Object.assign(input.cells, { me: cell('me', 7, { stage: 'personal', expiresAt: '2030-01-01T00:00:00Z' }) }),
    path: 'cells.me.owner',
  },
  PERSONAL_WITHOUT_EXPIRY: {
    break: (input) => Object.assign(input.cells, { me: cell('me', 7, { stage: 'personal', owner: 'ada' }) }),
    path: 'cells.me.expiresAt',
  },
  PRODUCTION_WITHOUT_STAGING: { break: (input) => delete input.cells['staging'], path: 'cells' },
  DEPENDENCY_UNKNOWN: {
    break: (input) => Object.assign(input.components, { billing: component('billing', 200, { dependsOn: ['carts'] }) }),
    path: 'components.billing.dependsOn',
    actual: '"carts"',
  },
  DEPENDENCY_CYCLE: {
    break: (input) => Object.assign(input.components, { 'orders-api': component('orders-api', 100, { dependsOn: ['billing'] }) }),
    path: 'components.billing.dependsOn',
    actual: 'billing -> orders-api -> billing',
  },
  PRIORITY_COLLISION: {
    break: (input) => Object.assign(input.components, { carts: component('carts', 100) }),
    path: 'components.orders-api.route.priority',
    actual: '100',
  },
};

describe('the rules', () => {
  test('the organization they are tried on breaks none', () => {
    expect(check(unchecked()).problems).toEqual([]);
  });

  test('each has a case here', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(RULES.map((rule) => rule.code).sort());
  });

  test.each(Object.entries(BROKEN))('%s is reported alone, with place, value and cure', (code, broken) => {
    const input = unchecked();
    broken.break(input);
    const { problems, organization } = check(input);
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
      'FIELD_INVALID homeRegion',
      'FIELD_INVALID cells.alpha.size',
      'FIELD_UNKNOWN cells.alpha.colour',
      'NETWORK_OVERLAP cells.me.network.block',
      'PERSONAL_WITHOUT_OWNER cells.me.owner',
      'PERSONAL_WITHOUT_EXPIRY cells.me.expiresAt',
    ]);
    expect(problems[1]?.message).toContain('"huge"');
    const shuffled = { ...input, cells: Object.fromEntries(Object.entries(input.cells).reverse()) };
    expect(check(shuffled).problems).toEqual(problems);
  });

  test('no value at all makes validation throw', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.dictionary(fc.string(), fc.anything()),
        fc.dictionary(fc.string(), fc.anything()),
        (anything, cells, components) => {
          expect(check({ settings: anything, cells, components }).problems.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('overlapping blocks are found among many, whatever the order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(60).keys()], { minLength: 2 }), fc.nat(), (indices, pick) => {
        const cells = Object.fromEntries(indices.map((index) => [`c${index}`, cell(`c${index}`, index)]));
        cells['staging'] = cell('staging', 100, { stage: 'staging' });
        expect(check({ ...unchecked(), cells }).problems).toEqual([]);
        const twin = indices[pick % indices.length] ?? 0;
        cells['twin'] = cell('twin', twin);
        expect(check({ ...unchecked(), cells }).problems.map((problem) => problem.code)).toEqual(['NETWORK_OVERLAP']);
      }),
      { numRuns: 30 },
    );
  });
});

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
});
