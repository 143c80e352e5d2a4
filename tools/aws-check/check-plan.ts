/**
 * What `make aws-check` does on AWS, in which order, and what it costs: the whole life of an organization of three small cells.
 * What costs nothing comes first, then one cell of a developer, then the rest; whatever a step has begun to pay for has a step
 * that ends it. Pure.
 */
import { createPlan, type Plan } from '../../lib/plan/plan.ts';
import { defineCell, defineComponent, defineOrganization, draft, validate } from '../../lib/registry/index.ts';
import { estimateCell } from '../../lib/review/prices.ts';

/** Who does it: the owner of the organization, or an administrator of its tooling account. */
type Actor = 'management' | 'tooling';

/** A command, and the exit code that it is to have. */
export interface Command {
  readonly as: Actor;
  /** Words after `cellctl`, or after the program. */
  readonly words: readonly string[];
  /** `make`, or what the check does itself: with a cell's alarm, by its name. @default - cellctl */
  readonly program?: 'make' | 'delete-alarm' | 'require-alarm';
  /** @default 0 */
  readonly exit?: number;
}

export interface Step {
  readonly name: string;
  /** What is seen by it that no emulator shows. */
  readonly shows: string;
  /** About how long it takes on AWS. */
  readonly minutes: number;
  /** Cells that are paid for from its beginning on. */
  readonly begins: readonly string[];
  /** Cells that are gone after it. */
  readonly ends: readonly string[];
  readonly commands: readonly Command[];
}

export interface Subject {
  readonly domain: string;
  /** With `{account}` in it. */
  readonly emailPattern: string;
  readonly region: string;
  /** Whether the production cell is on its way out. */
  readonly retiring: boolean;
  /** 1, or less on the local cloud, where nobody waits for customers. */
  readonly timeScale: number;
}

const SANDBOX = 'sandbox';
const STAGING = 'staging';
const FIRST = 'first';

/** Days after which the developer's cell is over, should nobody clean up. */
const SANDBOX_DAYS = 7;

/** The organization that is made, as it is written down. */
const definitionsOf = ({ domain, emailPattern, region, retiring, timeScale }: Subject, now: Date) => {
  const wave = { prefer: 'any', bake: '10m', approval: false } as const;
  return {
    settings: {
      name: 'check',
      homeRegion: region,
      domain,
      emailPattern,
      network: { supernet: '10.0.0.0/16', prefixLength: 20 },
      rollout: {
        timeScale,
        stagingBake: '10m',
        waves: [{ name: 'all', admit: { rest: true } as const, ...wave }],
        emergency: [{ name: 'emergency', admit: { rest: true } as const, ...wave }],
        // Nobody but the probe asks these cells for anything.
        minRequestsPerCell: 0,
        diagnosisTime: '5m',
        watchAfter: '0s',
      },
    },
    cells: {
      [SANDBOX]: {
        ...{ name: SANDBOX, stage: 'personal', region, network: { block: '10.0.0.0/20' }, owner: 'check@example.com' },
        expiresAt: new Date(now.getTime() + SANDBOX_DAYS * 86_400_000).toISOString(),
      },
      [STAGING]: { name: STAGING, stage: 'staging', region, network: { block: '10.0.16.0/20' } },
      [FIRST]: {
        ...{ name: FIRST, stage: 'production', region, network: { block: '10.0.32.0/20' } },
        ...(retiring ? { intent: 'retiring' } : {}),
      },
    },
    components: {
      'orders-api': {
        name: 'orders-api',
        repository: { url: 'https://github.com/acme/orders-api' },
        route: { priority: 100, path: '/orders*' },
      },
    },
  } as const;
};

/** The files of the definitions, by their names. */
export function filesOf(subject: Subject, now: Date): Record<string, string> {
  const { settings, cells, components } = definitionsOf(subject, now);
  const file = (define: string, value: object) =>
    `import { ${define} } from 'cell-factory/registry';\n\nexport default ${define}(${JSON.stringify(value, undefined, 2)});\n`;
  return {
    'organization.ts': file('defineOrganization', settings),
    ...Object.fromEntries(Object.entries(cells).map(([name, cell]) => [`cells/${name}.ts`, file('defineCell', cell)])),
    ...Object.fromEntries(Object.entries(components).map(([name, each]) => [`components/${name}.ts`, file('defineComponent', each)])),
  };
}

/** The plan of the definitions. @throws FactoryError where the owner's domain, e-mails or region are none */
export function planOf(subject: Subject, now: Date): Plan {
  const { settings, cells, components } = definitionsOf(subject, now);
  const map = <T, R>(entries: Readonly<Record<string, T>>, define: (entry: T) => R) =>
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, define(entry)]));
  const organization = validate(
    {
      settings: defineOrganization(structuredClone(settings) as never),
      cells: map(cells as Record<string, object>, (cell) => defineCell(cell as never)),
      components: map(components as Record<string, object>, (component) => defineComponent(component as never)),
    },
    'aws-check',
  );
  return createPlan(draft(organization));
}

const tooling = (...words: string[]): Command => ({ as: 'tooling', words });
const release = (version: string): Command[] => [
  { as: 'tooling', program: 'make', words: ['-s', '-C', 'examples/orders-api', 'pipeline-build', `COMPONENT_VERSION=${version}`] },
  tooling('component', 'publish', 'orders-api', '--from', 'examples/orders-api/dist'),
];

/** The steps, in the order that costs least. The last two are what `--clean` does. */
export const STEPS: readonly Step[] = [
  {
    name: 'organization',
    shows: 'control accounts come alive, their quotas are asked for, and the registry is made',
    ...{ minutes: 30, begins: [], ends: [] },
    commands: [{ as: 'management', words: ['init'] }],
  },
  {
    name: 'accounts',
    shows: 'an account for each cell: zones, service-linked roles, quotas, bootstrap',
    ...{ minutes: 40, begins: [], ends: [] },
    commands: [tooling('validate'), tooling('accounts'), tooling('publish')],
  },
  {
    name: 'a cell of a developer',
    shows: 'the cheapest cell: NAT by an instance that says that it routes, the certificate, the probe; drift; and that it goes',
    ...{ minutes: 90, begins: [SANDBOX], ends: [SANDBOX] },
    commands: [
      tooling('deploy', SANDBOX),
      tooling('status', SANDBOX, '--resources'),
      // Not one of those that the cell's health is made of: AWS deletes none that another alarm is about.
      { as: 'management', program: 'delete-alarm', words: [SANDBOX, `cell-${SANDBOX}-full`] },
      tooling('deploy', SANDBOX, '--revert-drift'),
      { as: 'management', program: 'require-alarm', words: [SANDBOX, `cell-${SANDBOX}-full`] },
      tooling('destroy', SANDBOX, '--yes'),
    ],
  },
  {
    name: 'cells',
    shows: 'staging and a production cell: standby, replica, gateways, alarms that stay quiet',
    ...{ minutes: 60, begins: [STAGING, FIRST], ends: [] },
    commands: [tooling('deploy', STAGING, FIRST), tooling('publish'), tooling('plan'), tooling('status', '--resources')],
  },
  {
    name: 'a rollout',
    shows: 'images in every region, the operator with its own rights, bakes by real alarms',
    ...{ minutes: 60, begins: [], ends: [] },
    commands: [
      ...release('1.0.0'),
      tooling('rollout', 'start', 'orders-api', '--release', '1.0.0', '--yes', '--watch'),
      ...release('2.0.0'),
      tooling('rollout', 'start', 'orders-api', '--release', '2.0.0', '--yes', '--watch'),
      tooling('versions'),
    ],
  },
  {
    name: 'a rollout that turns bad',
    shows: 'a drill raises an alarm during the bake; every cell goes back',
    ...{ minutes: 45, begins: [], ends: [] },
    commands: [
      ...release('3.0.0'),
      tooling('rollout', 'start', 'orders-api', '--release', '3.0.0', '--drill', FIRST, '--drill-wave', '1', '--yes'),
      tooling('drill', 'alarm', '--cell', FIRST, '--during', 'orders-api', '--wait', '60m'),
      { ...tooling('rollout', 'watch', 'orders-api'), exit: 1 },
      tooling('versions'),
      tooling('rollout', 'history', 'orders-api'),
    ],
  },
  {
    name: 'the end of the cells',
    shows: 'network interfaces of the probe that linger, and what stays behind',
    ...{ minutes: 90, begins: [], ends: [SANDBOX, STAGING, FIRST] },
    commands: [
      tooling('publish'),
      tooling('destroy', SANDBOX, '--yes'),
      tooling('destroy', FIRST, '--yes'),
      tooling('destroy', STAGING, '--yes'),
    ],
  },
];

/** The step from which on the production cell is retiring, and with which `--clean` begins. */
export const END = STEPS.length - 1;

/** Dollars an hour of a cell, by the factory's own table of prices. */
export function hourly(plan: Plan, name: string): number {
  const cell = plan.cells.find((each) => each.name === name);
  return cell ? estimateCell(plan, cell).monthly / 730 : 0;
}

/** Cells that are paid for while a step runs. */
export function paidDuring(index: number): readonly string[] {
  const open = new Set<string>();
  for (const step of STEPS.slice(0, index + 1)) for (const cell of step.begins) open.add(cell);
  for (const step of STEPS.slice(0, index)) for (const cell of step.ends) open.delete(cell);
  return [...open];
}

/** What was spent on cells up to a moment, and what is spent from then on. */
export interface Account {
  /** Dollars, by the time that cells have run. */
  readonly spent: number;
  /** When that was counted, as ISO 8601. */
  readonly at: string;
  /** Dollars an hour of the cells that stand since then, whether or not anybody watches. */
  readonly rate: number;
}

/** The account at a later moment. @param rate dollars an hour from now on; as before by default */
export function counted(account: Account, now: Date, rate = account.rate): Account {
  const hours = Math.max(0, now.getTime() - Date.parse(account.at)) / 3_600_000;
  return { spent: account.spent + hours * account.rate, at: now.toISOString(), rate };
}

/** Dollars an hour of all cells that are paid for while a step runs. */
export const rateDuring = (plan: Plan, index: number): number => paidDuring(index).reduce((sum, cell) => sum + hourly(plan, cell), 0);

/** Dollars an hour of what stands after a step. */
export function rateAfter(plan: Plan, index: number): number {
  const { ends = [] } = STEPS[index] ?? {};
  return paidDuring(index).reduce((sum, cell) => sum + (ends.includes(cell) ? 0 : hourly(plan, cell)), 0);
}

/** Dollars of each step, if it takes as long as it says; keys, zones and requests are cents beside it. */
export const costs = (plan: Plan): readonly number[] => STEPS.map(({ minutes }, index) => (minutes / 60) * rateDuring(plan, index));
