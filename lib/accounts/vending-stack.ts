import * as iam from 'aws-cdk-lib/aws-iam';
import { BootstraplessSynthesizer, type IStackSynthesizer, Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { ORGANIZATION_ROLE, VENDING_ROLE } from '../aws/roles.ts';
import { CONTROL_STACKS, type InitializedPlan } from '../plan/plan.ts';

/**
 * The one role that tooling has in management: what it takes to create an account and to set it up, and nothing else.
 * Without bootstrap, so that management carries no deployment roles of the CDK.
 */
export class VendingStack extends Stack {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, CONTROL_STACKS.vending, {
      env: { account: plan.managementAccountId, region: plan.homeRegion },
      description: `Account vending of ${plan.organization}`,
      // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, this is an IStackSynthesizer as it stands.
      synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
      terminationProtection: true,
    });
    const role = new iam.Role(this, 'Role', {
      roleName: VENDING_ROLE,
      description: 'Lets the tooling account create accounts for cells and set them up',
      assumedBy: new iam.AccountPrincipal(plan.tooling.accountId),
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'CreateAccounts',
        actions: [
          'organizations:CreateAccount',
          'organizations:DescribeAccount',
          'organizations:DescribeCreateAccountStatus',
          'organizations:DescribeOrganization',
          'organizations:ListAccounts',
          'organizations:ListCreateAccountStatus',
          'organizations:ListOrganizationalUnitsForParent',
          'organizations:ListParents',
          'organizations:ListRoots',
          'organizations:ListTagsForResource',
          'organizations:MoveAccount',
          'organizations:TagResource',
          'organizations:UntagResource',
        ],
        resources: ['*'],
      }),
    );
    const administrators = this.formatArn({ service: 'iam', region: '', account: '*', resource: 'role', resourceName: ORGANIZATION_ROLE });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'SetUpAccounts',
        actions: ['sts:AssumeRole'],
        resources: [administrators],
        conditions: { StringEquals: { 'aws:ResourceOrgID': plan.organizationId } },
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'KeepOutOfControlAccounts',
        effect: iam.Effect.DENY,
        actions: ['sts:AssumeRole', 'organizations:MoveAccount', 'organizations:TagResource', 'organizations:UntagResource'],
        resources: [plan.tooling, plan.monitoring].flatMap(({ accountId }) => [
          this.formatArn({ service: 'iam', region: '', account: accountId, resource: 'role', resourceName: ORGANIZATION_ROLE }),
          this.formatArn({
            service: 'organizations',
            region: '',
            resource: 'account',
            resourceName: `${plan.organizationId}/${accountId}`,
          }),
        ]),
      }),
    );
    Validations.of(role).acknowledge(
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: "An account that doesn't exist yet has no ARN, and the listing actions know no resource.",
      },
      {
        id: `AwsSolutions-IAM5[Resource::${administrators}]`,
        reason: 'Accounts are created by this role, so their numbers are unknown to it; the condition keeps it inside the organization.',
      },
    );
  }
}
