/** Builders of organizations for tests: small, valid, and changed by what the test is about. */
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AwsCellDefinition,
  type ComponentDefinition,
  defineCell,
  defineComponent,
  defineOrganization,
  draft,
  type Registry,
  STAGE_PROFILES,
  type UncheckedOrganization,
  validate,
} from '../../lib/registry/index.ts';

export const settings = () =>
  defineOrganization({
    name: 'acme',
    homeRegion: 'eu-west-1',
    domain: 'example.com',
    emailPattern: 'aws+{account}@example.com',
    network: { supernet: '10.0.0.0/8', prefixLength: 20 },
  });

/** A production cell; its block is the `index`-th /20 of the supernet. */
export const cell = (name: string, index: number, rest: Partial<AwsCellDefinition> = {}) =>
  defineCell({
    name,
    stage: 'production',
    region: 'eu-west-1',
    network: { block: `10.${Math.floor(index / 16)}.${(index % 16) * 16}.0/20` },
    ...rest,
  });

/** A cell in another cloud. */
export const googleCell = (name: string) =>
  defineCell({
    name,
    cloud: 'gcp',
    stage: 'production',
    region: 'europe-west1',
    project: `acme-${name}`,
    network: { block: '10.5.0.0/20' },
  });

export const component = (name: string, priority: number, rest: Partial<ComponentDefinition> = {}) =>
  defineComponent({ name, repository: { url: `https://github.com/acme/${name}` }, route: { priority, path: `/${name}*` }, ...rest });

/** The cells' own stacks, as a component. */
export const foundations = (rest: Partial<ComponentDefinition> = {}) =>
  defineComponent({
    name: 'foundations',
    kind: 'foundation',
    repository: { url: 'https://github.com/acme/cells', path: 'pipelines/foundations' },
    ...rest,
  });

/** An organization with a staging cell and two of production, as it would be loaded. */
export function unchecked(): {
  settings: ReturnType<typeof settings>;
  cells: Record<string, unknown>;
  components: Record<string, unknown>;
} {
  return {
    settings: settings(),
    cells: { staging: cell('staging', 0, { stage: 'staging' }), alpha: cell('alpha', 1), bravo: cell('bravo', 2, { region: 'us-east-1' }) },
    components: { 'orders-api': component('orders-api', 100), billing: component('billing', 200, { dependsOn: ['orders-api'] }) },
  } satisfies UncheckedOrganization;
}

/** What the lock file says of a cell that was vended: its account and, on AWS, its zones. */
function vended(value: unknown, index: number): object {
  const { cloud, region, stage } = value as AwsCellDefinition & { cloud: string };
  const zones = ['a', 'b', 'c'].slice(0, STAGE_PROFILES[stage].zones).map((letter) => region + letter);
  return { ...(value as object), accountId: String(400_000_000_000 + index), ...(cloud === 'aws' ? { zones } : {}) };
}

/** The same with an account for everything. */
export function registry(change: (input: ReturnType<typeof unchecked>) => void = () => undefined): Registry {
  const input = unchecked();
  change(input);
  const cells = Object.fromEntries(Object.entries(input.cells).map(([name, value], index) => [name, vended(value, index)]));
  const accounts = {
    management: { accountId: '100000000000' },
    tooling: { ...input.settings.accounts.tooling, accountId: '200000000000' },
    monitoring: { ...input.settings.accounts.monitoring, accountId: '300000000000' },
  };
  return draft(validate({ ...input, cells, settings: { ...input.settings, organizationId: 'o-abcdefghij', accounts } }, 'test'));
}

/** A copy of the repository's own `registry/` definitions, to be changed by a test. */
export async function definitionsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-test-'));
  for (const part of ['organization.ts', 'cells', 'components']) await cp(join('registry', part), join(folder, part), { recursive: true });
  return folder;
}
