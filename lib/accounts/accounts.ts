/** The accounts of one organization, as `cellctl` works with them: the engine with everything that it needs from AWS. */

import { AccountClient } from '@aws-sdk/client-account';
import type { Leases } from '../aws/lease.ts';
import { ORGANIZATION_ROLE, VENDING_ROLE } from '../aws/roles.ts';
import { s3Client } from '../aws/s3.ts';
import { S3Objects } from '../aws/s3-objects.ts';
import { assume, inRegion, type Session } from '../aws/session.ts';
import type { Emit } from '../messages.ts';
import { type CellPlan, type InitializedPlan, isVended } from '../plan/plan.ts';
import { cellAccountName, Records, RegistryStore } from '../registry/index.ts';
import { type AccountRecord, accountRecordSchema, knownRecords, RECORDS_PREFIX } from './account-record.ts';
import { systemClock } from './clock.ts';
import { Directory, organizationsClient } from './directory.ts';
import { whatIsLeft } from './emptiness.ts';
import { type ForecastRow, forecastAccounts } from './forecast.ts';
import { lockFileAt, zoneFileAt } from './lock-file.ts';
import { keepPool, type PoolRow, poolRows, returnAccount } from './pool.ts';
import { LIMITS, Limiter, TokenBucket } from './rates.ts';
import { SharedRegions, searchableRegions } from './regions.ts';
import { accountSteps, placing, tagging } from './setup.ts';
import { isPoolName } from './survey.ts';
import { Vending, type VendResult } from './vend.ts';
import { zoning } from './zones.ts';

/** The lease that one run at a time holds: two would each know half of what is in flight. */
const LEASE = 'accounts';

export interface AccountsOptions {
  readonly plan: InitializedPlan;
  /** Credentials of the tooling account, in the home region. */
  readonly session: Session;
  readonly partition: string;
  readonly leases: Leases;
  readonly accountsFile: string;
  /** Who works, and in which run. */
  readonly run: string;
  /** Factor on the rates of AWS Organizations; 1 is AWS. */
  readonly pace: number;
  readonly emit: Emit;
}

/** What became of one cell. `skipped`: a retiring cell gets no account any more. */
export type CellResult = Omit<VendResult, 'cell' | 'state'> & { readonly cell: string; readonly state: VendResult['state'] | 'skipped' };

export class Accounts {
  private readonly directory: Directory;
  private readonly vending: Vending;
  private readonly records: Records<AccountRecord>;
  private readonly store: RegistryStore;
  /** Tooling reads and deploys in the cells' regions, by roles that STS gives it there. */
  private readonly inTooling: SharedRegions;

  constructor(private readonly options: AccountsOptions) {
    const { plan, session, partition, accountsFile, run, pace, emit } = options;
    const limiter = new Limiter(systemClock, pace);
    this.directory = new Directory(organizationsClient(this.vendingSession), limiter, systemClock);
    const objects = new S3Objects(s3Client(session), plan.registryBucket);
    this.records = new Records(objects, RECORDS_PREFIX, accountRecordSchema);
    this.store = new RegistryStore(objects);
    this.inTooling = new SharedRegions(new AccountClient(session), systemClock, (text) =>
      emit({ kind: 'progress', subject: 'tooling', text }),
    );
    this.vending = new Vending({
      directory: this.directory,
      limiter,
      clock: systemClock,
      records: this.records,
      lockFile: lockFileAt(accountsFile),
      begin: (cell) => this.store.note(cell, 'vended'),
      run,
      emit,
      steps: [
        placing(this.directory, false),
        tagging(this.directory),
        ...accountSteps({
          clock: systemClock,
          administrator: (accountId, region) => this.administrator(accountId, region),
          homeRegion: plan.homeRegion,
          waiting: (subject, text) => emit({ kind: 'progress', subject, text }),
          inTooling: this.inTooling,
          partition,
          contacts: plan.contacts,
          toolingAccountId: plan.tooling.accountId,
        }),
        zoning(zoneFileAt(accountsFile), systemClock, (accountId, region) => this.administrator(accountId, region)),
      ],
    });
  }

  /** An account for each of these cells. @throws FactoryError `LOCKED` when somebody else is at it */
  async vend(cells: readonly CellPlan[]): Promise<CellResult[]> {
    const wanted = cells.filter((cell) => isVended(cell) || cell.intent !== 'retiring');
    const results = await this.alone(async () => {
      await this.inTooling.ask(new Set(wanted.map(({ region }) => region)));
      return this.vending.vend(wanted.map(({ name, account }) => ({ account, cell: name, mayClaim: true, accountId: account.accountId })));
    });
    const byCell = new Map(results.map((result) => [result.cell, result]));
    return cells.map(({ name, account }) => {
      const result = byCell.get(name);
      return result
        ? { ...result, cell: name }
        : { account: account.name, cell: name, accountId: undefined, state: 'skipped' as const, warnings: [] };
    });
  }

  /** Tops the pool up. @throws FactoryError `LOCKED` */
  keep(count: number): Promise<VendResult[]> {
    return this.alone(() => keepPool(this.vending, this.options.plan, count));
  }

  /** Gives a cell's account back to the pool. @throws FactoryError `REFUSED`, `LOCKED`, `CELL_WITHOUT_ACCOUNT` */
  giveBack(cell: CellPlan): Promise<{ account: string; accountId: string }> {
    const { plan, accountsFile, run, emit, leases } = this.options;
    // Where any cell is, a cell that had this account before may have been.
    const regions = [...new Set([plan.homeRegion, ...plan.cells.map(({ region }) => region)])];
    const work = () =>
      returnAccount(this.vending, cell, {
        plan,
        run,
        emit,
        directory: this.directory,
        records: this.records,
        lockFile: lockFileAt(accountsFile),
        clock: systemClock,
        ended: () => this.store.note(cell.name, 'destroyed'),
        whatIsLeft: (accountId) => this.leftIn(accountId, cell.region, regions),
      });
    // Nobody deploys into the account between the proof and the return.
    return this.alone(() => leases.hold(`${cell.name}/${cell.stackName}`, work));
  }

  /** What is left in the regions that the account has enabled. @throws FactoryError `REFUSED` where its own isn't */
  private async leftIn(accountId: string, own: string, regions: readonly string[]): Promise<string[]> {
    const client = new AccountClient(this.administrator(accountId, this.options.plan.homeRegion));
    return whatIsLeft((region) => this.administrator(accountId, region), await searchableRegions(client, own, regions));
  }

  async pool(): Promise<PoolRow[]> {
    return poolRows((await knownRecords(this.records, this.options.emit)).values());
  }

  /** Where each account is on its way: of these cells, and of the pool. Only looks. */
  async snapshot(cells: readonly CellPlan[]): Promise<ForecastRow[]> {
    const [records, heldBy] = await Promise.all([knownRecords(this.records, this.options.emit), this.options.leases.holderOf(LEASE)]);
    const now = systemClock.now();
    const bucket = new TokenBucket(LIMITS.create, systemClock, this.options.pace);
    const requests = [...records.values()].flatMap(({ history }) => history.filter(({ step }) => step === 'creating'));
    bucket.charge(requests.map(({ at }) => Date.parse(at)));
    const wanted = cells
      .filter((cell) => isVended(cell) || cell.intent !== 'retiring')
      .map((cell) => records.get(cellAccountName(cell.name)) ?? unheardOf(cell, now));
    const pool = [...records.values()].filter(({ name, claimedBy }) => isPoolName(name) && claimedBy === undefined);
    return forecastAccounts({ records: [...wanted, ...pool], now, waitFor: (n) => bucket.waitFor(n), heldBy, pace: this.options.pace });
  }

  private get vendingSession(): Session {
    const { session, partition, plan } = this.options;
    return assume(session, partition, plan.managementAccountId, VENDING_ROLE);
  }

  private administrator(accountId: string, region: string): Session {
    return inRegion(assume(this.vendingSession, this.options.partition, accountId, ORGANIZATION_ROLE), region);
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    return this.options.leases.hold(LEASE, work);
  }
}

/** A cell without a record: not begun yet, or its record is lost and its account is there. */
function unheardOf({ name, account }: CellPlan, now: number): AccountRecord {
  const vended = account.accountId !== undefined;
  return {
    name: account.name,
    email: account.email,
    cell: name,
    step: vended ? 'ready' : 'waiting',
    since: new Date(now).toISOString(),
    attempts: 0,
    warnings: vended ? ['no record of it; `cellctl accounts` looks at it again'] : [],
    run: '',
    history: [],
  };
}
