import { describe, expect, test } from '@jest/globals';
import { check, defineComponent } from '../../../../lib/registry/index.ts';
import { WARNINGS } from '../../../../lib/registry/rules/warnings.ts';
import { access, blackout, type Case, type Input, role, rollout } from '../../../_helpers/broken-rules.ts';
import { cell, component, unchecked } from '../../../_helpers/organization.ts';

const now = new Date('2026-06-01T00:00:00Z');
const personal = (rest: object) => cell('me', 7, { stage: 'personal', owner: 'ada', expiresAt: '2026-06-30T00:00:00Z', ...rest });

/** For each warning an organization that it is about. It has a contact, so that each stands alone. */
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
  BAKE_WITHOUT_ROUTE: {
    break: (input) =>
      Object.assign(input.components, {
        mailer: defineComponent({ name: 'mailer', repository: { url: 'https://github.com/acme/mailer' } }),
      }),
    path: 'components.mailer.minRequests',
    actual: '100 requests',
  },
  DEPENDENCY_ELSEWHERE: {
    break: (input) => {
      Object.assign(input.cells, {
        staging: cell('staging', 0, { stage: 'staging', platforms: ['ecs', 'eks'] }),
        alpha: cell('alpha', 1, { platforms: ['ecs', 'eks'] }),
      });
      Object.assign(input.components, {
        web: component('web', 7, { kind: 'kubernetes' }),
        carts: component('carts', 8, { dependsOn: ['web'] }),
      });
    },
    path: 'components.carts.dependsOn',
    actual: '"web" has no platform in bravo',
  },
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

/** The same organization with nothing unwise about it. */
function withContact(): Input {
  const input = unchecked();
  const security = { name: 'Ada', title: 'Security', email: 'security@example.com', phone: '+1 555 0100' };
  input.settings = { ...input.settings, contacts: { security } };
  return input;
}

describe('the warnings', () => {
  test('the organization they are tried on has none', () => {
    expect(check(withContact(), { now }).warnings).toEqual([]);
  });

  test('each has a case here', () => {
    expect(Object.keys(UNWISE).sort()).toEqual(WARNINGS.map((rule) => rule.code).sort());
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
});
