/** A world for vending: a cloud, a bucket and a lock file that outlive processes, and processes that may die at any call. */

import { type AccountRecord, accountRecordSchema, RECORDS_PREFIX } from '../../lib/accounts/account-record.ts';
import { Directory } from '../../lib/accounts/directory.ts';
import { type LockFile, lockFileAt } from '../../lib/accounts/lock-file.ts';
import { Limiter } from '../../lib/accounts/rates.ts';
import { placing, type SetUpStep, tagging } from '../../lib/accounts/setup.ts';
import type { WantedAccount } from '../../lib/accounts/survey.ts';
import { Vending } from '../../lib/accounts/vend.ts';
import type { Message } from '../../lib/messages.ts';
import { type CellPlan, createPlan, type Plan } from '../../lib/plan/plan.ts';
import { draft, type Objects, Records } from '../../lib/registry/index.ts';
import { VirtualClock } from './clock.ts';
import { MemoryObjects } from './objects.ts';
import { cell, settings } from './organization.ts';
import { type Behaviour, FakeOrganization } from './organizations.ts';

/** Where a process dies: at its `call`-th call to the outside, before or after the call takes effect. */
export interface Kill {
  readonly call: number;
  readonly when: 'before' | 'after';
}

const never = new Promise<never>(() => undefined);

/** One process: counts its calls to the outside, and may die at one of them. */
export class Process {
  calls = 0;
  dead = false;

  constructor(private readonly kill?: Kill) {}

  /** A call to the outside. A dead process makes none, and gets no answer any more. */
  readonly outside = async <T>(call: () => T | Promise<T>): Promise<T> => {
    if (this.dead) return never;
    this.calls += 1;
    const last = this.calls === this.kill?.call;
    if (last && this.kill?.when === 'before') {
      this.dead = true;
      return never;
    }
    if (last) this.dead = true;
    const result = await call();
    return last || this.dead ? never : result;
  };
}

/** The plan of an organization with these production cells. */
export function planOf(names: readonly string[], change: (name: string) => Parameters<typeof cell>[2] = () => ({})): Plan {
  const cells = Object.fromEntries(names.map((name, index) => [name, cell(name, index, change(name))]));
  // Not validated: a thousand cells without a staging cell break rules that are not of interest here.
  return createPlan(draft({ ...settings(), cells, components: {} }));
}

export class World {
  readonly clock = new VirtualClock();
  readonly organization: FakeOrganization;
  readonly objects = new MemoryObjects();
  lock: Readonly<Record<string, string>> = {};
  /** `<account>/<step>` of every step that was done inside an account. */
  readonly done = new Set<string>();
  /** Cells whose life has begun. */
  readonly begun = new Set<string>();
  readonly messages: Message[] = [];

  constructor(behaviour: Behaviour = {}) {
    this.organization = new FakeOrganization(this.clock, behaviour);
  }

  /** The engine of one process, new and knowing nothing. */
  engine(process = new Process(), extra: readonly SetUpStep[] = this.inside(process)) {
    const clock = this.clock.process(() => !process.dead);
    const limiter = new Limiter(clock);
    const directory = new Directory(this.organization.client(process.outside), limiter, clock);
    const records = this.records(process);
    const lockFile = this.lockFile(process);
    const steps = [placing(directory, false), tagging(directory), ...extra];
    const emit = (message: Message) => {
      this.messages.push(message);
    };
    const begin = (cell: string) => process.outside(() => void this.begun.add(cell));
    const vending = new Vending({ directory, limiter, clock, records, lockFile, begin, steps, run: 'test', emit });
    return { vending, directory, records, lockFile, clock, limiter, run: 'test', emit };
  }

  /** Vends, in a process of its own. Undefined when it died. */
  async vend(plan: Plan, kill?: Kill) {
    const process = new Process(kill);
    const { vending } = this.engine(process);
    const results = await this.clock.run(vending.vend(this.wanted(plan.cells)), () => process.dead);
    return { results: process.dead ? undefined : results, calls: process.calls };
  }

  wanted(cells: readonly CellPlan[]): WantedAccount[] {
    return cells.map(({ name, account }) => ({ account, cell: name, mayClaim: true, accountId: this.lock[name] }));
  }

  records(process = new Process()): Records<AccountRecord> {
    return new Records(guarded(this.objects, process), RECORDS_PREFIX, accountRecordSchema);
  }

  /** A lock file in memory; like the real one, it changes in one go. */
  lockFile({ outside }: Process): LockFile {
    return {
      ...lockFileAt('accounts.json'),
      read: () => outside(() => this.lock),
      update: (change) =>
        outside(() => {
          this.lock = change(this.lock);
        }),
    };
  }

  private inside({ outside }: Process): SetUpStep[] {
    return (['contacts', 'services', 'quotas', 'bootstrap'] as const).map((name) => ({
      name,
      run: ({ accountId }) =>
        outside(() => {
          const key = `${accountId}/${name}`;
          const changed = !this.done.has(key);
          this.done.add(key);
          return { changed, warnings: [] };
        }),
    }));
  }
}

const guarded = (objects: Objects, { outside }: Process): Objects => ({
  bucket: objects.bucket,
  get: (key) => outside(() => objects.get(key)),
  put: (key, text, condition) => outside(() => objects.put(key, text, condition)),
  list: (prefix) => outside(() => objects.list(prefix)),
  delete: (key) => outside(() => objects.delete(key)),
});

/** What is wrong with the world for these cells: anything but exactly one account each, in its place, set up. */
export async function faults(world: World, plan: Plan): Promise<string[]> {
  const found: string[] = [];
  const ids = Object.values(world.lock);
  if (new Set(ids).size !== ids.length) found.push(`an account is in the lock file twice: ${JSON.stringify(world.lock)}`);
  const records = await world.records().all();
  for (const { name, account } of plan.cells) {
    const id = world.lock[name];
    const there = world.organization.accounts.find((each) => each.id === id);
    const succeeded = world.organization.creations.filter(({ email, reason }) => email === account.email && reason === undefined);
    if (!world.begun.has(name)) found.push(`${name}: its life has not begun`);
    if (succeeded.length > 1) found.push(`${name}: created ${succeeded.length} times`);
    if (!there) found.push(`${name}: lock file says ${id}, which is nowhere`);
    else {
      if (there.tags.get('cell-factory:account') !== account.name) found.push(`${name}: tag ${there.tags.get('cell-factory:account')}`);
      if (there.parent !== 'ou-production') found.push(`${name}: in ${there.parent}`);
      if (!world.done.has(`${id}/bootstrap`)) found.push(`${name}: not bootstrapped`);
    }
    const record = records.get(account.name);
    if (record?.step !== 'ready' || record.accountId !== id) found.push(`${name}: record ${record?.step} ${record?.accountId}`);
  }
  return found;
}
