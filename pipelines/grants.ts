/** Roles that may do what is listed, and nothing else. */
import * as iam from 'aws-cdk-lib/aws-iam';
import { Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../lib/linting.ts';

/** Something that a role may do. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Record<string, unknown>;
  /** Why resources may have a wildcard, for those that have one. */
  readonly why?: string;
}

interface RoleProps extends Omit<iam.RoleProps, 'inlinePolicies'> {
  readonly grants: readonly Grant[];
}

/** A role whose permissions are there as soon as it is: nobody has to wait for a policy. */
export function roleWith(scope: Construct, id: string, { grants, ...props }: RoleProps): iam.Role {
  const statements = grants.map(
    ({ actions, resources, conditions }) =>
      new iam.PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions ? { conditions } : {}) }),
  );
  const role = new iam.Role(scope, id, {
    ...props,
    inlinePolicies: statements.length === 0 ? {} : { Own: new iam.PolicyDocument({ statements }) },
  });
  for (const { resources, why } of grants) {
    if (why === undefined) continue;
    const named = resources.filter((resource) => resource !== '*' && resource.includes('*'));
    acknowledgeWildcards(role, named, why);
    if (resources.includes('*')) Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason: why });
  }
  return role;
}
