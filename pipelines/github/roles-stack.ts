import * as iam from 'aws-cdk-lib/aws-iam';
import { Duration, Stack, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { GITHUB_STACK, githubStackName, ownComponent } from '../../lib/plan/pipeline-stacks.ts';
import type { InitializedPlan } from '../../lib/plan/plan.ts';
import type { Component } from '../../lib/registry/index.ts';
import { type Grant, roleWith } from '../grants.ts';
import { unsupported } from '../hosting.ts';
import { Permissions } from '../permissions.ts';
import { syncPermissions } from '../sync-permissions.ts';
import { credentialSeconds, ROLE_KINDS, type RoleKind, roleName, SYNC_ROLE, SYNC_SECONDS } from './job-roles.ts';
import { subjectsOf } from './subjects.ts';

const ISSUER = 'token.actions.githubusercontent.com';
/** Whom GitHub's tokens must be for, as the action for credentials asks for them. */
const AUDIENCE = 'sts.amazonaws.com';

/** A role that one branch of one repository on GitHub can be. */
function createRole(
  stack: Stack,
  id: string,
  props: { roleName: string; description: string; seconds: number; grants: readonly Grant[]; subjects: readonly string[] },
): void {
  const provider = stack.formatArn({ service: 'iam', region: '', resource: 'oidc-provider', resourceName: ISSUER });
  const { subjects, seconds, ...rest } = props;
  roleWith(stack, id, {
    ...rest,
    maxSessionDuration: Duration.seconds(seconds),
    assumedBy: new iam.WebIdentityPrincipal(provider, {
      StringEquals: { [`${ISSUER}:aud`]: AUDIENCE, [`${ISSUER}:sub`]: subjects.length === 1 ? subjects[0] : subjects },
    }),
  });
}

const propsOf = ({ tooling, homeRegion }: InitializedPlan) => ({
  env: { account: tooling.accountId, region: homeRegion },
  terminationProtection: true,
});

/**
 * `Pipelines-GitHub`, in tooling: GitHub as an identity provider. An account has one, so it is before all others. And, where
 * the factory's own repository is on GitHub, the role of the workflow that keeps pipelines in step with the registry.
 */
export class GitHubStack extends Stack {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, GITHUB_STACK, { ...propsOf(plan), description: `Workflows of GitHub for ${plan.organization}` });
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    new iam.OidcProviderNative(this, 'GitHub', { url: `https://${ISSUER}`, clientIds: [AUDIENCE] });
    const own = ownComponent(plan, 'github-actions');
    if (!own || unsupported(plan, own) !== undefined) return;
    createRole(this, 'Sync', {
      roleName: SYNC_ROLE,
      description: 'The workflow on GitHub that keeps pipelines in step with the registry',
      seconds: SYNC_SECONDS,
      grants: syncPermissions(this, plan),
      subjects: subjectsOf(plan, own),
    });
  }
}

const DOES: Readonly<Record<RoleKind, string>> = {
  publish: 'publish what was built',
  start: 'write a rollout down',
  follow: 'set a wave going and follow it',
  hook: "run the component's own steps for the cells of a wave",
};

/**
 * `Pipelines-GitHub-<component>`, in tooling: the roles that jobs of the component's workflow are. A role is for one branch of
 * one repository, and for one kind of job.
 */
export class GitHubRolesStack extends Stack {
  /** @throws FactoryError `REPOSITORY_UNSUPPORTED` for a repository that is not on GitHub */
  constructor(scope: Construct, plan: InitializedPlan, component: Component) {
    super(scope, githubStackName(component.name), {
      ...propsOf(plan),
      description: `What the workflow of ${component.name} on GitHub may do for ${plan.organization}`,
    });
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(this).add(key, value);
    const subjects = subjectsOf(plan, component);
    const permissions = new Permissions(this, plan, component);
    for (const kind of ROLE_KINDS) {
      createRole(this, kind, {
        // The workflow, a file in another repository, names it.
        roleName: roleName(component.name, kind),
        description: `Jobs of ${component.name} on GitHub that ${DOES[kind]}`,
        seconds: credentialSeconds(kind),
        grants: permissions[kind](),
        subjects,
      });
    }
  }
}
