import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { ArnFormat, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { deployRole, filePublishingRole, OPERATOR_ROLE, ROLLOUT_ROLE } from '../aws/roles.ts';
import { acknowledgeWildcards, waitForPolicyOnly } from '../linting.ts';
import { packageRoot } from '../package-root.ts';
import { CONTROL_STACKS, foundationComponent, type InitializedPlan, ROLLOUT_PARAMETERS } from '../plan/plan.ts';
import { artifactBucketName, FactoryError, pipelineName } from '../registry/index.ts';
import { POINTER_KEY, REVISIONS } from '../registry/pointer.ts';
import { type Blank, definitionOf, type Machine, rollout, runWave, watchAfter, watchBetween } from './machines.ts';
import { RolloutEvents } from './rollout-events.ts';

/** Where `npm run build` puts the operator, with all it imports, as one file. */
const OPERATOR_CODE = 'dist/operator';

/** `Rollouts`, in tooling: the table of rollouts, the operator, and the state machines that call it. */
export class RolloutsStack extends Stack {
  private readonly plan: InitializedPlan;
  private readonly bucket: s3.IBucket;
  readonly table: dynamodb.Table;

  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, CONTROL_STACKS.rollouts, {
      env: { account: plan.tooling.accountId, region: plan.homeRegion },
      description: `Rollouts of ${plan.organization}`,
      terminationProtection: true,
    });
    this.plan = plan;
    this.bucket = s3.Bucket.fromBucketName(this, 'Bucket', artifactBucketName(plan.organization, plan.tooling.accountId, plan.homeRegion));
    this.table = this.createTable();
    const code = operatorCode();
    const operator = this.createOperator(code);
    const runWaveMachine = this.createRunWave(operator);
    const watchAfterMachine = this.createMachine('WatchAfter', watchAfter(), operator, {});
    const watchBetweenMachine = this.createMachine('WatchBetween', watchBetween(), operator, {});
    const rolloutMachine = this.createRollout(operator, {
      RunWave: runWaveMachine,
      WatchAfter: watchAfterMachine,
      WatchBetween: watchBetweenMachine,
    });
    // Apart from its role's own policy: each of the two machines starts the other.
    watchBetweenMachine.role.attachInlinePolicy(
      new iam.Policy(this, 'TakeOn', { statements: [allow(['states:StartExecution'], [rolloutMachine.stateMachineArn])] }),
    );
    // Apart from the role's own policy: machine, function and role would wait for each other.
    const executions = executionsOf(this, rolloutMachine);
    const policy = new iam.Policy(this, 'LookAtExecutions', { statements: [allow(['states:DescribeExecution'], [executions])] });
    operator.role?.attachInlinePolicy(policy);
    acknowledgeWildcards(policy, [executions], 'Every run of a rollout is an execution.');
    const pipelines = this.formatArn({ service: 'codepipeline', resource: pipelineName('*') });
    const look = new iam.Policy(this, 'LookAtPipelines', { statements: [allow(['codepipeline:GetPipelineExecution'], [pipelines])] });
    operator.role?.attachInlinePolicy(look);
    acknowledgeWildcards(look, [pipelines], 'Components come and go; of their pipelines it only asks how they are.');
    new RolloutEvents(this, 'Events', {
      table: this.table,
      bucket: this.bucket,
      machine: rolloutMachine,
      code,
      notifications: plan.notifications,
    });
    for (const [name, value] of [
      ['table', this.table.tableName],
      ['machine', rolloutMachine.stateMachineArn],
      ['runWave', runWaveMachine.stateMachineArn],
    ] as const) {
      new ssm.StringParameter(this, `Parameter-${name}`, { parameterName: ROLLOUT_PARAMETERS[name], stringValue: value });
    }
  }

  private createTable(): dynamodb.Table {
    return new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      // What is written here is told: `RolloutEvents`.
      stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private createOperator(code: lambda.Code): lambda.Function {
    const logGroup = this.createLog('OperatorLog');
    const role = new iam.Role(this, 'OperatorRole', {
      // Cells trust this name: it must be known before the role is made.
      roleName: OPERATOR_ROLE,
      description: 'The cell operator: the only one that may roll out to cells',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    // Foundations take more: who can change them can do anything in a cell.
    const foundations = foundationComponent(this.plan) ? [deployRole('*', '*'), filePublishingRole('*', '*')] : [];
    const cells = [ROLLOUT_ROLE, ...foundations].map((resourceName) =>
      this.formatArn({ service: 'iam', region: '', account: '*', resource: 'role', resourceName }),
    );
    role.addToPolicy(allow(['sts:AssumeRole'], cells, { StringEquals: { 'aws:ResourceOrgID': this.plan.organizationId } }));
    role.addToPolicy(
      allow(
        // The last is what a transaction takes for an item that it leaves alone.
        ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'ConditionCheckItem'].map((action) => `dynamodb:${action}`),
        [this.table.tableArn],
      ),
    );
    const [artifacts, records] = [this.bucket.arnForObjects('artifacts/*'), this.bucket.arnForObjects('rollouts/*')];
    role.addToPolicy(allow(['s3:GetObject'], [artifacts, records]));
    role.addToPolicy(allow(['s3:PutObject'], [records]));
    // Which cells a newer revision has cordoned is read live. No list: revisions are never missing.
    const registry = s3.Bucket.fromBucketName(this, 'Registry', this.plan.registryBucket);
    const revisions = registry.arnForObjects(`${REVISIONS}*`);
    role.addToPolicy(allow(['s3:GetObject'], [registry.arnForObjects(POINTER_KEY), revisions]));
    // Without it, S3 answers "forbidden" for an object that isn't there.
    role.addToPolicy(allow(['s3:ListBucket'], [this.bucket.bucketArn]));
    role.addToPolicy(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]));
    acknowledgeWildcards(role, cells, 'Cells are accounts that come and go; the condition keeps it inside the organization.');
    acknowledgeWildcards(role, [revisions], 'Every publication is a revision of its own.');
    acknowledgeWildcards(role, [artifacts, records], 'Every rollout and every version is a folder of its own.');
    const operator = new lambda.Function(this, 'Operator', {
      description: 'Acts in cells for rollouts',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code,
      role,
      logGroup,
      // A look at hundreds of cells is the longest step; no step waits.
      timeout: Duration.minutes(5),
      memorySize: 512,
      environment: {
        ROLLOUTS_TABLE: this.table.tableName,
        ARTIFACTS_BUCKET: this.bucket.bucketName,
        REGISTRY_BUCKET: this.plan.registryBucket,
      },
    });
    waitForPolicyOnly(operator, role);
    return operator;
  }

  private createRunWave(operator: lambda.IFunction): sfn.StateMachine {
    const machine = this.createMachine('RunWave', runWave(), operator, {});
    // An execution of the map's is called after machine and map run: `<machine>/<label>:<id>`.
    const children = ['/*', ':*'].map((rest) =>
      this.formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${machine.stateMachineName}${rest}`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    const lists = this.bucket.arnForObjects('rollouts/*');
    const policy = new iam.Policy(this, 'FanOut', {
      roles: [machine.role],
      statements: [
        // A distributed map starts executions of its own machine.
        allow(['states:StartExecution'], [machine.stateMachineArn]),
        allow(['states:DescribeExecution', 'states:StopExecution'], children),
        allow(['s3:GetObject'], [lists]),
      ],
    });
    acknowledgeWildcards(policy, [...children, lists], 'Executions and lists of cells are made as rollouts go.');
    return machine;
  }

  private createRollout(
    operator: lambda.IFunction,
    started: Readonly<Record<'RunWave' | 'WatchAfter' | 'WatchBetween', sfn.StateMachine>>,
  ): sfn.StateMachine {
    const arns = Object.fromEntries(Object.entries(started).map(([name, { stateMachineArn }]) => [name, stateMachineArn]));
    const machine = this.createMachine('Rollout', rollout(), operator, arns);
    const waves = executionsOf(this, started.RunWave);
    // Step Functions hears of the end of a child by a rule of this name. Source: "Manage AWS Step Functions executions as an integrated service".
    const rule = this.formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
    });
    const policy = new iam.Policy(this, 'RunWaves', {
      roles: [machine.role],
      statements: [
        allow(['states:StartExecution'], Object.values(arns)),
        allow(['states:DescribeExecution', 'states:StopExecution'], [waves]),
        allow(['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], [rule]),
      ],
    });
    acknowledgeWildcards(policy, [waves], 'Every attempt at a wave is an execution.');
    return machine;
  }

  private createMachine(
    id: string,
    definition: Machine,
    operator: lambda.IFunction,
    more: Partial<Record<Blank, string>>,
  ): sfn.StateMachine {
    const role = new iam.Role(this, `${id}Role`, { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
    const machine = new sfn.StateMachine(this, id, {
      comment: definition.Comment,
      // Not by CloudFormation's own substitutions: cfn-lint takes a partition that is left open for a mistake.
      definitionBody: sfn.DefinitionBody.fromString(
        definitionOf(definition, {
          Partition: this.partition,
          Operator: operator.functionArn,
          Bucket: this.bucket.bucketName,
          ...more,
        }),
      ),
      role,
      // What went on stands in the table; here only how it went, without the data.
      logs: { destination: this.createLog(`${id}Log`, '/aws/vendedlogs/states/'), level: sfn.LogLevel.ALL, includeExecutionData: false },
      tracingEnabled: true,
    });
    role.addToPolicy(allow(['lambda:InvokeFunction'], [operator.functionArn]));
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray and the delivery of logs know no resource.',
    });
    waitForPolicyOnly(machine, role);
    return machine;
  }

  /** @param folder a name below it lets Step Functions write without a policy that grows with every machine */
  private createLog(id: string, folder?: string): logs.LogGroup {
    return new logs.LogGroup(this, id, {
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(folder === undefined ? {} : { logGroupName: `${folder}${this.stackName}-${id}` }),
    });
  }
}

/** @throws FactoryError `SYNTH_FAILED` before it was built */
function operatorCode(): lambda.Code {
  const code = join(packageRoot(), OPERATOR_CODE);
  if (!existsSync(code)) throw new FactoryError('SYNTH_FAILED', `there is no ${OPERATOR_CODE}`, { fix: 'run `make build`' });
  return lambda.Code.fromAsset(code);
}

const allow = (actions: string[], resources: string[], conditions?: Record<string, unknown>) =>
  new iam.PolicyStatement({ actions, resources, ...(conditions ? { conditions } : {}) });

const executionsOf = (stack: Stack, machine: sfn.StateMachine): string =>
  stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${machine.stateMachineName}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
