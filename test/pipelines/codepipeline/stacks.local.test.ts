/** The stacks of pipelines on a local cloud: it runs none of them, but checks every call against the API's shapes. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cellctl, run, TestCloud } from '../../_helpers/cloud.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

let cloud: TestCloud;
let folder: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  folder = await definitionsFolder();
  const { code, stderr } = await cellctl(['init', '--organization', folder], await cloud.environment('management'));
  if (code !== 0) throw new Error(stderr);
});

afterAll(async () => cloud.stop());

test('are deployed by the plain CDK; the second time there is nothing to do', async () => {
  const deploy = async () => {
    const output = await mkdtemp(join(tmpdir(), 'cell-factory-cdk-'));
    const words = ['cdk', 'deploy', 'Pipelines', 'Pipeline-orders-api', '--require-approval', 'never', '-c', `organization=${folder}`];
    const { code, stdout, stderr } = await run('npx', [...words, '--output', output], await cloud.environment('tooling'));
    return { code, said: stdout + stderr };
  };
  const first = await deploy();
  expect(first.code === 0 ? '' : first.said).toBe('');
  const second = await deploy();
  expect(second.code).toBe(0);
  expect(second.said.match(/\(no changes\)/g)).toHaveLength(2);
  const answer = await fetch(`${cloud.running.endpoint}/moto-api/cell-factory/skipped`);
  const { skipped } = (await answer.json()) as { skipped: { stack: string; type: string }[] };
  expect(skipped.filter(({ stack }) => stack.startsWith('Pipeline'))).toEqual([]);
});
