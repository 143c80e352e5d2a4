/** What a change set would lose. What CloudFormation doesn't say counts as a loss: nobody can take it back. Pure. */
import type { Change, ResourceChange } from '@aws-sdk/client-cloudformation';
import { holderOf } from '../../plan/hidden-resources.ts';
import { changesInPlace, isStateful, STATEFUL } from '../../review/stateful.ts';

interface Loss {
  readonly logicalId: string;
  /** What would happen to which resource, and what is lost with it. */
  readonly sentence: string;
}

/** Nothing that is there is touched. */
const isHarmless = (action: ResourceChange['Action']): boolean => action === 'Add' || action === 'Import' || action === 'SyncWithActual';

type Fate = 'replaced' | 'perhaps replaced' | 'removed' | 'changed';

/** Resources that hold data, or a name that others know, and that would be removed or, perhaps, replaced. */
export const lossesIn = (changes: readonly Change[]): Loss[] =>
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
