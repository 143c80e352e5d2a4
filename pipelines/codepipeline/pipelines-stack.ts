import * as codeconnections from 'aws-cdk-lib/aws-codeconnections';
import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { CfnOutput, Duration, IgnoreMode, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { waitForPolicyOnly } from '../../lib/linting.ts';
import { packagePatterns, packageRoot } from '../../lib/package-root.ts';
import { componentsOn, connectionParameter, ownComponent, PIPELINE_PARAMETERS, PIPELINES_STACK } from '../../lib/plan/pipeline-stacks.ts';
import type { InitializedPlan } from '../../lib/plan/plan.ts';
import { type Component, connectionName, POINTER_KEY } from '../../lib/registry/index.ts';
import { syncLines } from '../commands.ts';
import { requirePipelinesFit } from '../engine-limits.ts';
import { type Grant, roleWith } from '../grants.ts';
import { type Hosting, hostingOf, type Provider } from '../hosting.ts';
import { syncPermissions } from '../sync-permissions.ts';
import { buildProject } from './builds.ts';
import { HandoverPlace, pushTo, useConnection } from './shared-resources.ts';

/** Days that what a step has handed to the next is kept: longer than a commit can be on its way. */
const KEPT_DAYS = 90;

/** The factory's own repository. */
interface Own {
  readonly component: Component;
  readonly hosting: Hosting;
}

/** The pipeline of pipelines. No component has this name: theirs are in small letters. */
const PIPELINE = 'Pipelines';
const SOURCE = 'source';
const SYNC = 'sync';

/**
 * `Pipelines`, in tooling: what all pipelines share, and the pipeline that keeps them in step with the registry.
 *
 * That one runs when a revision is published, and once a day: a pipeline whose component is gone goes after a time in which
 * nothing else may happen. Where foundations are delivered as a component, their repository is the factory's own: then it
 * runs on every commit there, too, and with that commit's code.
 */
export class PipelinesStack extends Stack {
  private readonly plan: InitializedPlan;
  private readonly own: Own | undefined;
  /** The factory itself, as every step installs it. */
  private readonly factory: Asset;
  /** ARNs by the provider's name. */
  private readonly connections = new Map<string, string>();

  /** @throws FactoryError `PIPELINE_TOO_LARGE` */
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, PIPELINES_STACK, {
      env: { account: plan.tooling.accountId, region: plan.homeRegion },
      description: `What the pipelines of ${plan.organization} share`,
      terminationProtection: true,
    });
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    this.plan = plan;
    const components = componentsOn(plan, 'codepipeline');
    const component = ownComponent(plan, 'codepipeline');
    const hosting = component && hostingOf(component);
    this.own = component && hosting && { component, hosting };
    requirePipelinesFit(components.length + 1);
    const key = new kms.Key(this, 'Key', {
      description: 'What the steps of pipelines hand to each other',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const bucket = this.createBucket(key);
    this.publish('bucket', PIPELINE_PARAMETERS.bucket, bucket.bucketName);
    this.publish('key', PIPELINE_PARAMETERS.key, key.keyArn);
    this.factory = new Asset(this, 'Factory', {
      path: packageRoot(),
      // By git's rules: by the others, the CDK looks into every folder that it leaves out.
      ignoreMode: IgnoreMode.GIT,
      exclude: packagePatterns(),
    });
    this.publish('factory', PIPELINE_PARAMETERS.factory, this.factory.s3ObjectUrl);
    // Where no connection leads, the component's own stack says so.
    const providers = new Map(components.flatMap((component) => hostingOf(component)?.provider ?? []).map((each) => [each.name, each]));
    for (const provider of [...providers.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) this.connect(provider);
    this.createPipeline(new HandoverPlace(this, PIPELINE, { bucket: bucket.bucketName, key: key.keyArn }));
  }

  private createBucket(key: kms.IKey): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'old-runs', expiration: Duration.days(KEPT_DAYS) },
        { id: 'incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'What is in it is gone after a while; CodePipeline keeps which run wrote what.',
    });
    return bucket;
  }

  private publish(id: string, parameterName: string, stringValue: string, description?: string): void {
    new ssm.StringParameter(this, `Parameter-${id}`, {
      parameterName,
      stringValue,
      ...(description === undefined ? {} : { description }),
    });
  }

  /** A connection is of no use until somebody has shaken hands: AWS has no other way. */
  private connect({ name, type }: Provider): void {
    const connection = new codeconnections.CfnConnection(this, `Connection-${name}`, {
      connectionName: connectionName(this.plan.organization, name),
      providerType: type,
    });
    const description = `Pending until somebody completes it in the console of AWS: Developer Tools, Settings, Connections`;
    this.connections.set(name, connection.attrConnectionArn);
    this.publish(name, connectionParameter(name), connection.attrConnectionArn, description);
    new CfnOutput(this, `Output-${name}`, { value: connection.attrConnectionArn, description });
  }

  private createPipeline(handover: HandoverPlace): void {
    const arn = this.formatArn({ service: 'codepipeline', resource: PIPELINE });
    const role = roleWith(this, 'Role', {
      description: 'Hands the steps of the pipeline of pipelines to their own roles',
      assumedBy: new iam.ServicePrincipal('codepipeline.amazonaws.com'),
      grants: handover.write,
    });
    const stages = [this.source(role, handover), this.sync(role, handover)].map((action) => ({ name: action.name, actions: [action] }));
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['sts:AssumeRole'],
        resources: stages.flatMap(({ actions }) => actions.map(({ roleArn }) => roleArn)),
      }),
    );
    const pipeline = new codepipeline.CfnPipeline(this, 'Pipeline', {
      name: PIPELINE,
      pipelineType: 'V2',
      // One at a time, and of those that wait the newest: each brings everything up to date.
      executionMode: 'SUPERSEDED',
      roleArn: role.roleArn,
      artifactStore: { type: 'S3', location: handover.bucket, encryptionKey: { type: 'KMS', id: handover.key } },
      ...(this.own ? { triggers: [pushTo(SOURCE, this.own.component.repository.branch)] } : {}),
      stages,
    });
    waitForPolicyOnly(pipeline, role);
    const target = new targets.CodePipeline(codepipeline.Pipeline.fromPipelineArn(this, 'Target', arn));
    new events.Rule(this, 'NewRevision', {
      description: 'A revision of the registry was published',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [this.plan.registryBucket] }, object: { key: [POINTER_KEY] } },
      },
      targets: [target],
    });
    new events.Rule(this, 'Daily', {
      description: 'Removes pipelines whose time is up, and mends what an event was lost for',
      schedule: events.Schedule.rate(Duration.days(1)),
      targets: [target],
    });
  }

  private source(role: iam.IRole, handover: HandoverPlace) {
    return {
      name: SOURCE,
      outputArtifacts: [{ name: SOURCE }],
      ...(this.own ? this.commit(this.own, role, handover) : this.version(this.factory, role, handover)),
    };
  }

  /** The newest commit of the factory's own repository, whatever has made the pipeline run. */
  private commit({ component, hosting }: Own, role: iam.IRole, handover: HandoverPlace) {
    const connection = this.connections.get(hosting.provider.name) ?? '';
    return {
      actionTypeId: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
      configuration: {
        ConnectionArn: connection,
        FullRepositoryId: hosting.id,
        BranchName: component.repository.branch,
        DetectChanges: 'false',
      },
      roleArn: this.actionRole(role, SOURCE, [useConnection(connection), ...handover.write]),
    };
  }

  /** A pipeline must begin with an archive in S3 or a commit. The registry is neither: this is the factory. */
  private version({ s3BucketName, s3ObjectKey }: Asset, role: iam.IRole, handover: HandoverPlace) {
    const assetBucket = this.formatArn({ service: 's3', region: '', account: '', resource: s3BucketName });
    return {
      actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
      configuration: { S3Bucket: s3BucketName, S3ObjectKey: s3ObjectKey, PollForSourceChanges: 'false' },
      roleArn: this.actionRole(role, SOURCE, [
        { actions: ['s3:GetObject', 's3:GetObjectVersion'], resources: [`${assetBucket}/${s3ObjectKey}`] },
        { actions: ['s3:GetBucketVersioning', 's3:ListBucket'], resources: [assetBucket] },
        ...handover.write,
      ]),
    };
  }

  private sync(role: iam.IRole, handover: HandoverPlace) {
    const logGroup = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    const project = buildProject(this, 'Project', {
      projectName: `${PIPELINE}-${SYNC}`,
      description: 'Brings the pipelines in step with the registry',
      spec: { lines: syncLines(this.own !== undefined), installs: false },
      environment: { CELL_FACTORY_ORGANIZATION: `s3://${this.plan.registryBucket}` },
      grants: [...handover.read, ...syncPermissions(this, this.plan)],
      // It waits for pipelines that are busy.
      minutes: 480,
      containers: false,
      logGroup,
      key: handover.key,
    });
    return {
      name: SYNC,
      actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' },
      configuration: { ProjectName: project.ref },
      inputArtifacts: [{ name: SOURCE }],
      roleArn: this.actionRole(role, SYNC, [
        { actions: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds', 'codebuild:StopBuild'], resources: [project.attrArn] },
        ...handover.read,
      ]),
    };
  }

  private actionRole(pipelineRole: iam.IRole, action: string, grants: readonly Grant[]): string {
    return roleWith(this, `Action-${action}`, {
      description: `Action ${action} of the pipeline of pipelines`,
      assumedBy: new iam.ArnPrincipal(pipelineRole.roleArn),
      grants,
    }).roleArn;
  }
}
