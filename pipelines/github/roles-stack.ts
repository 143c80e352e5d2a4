import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { ArnFormat, Duration, Stack, Tags, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../../lib/linting.ts';
import { type InitializedPlan, ROLLOUT_PARAMETERS } from '../../lib/plan/plan.ts';
import { artifactBucketName, type Component, FactoryError } from '../../registry/index.ts';
import { credentialSeconds, ROLE_KINDS, type RoleKind, roleName } from './roles.ts';

/** The stack of what all workflows share. */
export const GITHUB_STACK = 'Pipelines-GitHub';
/** The stack of a component's roles: the roles of all in one would be a template too large, with some seventy components. */
export const githubStackName = (component: string) => `${GITHUB_STACK}-${component}`;

const ISSUER = 'token.actions.githubusercontent.com';
/** Whom GitHub's tokens must be for, as the action for credentials asks for them. */
const AUDIENCE = 'sts.amazonaws.com';

/** A role's statement, and why it may name what holds a wildcard. */
interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Record<string, unknown>;
  readonly wildcards?: string;
}

/** `Pipelines-GitHub`, in tooling: GitHub as an identity provider. An account has one, so it is before all others. */
export class GitHubStack extends Stack {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, GITHUB_STACK, { ...propsOf(plan), description: `Workflows of GitHub for ${plan.organization}` });
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    new iam.OidcProviderNative(this, 'GitHub', { url: `https://${ISSUER}`, clientIds: [AUDIENCE] });
  }
}

/**
 * `Pipelines-GitHub-<component>`, in tooling: the roles that jobs of the component's workflow are. A role is for one branch of
 * one repository, and for one kind of job.
 */
export class GitHubRolesStack extends Stack {
  private readonly plan: InitializedPlan;
  private readonly component: Component;
  /** The table of rollouts, and the machine that drives them; of stack `Rollouts`, found where it says them. */
  private readonly table: string;
  private readonly machine: string;

  /** @throws FactoryError `REGISTRY_INVALID` for a repository that is not on GitHub */
  constructor(scope: Construct, plan: InitializedPlan, component: Component) {
    super(scope, githubStackName(component.name), {
      ...propsOf(plan),
      description: `What the workflow of ${component.name} on GitHub may do for ${plan.organization}`,
    });
    this.plan = plan;
    this.component = component;
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    this.table = this.formatArn({
      service: 'dynamodb',
      resource: 'table',
      resourceName: ssm.StringParameter.valueForStringParameter(this, ROLLOUT_PARAMETERS.table),
    });
    this.machine = ssm.StringParameter.valueForStringParameter(this, ROLLOUT_PARAMETERS.machine);
    for (const kind of ROLE_KINDS) this.createRole(kind);
  }

  private createRole(kind: RoleKind): void {
    const { name, repository } = this.component;
    const permissions = this.permissionsOf(name, kind);
    const provider = this.formatArn({ service: 'iam', region: '', resource: 'oidc-provider', resourceName: ISSUER });
    const role = new iam.Role(this, kind, {
      // The workflow, a file in another repository, names it.
      roleName: roleName(name, kind),
      description: `Jobs of ${name} on GitHub that ${DOES[kind]}`,
      maxSessionDuration: Duration.seconds(credentialSeconds(kind)),
      assumedBy: new iam.WebIdentityPrincipal(provider, {
        StringEquals: {
          [`${ISSUER}:aud`]: AUDIENCE,
          [`${ISSUER}:sub`]: `repo:${repositoryName(this.component)}:ref:refs/heads/${repository.branch}`,
        },
      }),
      inlinePolicies: {
        [kind]: new iam.PolicyDocument({
          statements: permissions.map(
            ({ actions, resources, conditions }) =>
              new iam.PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions ? { conditions } : {}) }),
          ),
        }),
      },
    });
    for (const { resources, wildcards } of permissions) {
      if (wildcards !== undefined) acknowledge(role, resources, wildcards);
    }
  }

  private permissionsOf(component: string, kind: RoleKind): readonly Permission[] {
    switch (kind) {
      case 'publish':
        return [...this.readRegistry(), ...this.publish(component)];
      case 'start':
        return [...this.readRegistry(), ...this.readRollouts(component), ...this.writeRollouts(component)];
      case 'follow':
        return [...this.readRegistry(), ...this.readRollouts(component), { actions: ['states:StartExecution'], resources: [this.machine] }];
      case 'hook':
        return [...this.readRegistry(), ...this.readRollouts(component)];
    }
  }

  /** Every command begins with the published registry. */
  private readRegistry(): readonly Permission[] {
    const bucket = this.bucketArn(this.plan.registryBucket);
    return [
      {
        actions: ['s3:GetObject'],
        resources: [`${bucket}/latest.json`, `${bucket}/revisions/*`],
        wildcards: 'Each publication is a revision of its own.',
      },
      // Without it, S3 answers "forbidden" for an object that isn't there.
      { actions: ['s3:ListBucket'], resources: [bucket] },
    ];
  }

  private publish(component: string): readonly Permission[] {
    const buckets = this.plan.regions.map((region) => this.artifactBucket(region));
    const repository = this.formatArn({ service: 'ecr', resource: 'repository', resourceName: component });
    return [
      {
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: buckets.map((bucket) => `${bucket}/artifacts/${component}/*`),
        wildcards: 'Each version is a folder of its own, and is written once: the bucket sees to that.',
      },
      { actions: ['s3:ListBucket'], resources: buckets },
      {
        actions: [
          'ecr:DescribeRepositories',
          'ecr:BatchGetImage',
          'ecr:BatchCheckLayerAvailability',
          'ecr:InitiateLayerUpload',
          'ecr:UploadLayerPart',
          'ecr:CompleteLayerUpload',
          'ecr:PutImage',
        ],
        resources: [repository],
      },
      { actions: ['ecr:GetAuthorizationToken'], resources: ['*'], wildcards: 'The password of a registry knows no resource.' },
    ];
  }

  private readRollouts(component: string): readonly Permission[] {
    const { homeRegion } = this.plan;
    const bucket = this.artifactBucket(homeRegion);
    const parameters = [ROLLOUT_PARAMETERS.table, ROLLOUT_PARAMETERS.machine].map((name) =>
      this.formatArn({ service: 'ssm', resource: `parameter${name}` }),
    );
    const executions = this.formatArn({
      service: 'states',
      resource: 'execution',
      // Each is named after its rollout. The machine's own name is generated, and known when this is deployed.
      resourceName: `*:${component}-*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return [
      { actions: ['ssm:GetParameters'], resources: parameters },
      { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [this.table], conditions: keysOf(component) },
      {
        actions: ['s3:GetObject'],
        resources: [`${bucket}/rollouts/${component}-*`, `${bucket}/artifacts/${component}/*`],
        wildcards: 'Each rollout and each version is a folder of its own.',
      },
      { actions: ['s3:ListBucket'], resources: [bucket] },
      { actions: ['states:DescribeExecution'], resources: [executions], wildcards: 'Every run of a rollout is an execution.' },
    ];
  }

  /** Writes a rollout down. It sets nothing going: that is who follows it. */
  private writeRollouts(component: string): readonly Permission[] {
    return [
      {
        actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'],
        resources: [this.table],
        conditions: keysOf(component),
      },
      {
        actions: ['s3:PutObject'],
        resources: [`${this.artifactBucket(this.plan.homeRegion)}/rollouts/${component}-*`],
        wildcards: 'Each rollout is a folder of its own, and is written once: the bucket sees to that.',
      },
    ];
  }

  private artifactBucket(region: string): string {
    const { organization, tooling } = this.plan;
    return this.bucketArn(artifactBucketName(organization, tooling.accountId, region));
  }

  private bucketArn(name: string): string {
    return this.formatArn({ service: 's3', region: '', account: '', resource: name });
  }
}

const propsOf = ({ tooling, homeRegion }: InitializedPlan) => ({
  env: { account: tooling.accountId, region: homeRegion },
  terminationProtection: true,
});

const DOES: Readonly<Record<RoleKind, string>> = {
  publish: 'publish what was built',
  start: 'write a rollout down',
  follow: 'set a wave going and follow it',
  hook: "run the component's own steps for the cells of a wave",
};

/**
 * The table holds all components' rollouts, by `rollout#<component>-<number>` and `component#<component>`. A pattern knows no
 * digits: of two components, one called as the other with a hyphen and more, the former's role fits the latter's rollouts too.
 */
const keysOf = (component: string) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`rollout#${component}-*`, `component#${component}`] },
});

function acknowledge(role: iam.Role, resources: readonly string[], reason: string): void {
  const named = resources.filter((resource) => resource !== '*');
  acknowledgeWildcards(role, named, reason);
  if (named.length < resources.length) Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason });
}

/** `owner/name` on GitHub, which vouches for its own repositories only. @throws FactoryError `REGISTRY_INVALID` */
function repositoryName({ name, repository: { url } }: Component): string {
  const found = /^(?:https:\/\/|ssh:\/\/git@|git@)github\.com[/:]([^/:]+\/[^/:]+?)(?:\.git)?\/?$/.exec(url)?.[1];
  if (found !== undefined) return found;
  throw new FactoryError('REGISTRY_INVALID', `component ${name} runs on github-actions, and ${url} is not on GitHub`, {
    fix: "let its repository be https://github.com/owner/name, or its engine 'codepipeline'",
  });
}
