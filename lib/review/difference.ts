/** What differs between the registry and reality. Pure: the caller has looked, this compares. */

import { cellStacks } from '../plan/cell-stacks.ts';
import type { DeployedCell } from '../plan/deployed-cell.ts';
import { isExpired, lasting, sinceWhen } from '../plan/expiry.ts';
import { type CellPlan, isInitialized, type Plan } from '../plan/plan.ts';
import type { LimitUse } from '../plan/template-limits.ts';
import { toolingStacks } from '../plan/tooling-stacks.ts';
import type { Changes, Problem } from '../registry/index.ts';
import { changesOf, type ResourceChange } from './changes.ts';
import { type Destruction, destructionsIn } from './stateful.ts';

/** What was found of a stack. */
export interface ObservedStack {
  /** CloudFormation's status, or undefined when the stack does not exist. */
  readonly status: string | undefined;
  /** What a deployment would do; for a stack that does not exist, everything is added. */
  readonly changes: readonly ResourceChange[];
  /** CloudFormation's limits that the new template comes near. */
  readonly limits: readonly LimitUse[];
  /** Of a foundation: the cell as its deployed template has it. @default - not known */
  readonly deployed?: DeployedCell | undefined;
  /** Alarms and parameters that it should have and has no more: somebody has deleted them. @default - none, or nobody looked */
  readonly missing?: readonly string[];
  /** What RDS would refuse of the changes. @default - nothing, or nobody asked */
  readonly refused?: readonly Problem[];
}

/** What was found of an account. */
export interface ObservedAccount {
  readonly email: string;
  readonly status: string;
  /** Whose it is, by its tag; looked at where the e-mail doesn't say. An account out of the pool keeps the pool's e-mail. */
  readonly owner?: string;
}

/** A component's stack that should be in a cell, by the last rollout that has succeeded, and is not. */
export interface GoneStack {
  readonly cell: string;
  readonly component: string;
  /** What it ran. */
  readonly version: string;
  readonly rollout: string;
}

/** What was found in the cloud. */
export interface Observed {
  /** Accounts of the organization by id; undefined when the organization can't be asked yet (before `init`). */
  readonly accounts: ReadonlyMap<string, ObservedAccount> | undefined;
  /** Stacks by name; a stack that was not looked at is missing here. */
  readonly stacks: ReadonlyMap<string, ObservedStack>;
  /** How the newest revision differs from the definitions, and whose life has moved on since; undefined when nothing was published. */
  readonly published: { readonly revision: number; readonly changes: Changes; readonly movedOn: readonly string[] } | undefined;
  /** Cells that were complete once. @default - not known */
  readonly built?: ReadonlySet<string> | undefined;
  /** Cells that the factory has built and that nothing defines, with what it knows of each. */
  readonly undefinedCells: readonly { readonly name: string; readonly evidence: string }[];
  /** Stacks of components that somebody has deleted. @default - none, or nobody looked */
  readonly gone?: readonly GoneStack[];
  /** Why new cells would wait for their certificates: what is missing in the DNS. @default - nothing is, or nobody looked */
  readonly domainProblem?: string | undefined;
}

/** One difference. `action` names the command that removes it. */
export interface Difference {
  readonly kind: 'account' | 'stack' | 'registry' | 'cell' | 'domain';
  readonly name: string;
  readonly change: 'create' | 'update' | 'remove' | 'conflict';
  readonly detail: string;
  readonly action: string;
  /** What would be lost by it; absent when nothing is. */
  readonly destructive?: readonly Destruction[];
  /** What AWS would refuse of it; absent when that is nothing. */
  readonly refused?: readonly Problem[];
}

function accountDifference(
  account: { name: string; email: string; accountId: string | undefined },
  action: string,
  observed: Observed['accounts'],
): Difference[] {
  const { name, email, accountId } = account;
  if (accountId === undefined) {
    const there = [...(observed ?? [])].find(([, each]) => each.email.toLowerCase() === email.toLowerCase());
    if (there) return [{ kind: 'account', name, change: 'update', detail: `${there[0]} is there, and not in accounts.json`, action }];
    return [{ kind: 'account', name, change: 'create', detail: email, action }];
  }
  if (observed === undefined) return [];
  const found = observed.get(accountId);
  const conflict = (detail: string): Difference[] => [
    { kind: 'account', name, change: 'conflict', detail, action: 'correct accounts.json' },
  ];
  if (!found) return conflict(`${accountId} is not in the organization`);
  if (found.status !== 'ACTIVE') return conflict(`${accountId} is ${found.status}`);
  if (found.email.toLowerCase() === email.toLowerCase() || found.owner === name) return [];
  const owner = found.owner === undefined || found.owner === '' ? found.email : `${found.owner} (${found.email})`;
  return conflict(`${accountId} belongs to ${owner}, not ${email}`);
}

function stackDifference(name: string, action: string, observed: ObservedStack | undefined, wasBuilt = false): Difference[] {
  if (!observed) return [{ kind: 'stack', name, change: 'create', detail: 'waits for its account', action }];
  const { status, changes, refused = [], missing = [] } = observed;
  const refusals = refused.length > 0 ? { refused } : {};
  const ids = (change: ResourceChange['change']) => changesOf(changes, change).map(({ logicalId }) => logicalId);
  const [added, changed, replaced, removed] = [ids('add'), ids('change'), ids('replace'), ids('remove')];
  if (status === undefined) {
    const gone = wasBuilt ? 'is gone, and its cell was complete: ' : '';
    return [{ kind: 'stack', name, change: 'create', detail: `${gone}${added.length} resources`, action, ...refusals }];
  }
  const parts = [
    added.length > 0 ? `${added.length} added` : '',
    counted(changed, 'changed'),
    counted(replaced, 'replaced'),
    counted(removed, 'removed'),
    counted(missing, 'missing, deleted by hand'),
  ].filter((part) => part !== '');
  const destructive = destructionsIn(changes);
  if (parts.length > 0) {
    return [
      {
        ...{ kind: 'stack', name, change: 'update', detail: parts.join(', '), action },
        ...(destructive.length > 0 ? { destructive } : {}),
        ...refusals,
      },
    ];
  }
  if (!isWell(status)) return [{ kind: 'stack', name, change: 'update', detail: status, action }];
  return [];
}

/** `2 changed (B, C)`; names only while they are few. */
function counted(ids: readonly string[], what: string): string {
  if (ids.length === 0) return '';
  return ids.length > 3 ? `${ids.length} ${what}` : `${ids.length} ${what} (${ids.join(', ')})`;
}

/** True for a stack that is as its last deployment wanted it. */
export const isWell = (status: string): boolean => /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status);

/** `alpha, bravo and 7 more`. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function registryDifference(name: string, published: Observed['published']): Difference[] {
  const difference = (change: 'create' | 'update', detail: string): Difference[] => [
    { kind: 'registry', name, change, detail, action: 'cellctl publish' },
  ];
  if (!published) return difference('create', 'nothing published yet');
  const { revision, changes, movedOn } = published;
  const parts = [
    changes.added.length > 0 ? `lacks ${some(changes.added)}` : '',
    changes.changed.length > 0 ? `has another ${some(changes.changed)}` : '',
    changes.removed.length > 0 ? `still has ${some(changes.removed)}` : '',
    movedOn.length > 0 ? `doesn't know the life of ${some(movedOn)}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : difference('update', `revision ${revision} ${parts.join('; ')}`);
}

/** What to do about a personal cell that is past its end. Nothing happens by itself: the end can be put off. */
function expiryDifference(cell: CellPlan, observed: Observed['stacks'], now: Date): Difference[] {
  const { name, owner, account, stackName } = cell;
  if (!isExpired(cell, now)) return [];
  const detail = `${sinceWhen(cell, now)}; belongs to ${owner ?? 'nobody'}`;
  const difference = (left: string, action: string): Difference[] => [
    { kind: 'cell', name, change: 'remove', detail: `${detail}${left}`, action },
  ];
  if (account.accountId === undefined) return difference(', and has no account', `remove registry/cells/${name}.ts`);
  const found = observed.get(stackName);
  if (found && found.status === undefined) return difference(', its stacks are gone', `cellctl accounts pool --return ${name}`);
  return difference('', `cellctl destroy ${name}`);
}

/** What to do about a cell that is being retired: its stacks go when its customers are gone. Without stacks nothing is left to do. */
function retirementDifference({ name, intent, stackName, account }: CellPlan, observed: Observed['stacks']): Difference[] {
  const isThere = account.accountId !== undefined && observed.get(stackName)?.status !== undefined;
  if (intent !== 'retiring' || !isThere) return [];
  return [{ kind: 'cell', name, change: 'remove', detail: 'is retiring, and its stacks are there', action: `cellctl destroy ${name}` }];
}

const domainDifference = (name: string, problem: string | undefined): Difference[] =>
  problem === undefined ? [] : [{ kind: 'domain', name, change: 'conflict', detail: problem, action: 'nothing here: its owner does it' }];

/** Stacks of components that somebody has deleted: rollouts make them, `deploy` doesn't. */
const goneDifferences = (cells: readonly CellPlan[], gone: Observed['gone'] = []): Difference[] =>
  gone
    .filter(({ cell }) => cells.some(({ name }) => name === cell))
    .map(({ cell, component, version, rollout }) => ({
      kind: 'cell',
      name: cell,
      change: 'create',
      detail: `the stack of ${component} is gone: ${rollout} has deployed ${version}`,
      action: `cellctl rollout catch-up ${cell}`,
    }));

/** A cell that exists and that nobody defines can be neither changed nor retired. */
const undefinedDifferences = (found: Observed['undefinedCells']): Difference[] =>
  found.map(({ name, evidence }) => ({
    kind: 'cell',
    name,
    change: 'conflict',
    detail: `exists (${evidence}), and has no definition; to end it, set intent: 'retiring' there, then \`cellctl destroy ${name}\``,
    action: `restore registry/cells/${name}.ts`,
  }));

/** Every difference, in the order in which the actions would be taken: control accounts, cells, stacks, registry. */
export function compare(plan: Plan, cells: readonly CellPlan[], observed: Observed, now: Date): Difference[] {
  // A retiring cell that has no account any more gets none.
  const present = cells.filter(({ intent, account }) => intent !== 'retiring' || account.accountId !== undefined);
  // Nobody builds for a cell whose end is proposed.
  const wanted = lasting(present, now);
  // What comes with later cells and components needs no credentials of management.
  const tooling = isInitialized(plan) ? 'cellctl deploy --tooling' : 'cellctl init';
  const stacks = wanted.flatMap((cell) =>
    cellStacks(cell).map(({ stackName }) => ({ stackName, action: `cellctl deploy ${cell.name}`, built: observed.built?.has(cell.name) })),
  );
  return [
    ...[plan.tooling, plan.monitoring].flatMap((account) => accountDifference(account, 'cellctl init', observed.accounts)),
    ...toolingStacks(plan).flatMap(({ stackName }) => stackDifference(stackName, tooling, observed.stacks.get(stackName))),
    ...domainDifference(plan.cellsDomain, observed.domainProblem),
    ...undefinedDifferences(observed.undefinedCells),
    ...cells.flatMap((cell) => expiryDifference(cell, observed.stacks, now)),
    ...cells.filter((cell) => !isExpired(cell, now)).flatMap((cell) => retirementDifference(cell, observed.stacks)),
    ...wanted.flatMap((cell) => accountDifference(cell.account, 'cellctl accounts', observed.accounts)),
    ...stacks.flatMap(({ stackName, action, built }) => stackDifference(stackName, action, observed.stacks.get(stackName), built)),
    ...goneDifferences(wanted, observed.gone),
    ...registryDifference(plan.organization, observed.published),
  ];
}
