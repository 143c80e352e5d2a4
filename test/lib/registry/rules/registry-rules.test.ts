import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check, defineCell, defineOrganization, type Hook } from '../../../../lib/registry/index.ts';
import { RULES } from '../../../../lib/registry/rules/registry-rules.ts';
import type { Surroundings } from '../../../../lib/registry/rules/subject.ts';
import { WARNINGS } from '../../../../lib/registry/rules/warnings.ts';
import { FIELD_CODES } from '../../../../lib/registry/shape.ts';
import { cell, component, foundations, googleCell, settings, unchecked } from '../../../_helpers/organization.ts';

type Input = ReturnType<typeof unchecked>;

interface Case {
  readonly break: (input: Input) => void;
  readonly path: string;
  /** What the message shows of the actual value. */
  readonly actual?: string;
  readonly surroundings?: Surroundings;
}

const now = new Date('2026-06-01T00:00:00Z');
const personal = (rest: object) => cell('me', 7, { stage: 'personal', owner: 'ada', expiresAt: '2026-06-30T00:00:00Z', ...rest });
const rollout = (input: Input, change: object) => {
  input.settings = { ...input.settings, rollout: { ...input.settings.rollout, ...change } };
};
const calendar = (input: Input, value: object) => Object.assign(input.cells, { alpha: cell('alpha', 1, { calendar: value }) });
const wave = (name: string, admit: object, bake = '2h') => ({ name, prefer: 'any', admit, bake, approval: false });
const hooks = (input: Input, list: object[]) =>
  Object.assign(input.components, { web: component('web', 9, { pipeline: { hooks: list as Hook[] } }) });
const role = (rest: object) => ({ level: 'read', stages: ['production'], groups: ['engineers'], session: '8h', ...rest });
const access = (input: Input, roles: object) => Object.assign(input.settings, { access: { roles } });

const blackout = (from: string, until: string) => ({ from, until, reason: 'Christmas' });

/** For each rule a way to break it, and where the problem is then found. */
const BROKEN: Record<string, Case> = {
  NAME_MISMATCH: {
    break: (input) => Object.assign(input.cells, { delta: cell('echo', 5) }),
    path: 'cells.delta.name',
    actual: '"echo"',
  },
  NAME_DUPLICATE: {
    break: (input) => Object.assign(input.cells, { delta: cell('alpha', 5) }),
    path: 'cells.delta.name',
    actual: 'cells/alpha.ts',
  },
  NAME_RESERVED: {
    break: (input) => Object.assign(input.cells, { tooling: cell('tooling', 5, { email: 'other@example.com' }) }),
    path: 'cells.tooling.name',
    actual: '"tooling"',
  },
  NAME_TOO_LONG: {
    break: (input) => Object.assign(input.cells, { ['c'.repeat(46)]: cell('c'.repeat(46), 5, { email: 'c@example.com' }) }),
    path: `cells.${'c'.repeat(46)}.name`,
    actual: 'has 51 characters',
  },
  RESOURCE_UNKNOWN: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { overrides: { database: { instanceClass: 'x1.huge' } } }) }),
    path: 'cells.alpha.overrides.database.instanceClass',
    actual: '"x1.huge"',
  },
  RESOURCE_IMPOSSIBLE: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { overrides: { service: { cpu: 1024, memoryMiB: 512 } } }) }),
    path: 'cells.alpha.overrides.service.memoryMiB',
    actual: '512 MiB',
  },
  CAPACITY_UNCARRIED: {
    break: (input) =>
      Object.assign(input.cells, { alpha: cell('alpha', 1, { size: 'medium', overrides: { database: { instanceClass: 't4g.medium' } } }) }),
    path: 'cells.alpha.overrides.database.instanceClass',
    actual: 'carries 260 of capacity.maxRequestsPerSecond, which is 1000',
  },
  TAG_RESERVED: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { tags: { 'aws:owner': 'me' } }) }),
    path: 'cells.alpha.tags.aws:owner',
    actual: '"aws:owner"',
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
  NETWORK_DUPLICATE: {
    break: (input) => Object.assign(input.cells, { twin: cell('twin', 0) }),
    path: 'cells.twin.network.block',
    actual: 'the block of staging',
  },
  NETWORK_OVERLAP: {
    break: (input) => Object.assign(input.cells, { big: cell('big', 0, { network: { block: '10.0.32.0/19' } }) }),
    path: 'cells.bravo.network.block',
    actual: '10.0.32.0/19 of big',
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
  ACCOUNT_CHANGED: {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), accountId: '111111111111' } }),
    path: 'cells.alpha.accountId',
    actual: '111111111111 instead of 222222222222',
    surroundings: { settled: new Map([['cells.alpha.accountId', '222222222222']]) },
  },
  CELL_MOVED: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { region: 'eu-west-2' }) }),
    path: 'cells.alpha.region',
    actual: '"eu-west-2" instead of "eu-west-1"',
    surroundings: { places: new Map([['alpha', { stage: 'production', region: 'eu-west-1' }]]) },
  },
  CELL_REMOVED: {
    break: (input) => delete input.cells['bravo'],
    path: 'cells.bravo',
    actual: 'account 444444444444 in accounts.json',
    surroundings: {
      existing: new Map([
        ['bravo', 'account 444444444444 in accounts.json'],
        ['alpha', 'active'],
      ]),
    },
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
  PLATFORM_MISSING: {
    break: (input) => Object.assign(input.components, { carts: component('carts', 300, { kind: 'kubernetes' }) }),
    path: 'components.carts.kind',
    actual: '"kubernetes"',
  },
  PRIORITY_COLLISION: {
    break: (input) => Object.assign(input.components, { carts: component('carts', 100) }),
    path: 'components.orders-api.route.priority',
    actual: '100',
  },
  PATH_COLLISION: {
    break: (input) => Object.assign(input.components, { carts: component('carts', 300, { route: { priority: 300, path: '/billing*' } }) }),
    path: 'components.carts.route.path',
    actual: '"/billing*"',
  },
  REPOSITORY_ELSEWHERE: {
    break: (input) =>
      Object.assign(input.components, {
        web: component('web', 9, { repository: { url: 'https://gitlab.com/acme/web' }, pipeline: { engine: 'github-actions' } }),
      }),
    path: 'components.web.repository.url',
    actual: 'gitlab.com',
  },
  ROUTE_INVALID: {
    break: (input) => Object.assign(input.components, { foundations: foundations({ route: { priority: 7, path: '/x' } }) }),
    path: 'components.foundations.route',
    actual: 'takes no requests',
  },
  FOUNDATION_SECOND: {
    break: (input) =>
      Object.assign(input.components, {
        foundations: foundations(),
        networks: foundations({ name: 'networks', repository: { url: 'https://github.com/acme/networks' } }),
      }),
    path: 'components.networks.kind',
    actual: 'as foundations is already',
  },
  FOUNDATION_DEPENDS: {
    break: (input) => Object.assign(input.components, { foundations: foundations({ dependsOn: ['billing'] }) }),
    path: 'components.foundations.dependsOn',
    actual: 'depends on billing',
  },
  WAVES_INCOMPLETE: {
    break: (input) => rollout(input, { waves: [wave('half', { percent: 50 })], multiRegionFromWave: 1 }),
    path: 'rollout.waves.0.admit',
    actual: '"half"',
  },
  WAVE_DUPLICATE: {
    break: (input) => rollout(input, { waves: [wave('one', { cells: 1 }), wave('one', { rest: true })], multiRegionFromWave: 2 }),
    path: 'rollout.waves.1.name',
    actual: '"one"',
  },
  BAKE_TOO_LONG: { break: (input) => rollout(input, { stagingBake: '169h' }), path: 'rollout.stagingBake', actual: '"169h"' },
  REPOSITORY_INVALID: {
    break: (input) =>
      Object.assign(input.components, { web: component('web', 9, { repository: { url: 'https://github.com/acme/$(id)' } }) }),
    path: 'components.web.repository.url',
    actual: '"https://github.com/acme/$(id)"',
  },
  REPOSITORY_SHARED: {
    break: (input) =>
      Object.assign(input.components, { web: component('web', 9, { repository: { url: 'git@github.com:Acme/orders-api.git' } }) }),
    path: 'components.web.repository.path',
    actual: 'where orders-api is',
  },
  HOOK_INVALID: {
    break: (input) => hooks(input, [{ name: 'smoke', after: 'nowhere', run: 'integration-test' }]),
    path: 'components.web.pipeline.hooks.0.after',
    actual: '"nowhere"',
  },
  HOOK_DUPLICATE: {
    break: (input) => hooks(input, [{ name: 'build', after: 'staging', run: 'integration-test' }]),
    path: 'components.web.pipeline.hooks.0.name',
    actual: '"build"',
  },
  WAVE_RESERVED: {
    break: (input) => rollout(input, { waves: [wave('publish', { rest: true })], multiRegionFromWave: 1 }),
    path: 'rollout.waves.0.name',
    actual: '"publish"',
  },
  WAVES_TOO_MANY: {
    break: (input) => {
      const few = Array.from({ length: 46 }, (_, index) => wave(`w${index}`, { cells: 1 }));
      rollout(input, { waves: [...few, wave('rest', { rest: true })] });
    },
    path: 'rollout.waves',
    actual: '47 waves make pipelines of 51 stages',
  },
  WAVES_ONE_REGION: {
    break: (input) => rollout(input, { multiRegionFromWave: 7 }),
    path: 'rollout.multiRegionFromWave',
    actual: '7, and the last wave is number 6',
  },
  TIME_ZONE_UNKNOWN: {
    break: (input) => calendar(input, { timeZone: 'Europe/Gotham' }),
    path: 'cells.alpha.calendar.timeZone',
    actual: '"Europe/Gotham"',
  },
  WINDOW_EMPTY: {
    break: (input) => calendar(input, { windows: [{ days: ['mon'], from: '09:00', until: '09:00' }] }),
    path: 'cells.alpha.calendar.windows.0.until',
    actual: '"09:00"',
  },
  BLACKOUT_BACKWARDS: {
    break: (input) => calendar(input, { blackouts: [blackout('2026-12-24T00:00:00Z', '2026-12-24T00:30:00+01:00')] }),
    path: 'cells.alpha.calendar.blackouts.0.until',
    actual: '"2026-12-24T00:30:00+01:00"',
  },
  SESSION_LENGTH: {
    break: (input) => access(input, { reader: role({ session: '30m' }) }),
    path: 'access.roles.reader.session',
    actual: '"30m"',
  },
};

/** The same for what is only unwise. The organization that is tried has a contact, so that each stands alone. */
const UNWISE: Record<string, Case> = {
  PERSONAL_EXPIRED: {
    break: (input) => Object.assign(input.cells, { me: personal({ expiresAt: '2026-05-31T00:00:00Z' }) }),
    path: 'cells.me.expiresAt',
    actual: '2026-05-31',
  },
  PERSONAL_LONG_LIVED: {
    break: (input) => Object.assign(input.cells, { me: personal({ expiresAt: '2026-09-01T00:00:00Z' }) }),
    path: 'cells.me.expiresAt',
    actual: '2026-09-01',
  },
  PRODUCTION_ALONE: { break: (input) => delete input.cells['bravo'], path: 'cells.alpha' },
  TRAFFIC_CONCENTRATED: {
    break: (input) => Object.assign(input.cells, { big: cell('big', 5, { trafficWeight: 3 }) }),
    path: 'cells.big.trafficWeight',
    actual: '3 of 5',
  },
  HEADROOM_SMALL: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { capacity: { headroom: 0.95 } }) }),
    path: 'cells.alpha.capacity.headroom',
    actual: '0.95',
  },
  PRODUCTION_WEAKENED: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { overrides: { nat: 'one-gateway' } }) }),
    path: 'cells.alpha.overrides.nat',
    actual: 'one-gateway',
  },
  NETWORK_NEARLY_FULL: {
    break: (input) =>
      Object.assign(input.settings, { network: { supernet: '10.0.0.0/18', prefixLength: 20 } }) &&
      Object.assign(input.cells, { delta: cell('delta', 3) }),
    path: 'network.supernet',
    actual: '100 %',
  },
  STAGING_LACKS_PLATFORM: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { platforms: ['ecs', 'eks'] }) }),
    path: 'cells.alpha.platforms',
    actual: '"eks"',
  },
  BAKE_SHORT: { break: (input) => rollout(input, { stagingBake: '5m' }), path: 'rollout.stagingBake', actual: '"5m"' },
  BAKE_SCALED: { break: (input) => rollout(input, { timeScale: 0.5 }), path: 'rollout.timeScale', actual: '0.5' },
  BAKE_BLIND: { break: (input) => rollout(input, { minRequestsPerCell: 0 }), path: 'rollout.minRequestsPerCell', actual: '0' },
  ALARM_GRACE_LONG: { break: (input) => rollout(input, { alarmGrace: '2h' }), path: 'rollout.alarmGrace', actual: '"2h"' },
  ROLLBACK_SLOW: {
    break: (input) => rollout(input, { rollbackConcurrency: 5 }),
    path: 'rollout.rollbackConcurrency',
    actual: '5 at once, and 10',
  },
  BLACKOUT_OVER: {
    break: (input) => rollout(input, { calendar: { blackouts: [blackout('2025-12-24T00:00:00Z', '2025-12-27T00:00:00Z')] } }),
    path: 'rollout.calendar.blackouts.0',
    actual: '"Christmas" was over at 2025-12-27',
  },
  ROLE_WITHOUT_GROUPS: { break: (input) => access(input, { reader: role({ groups: [] }) }), path: 'access.roles.reader.groups' },
  CONTACT_MISSING: { break: (input) => Object.assign(input.settings, { contacts: {} }), path: 'contacts.security' },
};

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

/** The same organization with nothing unwise about it. */
function withContact(): Input {
  const input = unchecked();
  const security = { name: 'Ada', title: 'Security', email: 'security@example.com', phone: '+1 555 0100' };
  input.settings = { ...input.settings, contacts: { security } };
  return input;
}

describe('the rules', () => {
  test('the organization they are tried on breaks none', () => {
    expect(check(unchecked()).problems).toEqual([]);
    expect(check(withContact(), { now }).warnings).toEqual([]);
  });

  test('each has a case here', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(RULES.map((rule) => rule.code).sort());
    expect(Object.keys(UNWISE).sort()).toEqual(WARNINGS.map((rule) => rule.code).sort());
    expect(new Set(Object.values(FIELDS).map(({ code }) => code))).toEqual(new Set(Object.keys(FIELD_CODES)));
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

  test.each(Object.entries(UNWISE))('%s is a warning, alone, and forbids nothing', (code, unwise) => {
    const input = withContact();
    unwise.break(input);
    const { problems, warnings, organization } = check(input, { now });
    expect({ problems, found: organization !== undefined }).toEqual({ problems: [], found: true });
    expect(warnings.map((warning) => warning.code)).toEqual([code]);
    expect(warnings[0]).toMatchObject({ path: unwise.path, message: expect.stringContaining(unwise.actual ?? '') });
    expect(warnings[0]?.fix).not.toBe('');
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

  test('a policy of fewer waves than three may mix regions in the last', () => {
    const { waves, multiRegionFromWave } = defineOrganization({
      ...settings(),
      rollout: { waves: [{ name: 'all', prefer: 'any', admit: { rest: true }, bake: '2h' }] },
    }).rollout;
    expect({ waves, multiRegionFromWave }).toEqual({ waves: [wave('all', { rest: true })], multiRegionFromWave: 1 });
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

  test('an offset is no time zone: it would miss summer time', () => {
    const input = unchecked();
    calendar(input, { timeZone: '+02:00' });
    expect(check(input).problems.map(({ code }) => code)).toEqual(['TIME_ZONE_UNKNOWN']);
  });

  test('a definition that does not fit the schema is not also missing', () => {
    const input = unchecked();
    input.cells['alpha'] = { ...cell('alpha', 1), stage: 'prod' };
    const existing = new Map([['alpha', 'account 444444444444 in accounts.json']]);
    expect(check(input, { existing }).problems.map(({ code }) => code)).toEqual(['FIELD_VALUE']);
  });

  test('a name’s limit follows from what is made of it, wherever that is', () => {
    const input = unchecked();
    input.settings = { ...input.settings, name: 'o'.repeat(40) };
    access(input, { ['r'.repeat(28)]: role({}) });
    Object.assign(input.cells, { beta: cell('beta', 6, { email: `${'e'.repeat(60)}@example.com` }) });
    expect(check(input).problems.map(({ code, path, fix }) => `${code} ${path}: ${fix.split(':')[0]}`)).toEqual([
      'NAME_TOO_LONG name: AWS takes 63',
      'NAME_TOO_LONG name: AWS takes 63',
      'NAME_TOO_LONG name: AWS takes 32',
      'NAME_TOO_LONG cells.alpha.name: AWS takes 32',
      'NAME_TOO_LONG cells.beta.name: AWS takes 32',
      'NAME_TOO_LONG cells.bravo.name: AWS takes 32',
      "NAME_TOO_LONG cells.beta.email: AWS takes 64 in an account's e-mail",
    ]);
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
        expect(check({ ...unchecked(), cells }).problems.map((problem) => problem.code)).toEqual(['NETWORK_DUPLICATE']);
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

describe('a pipeline', () => {
  const problemsOf = (rest: Partial<Parameters<typeof component>[2]>) => {
    const input = unchecked();
    Object.assign(input.components, { web: component('web', 9, rest) });
    return check(input).problems.map(({ code, path }) => `${code} ${path.replace('components.web.', '')}`);
  };
  const url = 'https://github.com/acme/web';

  test.each(['main', 'release/2026', 'feature_x.1'])('takes branch %s', (branch) => {
    expect(problemsOf({ repository: { url, branch } })).toEqual([]);
  });
  test.each([
    '-f',
    'a..b',
    'main.lock',
    'a b',
    '$(id)',
    '`id`',
    'main;id',
    ['$', '{{ github.token }}'].join(''),
    'a//b',
    '/main',
    'main/',
    'x\ny',
    '@{-1}',
  ])('takes no branch %p', (branch) => {
    expect(problemsOf({ repository: { url, branch } })).toEqual(['REPOSITORY_INVALID repository.branch']);
  });
  test.each(['https://github.com/acme/web.git', 'git@github.com:acme/web', 'ssh://git@github.com/acme/web', 'file:///srv/git/web'])(
    'takes repository %s',
    (address) => {
      expect(problemsOf({ repository: { url: address } })).toEqual([]);
    },
  );
  test.each([
    '--upload-pack=id',
    'ext::sh -c id',
    'https://github.com/acme/web;id',
    'http://github.com/acme/web',
    '/srv/web',
    'https://u:p@host/x',
  ])('takes no repository %p', (address) => {
    expect(problemsOf({ repository: { url: address } })).toEqual(['REPOSITORY_INVALID repository.url']);
  });
  test.each(['./services/web', 'services/./web', 'services/../web', '../web', '/web', 'services//web', './'])(
    'refuses folder %s',
    (path) => {
      expect(problemsOf({ repository: { url: 'https://github.com/acme/web', path } })).toEqual(['REPOSITORY_INVALID repository.path']);
    },
  );
  test.each(['.', 'services/web', '.github', 'a.b/c'])('takes folder %s', (path) => {
    expect(problemsOf({ repository: { url: 'https://github.com/acme/web', path } })).toEqual([]);
  });
  test('tells everything that is wrong with a step of a component’s own', () => {
    const hooks = [
      { name: 'both', after: 'staging', before: 'rest', run: 'x' },
      { name: 'nothing', before: 'build' },
      { name: 'nothing', after: 'staging', approval: true },
    ] as Hook[];
    expect(problemsOf({ pipeline: { hooks, paths: ['../other/**', '$(id)'] } }).sort()).toEqual([
      'HOOK_DUPLICATE pipeline.hooks.2.name',
      'HOOK_INVALID pipeline.hooks.0',
      'HOOK_INVALID pipeline.hooks.1',
      'HOOK_INVALID pipeline.hooks.1.before',
      'REPOSITORY_INVALID pipeline.paths.0',
      'REPOSITORY_INVALID pipeline.paths.1',
    ]);
  });
});
