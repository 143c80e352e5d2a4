/** What differs between the registry and reality. Pure: the caller has looked, this compares. */
import type { Changes } from '../../registry/index.ts';
import { type CellPlan, CONTROL_STACKS, type Plan } from './plan.ts';

/** What was found of a stack. */
export interface ObservedStack {
  /** CloudFormation's status, or undefined when the stack does not exist. */
  readonly status: string | undefined;
  /** Logical ids that a deployment would add, change, remove. */
  readonly changes: { readonly added: readonly string[]; readonly changed: readonly string[]; readonly removed: readonly string[] };
}

/** What was found of an account. */
export interface ObservedAccount {
  readonly email: string;
  readonly status: string;
  /** Whose it is, by its tag; looked at where the e-mail doesn't say. An account out of the pool keeps the pool's e-mail. */
  readonly owner?: string;
}

/** What was found in the cloud. */
export interface Observed {
  /** Accounts of the organization by id; undefined when the organization can't be asked yet (before `init`). */
  readonly accounts: ReadonlyMap<string, ObservedAccount> | undefined;
  /** Stacks by name; a stack that was not looked at is missing here. */
  readonly stacks: ReadonlyMap<string, ObservedStack>;
  /** How the newest revision differs from the definitions, and whose life has moved on since; undefined when nothing was published. */
  readonly published: { readonly revision: number; readonly changes: Changes; readonly movedOn: readonly string[] } | undefined;
}

/** One difference. `action` names the command that removes it. */
export interface Difference {
  readonly kind: 'account' | 'stack' | 'registry';
  readonly name: string;
  readonly change: 'create' | 'update' | 'conflict';
  readonly detail: string;
  readonly action: string;
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

function stackDifference(name: string, action: string, observed: ObservedStack | undefined): Difference[] {
  if (!observed) return [{ kind: 'stack', name, change: 'create', detail: 'waits for its account', action }];
  const { status, changes } = observed;
  if (status === undefined) return [{ kind: 'stack', name, change: 'create', detail: `${changes.added.length} resources`, action }];
  const parts = [
    changes.added.length > 0 ? `${changes.added.length} added` : '',
    changes.changed.length > 0 ? `${changes.changed.length} changed (${changes.changed.slice(0, 3).join(', ')})` : '',
    changes.removed.length > 0 ? `${changes.removed.length} removed (${changes.removed.slice(0, 3).join(', ')})` : '',
  ].filter((part) => part !== '');
  if (parts.length > 0) return [{ kind: 'stack', name, change: 'update', detail: parts.join(', '), action }];
  if (!/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return [{ kind: 'stack', name, change: 'update', detail: status, action }];
  return [];
}

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

/** Every difference, in the order in which the actions would be taken: control accounts, cells, stacks, registry. */
export function compare(plan: Plan, cells: readonly CellPlan[], observed: Observed): Difference[] {
  // A retiring cell that has no account any more gets none.
  const wanted = cells.filter(({ intent, account }) => intent !== 'retiring' || account.accountId !== undefined);
  return [
    ...[plan.tooling, plan.monitoring].flatMap((account) => accountDifference(account, 'cellctl init', observed.accounts)),
    ...[CONTROL_STACKS.registry, CONTROL_STACKS.domain].flatMap((name) => stackDifference(name, 'cellctl init', observed.stacks.get(name))),
    ...wanted.flatMap((cell) => accountDifference(cell.account, 'cellctl accounts', observed.accounts)),
    ...wanted.flatMap((cell) => stackDifference(cell.stackName, `cellctl deploy ${cell.name}`, observed.stacks.get(cell.stackName))),
    ...registryDifference(plan.organization, observed.published),
  ];
}
