/**
 * Runs the whole life of a small organization on AWS, once, and takes it down again: `make aws-check`. Says first what it will
 * do and cost; goes on where it stopped; cleans up with `--clean`, and by itself when it is through or beyond its budget.
 * On the local cloud it is a rehearsal. Never run by tests or CI.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { CloudWatchClient, DeleteAlarmsCommand, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloseAccountCommand, DescribeOrganizationCommand, OrganizationsClient, paginateListAccounts } from '@aws-sdk/client-organizations';
import { ORGANIZATION_ROLE } from '../../lib/aws/roles.ts';
import { assume, defaultSession, identify, type Session } from '../../lib/aws/session.ts';
import { environment, inheritedEnvironment, silenceNodeWarning } from '../../lib/environment.ts';
import { accountEmail, cellAccountName, FactoryError, isNamed, messageOf, readAccountsFile } from '../../lib/registry/index.ts';
import {
  type Account,
  type Command,
  costs,
  counted,
  END,
  filesOf,
  planOf,
  rateAfter,
  rateDuring,
  STEPS,
  type Step,
  type Subject,
} from './check-plan.ts';

const HELP = `Runs the whole life of a small organization on AWS, and takes it down again.

  make aws-check ARGS='--domain example.com --email aws+{account}@example.com'

  --domain <name>     a domain of yours; cells.<name> must be delegated once it says the name servers
  --email <pattern>   e-mails of the accounts that it makes, with {account} in it; none may be in use
  --region <name>     home region, and that of all cells (default: AWS_REGION)
  --budget <dollars>  it refuses to begin what costs more, and cleans up before the next command when cells
                      have stood for that much (default: 25); the time between two runs counts, too
  --plan              say what it would do and cost, and end
  --clean             take down what is there, and close its accounts
  --yes               don't ask
  --folder <path>     where it keeps what it has done (default: .aws-check)

Credentials: those of the management account of an organization that may get five more accounts. Stopped
anywhere, run again, it goes on.`;

interface State {
  /** Names of steps that are done. */
  readonly done: readonly string[];
  readonly account: Account;
}

const say = (text = '') => process.stdout.write(`${text}\n`);
const money = (dollars: number) => `$${dollars.toFixed(2)}`;

/** What somebody typed. @throws FactoryError `USAGE` */
function wordsOf(words: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      ...{ domain: { type: 'string' }, email: { type: 'string' }, region: { type: 'string' } },
      ...{ budget: { type: 'string', default: '25' }, folder: { type: 'string', default: '.aws-check' } },
      ...{ plan: flag, clean: flag, yes: flag, help: flag },
    },
  });
  const budget = Number(values.budget);
  const region = values.region ?? environment.region ?? '';
  const wrong = [
    ...(values.domain ? [] : ['--domain is missing']),
    ...(values.email?.includes('{account}') ? [] : [`--email is ${values.email ?? 'missing'}, and needs {account}`]),
    ...(region ? [] : ['--region is missing, and so is AWS_REGION']),
    ...(budget > 0 ? [] : [`--budget is "${values.budget}", and must be dollars`]),
  ];
  if (!values.help && wrong.length > 0) throw new FactoryError('USAGE', wrong.join('; '), { fix: 'make aws-check ARGS=--help' });
  return { ...values, region, domain: values.domain ?? '', email: values.email ?? '', budget };
}

type Words = ReturnType<typeof wordsOf>;

/** The check has found something, or could not do what it is for. */
class CheckFailed extends Error {
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
    this.name = 'AWS_CHECK_FAILED';
  }
}

class Check {
  private readonly folder: string;
  private state: State = { done: [], account: { spent: 0, at: new Date().toISOString(), rate: 0 } };
  private readonly rehearsal = !environment.reachesAws;

  constructor(private readonly words: Words) {
    this.folder = resolve(words.folder);
  }

  private subject(retiring: boolean): Subject {
    const { domain, email, region } = this.words;
    return { domain, emailPattern: email, region, retiring, timeScale: this.rehearsal ? 0.001 : 1 };
  }

  async run(): Promise<number> {
    const plan = planOf(this.subject(false), new Date());
    const dollars = costs(plan);
    const total = dollars.reduce((sum, each) => sum + each, 0);
    say(this.rehearsal ? 'The local cloud: a rehearsal, which costs nothing.' : 'AWS: this makes accounts, and costs money.');
    say(`\n  ${'STEP'.padEnd(26)} MINUTES   COST   SHOWS`);
    for (const [index, { name, minutes, shows }] of STEPS.entries())
      say(`  ${name.padEnd(26)} ${String(minutes).padStart(7)} ${money(dollars[index] ?? 0).padStart(6)}   ${shows}`);
    say(`  ${'close the accounts'.padEnd(26)} ${'5'.padStart(7)} ${money(0).padStart(6)}   what AWS lets be closed at once`);
    say(`\nabout ${money(total)} for cells at list prices, and cents for the rest; the budget is ${money(this.words.budget)}`);
    if (total > this.words.budget) {
      throw new FactoryError('REFUSED', `it would cost about ${money(total)}, and the budget is ${money(this.words.budget)}`, {
        fix: `pass --budget ${Math.ceil(total * 1.5)}`,
      });
    }
    if (this.words.plan) return 0;
    const session = defaultSession(this.words.region);
    await this.requireManagement(session);
    await this.load();
    if (!this.words.clean && this.state.done.length === 0) await this.requireFree(session, plan);
    if (!(await this.agreed())) return 1;
    const all = STEPS.map((_, index) => index);
    for (const index of this.words.clean ? [END] : all) {
      if (this.words.clean || !this.state.done.includes(STEPS[index]?.name ?? '')) await this.step(session, index);
      if (index < END && (await this.isOverspent())) {
        say(`\n${money(this.state.account.spent)} are spent, and the budget is ${money(this.words.budget)}: cleaning up`);
        await this.step(session, END);
        break;
      }
    }
    await this.closeAccounts(session);
    return 0;
  }

  /** @throws FactoryError `WRONG_ACCOUNT` */
  private async requireManagement(session: Session): Promise<void> {
    const { accountId } = await identify(session);
    try {
      const { Organization } = await new OrganizationsClient(session).send(new DescribeOrganizationCommand({}));
      const manager = Organization?.MasterAccountId;
      if (manager === accountId) return;
      throw new FactoryError('WRONG_ACCOUNT', `these are credentials of ${accountId}; the organization is managed by ${manager}`, {
        fix: 'switch to credentials of the management account',
      });
    } catch (error) {
      // `cellctl init` makes it.
      if (!isNamed(error, 'AWSOrganizationsNotInUseException')) throw error;
    }
  }

  /** Its accounts are closed in the end: it must not take up any that is there already. @throws FactoryError `REFUSED` */
  private async requireFree(session: Session, plan: ReturnType<typeof planOf>): Promise<void> {
    const mine = new Set(this.accountNames(plan).map((name) => accountEmail(this.words.email, name).toLowerCase()));
    const taken: string[] = [];
    try {
      for await (const { Accounts = [] } of paginateListAccounts({ client: new OrganizationsClient(session) }, {}))
        taken.push(...Accounts.flatMap(({ Email = '' }) => (mine.has(Email.toLowerCase()) ? [Email] : [])));
    } catch (error) {
      if (!isNamed(error, 'AWSOrganizationsNotInUseException')) throw error;
    }
    if (taken.length === 0) return;
    throw new FactoryError('REFUSED', `accounts with these e-mails are there already, and would be closed: ${taken.join(', ')}`, {
      fix: 'pass another --email, such as aws+check-2-{account}@example.com',
    });
  }

  private accountNames = (plan: ReturnType<typeof planOf>) => [
    ...['tooling', 'monitoring'],
    ...plan.cells.map(({ name }) => cellAccountName(name)),
  ];

  private async agreed(): Promise<boolean> {
    if (this.words.yes) return true;
    const ask = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await ask.question(`\nType ${this.words.domain} to ${this.words.clean ? 'take it down' : 'begin'}: `);
    ask.close();
    return answer.trim() === this.words.domain;
  }

  private async load(): Promise<void> {
    try {
      this.state = { ...this.state, ...(JSON.parse(await readFile(join(this.folder, 'state.json'), 'utf8')) as Partial<State>) };
    } catch (error) {
      if (!isNamed(error, 'ENOENT')) throw error;
    }
  }

  private async save(change: Partial<State>): Promise<void> {
    this.state = { ...this.state, ...change };
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, 'state.json'), `${JSON.stringify(this.state)}\n`);
  }

  /** Counts up to now. @param rate dollars an hour from now on */
  private async count(rate?: number): Promise<void> {
    await this.save({ account: counted(this.state.account, new Date(), this.rehearsal ? 0 : rate) });
  }

  private async isOverspent(): Promise<boolean> {
    await this.count();
    return this.state.account.spent > this.words.budget;
  }

  /** Runs a step; of one that money runs out for, as much as there was money for. */
  private async step(session: Session, index: number): Promise<void> {
    const step = STEPS[index];
    if (!step) return;
    const now = new Date();
    for (const [name, text] of Object.entries(filesOf(this.subject(index >= END), now))) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await writeFile(join(this.folder, name), text);
    }
    const plan = planOf(this.subject(false), now);
    const rate = rateDuring(plan, index);
    say(`\n${index + 1}. ${step.name}: ${step.shows}`);
    await this.count(rate);
    try {
      for (const command of await this.possible(step)) {
        if (index < END && (await this.isOverspent())) return;
        await this.command(session, command);
      }
    } catch (error) {
      say(`\nThis step is not done. While it stands, cells cost about ${money(rate)} an hour.`);
      say("Run it again to go on; to take everything down: make aws-check ARGS='… --clean'");
      throw error;
    }
    await this.count(rateAfter(plan, index));
    await this.save({ done: [...new Set([...this.state.done, step.name])] });
  }

  /** Commands of a step; of the last one, those about what there is: a check may have stopped before there was an account. */
  private async possible(step: Step): Promise<readonly Command[]> {
    if (step !== STEPS[END]) return step.commands;
    const { control, cells } = await readAccountsFile(join(this.folder, 'accounts.json'));
    if (control.tooling === undefined || Object.keys(cells).length === 0) return [];
    return step.commands.filter(({ words: [what, cell = ''] }) => what !== 'destroy' || cells[cell] !== undefined);
  }

  /** Runs a command with fresh keys. One that keys have run out for is run once more: all of them carry on. */
  private async command(session: Session, command: Command): Promise<void> {
    const { words, program, exit = 0 } = command;
    if (program === 'delete-alarm' || program === 'require-alarm') return this.alarm(session, program, words);
    for (let attempt = 1; ; attempt++) {
      const began = Date.now();
      say(`$ ${[program ?? 'cellctl', ...words].join(' ')}`);
      const code = await this.spawn(program ?? join('bin', 'cellctl'), words, await this.variables(session, command.as));
      if (code === exit) return;
      const expired = Date.now() - began > 55 * 60_000;
      if (expired && attempt < 4) continue;
      throw new CheckFailed(
        `${words.join(' ')} ended with ${code}, and was to end with ${exit}`,
        'mend what it says, and run the check again: it goes on with this step',
      );
    }
  }

  /** Deletes an alarm of a cell behind the back of its stack, or requires that it is back. */
  private async alarm(session: Session, what: 'delete-alarm' | 'require-alarm', [cell = '', name = '']: readonly string[]): Promise<void> {
    const { cells } = await readAccountsFile(join(this.folder, 'accounts.json'));
    const { partition } = await identify(session);
    const client = new CloudWatchClient(assume(session, partition, cells[cell] ?? '', ORGANIZATION_ROLE));
    say(`$ ${what} ${name}`);
    if (what === 'delete-alarm') {
      await client.send(new DeleteAlarmsCommand({ AlarmNames: [name] }));
      return;
    }
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
    if (MetricAlarms.length === 0)
      throw new CheckFailed(`${name} was not made anew`, 'see the change set of the last deployment in CloudFormation');
  }

  private spawn(program: string, words: readonly string[], variables: Record<string, string | undefined>): Promise<number> {
    return new Promise((done, failed) => {
      const child = spawn(program, words, { env: variables, stdio: ['ignore', 'inherit', 'inherit'] });
      child.once('error', failed);
      child.once('close', (code) => done(code ?? -1));
    });
  }

  /** The variables of a command: keys of who does it, for an hour, and where definitions and lock file are. */
  private async variables(session: Session, as: Command['as']): Promise<Record<string, string | undefined>> {
    const accounts = join(this.folder, 'accounts.json');
    const { control } = await readAccountsFile(accounts);
    const { partition } = await identify(session);
    if (as === 'tooling' && control.tooling === undefined) throw new FactoryError('NOT_INITIALIZED', 'there is no tooling account yet');
    const who = as === 'tooling' ? assume(session, partition, control.tooling ?? '', ORGANIZATION_ROLE) : session;
    const { accessKeyId, secretAccessKey, sessionToken } = await who.credentials();
    return {
      ...inheritedEnvironment(/^(AWS_PROFILE|AWS_DEFAULT_PROFILE)$/),
      ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken },
      ...{ AWS_REGION: this.words.region, CELL_FACTORY_ORGANIZATION: this.folder, CELL_FACTORY_ACCOUNTS: accounts },
      // On the local cloud nobody pulls an image.
      ...(this.rehearsal ? { CELL_FACTORY_ALLOW_UNBUILT: '1' } : {}),
    };
  }

  /** Closes the accounts that it has made. AWS closes a few at once; what is left is said. */
  private async closeAccounts(session: Session): Promise<void> {
    const { control, cells } = await readAccountsFile(join(this.folder, 'accounts.json'));
    const client = new OrganizationsClient(session);
    const left: string[] = [];
    say('\nClosing the accounts');
    const made = Object.entries({ ...cells, tooling: control.tooling, monitoring: control.monitoring });
    for (const [name, AccountId] of made) {
      if (AccountId === undefined) continue;
      try {
        await client.send(new CloseAccountCommand({ AccountId }));
        say(`  ${name}, ${AccountId}: closed; AWS ends what is in it`);
      } catch (error) {
        if (isNamed(error, 'AccountAlreadyClosedException')) continue;
        left.push(`  ${name}, ${AccountId}: ${messageOf(error)}`);
      }
    }
    if (left.length > 0) {
      throw new CheckFailed(
        `not closed:\n${left.join('\n')}`,
        'AWS closes few accounts at once: run it again with --clean in some hours, or close them in AWS Organizations',
      );
    }
    await rm(this.folder, { recursive: true });
    say(
      '\nDone. What stays: closed accounts for 90 days, organizational units, stack `Vending` in management, keys until they are deleted.',
    );
  }
}

async function main(): Promise<number> {
  silenceNodeWarning();
  const words = wordsOf(process.argv.slice(2));
  if (words.help) {
    say(HELP);
    return 0;
  }
  return new Check(words).run();
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof FactoryError || error instanceof CheckFailed;
    process.stderr.write(
      `${error instanceof FactoryError ? error.code : error instanceof CheckFailed ? error.name : 'INTERNAL'}: ${messageOf(error)}\n`,
    );
    if (known && error.fix !== undefined) process.stderr.write(`  fix: ${error.fix}\n`);
    process.exitCode = 1;
  },
);
