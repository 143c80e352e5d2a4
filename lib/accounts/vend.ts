/**
 * Vending: one account for each that is wanted. Creation goes by the limits of Organizations, setting up begins as soon as
 * an id is known and never holds creation up. One account's failure stops no other. Run again, it carries on anywhere.
 */
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import { ACCOUNT_TAG } from '../plan/plan.ts';
import { FactoryError } from '../registry/index.ts';
import { Creations } from './creation.ts';
import type { Directory } from './directory.ts';
import { creationTimes, durations, inWords } from './forecast.ts';
import { Journey, type JourneyOptions } from './journey.ts';
import { assign, type LockFile, takenBy } from './lock-file.ts';
import { claim, type FreeAccount, freeAccounts } from './pool-claim.ts';
import type { Limiter } from './rates.ts';
import type { SetUpStep } from './setup.ts';
import { type AccountDecision, decide, isPoolName, type Survey, survey, type WantedAccount } from './survey.ts';

export interface VendingOptions extends JourneyOptions {
  readonly directory: Directory;
  readonly limiter: Limiter;
  readonly lockFile: LockFile;
  /** Told of a cell right before its account is noted as its own. @default - nobody is told */
  readonly begin?: (cell: string) => Promise<void>;
  /** What every account gets once it exists, in order. */
  readonly steps: readonly SetUpStep[];
}

/** What became of one account. `waiting`: AWS creates no more accounts now. */
export interface VendResult {
  readonly account: string;
  readonly cell: string | undefined;
  readonly accountId: string | undefined;
  readonly state: 'created' | 'claimed' | 'found' | 'unchanged' | 'waiting' | 'failed';
  readonly warnings: readonly string[];
  readonly error?: FactoryError;
}

/** Where an account came from. */
interface Origin {
  readonly id: string;
  readonly how: 'created' | 'claimed' | 'found';
  /** When it was created, in milliseconds since 1970. */
  readonly bornAt: number;
}

interface Job {
  readonly journey: Journey;
  readonly decision: AccountDecision | FactoryError;
}

/** Records that are written at once before creation begins. */
const CONCURRENCY = 30;

export class Vending {
  constructor(private readonly options: VendingOptions) {}

  /** Looks at what there is. */
  look(wanted: readonly WantedAccount[]): Promise<Survey> {
    const { directory, records, lockFile, emit } = this.options;
    return survey(directory, records, lockFile, wanted, emit);
  }

  /** Makes what is missing, and sets up what isn't set up. @param seen what {@link look} saw */
  async vend(wanted: readonly WantedAccount[], seen?: Survey): Promise<VendResult[]> {
    const { directory, limiter, clock } = this.options;
    const there = seen ?? (await this.look(wanted));
    const creations = new Creations(directory, limiter, clock);
    creations.begin(there.creations);
    try {
      const jobs = await this.prepare(wanted, there);
      return await Promise.all(jobs.map((job) => this.finish(job, there, creations)));
    } finally {
      creations.close();
    }
  }

  /** Decides for each account, takes what the pool has, and writes down who waits: all before the first creation. */
  private async prepare(wanted: readonly WantedAccount[], seen: Survey): Promise<Job[]> {
    const jobs: Job[] = [];
    const free = freeAccounts(seen);
    for (const each of wanted) {
      const journey = new Journey(this.options, each, seen.records.get(each.account.name));
      jobs.push({ journey, decision: await this.decideFor(each, seen, free) });
    }
    const queue = jobs.filter(({ decision }) => !(decision instanceof FactoryError) && decision.kind === 'missing');
    const limit = pLimit(CONCURRENCY);
    await Promise.all(queue.map(({ journey }) => limit(() => journey.enter('waiting'))));
    this.sayWhen(queue, seen);
    return jobs;
  }

  private async decideFor(wanted: WantedAccount, seen: Survey, free: FreeAccount[]): Promise<AccountDecision | FactoryError> {
    try {
      const decision = decide(wanted, seen);
      if (decision.kind !== 'missing' || wanted.cell === undefined || !wanted.mayClaim) return decision;
      const claimed = await claim(wanted.cell, free, this.options);
      return claimed ? { kind: 'found', id: claimed.id, pool: claimed.name } : decision;
    } catch (error) {
      return asCloudError(error);
    }
  }

  private sayWhen(queue: readonly Job[], seen: Survey): void {
    const { limiter } = this.options;
    const { creation, setUp } = durations([...seen.records.values()], limiter.pace);
    const busy = seen.creations.filter(({ state }) => state === 'IN_PROGRESS').map(() => creation / 2);
    const times = creationTimes(queue.length, (n) => limiter.create.waitFor(n), busy, creation);
    queue.forEach(({ journey }, index) => {
      journey.say('progress', `waiting: ready in about ${inWords((times[index] ?? 0) + setUp)}`);
    });
  }

  private async finish({ journey, decision }: Job, seen: Survey, creations: Creations): Promise<VendResult> {
    const { account, cell, accountId } = journey.wanted;
    const base = { account: account.name, cell };
    let known = accountId;
    try {
      if (decision instanceof FactoryError) throw decision;
      const origin = await this.obtain(journey, decision, seen, creations);
      known = origin.id;
      const before = decision.kind === 'found' ? (seen.locked.get(cell ?? '') ?? accountId) : undefined;
      await this.askEarly(journey, origin);
      const { changed, warnings } = await this.options.limiter.setUps(() => this.setUp(journey, origin));
      const settled = origin.how === 'found' && !changed && before === origin.id;
      const state = settled ? 'unchanged' : origin.how;
      for (const warning of warnings) journey.say('warning', warning);
      journey.say(settled ? 'unchanged' : 'done', `account ${origin.id}`);
      return { ...base, accountId: origin.id, state, warnings };
    } catch (error) {
      const failure = asCloudError(error);
      const state = failure === creations.end && known === undefined ? 'waiting' : 'failed';
      await journey.stop(state, failure);
      return { ...base, accountId: known, state, warnings: [], error: failure };
    }
  }

  /** The account's id, which is in the lock file before anything is done with it: a second run must find it. */
  private async obtain(journey: Journey, decision: AccountDecision, seen: Survey, creations: Creations): Promise<Origin> {
    const { account, cell } = journey.wanted;
    if (decision.kind !== 'found') {
      const origin = await this.make(journey, decision, creations);
      if (cell !== undefined) await this.own(cell, origin.id);
      await journey.enter('created', { accountId: origin.id });
      journey.say('progress', `account ${origin.id} ${origin.how}`);
      return origin;
    }
    const { id, pool } = decision;
    const bornAt = seen.byId.get(id)?.joinedAt ?? this.options.clock.now();
    const inLockFile = cell === undefined || seen.locked.get(cell) === id;
    if (inLockFile) return { id, how: 'found', bornAt };
    // A claim is in the records; the tag says the same where they are lost. Only then does the cell own the account.
    if (pool !== undefined) await this.options.directory.tag(id, account.tags);
    await this.own(cell, id);
    await journey.enter('created', { accountId: id });
    journey.say('progress', pool === undefined ? `account ${id} found` : `account ${id} taken from the pool (${pool})`);
    return { id, how: pool === undefined ? 'found' : 'claimed', bornAt };
  }

  /** The cell's life begins before its line is written: a run that dies in between does both again, and one after it neither. */
  private async own(cell: string, id: string): Promise<void> {
    await this.options.begin?.(cell);
    await assign(this.options.lockFile, cell, id);
  }

  /** Follows a creation that leads to the account, or creates it. */
  private async make(journey: Journey, decision: Exclude<AccountDecision, { kind: 'found' }>, creations: Creations): Promise<Origin> {
    const { account } = journey.wanted;
    const { clock } = this.options;
    for (const creation of decision.kind === 'follow' ? decision.creations : []) {
      await journey.enter('creating', { requestId: creation.id });
      journey.say('started', `being created since ${new Date(creation.requestedAt).toISOString()}`);
      const id = await creations.follow(creation, account.email);
      if (id !== undefined) return { id, how: 'created', bornAt: clock.now() };
    }
    const { id, adopted } = await creations.create(account, {
      requesting: async () => {
        await journey.enter('creating', { requestId: undefined, attempts: (journey.record?.attempts ?? 0) + 1 });
        journey.say('started', account.email);
      },
      requested: (requestId) => journey.enter('creating', { requestId }),
    });
    if (adopted) await this.refuseOthers(id, journey.wanted);
    return { id, how: adopted ? 'found' : 'created', bornAt: clock.now() };
  }

  /** An account that turned up under the right e-mail may have come out of the pool for another cell. */
  private async refuseOthers(id: string, { account, cell }: WantedAccount): Promise<void> {
    const owner = (await this.options.directory.tags(id))[ACCOUNT_TAG] ?? '';
    if (cell !== undefined && owner !== account.name && (owner.startsWith('cell-') || isPoolName(owner))) throw takenBy(id, owner, cell);
  }

  /** Asks for what takes AWS long, whoever else's turn it is. Whatever goes wrong, the step itself says. */
  private async askEarly(journey: Journey, { id, bornAt }: Origin): Promise<void> {
    if (wasReady(journey, id)) return;
    const { account } = journey.wanted;
    for (const step of this.options.steps) await step.ask?.({ account, accountId: id, bornAt }).catch(() => undefined);
  }

  /** Takes every step. An account that was ready before is looked at without a word in its record, unless something changes. */
  private async setUp(journey: Journey, { id, bornAt }: Origin): Promise<{ changed: boolean; warnings: readonly string[] }> {
    const { account } = journey.wanted;
    const quiet = wasReady(journey, id);
    let changed = false;
    let awakeFrom = bornAt;
    const warnings: string[] = [];
    for (const step of this.options.steps) {
      if (!quiet) {
        await journey.enter(step.name, { accountId: id });
        journey.say('progress', step.name);
      }
      const result = await step.run({ account, accountId: id, bornAt: awakeFrom });
      // A region that was enabled just now comes alive as a new account does.
      if (step.name === 'region' && result.changed) awakeFrom = this.options.clock.now();
      changed ||= result.changed;
      warnings.push(...result.warnings);
    }
    if (!quiet || changed || warnings.join() !== journey.record?.warnings.join()) {
      await journey.enter('ready', { accountId: id, warnings });
    }
    return { changed, warnings };
  }
}

/** Whether an account was set up whole by a run before this one. */
const wasReady = ({ record }: Journey, id: string): boolean => record?.step === 'ready' && record.accountId === id;
