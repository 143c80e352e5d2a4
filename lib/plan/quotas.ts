/**
 * Service quotas that a cell needs above what a new account has, by size class. A table to start from: the figures cover
 * the foundation and room for its components, load tests of the application show the rest.
 * Codes are those of Service Quotas; each was found in use under the same name in more than one public project.
 */
import type { Component, Organization, RolloutPolicy, Size } from '../registry/index.ts';
import { GLOBAL_REGION } from '../registry/regions.ts';

/** A quota, and the least value that will do. */
export interface QuotaNeed {
  /** Service Quotas' code of the service. */
  readonly service: string;
  readonly code: string;
  readonly name: string;
  readonly atLeast: number;
  /** Where it is asked for. @default - the account's region */
  readonly region?: string;
}

/** Calls of functions at once, in a region. */
export const CALLS = { service: 'lambda', code: 'L-B99A9384', name: 'Concurrent executions' } as const;

interface Row extends Omit<QuotaNeed, 'atLeast' | 'region'> {
  readonly needs: Readonly<Record<Size, number>>;
}

/**
 * The most needed first: AWS takes two open requests per region and account
 * (Service quotas for Service Quotas, Service Quotas User Guide), the rest follows when the command is run again.
 */
export const QUOTA_ROWS: readonly Row[] = [
  // New accounts start with 6, or less. Tasks of the components, twice while a new version starts.
  { service: 'fargate', code: 'L-3032A538', name: 'Fargate On-Demand vCPU resource count', needs: { small: 16, medium: 64, large: 256 } },
  // New accounts start with as little as 10.
  { ...CALLS, needs: { small: 100, medium: 500, large: 1000 } },
  // A NAT gateway per zone in production: 3 of the default 5.
  { service: 'ec2', code: 'L-0263D0A3', name: 'EC2-VPC Elastic IPs', needs: { small: 5, medium: 5, large: 5 } },
  // Database, its standby, and one to restore into.
  { service: 'rds', code: 'L-7B6409FD', name: 'DB instances', needs: { small: 5, medium: 5, large: 10 } },
  { service: 'elasticache', code: 'L-DFE45DF3', name: 'Nodes per Region', needs: { small: 6, medium: 6, large: 12 } },
];

const needsOf = (size: Size): readonly QuotaNeed[] =>
  QUOTA_ROWS.map(({ service, code, name, needs }) => ({ service, code, name, atLeast: needs[size] }));

export const QUOTAS: Readonly<Record<Size, readonly QuotaNeed[]>> = {
  small: needsOf('small'),
  medium: needsOf('medium'),
  large: needsOf('large'),
};

/** Builds at once in the environment of pipelines/codepipeline/builds.ts. */
const BUILDS = { service: 'codebuild', code: 'L-5ED1D25B', name: 'Concurrently running builds for ARM/Small environment' } as const;
/** IAM is global, and its quotas are asked for there. */
const ROLES = { service: 'iam', code: 'L-FE177D64', name: 'Roles per account', region: GLOBAL_REGION } as const;

/** Calls of functions that no function may keep to itself. Source: "Configuring reserved concurrency", AWS Lambda Developer Guide, read 2026-11-30. */
const UNRESERVED = 100;

/** Rollouts that have cells in their hands at the same moment: our own choice. */
const ROLLOUTS_AT_ONCE = 2;

/** Roles of a pipeline: its own, and about two for each step, the action's and the project's. */
const ROLES_OF_A_PIPELINE = 15;
/** Roles that tooling has however small the organization is: of its own stacks, of the CDK, of services, and of people. */
const ROLES_OF_TOOLING = 100;

/** Builds that are asked for at most. Those beyond it wait: five times as many may. Source: "Builds in AWS CodeBuild", AWS CodeBuild User Guide, read 2026-11-30. */
const MOST_BUILDS = 60;

type SizedOrganization = Pick<Organization, 'rollout' | 'cells' | 'components' | 'pipelines'>;

/**
 * What tooling needs above what a new account has, at the organization's size. The most needed first: see {@link QUOTA_ROWS}.
 * - Lambda: calls of the operator, of which a wave makes as many at once as it works on cells or takes back, and what Lambda
 *   leaves to all other functions. Ten, which a new account may have, is less than one wave.
 * - CodeBuild: a build for each pipeline. A new account may run one, or none.
 * - IAM: one for each cell, and those of the pipelines. An account starts with 1,000 (IAM and AWS STS quotas, IAM User Guide).
 */
export function toolingQuotas({ rollout, ...organization }: SizedOrganization): readonly QuotaNeed[] {
  const cells = Object.values(organization.cells).filter(({ cloud }) => cloud === 'aws').length;
  const onAws = ({ pipeline }: Component) => (pipeline.engine ?? organization.pipelines.engine) === 'codepipeline';
  const pipelines = Object.values(organization.components).filter(onAws).length;
  return [
    { ...CALLS, atLeast: UNRESERVED + ROLLOUTS_AT_ONCE * Math.max(rollout.concurrency, rollout.rollbackConcurrency) },
    ...(pipelines === 0 ? [] : [{ ...BUILDS, atLeast: Math.min(MOST_BUILDS, pipelines) }]),
    { ...ROLES, atLeast: ROLES_OF_TOOLING + cells + ROLES_OF_A_PIPELINE * pipelines },
  ];
}

/**
 * Cells that a wave may have in hand at once, where tooling may make so many calls of functions at once: at least one. Half of
 * the calls, and a hundred at most, are left to other functions. What {@link toolingQuotas} asks for serves the policy.
 */
export const servedAtOnce = (calls: number): number =>
  Math.max(1, Math.floor((calls - Math.min(UNRESERVED, calls / 2)) / ROLLOUTS_AT_ONCE));

/** The plan, with waves that work on no more cells at once than the operator can serve; the same plan where they don't. */
export function withinCalls<P extends { readonly rollout: RolloutPolicy }>(plan: P, calls: number): P {
  const most = servedAtOnce(calls);
  const { concurrency, rollbackConcurrency } = plan.rollout;
  if (Math.max(concurrency, rollbackConcurrency) <= most) return plan;
  const rollout = {
    ...plan.rollout,
    concurrency: Math.min(concurrency, most),
    rollbackConcurrency: Math.min(rollbackConcurrency, most),
  };
  return { ...plan, rollout };
}
