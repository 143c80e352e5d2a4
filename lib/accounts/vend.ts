/** `cellctl accounts`: one account per cell. Creation is one at a time (the quota is a handful per minute), setting up is side by side. */
import pLimit from 'p-limit';
import { FactoryError, updateAccountsFile } from '../../registry/index.ts';
import { asCloudError } from '../aws/cloud-error.ts';
import { ORGANIZATION_ROLE, VENDING_ROLE } from '../aws/roles.ts';
import { assume, inRegion, requireCaller, type Session } from '../aws/session.ts';
import type { Emit } from '../messages.ts';
import type { CellPlan, InitializedPlan } from '../plan/plan.ts';
import { Directory } from './directory.ts';
import { setUpAccount } from './setup.ts';

/** Accounts that are set up at once. */
const CONCURRENCY = 4;

export interface VendOptions {
  readonly plan: InitializedPlan;
  readonly cells: readonly CellPlan[];
  /** Credentials of the tooling account. */
  readonly session: Session;
  readonly accountsFile: string;
  readonly emit: Emit;
}

/** What became of one cell's account. */
export interface VendResult {
  readonly cell: string;
  readonly accountId: string | undefined;
  readonly state: 'created' | 'found' | 'unchanged' | 'failed';
  readonly error?: FactoryError;
}

/** Creates and sets up what is missing. One cell's failure doesn't stop the others. Run again, it carries on. */
export async function vendAccounts({ plan, cells, session, accountsFile, emit }: VendOptions): Promise<VendResult[]> {
  const { partition } = await requireCaller(session, plan.tooling.accountId, 'tooling');
  const vending = assume(session, partition, plan.managementAccountId, VENDING_ROLE);
  const directory = new Directory(vending);
  const existing = await directory.accounts();
  const limit = pLimit(CONCURRENCY);
  const work: Promise<VendResult>[] = [];
  for (const cell of cells) {
    const { account } = cell;
    emit({ kind: 'started', subject: account.name, text: account.email });
    try {
      const { id, how } = await directory.ensureAccount(account, existing);
      if (account.accountId !== undefined && account.accountId !== id) {
        throw new FactoryError('ORGANIZATION_CONFLICT', `${account.email} is account ${id}; the lock file says ${account.accountId}`, {
          fix: `correct the line of ${cell.name} in ${accountsFile}`,
        });
      }
      // At once, not when the account is ready: from here on a second run must find it.
      if (account.accountId === undefined)
        await updateAccountsFile(accountsFile, (file) => ({ ...file, cells: { ...file.cells, [cell.name]: id } }));
      if (how !== 'found') emit({ kind: 'progress', subject: account.name, text: `account ${id} ${how}` });
      work.push(
        limit(async (): Promise<VendResult> => {
          const administrator = inRegion(assume(vending, partition, id, ORGANIZATION_ROLE), cell.region);
          const options = {
            session: administrator,
            partition,
            directory,
            mayCreateUnits: false,
            toolingAccountId: plan.tooling.accountId,
            emit,
          };
          const changed = await setUpAccount(account, id, options);
          const state = how === 'found' ? (changed || account.accountId === undefined ? 'found' : 'unchanged') : 'created';
          emit({ kind: state === 'unchanged' ? 'unchanged' : 'done', subject: account.name, text: `account ${id}` });
          return { cell: cell.name, accountId: id, state };
        }).catch((error: unknown) => failed(cell, id, error, emit)),
      );
    } catch (error) {
      work.push(Promise.resolve(failed(cell, account.accountId, error, emit)));
    }
  }
  return Promise.all(work);
}

function failed(cell: CellPlan, accountId: string | undefined, error: unknown, emit: Emit): VendResult {
  const failure = asCloudError(error);
  emit({ kind: 'failed', subject: cell.account.name, text: failure.message });
  return { cell: cell.name, accountId, state: 'failed', error: failure };
}
