/** For each rule of the registry a definition that breaks it, and what such definitions are made of. */
import type { Hook } from '../../lib/registry/index.ts';
import type { Surroundings } from '../../lib/registry/rules/subject.ts';
import { cell, component, foundations, type unchecked } from './organization.ts';

export type Input = ReturnType<typeof unchecked>;

export interface Case {
  readonly break: (input: Input) => void;
  readonly path: string;
  /** What the message shows of the actual value. */
  readonly actual?: string;
  readonly surroundings?: Surroundings;
}

export const rollout = (input: Input, change: object) => {
  input.settings = { ...input.settings, rollout: { ...input.settings.rollout, ...change } };
};
export const calendar = (input: Input, value: object) => Object.assign(input.cells, { alpha: cell('alpha', 1, { calendar: value }) });
export const wave = (name: string, admit: object, bake = '2h') => ({ name, prefer: 'any', admit, bake, approval: false });
const hooks = (input: Input, list: object[]) =>
  Object.assign(input.components, { web: component('web', 9, { pipeline: { hooks: list as Hook[] } }) });
export const role = (rest: object) => ({ level: 'read', stages: ['production'], groups: ['engineers'], session: '8h', ...rest });
export const access = (input: Input, roles: object) => Object.assign(input.settings, { access: { roles } });

export const blackout = (from: string, until: string) => ({ from, until, reason: 'Christmas' });

/** For each rule a way to break it, and where the problem is then found. */
export const BROKEN: Record<string, Case> = {
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
  HOME_REGION_OPT_IN: {
    break: (input) => Object.assign(input.settings, { homeRegion: 'eu-south-1' }),
    path: 'homeRegion',
    actual: '"eu-south-1"',
  },
  REGION_TOO_FEW_ZONES: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { region: 'us-west-1' }) }),
    path: 'cells.alpha.region',
    actual: '2 availability zones',
  },
  ZONES_WRONG: {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-2c'] } }),
    path: 'cells.alpha.zones',
    actual: 'eu-west-2c: not in eu-west-1',
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
  ZONES_CHANGED: {
    break: (input) => Object.assign(input.cells, { alpha: { ...cell('alpha', 1), zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'] } }),
    path: 'cells.alpha.zones',
    actual: 'eu-west-1a, eu-west-1b, eu-west-1c instead of eu-west-1b, eu-west-1a, eu-west-1c',
    surroundings: { settled: new Map([['cells.alpha.zones', 'eu-west-1b, eu-west-1a, eu-west-1c']]) },
  },
  CELL_MOVED: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { region: 'eu-west-2' }) }),
    path: 'cells.alpha.region',
    actual: '"eu-west-2" instead of "eu-west-1"',
    surroundings: { places: new Map([['alpha', { stage: 'production', region: 'eu-west-1' }]]) },
  },
  STORAGE_SHRINKS: {
    break: (input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { size: 'medium' }) }),
    path: 'cells.alpha.overrides.database.storageGiB',
    actual: '100 GiB instead of 500 GiB',
    surroundings: { storage: new Map([['alpha', 500]]) },
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
  BETWEEN_WAVES_LONG: { break: (input) => rollout(input, { betweenWaves: '15d' }), path: 'rollout.betweenWaves', actual: '"15d"' },
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
  TRAFFIC_CAP_LAST: {
    break: (input) => rollout(input, { emergency: [{ ...wave('rest', { rest: true }), maxTraffic: 50 }] }),
    path: 'rollout.emergency.0.maxTraffic',
    actual: '50 in the last wave',
  },
  TRAFFIC_CAP_FALLS: {
    break: (input) => {
      const [one, two] = [wave('one', { cells: 1 }), wave('two', { cells: 1 })];
      rollout(input, { waves: [{ ...one, maxTraffic: 20 }, { ...two, maxTraffic: 10 }, wave('rest', { rest: true })] });
    },
    path: 'rollout.waves.1.maxTraffic',
    actual: '"two" allows 10 %, and a wave before it 20 %',
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
