/**
 * Goes through a component's pipeline on this machine, as its engine would: the same steps in the same order, and of each
 * the same shell. What engines bring besides, this brings, too: the commit, the variables, limits, somebody to ask.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emit } from '../lib/messages.ts';
import { run } from '../lib/program.ts';
import { FactoryError } from '../lib/registry/index.ts';
import { minutesOf, type PipelineVariable, type StepShell, shellOf, VERSION_LINES } from './commands.ts';
import { type Pipeline, type Step, stepsOf, wordsOf } from './graph.ts';

/** Of our own environment, what a build must not have: it is somebody else's code, and needs nothing of AWS. */
const CREDENTIALS = /^AWS_/;
/** Lines that are kept of what a step has said, for the error. */
const LAST_LINES = 20;

export type Variables = Readonly<Partial<Record<PipelineVariable, string>>>;

export interface RunOptions {
  /** The component's folder in a clone of its repository. */
  readonly folder: string;
  /** Variables that every step has: folder of the factory, organization, component. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asks somebody. @returns false when they don't agree */
  readonly agree: (step: Step) => Promise<boolean>;
  readonly emit: Emit;
  /** The step to begin with; see {@link startFrom}. @default - the first */
  readonly from?: string | undefined;
  /** Told what steps have left as soon as they have, before the next begin. */
  readonly left?: (variables: Variables) => Promise<void>;
  /** Ends the steps that are under way. */
  readonly signal?: AbortSignal;
}

/** Groups of steps that are gone through from a step on, and whether the version is that of an earlier run. */
interface Beginning {
  readonly groups: readonly (readonly Step[])[];
  readonly isLater: boolean;
}

/**
 * What is left of a pipeline from a step on. What was built is nowhere but in the clone that built it, so that everything up to
 * the publication begins with the build; `start` finds the rollout of the same version, and takes no time.
 * @throws FactoryError `USAGE` for a step that there is not, or that can't be the first
 */
export function startFrom(pipeline: Pipeline, from: string | undefined): Beginning {
  const groups = pipeline.stages.flatMap((stage) => stage.groups);
  if (from === undefined) return { groups, isLater: false };
  const steps = stepsOf(pipeline);
  const start = steps.findIndex(({ kind }) => kind === 'start');
  const wanted = steps.findIndex(({ name }) => name === from);
  const allowed = steps.filter(({ kind }, index) => kind === 'build' || index >= start).map(({ name }) => name);
  if (!allowed.includes(from)) {
    const why = wanted < 0 ? 'is no step of the pipeline' : 'needs what the build leaves, and no run keeps that';
    throw new FactoryError('USAGE', `--from ${from} ${why}`, { fix: `begin with one of: ${allowed.join(', ')}` });
  }
  if (steps[wanted]?.kind === 'build') return { groups, isLater: false };
  const at = groups.findIndex((group) => group.some(({ name }) => name === from));
  const first = steps.filter(({ kind }) => kind === 'start');
  const rest = groups.slice(at).map((group, index) => (index === 0 ? group.filter(({ kind }) => kind !== 'start') : group));
  return { groups: [first, ...rest.filter((group) => group.length > 0)], isLater: true };
}

/**
 * Goes through the pipeline, one group of steps after the other. When one of a group fails, the others are ended, and have ended.
 * @returns what the steps have left: version, commit, rollout
 * @throws FactoryError `PIPELINE_FAILED` with the step and the last that it said; `REFUSED` where nobody agreed
 */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<Variables> {
  const { groups, isLater } = startFrom(pipeline, options.from);
  let variables: Variables = isLater ? await versionOf(options) : {};
  for (const group of groups) {
    const stop = new AbortController();
    let first: unknown;
    const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
    const ended = await Promise.allSettled(
      group.map((step) =>
        runStep(step, variables, { ...options, signal }).catch((error: unknown) => {
          first ??= error;
          stop.abort();
          throw error;
        }),
      ),
    );
    if (ended.some(({ status }) => status === 'rejected')) throw first;
    variables = Object.assign({}, variables, ...ended.map((each) => (each.status === 'fulfilled' ? each.value : {})));
    await options.left?.(variables);
  }
  return variables;
}

/** The version of the clone's commit, without a build. */
async function versionOf(options: RunOptions): Promise<Variables> {
  const leaves: readonly PipelineVariable[] = ['COMMIT', 'COMPONENT_VERSION'];
  return runShell({ name: 'version', kind: 'build' }, { lines: VERSION_LINES, takes: [], leaves }, {}, options);
}

async function runStep(step: Step, variables: Variables, options: RunOptions): Promise<Variables> {
  const { emit, agree } = options;
  const subject = step.name;
  const minutes = minutesOf(step);
  emit({ kind: 'started', subject, text: minutes === undefined ? wordsOf(step) : `${wordsOf(step)}, for ${minutes} minutes at most` });
  const shell = shellOf(step);
  if (step.kind === 'approval' && !(await agree(step))) {
    emit({ kind: 'failed', subject, text: 'nobody agreed' });
    throw new FactoryError('REFUSED', `nobody agreed to ${subject}`, { fix: 'run it again, and agree' });
  }
  const left = shell ? await runShell(step, shell, variables, options) : {};
  emit({ kind: 'done', subject, text: Object.values(left).join(' ') || wordsOf(step) });
  return left;
}

/** Runs the lines of a step as engines do, by bash, and reads what they leave. */
async function runShell(step: Step, shell: StepShell, variables: Variables, options: RunOptions): Promise<Variables> {
  const { folder, environment, emit, signal } = options;
  const results = await mkdtemp(join(tmpdir(), 'cell-factory-step-'));
  try {
    const taken = Object.fromEntries(shell.takes.map((name) => [name, variables[name] ?? '']));
    const kept = shell.leaves.map((name) => `printf '%s' "$${name}" > '${join(results, name)}'`);
    const said: string[] = [];
    const hear = (line: string) => {
      if (line.trim() === '') return;
      emit({ kind: 'progress', subject: step.name, text: line });
      said.push(line);
      if (said.length > LAST_LINES) said.shift();
    };
    const minutes = minutesOf(step);
    const { code, stderr } = await run('bash', ['-euo', 'pipefail', '-c', [...shell.lines, ...kept].join('\n')], {
      ...{ folder, environment: { ...environment, ...taken }, hear },
      ...(step.kind === 'build' ? { without: CREDENTIALS } : {}),
      ...(signal ? { signal } : {}),
      timeout: (minutes ?? WAVE_DAYS * 24 * 60) * 60_000,
    });
    if (code !== 0) {
      const why = code === -1 ? (stderr.split('\n').at(-1) ?? '') : `ended with ${code}`;
      emit({ kind: 'failed', subject: step.name, text: said.at(-1) ?? why });
      throw new FactoryError('PIPELINE_FAILED', `${step.name}: ${why}${said.length === 0 ? '' : `:\n${said.join('\n')}`}`, {
        fix: 'mend what it says, and push a commit; a wave that was rolled back needs a new one, too',
      });
    }
    return Object.fromEntries(await Promise.all(shell.leaves.map(async (name) => [name, await readFile(join(results, name), 'utf8')])));
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** Days after which a wave is no longer followed: as long as a timer of Node.js can wait, and longer than a bake with a freeze. */
const WAVE_DAYS = 24;
