/** Rules about cells over time: those that exist stay where they are, and personal ones end. */
import type { CellPlace, Rule, RuleFinding } from './subject.ts';

/** Cells that are defined for another stage or region than they were built for. */
export function* movedCells(cells: Iterable<readonly [string, CellPlace]>, places: ReadonlyMap<string, CellPlace>): Generator<RuleFinding> {
  for (const [name, cell] of cells) {
    const place = places.get(name);
    for (const field of ['stage', 'region'] as const) {
      if (place === undefined || place[field] === cell[field]) continue;
      yield {
        path: `cells.${name}.${field}`,
        message: `"${cell[field]}" instead of "${place[field]}", for which the cell was built`,
        fix: `set it back; add a cell for "${cell[field]}" (\`cellctl cell add\`), move the customers, and retire this one`,
      };
    }
  }
}

/**
 * Cells that are defined for other zones than they were published for, in the account that they were published with.
 * @param published the published definition of each cell that exists
 */
export function* rezonedCells(
  cells: Iterable<readonly [string, CellZones]>,
  published: ReadonlyMap<string, CellZones>,
): Generator<RuleFinding> {
  for (const [name, { accountId, zones = [] }] of cells) {
    const before = published.get(name);
    if (before?.zones === undefined || before.accountId !== accountId || before.zones.join() === zones.join()) continue;
    yield {
      path: `cells.${name}.zones`,
      message: `${zones.join(', ') || 'nothing'} instead of ${before.zones.join(', ')}, which is published`,
      fix: 'update accounts.json from git; if the cell was destroyed and its zones chosen anew, `cellctl publish` first',
    };
  }
}

/** Where a cell's subnets are. Names of zones mean something in one account only. */
export interface CellZones {
  readonly accountId?: string | undefined;
  readonly zones?: readonly string[] | undefined;
}

export const CELL_RULES: readonly Rule[] = [
  {
    code: 'CELL_MOVED',
    description: 'a cell that exists keeps its stage and its region',
    *check({ cells, places }) {
      yield* movedCells(cells, places);
    },
  },
  {
    code: 'CELL_REMOVED',
    description: 'a cell that exists is defined',
    *check({ cells, existing }) {
      for (const [name, evidence] of existing) {
        if (cells.has(name)) continue;
        yield {
          path: `cells.${name}`,
          message: `there is no definition, but the cell exists: ${evidence}`,
          fix: `restore cells/${name}.ts; to end the cell, set intent: 'retiring' and run \`cellctl destroy ${name}\`, then \`cellctl accounts pool --return ${name}\``,
        };
      }
    },
  },
  {
    code: 'PERSONAL_WITHOUT_OWNER',
    description: 'a personal cell has an owner',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.stage !== 'personal' || cell.owner !== undefined) continue;
        yield { path: `cells.${key}.owner`, message: 'a personal cell without an owner', fix: "add owner: '<who it belongs to>'" };
      }
    },
  },
  {
    code: 'PERSONAL_WITHOUT_EXPIRY',
    description: 'a personal cell has an expiry',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.stage !== 'personal' || cell.expiresAt !== undefined) continue;
        yield {
          path: `cells.${key}.expiresAt`,
          message: 'a personal cell without an expiry',
          fix: "add expiresAt: '<ISO 8601 time, e.g. 2030-01-31T18:00:00Z>'",
        };
      }
    },
  },
  {
    code: 'PRODUCTION_WITHOUT_STAGING',
    description: 'an organization with production cells has a staging cell',
    *check({ cells }) {
      const stages = new Set([...cells.values()].map((cell) => cell.stage));
      if (!stages.has('production') || stages.has('staging')) return;
      yield { path: 'cells', message: 'production cells, and no staging cell', fix: "add a cell with stage: 'staging'" };
    },
  },
];
