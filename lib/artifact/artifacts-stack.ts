import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { BootstraplessSynthesizer, Duration, type IStackSynthesizer, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { artifactsStackName, type InitializedPlan } from '../plan/plan.ts';
import { artifactBucketName } from '../registry/index.ts';
import { LIFECYCLE, pullPolicy } from './repository-settings.ts';

const ARTIFACTS = 'artifacts/*';
const ROLLOUTS = 'rollouts/*';

/** What holds components' artifacts in one region. */
abstract class ArtifactsBase extends Stack {
  constructor(scope: Construct, plan: InitializedPlan, region: string, synthesizer?: IStackSynthesizer) {
    super(scope, artifactsStackName(region, plan.homeRegion), {
      env: { account: plan.tooling.accountId, region },
      description: `Artifacts of the components of ${plan.organization}`,
      terminationProtection: true,
      ...(synthesizer ? { synthesizer } : {}),
    });
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    this.createBucket(plan, region);
  }

  /** Written once, by S3's own rule: neither a publisher nor the operator can change what cells were told to run. */
  private createBucket({ organization, organizationId, tooling }: InitializedPlan, region: string): void {
    const bucket = new s3.Bucket(this, 'Bucket', {
      // A fixed name, against the habit for stateful resources: cells' roles name it, and know nothing of this stack.
      bucketName: artifactBucketName(organization, tooling.accountId, region),
      versioned: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'old-versions', noncurrentVersionExpiration: Duration.days(90) },
        { id: 'incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'ReadInsideTheOrganization',
        principals: [new iam.OrganizationPrincipal(organizationId)],
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects(ARTIFACTS)],
      }),
    );
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'WriteOnce',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources: [ARTIFACTS, ROLLOUTS].map((objects) => bucket.arnForObjects(objects)),
        // The parts of an upload carry no condition; what completes it does.
        conditions: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      }),
    );
    // What is deleted could be written again, as something else.
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'KeepArtifacts',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources: [bucket.arnForObjects(ARTIFACTS)],
      }),
    );
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Who published what is in the manifests, which cannot be changed; a log bucket would only say who read them.',
    });
  }
}

/** `Artifacts`, in the home region: the bucket, and a repository of images for each component, copied to wherever cells are. */
export class ArtifactsStack extends ArtifactsBase {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, plan, plan.homeRegion);
    for (const { name, kind } of plan.components) if (kind !== 'foundation') this.createRepository(name, plan.organizationId);
    this.replicate(plan);
  }

  private createRepository(component: string, organizationId: string): void {
    const repository = new ecr.CfnRepository(this, `Images-${component}`, {
      // Components' roles name it so, in every cell.
      repositoryName: component,
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: { encryptionType: 'AES256' },
      lifecyclePolicy: { lifecyclePolicyText: LIFECYCLE },
      repositoryPolicyText: pullPolicy(organizationId),
    });
    // A component that is taken out of the registry may still run.
    repository.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(repository).acknowledge({
      id: 'AwsSolutions-ECR1',
      reason: 'Cells pull from it, and come later than it does: the condition keeps it to the organization, the actions to pulling.',
    });
  }

  /** All images, without a filter: nothing else is in this registry, and a component that is forgotten would not start there. */
  private replicate({ homeRegion, regions, tooling }: InitializedPlan): void {
    const destinations = regions.filter((region) => region !== homeRegion).map((region) => ({ region, registryId: tooling.accountId }));
    if (destinations.length === 0) return;
    new ecr.CfnReplicationConfiguration(this, 'Replication', { replicationConfiguration: { rules: [{ destinations }] } });
  }
}

/**
 * `Artifacts-<region>`: the bucket in another region that cells use, and what ECR makes of images that are copied there.
 * Without bootstrap: tooling has the CDK's in its home region only.
 */
export class ArtifactReplicaStack extends ArtifactsBase {
  constructor(scope: Construct, plan: InitializedPlan, region: string) {
    // aws-cdk-lib is not compiled with exactOptionalPropertyTypes: to it, this is an IStackSynthesizer as it stands.
    super(scope, plan, region, new BootstraplessSynthesizer() as IStackSynthesizer);
    // ECR makes the repository with the first copy, and copies no settings with it. Repositories of this stack's own would
    // take the template beyond what can be deployed without a bootstrap bucket, with some thirty components.
    new ecr.CfnRepositoryCreationTemplate(this, 'Copies', {
      prefix: 'ROOT',
      appliedFor: ['REPLICATION'],
      description: 'Copies of the images of components',
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      encryptionConfiguration: { encryptionType: 'AES256' },
      lifecyclePolicy: LIFECYCLE,
      repositoryPolicy: JSON.stringify(pullPolicy(plan.organizationId)),
    });
  }
}
