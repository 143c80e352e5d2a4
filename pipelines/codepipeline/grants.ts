/** Roles that may do what is listed, and nothing else. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../../lib/linting.ts';

/** Something that a role may do. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Why resources may have a wildcard, for those that have one. */
  readonly why?: string;
}

interface RoleProps {
  readonly description: string;
  readonly assumedBy: iam.IPrincipal;
  readonly grants: readonly Grant[];
}

/** A role whose permissions are there as soon as it is: nobody has to wait for a policy. */
export function roleWith(scope: Construct, id: string, { description, assumedBy, grants }: RoleProps): iam.Role {
  const statements = grants.map(({ actions, resources }) => new iam.PolicyStatement({ actions: [...actions], resources: [...resources] }));
  const role = new iam.Role(scope, id, {
    description,
    assumedBy,
    inlinePolicies: statements.length === 0 ? {} : { Own: new iam.PolicyDocument({ statements }) },
  });
  for (const { resources, why } of grants) {
    if (why === undefined) continue;
    acknowledgeWildcards(
      role,
      resources.filter((resource) => resource.includes('*')),
      why,
    );
  }
  return role;
}
