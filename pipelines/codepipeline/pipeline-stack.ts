import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { ArnFormat, CfnResource, Fn, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { waitForPolicyOnly } from '../../lib/linting.ts';
import { connectionParameter } from '../../lib/plan/pipeline-stacks.ts';
import { type InitializedPlan, ROLLOUT_PARAMETERS } from '../../lib/plan/plan.ts';
import { artifactBucketName, type Component, pipelineName, pipelineProjectName, pipelineStackName } from '../../lib/registry/index.ts';
import type { RolloutInput } from '../../lib/rollout/executions.ts';
import { HANDOVER, minutesOf, type PipelineVariable, type StepShell, shellOf } from '../commands.ts';
import { requirePipelineFits, requireTemplateFits } from '../engine-limits.ts';
import { type Grant, roleWith } from '../grants.ts';
import { type Pipeline, pipelineOf, type Step, stepsOf } from '../graph.ts';
import { type Hosting, requireHosting } from '../hosting.ts';
import { parameter } from '../parameter.ts';
import { Permissions } from '../permissions.ts';
import { type BuildSpec, buildProject } from './builds.ts';
import { HandoverPlace, pushTo, useConnection } from './shared-resources.ts';

type Action = codepipeline.CfnPipeline.ActionDeclarationProperty;
/** What is an action's own; its name and order come from the graph. */
type ActionBody = Omit<Action, 'name' | 'runOrder'>;
type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

/** What the source leaves: where CodeBuild clones from. */
const SOURCE = 'source';
/** What the build leaves: what is published. */
const BUILT = 'built';
/** Folder in the clone that is handed over, and that no repository has. */
const HANDOVER_FOLDER = '.cell-factory-handover';

/** CodeBuild makes a group of this name for the reports of the project, if there are any. */
const REPORTS = 'tests';

/** Who leaves a variable, by the namespace of its action. */
const LEFT_BY: Readonly<Record<PipelineVariable, string>> = { COMMIT: 'build', COMPONENT_VERSION: 'build', ROLLOUT: 'start' };

/**
 * What failed is tried once more, at once: CodeBuild refuses a build where the account's queue is full, which a new account's
 * soon is. Source: FailureConditions and RetryStageMetadata, AWS CodePipeline API Reference, read 2026-11-30.
 */
const TRY_AGAIN: codepipeline.CfnPipeline.FailureConditionsProperty = {
  result: 'RETRY',
  retryConfiguration: { retryMode: 'FAILED_ACTIONS' },
};

/**
 * Whether nobody is harmed by the step's being done again. Not a wave, which has failed for a reason that a person looks at,
 * nor what follows it; not an approval: who has said no would be asked again.
 */
const isRepeatable = (step: Step): boolean =>
  step.kind === 'build' || step.kind === 'publish' || step.kind === 'start' || (step.kind === 'hook' && step.wave === undefined);

/** `Pipeline-<component>`, in tooling: the graph of a component on CodePipeline. Each step is an action with a role of its own. */
export class PipelineStack extends Stack {
  private readonly plan: InitializedPlan;
  private readonly component: Component;
  private readonly hosting: Hosting;
  private readonly permissions: Permissions;
  private readonly connection: string;
  private readonly handover: HandoverPlace;
  private readonly logGroup: logs.LogGroup;
  private readonly role: iam.Role;

  /** @throws FactoryError `REPOSITORY_UNSUPPORTED`, `PIPELINE_TOO_LARGE` */
  constructor(scope: Construct, plan: InitializedPlan, component: Component) {
    super(scope, pipelineStackName(component.name), {
      env: { account: plan.tooling.accountId, region: plan.homeRegion },
      description: `Pipeline of ${component.name}`,
    });
    for (const [key, value] of Object.entries({ ...plan.tooling.tags, ...component.tags, component: component.name })) {
      Tags.of(this).add(key, value);
    }
    const graph = pipelineOf(plan, component);
    requirePipelineFits(graph);
    this.plan = plan;
    this.component = component;
    this.hosting = requireHosting(plan, component);
    this.permissions = new Permissions(this, plan, component);
    this.connection = parameter(this, connectionParameter(this.hosting.provider.name));
    this.handover = new HandoverPlace(this, pipelineName(component.name));
    this.logGroup = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    this.role = roleWith(this, 'Role', {
      description: `Hands the steps of ${component.name} to their own roles`,
      assumedBy: new iam.ServicePrincipal('codepipeline.amazonaws.com'),
      grants: this.handover.write,
    });
    this.createPipeline(graph);
    // Here already: the CDK itself would end the synthesis without saying what to do about it.
    const made = this.node.findAll().filter(CfnResource.isCfnResource);
    const counted = made.map((each) => [each.node.path, { Type: each.cfnResourceType }] as const);
    requireTemplateFits(this.stackName, { Resources: Object.fromEntries(counted) });
  }

  private createPipeline(graph: Pipeline): void {
    const stages = graph.stages.map(({ name, groups }) => ({
      name,
      actions: groups.flatMap((group, index) => group.map((step) => ({ name: step.name, runOrder: index + 1, ...this.action(step) }))),
      ...(groups.flat().every(isRepeatable) ? { onFailure: TRY_AGAIN } : {}),
    }));
    // Apart from the role: the roles of actions trust it, and it names them.
    this.role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['sts:AssumeRole'],
        resources: stages.flatMap(({ actions }) => actions.flatMap(({ roleArn }) => (roleArn === undefined ? [] : [roleArn]))),
      }),
    );
    const pipeline = new codepipeline.CfnPipeline(this, 'Pipeline', {
      name: pipelineName(this.component.name),
      pipelineType: 'V2',
      // The newest commit that waits before a stage goes next: bakes of hours must not queue a week of commits.
      executionMode: 'SUPERSEDED',
      roleArn: this.role.roleArn,
      artifactStore: { type: 'S3', location: this.handover.bucket, encryptionKey: { type: 'KMS', id: this.handover.key } },
      triggers: stepsOf(graph).flatMap((step) => (step.kind === 'source' ? [pushTo(step.name, step.repository.branch, step.paths)] : [])),
      stages,
    });
    waitForPolicyOnly(pipeline, this.role);
  }

  private action(step: Step): ActionBody {
    switch (step.kind) {
      case 'source':
        return this.source(step);
      case 'approval':
        return {
          actionTypeId: typeOf('Approval', 'Manual'),
          configuration: { CustomData: `${this.component.name} #{build.COMPONENT_VERSION}, commit #{build.COMMIT}: ${step.name}` },
        };
      case 'wave':
        return this.wave(step);
      default:
        return this.build(step);
    }
  }

  /** The trigger starts the pipeline; the action must not do so on its own, for commits that the filters leave out. */
  private source({ repository }: Of<'source'>): ActionBody {
    return {
      actionTypeId: typeOf('Source', 'CodeStarSourceConnection'),
      configuration: {
        ConnectionArn: this.connection,
        FullRepositoryId: this.hosting.id,
        BranchName: repository.branch,
        DetectChanges: 'false',
        // A whole clone: versions come from the history.
        OutputArtifactFormat: 'CODEBUILD_CLONE_REF',
      },
      outputArtifacts: [{ name: SOURCE }],
      roleArn: this.actionRole('source', [useConnection(this.connection), ...this.handover.write]),
    };
  }

  /** A step in CodeBuild: exactly the shell that it has on every engine. */
  private build(step: Of<'build' | 'publish' | 'start' | 'hook'>): ActionBody {
    const shell = shellOf(step);
    const isBuild = step.kind === 'build';
    const isPublish = step.kind === 'publish';
    const project = buildProject(this, `Project-${step.name}`, {
      projectName: pipelineProjectName(this.component.name, step.name),
      description: `Step ${step.name} of the pipeline of ${this.component.name}`,
      spec: this.specOf(step, shell),
      environment: {
        COMPONENT: this.component.name,
        CELL_FACTORY_ORGANIZATION: `s3://${this.plan.registryBucket}`,
        ...(isPublish ? { ARTIFACT_BUCKET: this.artifactBucket(this.plan.homeRegion) } : {}),
      },
      grants: [useConnection(this.connection), ...(isBuild ? this.handover.write : this.handover.read), ...this.grantsOf(step)],
      minutes: minutesOf(step) ?? 0,
      containers: this.hasImages && (isBuild || isPublish),
      logGroup: this.logGroup,
      key: this.handover.key,
    });
    const { takes, leaves } = shell;
    const variables = takes.map((name) => ({ name, value: `#{${LEFT_BY[name]}.${name}}`, type: 'PLAINTEXT' }));
    const inputs = [SOURCE, ...(isPublish ? [BUILT] : [])];
    return {
      actionTypeId: typeOf(step.kind === 'hook' ? 'Test' : 'Build', 'CodeBuild'),
      configuration: {
        ProjectName: project.ref,
        ...(inputs.length === 1 ? {} : { PrimarySource: SOURCE }),
        ...(variables.length === 0 ? {} : { EnvironmentVariables: JSON.stringify(variables) }),
      },
      inputArtifacts: inputs.map((name) => ({ name })),
      ...(isBuild ? { outputArtifacts: [{ name: BUILT }] } : {}),
      ...(leaves.length === 0 ? {} : { namespace: step.name }),
      roleArn: this.actionRole(step.name, [
        { actions: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds', 'codebuild:StopBuild'], resources: [project.attrArn] },
        ...(isBuild ? this.handover.write : this.handover.read),
      ]),
    };
  }

  private specOf(step: Of<'build' | 'publish' | 'start' | 'hook'>, { lines, leaves }: StepShell): BuildSpec {
    const { path } = this.component.repository;
    const enter = `cd "./${path}"`;
    switch (step.kind) {
      case 'build':
        return {
          lines: [enter, ...lines, `HANDOVER="$CODEBUILD_SRC_DIR/${HANDOVER_FOLDER}"`, ...HANDOVER.pack],
          leaves,
          artifact: HANDOVER_FOLDER,
          reports: { group: REPORTS, folder: path, files: 'reports/*.xml' },
        };
      case 'publish':
        return { lines: [enter, `HANDOVER="$CODEBUILD_SRC_DIR_${BUILT}"`, ...HANDOVER.unpack, ...lines], leaves };
      default:
        return { lines: [enter, ...lines], leaves };
    }
  }

  /**
   * One wave: the machine that drives rollouts, told to go no further than this wave; for each of its waves it runs RunWave.
   * It owns locks, bakes and going back; the pipeline only waits for it.
   */
  private wave({ name, wave }: Of<'wave'>): ActionBody {
    const machine = parameter(this, ROLLOUT_PARAMETERS.machine);
    const executions = this.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${Fn.select(6, Fn.split(':', machine))}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return {
      actionTypeId: typeOf('Invoke', 'StepFunctions'),
      configuration: { StateMachineArn: machine, InputType: 'Literal', Input: inputOf(wave) },
      roleArn: this.actionRole(name, [
        { actions: ['states:StartExecution', 'states:DescribeStateMachine'], resources: [machine] },
        { actions: ['states:DescribeExecution'], resources: [executions], why: 'Every run of the action is an execution of its own.' },
      ]),
    };
  }

  /** What the step does besides running: in CodeBuild, by the project's role. */
  private grantsOf(step: Of<'build' | 'publish' | 'start' | 'hook'>): readonly Grant[] {
    const group = `${pipelineProjectName(this.component.name, step.name)}-${REPORTS}`;
    switch (step.kind) {
      case 'build':
        return [
          {
            actions: ['CreateReportGroup', 'CreateReport', 'UpdateReport', 'BatchPutTestCases'].map((action) => `codebuild:${action}`),
            resources: [this.formatArn({ service: 'codebuild', resource: 'report-group', resourceName: group })],
          },
        ];
      case 'hook':
        // Before a wave it is a target of the Makefile, and asks nobody.
        return step.wave === undefined ? [] : this.permissions.hook();
      default:
        return this.permissions[step.kind]();
    }
  }

  /** Foundations are templates, and nothing else. */
  private get hasImages(): boolean {
    return this.component.kind !== 'foundation';
  }

  private actionRole(step: string, grants: readonly Grant[]): string {
    return roleWith(this, `Action-${step}`, {
      description: `Action ${step} of the pipeline of ${this.component.name}`,
      assumedBy: new iam.ArnPrincipal(this.role.roleArn),
      grants,
    }).roleArn;
  }

  private artifactBucket(region: string): string {
    return artifactBucketName(this.plan.organization, this.plan.tooling.accountId, region);
  }
}

const typeOf = (category: string, provider: string) => ({ category, owner: 'AWS', provider, version: '1' });

/** What the machine is given; ids of rollout and execution are put in by CodePipeline. */
const inputOf = ({ number, approved, last }: Of<'wave'>['wave']): string =>
  JSON.stringify({
    rollout: `#{${LEFT_BY.ROLLOUT}.ROLLOUT}`,
    // The operator asks CodePipeline how the execution is, before it begins a wave and between two.
    stage: { through: number, approved, last, execution: '#{codepipeline.PipelineExecutionId}' },
  } satisfies RolloutInput);
