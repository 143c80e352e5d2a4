/** Names of roles that one account knows of another. Apart from the SDK code, so that CDK code can name them too. */

/** The role that AWS Organizations puts into every account it creates; it trusts the management account only. */
export const ORGANIZATION_ROLE = 'OrganizationAccountAccessRole';

/** The role in management that tooling assumes to create accounts. */
export const VENDING_ROLE = 'cell-vending';
