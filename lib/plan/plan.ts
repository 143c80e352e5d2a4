/** Document -> plan: one frozen value that every projection reads. Pure. */
import {
  type AwsCell,
  accountEmail,
  artifactBucketName,
  byImpact,
  type Calendar,
  type Capacity,
  type Component,
  type Contacts,
  cellAccountName,
  cellDelegationStackName,
  cellDomain,
  cellEndpoint,
  cellStackName,
  cellsDomain,
  deepFreeze,
  FactoryError,
  type LifeState,
  type Organization,
  type Override,
  overridesOf,
  poolAccountName,
  type Registry,
  type Resources,
  type RolloutPolicy,
  registryBucketName,
  resourcesOf,
  STAGE_PROFILES,
  type Stage,
  type StageProfile,
  type Tier,
} from '../registry/index.ts';
import { QUOTAS, type QuotaNeed, toolingQuotas } from './quotas.ts';
import { type ZoneNeeds, zoneNeeds } from './zones.ts';

/** Organizational units by purpose, from the root down. */
export const ORGANIZATIONAL_UNITS = {
  control: ['Control'],
  staging: ['Cells', 'Staging'],
  production: ['Cells', 'Production'],
  personal: ['Cells', 'Personal'],
  pool: ['Cells', 'Pool'],
} as const satisfies Record<Stage | 'control' | 'pool', readonly string[]>;

/** The tag that says whose an account is, by the name of the account. Where lock file and records are lost, this is left. */
export const ACCOUNT_TAG = 'cell-factory:account';

/** An account as it should be. */
export interface AccountPlan {
  readonly name: string;
  readonly email: string;
  /** Organizational unit, from the root down. */
  readonly unit: readonly string[];
  readonly accountId: string | undefined;
  /** Region that is bootstrapped for the CDK, and whose quotas are looked at. */
  readonly region: string;
  /** False while the account waits in the pool: only a cell brings a region. */
  readonly bootstrapped: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** Services, as principals, that must have their service-linked role before the account is of use. */
  readonly services: readonly string[];
  readonly quotas: readonly QuotaNeed[];
  /** What its cell's availability zones must have; undefined for an account without a cell. */
  readonly zones: ZoneNeeds | undefined;
}

/** Everything that is derived for one cell on AWS. */
export interface CellPlan {
  readonly name: string;
  readonly stage: Stage;
  readonly region: string;
  readonly size: AwsCell['size'];
  readonly tier: Tier;
  readonly intent: AwsCell['intent'];
  /** How much a failure of the cell hurts. */
  readonly importance: AwsCell['importance'];
  /** Relative share of the traffic. */
  readonly trafficWeight: number;
  /** What runs containers in the cell. */
  readonly platforms: AwsCell['platforms'];
  /** When components may be deployed to the cell: its own calendar, with the organization's blackouts. */
  readonly calendar: Calendar;
  /** What the cell was doing when the document was published; undefined where that is not known: by definitions from a folder, or before the first record. */
  readonly life: LifeState | undefined;
  /** Who a personal cell belongs to. */
  readonly owner: string | undefined;
  /** When a personal cell ends, ISO 8601. */
  readonly expiresAt: string | undefined;
  readonly stackName: string;
  /** Stack in tooling by which the cell's name is delegated. */
  readonly delegationStackName: string;
  readonly account: AccountPlan;
  /** Names of its availability zones, in the order of its subnets; undefined until `cellctl accounts` has written them down. */
  readonly zones: readonly string[] | undefined;
  readonly block: string;
  /** Blocks from which requests may come. */
  readonly clients: readonly string[];
  /** The cell's zone, and the name under which it is reached. */
  readonly domain: string;
  /** The zone that the cell's hangs from, and where it is: in tooling. */
  readonly parentZone: { readonly name: string; readonly accountId: string | undefined; readonly region: string };
  /** Where clients and routers reach the cell. */
  readonly endpoint: string;
  /** Who deploys components into it, and from which bucket in its region; undefined before `cellctl init`. */
  readonly tooling: { readonly accountId: string | undefined; readonly artifactBucket: string | undefined };
  /** What the stage demands; a retiring cell is no longer protected, so that it can go. */
  readonly profile: StageProfile;
  readonly resources: Resources;
  /** Resources that are other than the size class says. */
  readonly overrides: readonly Override[];
  readonly capacity: Capacity;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly organization: string;
  /** AWS Organizations' id; undefined before `cellctl init`. */
  readonly organizationId: string | undefined;
  readonly homeRegion: string;
  /** The home region and those that cells on AWS are in, sorted. */
  readonly regions: readonly string[];
  /** The organization's own domain. */
  readonly domain: string;
  /** The zone in tooling that cells' zones hang from. */
  readonly cellsDomain: string;
  readonly digest: string;
  /** Revision of the document the plan was made from; undefined for definitions from a folder. */
  readonly revision: number | undefined;
  readonly managementAccountId: string | undefined;
  readonly tooling: AccountPlan;
  readonly monitoring: AccountPlan;
  /** Bucket of the registry; undefined before `cellctl init`. */
  readonly registryBucket: string | undefined;
  /** Cells on AWS, in the order in which a change reaches them: staging first, then by impact. */
  readonly cells: readonly CellPlan[];
  /** Names of cells in other clouds, which the AWS projections leave out. */
  readonly elsewhere: readonly string[];
  readonly components: readonly Component[];
  /** How a change reaches the cells. */
  readonly rollout: RolloutPolicy;
  /** How commits do. */
  readonly pipelines: Organization['pipelines'];
  /** Production cells of all clouds, and their weights together: what shares of the traffic are shares of. */
  readonly production: { readonly cells: number; readonly weight: number };
  /** Who is told what becomes of rollouts. */
  readonly notifications: Organization['notifications'];
  /** Alternate contacts of every account. */
  readonly contacts: Contacts;
  /** What accounts in the pool are made from. */
  readonly pool: { readonly emailPattern: string; readonly tags: Readonly<Record<string, string>> };
}

/** Stacks of the control accounts, by purpose. */
export const CONTROL_STACKS = {
  vending: 'Vending',
  registry: 'Registry',
  domain: 'Domain',
  artifacts: 'Artifacts',
  rollouts: 'Rollouts',
} as const;

/** The stack in tooling that holds components' artifacts in a region. */
export const artifactsStackName = (region: string, homeRegion: string): string =>
  region === homeRegion ? CONTROL_STACKS.artifacts : `${CONTROL_STACKS.artifacts}-${region}`;

/** Parameter in tooling that says which zone cells' zones hang from. */
export const ZONE_PARAMETER = '/cell-factory/zone-id';

/** Parameters in tooling that say where rollouts are written down, and what drives them. */
export const ROLLOUT_PARAMETERS = {
  table: '/cell-factory/rollouts/table',
  machine: '/cell-factory/rollouts/machine',
  runWave: '/cell-factory/rollouts/run-wave',
} as const;

/** Services that every cell uses, by platform. EKS brings no load balancer or network of its own, so it comes on top. */
const BASE_SERVICES = ['ecs', 'elasticloadbalancing', 'rds', 'elasticache'].map((service) => `${service}.amazonaws.com`);
const PLATFORM_SERVICES = { ecs: BASE_SERVICES, eks: [...BASE_SERVICES, 'eks.amazonaws.com'] } as const;

function controlAccount(organization: Organization, name: 'tooling' | 'monitoring'): AccountPlan {
  const { email, accountId } = organization.accounts[name];
  return {
    name,
    email,
    unit: ORGANIZATIONAL_UNITS.control,
    accountId,
    region: organization.homeRegion,
    bootstrapped: true,
    tags: { ...organization.tags, [ACCOUNT_TAG]: name },
    services: [],
    quotas: name === 'tooling' ? toolingQuotas(organization) : [],
    zones: undefined,
  };
}

/** A cell's own calendar with the organization's blackouts: open where both are. */
function calendarOf({ rollout }: Organization, { calendar }: AwsCell): Calendar {
  const { blackouts } = rollout.calendar;
  return blackouts.length === 0 ? calendar : { ...calendar, blackouts: [...blackouts, ...calendar.blackouts] };
}

/** The bucket of artifacts in a region, as far as its name is known. */
function artifactBucketOf({ name, accounts }: Organization, region: string): string | undefined {
  return accounts.tooling.accountId === undefined ? undefined : artifactBucketName(name, accounts.tooling.accountId, region);
}

function planCell(organization: Organization, cell: AwsCell, life: LifeState | undefined): CellPlan {
  const { tooling } = organization.accounts;
  const tags = { ...organization.tags, ...cell.tags, cell: cell.name, stage: cell.stage };
  const accountName = cellAccountName(cell.name);
  const profile = STAGE_PROFILES[cell.stage];
  const resources = resourcesOf(cell);
  return {
    name: cell.name,
    stage: cell.stage,
    region: cell.region,
    size: cell.size,
    tier: cell.tier,
    intent: cell.intent,
    importance: cell.importance,
    trafficWeight: cell.trafficWeight,
    platforms: cell.platforms,
    calendar: calendarOf(organization, cell),
    life,
    owner: cell.owner,
    expiresAt: cell.expiresAt,
    stackName: cellStackName(cell.name),
    delegationStackName: cellDelegationStackName(cell.name),
    account: {
      name: accountName,
      email: cell.email ?? accountEmail(organization.emailPattern, accountName),
      unit: ORGANIZATIONAL_UNITS[cell.stage],
      accountId: cell.accountId,
      region: cell.region,
      bootstrapped: true,
      tags: { ...tags, [ACCOUNT_TAG]: accountName },
      services: [...new Set(cell.platforms.flatMap((platform) => PLATFORM_SERVICES[platform]))],
      quotas: QUOTAS[cell.size],
      zones: zoneNeeds(cell, cellStackName(cell.name), profile, resources),
    },
    zones: cell.zones,
    block: cell.network.block,
    clients: cell.network.clients,
    domain: cellDomain(cell.name, organization.domain),
    parentZone: {
      name: cellsDomain(organization.domain),
      accountId: tooling.accountId,
      region: organization.homeRegion,
    },
    tooling: { accountId: tooling.accountId, artifactBucket: artifactBucketOf(organization, cell.region) },
    endpoint: cell.endpoints['api'] ?? cellEndpoint(cell.name, organization.domain),
    profile: { ...profile, protected: profile.protected && cell.intent !== 'retiring' },
    resources,
    overrides: overridesOf(cell),
    capacity: cell.capacity,
    tags,
  };
}

/** The `number`-th account of the pool: as far as an account can be made without knowing its cell. */
export function poolAccount(plan: Plan, number: number): AccountPlan {
  const name = poolAccountName(number);
  return {
    name,
    email: accountEmail(plan.pool.emailPattern, name),
    unit: ORGANIZATIONAL_UNITS.pool,
    accountId: undefined,
    region: plan.homeRegion,
    bootstrapped: false,
    tags: { ...plan.pool.tags, [ACCOUNT_TAG]: name },
    services: BASE_SERVICES,
    quotas: [],
    zones: undefined,
  };
}

/** The plan of a registry. The same registry gives the same plan. */
export function createPlan({ organization, life, digest, published }: Registry): Plan {
  const cells = Object.values(organization.cells).sort(byImpact);
  const onAws = cells.filter((cell) => cell.cloud === 'aws');
  const production = cells.filter((cell) => cell.stage === 'production');
  return deepFreeze({
    organization: organization.name,
    organizationId: organization.organizationId,
    homeRegion: organization.homeRegion,
    regions: [...new Set([organization.homeRegion, ...onAws.map(({ region }) => region)])].sort(),
    domain: organization.domain,
    cellsDomain: cellsDomain(organization.domain),
    digest,
    revision: published?.revision,
    managementAccountId: organization.accounts.management.accountId,
    tooling: controlAccount(organization, 'tooling'),
    monitoring: controlAccount(organization, 'monitoring'),
    registryBucket: organization.accounts.tooling.accountId === undefined ? undefined : registryBucketName(organization),
    cells: onAws.map((cell) => planCell(organization, cell, life[cell.name]?.state)),
    elsewhere: cells.filter((cell) => cell.cloud !== 'aws').map((cell) => cell.name),
    components: Object.values(organization.components).sort((a, b) => (a.name < b.name ? -1 : 1)),
    rollout: organization.rollout,
    pipelines: organization.pipelines,
    production: { cells: production.length, weight: production.reduce((sum, cell) => sum + cell.trafficWeight, 0) },
    notifications: organization.notifications,
    contacts: organization.contacts,
    pool: { emailPattern: organization.emailPattern, tags: organization.tags },
  });
}

/**
 * The cells called `names`, in deployment order; all of them for no names.
 * @throws FactoryError `CELL_UNKNOWN`, `CELL_NOT_ON_AWS`, each naming every cell it is about
 */
export function selectCells(plan: Plan, names: readonly string[]): readonly CellPlan[] {
  if (names.length === 0) return plan.cells;
  const known = new Map(plan.cells.map((cell) => [cell.name, cell]));
  const elsewhere = names.filter((name) => plan.elsewhere.includes(name));
  if (elsewhere.length > 0) {
    throw new FactoryError('CELL_NOT_ON_AWS', `not on AWS: ${elsewhere.join(', ')}`, { fix: 'name cells with cloud: aws' });
  }
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new FactoryError('CELL_UNKNOWN', `no such cell: ${unknown.join(', ')}`, {
      fix: `the registry knows ${[...known.keys()].slice(0, 20).join(', ') || 'no cell'}${known.size > 20 ? ', …' : ''}`,
    });
  }
  const wanted = new Set(names);
  return plan.cells.filter((cell) => wanted.has(cell.name));
}

/** The component called `name`. @throws FactoryError `COMPONENT_UNKNOWN` */
export function selectComponent({ components }: Plan, name: string): Component {
  const found = components.find((component) => component.name === name);
  if (found) return found;
  throw new FactoryError('COMPONENT_UNKNOWN', `no such component: ${name}`, {
    fix: `the registry knows ${components.map((component) => component.name).join(', ') || 'no component'}`,
  });
}

/** Name of a component's stack in a cell. */
export const componentStackName = ({ kind, name }: Component, cell: Pick<CellPlan, 'stackName'>): string =>
  kind === 'foundation' ? cell.stackName : name;

/** Parameters of a component's stack whose values come from its registry entry. */
export const registryParameters = ({ route }: Component): Readonly<Record<string, string>> =>
  route ? { ListenerPriority: String(route.priority) } : {};

/** The component that the cells' own stacks are delivered as, if the registry has one. */
export const foundationComponent = ({ components }: Pick<Plan, 'components'>): Component | undefined =>
  components.find(({ kind }) => kind === 'foundation');

/** A cell that has its account, in an organization that `cellctl init` has been through. */
export type VendedCell = CellPlan & {
  readonly account: AccountPlan & { readonly accountId: string };
  readonly parentZone: { readonly accountId: string };
  readonly tooling: { readonly accountId: string; readonly artifactBucket: string };
};

/** True for a cell that has its account. */
export const isVended = (cell: CellPlan): cell is VendedCell =>
  cell.account.accountId !== undefined && cell.parentZone.accountId !== undefined && cell.tooling.artifactBucket !== undefined;

/**
 * The cells, all of which have accounts.
 * @throws FactoryError `CELL_WITHOUT_ACCOUNT`, naming every cell that has none
 */
export function requireAccounts(cells: readonly CellPlan[]): readonly VendedCell[] {
  const missing = cells.filter((cell) => !isVended(cell)).map((cell) => cell.name);
  if (missing.length > 0) {
    throw new FactoryError('CELL_WITHOUT_ACCOUNT', `no account yet: ${missing.join(', ')}`, { fix: 'run `cellctl accounts` first' });
  }
  return cells.filter(isVended);
}

/** An organization that `cellctl init` has been through. */
export interface InitializedPlan extends Plan {
  readonly organizationId: string;
  readonly managementAccountId: string;
  readonly registryBucket: string;
  readonly tooling: AccountPlan & { readonly accountId: string };
  readonly monitoring: AccountPlan & { readonly accountId: string };
}

/** True once `cellctl init` has been through. */
export function isInitialized(plan: Plan): plan is InitializedPlan {
  return [plan.organizationId, plan.managementAccountId, plan.tooling.accountId, plan.monitoring.accountId].every((id) => id !== undefined);
}

/** The plan, with its control accounts known. @throws FactoryError `NOT_INITIALIZED` */
export function requireInitialized(plan: Plan): InitializedPlan {
  if (isInitialized(plan)) return plan;
  throw new FactoryError('NOT_INITIALIZED', `organization ${plan.organization} has no control accounts in its lock file`, {
    fix: 'run `cellctl init` with credentials of the management account',
  });
}
