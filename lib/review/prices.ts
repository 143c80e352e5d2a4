/**
 * What a cell costs in a month, estimated: what runs whether or not anybody uses it, and the logs that the foundation keeps of
 * its traffic. Traffic itself, what components log, and backups beyond the free ones come on top; discounts come off.
 */

import { plannedAlarms } from '../plan/alarms.ts';
import { ENDPOINT_SERVICES, natGatewaysOf } from '../plan/network-layout.ts';
import type { CellPlan, Plan } from '../plan/plan.ts';
import type { CacheType, DatabaseClass, Resources } from '../registry/index.ts';
import { isStateful } from './stateful.ts';

/**
 * Where the figures come from; stands in every output that shows one.
 *
 * AWS's own price pages can't be read from here, so the figures were held against public copies on 2026-11-21:
 * - every node of Valkey: all as in a copy of the Price List API of 2026-10-02
 * - PostgreSQL up to `t4g.large`, `m7g.2xlarge`, `r7g.2xlarge`: as in some copies; others are off by up to a tenth
 * - gp3 of RDS and EBS, Fargate on ARM, NAT gateway, public address, the load balancer's hour, a probe's run: as in copies
 * - not found again, and as last known: both `4xlarge` of PostgreSQL (twice the class below), `t4g.nano`, the load
 *   balancer's capacity unit, PrivateLink, keys, secrets, zones, alarms, metrics, vended logs, metrics of Container Insights
 */
export const PRICE_SOURCE =
  'estimate: US dollars a month at list prices of us-east-1, on demand, compared with copies of public price lists on 2026-11-21';

/** Hours in a month, as AWS's own calculator counts. */
const HOURS = 730;

/** Dollars an hour for a PostgreSQL instance in one zone. Source: "Amazon RDS for PostgreSQL pricing". */
const DATABASE: Readonly<Record<DatabaseClass, number>> = {
  't4g.micro': 0.016,
  't4g.small': 0.032,
  't4g.medium': 0.065,
  't4g.large': 0.129,
  'm7g.large': 0.168,
  'm7g.xlarge': 0.337,
  'm7g.2xlarge': 0.674,
  'm7g.4xlarge': 1.348,
  'r7g.large': 0.239,
  'r7g.xlarge': 0.478,
  'r7g.2xlarge': 0.956,
  'r7g.4xlarge': 1.912,
};

/** Dollars an hour for a node of Valkey. Source: "Amazon ElastiCache pricing". */
const CACHE: Readonly<Record<CacheType, number>> = {
  'cache.t4g.micro': 0.0128,
  'cache.t4g.small': 0.0256,
  'cache.t4g.medium': 0.052,
  'cache.m7g.large': 0.1264,
  'cache.m7g.xlarge': 0.252,
  'cache.m7g.2xlarge': 0.5032,
  'cache.r7g.large': 0.1752,
  'cache.r7g.xlarge': 0.3496,
  'cache.r7g.2xlarge': 0.6984,
  'cache.r7g.4xlarge': 1.396,
};

/** Dollars for everything else. Sources: the pricing pages of the services named. */
const PRICES = {
  /** Per GiB and month of gp3, in one zone (Amazon RDS). */
  storage: 0.115,
  /** Per hour (AWS Fargate, Linux on ARM). */
  fargateCore: 0.03238,
  fargateGiB: 0.00356,
  /** Per hour (Amazon VPC; Amazon EC2 t4g.nano). */
  natGateway: 0.045,
  natInstance: 0.0042,
  publicAddress: 0.005,
  /** Per month: 8 GiB of gp3 (Amazon EBS). */
  natInstanceDisk: 8 * 0.08,
  /** Per hour and zone (AWS PrivateLink). */
  endpoint: 0.01,
  /** Per hour, with one capacity unit (Elastic Load Balancing). */
  loadBalancer: 0.0225 + 0.008,
  /** Per month (AWS KMS, AWS Secrets Manager, Amazon Route 53, Amazon CloudWatch). */
  key: 1,
  secret: 0.4,
  zone: 0.5,
  alarm: 0.1,
  compositeAlarm: 0.5,
  /** Per metric and month, and per call that puts some (Amazon CloudWatch). */
  metric: 0.3,
  putMetrics: 0.01 / 1_000,
  /** Per run (Amazon CloudWatch Synthetics). */
  probeRun: 0.0012,
  /** Per GiB: of a log that AWS delivers to S3, and of one that goes to CloudWatch (Amazon CloudWatch, vended logs and standard logs). */
  logToS3: 0.25,
  logToCloudWatch: 0.5,
} as const;

/** Metrics of Container Insights for a cluster, and for a service with its one family of tasks. Source: the example in "Amazon CloudWatch Pricing". */
const INSIGHTS = { cluster: 8, service: 11 + 6 } as const;

/**
 * Assumptions about logs, to be replaced by what the bill shows. A request is a connection to the load balancer and a part of
 * one to a service, each seen from both of its ends; PostgreSQL logs checkpoints, vacuums and errors.
 */
const LOGS = {
  /** Share of its capacity that a cell carries on average. */
  load: 0.2,
  flowRecordsPerRequest: 1,
  bytesPerFlowRecord: 120,
  databaseGiB: 0.5,
} as const;

/** One line of an estimate. */
export interface CostItem {
  readonly what: string;
  /** Dollars a month. */
  readonly monthly: number;
}

/** What a cell costs in a month. */
export interface Estimate {
  readonly items: readonly CostItem[];
  /** Dollars a month: the sum of the items. */
  readonly monthly: number;
}

type Priced = Pick<CellPlan, 'resources' | 'profile' | 'capacity'>;

const natCost = (nat: Resources['nat'], zones: number) => {
  const address = PRICES.publicAddress * HOURS;
  return nat === 'instance'
    ? PRICES.natInstance * HOURS + PRICES.natInstanceDisk + address
    : natGatewaysOf(nat, zones) * (PRICES.natGateway * HOURS + address);
};

/** What is in a cell, by number. */
export interface Contents {
  /** Components that run as services, each with the tasks that it has at least. */
  readonly services: number;
  /** Those of them that the probe asks. */
  readonly probed: number;
  /** Alarms of the cell, besides the one that holds them together. */
  readonly alarms: number;
}

/** Metrics of a component that the probe keeps alive, whoever else asks it: `Cell/Requests` and `Cell/ProbeRequests`. */
const METRICS_OF_PROBED = 2;

/** What a cell costs in a month. */
export function estimate({ resources, profile, capacity }: Priced, { services, probed, alarms }: Contents): Estimate {
  const { database, cache, service, nat } = resources;
  const { zones, probeMinutes, privateEndpoints } = profile;
  const copies = database.standby ? 2 : 1;
  const task = (service.cpu / 1_024) * PRICES.fargateCore + (service.memoryMiB / 1_024) * PRICES.fargateGiB;
  const perHour = [
    ['database', copies * DATABASE[database.instanceClass as DatabaseClass]],
    ['cache', (1 + cache.replicas) * CACHE[cache.nodeType as CacheType]],
    ['services', services * service.minTasks * task],
    ['load balancer', PRICES.loadBalancer + zones * PRICES.publicAddress],
    ['private endpoints', privateEndpoints ? ENDPOINT_SERVICES.length * zones * PRICES.endpoint : 0],
  ] as const;
  const probeRuns = (HOURS * 60) / probeMinutes;
  const requests = LOGS.load * capacity.maxRequestsPerSecond * HOURS * 3_600;
  const flowGiB = (requests * LOGS.flowRecordsPerRequest * LOGS.bytesPerFlowRecord) / 2 ** 30;
  const items: CostItem[] = [
    ...perHour.map(([what, dollars]) => ({ what, monthly: dollars * HOURS })),
    { what: 'database storage', monthly: copies * database.storageGiB * PRICES.storage },
    { what: 'NAT', monthly: natCost(nat, zones) },
    { what: 'probe', monthly: probeRuns * PRICES.probeRun },
    { what: 'metrics', monthly: probed * METRICS_OF_PROBED * PRICES.metric + (probed > 0 ? probeRuns * PRICES.putMetrics : 0) },
    { what: 'Container Insights', monthly: (INSIGHTS.cluster + services * INSIGHTS.service) * PRICES.metric },
    { what: 'flow log', monthly: flowGiB * PRICES.logToS3 },
    { what: 'database log', monthly: LOGS.databaseGiB * PRICES.logToCloudWatch },
    { what: 'alarms', monthly: alarms * PRICES.alarm + PRICES.compositeAlarm },
    { what: 'key, secrets and zone', monthly: PRICES.key + 2 * PRICES.secret + PRICES.zone },
  ].filter(({ monthly }) => monthly > 0);
  return { items, monthly: items.reduce((sum, { monthly }) => sum + monthly, 0) };
}

/** What a cell of the plan costs in a month, with every component that runs as a service in it. */
export function estimateCell(plan: Pick<Plan, 'components'>, cell: CellPlan): Estimate {
  const services = plan.components.filter(({ kind }) => kind === 'cloudformation');
  const probed = services.filter(({ route }) => route !== undefined).length;
  return estimate(cell, { services: services.length, probed, alarms: plannedAlarms(cell).length });
}

/** What a stack of a component costs in a month. */
export interface StackEstimate {
  /** Dollars a month. */
  readonly monthly: number;
  /** Types that hold data or traffic, and so cost something, of which no price is here. */
  readonly unpriced: readonly string[];
}

/**
 * What a stack costs in a month, by the types of its resources: services with the tasks that components have at least in the
 * cell, alarms, keys, secrets, zones. What is stateful and has no price here is named, and not counted as nothing.
 */
export function estimateStack({ resources: { service } }: Pick<CellPlan, 'resources'>, types: readonly string[]): StackEstimate {
  const task = (service.cpu / 1_024) * PRICES.fargateCore + (service.memoryMiB / 1_024) * PRICES.fargateGiB;
  const each: Readonly<Record<string, number>> = {
    'AWS::ECS::Service': service.minTasks * task * HOURS + INSIGHTS.service * PRICES.metric,
    'AWS::CloudWatch::Alarm': PRICES.alarm,
    'AWS::CloudWatch::CompositeAlarm': PRICES.compositeAlarm,
    'AWS::KMS::Key': PRICES.key,
    'AWS::SecretsManager::Secret': PRICES.secret,
    'AWS::Route53::HostedZone': PRICES.zone,
    'AWS::ElasticLoadBalancingV2::LoadBalancer': PRICES.loadBalancer * HOURS,
    'AWS::EC2::NatGateway': PRICES.natGateway * HOURS,
  };
  const monthly = types.reduce((sum, type) => sum + (each[type] ?? 0), 0);
  const unpriced = [...new Set(types.filter((type) => isStateful(type) && each[type] === undefined && !FREE_WHEN_IDLE.has(type)))].sort();
  return { monthly: Math.round(monthly * 100) / 100, unpriced };
}

/** Stateful types that cost by use only: a stack that nobody uses pays next to nothing for them. */
const FREE_WHEN_IDLE: ReadonlySet<string> = new Set([
  'AWS::SQS::Queue',
  'AWS::SNS::Topic',
  'AWS::Logs::LogGroup',
  'AWS::ECR::Repository',
  'AWS::EC2::VPC',
  'AWS::RDS::DBSubnetGroup',
]);
