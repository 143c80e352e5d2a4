/** What a change set would lose. What CloudFormation doesn't say counts as a loss: nobody can take it back. Pure. */
import { holderOf } from '../plan/hidden-resources.ts';
import { FactoryError } from '../registry/index.ts';
import { allowance, isAllowed } from './replacements.ts';
import { changesInPlace, isStateful, STATEFUL } from './stateful.ts';

/** What is asked of CloudFormation's `ResourceChange`. */
interface ResourceChange {
  readonly Action?: string | undefined;
  readonly LogicalResourceId?: string | undefined;
  readonly ResourceType?: string | undefined;
  readonly PolicyAction?: string | undefined;
  readonly Replacement?: string | undefined;
  readonly Details?:
    | readonly { readonly Target?: { readonly Name?: string | undefined; readonly RequiresRecreation?: string | undefined } | undefined }[]
    | undefined;
}

/** One change of a change set. */
export interface ProposedChange {
  readonly ResourceChange?: ResourceChange | undefined;
}

interface Loss {
  readonly logicalId: string;
  /** What would happen to which resource, and what is lost with it. */
  readonly sentence: string;
}

/** Nothing that is there is touched. */
const isHarmless = (action: ResourceChange['Action']): boolean => action === 'Add' || action === 'Import' || action === 'SyncWithActual';

type Fate = 'replaced' | 'perhaps replaced' | 'removed' | 'changed';

/** Resources that hold data, or a name that others know, and that would be removed or, perhaps, replaced. */
export const lossesIn = (changes: readonly ProposedChange[]): Loss[] =>
  changes.flatMap(({ ResourceChange: change = {} }): Loss[] => {
    const { LogicalResourceId: logicalId = '', ResourceType: type = '' } = change;
    const holder = holderOf(type);
    const fate = holder === undefined ? fateOf(change, type) : fateOfHolder(change);
    if (fate === undefined) return [];
    const lost = holder === undefined ? (STATEFUL[type]?.lost ?? 'it') : `whatever is in it: ${holder} hides what becomes of its resources`;
    return [{ logicalId, sentence: `${logicalId} (${type}) would be ${fate}; lost: ${lost}` }];
  });

function fateOf(change: ResourceChange, type: string): Fate | undefined {
  const { Action, PolicyAction, Replacement, Details = [] } = change;
  if (!isStateful(type)) return undefined;
  if (isHarmless(Action)) return undefined;
  if (Action === 'Remove') return PolicyAction === 'Retain' ? undefined : 'removed';
  if (Replacement === 'True') return 'replaced';
  if (Replacement === 'False') return undefined;
  // Conditional, or nothing said. Schemas say "may" of properties that change in place as we use them.
  const forcing = Details.filter(({ Target }) => Target?.RequiresRecreation !== 'Never');
  const certain = forcing.length > 0 && forcing.every(({ Target }) => changesInPlace(type, Target?.Name ?? ''));
  return certain ? undefined : 'perhaps replaced';
}

/** Its own change set says nothing about the resources in it. */
function fateOfHolder({ Action, PolicyAction }: ResourceChange): Fate | undefined {
  if (isHarmless(Action)) return undefined;
  if (Action === 'Remove') return PolicyAction === 'Retain' ? undefined : 'removed';
  return 'changed';
}

/** The losses in a cell that nobody has named. @param allowed as `cell/LogicalId` */
export const lossesNotAllowed = (cell: string, changes: readonly ProposedChange[], allowed: readonly string[]): Loss[] =>
  lossesIn(changes).filter(({ logicalId }) => !allowed.some((name) => isAllowed({ cell, logicalId }, name)));

/**
 * Lets a change set pass by which nothing is lost in a cell, or only what `allowed` names, as `cell/LogicalId`.
 * @throws FactoryError `REPLACEMENT_REFUSED`, with a problem for each resource
 */
export function refuseLosses(cell: string, changes: readonly ProposedChange[], allowed: readonly string[]): void {
  const refused = lossesNotAllowed(cell, changes, allowed);
  if (refused.length === 0) return;
  throw new FactoryError('REPLACEMENT_REFUSED', `${cell}: what was changed by hand can't be reverted without a loss; nothing was changed`, {
    fix: 'revert by hand what forces the loss, or allow each by its name, and only if its data can go',
    problems: refused.map(({ logicalId, sentence }) => ({
      code: 'REPLACEMENT_REFUSED',
      path: allowance(cell, logicalId),
      message: sentence,
      fix: `if the loss is meant: --allow-replacement ${allowance(cell, logicalId)}`,
    })),
  });
}
