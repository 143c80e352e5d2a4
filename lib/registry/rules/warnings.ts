/** What is legal and unwise. Warnings forbid nothing; docs/registry.md lists them. */
import { resourcesOf, STAGE_PROFILES } from '../sizes.ts';
import { runsIn } from './components.ts';
import { bakesOf, blackoutsOf, parseBlock, productionCells, type Rule, seconds, UNIT } from './subject.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What is legal and unwise, in the order in which it is reported. */
export const WARNINGS: readonly Rule[] = [
  {
    code: 'PERSONAL_EXPIRED',
    description: 'a personal cell has not expired',
    *check({ cells, now }) {
      for (const [key, { expiresAt }] of cells) {
        if (now === undefined || expiresAt === undefined || Date.parse(expiresAt) > now.getTime()) continue;
        yield {
          path: `cells.${key}.expiresAt`,
          message: `expired at ${expiresAt}`,
          fix: `destroy it (\`cellctl destroy ${key}\`), or extend it`,
        };
      }
    },
  },
  {
    code: 'PERSONAL_LONG_LIVED',
    description: 'a personal cell expires within 90 days',
    *check({ cells, now }) {
      for (const [key, { stage, expiresAt }] of cells) {
        if (now === undefined || stage !== 'personal' || expiresAt === undefined) continue;
        if (Date.parse(expiresAt) <= now.getTime() + 90 * DAY_MS) continue;
        yield {
          path: `cells.${key}.expiresAt`,
          message: `expires at ${expiresAt}`,
          fix: 'choose a day within 90 days; it can be extended',
        };
      }
    },
  },
  {
    code: 'PRODUCTION_ALONE',
    description: 'there is more than one production cell',
    *check(subject) {
      const [only, ...others] = productionCells(subject);
      if (!only || others.length > 0) return;
      yield {
        path: `cells.${only[0]}`,
        message: 'is the only production cell: when it breaks, everybody notices',
        fix: 'add a second one',
      };
    },
  },
  {
    code: 'TRAFFIC_CONCENTRATED',
    description: 'no production cell carries more than half of the traffic, where there are three or more',
    *check(subject) {
      const cells = productionCells(subject);
      const total = cells.reduce((sum, [, { trafficWeight }]) => sum + trafficWeight, 0);
      for (const [key, { trafficWeight }] of cells.length > 2 ? cells : []) {
        if (trafficWeight <= total / 2) continue;
        yield {
          path: `cells.${key}.trafficWeight`,
          message: `${trafficWeight} of ${total} is more than half of the traffic`,
          fix: 'move tenants to other cells, or split it',
        };
      }
    },
  },
  {
    code: 'HEADROOM_SMALL',
    description: 'a cell counts as full at 90 % of its capacity or before',
    *check({ cells }) {
      for (const [key, { capacity }] of cells) {
        if (capacity.headroom <= 0.9) continue;
        yield {
          path: `cells.${key}.capacity.headroom`,
          message: `${capacity.headroom} leaves no room for a peak`,
          fix: 'use 0.9 or less; 0.7 is the default',
        };
      }
    },
  },
  {
    code: 'PRODUCTION_WEAKENED',
    description: 'a production cell keeps its standby, its replica, its days of recovery, and a NAT gateway in each zone',
    *check(subject) {
      for (const [key, cell] of productionCells(subject)) {
        if (cell.cloud !== 'aws') continue;
        const { database, cache, nat } = resourcesOf(cell);
        const profile = STAGE_PROFILES.production;
        const weaker = [
          [
            'database.standby',
            database.standby,
            !database.standby,
            'when its zone is lost, so is the database for as long as a restore takes',
          ],
          ['database.backupDays', database.backupDays, database.backupDays < profile.backupDays, 'what was lost longer ago stays lost'],
          ['cache.replicas', cache.replicas, cache.replicas < profile.replicas, 'when its node is lost, the cache begins empty'],
          ['nat', nat, nat !== profile.nat, 'zones share a way out, and its faults'],
        ] as const;
        for (const [field, value, isWeaker, consequence] of weaker) {
          if (isWeaker) yield { path: `cells.${key}.overrides.${field}`, message: `${value}: ${consequence}`, fix: 'remove the override' };
        }
      }
    },
  },
  {
    code: 'NETWORK_NEARLY_FULL',
    description: 'a fifth of the supernet is free for cells to come',
    *check({ settings, blocks }) {
      if (!settings) return;
      const supernet = parseBlock('supernet', settings.network.supernet);
      const used = [...blocks.values()].reduce((sum, { start, end }) => sum + end - start + 1, 0);
      const share = used / (supernet.end - supernet.start + 1);
      if (share <= 0.8) return;
      yield {
        path: 'network.supernet',
        message: `${Math.floor(share * 100)} % of ${supernet.text} is used`,
        fix: 'widen it before it is full, or use smaller blocks',
      };
    },
  },
  {
    code: 'STAGING_LACKS_PLATFORM',
    description: 'what production cells run on, a staging cell runs on, too',
    *check(subject) {
      const staging = [...subject.cells.values()].filter((cell) => cell.stage === 'staging');
      const known = new Set(staging.flatMap((cell) => [...cell.platforms] as string[]));
      const missing = new Map(
        productionCells(subject).flatMap(([key, cell]) => cell.platforms.map((platform) => [platform as string, key])),
      );
      if (staging.length === 0) return;
      for (const [platform, key] of missing) {
        if (known.has(platform)) continue;
        yield {
          path: `cells.${key}.platforms`,
          message: `no staging cell has "${platform}": production would be the first to try a change on it`,
          fix: `add '${platform}' to a staging cell`,
        };
      }
    },
  },
  {
    code: 'BAKE_SHORT',
    description: 'a bake takes half an hour or more',
    *check({ settings }) {
      for (const { path, bake } of settings ? bakesOf(settings.rollout) : []) {
        if (seconds(bake) >= 30 * UNIT.m) continue;
        yield { path, message: `"${bake}" is too short for most faults to show`, fix: 'use 30m or more; timeScale is for rehearsals' };
      }
    },
  },
  {
    code: 'BAKE_SCALED',
    description: 'waits are not shortened where there are production cells',
    *check(subject) {
      const timeScale = subject.settings?.rollout.timeScale ?? 1;
      if (timeScale === 1 || productionCells(subject).length === 0) return;
      yield { path: 'rollout.timeScale', message: `${timeScale} shortens every bake`, fix: 'use 1, and less only to rehearse' };
    },
  },
  {
    code: 'BAKE_BLIND',
    description: 'a bake waits for requests',
    *check({ settings }) {
      if (settings?.rollout.minRequestsPerCell !== 0) return;
      yield { path: 'rollout.minRequestsPerCell', message: '0 lets a cell pass that nobody used', fix: 'use 100 or more' };
    },
  },
  {
    code: 'BAKE_WITHOUT_ROUTE',
    description: 'a component without a route says how many requests its bake waits for',
    *check({ settings, components }) {
      const needed = settings?.rollout.minRequestsPerCell ?? 0;
      for (const [key, { kind, route, minRequests }] of components) {
        if (kind === 'foundation' || route || minRequests !== undefined || needed === 0) continue;
        yield {
          path: `components.${key}.minRequests`,
          message: `is missing, and there is no route: each bake would wait for ${needed} requests in every cell, and fail`,
          fix: 'add minRequests: 0, or a route',
        };
      }
    },
  },
  {
    code: 'DEPENDENCY_ELSEWHERE',
    description: 'where a component runs, what it depends on runs, too',
    *check({ cells, components }) {
      for (const [key, component] of components) {
        for (const name of component.dependsOn) {
          const needed = components.get(name);
          const lacking = needed && [...cells].find(([, cell]) => runsIn(component, cell) && !runsIn(needed, cell));
          if (!lacking) continue;
          yield {
            path: `components.${key}.dependsOn`,
            message: `"${name}" has no platform in ${lacking[0]}, where ${key} runs: no rollout of ${key} could start`,
            fix: `add a platform for ${name} to the cell, or take ${name} out of dependsOn`,
          };
        }
      }
    },
  },
  {
    code: 'ALARM_GRACE_LONG',
    description: 'an alarm may lack data for half an hour at most',
    *check({ settings }) {
      const grace = settings?.rollout.alarmGrace ?? '0s';
      if (seconds(grace) <= 30 * UNIT.m) return;
      yield {
        path: 'rollout.alarmGrace',
        message: `"${grace}" without data, and a cell still counts as well`,
        fix: 'use 30m or less; 10m is the default',
      };
    },
  },
  {
    code: 'ROLLBACK_SLOW',
    description: 'cells are rolled back no slower than they are deployed',
    *check({ settings }) {
      if (!settings) return;
      const { concurrency, rollbackConcurrency } = settings.rollout;
      if (rollbackConcurrency >= concurrency) return;
      yield {
        path: 'rollout.rollbackConcurrency',
        message: `${rollbackConcurrency} at once, and ${concurrency} are deployed at once: a fault stays longer than it took to spread`,
        fix: `use ${concurrency} or more; 20 is the default`,
      };
    },
  },
  {
    code: 'BLACKOUT_OVER',
    description: 'a blackout is not over',
    *check(subject) {
      const { now } = subject;
      if (now === undefined) return;
      for (const { path, blackout } of blackoutsOf(subject)) {
        if (Date.parse(blackout.until) > now.getTime()) continue;
        yield { path, message: `"${blackout.reason}" was over at ${blackout.until}`, fix: 'remove it' };
      }
    },
  },
  {
    code: 'ROLE_WITHOUT_GROUPS',
    description: 'a role has a group that may take it',
    *check({ settings }) {
      for (const [role, { groups }] of Object.entries(settings?.access.roles ?? {})) {
        if (groups.length === 0)
          yield { path: `access.roles.${role}.groups`, message: 'nobody may take this role', fix: 'add a group, or remove the role' };
      }
    },
  },
  {
    code: 'CONTACT_MISSING',
    description: 'there is a security contact, whom AWS writes to when an account is abused',
    *check({ settings }) {
      if (!settings || settings.contacts.security) return;
      yield {
        path: 'contacts.security',
        message: 'there is no security contact',
        fix: 'add contacts: { security: { name, title, email, phone } }',
      };
    },
  },
];
