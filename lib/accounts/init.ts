/** `cellctl init`: from a bare management account to an organization with its control accounts. Run again and again without harm. */
import { type ControlAccount, FactoryError, updateAccountsFile } from '../../registry/index.ts';
import { ORGANIZATION_ROLE } from '../aws/roles.ts';
import { assume, identify, type Session } from '../aws/session.ts';
import { deployStack, type Source, withAssembly } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import { type AccountPlan, CONTROL_STACKS, ORGANIZATIONAL_UNITS, type Plan } from '../plan/plan.ts';
import { Directory } from './directory.ts';
import { setUpAccount } from './setup.ts';

export interface InitOptions {
  readonly plan: Plan;
  /** Credentials of the management account, in the home region. */
  readonly session: Session;
  readonly source: Source;
  readonly accountsFile: string;
  /** Unique to this run. */
  readonly runId: string;
  readonly emit: Emit;
}

async function ensureOrganization(directory: Directory, accountId: string, emit: Emit): Promise<string> {
  let organization = await directory.organization();
  if (!organization) {
    await directory.createOrganization();
    emit({ kind: 'done', subject: 'organization', text: 'created with all features' });
    organization = await directory.organization();
  }
  if (!organization) throw new FactoryError('ORGANIZATION_CONFLICT', 'the organization was created, but is not there');
  if (organization.managementAccountId !== accountId) {
    throw new FactoryError(
      'WRONG_ACCOUNT',
      `${accountId} is a member; the organization is managed by ${organization.managementAccountId}`,
      {
        fix: 'run `cellctl init` with credentials of the management account',
      },
    );
  }
  if (!organization.allFeatures) {
    throw new FactoryError('ORGANIZATION_CONFLICT', 'the organization has consolidated billing only', {
      fix: 'enable all features in AWS Organizations (its members must agree), then run `cellctl init` again',
    });
  }
  return organization.id;
}

/** Notes the id of a control account. */
async function recordControl(file: string, name: ControlAccount, id: string): Promise<void> {
  await updateAccountsFile(file, (accounts) => ({ ...accounts, control: { ...accounts.control, [name]: id } }));
}

/** Creates what is missing: organization, organizational units, control accounts, their bootstrap, and the stacks of the control accounts. */
export async function initialize({ plan, session, source, accountsFile, runId, emit }: InitOptions): Promise<void> {
  const { accountId: managementAccountId, partition } = await identify(session);
  const directory = new Directory(session);
  const organizationId = await ensureOrganization(directory, managementAccountId, emit);
  await updateAccountsFile(accountsFile, (file) => ({ ...file, organization: organizationId }));
  await recordControl(accountsFile, 'management', managementAccountId);
  for (const unit of Object.values(ORGANIZATIONAL_UNITS)) await directory.unitId(unit, true);

  const ids = { tooling: '', monitoring: '' };
  for (const name of ['tooling', 'monitoring'] as const) {
    const account = plan[name];
    emit({ kind: 'started', subject: name, text: account.email });
    const { id, how } = await directory.ensureAccount(account, await directory.accounts());
    ids[name] = id;
    await recordControl(accountsFile, name, id);
    emit({ kind: 'progress', subject: name, text: `account ${id} ${how}` });
  }
  const administrator = (accountId: string) => assume(session, partition, accountId, ORGANIZATION_ROLE);
  await Promise.all(
    (['tooling', 'monitoring'] as const).map(async (name) => {
      const account: AccountPlan = plan[name];
      const changed = await setUpAccount(account, ids[name], {
        session: administrator(ids[name]),
        partition,
        directory,
        mayCreateUnits: true,
        toolingAccountId: ids.tooling,
        emit,
      });
      emit({ kind: changed ? 'done' : 'unchanged', subject: name, text: `account ${ids[name]}` });
    }),
  );

  await withAssembly(source, Object.values(CONTROL_STACKS), async ({ directory: assembly }) => {
    const sessions = { [CONTROL_STACKS.management]: session, [CONTROL_STACKS.tooling]: administrator(ids.tooling) };
    for (const [stack, stackSession] of Object.entries(sessions)) {
      emit({ kind: 'started', subject: stack, text: 'deploying' });
      const { changed } = await deployStack(assembly, stack, emit, { session: stackSession, changeSetName: `cell-factory-${runId}` });
      emit({ kind: changed ? 'done' : 'unchanged', subject: stack, text: 'stack' });
    }
  });
}
