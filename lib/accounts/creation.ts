/** Exactly one account for an e-mail: follow a creation that is under way, or ask for one, once. */

import { isThrottled, isUnknownOutcome } from '../aws/transient.ts';
import type { AccountPlan } from '../plan/plan.ts';
import { FactoryError, isNamed } from '../registry/index.ts';
import type { Clock } from './clock.ts';
import type { Creation, Directory, ListedAccount } from './directory.ts';
import { verdictOf } from './failures.ts';
import type { Limiter } from './rates.ts';

/** Pause between two looks at one creation, in milliseconds; the polls' own limit comes on top. */
const POLL_PAUSE = 2_000;
/** Organizations creates an account in minutes; after this long, in milliseconds, a person should look. */
const PATIENCE = 60 * 60_000;
/** Creations that AWS may give up (INTERNAL_FAILURE and the like) before we do, and the pause before the next, in milliseconds. */
const TRIES = 5;
const RETRY_PAUSE = 30_000;
/** Requests that AWS may turn away as too many before something must be wrong. */
const THROTTLES = 100;
/** Before looking what became of a request without an answer: it may still be on its way. */
const SETTLE = 5_000;
/** How long to wait for an account with a taken address to be listed, in milliseconds: lists lag behind. */
const LAG = [0, 15_000, 60_000] as const;

/** Written down around the one call that can't be repeated. */
export interface CreationNotes {
  requesting(): Promise<void>;
  requested(requestId: string): Promise<void>;
}

export const sameEmail = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The id of an account that may be used. @throws FactoryError `ORGANIZATION_CONFLICT` for a suspended or closed one */
export function usable(account: ListedAccount): string {
  if (account.status === 'ACTIVE') return account.id;
  throw new FactoryError('ORGANIZATION_CONFLICT', `account ${account.id} (${account.email}) is ${account.status}`, {
    fix: 'reopen it with AWS Support, or give the cell another email',
  });
}

/** CreateAccount's refusals come as errors with a reason; to us they are creations that failed. */
function refusal(error: unknown, account: AccountPlan): Creation {
  const reason = isNamed(error, 'ConstraintViolationException') && 'Reason' in error ? String(error.Reason) : undefined;
  if (reason === undefined) throw error;
  return { id: '', name: account.name, state: 'FAILED', requestedAt: 0, accountId: undefined, reason };
}

export class Creations {
  private readonly followed = new Map<string, Promise<Creation>>();
  private ended: FactoryError | undefined;
  private closed = false;

  constructor(
    private readonly directory: Directory,
    private readonly limiter: Limiter,
    private readonly clock: Clock,
  ) {}

  /** Takes account of what is under way, whoever began it: it has used up tokens, and holds places in flight until it ends. */
  begin(creations: readonly Creation[]): void {
    this.limiter.create.charge(creations.map(({ requestedAt }) => requestedAt));
    for (const creation of creations) {
      if (creation.state !== 'IN_PROGRESS') continue;
      const following = this.limiter.inFlight(() => this.watch(creation));
      // Nobody may ever ask for it; who does gets the error.
      following.catch(() => undefined);
      this.followed.set(creation.id, following);
    }
  }

  /** Stops looking at creations that nobody asked for. */
  close(): void {
    this.closed = true;
  }

  /** The id of the account that a creation under way leads to, or undefined when it is not the one with that e-mail. */
  async follow(creation: Creation, email: string): Promise<string | undefined> {
    const { accountId } = await (this.followed.get(creation.id) ?? this.limiter.inFlight(() => this.watch(creation)));
    return (await this.isThe(accountId, email)) ? accountId : undefined;
  }

  /**
   * A new account.
   * @returns its id, and whether it is one that was there already under this e-mail
   * @throws FactoryError `ACCOUNT_CREATION_FAILED`, `ORGANIZATION_CONFLICT`
   */
  async create(account: AccountPlan, notes: CreationNotes): Promise<{ id: string; adopted: boolean }> {
    for (let attempt = 1; ; attempt++) {
      const { state, accountId, reason = 'unknown' } = await this.limiter.inFlight(() => this.request(account, notes));
      if (state === 'SUCCEEDED' && accountId !== undefined) return { id: accountId, adopted: false };
      const { action, advice, endsCreation } = verdictOf(reason);
      if (action === 'adopt') {
        // Somebody else may be creating it at this moment: then it is listed as a creation first.
        const id = (await this.findRequested(account))?.accountId ?? (await this.findListed(account.email));
        if (id !== undefined) return { id, adopted: true };
      }
      if (action !== 'retry' || attempt === TRIES) {
        const what = action === 'retry' ? `${reason}, ${TRIES} times` : reason;
        const failure = new FactoryError('ACCOUNT_CREATION_FAILED', `${account.name} (${account.email}): ${what}`, { fix: advice });
        if (endsCreation) this.ended ??= new FactoryError('ACCOUNT_CREATION_FAILED', `not begun: AWS said ${reason}`, { fix: advice });
        throw failure;
      }
      await this.clock.sleep(RETRY_PAUSE * attempt);
    }
  }

  /** Why no creation is begun any more, if so. */
  get end(): FactoryError | undefined {
    return this.ended;
  }

  /** One creation from its request to its end. Runs in a place in flight. */
  private async request(account: AccountPlan, notes: CreationNotes): Promise<Creation> {
    for (let throttles = 0; ; ) {
      if (this.ended) throw this.ended;
      await this.limiter.create.take();
      if (this.ended) throw this.ended;
      await notes.requesting();
      let creation: Creation | undefined;
      try {
        creation = await this.directory.requestAccount(account);
      } catch (error) {
        if (isThrottled(error) && ++throttles < THROTTLES) this.limiter.create.drained();
        else if (isNamed(error, 'ConcurrentModificationException', 'FinalizingOrganizationException') && ++throttles < THROTTLES) {
          await this.clock.sleep(RETRY_PAUSE);
        } else if (isUnknownOutcome(error) && ++throttles < THROTTLES) creation = await this.findRequested(account);
        else creation = refusal(error, account);
      }
      if (!creation) continue;
      if (creation.id !== '') await notes.requested(creation.id);
      return this.watch(creation);
    }
  }

  /** What became of a request whose answer was lost: an account with the e-mail, or a creation of that name. */
  private async findRequested(account: AccountPlan): Promise<Creation | undefined> {
    await this.clock.sleep(SETTLE);
    const creations = (await this.directory.creations()).filter(({ name, state }) => name === account.name && state !== 'FAILED');
    for (const creation of creations) {
      const ended = await this.watch(creation);
      if (await this.isThe(ended.accountId, account.email)) return ended;
    }
    const there = (await this.directory.accounts()).find(({ email }) => sameEmail(email, account.email));
    return there && { id: '', name: there.name, state: 'SUCCEEDED', requestedAt: 0, accountId: usable(there), reason: undefined };
  }

  private async findListed(email: string): Promise<string | undefined> {
    for (const lag of LAG) {
      await this.clock.sleep(lag);
      const there = (await this.directory.accounts()).find((each) => sameEmail(each.email, email));
      if (there) return usable(there);
    }
    return undefined;
  }

  /** True for an account that has this e-mail: creations are listed by name, and names are not unique. */
  private async isThe(accountId: string | undefined, email: string): Promise<boolean> {
    const account = accountId === undefined ? undefined : await this.directory.account(accountId);
    return account !== undefined && sameEmail(account.email, email);
  }

  private async watch(creation: Creation): Promise<Creation> {
    const deadline = this.clock.now() + PATIENCE;
    let now = creation;
    for (let look = 0; now.state === 'IN_PROGRESS' && !this.closed; look++) {
      if (this.clock.now() > deadline) {
        throw new FactoryError('ACCOUNT_CREATION_FAILED', `${now.name}: still being created after an hour (request ${now.id})`, {
          fix: 'ask AWS Support what holds it; run the command again: it looks for this creation before it starts another',
        });
      }
      if (look > 0) await this.clock.sleep(POLL_PAUSE);
      now = await this.directory.creation(now.id);
    }
    return now;
  }
}
