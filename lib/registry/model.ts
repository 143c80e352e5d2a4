/**
 * The model of an organization, as the published document holds it: complete, without optional defaults.
 * What people may leave out, and what it then is, stands in `define.ts`.
 */
import { z } from 'zod';
import { calendar, rolloutPolicy } from './rollout-model.ts';
import { accountId, block, duration, instant, label, region, tags } from './values.ts';

const STAGES = ['staging', 'production', 'personal'] as const;
export const SIZES = ['small', 'medium', 'large'] as const;
const TIERS = ['shared', 'dedicated'] as const;

export const capacity = z.strictObject({
  /** Requests per second the cell is sized for. */
  maxRequestsPerSecond: z.int().positive(),
  /** Tenants the cell may hold. */
  maxTenants: z.int().positive(),
  /** Share of the capacity at which the cell counts as full, 0 to 1. */
  headroom: z.number().gt(0).max(1),
});

const databaseResources = z.strictObject({
  /** Instance class of PostgreSQL, without `db.`. */
  instanceClass: z.string().min(1),
  /** Storage at first, in GiB. */
  storageGiB: z.int().min(20).max(65_536),
  /** Size up to which storage grows by itself, in GiB. */
  maxStorageGiB: z.int().min(22).max(65_536),
  /** A standby in another zone, which takes over. */
  standby: z.boolean(),
  /** Days of point-in-time recovery. */
  backupDays: z.int().min(1).max(35),
});
const cacheResources = z.strictObject({
  /** Node type of the cache. */
  nodeType: z.string().min(1),
  /** Nodes besides the primary, each in another zone. */
  replicas: z.int().min(0).max(5),
});
const serviceResources = z.strictObject({
  /** Processor units of a task, 1,024 to a core. */
  cpu: z.literal([256, 512, 1024, 2048, 4096, 8192, 16384]),
  /** Memory of a task, in MiB. */
  memoryMiB: z.int().min(512).max(122_880),
  /** Tasks of each component that always run. */
  minTasks: z.int().min(1).max(1_000),
  /** Tasks of each component at most. */
  maxTasks: z.int().min(1).max(1_000),
});
const nat = z.enum(['gateway-per-zone', 'one-gateway', 'instance']);

const overrides = z.strictObject({
  /** Of the database. */
  database: databaseResources.partial().optional(),
  /** Of the cache. */
  cache: cacheResources.partial().optional(),
  /** Of every component's service. */
  service: serviceResources.partial().optional(),
  /** How services reach what is outside the network. */
  nat: nat.optional(),
});

const cellBase = {
  /** Unique in the organization; part of every name that people see. */
  name: label,
  /** What the cell is for: trying changes, serving customers, or one developer's own. */
  stage: z.enum(STAGES),
  /** Size class: decides instance classes and, unless given, capacity. */
  size: z.enum(SIZES),
  /** How much a failure of this cell hurts; important cells are deployed late. */
  importance: z.enum(['low', 'normal', 'high']),
  /** Relative share of the traffic; the unit is the organization's own. */
  trafficWeight: z.number().min(0),
  /** Addresses by purpose. `api` is where clients and routers reach the cell; on AWS it follows from the name and the domain. */
  endpoints: z.record(z.string(), z.string()),
  /** What the cell can take. */
  capacity,
  /** What people want of the cell; what it is doing is recorded elsewhere. */
  intent: z.enum(['active', 'cordoned', 'retiring']),
  /** Whether tenants share the cell, or one has it to itself. */
  tier: z.enum(TIERS),
  /** Who the cell belongs to; personal cells must have one. */
  owner: z.string().min(1).optional(),
  /** When a personal cell ends, ISO 8601 with time zone. */
  expiresAt: instant.optional(),
  /** When components may be deployed to the cell. */
  calendar,
  /** Tags of everything in the cell, besides the organization's and `cell`, `stage`. */
  tags,
};

const awsCell = z.strictObject({
  ...cellBase,
  /** Where the cell runs. */
  cloud: z.literal('aws'),
  /** Region of the cell; a production cell needs one with three availability zones. */
  region,
  /** What runs containers in the cell. */
  platforms: z.array(z.enum(['ecs', 'eks'])).min(1),
  /** The cell's network. */
  network: z.strictObject({
    /** The cell's own IPv4 block, inside the organization's supernet. */
    block,
    /** Where requests may come from. At most 20, because each is two rules of a security group, which has 60. */
    clients: z.array(block).min(1).max(20),
  }),
  /** Single values that are other than the size class says. */
  overrides,
  /** E-mail of the cell's account; absent means derived from the organization's pattern. */
  email: z.email().optional(),
  /** From the lock file, never written by hand. */
  accountId: accountId.optional(),
  /**
   * Availability zones of the cell's subnets, in their order, as its account calls them: `us-east-1a` is another zone in
   * another account. From the lock file, never written by hand.
   */
  zones: z
    .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'must be the name of a zone, as us-east-1a'))
    .min(2)
    .max(3)
    .optional(),
});

const gcpCell = z.strictObject({
  ...cellBase,
  /** Where the cell runs. */
  cloud: z.literal('gcp'),
  /** Region of the cell. */
  region: z.string().regex(/^[a-z]+-[a-z]+\d+$/, 'must look like europe-west1'),
  /** What runs containers in the cell. */
  platforms: z.array(z.literal('gke')).min(1),
  /** The cell's network. */
  network: z.strictObject({
    /** The cell's own IPv4 block, inside the organization's supernet. */
    block,
  }),
  /** The Google Cloud project that the cell has to itself. */
  project: z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be a Google Cloud project id'),
});

export const cellSchema = z.discriminatedUnion('cloud', [awsCell, gcpCell], {
  error: "wrap the definition in defineCell({ … }), with cloud 'aws' (the default) or 'gcp'",
});

/** What runs pipelines. */
const engine = z.enum(['codepipeline', 'github-actions']);

/** A step of a component's own, at a place in its pipeline. */
export const hookSchema = z.strictObject({
  /** Unique in the pipeline. */
  name: label,
  /** The step that it follows: `build`, `publish`, `staging`, or a wave by its name. Exactly one of `after` and `before`. */
  after: z.string().optional(),
  /** The step that waits for it. */
  before: z.string().optional(),
  /** Target of the component's Makefile; after a wave, for each of its cells. Exactly one of `run` and `approval`. */
  run: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of a target: small letters, digits and hyphens')
    .optional(),
  /** A person must agree. */
  approval: z.literal(true).optional(),
});

export const componentSchema = z.strictObject({
  /** Unique in the organization; also the name of its stack in every cell. */
  name: label,
  /** How it is deployed: as a stack of its own, as manifests, or as the cells' own stacks; the last is what the factory itself makes. */
  kind: z.enum(['cloudformation', 'kubernetes', 'foundation']),
  /** Where its source lives. */
  repository: z.strictObject({
    /** Address that `git clone` takes. */
    url: z.string().min(1),
    /** Branch that is delivered. */
    branch: z.string().min(1),
    /** Folder of the component in the repository. */
    path: z.string(),
    /**
     * What GitHub numbers it by. Its tokens carry these numbers for repositories made, renamed or moved since 2026-07-15;
     * `cellctl component check` finds them. @default - tokens that carry names alone
     */
    github: z
      .strictObject({
        /** Number of the user or organization that owns the repository. */
        ownerId: z.int().positive(),
        /** Number of the repository. */
        repositoryId: z.int().positive(),
        /** Tokens that carry names alone are taken, too: while the repository goes from one form to the other. */
        alsoByName: z.literal(true).optional(),
      })
      .optional(),
  }),
  /** What the load balancer sends to it. @default - nothing: a foundation has none, nor what takes its work from a queue */
  route: z
    .strictObject({
      /** Priority of its listener rule, unique among components. */
      priority: z.int().min(1).max(50000),
      /** Path pattern, e.g. `/orders*`. */
      path: z.string().startsWith('/').max(128),
    })
    .optional(),
  /** How its commits reach the cells. */
  pipeline: z.strictObject({
    /** What runs it. */
    engine: engine.optional(),
    /** What of the repository makes it run, as paths with `*` and `**`; without any, the component's folder. */
    paths: z.array(z.string().min(1).max(255)).max(8),
    /** Steps of its own. */
    hooks: z.array(hookSchema),
  }),
  /** Requests that each cell must have served before its bake can pass; 0 for what serves none. @default - the policy's `minRequestsPerCell` */
  minRequests: z.int().min(0).optional(),
  /** Components that must be there first. */
  dependsOn: z.array(z.string()),
  /** Tags of everything in the component's stack. */
  tags,
});

/** An address that is told what becomes of rollouts. */
const webhook = z.strictObject({
  /** Whether it is told of everything, or of what a person has to see to. */
  events: z.enum(['attention', 'all']),
  /** What is posted: `{"text": "…"}`, which chats take, or all that the event says. */
  body: z.enum(['chat', 'event']),
  /** Name of the secret in tooling that holds `{"url": "https://…", "authorization": "…"}`; the latter is sent as the header. */
  secret: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, 'must be the name of a secret: letters, digits and /_+=.@-'),
});

const accessPolicy = z.strictObject({
  /** Roles by name: who may do what in cells of which stages. */
  roles: z.record(
    label,
    z.strictObject({
      /** What the role may do. */
      level: z.enum(['read', 'operate', 'admin']),
      /** Stages of the cells it holds in. */
      stages: z.array(z.enum(STAGES)).min(1),
      /** Groups of the identity provider. */
      groups: z.array(z.string().min(1)),
      /** How long a session lasts. */
      session: duration,
    }),
  ),
});

const controlAccount = z.strictObject({
  /** E-mail of the account. */
  email: z.email(),
  /** From the lock file, never written by hand. */
  accountId: accountId.optional(),
});

/** Who AWS writes to about an account, besides its own e-mail. */
const contact = z.strictObject({
  /** Of a person or a team. */
  name: z.string().min(1).max(64),
  /** What they are. */
  title: z.string().min(1).max(50),
  /** Where AWS writes to. */
  email: z.email(),
  /** Where AWS calls. */
  phone: z.string().min(1).max(25),
});

/** The organization without its cells and components. */
export const settingsSchema = z.strictObject({
  /** Prefix of names that must be unique beyond the organization, such as buckets. */
  name: label,
  /** AWS Organizations' id; from the lock file, never written by hand. */
  organizationId: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/)
    .optional(),
  /** Where control accounts live and the registry is stored. */
  homeRegion: region,
  /** Domain that is the organization's own. Each cell gets the zone `<cell>.cells.<domain>`. */
  domain: z.hostname(),
  /** Pattern of account e-mails; `{account}` becomes the account's name. */
  emailPattern: z.string().regex(/^[^@\s]*\{account\}[^@\s]*@[^@\s]+$/, 'must hold {account} before the @'),
  /** The control accounts. */
  accounts: z.strictObject({
    /** Pays, and holds AWS Organizations; nobody works there day to day. */
    management: z.strictObject({
      /** From the lock file, never written by hand. */
      accountId: accountId.optional(),
    }),
    /** Holds the registry, and deploys. */
    tooling: controlAccount,
    /** Sees all cells. */
    monitoring: controlAccount,
  }),
  /** Where cells' blocks come from. */
  network: z.strictObject({
    /** The block that all cells' blocks come from. */
    supernet: block,
    /** Prefix length of a new cell's block. */
    prefixLength: z.int().min(0).max(32),
  }),
  /** How a change reaches the cells. */
  rollout: rolloutPolicy,
  /** How commits reach the cells. */
  pipelines: z.strictObject({
    /** What runs the pipelines of components that say nothing else. */
    engine,
    /** How long the pipeline of a component is kept that is no longer there. */
    grace: duration,
  }),
  /** Who may do what in which cells. */
  access: accessPolicy,
  /** Who is told what becomes of rollouts. */
  notifications: z.strictObject({
    /** Addresses by name. */
    webhooks: z.record(label.max(40), webhook),
  }),
  /** Alternate contacts of every account. */
  contacts: z.strictObject({
    /** For bills. */
    billing: contact.optional(),
    /** For the service's health. */
    operations: contact.optional(),
    /** For abuse and vulnerabilities. */
    security: contact.optional(),
  }),
  /** Tags of everything in every account. */
  tags,
});

export type OrganizationSettings = z.infer<typeof settingsSchema>;
/** Everything that an organization is. Cells and components are maps, so that one entry's change touches only its own bytes. */
export type Organization = OrganizationSettings & { cells: Record<string, Cell>; components: Record<string, Component> };
export type Cell = z.infer<typeof cellSchema>;
export type AwsCell = z.infer<typeof awsCell>;
export type GcpCell = z.infer<typeof gcpCell>;
export type Component = z.infer<typeof componentSchema>;
export type Contacts = OrganizationSettings['contacts'];
export type Engine = z.infer<typeof engine>;
export type Hook = z.infer<typeof hookSchema>;
export type AccessPolicy = z.infer<typeof accessPolicy>;
export type Capacity = z.infer<typeof capacity>;
export type Stage = (typeof STAGES)[number];
export type Size = (typeof SIZES)[number];
export type Tier = (typeof TIERS)[number];
export type Overrides = z.infer<typeof overrides>;

/** What a cell on AWS is made of: its size class, as its stage and its overrides change it. */
export const resources = z
  .strictObject({
    database: databaseResources.readonly(),
    cache: cacheResources.readonly(),
    service: serviceResources.readonly(),
    nat,
  })
  .readonly();
export type Resources = z.infer<typeof resources>;
