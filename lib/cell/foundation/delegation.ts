import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type VendedCell, ZONE_PARAMETER } from '../../plan/plan.ts';
import { cellDelegationRoleName, cellStackName } from '../../registry/index.ts';
import { tagResources } from '../tagging.ts';

/**
 * `Delegation-<name>`, in tooling: the role by which the cell writes the one record that delegates its name. A stack and a
 * role for each cell, so that none can touch the name of another.
 */
export class Delegation extends Stack {
  constructor(scope: Construct, cell: VendedCell) {
    super(scope, cell.delegationStackName, {
      env: { account: cell.parentZone.accountId, region: cell.parentZone.region },
      description: `Lets cell ${cell.name} delegate ${cell.domain}`,
      tags: { ...cell.tags },
    });
    tagResources(this, cell.tags);
    const account = new iam.AccountPrincipal(cell.account.accountId);
    const role = new iam.Role(this, 'Role', {
      roleName: cellDelegationRoleName(cell.name),
      description: `Lets cell ${cell.name} delegate ${cell.domain}`,
      // IAM refuses a trust in a role that isn't there yet, and the cell's roles are made after this one: the account, and
      // of it the roles of the foundation.
      assumedBy: account.withConditions({
        ArnLike: {
          'aws:PrincipalArn': this.formatArn({
            service: 'iam',
            region: '',
            account: cell.account.accountId,
            resource: 'role',
            // Not the whole stack's name: CloudFormation cuts it short in the names that it makes up for roles.
            resourceName: `${cellStackName('')}*`,
          }),
        },
      }),
    });
    const zone = this.formatArn({
      service: 'route53',
      region: '',
      account: '',
      resource: 'hostedzone',
      resourceName: ssm.StringParameter.valueForStringParameter(this, ZONE_PARAMETER),
    });
    // By hand: `grantDelegation` of aws-cdk-lib 2.276.0 takes the name of an imported zone for its id.
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['route53:ChangeResourceRecordSets'],
        resources: [zone],
        conditions: {
          'ForAllValues:StringEquals': {
            'route53:ChangeResourceRecordSetsNormalizedRecordNames': [cell.domain],
            'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
            'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
          },
        },
      }),
    );
    role.addToPolicy(new iam.PolicyStatement({ actions: ['route53:ListHostedZonesByName'], resources: ['*'] }));
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ListHostedZonesByName knows no resource.',
    });
  }
}
