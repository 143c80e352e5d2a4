/**
 * AWS Organizations as the factory needs it. The only file here that calls it; nothing is decided here but how a call that
 * may be repeated is repeated.
 */
import {
  type Account,
  AWSOrganizationsNotInUseException,
  CreateAccountCommand,
  type CreateAccountStatus,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  DescribeAccountCommand,
  DescribeCreateAccountStatusCommand,
  DescribeOrganizationCommand,
  ListAccountsCommand,
  ListCreateAccountStatusCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  MoveAccountCommand,
  OrganizationsClient,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-organizations';
import type { Session } from '../aws/session.ts';
import { isThrottled, isUnknownOutcome } from '../aws/transient.ts';
import type { AccountPlan } from '../plan/plan.ts';
import { FactoryError, isNamed } from '../registry/index.ts';
import type { Clock } from './clock.ts';
import type { Limiter } from './rates.ts';

/** An account as Organizations lists it. */
export interface ListedAccount {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: string;
  /** When it came into the organization, in milliseconds since 1970; undefined when AWS doesn't say. */
  readonly joinedAt: number | undefined;
}

/** An account that is being created, or was. It carries no e-mail: AWS lists creations by the account's name. */
export interface Creation {
  readonly id: string;
  readonly name: string;
  readonly state: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED';
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly accountId: string | undefined;
  readonly reason: string | undefined;
}

/** Tries of a call that may be repeated, and the longest pause between two, in milliseconds. */
const ATTEMPTS = 10;
const LONGEST_PAUSE = 20_000;

/**
 * Answers that mean "not now" for calls that look or can be made twice: somebody else is changing the same thing, or an
 * account that was just created isn't known everywhere yet.
 */
const NOT_NOW = ['ConcurrentModificationException', 'FinalizingOrganizationException', 'ChildNotFoundException', 'TargetNotFoundException'];

/** A client whose calls are made once: the directory repeats what may be repeated, by its own clock. */
export const organizationsClient = (session: Session) => new OrganizationsClient({ ...session, maxAttempts: 1 });

const listed = ({ Id: id = '', Email: email = '', Name: name = '', State, Status, JoinedTimestamp }: Account): ListedAccount => ({
  id,
  email,
  name,
  // AWS is replacing the one by the other.
  status: State ?? Status ?? 'unknown',
  joinedAt: JoinedTimestamp?.getTime(),
});

const creationOf = (status: CreateAccountStatus): Creation => ({
  id: status.Id ?? '',
  name: status.AccountName ?? '',
  state: status.State ?? 'IN_PROGRESS',
  requestedAt: status.RequestedTimestamp?.getTime() ?? 0,
  accountId: status.AccountId,
  reason: status.FailureReason,
});

/** What Organizations knows and does. One instance per run: it remembers the organizational units it has looked up. */
export class Directory {
  private readonly units = new Map<string, Promise<string>>();

  constructor(
    private readonly client: OrganizationsClient,
    private readonly limiter: Limiter,
    private readonly clock: Clock,
  ) {}

  /** The organization, or undefined when the account is in none. */
  async organization(): Promise<{ id: string; managementAccountId: string; allFeatures: boolean } | undefined> {
    try {
      const { Organization } = await this.repeat(() => this.client.send(new DescribeOrganizationCommand({})));
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

  /** All accounts of the organization, in no order; one that was created a moment ago may be missing. */
  async accounts(): Promise<ListedAccount[]> {
    const pages = this.pages((NextToken) => this.client.send(new ListAccountsCommand({ NextToken })));
    return (await pages).flatMap(({ Accounts = [] }) => Accounts.map(listed));
  }

  /** The account with this id, or undefined when it isn't in the organization. Knows new accounts before the list does. */
  async account(id: string): Promise<ListedAccount | undefined> {
    try {
      const { Account } = await this.repeat(() => this.client.send(new DescribeAccountCommand({ AccountId: id })));
      return Account && listed(Account);
    } catch (error) {
      if (isNamed(error, 'AccountNotFoundException')) return undefined;
      throw error;
    }
  }

  /** All creations that Organizations remembers, whoever began them, in no order. */
  async creations(): Promise<Creation[]> {
    const pages = this.pages((NextToken) => this.client.send(new ListCreateAccountStatusCommand({ NextToken })));
    return (await pages).flatMap(({ CreateAccountStatuses = [] }) => CreateAccountStatuses.map(creationOf));
  }

  /** How a creation is now. Waits for its turn: polls are limited. */
  async creation(requestId: string): Promise<Creation> {
    const { CreateAccountStatus: status } = await this.repeat(async () => {
      await this.limiter.poll.take();
      return this.client.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: requestId }));
    });
    return creationOf({ Id: requestId, ...status });
  }

  /** Asks once for an account. Never repeated in here: a second request after a lost answer would be a second account. */
  async requestAccount(account: AccountPlan): Promise<Creation> {
    const { CreateAccountStatus: status } = await this.client.send(
      new CreateAccountCommand({
        AccountName: account.name,
        Email: account.email,
        IamUserAccessToBilling: 'DENY',
        Tags: Object.entries(account.tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    return creationOf(status ?? {});
  }

  async tags(accountId: string): Promise<Record<string, string>> {
    const pages = await this.pages((NextToken) => this.client.send(new ListTagsForResourceCommand({ ResourceId: accountId, NextToken })));
    return Object.fromEntries(pages.flatMap(({ Tags = [] }) => Tags.map(({ Key = '', Value = '' }) => [Key, Value])));
  }

  async tag(accountId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.repeat(() => this.client.send(new TagResourceCommand({ ResourceId: accountId, Tags })));
  }

  async untag(accountId: string, keys: readonly string[]): Promise<void> {
    await this.repeat(() => this.client.send(new UntagResourceCommand({ ResourceId: accountId, TagKeys: [...keys] })));
  }

  /** Puts the account into its organizational unit, which must exist or may be created. Returns true when it moved. */
  async place(accountId: string, unit: readonly string[], mayCreate: boolean): Promise<boolean> {
    const target = await this.unitId(unit, mayCreate);
    let moved = false;
    // Looks again before each try: a move whose answer was lost has moved the account.
    await this.repeat(async () => {
      const { Parents } = await this.client.send(new ListParentsCommand({ ChildId: accountId }));
      const source = Parents?.[0]?.Id;
      if (source === undefined) throw new FactoryError('ORGANIZATION_CONFLICT', `account ${accountId} is nowhere in the organization`);
      if (source === target) return;
      moved = true;
      await this.limiter.move.take();
      await this.client.send(new MoveAccountCommand({ AccountId: accountId, SourceParentId: source, DestinationParentId: target }));
    });
    return moved;
  }

  /** The id of the organizational unit at `path` from the root down. @throws FactoryError `NOT_INITIALIZED` when it is missing and may not be created */
  unitId(path: readonly string[], mayCreate: boolean): Promise<string> {
    const key = path.join('/');
    const known = this.units.get(key) ?? this.lookUpUnit(path, mayCreate);
    this.units.set(key, known);
    // A failure is not remembered: the next who asks looks again.
    known.catch(() => this.units.delete(key));
    return known;
  }

  private async lookUpUnit(path: readonly string[], mayCreate: boolean): Promise<string> {
    const name = path.at(-1);
    if (name === undefined) {
      const { Roots } = await this.repeat(() => this.client.send(new ListRootsCommand({})));
      return Roots?.[0]?.Id ?? '';
    }
    const parent = await this.unitId(path.slice(0, -1), mayCreate);
    const pages = await this.pages((NextToken) =>
      this.client.send(new ListOrganizationalUnitsForParentCommand({ ParentId: parent, NextToken })),
    );
    const unit = pages.flatMap(({ OrganizationalUnits = [] }) => OrganizationalUnits).find((each) => each.Name === name);
    if (unit?.Id !== undefined) return unit.Id;
    if (!mayCreate) {
      throw new FactoryError('NOT_INITIALIZED', `there is no organizational unit ${path.join('/')}`, {
        fix: 'run `cellctl init` with management credentials',
      });
    }
    const { OrganizationalUnit } = await this.client.send(new CreateOrganizationalUnitCommand({ ParentId: parent, Name: name }));
    return OrganizationalUnit?.Id ?? '';
  }

  /** Every page of a listing. */
  private async pages<T extends { NextToken?: string | undefined }>(page: (token: string | undefined) => Promise<T>): Promise<T[]> {
    const pages: T[] = [];
    let token: string | undefined;
    do {
      const next = await this.repeat(() => page(token));
      pages.push(next);
      token = next.NextToken;
    } while (token !== undefined);
    return pages;
  }

  /** Makes a call until it is answered. For calls that look, or that may be made twice. */
  private async repeat<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        const worthAnother = isThrottled(error) || isUnknownOutcome(error) || isNamed(error, ...NOT_NOW);
        if (!worthAnother || attempt === ATTEMPTS) throw error;
        await this.clock.sleep(Math.min(LONGEST_PAUSE, 250 * 2 ** attempt));
      }
    }
  }
}
