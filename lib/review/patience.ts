/** How long CloudFormation may take over a change, by what changes. Pure. */

/** How long a change is waited for, and for what. */
export interface Patience {
  readonly seconds: number;
  /** What takes that long, in words that follow "for". */
  readonly what: string;
}

interface Slow {
  readonly type: string;
  /** Properties whose change takes long. @default - any change, and the resource when it is new */
  readonly properties?: readonly string[];
  readonly minutes: number;
  readonly what: string;
}

/** What any change may take: health checks, new tasks, their circuit breaker, alarms. */
const USUAL_MINUTES = 60;

/**
 * What takes longer than that, or may in sum. The minutes are ours: AWS names none, and after them nobody would go on waiting.
 * What AWS says, read 2026-11-30: optimization of storage "can take several hours" ("Scaling up DB instance storage", Amazon RDS
 * User Guide); other nodes of a cache take a copy of all data, for as long as there is much of it ("Scaling up Redis clusters
 * with replicas", Amazon ElastiCache User Guide); network interfaces of functions are there for 20 to 40 minutes more (issue 392
 * of cloudformation-coverage-roadmap). Of the others, nothing is known but that they take long; the first organization shows it.
 */
const SLOW: readonly Slow[] = [
  {
    type: 'AWS::RDS::DBInstance',
    properties: ['AllocatedStorage', 'Iops', 'StorageType'],
    minutes: 240,
    what: 'other storage of the database',
  },
  { type: 'AWS::RDS::DBInstance', properties: ['MultiAZ'], minutes: 180, what: 'a standby of the database' },
  { type: 'AWS::RDS::DBInstance', properties: ['EngineVersion'], minutes: 150, what: 'another version of the database' },
  { type: 'AWS::RDS::DBInstance', properties: ['DBInstanceClass'], minutes: 120, what: 'another class of the database' },
  { type: 'AWS::RDS::DBInstance', minutes: 90, what: 'the database' },
  { type: 'AWS::RDS::DBCluster', minutes: 120, what: 'the database cluster' },
  {
    type: 'AWS::ElastiCache::ReplicationGroup',
    properties: ['CacheNodeType', 'EngineVersion', 'NumCacheClusters', 'NumNodeGroups', 'ReplicasPerNodeGroup'],
    minutes: 150,
    what: 'other nodes of the cache',
  },
  { type: 'AWS::ElastiCache::ReplicationGroup', minutes: 90, what: 'the cache' },
  { type: 'AWS::Synthetics::Canary', minutes: 75, what: 'the canary, and network interfaces of the one before' },
  { type: 'AWS::Lambda::Function', properties: ['VpcConfig'], minutes: 105, what: 'network interfaces of a function' },
  { type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', minutes: 75, what: 'the load balancer' },
  { type: 'AWS::ECS::Service', minutes: 75, what: 'new tasks of a service' },
  { type: 'AWS::CloudFront::Distribution', minutes: 90, what: 'a distribution in all places' },
];

/** What any change is given. */
export const USUAL: Patience = { seconds: USUAL_MINUTES * 60, what: 'the change' };

type Properties = Readonly<Record<string, unknown>>;
interface Resource {
  readonly Type?: string;
  readonly Properties?: Properties;
}

const resourcesOf = (template: object): ReadonlyMap<string, Resource> =>
  new Map(Object.entries((template as { readonly Resources?: Readonly<Record<string, Resource>> }).Resources ?? {}));

/** The names of what differs; undefined for a resource that is new, or goes. */
function changedIn(before: Resource | undefined, after: Resource | undefined): readonly string[] | undefined {
  if (!before || !after || before.Type !== after.Type) return undefined;
  const [old, now] = [before.Properties ?? {}, after.Properties ?? {}];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]));
}

/** The row that takes longest for one resource. */
function slowest(before: Resource | undefined, after: Resource | undefined): Slow | undefined {
  const changed = changedIn(before, after);
  if (changed?.length === 0) return undefined;
  const type = (after ?? before)?.Type;
  const fits = ({ properties }: Slow) => properties === undefined || (changed ?? []).some((name) => properties.includes(name));
  return SLOW.filter((row) => row.type === type && fits(row)).sort((a, b) => b.minutes - a.minutes)[0];
}

/**
 * How long to wait for the change from one template to another. What is slow may come one after the other, so that the extra
 * minutes of each kind of change add up; of one kind, resources change side by side.
 */
export function patienceFor(before: object, after: object): Patience {
  const [old, now] = [resourcesOf(before), resourcesOf(after)];
  const rows = new Set([...new Set([...old.keys(), ...now.keys()])].flatMap((id) => slowest(old.get(id), now.get(id)) ?? []));
  if (rows.size === 0) return USUAL;
  const minutes = [...rows].reduce((sum, row) => sum + row.minutes - USUAL_MINUTES, USUAL_MINUTES);
  return { seconds: minutes * 60, what: [...rows].map(({ what }) => what).join(', ') };
}

/** A template as it is stored; an empty one for what the CDK has written as YAML, of which all counts as new. */
export const storedTemplate = (text: string): object => (text.trimStart().startsWith('{') ? (JSON.parse(text) as object) : {});

/** {@link patienceFor} of templates as they are stored. */
export const patienceOf = (before: string, after: string): Patience => patienceFor(storedTemplate(before), storedTemplate(after));
