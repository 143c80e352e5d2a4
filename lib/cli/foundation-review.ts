/** The review of a version of foundations: what `cellctl deploy` would refuse of it in any cell, asked before the first wave. */
import type { Session } from '../aws/session.ts';
import type { Template } from '../aws/toolkit.ts';
import type { Plan } from '../plan/plan.ts';
import type { Problem } from '../registry/index.ts';

/** Who looks, and what may be lost. */
export interface Reviewer {
  /** Of the tooling account, in the home region. */
  readonly session: Session;
  readonly partition: string;
  /** As `cell/LogicalId`. @default - nothing may be lost, and nobody has said otherwise */
  readonly allowed?: readonly string[];
}

/** The templates of a version. */
export interface VersionTemplates {
  /** Name of a cell's template among the files, see `templateFor`. */
  readonly template: string;
  readonly has: (file: string) => boolean;
  readonly read: (file: string) => Promise<string>;
}

interface Reviewed {
  /** What would be lost, or refused by RDS, with its cell. */
  readonly problems: readonly Problem[];
  /** Cells that could not be looked at: their turn in the rollout tells. */
  readonly warnings: readonly Problem[];
}

/**
 * Holds the templates of a version against what is deployed in each of the cells.
 * @param cells names of those that the rollout reaches
 * @throws FactoryError `USAGE` for an allowance that fits nothing that would be lost
 */
export async function reviewFoundations(
  plan: Plan,
  cells: readonly string[],
  version: VersionTemplates,
  { session, partition, allowed = [] }: Reviewer,
): Promise<Reviewed> {
  const [{ templateFor }, { isVended }, { lookAtCells }, { refuseStrangers, replacementProblems }] = await Promise.all([
    import('../artifact/artifacts.ts'),
    import('../plan/plan.ts'),
    import('../cell/deploy-guard.ts'),
    import('../review/replacements.ts'),
  ]);
  // A cell that came after the build has no template in it, and is left out.
  const reached = plan.cells.filter(isVended).filter(({ name }) => cells.includes(name) && version.has(templateFor(version, name)));
  const templates = new Map(
    await Promise.all(
      reached.map(async ({ name, stackName }) => {
        const text = await version.read(templateFor(version, name));
        return [stackName, JSON.parse(text) as Template] as const;
      }),
    ),
  );
  const { seen, unseen } = await lookAtCells(reached, templates, session, partition);
  // Of a cell that nobody has seen, no name is wrong.
  refuseStrangers(
    seen,
    allowed.filter((name) => !unseen.has(name.split('/')[0] ?? '')),
  );
  return {
    problems: [...replacementProblems(seen, allowed), ...seen.flatMap(({ refused }) => refused)],
    warnings: [...unseen].map(([cell, { code, message }]) => ({
      code,
      path: cell,
      message: `not looked at: ${message}`,
      fix: 'what it would lose or refuse is found when its wave begins',
    })),
  };
}

/** The review as it is told when a version is published: it may still be rolled out, by whoever allows the losses. */
export async function publishedWarnings(plan: Plan, version: VersionTemplates, reviewer: Reviewer): Promise<readonly Problem[]> {
  const shared = plan.cells.filter(({ stage }) => stage !== 'personal').map(({ name }) => name);
  const { problems, warnings } = await reviewFoundations(plan, shared, version, reviewer);
  return [...problems, ...warnings];
}
