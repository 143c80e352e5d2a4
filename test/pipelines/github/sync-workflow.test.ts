import { parseWorkflow } from '@actions/workflow-parser';
import { describe, expect, test } from '@jest/globals';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { GitHubStack } from '../../../pipelines/github/roles-stack.ts';
import { renderSyncWorkflow } from '../../../pipelines/github/sync-workflow.ts';
import { foundations, registry } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';
import { parsed } from '../../_helpers/workflow.ts';

const planWith = (...args: Parameters<typeof foundations>) =>
  requireInitialized(createPlan(registry(({ components }) => Object.assign(components, { foundations: foundations(...args) }))));
const own = planWith({ pipeline: { engine: 'github-actions' }, repository: { url: 'https://github.com/acme/cells', branch: 'trunk' } });
const rendered = () => {
  const workflow = renderSyncWorkflow(own);
  if (!workflow) throw new Error('there is none');
  return workflow;
};

describe('the pipeline of pipelines on GitHub', () => {
  test('is valid to the parser of GitHub', () => {
    const trace = { error: () => undefined, info: () => undefined, verbose: () => undefined };
    const { context } = parseWorkflow({ name: rendered().path, content: rendered().text }, trace);
    expect(context.errors.getErrors().map(String)).toEqual([]);
  });

  test('runs on commits to the factory’s own branch, and every hour for revisions, one at a time', () => {
    const document = parsed(rendered());
    expect(rendered().path).toBe('.github/workflows/pipelines.yml');
    expect(document.on).toEqual({ push: { branches: ['trunk'] }, schedule: [{ cron: '17 * * * *' }], workflow_dispatch: {} });
    expect(document.concurrency).toEqual({ group: 'pipelines', 'cancel-in-progress': false });
  });

  test('does what the one on CodePipeline does, with the commit’s own code, and ends before GitHub ends it', () => {
    const [[id, job] = ['']] = Object.entries(parsed(rendered()).jobs);
    expect(id).toBe('sync');
    expect(job?.steps.flatMap(({ run = '' }) => run.split('\n')).filter((line) => line !== '')).toEqual([
      'make build',
      'export CELL_FACTORY="$PWD"',
      '"$CELL_FACTORY/bin/cellctl" validate --organization registry',
      '"$CELL_FACTORY/bin/cellctl" validate',
      '"$CELL_FACTORY/bin/cellctl" pipelines diff',
      '"$CELL_FACTORY/bin/cellctl" pipelines sync --yes --patience 5h',
    ]);
    expect(job?.['timeout-minutes']).toBeLessThan(6 * 60);
    expect(job?.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  });

  test('is the one role whose trust names that branch', () => {
    const [role] = Object.values(resources(new GitHubStack(app(true), own), 'AWS::IAM::Role'));
    expect(role?.Properties?.['RoleName']).toBe('github-cell-factory-sync');
    expect(rendered().text).toContain(':role/github-cell-factory-sync');
    expect(JSON.stringify(role?.Properties?.['AssumeRolePolicyDocument'])).toContain('"repo:acme/cells:ref:refs/heads/trunk"');
  });

  test('is none where CodePipeline delivers foundations, or nobody does', () => {
    expect(renderSyncWorkflow(planWith())).toBeUndefined();
    expect(renderSyncWorkflow(requireInitialized(createPlan(registry())))).toBeUndefined();
    expect(resources(new GitHubStack(app(), planWith()), 'AWS::IAM::Role')).toEqual({});
  });
});
