/**
 * Goes through a component's pipeline on this machine, as its engine would: the same steps in the same order, and of each
 * the same shell. What engines bring besides, this brings, too: the commit, the variables, somebody to ask.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inheritedEnvironment } from '../lib/environment.ts';
import type { Emit } from '../lib/messages.ts';
import { FactoryError } from '../lib/registry/index.ts';
import { type PipelineVariable, type StepShell, shellOf } from './commands.ts';
import { type Pipeline, type Step, wordsOf } from './graph.ts';

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
}

/**
 * Goes through the pipeline, one group of steps after the other.
 * @returns what the steps have left: version, commit, rollout
 * @throws FactoryError `PIPELINE_FAILED` with the step and the last that it said; `REFUSED` where nobody agreed
 */
export async function runPipeline({ stages }: Pipeline, options: RunOptions): Promise<Variables> {
  let variables: Variables = {};
  for (const group of stages.flatMap(({ groups }) => groups)) {
    const left = await Promise.all(group.map((step) => runStep(step, variables, options)));
    variables = Object.assign({}, variables, ...left);
  }
  return variables;
}

async function runStep(step: Step, variables: Variables, options: RunOptions): Promise<Variables> {
  const { emit, agree } = options;
  const subject = step.name;
  emit({ kind: 'started', subject, text: wordsOf(step) });
  const shell = shellOf(step);
  if (step.kind === 'approval' && !(await agree(step))) {
    emit({ kind: 'failed', subject, text: 'nobody agreed' });
    throw new FactoryError('REFUSED', `nobody agreed to ${subject}`, { fix: 'run it again, and agree' });
  }
  const left = shell ? await runShell(step, shell, variables, options) : {};
  emit({ kind: 'done', subject, text: Object.values(left).join(' ') || wordsOf(step) });
  return left;
}

/** Runs the lines of a step, and reads what they leave. */
async function runShell(step: Step, shell: StepShell, variables: Variables, { folder, environment, emit }: RunOptions): Promise<Variables> {
  const results = await mkdtemp(join(tmpdir(), 'cell-factory-step-'));
  try {
    const taken = Object.fromEntries(shell.takes.map((name) => [name, variables[name] ?? '']));
    const env = { ...inheritedEnvironment(step.kind === 'build' ? CREDENTIALS : undefined), ...environment, ...taken };
    const kept = shell.leaves.map((name) => `printf '%s' "$${name}" > '${join(results, name)}'`);
    const { code, said } = await bash([...shell.lines, ...kept], folder, env, (line) =>
      emit({ kind: 'progress', subject: step.name, text: line }),
    );
    if (code !== 0) {
      emit({ kind: 'failed', subject: step.name, text: said.at(-1) ?? `ended with ${code}` });
      throw new FactoryError('PIPELINE_FAILED', `${step.name} ended with ${code}:\n${said.join('\n')}`, {
        fix: 'mend what it says, and push a commit; a wave that was rolled back needs a new one, too',
      });
    }
    return Object.fromEntries(await Promise.all(shell.leaves.map(async (name) => [name, await readFile(join(results, name), 'utf8')])));
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** Runs lines as engines do, and hands on what they say, line by line. */
function bash(lines: readonly string[], cwd: string, env: NodeJS.ProcessEnv, hear: (line: string) => void) {
  return new Promise<{ code: number; said: readonly string[] }>((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', lines.join('\n')], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (line.trim() === '') return;
        hear(line);
        said.push(line);
        if (said.length > LAST_LINES) said.shift();
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, said }));
  });
}
