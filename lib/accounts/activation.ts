/** A new account answers before it can do anything: waits until its services take calls. */
import { FactoryError, isNamed, messageOf } from '../registry/index.ts';
import type { Clock } from './clock.ts';

/** How long a new account may take to come alive, in milliseconds. Hours happen; then it is run again. */
const PATIENCE = 30 * 60_000;
/** An account that is older than that gets one minute: its role may have been made just now, but it is awake. */
const LEAST_PATIENCE = 60_000;
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 60_000;

const ASLEEP = [
  ...['SubscriptionRequiredException', 'OptInRequired', 'OptInRequiredException', 'PendingVerification', 'InvalidClientTokenId'],
  // Of STS and S3, in a region that was enabled just now (AssumeRole, AWS STS API Reference; "Error responses", Amazon S3 API
  // Reference, read 2026-12-01).
  ...['RegionDisabledException', 'InvalidToken'],
];

/** Refusals that a new account gives while it comes alive, and any account gives for good. AssumeRole is among them. */
const MAYBE_ASLEEP = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'UnrecognizedClientException', 'AuthFailure'];

/** True for an error that a new account gives while it comes alive, or one that has it for its cause, as the CDK's have. */
const isAsleep = (error: unknown): boolean =>
  isNamed(error, ...ASLEEP, ...MAYBE_ASLEEP) ||
  /not (yet )?subscribed|being verified|not signed up/i.test(messageOf(error)) ||
  (error instanceof Error && error.cause !== undefined && isAsleep(error.cause));

/**
 * Does `work` as soon as the account lets it.
 * @param bornAt when the account was created, in milliseconds since 1970
 * @throws FactoryError `ACCOUNT_CREATION_FAILED` when it still refuses after half an hour of life
 */
export async function whenAwake<T>(clock: Clock, accountId: string, bornAt: number, work: () => Promise<T>): Promise<T> {
  const deadline = Math.max(bornAt + PATIENCE, clock.now() + LEAST_PATIENCE);
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isAsleep(error)) throw error;
      if (clock.now() + pause > deadline) {
        throw new FactoryError('ACCOUNT_CREATION_FAILED', `account ${accountId} still refuses: ${messageOf(error)}`, {
          fix: 'a new account: run the command again later. An adopted one: it needs the role OrganizationAccountAccessRole that trusts management',
          cause: error,
        });
      }
      await clock.sleep(pause);
    }
  }
}
