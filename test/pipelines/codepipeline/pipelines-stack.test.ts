import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { FileSystem, IgnoreMode } from 'aws-cdk-lib/core';
import { packagePatterns, packageRoot } from '../../../lib/package-root.ts';
import { componentOfStack, pipelineStacks } from '../../../lib/plan/pipeline-stacks.ts';
import { createPlan, type InitializedPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { isStateful } from '../../../lib/review/stateful.ts';
import { PipelinesStack } from '../../../pipelines/codepipeline/pipelines-stack.ts';
import { actionsIn, pipelineIn, type Template as Rendered, shapeProblems } from '../../_helpers/codepipeline.ts';
import { component, foundations, registry, type unchecked } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';

const planWith = (change?: (input: ReturnType<typeof unchecked>) => void): InitializedPlan =>
  requireInitialized(createPlan(registry(change)));
const plan = planWith((input) => {
  input.components['search'] = component('search', 300, { repository: { url: 'https://gitlab.com/acme/search' } });
  input.components['legacy'] = component('legacy', 400, { repository: { url: 'file:///srv/legacy.git' } });
  input.components['site'] = component('site', 500, {
    repository: { url: 'https://github.com/acme/site' },
    pipeline: { engine: 'github-actions' },
  });
});
const stack = new PipelinesStack(app(true), plan);
const template = Template.fromStack(stack).toJSON() as Rendered;
const text = (value: unknown) => JSON.stringify(value);

describe('stack Pipelines', () => {
  test('is what the API of CodePipeline and CodeBuild takes', async () => {
    expect(await shapeProblems(template)).toBe('');
  });

  test('keeps what holds data, under the same logical ids', () => {
    const stateful = Object.entries(resources(stack)).flatMap(([id, { Type, DeletionPolicy }]) =>
      isStateful(Type) ? [`${Type} ${id} ${DeletionPolicy}`] : [],
    );
    expect(stateful.sort()).toEqual([
      'AWS::KMS::Key Key961B73FD Retain',
      'AWS::Logs::LogGroup Log95422804 Retain',
      'AWS::S3::Bucket Bucket83908E77 Retain',
    ]);
  });

  test('has what pipelines hand over encrypted, reached by TLS only, and gone after a while', () => {
    const [bucket] = Object.values(resources(stack, 'AWS::S3::Bucket'));
    expect(bucket?.Properties).toMatchObject({
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }] },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      LifecycleConfiguration: { Rules: expect.arrayContaining([expect.objectContaining({ ExpirationInDays: 90 })]) },
    });
    expect(text(resources(stack, 'AWS::S3::BucketPolicy'))).toContain('"aws:SecureTransport":"false"');
  });

  test('has a connection to each provider in use, and says where it is and that a person must complete it', () => {
    const connections = Object.values(resources(stack, 'AWS::CodeConnections::Connection')).map(({ Properties }) => Properties);
    expect(connections).toMatchObject([
      { ConnectionName: 'acme-github', ProviderType: 'GitHub' },
      { ConnectionName: 'acme-gitlab', ProviderType: 'GitLab' },
    ]);
    const parameters = Object.values(resources(stack, 'AWS::SSM::Parameter')).map(({ Properties }) => Properties);
    expect(parameters).toMatchObject([
      { Name: '/cell-factory/pipelines/bucket' },
      { Name: '/cell-factory/pipelines/key' },
      { Name: '/cell-factory/pipelines/factory' },
      { Name: '/cell-factory/pipelines/connections/github', Description: expect.stringContaining('Pending until somebody completes it') },
      { Name: '/cell-factory/pipelines/connections/gitlab' },
    ]);
  });
});

describe('the pipeline of pipelines', () => {
  test('brings the factory to every pipeline: the package with its lock file, and nothing else of the folder', async () => {
    const out = await mkdtemp(join(tmpdir(), 'cell-factory-package-'));
    FileSystem.copyDirectory(packageRoot(), out, { ignoreMode: IgnoreMode.GIT, exclude: packagePatterns() });
    const there = await readdir(out, { recursive: true });
    expect(there.filter((path) => !path.includes('/')).sort()).toEqual([...['bin', 'dist', 'lib', 'package.json', 'pipelines', 'tools']]);
    expect(there).toEqual(
      expect.arrayContaining([
        'bin/cellctl',
        'dist/lib/cli/main.js',
        'dist/operator/index.cjs',
        'dist/package-lock.json',
        'lib/cell/foundation/functions/probe/index.js',
      ]),
    );
    expect(
      there.filter((path) => /tsbuildinfo|node_modules|^(registry|test|examples|docs)|^(lib|pipelines)\/[^/]*\.ts$/.test(path)),
    ).toEqual([]);
  });

  test('runs one at a time, and of those that wait the newest', () => {
    expect(pipelineIn(template)).toMatchObject({ PipelineType: 'V2', ExecutionMode: 'SUPERSEDED' });
    expect(actionsIn(template).map(({ Name }) => Name)).toEqual(['source', 'sync']);
  });

  test('runs when a revision is published, and once a day', () => {
    const rules = Object.values(resources(stack, 'AWS::Events::Rule')).map(({ Properties }) => Properties);
    expect(rules).toMatchObject([
      {
        EventPattern: {
          source: ['aws.s3'],
          'detail-type': ['Object Created'],
          detail: { bucket: { name: ['acme-cell-registry-200000000000'] }, object: { key: ['latest.json'] } },
        },
      },
      { ScheduleExpression: 'rate(1 day)' },
    ]);
    for (const rule of rules) expect(text(rule?.['Targets'])).toContain(':Pipelines"');
  });

  describe('where foundations are delivered as a component', () => {
    const own = new PipelinesStack(
      app(true),
      planWith(({ components }) =>
        Object.assign(components, { foundations: foundations({ repository: { url: 'https://github.com/acme/cells', branch: 'trunk' } }) }),
      ),
    );
    const rendered = Template.fromStack(own).toJSON() as Rendered;

    test('is what the services take', async () => {
      expect(await shapeProblems(rendered)).toBe('');
    });

    test('runs on every commit to the factory’s own repository, too', () => {
      expect(pipelineIn(rendered)['Triggers']).toMatchObject([
        { GitConfiguration: { SourceActionName: 'source', Push: [{ Branches: { Includes: ['trunk'] } }] } },
      ]);
      expect(actionsIn(rendered)[0]).toMatchObject({
        ActionTypeId: { Provider: 'CodeStarSourceConnection' },
        Configuration: { FullRepositoryId: 'acme/cells', BranchName: 'trunk', DetectChanges: 'false' },
      });
      expect(Object.values(resources(own, 'AWS::Events::Rule'))).toHaveLength(2);
    });

    test('runs with that commit’s code, and checks its definitions', () => {
      const [project] = Object.values(resources(own, 'AWS::CodeBuild::Project'));
      const { phases } = JSON.parse((Object(project?.Properties?.['Source']) as { BuildSpec: string }).BuildSpec) as {
        phases: { install: { commands?: string[] }; build: { commands: string[] } };
      };
      expect(phases.install.commands).toBeUndefined();
      expect(phases.build.commands[0]?.split('\n')).toEqual([
        'set -euo pipefail',
        'make build',
        'export CELL_FACTORY="$PWD"',
        '"$CELL_FACTORY/bin/cellctl" validate --organization registry',
        '"$CELL_FACTORY/bin/cellctl" validate',
        '"$CELL_FACTORY/bin/cellctl" pipelines diff',
        '"$CELL_FACTORY/bin/cellctl" pipelines sync --yes',
      ]);
    });
  });

  test('validates, shows what differs, and brings it in step', () => {
    const [project] = Object.values(resources(stack, 'AWS::CodeBuild::Project'));
    const { BuildSpec } = Object(project?.Properties?.['Source']) as { BuildSpec: string };
    const { phases } = JSON.parse(BuildSpec) as { phases: { build: { commands: string[] } } };
    expect(phases.build.commands[0]?.split('\n')).toEqual([
      'set -euo pipefail',
      'cp dist/package-lock.json . && npm ci --omit=dev --ignore-scripts --no-audit --no-fund',
      'export CELL_FACTORY="$PWD"',
      '"$CELL_FACTORY/bin/cellctl" validate',
      '"$CELL_FACTORY/bin/cellctl" pipelines diff',
      '"$CELL_FACTORY/bin/cellctl" pipelines sync --yes',
    ]);
  });

  test('changes stacks by the CDK’s own roles only, and deletes no stack but pipelines of components, and what another engine’s share', () => {
    const roles = Object.entries(resources(stack, 'AWS::IAM::Role')).filter(([id]) => id.startsWith('ProjectRole'));
    expect(text(roles)).toContain(':role/cdk-hnb659fds-deploy-role-200000000000-eu-west-1');
    expect(text(roles)).not.toMatch(/cloudformation:(Create|UpdateStack)|"iam:|codepipeline:(Create|Update|Delete)/);
    const deleting = text(roles).match(/"cloudformation:DeleteStack".*?"Resource":(\[.*?\])/)?.[1] ?? '';
    expect(JSON.parse(deleting)).toEqual(
      ['Pipeline-*', 'Pipelines-GitHub-*', 'Pipelines-GitHub'].map(
        (name) => `arn:aws:cloudformation:eu-west-1:200000000000:stack/${name}/*`,
      ),
    );
  });
});

describe('stacks of pipelines', () => {
  test('are one for all, and one for each component, of each engine', () => {
    expect(pipelineStacks(plan).map(({ stackName }) => stackName)).toEqual([
      'Pipelines',
      'Pipeline-billing',
      'Pipeline-legacy',
      'Pipeline-orders-api',
      'Pipeline-search',
      'Pipelines-GitHub',
      'Pipelines-GitHub-site',
    ]);
    expect(pipelineStacks(plan).map(({ stackName }) => componentOfStack(stackName))).toEqual([
      ...[undefined, 'billing', 'legacy', 'orders-api', 'search'],
      ...[undefined, 'site'],
    ]);
  });

  test('are none of an engine that runs nothing', () => {
    const elsewhere = planWith((input) => {
      input.settings = { ...input.settings, pipelines: { ...input.settings.pipelines, engine: 'github-actions' } };
    });
    expect(pipelineStacks(elsewhere).map(({ stackName }) => stackName)).toEqual([
      'Pipelines-GitHub',
      'Pipelines-GitHub-billing',
      'Pipelines-GitHub-orders-api',
    ]);
  });
});
