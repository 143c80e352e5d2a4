import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { createPlan, type InitializedPlan, requireInitialized, selectComponent } from '../../../lib/plan/plan.ts';
import { type Component, type ComponentDefinition, check, pipelineStackName } from '../../../lib/registry/index.ts';
import { PipelineStack } from '../../../pipelines/codepipeline/pipeline-stack.ts';
import { shellOf } from '../../../pipelines/commands.ts';
import { needsOf, pipelineOf, stepsOf } from '../../../pipelines/graph.ts';
import {
  actionsIn,
  pipelineIn,
  type Template as Rendered,
  renderedGates,
  renderedNeeds,
  shapeProblems,
} from '../../_helpers/codepipeline.ts';
import { component, registry, settings, unchecked } from '../../_helpers/organization.ts';
import { app } from '../../_helpers/synth.ts';

const COMPONENT = 'orders-api';

const HOOKS: Component['pipeline']['hooks'] = [
  { name: 'scan', after: 'build', run: 'scan' },
  { name: 'licences', after: 'build', run: 'licences' },
  { name: 'sign-off', before: 'staging', approval: true },
  { name: 'smoke', after: 'staging', run: 'integration-test' },
  { name: 'load', after: 'staging', run: 'load-test' },
];

/** An organization whose component has steps of its own, and whose first wave somebody must agree to. */
function planWith(change: Partial<ComponentDefinition> = {}): InitializedPlan {
  const source = registry((input) => {
    input.components[COMPONENT] = component(COMPONENT, 100, { pipeline: { hooks: HOOKS }, ...change });
    const { rollout } = input.settings;
    const waves = rollout.waves.map((wave, index) => ({ ...wave, approval: index === 0 }));
    input.settings = { ...input.settings, rollout: { ...rollout, waves } };
  });
  return requireInitialized(createPlan(source));
}

const stackOf = (plan: InitializedPlan, nag = false) => new PipelineStack(app(nag), plan, selectComponent(plan, COMPONENT));
const render = (plan: InitializedPlan, nag = false): Rendered => Template.fromStack(stackOf(plan, nag)).toJSON() as Rendered;

const plan = planWith();
const template = render(plan, true);
const graph = pipelineOf(plan, selectComponent(plan, COMPONENT));
const action = (name: string, of = template) => {
  const found = actionsIn(of).find(({ Name }) => Name === name);
  if (!found) throw new Error(`no action ${name}`);
  return found;
};

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
interface Role {
  readonly AssumeRolePolicyDocument: { readonly Statement: readonly { readonly Principal: object }[] };
  readonly Policies?: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
}

/** Statements of a role, by its logical id. */
const statementsOf = (id: string): readonly Statement[] =>
  ((template.Resources[id]?.Properties as Role | undefined)?.Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
const actionsOf = (statements: readonly Statement[]) => [...new Set(statements.flatMap(({ Action }) => Action))].sort();
const ofAction = (name: string) => statementsOf(action(name).RoleArn?.['Fn::GetAtt'][0] ?? '');
const project = (step: string) => {
  const found = Object.values(template.Resources).find(
    ({ Type, Properties }) => Type === 'AWS::CodeBuild::Project' && Properties['Name'] === `Pipeline-${COMPONENT}-${step}`,
  );
  if (!found) throw new Error(`no project of ${step}`);
  return found.Properties as {
    readonly ServiceRole: { readonly 'Fn::GetAtt': readonly [string, string] };
    readonly Source: { readonly BuildSpec: string };
    readonly Environment: { readonly Type: string; readonly EnvironmentVariables: readonly { Name: string; Value: string }[] };
    readonly LogsConfig: object;
  };
};
const ofProject = (step: string) => statementsOf(project(step).ServiceRole['Fn::GetAtt'][0]);
const specOf = (step: string) =>
  JSON.parse(project(step).Source.BuildSpec) as {
    readonly env: { readonly shell: string; readonly 'exported-variables'?: readonly string[] };
    readonly phases: Readonly<Record<'install' | 'build', { readonly commands: readonly string[] }>>;
    readonly artifacts?: object;
    readonly reports?: object;
  };
const builds = () => stepsOf(graph).filter(({ kind }) => ['build', 'publish', 'start', 'hook'].includes(kind));

describe('stack Pipeline-<component>', () => {
  test('is what the API of CodePipeline and CodeBuild takes', async () => {
    expect(await shapeProblems(template)).toBe('');
  });

  test('is called after the component, and is one of tooling in its home region', () => {
    const { stackName, account, region } = stackOf(plan);
    expect({ stackName, account, region }).toEqual({
      stackName: pipelineStackName(COMPONENT),
      account: '200000000000',
      region: 'eu-west-1',
    });
  });
});

describe('the pipeline', () => {
  test('has the steps of the graph, each after what it needs', () => {
    expect(renderedNeeds(template)).toEqual(needsOf(graph));
    expect(pipelineIn(template).Stages.map(({ Name }) => Name)).toEqual(graph.stages.map(({ name }) => name));
  });

  test('has somebody agree where the graph says so', () => {
    expect(renderedGates(template)).toEqual(['sign-off', 'approve-one-quiet-cell']);
    expect(action('sign-off').Configuration).toEqual({
      CustomData: 'orders-api #{build.COMPONENT_VERSION}, commit #{build.COMMIT}: sign-off',
    });
  });

  test('takes the newest commit of those that wait', () => {
    expect(pipelineIn(template)).toMatchObject({ PipelineType: 'V2', ExecutionMode: 'SUPERSEDED' });
  });

  test('tries builds once more that were refused, and nothing that a person has to look at', () => {
    const again = (hooks: Component['pipeline']['hooks']) =>
      pipelineIn(render(planWith({ pipeline: { hooks } }))).Stages.filter(({ OnFailure }) => OnFailure !== undefined);
    expect(again(HOOKS).map(({ Name }) => Name)).toEqual(['build', 'publish']);
    expect(again(HOOKS)[0]?.OnFailure).toEqual({ Result: 'RETRY', RetryConfiguration: { RetryMode: 'FAILED_ACTIONS' } });
    // Somebody who has said no is not asked again.
    expect(again([{ name: 'release', before: 'publish', approval: true }]).map(({ Name }) => Name)).toEqual(['build']);
  });

  test('starts with commits on its branch, and in a folder only with what changes that', () => {
    const repository = { url: 'git@gitlab.com:acme/shop/orders.git', branch: 'release/2026', path: 'services/orders' };
    const inFolder = render(planWith({ repository }));
    expect(pipelineIn(template).Triggers).toEqual([
      {
        ProviderType: 'CodeStarSourceConnection',
        GitConfiguration: { SourceActionName: 'source', Push: [{ Branches: { Includes: ['main'] } }] },
      },
    ]);
    expect(pipelineIn(inFolder).Triggers).toMatchObject([
      { GitConfiguration: { Push: [{ Branches: { Includes: ['release/2026'] }, FilePaths: { Includes: ['services/orders/**'] } }] } },
    ]);
    expect(action('source', inFolder).Configuration).toMatchObject({
      FullRepositoryId: 'acme/shop/orders',
      BranchName: 'release/2026',
      // Or commits that the filters leave out would start it, too.
      DetectChanges: 'false',
      OutputArtifactFormat: 'CODEBUILD_CLONE_REF',
    });
    expect(JSON.stringify(inFolder.Resources)).toContain(String.raw`cd \\\"./services/orders\\\"`);
  });

  test('has the machine of rollouts go to one wave after the other, approved where somebody has agreed', () => {
    const waves = actionsIn(template).filter(({ ActionTypeId }) => ActionTypeId.Provider === 'StepFunctions');
    expect(waves.map(({ Configuration }) => JSON.parse(String(Configuration['Input'])))).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((through) => ({
        rollout: '#{start.ROLLOUT}',
        stage: { through, approved: through === 1, last: through === 6, execution: '#{codepipeline.PipelineExecutionId}' },
      })),
    );
    expect(plan.rollout.waves).toHaveLength(6);
    for (const { Configuration } of waves) {
      const [parameter] = Object.values(Configuration['StateMachineArn'] as { Ref: string });
      expect(JSON.stringify(template)).toContain(
        `"${parameter}":{"Type":"AWS::SSM::Parameter::Value<String>","Default":"/cell-factory/rollouts/machine"}`,
      );
    }
  });

  test('asks for nothing that an action of that kind does not know', () => {
    // "Action structure reference", AWS CodePipeline User Guide.
    const KNOWN: Readonly<Record<string, readonly string[]>> = {
      CodeStarSourceConnection: ['ConnectionArn', 'FullRepositoryId', 'BranchName', 'OutputArtifactFormat', 'DetectChanges'],
      CodeBuild: ['ProjectName', 'PrimarySource', 'EnvironmentVariables'],
      StepFunctions: ['StateMachineArn', 'InputType', 'Input'],
      Manual: ['CustomData'],
    };
    for (const { ActionTypeId, Configuration } of actionsIn(template)) {
      expect(KNOWN[ActionTypeId.Provider]).toEqual(expect.arrayContaining(Object.keys(Configuration)));
      for (const value of Object.values(Configuration)) expect(JSON.stringify(value).length).toBeLessThanOrEqual(1_000);
    }
  });
});

describe('a step in CodeBuild', () => {
  test.each(builds().map((step) => [step.name, step] as const))(
    '%s runs the shell of the step, in bash that stops at a failure',
    (name, step) => {
      const shell = shellOf(step);
      const { env, phases } = specOf(name);
      const [command = ''] = phases.build.commands;
      expect(phases.build.commands).toHaveLength(1);
      expect(command.split('\n').slice(0, 2)).toEqual(['set -euo pipefail', 'cd "./."']);
      expect(command).toContain(shell?.lines.join('\n'));
      expect(env.shell).toBe('bash');
      expect(env['exported-variables'] ?? []).toEqual(shell?.leaves);
      expect(project(name).Environment.EnvironmentVariables).toEqual(
        expect.arrayContaining([
          { Name: 'COMPONENT', Value: COMPONENT },
          { Name: 'CELL_FACTORY_ORGANIZATION', Value: 's3://acme-cell-registry-200000000000' },
        ]),
      );
    },
  );

  test.each(builds().map((step) => [step.name, step] as const))('%s takes its variables from the actions that leave them', (name, step) => {
    const taken = JSON.parse(String(action(name).Configuration['EnvironmentVariables'] ?? '[]')) as { name: string; value: string }[];
    expect(taken.map((each) => each.name)).toEqual(shellOf(step)?.takes);
    for (const { name: variable, value } of taken) {
      const [, namespace = '', of] = /^#\{(.+)\.(.+)\}$/.exec(value) ?? [];
      expect(of).toBe(variable);
      expect(action(namespace).Namespace).toBe(namespace);
      expect(specOf(namespace).env['exported-variables']).toContain(variable);
    }
  });

  test('installs the factory that rendered it, from tooling, and of its dependencies what the lock file says', () => {
    for (const { name } of builds()) {
      expect(specOf(name).phases.install.commands).toEqual([
        'export CELL_FACTORY="$HOME/factory"',
        'aws s3 cp --only-show-errors "$(aws ssm get-parameter --name /cell-factory/pipelines/factory --query Parameter.Value --output text)" "$HOME/factory.zip"',
        'unzip -q -o "$HOME/factory.zip" -d "$CELL_FACTORY"',
        'chmod +x "$CELL_FACTORY/bin/cellctl"',
        '(cd "$CELL_FACTORY" && cp dist/package-lock.json . && npm ci --omit=dev --ignore-scripts --no-audit --no-fund)',
      ]);
      expect(JSON.stringify(ofProject(name))).toContain('cdk-hnb659fds-assets-200000000000-eu-west-1/*.zip');
    }
  });

  test('hands what was built to publishing, and reports to CodeBuild', () => {
    expect(action('build').OutputArtifacts).toEqual([{ Name: 'built' }]);
    expect(action('publish').InputArtifacts).toEqual([{ Name: 'source' }, { Name: 'built' }]);
    expect(specOf('build').artifacts).toEqual({ 'base-directory': '.cell-factory-handover', files: ['**/*'] });
    expect(specOf('build').reports).toEqual({
      tests: { 'base-directory': '.', files: ['reports/*.xml'], 'file-format': 'JUNITXML' },
    });
  });

  test('keeps its log, and runs on what cells run on', () => {
    for (const { name } of builds()) {
      expect(project(name)).toMatchObject({
        LogsConfig: { CloudWatchLogs: { Status: 'ENABLED' } },
        Environment: { Type: 'ARM_CONTAINER' },
      });
    }
    const log = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(log).toMatchObject({ Properties: { RetentionInDays: 365 }, DeletionPolicy: 'Retain' });
  });
});

describe('permissions', () => {
  test('each action has a role of its own, that only the pipeline can assume', () => {
    const roles = actionsIn(template).flatMap(({ RoleArn }) => RoleArn?.['Fn::GetAtt'][0] ?? []);
    expect(new Set(roles).size).toBe(actionsIn(template).length - renderedGates(template).length);
    for (const id of roles) {
      const { AssumeRolePolicyDocument } = (template.Resources[id] as unknown as { Properties: Role }).Properties;
      expect(AssumeRolePolicyDocument.Statement.map(({ Principal }) => Principal)).toEqual([
        { AWS: { 'Fn::GetAtt': [expect.stringMatching(/^Role/), 'Arn'] } },
      ]);
    }
  });

  test('the action of a wave starts the machine of rollouts, and nothing else does', () => {
    expect(actionsOf(ofAction('rest'))).toEqual(['states:DescribeExecution', 'states:DescribeStateMachine', 'states:StartExecution']);
    expect(ofAction('rest').filter(({ Action }) => Action.includes('states:StartExecution'))).toMatchObject([
      { Resource: { Ref: expect.stringContaining('rolloutsmachine') } },
    ]);
    for (const { name } of builds()) {
      const others = actionsOf([...ofAction(name), ...ofProject(name)]).filter((each) => each.startsWith('states:'));
      expect(others.filter((each) => each !== 'states:DescribeExecution')).toEqual([]);
    }
  });

  test('the build reaches no artifacts of rollouts, no registry and no images', () => {
    expect(JSON.stringify(ofProject('build'))).not.toMatch(/cell-artifacts|cell-registry|"ecr:|dynamodb/);
    expect(actionsOf(ofProject('build')).map((each) => each.split(':')[0])).not.toContain('sts');
  });

  test('publishing writes versions of this component, in every region, and its images', () => {
    const written = ofProject('publish').filter(({ Action }) => Action.includes('s3:PutObject'));
    const text = JSON.stringify(written);
    for (const region of plan.regions) expect(text).toContain(`acme-cell-artifacts-200000000000-${region}/artifacts/orders-api/*`);
    expect(text).not.toMatch(/rollouts|cell-registry/);
    const pushes = ofProject('publish').filter(({ Action }) => Action.includes('ecr:PutImage'));
    expect(JSON.stringify(pushes)).toContain(':repository/orders-api');
  });

  test('the start writes a rollout down, and no version', () => {
    const written = ofProject('start').filter(({ Action }) => Action.includes('s3:PutObject'));
    expect(JSON.stringify(written)).toMatch(/acme-cell-artifacts-200000000000-eu-west-1\/rollouts\/orders-api-\*/);
    expect(JSON.stringify(written)).not.toContain('/artifacts/');
  });

  test('a hook reads, and before a wave not even that', () => {
    const writes = /:(Put|Update|Delete|Start|Create(?!LogStream))/;
    expect(actionsOf(ofProject('smoke')).filter((each) => writes.test(each) && each !== 'logs:PutLogEvents')).toEqual([]);
    expect(JSON.stringify(ofProject('scan'))).not.toMatch(/cell-artifacts|cell-registry|dynamodb/);
  });

  test('nothing may do anything to everything, but sign in to ECR, and look at quotas, which have no resource', () => {
    const all = Object.keys(template.Resources).flatMap(statementsOf);
    expect(all.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action)).toEqual([
      'ecr:GetAuthorizationToken',
      'servicequotas:GetServiceQuota',
    ]);
    expect(all.flatMap(({ Action }) => Action).filter((each) => each.includes('*'))).toEqual([]);
  });
});

describe('the size', () => {
  const first = plan.cells[0];
  const withCells = (count: number): InitializedPlan => ({
    ...plan,
    cells: Array.from({ length: count }, (_, index) => ({ ...first, name: `cell-${index}` })) as unknown as InitializedPlan['cells'],
  });

  test('follows from waves and hooks: the bytes are the same with 10 cells and with 10,000', () => {
    const rows = [10, 100, 1_000, 10_000].map((count) => {
      const rendered = render(withCells(count));
      return { text: JSON.stringify(rendered), stages: pipelineIn(rendered).Stages.length, actions: actionsIn(rendered).length };
    });
    expect(new Set(rows.map(({ text }) => text)).size).toBe(1);
    expect(rows.map(({ stages, actions }) => ({ stages, actions }))).toEqual(Array(4).fill({ stages: 10, actions: 17 }));
  });
});

describe('what is refused', () => {
  test.each([
    'file:///srv/orders.git',
    'https://git.example.com/acme/orders',
    'ssh://git@github.com:2222/acme/orders',
    'https://github.com/acme',
  ])('a repository at %s, to which no connection leads', (url) => {
    expect(() => stackOf(planWith({ repository: { url } }))).toThrow(
      expect.objectContaining({
        code: 'REPOSITORY_UNSUPPORTED',
        fix: expect.stringMatching(/github\.com, bitbucket\.org, gitlab\.com.*github-actions.*cellctl pipelines run orders-api/),
      }),
    );
  });

  test.each([
    ['a name', { name: 'orders"; curl evil #' }, 'components.orders-api.name'],
    ['a variable of CodePipeline as a name', { name: '#{build.COMMIT}' }, 'components.orders-api.name'],
    [
      'a branch',
      { repository: { url: 'https://github.com/acme/orders', branch: 'main$(curl evil)', path: '.' } },
      'components.orders-api.repository.branch',
    ],
    [
      'a folder',
      { repository: { url: 'https://github.com/acme/orders', path: 'a";curl evil;"', branch: 'main' } },
      'components.orders-api.repository.path',
    ],
    [
      'a target',
      { pipeline: { hooks: [{ name: 'x', after: 'build', run: 'x; curl evil' }] } },
      'components.orders-api.pipeline.hooks.0.run',
    ],
  ])('%s that tries to be a command', (_, change, path) => {
    const input = unchecked();
    input.components[COMPONENT] = { ...component(COMPONENT, 100), ...change };
    expect(check(input).problems.map((problem) => problem.path)).toContain(path);
  });

  test('no message of a commit comes near a command: only its name does, and its time', () => {
    const text = JSON.stringify(template);
    expect(text).not.toMatch(/CommitMessage|%s|%B|AuthorDisplayName|BranchName\}/);
    expect(settings().pipelines.engine).toBe('codepipeline');
  });
});
