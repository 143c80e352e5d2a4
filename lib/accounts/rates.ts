/** How fast AWS Organizations may be asked: the quotas, in one table, and the buckets that keep to them. */
import pLimit, { type LimitFunction } from 'p-limit';
import type { Clock } from './clock.ts';

/** A rate as AWS grants it: a bucket of `burst` tokens that fills by `perSecond`. */
export interface Rate {
  /** The call it is about. */
  readonly call: string;
  readonly perSecond: number;
  readonly burst: number;
  readonly source: string;
}

const SOURCE = 'Quotas and service limits for AWS Organizations, AWS Organizations User Guide';

export const LIMITS = {
  create: { call: 'CreateAccount', perSecond: 0.1, burst: 3, source: SOURCE },
  // Where no burst is documented, none is taken.
  poll: { call: 'DescribeCreateAccountStatus', perSecond: 2, burst: 1, source: SOURCE },
  move: { call: 'MoveAccount', perSecond: 2, burst: 1, source: SOURCE },
} as const satisfies Record<string, Rate>;

/** Account creations that may be under way in an organization, whoever began them. Source: the same page. */
export const CREATIONS_IN_FLIGHT = 5;

/** Accounts that are set up side by side: our own choice, a CDK bootstrap each is what the machine bears. */
const SET_UPS_AT_ONCE = 10;

/**
 * Tokens at a rate, first come first served. Kept as one moment, the theoretical arrival time of the generic cell rate
 * algorithm: the bucket is full when it lies in the past, and each token pushes it on by one interval.
 */
export class TokenBucket {
  private readonly interval: number;
  private readonly tolerance: number;
  private arrival = Number.NEGATIVE_INFINITY;

  /** @param pace factor on the rate, for clouds that have no such quota; 1 is AWS */
  constructor(
    rate: Pick<Rate, 'perSecond' | 'burst'>,
    private readonly clock: Clock,
    pace = 1,
  ) {
    this.interval = 1000 / (rate.perSecond * pace);
    this.tolerance = (rate.burst - 1) * this.interval;
  }

  /** Resolves when the caller has a token. */
  async take(): Promise<void> {
    const wait = this.waitFor(1);
    this.arrival = Math.max(this.arrival, this.clock.now()) + this.interval;
    if (wait > 0) await this.clock.sleep(wait);
  }

  /** Milliseconds until the `n`-th next token is there; those that were already promised come first. */
  waitFor(n: number): number {
    const now = this.clock.now();
    return Math.max(0, Math.max(this.arrival, now) + (n - 1) * this.interval - this.tolerance - now);
  }

  /** Counts takes of others, or of a run before this one. @param times milliseconds since 1970, in any order */
  charge(times: readonly number[]): void {
    const now = this.clock.now();
    for (const time of [...times].sort((a, b) => a - b)) this.arrival = Math.max(this.arrival, Math.min(time, now)) + this.interval;
  }

  /** AWS says that the bucket is empty, so others take from it as well: the next token is an interval away. */
  drained(): void {
    this.arrival = Math.max(this.arrival, this.clock.now() + this.tolerance + this.interval);
  }
}

/** The limits of one organization. All that asks it in one run shares one limiter. */
export class Limiter {
  readonly create: TokenBucket;
  readonly poll: TokenBucket;
  readonly move: TokenBucket;
  /** Runs what keeps a creation in flight, first come first served. */
  readonly inFlight: LimitFunction = pLimit(CREATIONS_IN_FLIGHT);
  readonly setUps: LimitFunction = pLimit(SET_UPS_AT_ONCE);

  constructor(
    clock: Clock,
    /** How many times faster than AWS the cloud may be asked; 1 is AWS. */
    readonly pace = 1,
  ) {
    this.create = new TokenBucket(LIMITS.create, clock, pace);
    this.poll = new TokenBucket(LIMITS.poll, clock, pace);
    this.move = new TokenBucket(LIMITS.move, clock, pace);
    // Nobody tells when a run before this one made its last call; a moment ago is the worst.
    this.poll.drained();
    this.move.drained();
  }
}
