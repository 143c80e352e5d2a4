/** Roles in tooling that the jobs of a workflow are: a name that the workflow and the stack of roles must both know. */
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { InitializedPlan } from '../../lib/plan/plan.ts';

/** What jobs do with credentials; each has a role of its own. */
export const ROLE_KINDS = ['publish', 'start', 'follow', 'hook'] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

const HOUR = 3_600;

/** How long credentials last: an hour, but for jobs that follow a wave, which last as long as a job may. */
export const credentialSeconds = (kind: RoleKind): number => (kind === 'follow' ? 6 * HOUR : HOUR);

/** The role of the workflow that keeps pipelines in step with the registry. */
export const SYNC_ROLE = 'github-cell-factory-sync';
/** It waits for pipelines that are busy. */
export const SYNC_SECONDS = 6 * HOUR;

export const roleName = (component: string, kind: RoleKind): string => `github-${component}-${kind}`;

/** A role in tooling. A workflow is plain text: nothing fills the partition in later, so it is the home region's. */
export const roleArn = ({ homeRegion, tooling }: InitializedPlan, name: string): string =>
  `arn:${RegionInfo.get(homeRegion).partition}:iam::${tooling.accountId}:role/${name}`;
