/** `cellctl` as the people of a laboratory call it: with credentials of tooling, and the definitions that are published. */
import { cellctl, type Finished } from './cellctl.ts';
import type { RolloutLab } from './rollouts.ts';

export async function callIn(lab: RolloutLab, ...args: readonly string[]): Promise<Finished> {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await lab.session.credentials();
  const environment = {
    ...{ AWS_ENDPOINT_URL: lab.endpoint, AWS_REGION: lab.session.region, AWS_SESSION_TOKEN: sessionToken },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
  return cellctl([...args, '--organization', `s3://${lab.plan.registryBucket}`], environment);
}

/** The same, for commands that must do what they are asked for. @returns what they print as JSON @throws Error with what they say else */
export async function doneIn<T = unknown>(lab: RolloutLab, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await callIn(lab, ...args, '--json');
  if (code !== 0) throw new Error(`cellctl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}
