/** What a cell consists of, read from its synthesized stacks: the table of docs/cell.md. A resource that nobody explained fails it. */
import { App, CfnDeletionPolicy, CfnResource } from 'aws-cdk-lib/core';
import { Delegation } from '../lib/cell/foundation/delegation.ts';
import { Foundation } from '../lib/cell/foundation/foundation.ts';
import { plannedAlarms } from '../lib/plan/alarms.ts';
import { createPlan, isVended, type Plan, type VendedCell } from '../lib/plan/plan.ts';
import { type AwsCellDefinition, defineCell, defineOrganization, draft, type Size, type Stage, validate } from '../lib/registry/index.ts';
import { estimateCell } from '../lib/review/prices.ts';

interface Purpose {
  /** Path of the constructs below their stack. */
  readonly path: RegExp;
  /** What it is for. */
  readonly purpose: string;
  /** Items of the estimate that it is. */
  readonly costs?: readonly string[];
}

/** In the order of the table. The first that fits counts. */
const PURPOSES: readonly Purpose[] = [
  { path: /^Network\/Vpc\/Resource$/, purpose: 'the network, with the cell’s own block' },
  { path: /^Network\/Vpc\/private/, purpose: 'services; their way out is NAT' },
  { path: /^Network\/Vpc\/public.*\/(EIP|NATGateway)$/, purpose: 'NAT, with an address of its own', costs: ['NAT'] },
  { path: /^Network\/(Vpc\/public.*\/NatInstance|(Vpc\/)?NatSecurityGroup)/, purpose: 'NAT by an instance', costs: ['NAT'] },
  { path: /^Network\/Vpc\/public/, purpose: 'the load balancer, and NAT' },
  { path: /^Network\/Vpc\/isolated/, purpose: 'database and cache; no way out' },
  { path: /^Network\/Vpc\/(IGW|VPCGW)$/, purpose: 'the way to and from the internet' },
  { path: /^Network\/Vpc\/S3/, purpose: 'S3 without NAT' },
  {
    path: /^Network\/(Vpc\/Endpoint-|EndpointSecurityGroup)/,
    purpose: 'ECR, Logs, Secrets Manager, SSM, SQS, KMS and STS without NAT',
    costs: ['private endpoints'],
  },
  { path: /^Network\/Vpc\/FlowLog/, purpose: 'who talked to whom, into the bucket of logs', costs: ['flow log'] },
  { path: /^Network\/\w+SecurityGroup/, purpose: 'load balancer to services to database and cache; the probe to the world; nothing else' },
  { path: /^Key\//, purpose: 'encrypts whatever the cell stores', costs: ['key, secrets and zone'] },
  {
    path: /^Data\/Database/,
    purpose: 'PostgreSQL, by TLS only; RDS keeps and rotates its password',
    costs: ['database', 'database storage', 'database log'],
  },
  { path: /^Data\/Cache/, purpose: 'Valkey, by TLS and password only', costs: ['cache'] },
  { path: /^Data\/(Queue|DeadLetters)/, purpose: 'the queue, by TLS only, and the messages that nobody could process' },
  { path: /^Ingress\/Cluster/, purpose: 'where components’ services run', costs: ['Container Insights'] },
  { path: /^Ingress\/LoadBalancer/, purpose: 'the entrance: HTTPS, and a redirect to it', costs: ['load balancer'] },
  { path: /^Ingress\/Address/, purpose: 'the cell’s name, as the address of its load balancer' },
  { path: /^Domain\/(Zone|Certificate)/, purpose: 'the cell’s own zone, and a certificate for it' },
  { path: /^(Domain\/Delegation|Custom::CrossAccountZoneDelegation)/, purpose: 'delegates the zone, in tooling' },
  { path: /^(Domain\/ValidationRecords|Custom::ValidationRecords)/, purpose: 'empties the zone before it goes' },
  { path: /^Role\//, purpose: 'in tooling: lets the cell write that one record' },
  { path: /^Rollout\/Role/, purpose: '`cell-rollout`: lets the cell operator in tooling deploy components, and look at alarms' },
  { path: /^Rollout\/Drill/, purpose: '`cell-drill`: lets a drill in tooling raise the cell’s alarms' },
  { path: /^(Logs\/Bucket\/AutoDelete|Custom::S3AutoDelete)/, purpose: 'empties the bucket before it goes' },
  { path: /^Logs\//, purpose: 'the entrance’s access log, the network’s flow log, and what the probe saw' },
  { path: /^Probe\//, purpose: 'asks components all the time, as a customer would', costs: ['probe'] },
  { path: /^Health\/Health/, purpose: '`cell-<name>-health`: one answer to whether the cell is well' },
  { path: /^Health\//, purpose: 'what the answer is made of, and that the cell is full', costs: ['alarms'] },
  { path: /^Parameter/, purpose: '`/cell/…`: what components need to know of their cell' },
];

const SIZES = ['small', 'medium', 'large'] as const satisfies readonly Size[];
const STAGES = ['production', 'staging', 'personal'] as const satisfies readonly Stage[];

/** A cell of that stage and size, planned. */
export function planned(stage: Stage, size: Size): { plan: Plan; cell: VendedCell } {
  const settings = defineOrganization({
    name: 'acme',
    homeRegion: 'eu-west-1',
    domain: 'example.com',
    emailPattern: 'aws+{account}@example.com',
    network: { supernet: '10.0.0.0/8', prefixLength: 20 },
  });
  const id = (digit: string) => ({ accountId: digit.repeat(12) });
  const { tooling, monitoring } = settings.accounts;
  const accounts = { management: id('1'), tooling: { ...tooling, ...id('2') }, monitoring: { ...monitoring, ...id('3') } };
  const define = (name: string, block: string, rest: Partial<AwsCellDefinition>) =>
    defineCell({ name, stage, region: 'eu-west-1', network: { block }, ...rest });
  const personal = stage === 'personal' ? { owner: 'ada', expiresAt: '2030-01-01T00:00:00Z' } : {};
  const cells = {
    staging: define('staging', '10.0.0.0/20', { stage: 'staging' }),
    x: { ...define('x', '10.0.16.0/20', { size, ...personal }), ...id('4') },
  };
  const plan = createPlan(draft(validate({ settings: { ...settings, accounts }, cells, components: {} }, 'docs')));
  const cell = plan.cells.filter(isVended).find(({ name }) => name === 'x');
  if (!cell) throw new Error('the cell was not planned');
  return { plan, cell };
}

interface Found {
  /** How many there are of each type. */
  readonly types: Map<string, number>;
  /** What becomes of them when the stack goes. */
  readonly fates: Set<string>;
}

const FATES: Partial<Record<CfnDeletionPolicy, string>> = {
  [CfnDeletionPolicy.RETAIN]: 'stays',
  [CfnDeletionPolicy.SNAPSHOT]: 'a snapshot stays',
};

function purposeOf(resource: CfnResource): Purpose {
  const path = resource.node.path.split('/').slice(1).join('/');
  const found = PURPOSES.find((each) => each.path.test(path));
  if (!found) throw new Error(`docs/cell-resources.ts says nothing of ${path} (${resource.cfnResourceType})`);
  return found;
}

/** The resources of a cell, by purpose. */
function resourcesByPurpose(stage: Stage, size: Size): Map<Purpose, Found> {
  const { cell } = planned(stage, size);
  const app = new App();
  const groups = new Map<Purpose, Found>();
  for (const stack of [new Foundation(app, cell), new Delegation(app, cell)]) {
    for (const resource of stack.node.findAll().filter((each) => each instanceof CfnResource)) {
      const purpose = purposeOf(resource);
      const { types, fates } = groups.get(purpose) ?? { types: new Map(), fates: new Set() };
      const type = resource.cfnResourceType.replace(/^AWS::/, '');
      types.set(type, (types.get(type) ?? 0) + 1);
      fates.add(FATES[resource.cfnOptions.deletionPolicy ?? CfnDeletionPolicy.DELETE] ?? 'goes');
      groups.set(purpose, { types, fates });
    }
  }
  return groups;
}

const dollars = (monthly: number) => (monthly === 0 ? '' : monthly < 10 ? monthly.toFixed(2) : Math.round(monthly).toLocaleString('en'));

/** Dollars a month of a purpose's items, or of all. Services are not among them: components bring those. */
function monthly(stage: Stage, size: Size): (purpose?: Purpose) => number {
  const { plan, cell } = planned(stage, size);
  const { items } = estimateCell(plan, cell);
  const explained = new Set(PURPOSES.flatMap(({ costs = [] }) => costs));
  const unexplained = items.find(({ what }) => !explained.has(what));
  if (unexplained) throw new Error(`docs/cell-resources.ts doesn't say what "${unexplained.what}" is paid for`);
  return (purpose) =>
    items.filter(({ what }) => purpose === undefined || (purpose.costs ?? []).includes(what)).reduce((sum, item) => sum + item.monthly, 0);
}

/** Fate of a group: of one that partly stays, what stays. */
const fateOf = (found: Found | undefined) => [...(found?.fates ?? [])].sort((a) => (a === 'goes' ? 1 : -1))[0] ?? '';

/** Rows of the alarms: what each watches for, its threshold by size, and what missing data means to it. */
export function alarmRows(): { head: readonly string[]; rows: string[][] } {
  const [small = [], ...others] = SIZES.map((size) => plannedAlarms(planned('production', size).cell));
  const shown = (value: number) => (value > 2 ** 29 ? `${(value / 2 ** 30).toFixed(1)} GiB` : value.toLocaleString('en'));
  const rows = small.map((alarm, index) => {
    const thresholds = [alarm, ...others.flatMap((alarms) => alarms[index] ?? [])].map(({ threshold }) => shown(threshold));
    const [points, periods] = alarm.datapoints;
    const data = alarm.missing === 'breaching' ? 'fires' : 'is well';
    return [
      `\`${alarm.id}\``,
      alarm.watches,
      `${alarm.fires} ${new Set(thresholds).size === 1 ? thresholds[0] : thresholds.join(', ')}`,
      `${points} of ${periods}${alarm.minutes === 1 ? '' : ` (${alarm.minutes} min)`}`,
      `${data}: ${alarm.because}`,
      alarm.health ? 'yes' : 'no',
    ];
  });
  return { head: ['alarm', 'watches', 'fires (small, medium, large)', 'periods', 'without data', 'health'], rows };
}

/** Rows of the table: resources, purpose, how many by stage, dollars by size in production, fate. */
export function resourceRows(): { head: readonly string[]; rows: string[][] } {
  const groups = new Map(STAGES.map((stage) => [stage, resourcesByPurpose(stage, 'small')]));
  const costs = [...SIZES.map((size) => monthly('production', size)), monthly('staging', 'small'), monthly('personal', 'small')];
  const rows = PURPOSES.map((purpose) => {
    const found = STAGES.map((stage) => groups.get(stage)?.get(purpose));
    const types = [...new Set(found.flatMap((each) => [...(each?.types.keys() ?? [])]))];
    const counts = types.map((type) => {
      const [production, staging, personal] = found.map((each) => each?.types.get(type) ?? 0);
      return production === staging && staging === personal
        ? `${type}${production === 1 ? '' : ` ×${production}`}`
        : `${type} ×${production}/${staging}/${personal}`;
    });
    const prices = costs.map((cost, index) => {
      // NAT has two forms; a stage pays for the one that it has.
      const stage = STAGES[Math.max(0, index - 2)] ?? 'production';
      return groups.get(stage)?.has(purpose) === true ? dollars(cost(purpose)) : '';
    });
    const [production, , personal] = found;
    return [purpose.purpose, counts.join(', '), ...prices, fateOf(production), fateOf(personal)];
  });
  return {
    head: ['for', 'resources', 'small', 'medium', 'large', 'staging', 'personal', 'on delete', 'personal, on delete'],
    rows: [...rows, ['**together**', '', ...costs.map((cost) => `**${dollars(cost())}**`), '', '']],
  };
}
