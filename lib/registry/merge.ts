/**
 * Two people changed the registry at the same time: is that one change, or a conflict? An organization is compared entry by
 * entry: each cell, each component, and each field of the organization itself. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import microdiff from 'microdiff';
import { digestOf } from './document.ts';
import type { Organization } from './model.ts';

/** What differs between two organizations, as paths of entries (`cells.alpha`, `rollout`), sorted. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** One value that differs. */
export interface FieldChange {
  readonly path: string;
  /** Absent when the field was added. */
  readonly before?: unknown;
  /** Absent when the field was removed. */
  readonly after?: unknown;
}

type Entries = ReadonlyMap<string, unknown>;

const MAPS = ['cells', 'components'] as const;

function entriesOf({ cells, components, ...settings }: Organization): Entries {
  const maps = { cells, components };
  return new Map<string, unknown>([
    ...Object.entries(settings),
    ...MAPS.flatMap((kind) => Object.entries(maps[kind]).map(([name, value]) => [`${kind}.${name}`, value] as const)),
  ]);
}

function fromEntries(entries: Entries): Organization {
  const organization: Record<string, unknown> = { cells: {}, components: {} };
  for (const [path, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kind = MAPS.find((each) => path.startsWith(`${each}.`));
    if (kind) (organization[kind] as Record<string, unknown>)[path.slice(kind.length + 1)] = value;
    else organization[path] = value;
  }
  return organization as Organization;
}

/** Whether two entries say the same. What is no different to JSON (a field that is undefined, or absent) is none; asked second, because it takes longer. */
const same = (a: unknown, b: unknown) => isDeepStrictEqual(a, b) || (a !== undefined && b !== undefined && digestOf(a) === digestOf(b));

/** What `after` has that `before` had not, has otherwise, or has no more. */
export function changesBetween(before: Organization, after: Organization): Changes {
  return compareEntries(entriesOf(before), entriesOf(after));
}

function compareEntries(before: Entries, after: Entries): Changes {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return {
    added: paths.filter((path) => !before.has(path)),
    changed: paths.filter((path) => before.has(path) && after.has(path) && !same(before.get(path), after.get(path))),
    removed: paths.filter((path) => !after.has(path)),
  };
}

/** Every single value that differs, in the order of its path. */
export function fieldChanges(before: object, after: object): FieldChange[] {
  return microdiff(before, after)
    .map((change) => ({
      path: change.path.join('.'),
      ...(change.type === 'CREATE' ? {} : { before: change.oldValue }),
      ...(change.type === 'REMOVE' ? {} : { after: change.value }),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Everything that changed, as one list. */
const touched = ({ added, changed, removed }: Changes): string[] => [...added, ...changed, ...removed].sort();

/**
 * `theirs` with what `mine` changed since `base`.
 * @returns the merged organization, and the entries that both changed, each in its own way; with any, the merge is none
 */
export function merge(base: Organization, mine: Organization, theirs: Organization): { merged: Organization; conflicts: string[] } {
  const [from, own, other] = [entriesOf(base), entriesOf(mine), entriesOf(theirs)];
  const ownPaths = touched(compareEntries(from, own));
  const otherPaths = new Set(touched(compareEntries(from, other)));
  const conflicts = ownPaths.filter((path) => otherPaths.has(path) && !same(own.get(path), other.get(path)));
  const merged = new Map(other);
  for (const path of ownPaths) {
    if (own.has(path)) merged.set(path, own.get(path));
    else merged.delete(path);
  }
  return { merged: fromEntries(merged), conflicts };
}
