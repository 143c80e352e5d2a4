/**
 * Names that are derived from the registry, and how long AWS lets them be. One function per name: whoever creates the
 * thing and whoever looks for it call the same one, and the rule NAME_TOO_LONG measures what they really give.
 */
import { FactoryError } from './errors.ts';
import type { Organization } from './model.ts';
import { REGION_ZONES } from './regions.ts';

/** Name of a cell's account. */
export const cellAccountName = (cell: string) => `cell-${cell}`;

/** Name of a cell's foundation stack. */
export const cellStackName = (cell: string) => `Cell-${cell}`;

/** Name of the composite alarm that says how a cell is. */
export const cellHealthAlarmName = (cell: string) => `cell-${cell}-health`;

/**
 * How the names of a component's alarms in a cell begin: a rollout of the component heeds all of them. The dot, which no name
 * has, keeps `orders` from heeding the alarms of `orders-api`, and a component called `server` from the cell's own.
 */
export const componentAlarmPrefix = (cell: string, component: string) => `cell-${cell}-${component}.`;

/** Whether an alarm of the cell is one of a component. No name of a cell or component holds a dot. */
export const isOfComponent = (alarm: string, cell: string): boolean => alarm.startsWith(`cell-${cell}-`) && alarm.includes('.');

/** Name of the alarm on the share of errors in what a component logs in a cell. */
export const componentErrorsAlarmName = (cell: string, component: string) => `${componentAlarmPrefix(cell, component)}errors`;

/** Name of the stack in tooling that lets a cell delegate its own name, and nothing else. */
export const cellDelegationStackName = (cell: string) => `Delegation-${cell}`;

/** Name of the role in tooling by which a cell does so. */
export const cellDelegationRoleName = (cell: string) => `cell-delegation-${cell}`;

/** Name of the canary that probes a cell. */
export const cellProbeName = (cell: string) => `cell-${cell}`;

/** The zone in tooling that cells' zones hang from. Whoever owns `domain` delegates it, once. */
export const cellsDomain = (domain: string) => `cells.${domain}`;

/** The zone of a cell, and the name under which it is reached. */
export const cellDomain = (cell: string, domain: string) => `${cell}.${cellsDomain(domain)}`;

/** Where clients and routers reach a cell on AWS. */
export const cellEndpoint = (cell: string, domain: string) => `https://${cellDomain(cell, domain)}`;

/** Name of an account that waits in the pool, by number. */
export const poolAccountName = (number: number) => `pool-${String(number).padStart(4, '0')}`;

/** The e-mail that `pattern` gives the account called `account`. */
export const accountEmail = (pattern: string, account: string) => String(pattern).replace('{account}', account);

const registryBucket = (organization: string, toolingAccountId: string) => `${organization}-cell-registry-${toolingAccountId}`;

/**
 * Name of the registry's bucket. Fixed, not generated: readers in every account must know it without asking.
 * @throws FactoryError `NOT_INITIALIZED` while the tooling account is unknown
 */
export function registryBucketName(organization: Pick<Organization, 'name' | 'accounts'>): string {
  const { accountId } = organization.accounts.tooling;
  if (accountId === undefined) {
    throw new FactoryError('NOT_INITIALIZED', 'the organization has no tooling account yet', {
      fix: 'run `cellctl init` with management credentials',
    });
  }
  return registryBucket(organization.name, accountId);
}

/**
 * Name of the bucket that holds components' artifacts in `region`, in tooling. Fixed, as the registry's: cells read from it,
 * and their templates must name it.
 */
export const artifactBucketName = (organization: string, toolingAccountId: string, region: string) =>
  `${organization}-cell-artifacts-${toolingAccountId}-${region}`;

/** Name of the stack in tooling that holds a component's pipeline. */
export const pipelineStackName = (component: string) => `Pipeline-${component}`;

/** Name of a component's pipeline on CodePipeline. */
export const pipelineName = (component: string) => component;

/** Name of the project by which CodeBuild runs a step of a component's pipeline. */
export const pipelineProjectName = (component: string, step: string) => `${pipelineStackName(component)}-${step}`;

/** Name of the connection to a provider of repositories. */
export const connectionName = (organization: string, provider: string) => `${organization}-${provider}`;

/** The longest name of a region that cells can be in. */
const LONGEST_REGION = Object.keys(REGION_ZONES).reduce((longest, region) => (region.length > longest.length ? region : longest), '');

/** A name that comes out too long makes a deployment fail long after the definition was accepted. */
export interface DerivedName {
  /** What carries the name. */
  readonly what: string;
  /** Most characters that AWS takes. */
  readonly limit: number;
  /** Where AWS says so. */
  readonly source: string;
}

/** Names that an organization's own name leads to. */
export const ORGANIZATION_NAMES: readonly (DerivedName & { readonly of: (organization: string) => string })[] = [
  {
    what: "the registry's bucket",
    limit: 63,
    source: 'General purpose bucket naming rules, Amazon S3 User Guide',
    of: (organization) => registryBucket(organization, '0'.repeat(12)),
  },
  {
    what: 'the bucket of artifacts in a region',
    limit: 63,
    source: 'General purpose bucket naming rules, Amazon S3 User Guide',
    of: (organization) => artifactBucketName(organization, '0'.repeat(12), LONGEST_REGION),
  },
  {
    what: 'the connection to a provider of repositories',
    limit: 32,
    source: 'CreateConnection, AWS CodeConnections API Reference',
    of: (organization) => connectionName(organization, 'bitbucket'),
  },
];

/** Names that a cell's name leads to. */
export const CELL_NAMES: readonly (DerivedName & { readonly of: (cell: string) => string })[] = [
  { what: "the cell's account", limit: 50, source: 'CreateAccount, AWS Organizations API Reference', of: cellAccountName },
  { what: "the cell's stack", limit: 128, source: 'CreateStack, AWS CloudFormation API Reference', of: cellStackName },
  { what: "the cell's health alarm", limit: 255, source: 'PutCompositeAlarm, Amazon CloudWatch API Reference', of: cellHealthAlarmName },
  {
    what: "the cell's delegation stack",
    limit: 128,
    source: 'CreateStack, AWS CloudFormation API Reference',
    of: cellDelegationStackName,
  },
  { what: "the cell's delegation role", limit: 64, source: 'CreateRole, AWS IAM API Reference', of: cellDelegationRoleName },
  { what: "the cell's probe", limit: 255, source: 'CreateCanary, Amazon CloudWatch Synthetics API Reference', of: cellProbeName },
];

/** Names that a cell's name and the organization's domain lead to. */
export const CELL_DOMAIN_NAMES: readonly (DerivedName & { readonly of: (cell: string, domain: string) => string })[] = [
  { what: "the cell's domain", limit: 64, source: 'RequestCertificate, AWS Certificate Manager API Reference', of: cellDomain },
];

/** Names that a component's name leads to. */
export const COMPONENT_NAMES: readonly (DerivedName & { readonly of: (component: string) => string })[] = [
  { what: "the component's stack", limit: 128, source: 'CreateStack, AWS CloudFormation API Reference', of: (component) => component },
  {
    what: "the component's image repository",
    limit: 256,
    source: 'CreateRepository, Amazon ECR API Reference',
    of: (component) => component,
  },
  { what: "the pipeline's stack", limit: 128, source: 'CreateStack, AWS CloudFormation API Reference', of: pipelineStackName },
  { what: "the component's pipeline", limit: 100, source: 'CreatePipeline, AWS CodePipeline API Reference', of: pipelineName },
  {
    what: 'the project of a step',
    limit: 150,
    source: 'CreateProject, AWS CodeBuild API Reference',
    // No step has a longer name than a label may be.
    of: (component) => pipelineProjectName(component, 's'.repeat(63)),
  },
];

/** Names that a role in a cell leads to. */
export const ACCESS_NAMES: readonly (DerivedName & { readonly of: (cell: string, role: string) => string })[] = [
  {
    what: "the role's permission set in the cell",
    limit: 32,
    source: 'CreatePermissionSet, IAM Identity Center API Reference',
    of: (cell, role) => `${cell}-${role}`,
  },
];

/** Most characters of an account's e-mail. Source: CreateAccount, AWS Organizations API Reference. */
export const EMAIL_LIMIT = 64;
