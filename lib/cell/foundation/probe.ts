import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as synthetics from 'aws-cdk-lib/aws-synthetics';
import { ArnFormat, CfnResource, Duration, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../../linting.ts';
import { packageRoot } from '../../package-root.ts';
import { PROBE_PARAMETERS } from '../../plan/cell-parameters.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { cellProbeName } from '../../registry/index.ts';
import type { CellKey } from './key.ts';
import { type CellLogs, LOG_FOLDERS } from './logs.ts';
import type { CellNetwork } from './network.ts';
import { createServiceLog } from './service-log.ts';

/** Requests a minute to each component: enough that two bad ones in a row show. A bake doesn't count them: it waits for customers. */
const REQUESTS_PER_MINUTE = 5;
/** The newest at the time of writing; constants of aws-cdk-lib end at one that is no longer supported. Source: "Runtime versions using Node.js and Puppeteer". */
const RUNTIME = new synthetics.Runtime('syn-nodejs-puppeteer-15.0', synthetics.RuntimeFamily.NODEJS);

/** Asks the cell for what it answers, all the time: who is down is known, and an idle cell can be judged. */
export class CellProbe extends Construct {
  readonly canary: synthetics.Canary;

  constructor(scope: Construct, id: string, cell: CellPlan, network: CellNetwork, logs: CellLogs, { key }: CellKey) {
    super(scope, id);
    const { probeMinutes, logDays } = cell.profile;
    const role = this.createRole(logs);
    this.outlive(network, role);
    const canaryName = cellProbeName(cell.name);
    this.canary = new synthetics.Canary(this, 'Canary', {
      canaryName,
      runtime: RUNTIME,
      test: synthetics.Test.custom({
        handler: 'index.handler',
        code: synthetics.Code.fromInline(readFileSync(join(packageRoot(), 'lib/cell/foundation/functions/probe/index.js'), 'utf8')),
      }),
      schedule: synthetics.Schedule.rate(Duration.minutes(probeMinutes)),
      timeout: Duration.seconds(55),
      startAfterCreation: true,
      role,
      // From inside, by NAT: so it has an address that the entrance can know where only some may reach it.
      vpc: network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [network.probe],
      environmentVariables: {
        CELL_NAME: cell.name,
        CELL_ENDPOINT: cell.endpoint,
        PROBE_PATHS: PROBE_PARAMETERS,
        PROBE_REQUESTS: String(REQUESTS_PER_MINUTE * probeMinutes),
      },
      // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, a Bucket is an IBucket as it stands.
      artifactsBucketLocation: { bucket: logs.bucket as s3.IBucket, prefix: LOG_FOLDERS.probe },
      successRetentionPeriod: Duration.days(logDays),
      failureRetentionPeriod: Duration.days(logDays),
      provisionedResourceCleanup: true,
    });
    // Its function joins the network when it is made: by then there must be a way out.
    this.canary.node.addDependency(network.vpc.internetConnectivityEstablished);
    // Its role may not make the group, so it is this one, though its name is known only once there is a canary: the runs of
    // the first seconds leave no lines. Source of the name: "DeleteCanary", Amazon CloudWatch Synthetics API Reference.
    createServiceLog(this, 'Log', cell, key, `/aws/lambda/cwsyn-${canaryName.slice(0, 21)}-${this.canary.canaryId}`);
  }

  /**
   * The function's network interfaces outlive it by 20 to 40 minutes, and Lambda deletes them with the rights of its role: the
   * role has these until the network is gone, and before there is one. Otherwise they would stay, and the network with them.
   */
  private outlive({ vpc }: CellNetwork, role: iam.Role): void {
    const policy = role.node.findChild('DefaultPolicy').node.defaultChild;
    const network = vpc.node.defaultChild;
    if (CfnResource.isCfnResource(policy) && CfnResource.isCfnResource(network)) network.addResourceDependency(policy);
  }

  /** What CloudWatch Synthetics asks for, but to make a log group. Source: "Required roles and permissions for users who manage CloudWatch canaries". */
  private createRole(logs: CellLogs): iam.Role {
    const stack = Stack.of(this);
    const parameters = stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: PROBE_PARAMETERS.slice(1) });
    const logGroups = stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: '/aws/lambda/cwsyn-*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const allow = (actions: string[], resources: string[], conditions?: Record<string, unknown>) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources, ...(conditions ? { conditions } : {}) }));
    allow(['ssm:GetParametersByPath'], [parameters]);
    allow(['s3:PutObject'], [logs.bucket.arnForObjects(`${LOG_FOLDERS.probe}/*`)]);
    allow(['s3:GetBucketLocation'], [logs.bucket.bucketArn]);
    allow(['s3:ListAllMyBuckets'], ['*']);
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroups]);
    allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': ['CloudWatchSynthetics', 'Cell'] } });
    allow(['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'], ['*']);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Listing buckets, network interfaces of a function and metrics know no resource; metrics are kept to their namespaces.',
    });
    acknowledgeWildcards(
      role,
      [logs.bucket.arnForObjects(`${LOG_FOLDERS.probe}/*`)],
      'CloudWatch Synthetics makes up the names of what it writes; they stay in their folder.',
    );
    acknowledgeWildcards(role, [logGroups], "CloudWatch Synthetics makes up the name of the canary's function.");
    return role;
  }
}
