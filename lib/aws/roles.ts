/** Names of roles that one account knows of another. Apart from the SDK code, so that CDK code can name them too. */

/** The role that AWS Organizations puts into every account it creates; it trusts the management account only. */
export const ORGANIZATION_ROLE = 'OrganizationAccountAccessRole';

/** The role in management that tooling assumes to create accounts. */
export const VENDING_ROLE = 'cell-vending';

/** The role by which CloudFormation creates what is in a stack, in an account that is bootstrapped for the CDK. */
export const executionRole = (accountId: string, region: string) => `cdk-hnb659fds-cfn-exec-role-${accountId}-${region}`;

/** The role there by which trusted accounts deploy stacks. */
export const deployRole = (accountId: string, region: string) => `cdk-hnb659fds-deploy-role-${accountId}-${region}`;

/** The role there by which trusted accounts look around. */
export const lookupRole = (accountId: string, region: string) => `cdk-hnb659fds-lookup-role-${accountId}-${region}`;

/** The role there by which trusted accounts put files into {@link stagingBucket}. */
export const filePublishingRole = (accountId: string, region: string) => `cdk-hnb659fds-file-publishing-role-${accountId}-${region}`;

/** The bucket there that CloudFormation reads templates from. */
export const stagingBucket = (accountId: string, region: string) => `cdk-hnb659fds-assets-${accountId}-${region}`;

/** The role of the cell operator, in tooling: it starts and looks at rollouts in cells. */
export const OPERATOR_ROLE = 'cell-operator';

/** The role in each cell that the operator assumes to deploy components. */
export const ROLLOUT_ROLE = 'cell-rollout';

/** The role in each cell by which a drill raises the cell's alarms. */
export const DRILL_ROLE = 'cell-drill';
