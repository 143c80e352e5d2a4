import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { CellPlan } from '../../plan/plan.ts';

/** The cell's own key: whatever the cell stores is encrypted by it, and nothing of another cell is. */
export class CellKey extends Construct {
  readonly key: kms.Key;

  constructor(scope: Construct, id: string, cell: CellPlan) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      alias: `cell/${cell.name}`,
      description: `Everything that cell ${cell.name} stores`,
      enableKeyRotation: true,
      // The least that KMS allows. A developer's account is free for the next cell only when the key is gone.
      ...(cell.profile.keepsData ? {} : { pendingWindow: Duration.days(7) }),
      // The final snapshot and the logs that are left can't be read without it.
      removalPolicy: cell.profile.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const { region } = Stack.of(this);
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': Stack.of(this).formatArn({ service: 'logs', resource: '*' }) },
        },
      }),
    );
  }
}
