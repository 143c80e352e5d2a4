/** What every account of the factory gets once it exists, as steps that look first and do nothing when it is done. */
import { AccountClient } from '@aws-sdk/client-account';
import { IAMClient } from '@aws-sdk/client-iam';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { inRegion, type Session } from '../aws/session.ts';
import { findStack } from '../aws/stacks.ts';
import { bootstrap } from '../aws/toolkit.ts';
import type { AccountPlan } from '../plan/plan.ts';
import { type Contacts, OPT_IN_REGIONS } from '../registry/index.ts';
import type { AccountStep } from './account-record.ts';
import { whenAwake } from './activation.ts';
import type { Clock } from './clock.ts';
import { ensureContacts } from './contacts.ts';
import type { Directory } from './directory.ts';
import { requestQuotas } from './quota-requests.ts';
import { askForRegion, ensureRegion, type SharedRegions } from './regions.ts';
import { ensureServiceRoles } from './services.ts';

/** The account that a step works on. */
interface SetUpTarget {
  readonly account: AccountPlan;
  readonly accountId: string;
  /** When it was created, in milliseconds since 1970: new accounts are given time to come alive. */
  readonly bornAt: number;
}

export interface StepResult {
  readonly changed: boolean;
  /** What is not as it should be, and keeps nobody from going on. */
  readonly warnings: readonly string[];
}

export interface SetUpStep {
  readonly name: AccountStep;
  /**
   * Asks AWS for what {@link run} will wait for, before the account's turn has come, so that waits overlap. What fails here is
   * left to `run`, which asks again.
   * @default - nothing is asked for early
   */
  ask?(target: SetUpTarget): Promise<void>;
  run(target: SetUpTarget): Promise<StepResult>;
}

const result = (changed: boolean): StepResult => ({ changed, warnings: [] });

/** Whether missing organizational units may be created: in `init` only. */
export const placing = (directory: Directory, mayCreateUnits: boolean): SetUpStep => ({
  name: 'placing',
  run: async ({ account, accountId }) => result(await directory.place(accountId, account.unit, mayCreateUnits)),
});

/** Tags of the account: what is missing or differs is set, what else is there stays. */
export const tagging = (directory: Directory): SetUpStep => ({
  name: 'tagging',
  run: async ({ account, accountId }) => {
    const current = await directory.tags(accountId);
    const differing = Object.entries(account.tags).filter(([key, value]) => current[key] !== value);
    if (differing.length > 0) await directory.tag(accountId, Object.fromEntries(differing));
    return result(differing.length > 0);
  },
});

export interface AccountStepOptions {
  readonly clock: Clock;
  /** Administrator of an account, in a region. */
  readonly administrator: (accountId: string, region: string) => Session;
  /** Where the organization began: STS answers there for every account, because it is no opt-in region (HOME_REGION_OPT_IN). */
  readonly homeRegion: string;
  /** Told what is waited for, of an account by its name. */
  readonly waiting: (account: string, text: string) => void;
  /** Regions of tooling, without which nobody can deploy there. @default - none is waited for */
  readonly inTooling?: Pick<SharedRegions, 'ready'>;
  readonly partition: string;
  readonly contacts: Contacts;
  /** The account that may deploy into the others. */
  readonly toolingAccountId: string;
}

/**
 * The step that enables the account's region, in tooling as well. First of those inside the account, and from the home region:
 * in its own nothing answers before.
 * @param client of an account, by its id
 */
export const enabling = (
  client: (accountId: string) => AccountClient,
  { clock, waiting, inTooling }: Pick<AccountStepOptions, 'clock' | 'waiting' | 'inTooling'>,
): SetUpStep => {
  /** Accounts that were asked early: a region of theirs that is there when it is their turn is new all the same. */
  const asked = new Set<string>();
  return {
    name: 'region',
    ask: async ({ account: { region }, accountId, bornAt }) => {
      // Other regions need no account that is awake.
      if (!OPT_IN_REGIONS.has(region)) return;
      if (await whenAwake(clock, accountId, bornAt, () => askForRegion(client(accountId), region))) asked.add(accountId);
    },
    run: async ({ account: { name, region }, accountId, bornAt }) => {
      const tooling = (await inTooling?.ready(region)) ?? false;
      const own = await whenAwake(clock, accountId, bornAt, () =>
        ensureRegion(client(accountId), region, clock, (text) => waiting(name, text)),
      );
      return result(tooling || own || asked.has(accountId));
    },
  };
};

/** The steps that work inside the account. */
export function accountSteps(options: AccountStepOptions): SetUpStep[] {
  const { clock, administrator, homeRegion, partition, contacts, toolingAccountId } = options;
  const step = (name: AccountStep, run: (target: SetUpTarget, session: Session) => Promise<StepResult>): SetUpStep => ({
    name,
    run: (target) =>
      whenAwake(clock, target.accountId, target.bornAt, () => run(target, administrator(target.accountId, target.account.region))),
  });
  return [
    enabling((accountId) => new AccountClient(administrator(accountId, homeRegion)), options),
    step('contacts', async (_, session) => result(await ensureContacts(new AccountClient(session), contacts))),
    step('services', async ({ account }, session) => result(await ensureServiceRoles(new IAMClient(session), account.services))),
    step('quotas', async ({ account }, session) => {
      const clientIn = (region = session.region) => new ServiceQuotasClient(inRegion(session, region));
      return requestQuotas(clientIn, account.quotas, account.zones ? 'the cell' : account.name);
    }),
    step('bootstrap', async ({ account, accountId }, session) => {
      if (!account.bootstrapped || (await isBootstrapped(session))) return result(false);
      const trusted = accountId === toolingAccountId ? [] : [toolingAccountId];
      await bootstrap(session, accountId, trusted, [`arn:${partition}:iam::aws:policy/AdministratorAccess`]);
      return result(true);
    }),
  ];
}

async function isBootstrapped(session: Session): Promise<boolean> {
  const status = (await findStack(session, 'CDKToolkit'))?.StackStatus;
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE';
}
