/** Rules about regions and network blocks. */
import { BLOCK_PREFIX } from '../layout.ts';
import { OPT_IN_REGIONS, REGION_ZONES } from '../regions.ts';
import { STAGE_PROFILES } from '../sizes.ts';
import { type Block, dotted, parseBlock, type Rule, repeated } from './subject.ts';

export const ADDRESSING_RULES: readonly Rule[] = [
  {
    code: 'REGION_UNKNOWN',
    description: 'a region of AWS is one that the factory knows',
    *check({ settings, cells }) {
      const fix = `use one of ${Object.keys(REGION_ZONES).join(', ')}`;
      if (settings && !Object.hasOwn(REGION_ZONES, settings.homeRegion)) {
        yield { path: 'homeRegion', message: `"${settings.homeRegion}" is no region of AWS`, fix };
      }
      for (const [key, cell] of cells) {
        if (cell.cloud === 'aws' && !Object.hasOwn(REGION_ZONES, cell.region)) {
          yield { path: `cells.${key}.region`, message: `"${cell.region}" is no region of AWS`, fix };
        }
      }
    },
  },
  {
    code: 'HOME_REGION_OPT_IN',
    // STS gives keys of a role only where the role's account has the region enabled (RegionDisabledException, AssumeRole, AWS STS
    // API Reference, read 2026-12-01). All accounts are entered from the home region, new ones too.
    description: 'the home region is one that every account has, and need not enable first',
    *check({ settings }) {
      if (!settings || !OPT_IN_REGIONS.has(settings.homeRegion)) return;
      yield {
        path: 'homeRegion',
        message: `"${settings.homeRegion}" has to be enabled in each account, and a new account is entered from there`,
        fix: `choose one that is enabled by default (${Object.keys(REGION_ZONES)
          .filter((region) => !OPT_IN_REGIONS.has(region))
          .join(', ')}); cells can be in any`,
      };
    },
  },
  {
    code: 'REGION_TOO_FEW_ZONES',
    description: `a region has as many availability zones as the cell's stage needs: ${STAGE_PROFILES.production.zones} in production, ${STAGE_PROFILES.staging.zones} elsewhere`,
    *check({ cells }) {
      for (const [key, cell] of cells) {
        const zones = cell.cloud === 'aws' ? REGION_ZONES[cell.region] : undefined;
        if (zones === undefined || zones >= STAGE_PROFILES[cell.stage].zones) continue;
        yield {
          path: `cells.${key}.region`,
          message: `"${cell.region}" has ${zones} availability zones`,
          fix: `a ${cell.stage} cell needs ${STAGE_PROFILES[cell.stage].zones}: choose another region`,
        };
      }
    },
  },
  {
    code: 'ZONES_WRONG',
    description: "a cell's availability zones are zones of its region, as many as its stage has, and each only once",
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.cloud !== 'aws' || cell.zones === undefined) continue;
        const wanted = STAGE_PROFILES[cell.stage].zones;
        const elsewhere = cell.zones.filter((zone) => zone.slice(0, -1) !== cell.region);
        const wrong = [
          elsewhere.length === 0 ? [] : `${elsewhere.join(', ')}: not in ${cell.region}`,
          new Set(cell.zones).size === cell.zones.length ? [] : `${cell.zones.join(', ')}: one of them twice`,
          cell.zones.length === wanted ? [] : `${cell.zones.length} zones, and a ${cell.stage} cell has ${wanted}`,
        ].flat();
        for (const message of wrong) {
          yield {
            path: `cells.${key}.zones`,
            message,
            fix: `restore accounts.json from git, or remove the zones from the line of ${key} and run \`cellctl accounts ${key}\``,
          };
        }
      }
    },
  },
  {
    code: 'NETWORK_UNALIGNED',
    description: 'a block is written with its own first address',
    *check({ settings, cells, blocks }) {
      const supernet = settings ? [['network.supernet', parseBlock('', settings.network.supernet)] as const] : [];
      const clients = [...cells].flatMap(([key, cell]) =>
        (cell.cloud === 'aws' ? cell.network.clients : []).map(
          (text, index) => [`cells.${key}.network.clients.${index}`, parseBlock(key, text)] as const,
        ),
      );
      const own = [...blocks].map(([key, each]) => [`cells.${key}.network.block`, each] as const);
      for (const [path, block] of [...supernet, ...own, ...clients]) {
        if (block.address === block.start) continue;
        yield { path, message: `"${block.text}" starts inside a block`, fix: `write ${dotted(block.start)}/${block.prefix}` };
      }
    },
  },
  {
    code: 'NETWORK_SIZE',
    description: `a cell's block is a /${BLOCK_PREFIX.min} (the largest network) to /${BLOCK_PREFIX.max} (so that each zone's smallest subnet still takes a load balancer)`,
    *check({ settings, blocks }) {
      const all = [...blocks].map(([key, { text, prefix }]) => ({ path: `cells.${key}.network.block`, text, prefix }));
      if (settings) {
        const { prefixLength } = settings.network;
        all.unshift({ path: 'network.prefixLength', text: `/${prefixLength}`, prefix: prefixLength });
      }
      for (const { path, text, prefix } of all) {
        if (prefix >= BLOCK_PREFIX.min && prefix <= BLOCK_PREFIX.max) continue;
        yield {
          path,
          message: `"${text}" is ${prefix > BLOCK_PREFIX.max ? 'too small for its subnets' : 'larger than a network may be'}`,
          fix: `use a prefix length from ${BLOCK_PREFIX.min} to ${BLOCK_PREFIX.max}`,
        };
      }
    },
  },
  {
    code: 'NETWORK_OUTSIDE_PLAN',
    description: "a cell's block lies inside the organization's supernet",
    *check({ settings, blocks }) {
      if (!settings) return;
      const supernet = parseBlock('supernet', settings.network.supernet);
      for (const [key, block] of blocks) {
        if (block.start >= supernet.start && block.end <= supernet.end) continue;
        yield {
          path: `cells.${key}.network.block`,
          message: `"${block.text}" is outside the supernet ${supernet.text}`,
          fix: 'take a free block of the supernet, or widen network.supernet in organization.ts',
        };
      }
    },
  },
  {
    code: 'NETWORK_DUPLICATE',
    description: 'no two cells have the same block',
    *check({ blocks }) {
      for (const [first, later] of repeated(blocks.values(), ({ start, prefix }) => `${start}/${prefix}`)) {
        yield {
          path: `cells.${later.name}.network.block`,
          message: `"${later.text}" is also the block of ${first.name}`,
          fix: 'give one of the two a free block',
        };
      }
    },
  },
  {
    code: 'NETWORK_OVERLAP',
    description: "no two cells' blocks overlap",
    *check({ blocks }) {
      const sorted = [...blocks.values()].sort((a, b) => a.start - b.start || a.prefix - b.prefix || (a.name < b.name ? -1 : 1));
      let widest: Block | undefined;
      for (const current of sorted) {
        // The same block twice is the rule before this one's business.
        const same = widest?.start === current.start && widest.prefix === current.prefix;
        if (widest && current.start <= widest.end && !same) {
          yield {
            path: `cells.${current.name}.network.block`,
            message: `"${current.text}" overlaps ${widest.text} of ${widest.name}`,
            fix: 'give one of the two a free block',
          };
        }
        if (!widest || current.end > widest.end) widest = current;
      }
    },
  },
];
