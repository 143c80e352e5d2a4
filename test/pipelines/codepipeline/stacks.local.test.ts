/** The stacks of pipelines on a local cloud: it runs none of them, but checks every call against the API's shapes. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipelineClient, GetPipelineStateCommand } from '@aws-sdk/client-codepipeline';
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

test('are kept in step with the registry by `cellctl pipelines sync`, and commits go in again afterwards', async () => {
  const tooling = async (...words: string[]) => cellctl([...words, '--organization', folder], await cloud.environment('tooling'));
  expect(await tooling('pipelines', 'sync')).toMatchObject({ code: 0, stdout: 'Pipelines: unchanged\nPipeline-orders-api: unchanged\n' });
  const definition = join(folder, 'components', 'orders-api.ts');
  const hook = "pipeline: { hooks: [{ name: 'orders-work', after: 'staging', run: 'integration-test' }] }, route";
  await writeFile(definition, (await readFile(definition, 'utf8')).replace('route', hook));
  const differing = await tooling('pipelines', 'diff');
  expect(differing.stdout).toMatch(/Pipelines +unchanged *\nPipeline-orders-api +differs +\d+ to add, \d+ to change/);
  expect(await tooling('pipelines', 'sync')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no terminal to ask on') });
  const { code, stdout } = await tooling('pipelines', 'sync', '--yes', '--json');
  expect({ code, stacks: JSON.parse(stdout) as object }).toEqual({
    code: 0,
    stacks: {
      stacks: [
        { stackName: 'Pipelines', state: 'unchanged' },
        { stackName: 'Pipeline-orders-api', state: 'deployed' },
      ],
    },
  });
  const client = new CodePipelineClient(await cloud.client('tooling'));
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: 'orders-api' }));
  expect(stageStates.map(({ inboundTransitionState }) => inboundTransitionState?.enabled)).toEqual(stageStates.map(() => true));
  expect((await tooling('pipelines', 'diff')).stdout).toMatch(/Pipeline-orders-api +unchanged/);
});
