/** What `plan` compares the lock file with. */
import pLimit from 'p-limit';
import type { Session } from '../aws/session.ts';
import { ACCOUNT_TAG, type AccountPlan } from '../plan/plan.ts';
import type { ObservedAccount } from '../review/difference.ts';
import { systemClock } from './clock.ts';
import { sameEmail } from './creation.ts';
import { Directory, organizationsClient } from './directory.ts';
import { Limiter } from './rates.ts';

/** Tags that are read at once. */
const CONCURRENCY = 10;

/** The organization's accounts by id. Tags are read where the lock file names an account with another e-mail than planned. */
export async function observeAccounts(session: Session, planned: readonly AccountPlan[]): Promise<Map<string, ObservedAccount>> {
  const directory = new Directory(organizationsClient(session), new Limiter(systemClock), systemClock);
  const observed = new Map<string, ObservedAccount>(
    (await directory.accounts()).map(({ id, email, status }) => [id, { email, status }] as const),
  );
  const limit = pLimit(CONCURRENCY);
  await Promise.all(
    planned.map(({ accountId = '', email }) =>
      limit(async () => {
        const found = observed.get(accountId);
        if (!found || sameEmail(found.email, email)) return;
        observed.set(accountId, { ...found, owner: (await directory.tags(accountId))[ACCOUNT_TAG] ?? '' });
      }),
    ),
  );
  return observed;
}
