import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { CONTROL_STACKS, type InitializedPlan } from '../plan/plan.ts';

/** The bucket of the registry, in tooling: versioned, encrypted, TLS only, readable inside the organization. */
export class RegistryStack extends Stack {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, CONTROL_STACKS.registry, {
      env: { account: plan.tooling.accountId, region: plan.homeRegion },
      description: `Registry of ${plan.organization}`,
      terminationProtection: true,
    });
    const bucket = new s3.Bucket(this, 'Bucket', {
      // A fixed name, against the habit for stateful resources: readers in every account must know it without asking.
      bucketName: plan.registryBucket,
      versioned: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // The pipelines follow new revisions. Not by the CDK's own setting: that is a function of its own.
    const resource = bucket.node.defaultChild as s3.CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'ReadInsideTheOrganization',
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects('latest.json'), bucket.arnForObjects('revisions/*')],
        conditions: { StringEquals: { 'aws:PrincipalOrgID': plan.organizationId } },
      }),
    );
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Who published what is in the revisions themselves, which cannot be changed; a log bucket would only say who read them.',
    });
  }
}
