/** AWS Organizations as the factory needs it: look first, create once, wait, move. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AWSOrganizationsNotInUseException,
  CreateAccountCommand,
  type CreateAccountStatus,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  DescribeCreateAccountStatusCommand,
  DescribeOrganizationCommand,
  ListParentsCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
  paginateListAccounts,
  paginateListCreateAccountStatus,
  paginateListOrganizationalUnitsForParent,
} from '@aws-sdk/client-organizations';
import { FactoryError } from '../../registry/index.ts';
import type { Session } from '../aws/session.ts';
import type { AccountPlan } from '../plan/plan.ts';

/** An account as Organizations lists it. */
export interface ListedAccount {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: string;
}

/** How long to wait between two looks at an account that is being created, in milliseconds: quickly first, then patiently. */
const POLL_DELAYS = [250, 500, 1_000, 2_000, 5_000, 10_000] as const;
/** Organizations creates an account in minutes; after this many looks (half an hour) something is wrong. */
const MAX_POLLS = 180;

/** What to do about each reason that Organizations gives for a failed creation. Source: CreateAccountStatus, AWS Organizations API Reference. */
const FAILURE_ADVICE: Readonly<Record<string, string>> = {
  ACCOUNT_LIMIT_EXCEEDED: 'ask for a higher quota "Default maximum number of accounts" in Service Quotas, then run the command again',
  EMAIL_ALREADY_EXISTS:
    'the address belongs to an account outside this organization: change emailPattern, or give the cell an email of its own',
  INVALID_EMAIL: 'correct emailPattern, or the email of the cell',
  CONCURRENT_ACCOUNT_MODIFICATION: 'run the command again',
  INTERNAL_FAILURE: 'run the command again in a few minutes',
};

/** Creates, finds and places accounts. One instance per run: it remembers the organizational units it has looked up. */
export class Directory {
  private readonly client: OrganizationsClient;
  private readonly units = new Map<string, Promise<string>>();

  constructor(session: Session) {
    this.client = new OrganizationsClient({ ...session, maxAttempts: 8 });
  }

  /** The organization, or undefined when the account is in none. */
  async organization(): Promise<{ id: string; managementAccountId: string; allFeatures: boolean } | undefined> {
    try {
      const { Organization } = await this.client.send(new DescribeOrganizationCommand({}));
      const { Id: id, MasterAccountId: managementAccountId, FeatureSet } = Organization ?? {};
      if (id === undefined || managementAccountId === undefined) return undefined;
      return { id, managementAccountId, allFeatures: FeatureSet === 'ALL' };
    } catch (error) {
      if (error instanceof AWSOrganizationsNotInUseException) return undefined;
      throw error;
    }
  }

  async createOrganization(): Promise<void> {
    await this.client.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  }

  /** All accounts of the organization. */
  async accounts(): Promise<ListedAccount[]> {
    const accounts: ListedAccount[] = [];
    for await (const page of paginateListAccounts({ client: this.client }, {})) {
      for (const { Id: id = '', Email: email = '', Name: name = '', Status: status = '' } of page.Accounts ?? []) {
        accounts.push({ id, email, name, status });
      }
    }
    return accounts;
  }

  /**
   * The id of the account with `account.email`: one that exists, one that is being created, or a new one.
   * @returns how it came about, too
   * @throws FactoryError `ACCOUNT_CREATION_FAILED`, `ORGANIZATION_CONFLICT`
   */
  async ensureAccount(
    account: AccountPlan,
    existing: readonly ListedAccount[],
  ): Promise<{ id: string; how: 'found' | 'awaited' | 'created' }> {
    const found = existing.find(({ email }) => email.toLowerCase() === account.email.toLowerCase());
    if (found) return { id: this.usable(found), how: 'found' };
    const underWay = await this.creationUnderWay(account.name);
    if (underWay !== undefined) return { id: await this.awaitCreation(account, underWay), how: 'awaited' };
    const { CreateAccountStatus: status } = await this.client.send(
      new CreateAccountCommand({
        AccountName: account.name,
        Email: account.email,
        IamUserAccessToBilling: 'DENY',
        Tags: Object.entries(account.tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    return { id: await this.awaitCreation(account, status?.Id ?? ''), how: 'created' };
  }

  /** Puts the account into its organizational unit, which must exist or may be created. Returns true when it moved. */
  async place(accountId: string, unit: readonly string[], mayCreate: boolean): Promise<boolean> {
    const target = await this.unitId(unit, mayCreate);
    const { Parents } = await this.client.send(new ListParentsCommand({ ChildId: accountId }));
    const source = Parents?.[0]?.Id;
    if (source === undefined) throw new FactoryError('ORGANIZATION_CONFLICT', `account ${accountId} is nowhere in the organization`);
    if (source === target) return false;
    await this.client.send(new MoveAccountCommand({ AccountId: accountId, SourceParentId: source, DestinationParentId: target }));
    return true;
  }

  /** The id of the organizational unit at `path` from the root down. @throws FactoryError `NOT_INITIALIZED` when it is missing and may not be created */
  unitId(path: readonly string[], mayCreate: boolean): Promise<string> {
    const key = path.join('/');
    const known = this.units.get(key) ?? this.lookUpUnit(path, mayCreate);
    this.units.set(key, known);
    return known;
  }

  private async lookUpUnit(path: readonly string[], mayCreate: boolean): Promise<string> {
    const name = path.at(-1);
    if (name === undefined) {
      const { Roots } = await this.client.send(new ListRootsCommand({}));
      return Roots?.[0]?.Id ?? '';
    }
    const parent = await this.unitId(path.slice(0, -1), mayCreate);
    for await (const page of paginateListOrganizationalUnitsForParent({ client: this.client }, { ParentId: parent })) {
      const unit = page.OrganizationalUnits?.find((each) => each.Name === name);
      if (unit?.Id !== undefined) return unit.Id;
    }
    if (!mayCreate) {
      throw new FactoryError('NOT_INITIALIZED', `there is no organizational unit ${path.join('/')}`, {
        fix: 'run `cellctl init` with management credentials',
      });
    }
    const { OrganizationalUnit } = await this.client.send(new CreateOrganizationalUnitCommand({ ParentId: parent, Name: name }));
    return OrganizationalUnit?.Id ?? '';
  }

  /** Request id of a creation that somebody started and that has not ended; its account is not listed yet. */
  private async creationUnderWay(accountName: string): Promise<string | undefined> {
    for await (const page of paginateListCreateAccountStatus({ client: this.client }, { States: ['IN_PROGRESS'] })) {
      const status = page.CreateAccountStatuses?.find((each) => each.AccountName === accountName);
      if (status?.Id !== undefined) return status.Id;
    }
    return undefined;
  }

  private async awaitCreation(account: AccountPlan, requestId: string): Promise<string> {
    for (let poll = 0; poll < MAX_POLLS; poll++) {
      const { CreateAccountStatus: status } = await this.client.send(
        new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: requestId }),
      );
      if (status?.State === 'SUCCEEDED' && status.AccountId !== undefined) return status.AccountId;
      if (status?.State === 'FAILED') return this.afterFailure(account, status);
      await sleep(POLL_DELAYS[Math.min(poll, POLL_DELAYS.length - 1)]);
    }
    throw new FactoryError('ACCOUNT_CREATION_FAILED', `${account.name}: still being created after half an hour (request ${requestId})`, {
      fix: 'run the command again: it looks for this creation before it starts another',
    });
  }

  /** An address that is taken may be ours: somebody created the account between our look and our call. */
  private async afterFailure(account: AccountPlan, status: CreateAccountStatus): Promise<string> {
    const reason: string = status.FailureReason ?? 'unknown';
    if (reason === 'EMAIL_ALREADY_EXISTS') {
      const ours = (await this.accounts()).find(({ email }) => email.toLowerCase() === account.email.toLowerCase());
      if (ours) return this.usable(ours);
    }
    throw new FactoryError('ACCOUNT_CREATION_FAILED', `${account.name} (${account.email}): ${reason}`, {
      fix: FAILURE_ADVICE[reason] ?? 'see CreateAccountStatus in the API reference of AWS Organizations',
    });
  }

  private usable(account: ListedAccount): string {
    if (account.status === 'ACTIVE') return account.id;
    throw new FactoryError('ORGANIZATION_CONFLICT', `account ${account.id} (${account.email}) is ${account.status}`, {
      fix: 'reopen it with AWS Support, or give the cell another email',
    });
  }
}
