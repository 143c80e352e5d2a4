/** What every account of the factory gets once it exists: its place in the organization, and the CDK's bootstrap. */
import type { Session } from '../aws/session.ts';
import { findStack } from '../aws/stacks.ts';
import { bootstrap } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import type { AccountPlan } from '../plan/plan.ts';
import type { Directory } from './directory.ts';

export interface SetUpOptions {
  /** Administrator in the account, in the account's region. */
  readonly session: Session;
  readonly partition: string;
  readonly directory: Directory;
  /** Whether missing organizational units may be created: in `init` only. */
  readonly mayCreateUnits: boolean;
  /** The account that may deploy into this one. */
  readonly toolingAccountId: string;
  readonly emit: Emit;
}

async function isBootstrapped(session: Session): Promise<boolean> {
  const status = (await findStack(session, 'CDKToolkit'))?.StackStatus;
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE';
}

/** Places and bootstraps an account; does nothing that is done already. Returns true when something changed. */
export async function setUpAccount(account: AccountPlan, accountId: string, options: SetUpOptions): Promise<boolean> {
  const { session, partition, directory, mayCreateUnits, toolingAccountId, emit } = options;
  const moved = await directory.place(accountId, account.unit, mayCreateUnits);
  if (moved) emit({ kind: 'progress', subject: account.name, text: `moved to ${account.unit.join('/')}` });
  if (await isBootstrapped(session)) return moved;
  emit({ kind: 'progress', subject: account.name, text: `bootstrapping the CDK in ${account.region}` });
  const trusted = accountId === toolingAccountId ? [] : [toolingAccountId];
  await bootstrap(session, accountId, trusted, [`arn:${partition}:iam::aws:policy/AdministratorAccess`]);
  return true;
}
