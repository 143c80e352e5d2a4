/** What jobs of workflows are made of. */
import { AwsCredentials, type JobStep } from 'cdk-pipelines-github';
import type { InitializedPlan } from '../../lib/plan/plan.ts';
import { usesOf } from './actions.ts';
import { roleArn } from './job-roles.ts';

/** On ARM, as images are built for Graviton. */
export const RUNNER = 'ubuntu-24.04-arm';
/** GitHub's own bash stops at errors, but takes variables that nobody has set. */
export const SHELL = 'bash --noprofile --norc -euo pipefail {0}';
const NODE = '24';

/** A value that GitHub puts in. */
export function expression(text: string): string {
  return `\${{ ${text} }}`;
}

/** A step that runs lines of bash. */
export const script = (name: string, lines: readonly string[], more: Omit<JobStep, 'run' | 'uses' | 'name'> = {}): JobStep => ({
  name,
  ...more,
  run: lines.map((line) => `${line}\n`).join(''),
});

export const CHECKOUT: JobStep = { name: 'Check out', uses: usesOf('checkout'), with: { 'persist-credentials': false } };

export const NODE_JS: JobStep = {
  name: 'Node.js',
  uses: usesOf('setupNode'),
  with: { 'node-version': NODE, 'package-manager-cache': false },
};

/** The library's step, with its action pinned, and for as long as the job needs; of itself it is half an hour. */
export function credentials(plan: InitializedPlan, role: string, seconds: number): JobStep {
  const provider = AwsCredentials.fromOpenIdConnect({
    gitHubActionRoleArn: roleArn(plan, role),
    // In CloudTrail, whatever is done is done by this run.
    roleSessionName: `run-${expression('github.run_id')}`,
  });
  const [step] = provider.credentialSteps(plan.homeRegion);
  return { ...step, uses: usesOf('credentials'), with: { ...step?.with, 'role-duration-seconds': seconds } };
}
