/**
 * AWS Organizations in memory, as unpleasant as it really is: creations take their time and go on when the caller is gone,
 * lists lag and come in any order, calls are throttled, answers are lost. It counts what it was asked.
 */
import {
  type CreateAccountFailureReason,
  OrganizationsClient,
  type OrganizationsClientConfig,
  type OrganizationsServiceException,
} from '@aws-sdk/client-organizations';
import type { Clock } from '../../lib/accounts/clock.ts';
import { LIMITS, type Rate } from '../../lib/accounts/rates.ts';

/** What `send` is given, as far as the fake looks. */
interface Call {
  readonly constructor: { readonly name: string };
  readonly input: Record<string, unknown>;
}

interface FakeAccount {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  status: string;
  readonly createdAt: number;
  parent: string;
  readonly tags: Map<string, string>;
}

interface FakeCreation {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly requestedAt: number;
  readonly endsAt: number;
  readonly accountId: string;
  readonly tags: Map<string, string>;
  readonly reason: string | undefined;
}

export interface Behaviour {
  /** How long a creation takes, in milliseconds. @default a minute */
  readonly latency?: () => number;
  /** Why the n-th (from 1) creation of this account fails, if it does. */
  readonly failure?: (name: string, attempt: number) => CreateAccountFailureReason | undefined;
  /** The error that a call gets instead of an answer, and whether it takes effect all the same. */
  readonly trouble?: (operation: string, count: number) => { readonly error: string; readonly takesEffect: boolean } | undefined;
  /** How long an account is missing from ListAccounts, in milliseconds. @default 30 s */
  readonly lag?: number;
  /** Whether a second account with the same e-mail is refused. Without, only looking first keeps it from being made. */
  readonly uniqueEmails?: boolean;
  readonly accountLimit?: number;
}

/** A bucket on AWS's side: finds every call that comes too early. */
class Meter {
  readonly violations: string[] = [];
  private tokens: number;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly name: string,
    private readonly rate: Rate,
  ) {
    this.tokens = rate.burst;
  }

  count(now: number): void {
    const filled =
      this.last === Number.NEGATIVE_INFINITY ? this.rate.burst : this.tokens + ((now - this.last) / 1000) * this.rate.perSecond;
    this.tokens = Math.min(this.rate.burst, filled) - 1;
    this.last = now;
    if (this.tokens < -1e-6) this.violations.push(`${this.name} at ${new Date(now).toISOString()}: ${this.tokens.toFixed(3)} tokens`);
  }
}

const named = (name: string, extra: object = {}): OrganizationsServiceException =>
  Object.assign(new Error(name), { name, $metadata: {}, ...extra }) as unknown as OrganizationsServiceException;

/** The state that outlives processes, and the clients that processes use. */
export class FakeOrganization {
  readonly accounts: FakeAccount[] = [];
  readonly creations: FakeCreation[] = [];
  private readonly accountsById = new Map<string, FakeAccount>();
  private readonly creationsById = new Map<string, FakeCreation>();
  private readonly pending = new Set<FakeCreation>();
  readonly calls = new Map<string, number>();
  /** Moments of the first calls by operation, in milliseconds since 1970. */
  readonly moments = new Map<string, number[]>();
  mostInFlight = 0;
  private readonly units = new Map<string, { parent: string; name: string }>();
  private readonly meters = {
    CreateAccountCommand: new Meter('CreateAccount', LIMITS.create),
    DescribeCreateAccountStatusCommand: new Meter('DescribeCreateAccountStatus', LIMITS.poll),
    MoveAccountCommand: new Meter('MoveAccount', LIMITS.move),
  };
  private random = 1;
  private ids = 0;

  constructor(
    private readonly clock: Clock,
    readonly behaviour: Behaviour = {},
  ) {
    for (const [id, parent, name] of [
      ['ou-control', 'r-root', 'Control'],
      ['ou-cells', 'r-root', 'Cells'],
      ['ou-staging', 'ou-cells', 'Staging'],
      ['ou-production', 'ou-cells', 'Production'],
      ['ou-personal', 'ou-cells', 'Personal'],
      ['ou-pool', 'ou-cells', 'Pool'],
    ] as const) {
      this.units.set(id, { parent, name });
    }
  }

  /** What went over a limit. */
  get violations(): string[] {
    return Object.values(this.meters).flatMap((meter) => meter.violations);
  }

  /** Accounts that exist now, by e-mail. */
  byEmail(email: string): FakeAccount[] {
    this.settle();
    return this.accounts.filter((account) => account.email.toLowerCase() === email.toLowerCase());
  }

  /** An account that somebody else made. */
  add(name: string, email: string, change: Partial<FakeAccount> = {}): FakeAccount {
    const account: FakeAccount = {
      id: this.nextId(),
      name,
      email,
      status: 'ACTIVE',
      createdAt: this.clock.now() - 3_600_000,
      parent: 'r-root',
      tags: new Map(),
      ...change,
    };
    return this.keep(account);
  }

  /** A creation that somebody else began. */
  begin(name: string, email: string, latency: number): FakeCreation {
    return this.request(name, email, new Map(), latency);
  }

  /** @param through what stands between the caller and AWS: where a process may die */
  client(through: (call: () => unknown) => Promise<unknown> = async (call) => call()): OrganizationsClient {
    return new FakeOrganizations(this, through, { region: 'eu-west-1', credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' } });
  }

  /** Answers a call. */
  answer(command: Call): unknown {
    const operation = command.constructor.name;
    const count = (this.calls.get(operation) ?? 0) + 1;
    this.calls.set(operation, count);
    if (count <= 50) this.moments.set(operation, [...(this.moments.get(operation) ?? []), this.clock.now()]);
    if (operation in this.meters) this.meters[operation as keyof typeof this.meters].count(this.clock.now());
    const trouble = this.behaviour.trouble?.(operation.replace('Command', ''), count);
    if (trouble && !trouble.takesEffect) throw named(trouble.error);
    const answer = this.effect(operation, command.input);
    if (trouble) throw named(trouble.error);
    return answer;
  }

  private effect(operation: string, input: Record<string, unknown>): unknown {
    this.settle();
    const account = () => {
      const found = this.accountsById.get(String(input['AccountId'] ?? input['ResourceId'] ?? input['ChildId']));
      if (!found) throw named(operation === 'DescribeAccountCommand' ? 'AccountNotFoundException' : 'TargetNotFoundException');
      return found;
    };
    switch (operation) {
      case 'ListAccountsCommand': {
        const lag = this.behaviour.lag ?? 30_000;
        const seen = this.accounts.filter(({ createdAt }) => createdAt + lag <= this.clock.now());
        return this.page(this.shuffled(seen).map(shownAccount), input, 'Accounts');
      }
      case 'ListCreateAccountStatusCommand':
        return this.page(
          this.shuffled(this.creations).map((each) => this.shownCreation(each)),
          input,
          'CreateAccountStatuses',
        );
      case 'DescribeAccountCommand':
        return { Account: shownAccount(account()) };
      case 'DescribeCreateAccountStatusCommand': {
        const creation = this.creationsById.get(String(input['CreateAccountRequestId']));
        if (!creation) throw named('CreateAccountStatusNotFoundException');
        return { CreateAccountStatus: this.shownCreation(creation) };
      }
      case 'CreateAccountCommand': {
        const tags = new Map((input['Tags'] as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]));
        return { CreateAccountStatus: this.shownCreation(this.request(String(input['AccountName']), String(input['Email']), tags)) };
      }
      case 'ListParentsCommand':
        return { Parents: [{ Id: account().parent }] };
      case 'MoveAccountCommand': {
        if (account().parent !== input['SourceParentId']) throw named('SourceParentNotFoundException');
        account().parent = String(input['DestinationParentId']);
        return {};
      }
      case 'ListRootsCommand':
        return { Roots: [{ Id: 'r-root' }] };
      case 'ListOrganizationalUnitsForParentCommand':
        return {
          OrganizationalUnits: [...this.units]
            .filter(([, { parent }]) => parent === input['ParentId'])
            .map(([Id, { name: Name }]) => ({ Id, Name })),
        };
      case 'ListTagsForResourceCommand':
        return { Tags: [...account().tags].map(([Key, Value]) => ({ Key, Value })) };
      case 'TagResourceCommand':
        for (const { Key, Value } of input['Tags'] as { Key: string; Value: string }[]) account().tags.set(Key, Value);
        return {};
      case 'UntagResourceCommand':
        for (const key of input['TagKeys'] as string[]) account().tags.delete(key);
        return {};
      default:
        throw new Error(`the fake has no ${operation}`);
    }
  }

  private request(name: string, email: string, tags: Map<string, string>, latency = this.behaviour.latency?.() ?? 60_000): FakeCreation {
    const attempt = this.creations.filter((creation) => creation.email === email).length + 1;
    const now = this.clock.now();
    const taken = this.creations.some((each) => each.email === email && (each.reason === undefined || each.endsAt > now));
    const refused = this.behaviour.uniqueEmails === true && (taken || this.byEmail(email).length > 0);
    const coming = this.creations.filter((each) => each.reason === undefined && each.endsAt > now).length;
    const full = this.accounts.length + coming >= (this.behaviour.accountLimit ?? Number.POSITIVE_INFINITY);
    const reason = full ? 'ACCOUNT_LIMIT_EXCEEDED' : refused ? 'EMAIL_ALREADY_EXISTS' : this.behaviour.failure?.(name, attempt);
    const creation = { id: `car-${this.creations.length + 1}`, name, email, requestedAt: now, endsAt: now + latency, tags, reason };
    const whole: FakeCreation = { ...creation, accountId: this.nextId() };
    this.creations.push(whole);
    this.creationsById.set(whole.id, whole);
    this.pending.add(whole);
    this.settle();
    this.mostInFlight = Math.max(this.mostInFlight, this.pending.size);
    return whole;
  }

  private nextId(): string {
    return String(500_000_000_000 + this.ids++);
  }

  /** Accounts appear when their creation ends, whether anybody looks or not. */
  private settle(): void {
    const now = this.clock.now();
    for (const creation of this.pending) {
      if (creation.endsAt > now) continue;
      this.pending.delete(creation);
      const { accountId: id, name, email, endsAt, tags, reason } = creation;
      if (reason === undefined) {
        this.keep({ id, name, email, status: 'ACTIVE', createdAt: endsAt, parent: 'r-root', tags: new Map(tags) });
      }
    }
  }

  private keep(account: FakeAccount): FakeAccount {
    this.accounts.push(account);
    this.accountsById.set(account.id, account);
    return account;
  }

  private shownCreation({ id, name, requestedAt, endsAt, accountId, reason }: FakeCreation) {
    const over = endsAt <= this.clock.now();
    return {
      Id: id,
      AccountName: name,
      RequestedTimestamp: new Date(requestedAt),
      State: over ? (reason === undefined ? 'SUCCEEDED' : 'FAILED') : 'IN_PROGRESS',
      ...(over && reason === undefined ? { AccountId: accountId } : {}),
      ...(over && reason !== undefined ? { FailureReason: reason } : {}),
    };
  }

  /** Small pages, so that there are some. */
  private page(items: unknown[], input: Record<string, unknown>, key: string): unknown {
    const [listing = '', from = '0'] = String(input['NextToken'] ?? `${this.listings.length}/0`).split('/');
    // One order for all pages of a listing, as its first page decided.
    const order = this.listings[Number(listing)] ?? items;
    this.listings[Number(listing)] = order;
    const start = Number(from);
    const end = start + Math.max(2, Math.ceil(order.length / 4));
    return { [key]: order.slice(start, end), ...(end < order.length ? { NextToken: `${listing}/${end}` } : {}) };
  }
  private readonly listings: unknown[][] = [];

  private shuffled<T>(items: readonly T[]): T[] {
    return [...items]
      .map((item) => ({ item, at: this.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  /** The same "random" numbers in each run of a test. */
  private next(): number {
    this.random = (this.random * 48_271) % 2_147_483_647;
    return this.random;
  }
}

const shownAccount = ({ id, name, email, status, createdAt }: FakeAccount) => ({
  Id: id,
  Name: name,
  Email: email,
  State: status,
  JoinedTimestamp: new Date(createdAt),
});

class FakeOrganizations extends OrganizationsClient {
  constructor(
    private readonly organization: FakeOrganization,
    private readonly through: (call: () => unknown) => Promise<unknown>,
    configuration: OrganizationsClientConfig,
  ) {
    super(configuration);
  }

  override async send(command: unknown): Promise<never> {
    return (await this.through(() => this.organization.answer(command as Call))) as never;
  }
}
