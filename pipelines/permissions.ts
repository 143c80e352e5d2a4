/** What the steps of a component's pipeline may do in tooling, the same on every engine. */
import { ArnFormat, type Stack } from 'aws-cdk-lib/core';
import { lookupRole } from '../lib/aws/roles.ts';
import { type InitializedPlan, ROLLOUT_PARAMETERS } from '../lib/plan/plan.ts';
import { artifactBucketName, type Component } from '../lib/registry/index.ts';
import type { Grant } from './grants.ts';
import { parameter } from './parameter.ts';

/** What it takes to push an image, to see whether it and its copies are there, and to make those that ECR doesn't make. */
const PUSH = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:CompleteLayerUpload',
  'ecr:DescribeImageReplicationStatus',
  'ecr:DescribeImages',
  'ecr:DescribeRepositories',
  'ecr:GetDownloadUrlForLayer',
  'ecr:InitiateLayerUpload',
  'ecr:PutImage',
  'ecr:UploadLayerPart',
];

export class Permissions {
  private readonly name: string;

  /** @param stack where the roles are */
  constructor(
    private readonly stack: Stack,
    private readonly plan: InitializedPlan,
    private readonly component: Component,
  ) {
    this.name = component.name;
  }

  /** Publishes what was built: templates to every region, and the image, of which a foundation has none. */
  publish(): readonly Grant[] {
    const buckets = this.plan.regions.map((region) => this.artifacts(region));
    const images: readonly Grant[] = [
      { actions: ['ecr:GetAuthorizationToken'], resources: ['*'], why: 'ECR knows no resource for signing in.' },
      {
        actions: PUSH,
        resources: this.plan.regions.map((region) =>
          this.stack.formatArn({ service: 'ecr', region, resource: 'repository', resourceName: this.name }),
        ),
      },
    ];
    return [
      ...readRegistry(this.stack, this.plan),
      {
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: buckets.map((bucket) => `${bucket}/artifacts/${this.name}/*`),
        why: 'Each version is a folder of its own, and is written once: the bucket sees to that.',
      },
      { actions: ['s3:ListBucket'], resources: buckets },
      ...(this.component.kind === 'foundation' ? this.lookIntoCells() : images),
    ];
  }

  /** Writes a rollout down. It sets nothing going: that is who follows it. */
  start(): readonly Grant[] {
    return [
      ...readRegistry(this.stack, this.plan),
      ...this.readRollouts(),
      {
        actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'],
        resources: [this.table],
        conditions: keysOf(this.name),
      },
      {
        actions: ['s3:PutObject'],
        resources: [`${this.artifacts(this.plan.homeRegion)}/rollouts/${this.name}-*`],
        why: 'Each rollout is a folder of its own, and is written once: the bucket sees to that.',
      },
      { actions: ['servicequotas:GetServiceQuota'], resources: ['*'], why: 'Service Quotas knows no resource for looking.' },
      ...this.lookIntoCells(),
    ];
  }

  /** Foundations are held against what is deployed in each cell, before anything is. */
  private lookIntoCells(): readonly Grant[] {
    if (this.component.kind !== 'foundation') return [];
    const role = { service: 'iam', region: '', account: '*', resource: 'role', resourceName: lookupRole('*', '*') };
    const why = 'Every cell is an account of its own, and trusts tooling with looking.';
    return [{ actions: ['sts:AssumeRole'], resources: [this.stack.formatArn(role)], why }];
  }

  /** Sets a wave going, and looks on. */
  follow(): readonly Grant[] {
    const machine = parameter(this.stack, ROLLOUT_PARAMETERS.machine);
    return [
      ...this.hook(),
      { actions: ['states:StartExecution'], resources: [machine] },
      // Signs of life of whoever follows, and their farewell: no other record.
      {
        actions: ['dynamodb:UpdateItem'],
        resources: [this.table],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`driver#${this.name}-*`] } },
      },
    ];
  }

  /** Runs a target of the Makefile for the cells of a wave: it must know which these are. */
  hook(): readonly Grant[] {
    return [...readRegistry(this.stack, this.plan), ...this.readRollouts()];
  }

  private readRollouts(): readonly Grant[] {
    const bucket = this.artifacts(this.plan.homeRegion);
    const parameters = [ROLLOUT_PARAMETERS.table, ROLLOUT_PARAMETERS.machine].map((name) =>
      this.stack.formatArn({ service: 'ssm', resource: `parameter${name}` }),
    );
    const executions = this.stack.formatArn({
      service: 'states',
      resource: 'execution',
      // Each is named after its rollout. The machine's own name is generated, and known when this is deployed.
      resourceName: `*:${this.name}-*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return [
      { actions: ['ssm:GetParameters'], resources: parameters },
      { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [this.table], conditions: keysOf(this.name) },
      {
        actions: ['s3:GetObject'],
        resources: [`${bucket}/rollouts/${this.name}-*`, `${bucket}/artifacts/${this.name}/*`],
        why: 'Each rollout and each version is a folder of its own.',
      },
      { actions: ['s3:ListBucket'], resources: [bucket] },
      { actions: ['states:DescribeExecution'], resources: [executions], why: 'Every run of a rollout is an execution.' },
    ];
  }

  private get table(): string {
    return this.stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: parameter(this.stack, ROLLOUT_PARAMETERS.table) });
  }

  private artifacts(region: string): string {
    return bucketArn(this.stack, artifactBucketName(this.plan.organization, this.plan.tooling.accountId, region));
  }
}

/** Every command begins with the published registry. */
export function readRegistry(stack: Stack, plan: InitializedPlan): readonly Grant[] {
  const bucket = bucketArn(stack, plan.registryBucket);
  return [
    {
      actions: ['s3:GetObject'],
      resources: [`${bucket}/latest.json`, `${bucket}/revisions/*`],
      why: 'Each publication is a revision of its own.',
    },
    // Without it, S3 answers "forbidden" for an object that isn't there.
    { actions: ['s3:ListBucket'], resources: [bucket] },
  ];
}

const bucketArn = (stack: Stack, name: string): string => stack.formatArn({ service: 's3', region: '', account: '', resource: name });

/**
 * The table holds all components' rollouts, by `rollout#<component>-<number>` and `component#<component>`. A pattern knows no
 * digits: of two components, one called as the other with a hyphen and more, the former's role fits the latter's rollouts too.
 */
const keysOf = (component: string) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`rollout#${component}-*`, `component#${component}`] },
});
