/** Which version of each component runs where, and where it is another than elsewhere. Pure: somebody else has looked. */
import { UNRELEASED } from '../plan/cell-parameters.ts';
import type { CellStatus } from './status.ts';

/** Why a cell stands out. */
type Skew = 'differs' | 'missing' | 'failed';

export interface CellVersion {
  readonly cell: string;
  readonly stage: string;
  /** Undefined where the cell doesn't have the component, or could not be looked at. */
  readonly version: string | undefined;
  /** CloudFormation's status of the component's stack. */
  readonly status: string | undefined;
  /** `failed` whatever the version; otherwise compared with what most of production runs. */
  readonly skew: Skew | undefined;
}

export interface ComponentVersions {
  readonly component: string;
  /** The released version that most cells of production run; of two that as many run, the later by its name. */
  readonly common: string | undefined;
  readonly cells: readonly CellVersion[];
}

type Looked = Pick<CellStatus, 'cell' | 'stage' | 'foundation' | 'components' | 'error'>;

/** The version that most have. */
function mostCommon(versions: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1);
  const later = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
  return [...counts].sort(([a, many], [b, more]) => more - many || later(a, b))[0]?.[0];
}

function skewOf({ foundation, error }: Looked, found: { version: string; status: string } | undefined, common: string | undefined) {
  if (found && /FAILED|ROLLBACK/.test(found.status)) return 'failed';
  if (found) return found.version === common || common === undefined ? undefined : 'differs';
  // A cell without a foundation runs nothing yet; one that could not be looked at says so itself.
  return foundation === undefined || error !== undefined || common === undefined ? undefined : 'missing';
}

/** The versions of each component in every cell. */
export function versionsOf(components: readonly string[], cells: readonly Looked[]): ComponentVersions[] {
  return components.map((component) => {
    const production = cells.filter(({ stage }) => stage === 'production');
    const versions = production.flatMap((each) => each.components[component]?.version ?? []);
    // What `cellctl deploy` has left is no version that others lag behind.
    const common = mostCommon(versions.filter((version) => version !== UNRELEASED));
    return {
      component,
      common,
      cells: cells.map((each) => {
        const found = each.components[component];
        const { cell, stage } = each;
        return { cell, stage, version: found?.version, status: found?.status, skew: skewOf(each, found, common) };
      }),
    };
  });
}
