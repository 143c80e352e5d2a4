/**
 * What is read live before each thing that begins: freezes, cells that a person has skipped, and cells that a newer revision
 * of the registry has taken out of use. Everything else of a rollout is pinned when it starts.
 */

import { messageOf } from '../../registry/index.ts';
import type { RegistryReader } from '../../registry/reader.ts';
import { type Freeze, freezeOf, sentenceOf } from '../freezes.ts';
import { freezeLook } from '../looks.ts';
import { isTouched } from '../roll-back.ts';
import type { CellRecord, Control, RolloutPlan, RolloutWave } from '../rollout-record.ts';
import type { RolloutStore } from '../rollout-store.ts';

/** The newest published registry, as far as it takes cells out of use. */
export interface PublishedCells {
  /**
   * Those of the cells that a revision newer than `revision` has taken out of use, with the reason.
   * @throws when the registry can't be read
   */
  readonly withdrawn: (revision: number, cells: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** Reads `latest.json` each time, and a revision once. */
export const publishedCells = (reader: RegistryReader): PublishedCells => ({
  withdrawn: async (revision, cells) => {
    const newest = await reader.read();
    if (newest.stale !== undefined) throw new Error(newest.stale);
    const found = new Map<string, string>();
    if (newest.revision <= revision) return found;
    for (const name of cells) {
      const cell = newest.tryFindCell(name);
      const state = newest.lifeOf(name)?.state ?? '';
      const why = !cell ? 'not defined' : cell.intent !== 'active' ? cell.intent : OUT_OF_USE.find((each) => each === state);
      if (why !== undefined) found.set(name, `${name} is ${why} since a revision that is newer than the rollout's: ${newest.revision}`);
    }
    return found;
  },
});

/** States of a cell's life in which it gets nothing new. */
const OUT_OF_USE = ['draining', 'drained', 'retired'];

interface LiveContext {
  readonly store: Pick<RolloutStore, 'freezes'>;
  readonly published: PublishedCells;
  readonly now: () => Date;
}

/** What keeps something from beginning now, and when that ends by itself. */
interface Hold {
  readonly sentence: string;
  readonly until?: string | undefined;
}

/** What was read. */
export interface Live {
  /** Cells that are to be left out of the rollout, with the reason; never one that has the version, or may have it. */
  readonly skipped: ReadonlyMap<string, string>;
  /** What holds the component in a cell. */
  readonly holdOf: (cell: string) => Hold | undefined;
}

/**
 * Reads what holds now.
 * @param cells those that are asked about @param records what was done to them so far
 */
export async function readLive(
  { store, published, now }: LiveContext,
  { component, registry }: RolloutPlan,
  control: Control,
  cells: readonly string[],
  records: readonly CellRecord[],
): Promise<Live> {
  const open = cells.filter((cell) => !records.some((record) => record.cell === cell && hasBegun(record)));
  const [freezes, withdrawn] = await Promise.all([
    store.freezes.list(now()),
    published.withdrawn(registry.revision, open).catch((error: unknown): string => messageOf(error)),
  ]);
  const skipped = new Map<string, string>(typeof withdrawn === 'string' ? [] : withdrawn);
  for (const cell of open) {
    const asked = control.skipCells?.[cell];
    if (asked) skipped.set(cell, `skipped by ${asked.by}${asked.reason === undefined ? '' : `: ${asked.reason}`}`);
  }
  // A cell that may have been cordoned must not get anything, and is no failure either.
  const unknown = typeof withdrawn === 'string' ? { sentence: `nobody can tell which cells are cordoned by now: ${withdrawn}` } : undefined;
  const holdBy = (freeze: Freeze | undefined): Hold | undefined =>
    freeze ? { sentence: sentenceOf(freeze), until: freeze.until } : unknown;
  return { skipped, holdOf: (cell) => holdBy(freezeOf(freezes, component, cell)) };
}

/** Whether the cell has the version, or may: also one that ran it before. */
const hasBegun = (record: CellRecord): boolean => record.status === 'deployed' || isTouched(record);

/** What holds all of these cells, by the first of them; undefined where one of them may begin, or there are none. */
export function holdOfAll({ holdOf }: Live, cells: readonly string[]): Hold | undefined {
  const holds = cells.map(holdOf);
  return holds.every((each) => each !== undefined) ? holds[0] : undefined;
}

/** Seconds until the next look at what holds. @param since when the wait began, ISO 8601 */
export function waitFor({ until }: Hold, since: string | undefined, now: Date, timeScale: number): number {
  const elapsed = since === undefined ? 0 : (now.getTime() - Date.parse(since)) / 1_000;
  const left = until === undefined ? Number.POSITIVE_INFINITY : (Date.parse(until) - now.getTime()) / 1_000;
  return freezeLook(elapsed, left, timeScale);
}

/** The wave without the cells that are skipped. One that has lost them all has nothing to bake. */
export function withoutSkipped(wave: RolloutWave, skipped: ReadonlySet<string>): RolloutWave {
  const cells = wave.cells.filter((cell) => !skipped.has(cell));
  return cells.length === wave.cells.length ? wave : { ...wave, cells, ...(cells.length === 0 ? { bakeSeconds: 0 } : {}) };
}

/** Cells that were skipped, as it is written down of them. */
export const skippedIn = (records: readonly CellRecord[]): ReadonlySet<string> =>
  new Set(records.filter(({ status }) => status === 'skipped').map(({ cell }) => cell));
