/**
 * A workflow as text. The library's types are in camel case, as everywhere in the CDK; what GitHub reads is not. The
 * library's writer knows no comments inside of a document, and wraps long lines: for people, both are mended here.
 */
import { type ConcurrencyOptions, type Job, type JobStep, type WorkflowTriggers, YamlFile } from 'cdk-pipelines-github';
import { ACTIONS } from './actions.ts';

export interface WorkflowDocument {
  /** Lines at the top. */
  readonly comment: readonly string[];
  readonly name: string;
  readonly triggers: WorkflowTriggers;
  readonly concurrency: ConcurrencyOptions;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: ReadonlyMap<string, Job>;
}

/** A job may do nothing that it does not say itself. */
export function workflowYaml({ comment, name, triggers, concurrency, env, jobs }: WorkflowDocument): string {
  const scripts: string[] = [];
  const file = new YamlFile('', {
    obj: {
      name,
      on: underscored(triggers),
      permissions: {},
      concurrency: hyphenated(concurrency),
      env,
      jobs: Object.fromEntries([...jobs].map(([id, job]) => [id, jobObject(job, scripts)])),
    },
  });
  file.commentAtTop = comment.join('\n');
  return withScripts(withVersions(file.toYaml()), scripts);
}

/** In the order in which people read a job. What is undefined is left out. */
const jobObject = ({ name, needs, if: condition, runsOn, environment, permissions, timeoutMinutes, ...job }: Job, scripts: string[]) => ({
  name,
  needs,
  if: condition,
  'runs-on': runsOn,
  environment,
  permissions: hyphenated(permissions),
  'timeout-minutes': timeoutMinutes,
  defaults: job.defaults?.run && { run: hyphenated(job.defaults.run) },
  env: job.env,
  outputs: job.outputs,
  steps: job.steps.map((step) => stepObject(step, scripts)),
});

/** With a place in place of its script, which is added to `scripts`. */
const stepObject = (step: JobStep, scripts: string[]): JobStep =>
  step.run === undefined ? step : { ...step, run: `script-${scripts.push(step.run) - 1}` };

const renamed = (from: object, separator: string): object =>
  Object.fromEntries(
    Object.entries(from).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`), value]),
  );
/** Keys as GitHub has them everywhere but in triggers. */
const hyphenated = (from: object): object => renamed(from, '-');
const underscored = (from: object): object => renamed(from, '_');

/** Puts scripts where their places are, line by line as they are. */
const withScripts = (yaml: string, scripts: readonly string[]): string =>
  yaml.replace(/^( *)run: script-(\d+)$/gm, (_, indent: string, index: string) =>
    [
      `${indent}run: |`,
      ...(scripts[Number(index)] ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => `${indent}  ${line}`),
    ].join('\n'),
  );

/** Says the version behind the commit of each action. */
const withVersions = (yaml: string): string =>
  Object.values(ACTIONS).reduce(
    (text, { name, commit, version }) => text.replaceAll(`uses: ${name}@${commit}\n`, `uses: ${name}@${commit} # ${version}\n`),
    yaml,
  );
