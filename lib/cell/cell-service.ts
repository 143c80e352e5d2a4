import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { CfnParameter, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { CELL_PARAMETERS, type CellParameter, SERVICE_PORT } from './parameters.ts';
import { tagResources } from './tagging.ts';

export interface CellServiceProps {
  /** Name of the component, as the registry has it. */
  readonly component: string;
  /** Path pattern that the load balancer sends to the service, e.g. `/orders*`. */
  readonly path: string;
  /** Path of the health check; it must answer 200. @default '/health' */
  readonly healthPath?: string;
  /** Processor units of a task, 1,024 to a core. @default 256 */
  readonly cpu?: number;
  /** Memory of a task, in MiB. @default 512 */
  readonly memoryMiB?: number;
  /** Tasks that run in every cell. @default 2 - one may fail, or be replaced, without an outage */
  readonly tasks?: number;
  /** More environment variables. Secrets don't belong here. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A Fargate service for *any* cell. The template it yields names no account, no region and no asset: it finds its cell
 * through SSM parameters (`/cell/...`) and takes `ImageUri`, `Version` and `ListenerPriority` as parameters, so the same
 * bytes are deployed everywhere.
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
    const targets = this.createTargetGroup();
    const rule = this.createListenerRule(targets);
    this.createService(this.createTaskDefinition(), targets).addResourceDependency(rule);
  }

  /** A value of the cell that the service is deployed to. */
  cell(parameter: Exclude<CellParameter, 'privateSubnetIds'>): string {
    return ssm.StringParameter.valueForStringParameter(Stack.of(this), CELL_PARAMETERS[parameter]);
  }

  private parameter(name: string, type: 'String' | 'Number', description: string): CfnParameter {
    return new CfnParameter(Stack.of(this), name, { type, description });
  }

  /** What the code may do: use the cell's queue and read the passwords of its database and cache. Nothing in other cells has these names. */
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

  private createTaskDefinition(): ecs.CfnTaskDefinition {
    const { component, environment, cpu = 256, memoryMiB = 512 } = this.props;
    const imageUri = this.parameter('ImageUri', 'String', 'Image of the service, by digest where there is one').valueAsString;
    const logGroup = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    const variables: Record<string, string> = {
      ...environment,
      CELL_NAME: this.cell('name'),
      CELL_STAGE: this.cell('stage'),
      CELL_REGION: Stack.of(this).region,
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
      cpu: String(cpu),
      memory: String(memoryMiB),
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
    Validations.of(definition).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'Names and addresses of the cell, no secrets: the password is read from Secrets Manager by the code.',
    });
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

  /** By CloudFormation resource: `addTargets` throws on a listener that another stack owns. */
  private createListenerRule(targets: elb.CfnTargetGroup): elb.CfnListenerRule {
    return new elb.CfnListenerRule(this, 'Rule', {
      listenerArn: this.cell('listenerArn'),
      priority: this.parameter('ListenerPriority', 'Number', "Priority of the listener rule, from the component's registry entry")
        .valueAsNumber,
      conditions: [{ field: 'path-pattern', pathPatternConfig: { values: [this.props.path] } }],
      actions: [{ type: 'forward', targetGroupArn: targets.ref }],
    });
  }

  private createService(definition: ecs.CfnTaskDefinition, targets: elb.CfnTargetGroup): ecs.CfnService {
    // Two or three zones: the subnets stay a list, whatever its length.
    const subnets = ssm.StringListParameter.valueForTypedListParameter(Stack.of(this), CELL_PARAMETERS.privateSubnetIds);
    return new ecs.CfnService(this, 'Service', {
      serviceName: this.props.component,
      cluster: this.cell('clusterName'),
      taskDefinition: definition.ref,
      launchType: 'FARGATE',
      desiredCount: this.props.tasks ?? 2,
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        // Without it, a bad image takes CloudFormation three hours to give up on.
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      networkConfiguration: {
        awsvpcConfiguration: { assignPublicIp: 'DISABLED', subnets, securityGroups: [this.cell('serviceSecurityGroupId')] },
      },
      loadBalancers: [{ containerName: this.props.component, containerPort: SERVICE_PORT, targetGroupArn: targets.ref }],
      propagateTags: 'SERVICE',
      enableEcsManagedTags: true,
    });
  }
}
