import * as iam from 'aws-cdk-lib/aws-iam';
import { ArnFormat, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { DRILL_ROLE, executionRole, OPERATOR_ROLE, ROLLOUT_ROLE } from '../../aws/roles.ts';
import { acknowledgeWildcards } from '../../linting.ts';
import type { VendedCell } from '../../plan/plan.ts';
import { cellAccountName } from '../../registry/index.ts';

/** What stacks of components begin with, and no stack of the factory or the CDK: those begin with a capital. */
const COMPONENT_INITIALS = 'abcdefghijklmnopqrstuvwxyz';

/** What it takes to deploy a template, to look at it, and to roll back to the one before. */
const STACK_ACTIONS = [
  'CreateChangeSet',
  'DeleteChangeSet',
  'DeleteStack',
  'DescribeChangeSet',
  'DescribeStackEvents',
  'DescribeStacks',
  'ExecuteChangeSet',
  'GetTemplate',
].map((action) => `cloudformation:${action}`);

/**
 * How tooling reaches into the cell: the cell operator deploys components and reads alarms, a drill raises alarms. Neither
 * can touch the foundation.
 */
export class CellRollout extends Construct {
  constructor(scope: Construct, id: string, cell: VendedCell) {
    super(scope, id);
    const tooling = new iam.AccountPrincipal(cell.tooling.accountId);
    this.createRolloutRole(cell, tooling);
    this.createDrillRole(cell, tooling);
  }

  private createRolloutRole({ name, tooling: { accountId, artifactBucket } }: VendedCell, tooling: iam.AccountPrincipal): void {
    const stack = Stack.of(this);
    const operator = stack.formatArn({ service: 'iam', region: '', account: accountId, resource: 'role', resourceName: OPERATOR_ROLE });
    const role = new iam.Role(this, 'Role', {
      // A fixed name: the operator acts in every cell and asks none what its role is called.
      roleName: ROLLOUT_ROLE,
      description: `Lets the cell operator deploy components into cell ${name}`,
      // IAM refuses a trust in a role that isn't there yet: the account, and of it the operator.
      assumedBy: tooling.withConditions({ ArnEquals: { 'aws:PrincipalArn': operator } }),
    });
    const stacks = [...COMPONENT_INITIALS].map((initial) =>
      stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${initial}*/*` }),
    );
    role.addToPolicy(new iam.PolicyStatement({ sid: 'DeployComponents', actions: STACK_ACTIONS, resources: stacks }));
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'LetCloudFormationMakeThem',
        actions: ['iam:PassRole'],
        resources: [
          stack.formatArn({
            service: 'iam',
            region: '',
            resource: 'role',
            resourceName: executionRole(stack.account, stack.region),
          }),
        ],
        conditions: { StringEquals: { 'iam:PassedToService': 'cloudformation.amazonaws.com' } },
      }),
    );
    // CloudFormation reads what a template points at with the rights of whoever makes the change set.
    const parameters = stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: 'cell/*' });
    // AWS's own, of nobody's account: images, zones.
    const published = stack.formatArn({ service: 'ssm', account: '', resource: 'parameter', resourceName: 'aws/service/*' });
    role.addToPolicy(new iam.PolicyStatement({ sid: 'FindTheCell', actions: ['ssm:GetParameters'], resources: [parameters, published] }));
    const artifacts = stack.formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: artifactBucket,
      resourceName: 'artifacts/*',
    });
    role.addToPolicy(new iam.PolicyStatement({ sid: 'ReadArtifacts', actions: ['s3:GetObject'], resources: [artifacts] }));
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'WatchTheCell',
        actions: ['cloudwatch:DescribeAlarmHistory', 'cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData'],
        resources: ['*'],
      }),
    );
    // Before a foundation changes the database: whether RDS has what is wanted of it.
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'AskWhatRdsOffers',
        actions: ['rds:DescribeDBEngineVersions', 'rds:DescribeDBInstances', 'rds:DescribeOrderableDBInstanceOptions'],
        resources: ['*'],
      }),
    );
    acknowledgeWildcards(role, ['*'], 'Composite alarms, metrics and offers of RDS know no resource in these actions, which read only.');
    acknowledgeWildcards(
      role,
      stacks,
      'Components come without a new foundation; their stacks begin with a small letter, and no other stack does.',
    );
    acknowledgeWildcards(role, [parameters], 'All that is below it is the contract with components, which may read any of it.');
    acknowledgeWildcards(role, [published], 'Parameters that AWS publishes for everybody to read.');
    acknowledgeWildcards(
      role,
      [artifacts],
      'Components and versions come without a new foundation; artifacts are there for all cells to read.',
    );
  }

  private createDrillRole({ name }: VendedCell, tooling: iam.AccountPrincipal): void {
    const stack = Stack.of(this);
    const role = new iam.Role(this, 'Drill', {
      roleName: DRILL_ROLE,
      description: `Lets a drill raise alarms of cell ${name}`,
      assumedBy: tooling,
    });
    const alarms = stack.formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: `${cellAccountName(name)}-*`,
    });
    role.addToPolicy(new iam.PolicyStatement({ actions: ['cloudwatch:SetAlarmState'], resources: [alarms] }));
    acknowledgeWildcards(
      role,
      [alarms],
      "All of the cell's alarms, and its components': a drill says which. CloudWatch puts the state right at its next look.",
    );
  }
}
