/** `cellctl init`: from a bare management account to an organization with its control accounts. Run again and again without harm. */

import { ORGANIZATION_ROLE } from '../aws/roles.ts';
import { assume, identify, inRegion, type Session } from '../aws/session.ts';
import { withAssembly } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import { CONTROL_STACKS, type InitializedPlan, ORGANIZATIONAL_UNITS, type Plan } from '../plan/plan.ts';
import { toolingStacks } from '../plan/tooling-stacks.ts';
import { type AccountsFile, FactoryError, readAccountsFile, updateAccountsFile } from '../registry/index.ts';
import { unrecorded } from './account-record.ts';
import { systemClock } from './clock.ts';
import { deployControlStack, deployToolingStacks } from './control-stacks.ts';
import { Directory, organizationsClient } from './directory.ts';
import type { LockFile } from './lock-file.ts';
import { Limiter } from './rates.ts';
import { accountSteps, placing, type SetUpStep, tagging } from './setup.ts';
import type { WantedAccount } from './survey.ts';
import { Vending } from './vend.ts';

export interface InitOptions {
  readonly plan: Plan;
  /** Credentials of the management account, in the home region. */
  readonly session: Session;
  /** The plan with the ids of accounts, which are in the lock file by then. */
  readonly replan: () => Promise<InitializedPlan>;
  readonly accountsFile: string;
  /** Unique to this run. */
  readonly runId: string;
  /** Factor on the rates of AWS Organizations; 1 is AWS. */
  readonly pace: number;
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

type Control = 'tooling' | 'monitoring';

type Ids = Readonly<Record<string, string>>;

const idsOf = ({ control }: AccountsFile): Ids =>
  Object.fromEntries(Object.entries(control).flatMap(([name, id]) => (id === undefined ? [] : [[name, id]])));

/** The lock file's part about control accounts, as vending takes it. */
const controlLines = (path: string): LockFile => ({
  path,
  read: async () => idsOf(await readAccountsFile(path)),
  update: async (change) => {
    await updateAccountsFile(path, (file) => ({ ...file, control: { ...change(idsOf(file)) } }));
  },
});

/** What setting a control account up takes, once tooling is there for it to trust. */
const controlSteps = (
  { session, plan, emit }: InitOptions,
  directory: Directory,
  partition: string,
  toolingAccountId: string,
): SetUpStep[] => [
  placing(directory, true),
  tagging(directory),
  ...accountSteps({
    clock: systemClock,
    administrator: (accountId, region) => inRegion(assume(session, partition, accountId, ORGANIZATION_ROLE), region),
    homeRegion: plan.homeRegion,
    waiting: (subject, text) => emit({ kind: 'progress', subject, text }),
    partition,
    contacts: plan.contacts,
    toolingAccountId,
  }),
];

/** Creates the control accounts, or finds them, and sets them up. Returns their ids. */
async function controlAccounts(
  options: InitOptions,
  directory: Directory,
  limiter: Limiter,
  partition: string,
): Promise<Record<Control, string>> {
  const { plan, runId: run, emit, accountsFile } = options;
  const common = { directory, limiter, clock: systemClock, lockFile: controlLines(accountsFile), run };
  const vend = async (steps: readonly SetUpStep[], ids: Ids, say: Emit) => {
    const wanted = (['tooling', 'monitoring'] as const).map(
      (name): WantedAccount => ({ account: plan[name], cell: name, mayClaim: false, accountId: ids[name] }),
    );
    // The bucket that keeps records is made further down, in one of these accounts.
    const results = await new Vending({ ...common, records: unrecorded(), steps, emit: say }).vend(wanted);
    for (const { error } of results) if (error) throw error;
    return Object.fromEntries(results.map(({ account, accountId }) => [account, accountId])) as Record<Control, string>;
  };
  // Setting up needs the id of tooling, so both accounts are there first.
  const known = idsOf(await readAccountsFile(accountsFile));
  const ids = await vend([], known, (message) => (message.kind === 'done' || message.kind === 'unchanged' ? undefined : emit(message)));
  return vend(controlSteps(options, directory, partition, ids.tooling), ids, emit);
}

/**
 * Creates what is missing: organization, organizational units, control accounts, their bootstrap, and the stacks of the control accounts.
 * @returns the plan of it
 */
export async function initialize(options: InitOptions): Promise<InitializedPlan> {
  const { session, accountsFile, runId, emit, pace } = options;
  const { accountId: managementAccountId, partition } = await identify(session);
  const limiter = new Limiter(systemClock, pace);
  const directory = new Directory(organizationsClient(session), limiter, systemClock);
  const organizationId = await ensureOrganization(directory, managementAccountId, emit);
  await updateAccountsFile(accountsFile, (file) => ({
    ...file,
    organization: organizationId,
    control: { ...file.control, management: managementAccountId },
  }));
  for (const unit of Object.values(ORGANIZATIONAL_UNITS)) await directory.unitId(unit, true);
  const ids = await controlAccounts(options, directory, limiter, partition);
  const initialized = await options.replan();
  const stacks = [CONTROL_STACKS.vending, ...toolingStacks(initialized).map(({ stackName }) => stackName)];
  await withAssembly(initialized, stacks, async ({ directory: assembly }) => {
    await deployControlStack(assembly, CONTROL_STACKS.vending, { session, runId, emit });
    const tooling = assume(session, partition, ids.tooling, ORGANIZATION_ROLE);
    await deployToolingStacks(assembly, initialized, { session: tooling, runId, emit });
  });
  return initialized;
}
