import { describe, expect, test } from '@jest/globals';
import { definitionMetadata, readDefinition } from '../../../lib/plan/deployed-cell.ts';
import { createPlan, type Plan } from '../../../lib/plan/plan.ts';
import type { AwsCellDefinition } from '../../../lib/registry/index.ts';
import type { Observed, ObservedStack } from '../../../lib/review/difference.ts';
import { review } from '../../../lib/review/review.ts';
import { change } from '../../_helpers/changes.ts';
import { cell, registry } from '../../_helpers/organization.ts';

const NOW = new Date('2030-01-10T00:00:00Z');
const SAME: ObservedStack = { status: 'CREATE_COMPLETE', changes: [], limits: [] };

const planned = (rest: Partial<AwsCellDefinition> = {}): Plan =>
  createPlan(registry((input) => Object.assign(input.cells, { alpha: cell('alpha', 1, rest) })));
const BEFORE = { plan: planned(), revision: 4 };

/** The review of alpha in `plan`, whose stacks would see `changes`. */
function reviewed(plan: Plan, foundation: Partial<ObservedStack> = {}, change: Partial<Observed> = {}) {
  const alpha = plan.cells.find(({ name }) => name === 'alpha');
  if (!alpha) throw new Error('no alpha');
  const observed: Observed = {
    accounts: undefined,
    stacks: new Map([
      ['Registry', SAME],
      ['Domain', SAME],
      ['Artifacts-us-east-1', SAME],
      ['Artifacts', SAME],
      ['Rollouts', SAME],
      ['Delegation-alpha', SAME],
      ['Cell-alpha', { ...SAME, ...foundation }],
    ]),
    published: { revision: 4, changes: { added: [], changed: [], removed: [] }, movedOn: [] },
    undefinedCells: [],
    ...change,
  };
  return review(plan, alpha, observed, BEFORE, NOW);
}
const rules = (plan: Plan, foundation?: Partial<ObservedStack>) => reviewed(plan, foundation).risks.map(({ rule }) => rule);

describe('the review of a cell', () => {
  test('that is as the registry says has no differences, no risks, nothing to run', () => {
    expect(reviewed(planned())).toMatchObject({
      cell: 'alpha',
      comparedWith: 'revision 4',
      differences: [],
      destructive: [],
      risks: [],
      steps: [],
      cost: { items: [] },
      alarms: { added: [], removed: [], thresholds: [] },
      stacks: [{ state: 'unchanged' }, { state: 'unchanged' }],
    });
  });

  test('shows what it overrides, instead of what', () => {
    expect(reviewed(planned({ overrides: { database: { instanceClass: 'm7g.large' } } })).overrides).toEqual([
      { field: 'database.instanceClass', value: 'm7g.large', instead: 't4g.medium' },
    ]);
  });

  test('compares cost and alarms with the newest published revision', () => {
    const { cost, alarms } = reviewed(planned({ size: 'medium' }));
    expect(cost.before).toBeLessThan(cost.after);
    expect(cost.items.map(({ what }) => what)).toContain('database');
    expect(cost.items.reduce((sum, item) => sum + item.after - item.before, 0)).toBeCloseTo(cost.after - (cost.before ?? 0), 1);
    expect(cost.source).toMatch(/^estimate/);
    expect(alarms.thresholds).toContainEqual({ id: 'full', before: 140, after: 700 });
  });

  test('compares with what is deployed, where the template says it, although a publish came before', () => {
    const [large] = planned({ size: 'large' }).cells.filter(({ name }) => name === 'alpha');
    if (!large) throw new Error('no alpha');
    const deployed = readDefinition({ Metadata: definitionMetadata(large) });
    // Published, and planned, is the small one.
    const { comparedWith, cost, alarms, risks } = reviewed(planned(), { deployed, changes: [change('A')] });
    expect(comparedWith).toBe('what is deployed');
    expect(cost.before).toBeGreaterThan(cost.after);
    expect(alarms.thresholds.map(({ id }) => id)).toContain('full');
    expect(risks.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining('size large → small'), expect.stringMatching(/database\.storageGiB \d+ → \d+/)]),
    );
  });

  test('finds nothing smaller where nothing of the stack changes: metadata alone is never deployed', () => {
    const [large] = planned({ size: 'large' }).cells.filter(({ name }) => name === 'alpha');
    const deployed = large && readDefinition({ Metadata: definitionMetadata(large) });
    expect(reviewed(planned(), { deployed }).risks).toEqual([]);
  });

  test('says what somebody has deleted, and that deploying brings it back', () => {
    const { stacks, steps } = reviewed(planned(), { missing: ['cell-alpha-latency'] });
    expect(stacks[1]).toMatchObject({ state: 'changed', missing: ['cell-alpha-latency'] });
    expect(steps).toEqual([{ command: 'cellctl deploy alpha' }]);
  });

  test('says of a stack that is gone that its cell was complete', () => {
    const { differences } = reviewed(planned(), { status: undefined }, { built: new Set(['alpha']) });
    expect(differences).toEqual([expect.objectContaining({ change: 'create', detail: 'is gone, and its cell was complete: 0 resources' })]);
  });

  test('says what RDS would refuse', () => {
    const problem = { code: 'DATABASE_REFUSED', path: 'alpha/Database', message: 'no such class', fix: 'choose another' };
    const { refused, differences } = reviewed(planned(), { changes: [change('Database')], refused: [problem] });
    expect({ refused, differences }).toEqual({ refused: [problem], differences: [expect.objectContaining({ refused: [problem] })] });
  });

  test('of a cell that is not there has no before: all of its cost is new', () => {
    const { comparedWith, cost, alarms, stacks, risks } = reviewed(planned(), { status: undefined, changes: [change('A', 'add')] });
    expect({ comparedWith, before: cost.before, thresholds: alarms.thresholds, state: stacks[1]?.state }).toEqual({
      comparedWith: undefined,
      before: undefined,
      thresholds: [],
      state: 'new',
    });
    expect(risks.map(({ rule }) => rule)).toEqual(['first-deployment']);
  });

  test('of a cell without account says that its stacks were not looked at', () => {
    const { stacks } = reviewed(planned(), {}, { stacks: new Map() });
    expect(stacks.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  });

  test('ends with the commands to run; a loss is allowed by name', () => {
    const queue = change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName' }] });
    const changes = { added: [], changed: ['cells.alpha'], removed: [] };
    const { destructive, steps } = reviewed(planned(), { changes: [queue] }, { published: { revision: 4, changes, movedOn: [] } });
    expect(destructive.map(({ logicalId }) => logicalId)).toEqual(['Queue']);
    expect(steps).toEqual([
      { command: 'cellctl deploy alpha --allow-replacement alpha/Queue', remark: expect.any(String) },
      { command: 'cellctl publish' },
    ]);
  });

  test('leaves to others what is not about the cell', () => {
    const changes = { added: [], changed: ['cells.bravo'], removed: [] };
    const { differences, elsewhere } = reviewed(planned(), {}, { published: { revision: 4, changes, movedOn: [] } });
    expect({ differences, elsewhere }).toEqual({ differences: [], elsewhere: 1 });
  });

  test('of a personal cell past its end proposes its removal only', () => {
    const plan = planned({ stage: 'personal', owner: 'ada', expiresAt: '2030-01-07T00:00:00Z' });
    expect(reviewed(plan, { changes: [change('A')] })).toMatchObject({
      expired: 'expired at 2030-01-07T00:00:00Z, 3 days ago',
      stacks: [],
      steps: [{ command: 'cellctl destroy alpha' }],
    });
  });
});

describe('the risks of a change', () => {
  const database = (name: string) => ({ changes: [change('Database', 'change', 'AWS::RDS::DBInstance', { properties: [{ name }] })] });

  test.each<[string, Partial<AwsCellDefinition>, Partial<ObservedStack>, string[]]>([
    ['nothing', {}, {}, []],
    ['a harmless change', {}, { changes: [change('A'), change('B', 'add')] }, []],
    ['a loss', {}, { changes: [change('Queue', 'remove', 'AWS::SQS::Queue')] }, ['destruction']],
    ['a stack whose last update was rolled back', {}, { status: 'UPDATE_ROLLBACK_COMPLETE' }, ['unwell']],
    ['a stack that is not there', {}, { status: undefined, changes: [change('A', 'add')] }, ['first-deployment']],
    ['another database class', {}, database('DBInstanceClass'), ['interruption']],
    ['longer backups', {}, database('BackupRetentionPeriod'), []],
    ['no standby', { overrides: { database: { standby: false } } }, {}, ['weak-production']],
    ['one NAT gateway', { overrides: { nat: 'one-gateway' } }, {}, ['weak-production']],
    [
      'a database that is protected no more',
      {},
      {
        changes: [
          change('Database', 'change', 'AWS::RDS::DBInstance', {
            properties: [{ name: 'DeletionProtection', before: 'true', after: 'false' }],
          }),
        ],
      },
      ['protection-removed'],
    ],
    [
      'a database that becomes protected',
      {},
      {
        changes: [
          change('Database', 'change', 'AWS::RDS::DBInstance', {
            properties: [{ name: 'DeletionProtection', before: 'false', after: 'true' }],
          }),
        ],
      },
      [],
    ],
    ['retirement', { intent: 'retiring' }, {}, ['protection-removed']],
    ['a cap above the size', { capacity: { maxRequestsPerSecond: 250 } }, {}, ['capacity-raised']],
    ['shorter backups', { overrides: { database: { backupDays: 7 } } }, {}, ['size-reduced']],
    ['a template near CloudFormation’s limits', {}, { limits: [{ what: 'resources', used: 410, limit: 500 }] }, ['near-limits']],
  ])('of %s', (_, rest, foundation, expected) => {
    expect(rules(planned(rest), foundation)).toEqual(expected);
  });

  test('of an interruption depend on the standby', () => {
    const messages = (rest: Partial<AwsCellDefinition>) =>
      reviewed(planned(rest), database('DBInstanceClass'))
        .risks.filter(({ rule }) => rule === 'interruption')
        .map(({ message }) => message);
    expect(messages({})).toEqual([expect.stringMatching(/fails over to its standby.*one or two minutes.*\(DBInstanceClass\)/)]);
    expect(messages({ overrides: { database: { standby: false } } })).toEqual([expect.stringContaining('there is no standby')]);
  });

  describe('of an entrance', () => {
    const widened = (from: string[], to: string[]) => {
      const plan = planned({ network: { block: '10.0.16.0/20', clients: to } });
      const alpha = plan.cells.find(({ name }) => name === 'alpha');
      const before = planned({ network: { block: '10.0.16.0/20', clients: from } });
      if (!alpha) throw new Error('no alpha');
      const observed = { accounts: undefined, stacks: new Map([['Cell-alpha', SAME]]), published: undefined, undefinedCells: [] };
      return review(plan, alpha, observed, { plan: before, revision: 1 }, NOW).risks.filter(({ rule }) => rule === 'entrance-widened');
    };

    test('that lets in more are said, with the block', () => {
      expect(widened(['192.0.2.0/24'], ['192.0.2.0/24', '198.51.100.0/24'])).toEqual([
        { rule: 'entrance-widened', message: 'requests may now come from 198.51.100.0/24, too; before, only from 192.0.2.0/24' },
      ]);
      expect(widened(['192.0.2.0/24'], ['0.0.0.0/0'])).toHaveLength(1);
    });

    test('that lets in less, or the same by smaller blocks, are none', () => {
      expect(widened(['0.0.0.0/0'], ['192.0.2.0/24'])).toEqual([]);
      expect(widened(['192.0.2.0/24'], ['192.0.2.0/25', '192.0.2.128/25'])).toEqual([]);
    });
  });

  test('of a smaller cell name what shrinks', () => {
    const small = planned();
    const alpha = small.cells.find(({ name }) => name === 'alpha');
    if (!alpha) throw new Error('no alpha');
    const observed = { accounts: undefined, stacks: new Map([['Cell-alpha', SAME]]), published: undefined, undefinedCells: [] };
    const found = review(small, alpha, observed, { plan: planned({ size: 'medium' }), revision: 1 }, NOW).risks.map(
      ({ message }) => message,
    );
    expect(found).toEqual([
      expect.stringContaining('size medium → small'),
      expect.stringContaining('RDS makes storage no smaller'),
      expect.stringContaining('service.maxTasks 12 → 6'),
    ]);
  });
});
