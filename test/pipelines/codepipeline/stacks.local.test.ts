/** The stacks of pipelines on a local cloud: it runs none of them, but checks every call against the API's shapes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipelineClient, DisableStageTransitionCommand, GetPipelineStateCommand } from '@aws-sdk/client-codepipeline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readAccountsFile } from '../../../lib/registry/index.ts';
import { cellctl, run } from '../../_helpers/cellctl.ts';
import { TestCloud } from '../../_helpers/cloud.ts';
import { becomeByToken } from '../../_helpers/github-token.ts';
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

const tooling = async (...words: string[]) => cellctl([...words, '--organization', folder], await cloud.environment('tooling'));
const UNCHANGED = ['Artifacts', 'Rollouts', 'Pipelines'].map((stackName) => ({ stackName, state: 'unchanged' }));
async function synced(): Promise<unknown> {
  const { code, stdout, stderr } = await tooling('pipelines', 'sync', '--yes', '--json');
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { stacks: unknown }).stacks;
}

test('are kept in step with the registry by `cellctl pipelines sync`, and commits go in again afterwards', async () => {
  expect(await synced()).toEqual([...UNCHANGED, { stackName: 'Pipeline-orders-api', state: 'unchanged' }]);
  const definition = join(folder, 'components', 'orders-api.ts');
  const hook = "pipeline: { hooks: [{ name: 'orders-work', after: 'staging', run: 'integration-test' }] }, route";
  await writeFile(definition, (await readFile(definition, 'utf8')).replace('route', hook));
  const differing = await tooling('pipelines', 'diff');
  expect(differing.stdout).toMatch(/Pipelines +unchanged *\nPipeline-orders-api +differs +\d+ to add, \d+ to change/);
  expect(await tooling('pipelines', 'sync')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no terminal to ask on') });
  expect(await synced()).toEqual([...UNCHANGED, { stackName: 'Pipeline-orders-api', state: 'deployed' }]);
  const client = new CodePipelineClient(await cloud.client('tooling'));
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: 'orders-api' }));
  expect(stageStates.map(({ inboundTransitionState }) => inboundTransitionState?.enabled)).toEqual(stageStates.map(() => true));
  // A sync that was killed after its change: the next one has nothing to change, and opens the pipeline.
  const held = { pipelineName: 'orders-api', stageName: stageStates[1]?.stageName, transitionType: 'Inbound' } as const;
  await client.send(new DisableStageTransitionCommand({ ...held, reason: 'cell-factory changes this pipeline as soon as it is idle' }));
  expect(await synced()).toEqual([...UNCHANGED, { stackName: 'Pipeline-orders-api', state: 'unchanged' }]);
  const { stageStates: after = [] } = await client.send(new GetPipelineStateCommand({ name: 'orders-api' }));
  expect(after[1]?.inboundTransitionState).toMatchObject({ enabled: true });
  expect((await tooling('pipelines', 'diff')).stdout).toMatch(/Pipeline-orders-api +unchanged/);
});

test('of GitHub are kept in step, too; with a place for the images of a new component, and gone some time after it', async () => {
  const search = join(folder, 'components', 'search.ts');
  const entry = (await readFile(join(folder, 'components', 'orders-api.ts'), 'utf8'))
    .replaceAll('orders', 'search')
    .replace(/search-api/g, 'search')
    .replace('priority: 100', 'priority: 300')
    .replace('pipeline: {', "pipeline: { engine: 'github-actions',")
    .replace('repository: {', 'repository: { github: { ownerId: 1, repositoryId: 2 },');
  await writeFile(search, entry);
  expect(await tooling('publish')).toMatchObject({ code: 0 });
  expect(await synced()).toEqual([
    { stackName: 'Artifacts', state: 'deployed' },
    ...UNCHANGED.slice(1),
    { stackName: 'Pipelines-GitHub', state: 'deployed' },
    { stackName: 'Pipeline-orders-api', state: 'unchanged' },
    { stackName: 'Pipelines-GitHub-search', state: 'deployed' },
  ]);

  const { control } = await readAccountsFile(cloud.accountsFile);
  const become = (sub: string) =>
    becomeByToken(cloud.running.endpoint, `arn:aws:iam::${control['tooling']}:role/github-search-publish`, { sub });
  expect(await become('repo:acme@1/search@2:ref:refs/heads/main')).toBe('trusted');
  expect(await become('repo:acme/search:ref:refs/heads/main')).toBe('AccessDenied');

  await rm(search);
  const finder = join(folder, 'components', 'finder.ts');
  await writeFile(finder, entry.replaceAll('search', 'finder'));
  const renamed = await tooling('publish');
  expect(renamed).toMatchObject({ code: 2, stderr: expect.stringContaining('300 is the priority of search') });
  expect(renamed.stderr).toContain('cellctl component remove search');
  await rm(finder);
  expect(await tooling('publish')).toMatchObject({ code: 0 });
  const [kept] = (await synced()) as [object];
  expect(kept).toEqual({ stackName: 'Artifacts', state: 'deployed' });
  const { stdout } = await tooling('pipelines', 'diff');
  expect(stdout).toMatch(/Pipelines-GitHub-search +kept until \d{4}-\d\d-\d\dT\S+ +nobody asks for it/);

  const organization = join(folder, 'organization.ts');
  await writeFile(
    organization,
    (await readFile(organization, 'utf8')).replace("name: 'acme',", "name: 'acme',\n  pipelines: { grace: '0s' },"),
  );
  expect(await synced()).toEqual(
    expect.arrayContaining([
      { stackName: 'Pipelines-GitHub-search', state: 'removed' },
      { stackName: 'Pipelines-GitHub', state: 'removed' },
    ]),
  );
  expect((await tooling('pipelines', 'diff')).stdout).not.toContain('Pipelines-GitHub');
});
