/** A rendered workflow as GitHub would read it, and a runner of its shell. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import YAML from 'yaml';
import { type Ended, run } from '../../lib/program.ts';
import { usesOf } from '../../pipelines/github/actions.ts';
import type { Workflow } from '../../pipelines/github/workflow.ts';

interface WorkflowStep {
  readonly id?: string;
  readonly name: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface WorkflowJob {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly 'timeout-minutes': number;
  readonly defaults: { readonly run: { readonly shell: string; readonly 'working-directory'?: string } };
  readonly env?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly WorkflowStep[];
}

interface ParsedWorkflow {
  readonly name: string;
  readonly on: {
    readonly push: { readonly branches: readonly string[]; readonly paths?: readonly string[] };
    readonly workflow_dispatch: object;
  };
  readonly permissions: object;
  readonly concurrency: object;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

export const parsed = ({ text }: Workflow): ParsedWorkflow => YAML.parse(text) as ParsedWorkflow;

/** The step of the graph that a job is of: jobs of one wave are `<wave>`, `<wave>_2`, … */
const stepOf = (job: string): string => job.replace(/_\d+$/, '');

/** Whether a job runs only where others have failed: it is no step of the graph. */
const isFarewell = ({ if: condition = '' }: WorkflowJob): boolean => condition.startsWith('(failure() ');

/** Everything that comes before a job. */
function ancestors({ jobs }: ParsedWorkflow, job: string): ReadonlySet<string> {
  const needs = jobs[job]?.needs ?? [];
  return new Set([...needs, ...needs.flatMap((need) => [...ancestors({ jobs } as ParsedWorkflow, need)])]);
}

/**
 * What the jobs need, in terms of the graph: the jobs of a wave are one step, what is needed for its outputs only (it comes
 * before anyway) is left out, and the commit, which is no job, comes before whatever needs nothing.
 */
export function renderedNeeds(workflow: Workflow): ReadonlyMap<string, readonly string[]> {
  const document = parsed(workflow);
  const needs = new Map<string, string[]>([['source', []]]);
  for (const [id, job] of Object.entries(document.jobs)) {
    if (isFarewell(job)) continue;
    // The second job of a wave goes on with the first.
    if (needs.has(stepOf(id))) continue;
    const direct = (job.needs ?? []).filter((need) => !(job.needs ?? []).some((other) => ancestors(document, other).has(need)));
    needs.set(stepOf(id), direct.length === 0 ? ['source'] : direct.map(stepOf));
  }
  return needs;
}

/** Steps that wait for somebody, as environments do. */
export const renderedGates = (workflow: Workflow): readonly string[] =>
  Object.entries(parsed(workflow).jobs).flatMap(([id, { environment }]) => (environment === undefined ? [] : [stepOf(id)]));

export interface RunOptions {
  /** What is checked out; a copy for each job. */
  readonly repository: string;
  /** Programs that go before those of this machine: npm, gh, docker, … */
  readonly programs: string;
  /** Variables besides those that GitHub sets, such as the local cloud's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keys of the role that a job becomes, as variables. @default - jobs have what is in `environment` */
  readonly become?: (roleArn: string) => Promise<Record<string, string>>;
  /** The variable CELL_FACTORY_PACKAGE of the repository. @default - a package of a scope */
  readonly factory?: string;
  /** Milliseconds that a step may take. @default a minute */
  readonly timeout?: number;
}

interface RanStep extends Ended {
  readonly job: string;
  readonly step: string;
}

export interface RanWorkflow {
  /** Where all of it was done. */
  readonly folder: string;
  /** What was run, in its order. */
  readonly steps: readonly RanStep[];
  /** Jobs that a job before them has failed. */
  readonly skipped: readonly string[];
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** By job. */
  readonly summaries: ReadonlyMap<string, string>;
}

/** `NAME=value` lines, as GitHub reads them from the files that it hands to a step. */
const assignments = (file: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

/**
 * Runs the shell of all jobs, one after the other, each in folders of its own, with the variables and files that GitHub
 * gives. Of actions, those that hand files on do so, the checkout copies `repository`, and others do nothing.
 */
export async function runSteps(workflow: Workflow, options: RunOptions): Promise<RanWorkflow> {
  const document = parsed(workflow);
  const root = mkdtempSync(join(tmpdir(), 'cell-factory-workflow-'));
  const steps: RanStep[] = [];
  const skipped: string[] = [];
  const failed = new Set<string>();
  const outputs = new Map<string, Readonly<Record<string, string>>>();
  const summaries = new Map<string, string>();
  for (const [id, job] of Object.entries(document.jobs)) {
    const needsFailed = (job.needs ?? []).some((need) => failed.has(need));
    // Of its condition, the second half is that there is something to say farewell to.
    if (isFarewell(job) && !(needsFailed && outputs.get('start')?.['ROLLOUT'])) continue;
    if (needsFailed && !isFarewell(job)) {
      failed.add(id);
      skipped.push(id);
      continue;
    }
    const runner = new Runner(join(root, id), join(root, 'artifacts'), document, job, outputs, options);
    for (const step of job.steps) {
      if (failed.has(id) && step.if !== 'always()') continue;
      const ended = await runner.step(step);
      if (!ended) continue;
      steps.push({ job: id, step: step.name, ...ended });
      if (ended.code !== 0) failed.add(id);
    }
    outputs.set(id, runner.outputs());
    summaries.set(id, runner.summary());
  }
  return { folder: root, steps, skipped, outputs, summaries };
}

/** Where a job runs. */
class Runner {
  private readonly workspace: string;
  private readonly temp: string;
  private readonly left = new Map<string, Readonly<Record<string, string>>>();
  private variables: Record<string, string> = {};
  private keys: Record<string, string> = {};

  constructor(
    private readonly folder: string,
    private readonly artifacts: string,
    private readonly document: ParsedWorkflow,
    private readonly job: WorkflowJob,
    private readonly needs: ReadonlyMap<string, Readonly<Record<string, string>>>,
    private readonly options: RunOptions,
  ) {
    this.workspace = join(folder, 'workspace');
    this.temp = join(folder, 'temp');
    for (const each of [this.workspace, this.temp]) mkdirSync(each, { recursive: true });
    for (const each of ['env', 'summary']) writeFileSync(join(folder, each), '');
  }

  /** Undefined for an action. */
  async step(step: WorkflowStep): Promise<Ended | undefined> {
    if (step.uses !== undefined) return this.action(step.uses, step.with ?? {});
    const script = join(this.folder, 'script.sh');
    const output = join(this.folder, 'output');
    writeFileSync(script, step.run ?? '');
    writeFileSync(output, '');
    const { shell, 'working-directory': within = '.' } = this.job.defaults.run;
    const [program = '', ...words] = shell.replace('{0}', script).split(' ');
    const ended = await run(program, words, {
      folder: join(this.workspace, within),
      // Nothing of whoever runs the tests, but where programs are.
      without: /^(?!PATH$|HOME$|LANG$)/,
      environment: {
        ...this.options.environment,
        ...this.keys,
        PATH: `${this.options.programs}${delimiter}${process.env['PATH']}`,
        ...{ GITHUB_ENV: join(this.folder, 'env'), GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: join(this.folder, 'summary') },
        ...{ RUNNER_TEMP: this.temp, GITHUB_REPOSITORY: 'acme/orders-api' },
        ...this.evaluated(this.document.env),
        ...this.evaluated(this.job.env),
        ...this.variables,
        ...this.evaluated(step.env),
      },
      timeout: this.options.timeout ?? 60_000,
    });
    this.variables = assignments(join(this.folder, 'env'));
    if (step.id !== undefined) this.left.set(step.id, assignments(output));
    return ended;
  }

  outputs(): Record<string, string> {
    return this.evaluated(this.job.outputs);
  }

  summary(): string {
    return readFileSync(join(this.folder, 'summary'), 'utf8');
  }

  private async action(uses: string, { name, path, 'role-to-assume': role }: Readonly<Record<string, unknown>>): Promise<undefined> {
    if (uses === usesOf('credentials')) this.keys = (await this.options.become?.(String(role))) ?? {};
    const artifact = join(this.artifacts, String(name));
    const here = this.value(String(path));
    if (uses === usesOf('checkout')) cpSync(this.options.repository, this.workspace, { recursive: true });
    if (uses === usesOf('upload')) cpSync(here, artifact, { recursive: true });
    if (uses === usesOf('download') && existsSync(artifact)) cpSync(artifact, here, { recursive: true });
  }

  private evaluated(values: Readonly<Record<string, string>> = {}): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.value(value)]));
  }

  /** With the values of its expressions, of which there are few kinds. */
  private value(text: string): string {
    return text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
      const [context, name = '', , variable = ''] = expression.split('.');
      if (context === 'needs') {
        // As GitHub does: of others than those that are needed by name, nothing is known.
        return this.job.needs?.includes(name) === true ? (this.needs.get(name)?.[variable] ?? '') : '';
      }
      if (context === 'steps') return this.left.get(name)?.[variable] ?? '';
      const known: Readonly<Record<string, string>> = {
        'runner.temp': this.temp,
        'github.token': 'a-token',
        'github.run_id': '1',
        'github.run_attempt': '1',
        'vars.CELL_FACTORY_PACKAGE': this.options.factory ?? 'npm:@acme/cell-factory@0.1.0',
      };
      const found = known[expression];
      if (found === undefined) throw new Error(`the test knows no ${expression}`);
      return found;
    });
  }
}

/** A repository with a component in `path`, as one commit with `message`, on a branch of that name. */
export function repositoryOf(files: Readonly<Record<string, string>>, message: string, branch = 'main'): string {
  const folder = mkdtempSync(join(tmpdir(), 'cell-factory-repository-'));
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...words]);
  git('init', '--quiet', `--initial-branch=${branch}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
  return folder;
}
