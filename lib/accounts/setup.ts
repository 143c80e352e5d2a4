/** What every account of the factory gets once it exists: its place in the organization, and the CDK's bootstrap. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { type ControlAccount, updateAccountsFile } from '../../registry/index.ts';
import type { Session } from '../aws/session.ts';
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
  try {
    const { Stacks } = await new CloudFormationClient(session).send(new DescribeStacksCommand({ StackName: 'CDKToolkit' }));
    return Stacks?.[0]?.StackStatus?.endsWith('_COMPLETE') === true && !Stacks[0].StackStatus.startsWith('ROLLBACK');
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return false;
    throw error;
  }
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

/** Notes the id of a control account. */
export async function recordControl(file: string, name: ControlAccount, id: string): Promise<void> {
  await updateAccountsFile(file, (accounts) => ({ ...accounts, control: { ...accounts.control, [name]: id } }));
}
