import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check, defineOrganization } from '../../../lib/registry/index.ts';
import { FIELD_CODES } from '../../../lib/registry/shape.ts';
import { blackout, calendar, type Input, rollout, wave } from '../../_helpers/broken-rules.ts';
import { cell, component, settings, unchecked } from '../../_helpers/organization.ts';

/** What a single field may not hold: the schema's business, reported in the same form. */
const FIELDS: Record<
  string,
  { break: (input: Input) => void; code: keyof typeof FIELD_CODES; path: string; actual: string; allowed: string }
> = {
  'an account id of eleven digits': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), accountId: '12345678901' } }),
    code: 'FIELD_FORMAT',
    path: 'cells.alpha.accountId',
    actual: '"12345678901"',
    allowed: '12 digits',
  },
  'a percentage above 100': {
    break: (input) => rollout(input, { waves: [wave('all', { percent: 101 }), wave('rest', { rest: true })], multiRegionFromWave: 2 }),
    code: 'FIELD_RANGE',
    path: 'rollout.waves.0.admit.percent',
    actual: '101',
    allowed: '<=100',
  },
  'a duration without a unit': {
    break: (input) => rollout(input, { stagingBake: '30' }),
    code: 'FIELD_FORMAT',
    path: 'rollout.stagingBake',
    actual: '"30"',
    allowed: '90s, 30m, 12h, 2d',
  },
  'a window without days': {
    break: (input) => calendar(input, { windows: [{ days: [], from: '09:00', until: '17:00' }] }),
    code: 'FIELD_RANGE',
    path: 'cells.alpha.calendar.windows.0.days',
    actual: '[]',
    allowed: '>=1',
  },
  'a time of day that is none': {
    break: (input) => calendar(input, { windows: [{ days: ['mon'], from: '9:00', until: '24:00' }] }),
    code: 'FIELD_FORMAT',
    path: 'cells.alpha.calendar.windows.0.from',
    actual: '"9:00"',
    allowed: '09:30',
  },
  'a day that ends after its end': {
    break: (input) => calendar(input, { windows: [{ days: ['mon'], from: '09:00', until: '24:30' }] }),
    code: 'FIELD_FORMAT',
    path: 'cells.alpha.calendar.windows.0.until',
    actual: '"24:30"',
    allowed: '24:00',
  },
  'a blackout without a time zone': {
    break: (input) => rollout(input, { calendar: { blackouts: [blackout('2026-12-24T00:00:00', '2026-12-27T00:00:00Z')] } }),
    code: 'FIELD_FORMAT',
    path: 'rollout.calendar.blackouts.0.from',
    actual: '"2026-12-24T00:00:00"',
    allowed: 'time zone',
  },
  'a capacity of nothing': {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { capacity: { maxTenants: 0 } }) }),
    code: 'FIELD_RANGE',
    path: 'cells.alpha.capacity.maxTenants',
    actual: '0',
    allowed: '>0',
  },
  'a headroom above 1': {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { capacity: { headroom: 1.5 } }) }),
    code: 'FIELD_RANGE',
    path: 'cells.alpha.capacity.headroom',
    actual: '1.5',
    allowed: '<=1',
  },
  'an unknown size': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), size: 'huge' } }),
    code: 'FIELD_VALUE',
    path: 'cells.alpha.size',
    actual: '"huge"',
    allowed: 'small',
  },
  'an unknown override': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), overrides: { database: { colour: 'red' } } } }),
    code: 'FIELD_UNKNOWN',
    path: 'cells.alpha.overrides.database.colour',
    actual: '"colour"',
    allowed: 'remove it',
  },
  'a number where a text belongs': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), region: 7 } }),
    code: 'FIELD_TYPE',
    path: 'cells.alpha.region',
    actual: '7',
    allowed: 'string',
  },
  'a field that is missing': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), network: { clients: ['0.0.0.0/0'] } } }),
    code: 'FIELD_MISSING',
    path: 'cells.alpha.network.block',
    actual: 'is missing',
    allowed: 'IPv4 block',
  },
  'a field that does not exist': {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), colour: 'red' } }),
    code: 'FIELD_UNKNOWN',
    path: 'cells.alpha.colour',
    actual: '"colour"',
    allowed: 'remove it',
  },
};

describe('the schema', () => {
  test('each of its codes has a case here', () => {
    expect(new Set(Object.values(FIELDS).map(({ code }) => code))).toEqual(new Set(Object.keys(FIELD_CODES)));
  });

  // And the other way round: what the schema finds, no rule finds again.
  test.each(Object.entries(FIELDS))(
    '%s is the schema’s to report, alone, in the same form',
    (_, { break: damage, code, path, actual, allowed }) => {
      const input = unchecked();
      damage(input);
      const { problems } = check(input);
      expect(problems).toEqual([{ code, path, message: expect.stringContaining(actual), fix: expect.stringContaining(allowed) }]);
    },
  );

  test('what does not fit in one field hides nothing about the others', () => {
    const input = unchecked();
    input.settings = { ...input.settings, homeRegion: 'Mars', rollout: { ...input.settings.rollout, stagingBake: '169h' } };
    input.cells['zulu'] = {
      ...cell('zulu', 5, { network: { block: '11.0.0.0/20' }, tags: { 'aws:x': 'y' } }),
      size: 'huge',
      email: 'nobody',
    };
    input.cells['yankee'] = { ...cell('yankee', 6), network: { block: 'x', clients: ['0.0.0.0/0'] }, region: 'eu-west-9', colour: 'red' };
    input.components['carts'] = { ...component('carts', 100), repository: 'here' };
    expect(check(input).problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'FIELD_FORMAT homeRegion',
      'FIELD_FORMAT cells.yankee.network.block',
      'FIELD_UNKNOWN cells.yankee.colour',
      'FIELD_VALUE cells.zulu.size',
      'FIELD_FORMAT cells.zulu.email',
      'FIELD_TYPE components.carts.repository',
      'TAG_RESERVED cells.zulu.tags.aws:x',
      'REGION_UNKNOWN cells.yankee.region',
      'NETWORK_OUTSIDE_PLAN cells.zulu.network.block',
      'PRIORITY_COLLISION components.orders-api.route.priority',
      'BAKE_TOO_LONG rollout.stagingBake',
    ]);
  });

  test('what stands in for a field that does not fit is no problem of anybody', () => {
    const fields = Object.keys(cell('alpha', 1)).filter((field) => field !== 'cloud');
    fc.assert(
      fc.property(fc.subarray(fields, { minLength: 1 }), (broken) => {
        const input = unchecked();
        input.cells['alpha'] = { ...cell('alpha', 1), ...Object.fromEntries(broken.map((field) => [field, Symbol('none')])) };
        const found = check(input, { existing: new Map([['alpha', 'account 1']]) });
        expect(new Set(found.problems.map(({ path }) => path.split('.').slice(0, 3).join('.')))).toEqual(
          new Set(broken.map((field) => `cells.alpha.${field}`)),
        );
      }),
    );
  });

  test('what is no policy and no calendar passes through the define functions, to be reported', () => {
    const input = unchecked();
    input.settings = defineOrganization({ ...settings(), rollout: { waves: 'all' as never } });
    input.cells['alpha'] = cell('alpha', 1, { calendar: 'always' as never });
    expect(check(input).problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'FIELD_TYPE rollout.waves',
      'FIELD_TYPE cells.alpha.calendar',
    ]);
  });

  test('a definition that does not fit the schema is not also missing', () => {
    const input = unchecked();
    input.cells['alpha'] = { ...cell('alpha', 1), stage: 'prod' };
    const existing = new Map([['alpha', 'account 444444444444 in accounts.json']]);
    expect(check(input, { existing }).problems.map(({ code }) => code)).toEqual(['FIELD_VALUE']);
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
});
