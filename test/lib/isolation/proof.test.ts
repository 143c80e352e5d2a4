import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SHARED } from '../../../lib/isolation/allowed-sharing.ts';
import type { ComponentTemplate } from '../../../lib/isolation/inputs.ts';
import { isolationInput } from '../../../lib/isolation/inputs.ts';
import { ISOLATION_RULES } from '../../../lib/isolation/isolation-rules.ts';
import { checkIsolation, type IsolationReport } from '../../../lib/isolation/proof.ts';
import { createPlan, isVended, type Plan, requireInitialized, type VendedCell } from '../../../lib/plan/plan.ts';
import { draft, loadRegistry, validate } from '../../../lib/registry/index.ts';
import { componentTemplate, templatesOf } from '../../_helpers/isolation.ts';
import { HARMLESS, LEAKS, type World } from '../../_helpers/leaks.ts';
import { cell, registry } from '../../_helpers/organization.ts';
import { runs } from '../../_helpers/properties.ts';

const vended = (plan: Plan) => plan.cells.filter(isVended);
const report = (plan: Plan, templates: ReadonlyMap<string, object>, components: readonly ComponentTemplate[]) =>
  checkIsolation(isolationInput(requireInitialized(plan), vended(plan), vended(plan), templates, components));

/** An organization in which names begin with names, numbers differ in one digit and blocks touch. */
const plan = createPlan(
  registry((input) =>
    Object.assign(input.cells, {
      'alpha-2': cell('alpha-2', 3, { network: { block: '10.0.48.0/20', clients: ['192.0.2.0/24', '10.0.0.0/8'] } }),
      ada: cell('ada', 4, { stage: 'personal', owner: 'ada', expiresAt: '2030-01-01T00:00:00Z' }),
    }),
  ),
);
const templates = templatesOf(vended(plan));
const orders: ComponentTemplate = { name: 'orders-api', template: componentTemplate('orders-api') };

describe('an organization as the factory makes it', () => {
  const { violations, unused, shared, ...counts } = report(plan, templates, [orders]);

  test('is isolated', () => {
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ cells: 5, pairs: 20, templates: 11 });
    // Far more than one value to a resource: the templates were really walked.
    expect(counts.values).toBeGreaterThan(5_000);
  });

  test('needs every entry of the allow-list: what nothing needs is a hole', () => {
    expect(unused).toEqual([]);
  });

  test('shares nothing that only some cells have without saying so', () => {
    for (const { reason, places, cells } of shared) {
      expect(reason.length).toBeGreaterThan(20);
      expect(places).toBeGreaterThanOrEqual(cells.length);
    }
  });
});

test('the repository’s own organization is isolated', async () => {
  const { organization } = await loadRegistry('registry');
  const { cells, components, ...settings } = organization;
  const numbered = Object.fromEntries(
    Object.entries(cells).map(([name, each], index) => [name, { ...each, accountId: String(111_122_223_330 + index) }]),
  );
  const accounts = {
    management: { accountId: '100000000000' },
    tooling: { ...settings.accounts.tooling, accountId: '200000000000' },
    monitoring: { ...settings.accounts.monitoring, accountId: '300000000000' },
  };
  const own = createPlan(
    draft(validate({ settings: { ...settings, organizationId: 'o-abcdefghij', accounts }, cells: numbered, components }, 'registry')),
  );
  expect(vended(own)).toHaveLength(Object.keys(cells).length);
  expect(report(own, templatesOf(vended(own)), [orders]).violations).toEqual([]);
});

describe('a leak is found where it is:', () => {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const find = (name: string): VendedCell => {
    const found = vended(plan).find((each) => each.name === name);
    if (!found) throw new Error(`no cell ${name}`);
    return found;
  };

  /** The cell that something is planted in, and the one that it reaches. The others are known, and not looked at. */
  const looked = [find('alpha'), find('alpha-2')];
  const names = looked.flatMap(({ stackName, delegationStackName }) => [stackName, delegationStackName]);
  const untouched = checkIsolation(isolationInput(requireInitialized(plan), vended(plan), looked, templates, [orders]));

  /** The report of what `plant` makes of the organization. */
  function planted<T>(plant: (world: World) => T): { at: T; found: IsolationReport } {
    const own = { ...orders, template: copy(orders.template) };
    const fresh = new Map(names.map((name) => [name, copy(templates.get(name) ?? {})]));
    const input = isolationInput(requireInitialized(plan), vended(plan), looked, fresh, [own]);
    const facts = { ...find('alpha') };
    const template = (name: string) => input.stacks.find(({ stackName }) => stackName === name)?.template;
    const other = find('alpha-2');
    const at = plant({
      cell: template('Cell-alpha'),
      delegation: template('Delegation-alpha'),
      component: template('orders-api'),
      facts,
      other: { accountId: other.account.accountId, block: other.block, domain: other.domain, template: template('Cell-alpha-2') },
    });
    return { at, found: checkIsolation({ ...input, cells: input.cells.map((each) => (each.name === 'alpha' ? facts : each)) }) };
  }

  test.each(LEAKS.map((leak) => [`${leak.kind}: ${leak.what}`, leak] as const))('%s', (_, leak) => {
    const { at, found } = planted(leak.plant);
    const [logicalId, path] = at;
    const template = { cell: 'Cell-alpha', delegation: 'Delegation-alpha', component: 'orders-api' }[leak.into ?? 'cell'];
    const hits = found.violations.filter((each) => each.kind === leak.kind && each.template === template);
    expect(hits).toContainEqual(
      expect.objectContaining({ logicalId, path, ...(leak.reaches === undefined ? {} : { reaches: leak.reaches }) }),
    );
    for (const { message, fix } of hits) expect([message, fix].every((text) => text.length > 10)).toBe(true);
  });

  test('each rule has at least one, and they are of more than 25 kinds', () => {
    const kinds = new Set(LEAKS.map(({ kind }) => kind));
    expect(ISOLATION_RULES.filter(({ kind }) => !kinds.has(kind)).map(({ kind }) => kind)).toEqual([]);
    expect(kinds.size).toBeGreaterThan(25);
  });

  test.each(HARMLESS.map((each) => [each.what, each] as const))('and %s is none', (_, { type, properties }) => {
    const { found } = planted((world) => {
      world.cell.Resources.Harmless = { Type: type, Properties: properties(world) };
    });
    expect(found.violations).toEqual([]);
    expect(found.values).toBeGreaterThan(untouched.values);
  });

  test('each rule has a kind of its own', () => {
    expect(new Set(ISOLATION_RULES.map(({ kind }) => kind)).size).toBe(ISOLATION_RULES.length);
  });
});

describe('there is no false alarm', () => {
  const NAMES = [
    'a',
    'a-b',
    'a-b-c',
    'alpha',
    'alpha-2',
    'alpha-22',
    'b',
    'b-a',
    'cell',
    'delegation',
    'delegation-a',
    'queue',
    'x-health',
  ];
  const CLIENTS = [['0.0.0.0/0'], ['192.0.2.0/24'], ['10.0.0.0/8', '198.51.100.7/32'], ['10.200.8.0/22']];
  const POOL = 22;

  /** Numbers that differ in one digit. */
  const numbered = (index: number) => {
    const at = 1 + (index % 11);
    return `4${'1'.repeat(11)}`.slice(0, at) + String(2 + Math.floor(index / 11)) + `4${'1'.repeat(11)}`.slice(at + 1);
  };
  /** Blocks that touch, of several sizes. */
  const block = (index: number) => (index % 6 === 5 ? `10.${index}.0.0/16` : `10.200.${index * 4}.0/22`);

  const shape = fc.record({
    stage: fc.constantFrom('production' as const, 'staging' as const, 'personal' as const),
    size: fc.constantFrom('small' as const, 'medium' as const, 'large' as const),
    region: fc.constantFrom('eu-west-1', 'eu-central-1', 'us-east-1', 'ap-southeast-2'),
    clients: fc.constantFrom(...CLIENTS),
    nat: fc.constantFrom(undefined, 'gateway-per-zone' as const, 'one-gateway' as const, 'instance' as const),
    intent: fc.constantFrom('active' as const, 'cordoned' as const, 'retiring' as const),
  });

  /** Cells that organizations are drawn from. What a stack holds depends on its own cell alone, so each is synthesized once. */
  const pool = fc.sample(shape, POOL).map(({ clients, nat, stage, ...rest }, index) => ({
    accountId: numbered(index),
    definition: cell(index === 0 ? 'staging' : (NAMES[index % NAMES.length] ?? ''), 0, {
      ...rest,
      stage: index === 0 ? 'staging' : stage,
      network: { block: block(index), clients },
      overrides: nat === undefined ? {} : { nat },
      ...(stage === 'personal' && index !== 0 ? { owner: 'ada', expiresAt: '2030-01-01T00:00:00Z' } : {}),
    }),
  }));
  const [staging, ...others] = pool;

  const made = new Map<string, ReadonlyMap<string, object>>();
  const synthesized = (each: VendedCell): ReadonlyMap<string, object> => {
    const key = `${each.name} ${each.account.accountId}`;
    const known = made.get(key) ?? templatesOf([each]);
    made.set(key, known);
    return known;
  };

  test('in 200 random organizations, of cells that are called, numbered and placed alike', () => {
    const organization = fc.uniqueArray(fc.constantFrom(...others), {
      minLength: 1,
      maxLength: 4,
      selector: ({ definition }) => definition.name,
    });
    let cells = 0;
    const looksRight = (members: typeof pool) => {
      const drawn = createPlan(
        registry((input) => {
          input.cells = Object.fromEntries(
            [...(staging ? [staging] : []), ...members].map(({ definition }) => [definition.name, definition]),
          );
        }),
      );
      const numbers = new Map(pool.map(({ definition, accountId }) => [definition.network.block, accountId]));
      const own = vended(drawn).map((each) => ({ ...each, account: { ...each.account, accountId: numbers.get(each.block) ?? '' } }));
      const all = new Map(own.flatMap((each) => [...synthesized(each)]));
      cells += own.length;
      expect(checkIsolation(isolationInput(requireInitialized(drawn), own, own, all, [orders])).violations).toEqual([]);
    };
    fc.assert(fc.property(organization, looksRight), { numRuns: runs(200) });
    expect(cells).toBeGreaterThan(2 * runs(200));
  }, 180_000);
});

describe('the documentation', () => {
  const text = readFileSync('docs/isolation.md', 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)`\s+\| (.*?)\s+\|(?: (.*?)\s+\|)?$/gm)].map(([, name, ...cells]) => [name, ...cells]);

  test('lists every rule, and what it says', () => {
    expect(rows.filter(([, , reason]) => reason === undefined)).toEqual(
      ISOLATION_RULES.map(({ kind, description }) => [kind, description, undefined]),
    );
  });

  test('lists the allow-list, with its reasons', () => {
    expect(rows.filter(([, , reason]) => reason !== undefined)).toEqual(SHARED.map(({ name, what, reason }) => [name, what, reason]));
  });
});
