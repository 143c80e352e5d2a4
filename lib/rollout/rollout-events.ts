import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { acknowledgeWildcards, waitForPolicyOnly } from '../linting.ts';
import type { Plan } from '../plan/plan.ts';
import { EVENT_BUS } from './event.ts';
import { planKey } from './rollout-record.ts';
import { addWebhook } from './rollout-webhooks.ts';

export interface RolloutEventsProps {
  /** With a stream of old and new images. */
  readonly table: dynamodb.Table;
  /** Where rollouts' plans are. */
  readonly bucket: s3.IBucket;
  /** The machine that drives rollouts. */
  readonly machine: sfn.IStateMachine;
  readonly code: lambda.Code;
  /** Who is told. */
  readonly notifications: Plan['notifications'];
}

/**
 * The bus that is told of every change of a rollout, and the function that tells it. The function hears of changes from the
 * table's stream, so that whoever writes there, a person or the operator, needs no power over the bus.
 */
export class RolloutEvents extends Construct {
  constructor(scope: Construct, id: string, { table, bucket, machine, code, notifications }: RolloutEventsProps) {
    super(scope, id);
    const bus = new events.EventBus(this, 'Bus', { eventBusName: EVENT_BUS, description: 'What becomes of rollouts: docs/events.md' });
    const role = new iam.Role(this, 'Role', {
      description: 'Tells the bus what becomes of rollouts',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const logGroup = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    const plans = bucket.arnForObjects(planKey('*'));
    for (const [action, resource] of [
      ['events:PutEvents', bus.eventBusArn],
      ['dynamodb:GetItem', table.tableArn],
      ['s3:GetObject', plans],
      // Without it, S3 answers "forbidden" for an object that isn't there.
      ['s3:ListBucket', bucket.bucketArn],
      ['logs:CreateLogStream', logGroup.logGroupArn],
      ['logs:PutLogEvents', logGroup.logGroupArn],
    ] as const) {
      role.addToPolicy(new iam.PolicyStatement({ actions: [action], resources: [resource] }));
    }
    acknowledgeWildcards(role, [plans], 'Every rollout is a folder of its own.');
    Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason: 'ListStreams knows no resource.' });
    const teller = new lambda.Function(this, 'Function', {
      description: 'Tells the bus what becomes of rollouts',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.tell',
      code,
      role,
      logGroup,
      timeout: Duration.minutes(1),
      memorySize: 256,
      environment: { EVENT_BUS: bus.eventBusName, ROLLOUTS_TABLE: table.tableName, ARTIFACTS_BUCKET: bucket.bucketName },
    });
    waitForPolicyOnly(teller, role);
    const untold = this.createQueue();
    const written = (Keys: object) => lambda.FilterCriteria.filter({ dynamodb: { Keys } });
    teller.addEventSource(
      // The CDK's interface and class disagree about what is left out and what is undefined.
      new DynamoEventSource(table as dynamodb.ITable, {
        startingPosition: lambda.StartingPosition.TRIM_HORIZON,
        filters: [
          written({ sk: { S: lambda.FilterRule.isEqual('record') } }),
          written({ sk: { S: lambda.FilterRule.beginsWith('wave#') } }),
        ],
        batchSize: 10,
        bisectBatchOnError: true,
        // Longer than a stream keeps them, there is nothing to tell.
        maxRecordAge: Duration.days(1),
        onFailure: new SqsDlq(untold),
      }),
    );
    new events.Rule(this, 'Ended', {
      description: 'An execution of a rollout that has ended, perhaps without a word',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [machine.stateMachineArn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [new targets.LambdaFunction(teller, { deadLetterQueue: untold, maxEventAge: Duration.days(1) })],
    });
    for (const [name, webhook] of Object.entries(notifications.webhooks)) addWebhook(this, name, webhook, bus as events.IEventBus, untold);
  }

  /** What could not be told, with the reason. */
  private createQueue(): sqs.Queue {
    const queue = new sqs.Queue(this, 'Untold', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is the queue of dead letters.' });
    return queue;
  }
}
