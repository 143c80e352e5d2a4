/**
 * What people write. Each function fills in the defaults and checks nothing: a wrong value passes through as it is,
 * so that the loader can report the problems of all files at once.
 */
import type { AccessPolicy, AwsCell, Capacity, Component, GcpCell, OrganizationSettings } from './model.ts';
import { accountEmail } from './names.ts';
import type { Calendar, RolloutPolicy } from './rollout-model.ts';
import { capacityOf } from './sizes.ts';

const ALWAYS_OPEN: Calendar = { timeZone: 'UTC', windows: [], blackouts: [] };

/** What a cell is when its definition doesn't say. */
export const CELL_DEFAULTS = {
  size: 'small',
  importance: 'normal',
  trafficWeight: 1,
  endpoints: {},
  intent: 'active',
  tier: 'shared',
  tags: {},
  calendar: ALWAYS_OPEN,
} as const satisfies Partial<AwsCell>;

type Webhook = OrganizationSettings['notifications']['webhooks'][string];
type Wave = RolloutPolicy['waves'][number];

type WaveDefinition = Omit<Wave, 'approval'> & Partial<Pick<Wave, 'approval'>>;

/** What a wave is when its definition doesn't say. */
export const WAVE_DEFAULTS = { approval: false } as const satisfies Partial<Wave>;

/** The default policy of "Automating safe, hands-off deployments" (Amazon Builders' Library). */
export const ROLLOUT_DEFAULTS: RolloutPolicy = {
  timeScale: 1,
  stagingBake: '1h',
  waves: [
    { name: 'one-quiet-cell', prefer: 'low-traffic', admit: { cells: 1 }, bake: '12h', ...WAVE_DEFAULTS },
    { name: 'one-busy-cell', prefer: 'busy', admit: { cells: 1 }, bake: '4h', ...WAVE_DEFAULTS },
    { name: 'first-tenth', prefer: 'any', admit: { percent: 10 }, bake: '2h', ...WAVE_DEFAULTS },
    { name: 'next-fifth', prefer: 'any', admit: { percent: 20 }, bake: '2h', ...WAVE_DEFAULTS },
    { name: 'next-third', prefer: 'any', admit: { percent: 35 }, bake: '2h', ...WAVE_DEFAULTS },
    { name: 'rest', prefer: 'any', admit: { rest: true }, bake: '2h', ...WAVE_DEFAULTS },
  ],
  emergency: [
    { name: 'emergency-first', prefer: 'low-traffic', admit: { cells: 1 }, bake: '10m', ...WAVE_DEFAULTS },
    { name: 'emergency-rest', prefer: 'any', admit: { rest: true }, bake: '10m', ...WAVE_DEFAULTS },
  ],
  multiRegionFromWave: 3,
  minRequestsPerCell: 100,
  concurrency: 10,
  failureTolerance: { cells: 0 },
  alarmTolerance: { percent: 1 },
  diagnosisTime: '30m',
  watchAfter: '24h',
  onFailure: 'rollback-wave',
  onPipelineFailure: 'stop',
  // As long as CodePipeline waits for an approval.
  betweenWaves: '7d',
  foundationAlone: true,
  rollbackConcurrency: 20,
  alarmGrace: '10m',
  maxBakeExtension: '2h',
  calendar: { blackouts: [] },
};

const ACCESS_DEFAULTS: AccessPolicy = { roles: {} };

/** AWS's own engine needs nothing but a connection to the repository. */
const PIPELINES_DEFAULTS: OrganizationSettings['pipelines'] = { engine: 'codepipeline', grace: '30d' };

/** Everybody: a cell serves customers, who may be anywhere. */
const CLIENTS = ['0.0.0.0/0'];

type CellDefaults = keyof typeof CELL_DEFAULTS | 'platforms' | 'capacity' | 'cloud' | 'accountId' | 'zones' | 'overrides' | 'network';
type Definition<T, D extends keyof T> = Omit<T, D> &
  Partial<Pick<T, Exclude<D, 'capacity' | 'cloud' | 'accountId' | 'network' | 'calendar'>>>;

/** A cell on AWS as it is written in `cells/<name>.ts`. */
export type AwsCellDefinition = Definition<AwsCell, CellDefaults> & {
  cloud?: 'aws';
  capacity?: Partial<Capacity>;
  calendar?: Partial<Calendar>;
  network: { block: string; clients?: string[] };
};
/** A cell on Google Cloud as it is written in `cells/<name>.ts`. */
export type GcpCellDefinition = Definition<GcpCell, Exclude<CellDefaults, 'accountId' | 'zones' | 'overrides' | 'network'>> & {
  cloud: 'gcp';
  capacity?: Partial<Capacity>;
  calendar?: Partial<Calendar>;
};

/** A component as it is written in `components/<name>.ts`. */
export type ComponentDefinition = Omit<Component, 'kind' | 'repository' | 'pipeline' | 'dependsOn' | 'tags'> &
  Partial<Pick<Component, 'kind' | 'dependsOn' | 'tags'>> & {
    repository: { url: string; branch?: string; path?: string; github?: Component['repository']['github'] };
    pipeline?: Partial<Component['pipeline']>;
  };

/** The organization as it is written in `organization.ts`: all but its cells, its components and what the lock file knows. */
export type OrganizationDefinition = Omit<
  OrganizationSettings,
  'organizationId' | 'accounts' | 'rollout' | 'pipelines' | 'access' | 'notifications' | 'contacts' | 'tags'
> & {
  accounts?: { tooling?: { email?: string }; monitoring?: { email?: string } };
  rollout?: Partial<Omit<RolloutPolicy, 'waves' | 'emergency'>> & { waves?: WaveDefinition[]; emergency?: WaveDefinition[] };
  pipelines?: Partial<OrganizationSettings['pipelines']>;
  access?: Partial<AccessPolicy>;
  notifications?: { webhooks?: Record<string, Partial<Webhook>> };
  contacts?: OrganizationSettings['contacts'];
  tags?: Record<string, string>;
};

/** What has fields, with those that it lacks; anything else as it is. */
const filled = (value: unknown, defaults: object): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...defaults, ...value } : value;

/**
 * Fills in a cell's defaults: `size: 'small'`, capacity by size, stage and tier, `platforms: ['ecs']`, `intent: 'active'`,
 * `tier: 'shared'`, weight 1, no overrides, clients everywhere, a calendar that is always open.
 */
export function defineCell(cell: AwsCellDefinition): AwsCell;
export function defineCell(cell: GcpCellDefinition): GcpCell;
export function defineCell(cell: AwsCellDefinition | GcpCellDefinition): AwsCell | GcpCell {
  const { cloud = 'aws', capacity, network, calendar = {}, ...rest } = cell;
  const { size, tier } = { ...CELL_DEFAULTS, ...cell };
  return {
    ...CELL_DEFAULTS,
    ...(cloud === 'aws' ? { platforms: ['ecs'], overrides: {} } : { platforms: ['gke'] }),
    ...rest,
    cloud,
    // A network that is missing is one problem, too.
    network: cloud === 'aws' && network ? { clients: CLIENTS, ...network } : network,
    calendar: filled(calendar, ALWAYS_OPEN),
    // An unknown size is one problem, which the schema reports; without a capacity it would become four.
    capacity: { ...capacityOf(size, cell.stage, tier), ...capacity },
  } as AwsCell | GcpCell;
}

/** Fills in a component's defaults: `kind: 'cloudformation'`, branch `main`, path `.`, no dependencies, a pipeline without steps of its own. */
export function defineComponent(component: ComponentDefinition): Component {
  return {
    kind: 'cloudformation',
    dependsOn: [],
    tags: {},
    ...component,
    repository: { branch: 'main', path: '.', ...component.repository },
    pipeline: filled(component.pipeline ?? {}, { paths: [], hooks: [] }) as Component['pipeline'],
  };
}

/** Fills in a policy's defaults. Regions may be mixed from the third wave on, or, where there are fewer, in the last. */
function withPolicyDefaults(policy: NonNullable<OrganizationDefinition['rollout']>): RolloutPolicy {
  const wavesOf = (defined: unknown) => (Array.isArray(defined) ? defined.map((wave) => filled(wave, WAVE_DEFAULTS)) : defined);
  const waves = wavesOf(policy.waves ?? ROLLOUT_DEFAULTS.waves);
  const emergency = wavesOf(policy.emergency ?? ROLLOUT_DEFAULTS.emergency);
  const multiRegionFromWave = Array.isArray(waves)
    ? Math.max(1, Math.min(ROLLOUT_DEFAULTS.multiRegionFromWave, waves.length))
    : ROLLOUT_DEFAULTS.multiRegionFromWave;
  return { ...ROLLOUT_DEFAULTS, multiRegionFromWave, ...policy, waves, emergency } as RolloutPolicy;
}

/** What a webhook is when its definition doesn't say: a chat that is told what a person has to see to. */
const webhookDefaults = (name: string): Webhook => ({ events: 'attention', body: 'chat', secret: `cell-factory/webhooks/${name}` });

function withWebhookDefaults(notifications: unknown): OrganizationSettings['notifications'] {
  const { webhooks = {}, ...rest } = Object(notifications) as { webhooks?: unknown };
  const filledIn =
    typeof webhooks === 'object' && webhooks !== null && !Array.isArray(webhooks)
      ? Object.fromEntries(Object.entries(webhooks).map(([name, webhook]) => [name, filled(webhook, webhookDefaults(name))]))
      : webhooks;
  return { ...rest, webhooks: filledIn } as OrganizationSettings['notifications'];
}

/** Fills in the organization's defaults: e-mails of the control accounts by pattern, the default rollout policy, pipelines on CodePipeline. */
export function defineOrganization(organization: OrganizationDefinition): OrganizationSettings {
  const control = (account: 'tooling' | 'monitoring') => ({
    email: accountEmail(organization.emailPattern, account),
    ...organization.accounts?.[account],
  });
  return {
    tags: {},
    contacts: {},
    ...organization,
    accounts: { management: {}, tooling: control('tooling'), monitoring: control('monitoring') },
    rollout: withPolicyDefaults(organization.rollout ?? {}),
    pipelines: filled(organization.pipelines ?? {}, PIPELINES_DEFAULTS) as OrganizationSettings['pipelines'],
    access: { ...ACCESS_DEFAULTS, ...organization.access },
    notifications: withWebhookDefaults(organization.notifications ?? {}),
  };
}
