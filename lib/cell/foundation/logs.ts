import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { CellPlan } from '../../plan/plan.ts';

/** Folders of the bucket. */
export const LOG_FOLDERS = { loadBalancer: 'load-balancer', network: 'network', probe: 'probe' } as const;

/** Where what doesn't go to log groups goes: the load balancer's access log, the network's flow log, and what the probe saw. */
export class CellLogs extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, cell: CellPlan) {
    super(scope, id);
    const { keepsData, logDays } = cell.profile;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      // The load balancer can't write where a key of our own encrypts. Source: "Access logs for your Application Load Balancer".
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [{ expiration: Duration.days(logDays), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      ...(keepsData ? { removalPolicy: RemovalPolicy.RETAIN } : { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }),
    });
    const { account } = Stack.of(this);
    // By the service's name, not by the account that it has in each region: `logAccessLogs` would write that account's number.
    // No condition on the source: the service puts the load balancer's own account into the path, so it is there already.
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AccessLogOfThisAccount',
        principals: [new iam.ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.bucket.arnForObjects(`${LOG_FOLDERS.loadBalancer}/AWSLogs/${account}/*`)],
      }),
    );
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It is the log: a log of who reads it would have to go to yet another bucket.',
    });
  }
}
