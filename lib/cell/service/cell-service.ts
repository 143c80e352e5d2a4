import * as scaling from 'aws-cdk-lib/aws-applicationautoscaling';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { CfnParameter, Duration, Fn, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { CELL_PARAMETERS, type CellParameter, PROBE_PARAMETERS, SERVICE_PORT } from '../../plan/cell-parameters.ts';
import { componentErrorsAlarmName } from '../../registry/names.ts';
import { tagResources } from '../tagging.ts';

/** Namespace of the metrics that are made of components' logs. */
const METRIC_NAMESPACE = 'Cell';

/** Share of errors from which on a component is not well, in percent. */
const ERRORS_PERCENT = 5;

/** Seconds before a new task's health counts, where a component doesn't say. ECS's own default is 0: no start is that quick. */
const HEALTH_CHECK_GRACE_SECONDS = 60;

/** Errors in a minute that are too few to speak of a share. The probe alone makes five requests: when all fail, it must show. */
const FEW_ERRORS = 3;

export interface CellServiceProps {
  /** Name of the component, as the registry has it. */
  readonly component: string;
  /** Path pattern that the load balancer sends to the service, e.g. `/orders*`. @default - no requests reach it: it takes its work elsewhere, as from a queue */
  readonly path?: string;
  /** Path of the load balancer's health check; it must answer 200. @default '/health' */
  readonly healthPath?: string;
  /**
   * How long a new task may take before the load balancer's health check counts, in seconds, 0 to 2,147,483,647. ECS ends a
   * task that fails it twice, and begins another: with too little, a service that starts slowly never starts. Only with
   * `path`. @default 60
   */
  readonly healthCheckGraceSeconds?: number;
  /** Path that the cell's probe asks for; it must answer below 400. Only with `path`. @default - `path` without its wildcard */
  readonly probePath?: string;
  /** More environment variables. Secrets don't belong here. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A Fargate service for *any* cell. The template it yields names no account, no region and no asset: it finds its cell
 * through SSM parameters (`/cell/...`) and takes `ImageUri`, `Version` and, with a path, `ListenerPriority` as parameters, so
 * the same bytes are deployed everywhere.
 */
export class CellService extends Construct {
  readonly taskRole: iam.Role;
  private readonly props: CellServiceProps;
  private readonly version: string;

  constructor(scope: Construct, id: string, props: CellServiceProps) {
    super(scope, id);
    this.props = props;
    this.taskRole = this.createTaskRole();
    this.version = this.parameter('Version', 'String', 'Version of the component').valueAsString;
    tagResources(Stack.of(this), { component: props.component, cell: this.cell('name'), version: this.version });
    const definition = this.createTaskDefinition(this.createLog());
    this.scale(props.path === undefined ? this.createService(definition) : this.createReachable(definition, props.path));
    this.watch();
  }

  /** A value of the cell that the service is deployed to. */
  cell(parameter: Exclude<CellParameter, 'privateSubnetIds'>): string {
    return ssm.StringParameter.valueForStringParameter(Stack.of(this), CELL_PARAMETERS[parameter]);
  }

  private parameter(name: string, type: 'String' | 'Number', description: string): CfnParameter {
    return new CfnParameter(Stack.of(this), name, { type, description });
  }

  /** What the code may do: use the cell's queue, and read the passwords of its database and cache. Nothing in other cells has these names. */
  private createTaskRole(): iam.Role {
    const role = new iam.Role(this, 'TaskRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
        resources: [this.cell('queueArn')],
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [this.cell('databaseSecretArn'), this.cell('cacheSecretArn')],
      }),
    );
    // Queue and secrets are encrypted by the cell's key.
    role.addToPolicy(new iam.PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [this.cell('keyArn')] }));
    return role;
  }

  /** What ECS may do to start a task: pull this component's image, wherever in the organization its repository is, and write its log. */
  private createExecutionRole(logGroup: logs.LogGroup): iam.Role {
    const role = new iam.Role(this, 'ExecutionRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    const repositories = Stack.of(this).formatArn({
      service: 'ecr',
      account: '*',
      resource: 'repository',
      resourceName: this.props.component,
    });
    role.addToPolicy(new iam.PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [repositories],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM, not of TypeScript
        conditions: { StringEquals: { 'aws:ResourceOrgID': '${aws:PrincipalOrgID}' } },
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
    );
    Validations.of(role).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'ecr:GetAuthorizationToken knows no resource.' },
      {
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/${this.props.component}]`,
        reason:
          'Images are in the tooling account, whose number a component must not know: the condition keeps it to the organization, the name to this component.',
      },
    );
    return role;
  }

  /**
   * The service's log, and of its lines two metrics that carry the cell's name. A line is an object of JSON with `cell`,
   * `component`, and `event`: `request`, or `error`.
   */
  private createLog(): logs.LogGroup {
    const logGroup = new logs.LogGroup(this, 'Log', {
      encryptionKey: kms.Key.fromKeyArn(this, 'Key', this.cell('keyArn')),
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const [id, event] of [
      ['Requests', 'request'],
      ['Errors', 'error'],
    ] as const) {
      logGroup.addMetricFilter(id, {
        filterPattern: logs.FilterPattern.stringValue('$.event', '=', event),
        metricNamespace: METRIC_NAMESPACE,
        metricName: id,
        metricValue: '1',
        unit: cloudwatch.Unit.COUNT,
        dimensions: { cell: '$.cell', component: '$.component' },
      });
    }
    return logGroup;
  }

  private createTaskDefinition(logGroup: logs.LogGroup): ecs.CfnTaskDefinition {
    const { component, environment } = this.props;
    const imageUri = this.parameter('ImageUri', 'String', 'Image of the service, by digest where there is one').valueAsString;
    const variables: Record<string, string> = {
      ...environment,
      CELL_NAME: this.cell('name'),
      CELL_STAGE: this.cell('stage'),
      CELL_REGION: Stack.of(this).region,
      CELL_ENDPOINT: this.cell('endpoint'),
      COMPONENT: component,
      COMPONENT_VERSION: this.version,
      PORT: String(SERVICE_PORT),
      DATABASE_HOST: this.cell('databaseHost'),
      DATABASE_PORT: this.cell('databasePort'),
      DATABASE_NAME: this.cell('databaseName'),
      DATABASE_SECRET_ARN: this.cell('databaseSecretArn'),
      CACHE_HOST: this.cell('cacheHost'),
      CACHE_PORT: this.cell('cachePort'),
      CACHE_SECRET_ARN: this.cell('cacheSecretArn'),
      QUEUE_URL: this.cell('queueUrl'),
    };
    const definition = new ecs.CfnTaskDefinition(this, 'Task', {
      family: component,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: this.cell('serviceCpu'),
      memory: this.cell('serviceMemory'),
      runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      taskRoleArn: this.taskRole.roleArn,
      executionRoleArn: this.createExecutionRole(logGroup).roleArn,
      containerDefinitions: [
        {
          name: component,
          image: imageUri,
          essential: true,
          readonlyRootFilesystem: true,
          portMappings: [{ containerPort: SERVICE_PORT }],
          environment: Object.entries(variables).map(([name, value]) => ({ name, value })),
          logConfiguration: {
            logDriver: 'awslogs',
            options: {
              'awslogs-group': logGroup.logGroupName,
              'awslogs-region': Stack.of(this).region,
              'awslogs-stream-prefix': component,
            },
          },
        },
      ],
    });
    Validations.of(definition).acknowledge(
      {
        id: 'AwsSolutions-ECS2',
        reason: 'Names and addresses of the cell, no secrets: the password is read from Secrets Manager by the code.',
      },
      {
        id: 'CloudFormation-Validate::E3048',
        reason:
          "It takes the name of the SSM parameter for the value. What is in it comes from the cell's size, which a rule of the registry checks.",
      },
    );
    return definition;
  }

  private createTargetGroup(): elb.CfnTargetGroup {
    return new elb.CfnTargetGroup(this, 'Targets', {
      vpcId: this.cell('vpcId'),
      targetType: 'ip',
      protocol: 'HTTP',
      port: SERVICE_PORT,
      healthCheckPath: this.props.healthPath ?? '/health',
      healthCheckIntervalSeconds: 10,
      healthyThresholdCount: 2,
      targetGroupAttributes: [{ key: 'deregistration_delay.timeout_seconds', value: String(Duration.seconds(30).toSeconds()) }],
    });
  }

  /** The service behind the cell's load balancer, and known to its probe. */
  private createReachable(definition: ecs.CfnTaskDefinition, path: string): ecs.CfnService {
    const targets = this.createTargetGroup();
    const rule = this.createListenerRule(targets, path);
    const service = this.createService(definition, targets);
    service.addResourceDependency(rule);
    this.haveProbed(path);
    return service;
  }

  /** By CloudFormation resource: `addTargets` throws on a listener that another stack owns. */
  private createListenerRule(targets: elb.CfnTargetGroup, path: string): elb.CfnListenerRule {
    return new elb.CfnListenerRule(this, 'Rule', {
      listenerArn: this.cell('listenerArn'),
      priority: this.parameter('ListenerPriority', 'Number', "Priority of the listener rule, from the component's registry entry")
        .valueAsNumber,
      conditions: [{ field: 'path-pattern', pathPatternConfig: { values: [path] } }],
      actions: [{ type: 'forward', targetGroupArn: targets.ref }],
    });
  }

  private createService(definition: ecs.CfnTaskDefinition, targets?: elb.CfnTargetGroup): ecs.CfnService {
    // Two or three zones: the subnets stay a list, whatever its length.
    const subnets = ssm.StringListParameter.valueForTypedListParameter(Stack.of(this), CELL_PARAMETERS.privateSubnetIds);
    return new ecs.CfnService(this, 'Service', {
      serviceName: this.props.component,
      cluster: this.cell('clusterName'),
      taskDefinition: definition.ref,
      launchType: 'FARGATE',
      // No desired count: scaling keeps it, and a deployment must not set it back.
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        // Without it, a bad image takes CloudFormation three hours to give up on.
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      networkConfiguration: {
        awsvpcConfiguration: { assignPublicIp: 'DISABLED', subnets, securityGroups: [this.cell('serviceSecurityGroupId')] },
      },
      ...(targets
        ? {
            loadBalancers: [{ containerName: this.props.component, containerPort: SERVICE_PORT, targetGroupArn: targets.ref }],
            healthCheckGracePeriodSeconds: this.props.healthCheckGraceSeconds ?? HEALTH_CHECK_GRACE_SECONDS,
          }
        : {}),
      propagateTags: 'SERVICE',
      enableEcsManagedTags: true,
    });
  }

  /** As many tasks as the load asks for, within what the cell's size allows. */
  private scale(service: ecs.CfnService): void {
    const target = new scaling.CfnScalableTarget(this, 'Scaling', {
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: Fn.join('/', ['service', this.cell('clusterName'), service.attrName]),
      minCapacity: Token.asNumber(this.cell('serviceMinTasks')),
      maxCapacity: Token.asNumber(this.cell('serviceMaxTasks')),
    });
    new scaling.CfnScalingPolicy(this, 'ScalingByCpu', {
      policyName: `${this.props.component}-cpu`,
      policyType: 'TargetTrackingScaling',
      scalingTargetId: target.ref,
      targetTrackingScalingPolicyConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: 'ECSServiceAverageCPUUtilization' },
        // What is left carries a zone's share while its tasks start elsewhere.
        targetValue: 60,
        scaleOutCooldown: 60,
        scaleInCooldown: 300,
      },
    });
  }

  /** An alarm of the component's own, by which a rollout of it is judged besides the cell's. */
  private watch(): void {
    const { component } = this.props;
    const period = Duration.minutes(1);
    const count = (metricName: string) =>
      new cloudwatch.Metric({
        namespace: METRIC_NAMESPACE,
        metricName,
        statistic: 'Sum',
        period,
        dimensionsMap: { cell: this.cell('name'), component },
      });
    new cloudwatch.Alarm(this, 'ErrorsAlarm', {
      alarmName: componentErrorsAlarmName(this.cell('name'), component),
      alarmDescription:
        `More than ${ERRORS_PERCENT} % of what ${component} did in this cell were errors. ` +
        'Without data: nothing is logged while nothing happens; that it answers at all is the business of the cell and its probe.',
      metric: new cloudwatch.MathExpression({
        // What works off a queue has errors and no requests: all of it failed, then. MAX leaves out what has no value.
        expression: `IF(errors > ${FEW_ERRORS}, 100 * errors / MAX([errors, requests]), 0)`,
        usingMetrics: { errors: count('Errors'), requests: count('Requests') },
        period,
        label: 'share of errors in %',
      }),
      threshold: ERRORS_PERCENT,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: 2,
      evaluationPeriods: 3,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }

  /** Tells the cell's probe what to ask for. */
  private haveProbed(path: string): void {
    const { component, probePath = path.replace(/[*?].*$/, '') } = this.props;
    new ssm.StringParameter(this, 'ProbePath', { parameterName: `${PROBE_PARAMETERS}/${component}`, stringValue: probePath || '/' });
  }
}
