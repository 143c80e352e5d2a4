import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { countByType, reviewLines } from '../../../lib/cli/review-view.ts';
import { createPlan } from '../../../lib/plan/plan.ts';
import type { ResourceChange } from '../../../lib/review/changes.ts';
import type { Observed } from '../../../lib/review/difference.ts';
import { review } from '../../../lib/review/review.ts';
import { change } from '../../_helpers/changes.ts';
import { cell, registry } from '../../_helpers/organization.ts';

const overrides = { database: { standby: false, backupDays: 7 }, nat: 'one-gateway', cache: { replicas: 0 } } as const;
const plan = createPlan(registry((input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { size: 'medium', overrides }) })));
const before = { plan: createPlan(registry()), revision: 7 };

function printed(changes: readonly ResourceChange[], status: string | undefined = 'UPDATE_COMPLETE'): string[] {
  const alpha = plan.cells.find(({ name }) => name === 'alpha');
  if (!alpha) throw new Error('no alpha');
  const stack = { status: 'CREATE_COMPLETE', changes: [], limits: [] };
  const observed: Observed = {
    accounts: undefined,
    stacks: new Map([
      ['Registry', stack],
      ['Domain', stack],
      ['Delegation-alpha', stack],
      ['Cell-alpha', { ...stack, status, changes }],
    ]),
    published: { revision: 7, changes: { added: [], changed: ['cells.alpha', 'cells.bravo'], removed: [] }, movedOn: [] },
    undefinedCells: [],
  };
  return reviewLines(review(plan, alpha, observed, before, new Date())).map((line) => stripVTControlCharacters(line));
}

/** As many changes as there can be, with long names. */
const many = (['add', 'change', 'replace', 'remove'] as const).flatMap((kind) =>
  Array.from({ length: 60 }, (_, index) =>
    change(
      `DataSomethingWithAVeryLongLogicalId${kind}${index}F64D9E0E`,
      kind,
      index % 6 === 0 ? 'AWS::SQS::Queue' : `AWS::EC2::Thing${index}`,
      {
        properties: Array.from({ length: 8 }, (_, number) => ({
          name: `Property${number}`,
          before: 'x'.repeat(40),
          after: 'y'.repeat(40),
        })),
      },
    ),
  ),
);

describe('a review on a terminal', () => {
  test.each([
    ['of everything at once', many],
    [
      'of a few changes',
      [change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName' }] }), change('A'), change('B', 'add')],
    ],
    ['of a registry that differs alone', []],
  ])('%s fits on a screen of 100 columns', (_, changes) => {
    const lines = printed(changes);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(lines.length).toBeLessThanOrEqual(changes.length > 100 ? 62 : 45);
  });

  test('has the losses before the changes, then cost, alarms, risks and what to run', () => {
    const lines = printed([
      change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName', before: 'a', after: 'b' }] }),
      change('A'),
    ]);
    const headings = lines.flatMap((line) => /^[A-Z]\w+/.exec(line)?.[0] ?? []);
    expect(headings).toEqual(['Overrides', 'DESTRUCTIVE', 'Changes', 'Cost', 'Alarms', 'Risks', 'Run']);
    const text = lines.join('\n');
    expect(text).toMatch(
      /^alpha +production · medium · shared · eu-west-1 · \d{12}\n +https:\/\/alpha\.cells\.example\.com · 10\.0\.16\.0\/20$/m,
    );
    expect(text).toContain('database.standby false instead of true');
    expect(text).toMatch(/^DESTRUCTIVE +! Queue AWS::SQS::Queue, replaced because of QueueName a → b/m);
    expect(text).toMatch(/^Cost +estimate \$\d+ → \$\d+ a month \([+-]\$\d+\): /m);
    expect(text).toMatch(/^Run +\$ cellctl deploy alpha --allow-replacement alpha\/Queue/m);
  });

  test('names a resource once: what is lost is not listed again among the changes', () => {
    const lines = printed([change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName' }] })]);
    expect(lines.filter((line) => line.includes('Queue AWS::SQS::Queue'))).toHaveLength(1);
  });

  test('lists what holds data even where it is one of many', () => {
    const database = change('Database', 'change', 'AWS::RDS::DBInstance', {
      properties: [{ name: 'MultiAZ', before: 'true', after: 'false' }],
    });
    const others = Array.from({ length: 20 }, (_, index) => change(`A${index}`));
    const text = printed([...others, change('(template)', 'change', ''), database]).join('\n');
    expect(text).toMatch(/~ Database AWS::RDS::DBInstance: MultiAZ true → false\n +~ changed 21 others: 20 parameters, 1 template setting/);
  });

  test('counts what is new by type, the most frequent first', () => {
    const types = ['VPCEndpoint', 'Subnet', 'VPCEndpoint', 'SecurityGroupEgress', 'SecurityGroupEgress', 'VPCEndpoint', 'Policy', 'Policy'];
    expect(countByType(types.map((type) => ({ type: `AWS::EC2::${type}` })))).toBe(
      '3 VPC endpoints, 2 policies, 2 security group egresses, 1 subnet',
    );
  });
});
