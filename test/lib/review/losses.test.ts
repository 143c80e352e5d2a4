/** What counts as a loss, of all that CloudFormation may say of a change. */
import type { ResourceChange } from '@aws-sdk/client-cloudformation';
import { describe, expect, test } from '@jest/globals';
import { lossesIn, refuseLosses } from '../../../lib/review/losses.ts';

/** The words in the middle: what would happen. */
const fate = (change: ResourceChange): string | undefined =>
  / would be (.*);/.exec(lossesIn([{ ResourceChange: { LogicalResourceId: 'It', ...change } }])[0]?.sentence ?? '')?.[1];

const database = { ResourceType: 'AWS::RDS::DBInstance' };
const detail = (Name: string, RequiresRecreation?: 'Always' | 'Conditionally' | 'Never') => ({
  Target: { Attribute: 'Properties' as const, Name, ...(RequiresRecreation ? { RequiresRecreation } : {}) },
});

describe('a stateful resource', () => {
  test.each<[string, ResourceChange, string | undefined]>([
    ['that is added', { Action: 'Add' }, undefined],
    ['that is changed in place', { Action: 'Modify', Replacement: 'False' }, undefined],
    ['that is replaced', { Action: 'Modify', Replacement: 'True' }, 'replaced'],
    [
      'that is replaced, and its old self retained',
      { Action: 'Modify', Replacement: 'True', PolicyAction: 'ReplaceAndRetain' },
      'replaced',
    ],
    ['that is removed', { Action: 'Remove', PolicyAction: 'Delete' }, 'removed'],
    ['that is removed, of which nothing is said', { Action: 'Remove' }, 'removed'],
    ['of which a snapshot stays', { Action: 'Remove', PolicyAction: 'Snapshot' }, 'removed'],
    ['that is retained', { Action: 'Remove', PolicyAction: 'Retain' }, undefined],
    ['that is perhaps replaced, without details', { Action: 'Modify', Replacement: 'Conditional' }, 'perhaps replaced'],
    [
      'that is perhaps replaced, by details that say "never"',
      { Action: 'Modify', Replacement: 'Conditional', Details: [detail('Tags', 'Never')] },
      'perhaps replaced',
    ],
    [
      'of which a schema says "may" and we know better',
      { Action: 'Modify', Replacement: 'Conditional', Details: [detail('MultiAZ', 'Conditionally'), detail('Tags', 'Never')] },
      undefined,
    ],
    [
      'that something forces besides what we know',
      { Action: 'Modify', Replacement: 'Conditional', Details: [detail('MultiAZ', 'Conditionally'), detail('DBName')] },
      'perhaps replaced',
    ],
    ['of which it is not said whether it is replaced', { Action: 'Modify' }, 'perhaps replaced'],
    ['of which only the execution decides', { Action: 'Dynamic' }, 'perhaps replaced'],
  ])('%s', (_, change, expected) => {
    expect(fate({ ...database, ...change })).toBe(expected);
  });
});

test.each<[string, ResourceChange, string | undefined]>([
  ['added', { Action: 'Add' }, undefined],
  ['changed', { Action: 'Modify', Replacement: 'False' }, 'changed'],
  ['removed', { Action: 'Remove', PolicyAction: 'Delete' }, 'removed'],
  ['retained', { Action: 'Remove', PolicyAction: 'Retain' }, undefined],
])('a nested stack that is %s', (_, change, expected) => {
  for (const ResourceType of ['AWS::CloudFormation::Stack', 'AWS::CloudFormation::StackSet', 'Acme::Store::Tables::MODULE']) {
    expect(fate({ ResourceType, ...change })).toBe(expected);
  }
});

test('a resource that holds nothing may be replaced', () => {
  expect(fate({ ResourceType: 'AWS::ECS::TaskDefinition', Action: 'Modify', Replacement: 'True' })).toBeUndefined();
});

test('a subnet that would come into another zone is a loss: its update fails, because the old one has the addresses', () => {
  const change = { LogicalResourceId: 'Subnet', ResourceType: 'AWS::EC2::Subnet', Action: 'Modify', Replacement: 'True' };
  expect(lossesIn([{ ResourceChange: change }])).toEqual([{ logicalId: 'Subnet', sentence: expect.stringContaining('would be replaced') }]);
});

test('a loss says what is lost', () => {
  expect(lossesIn([{ ResourceChange: { LogicalResourceId: 'Data', ...database, Action: 'Remove' } }])).toEqual([
    {
      logicalId: 'Data',
      sentence: 'Data (AWS::RDS::DBInstance) would be removed; lost: the database: the new one is empty, and has another address',
    },
  ]);
});

describe('a loss by what was changed by hand', () => {
  const change = { ResourceChange: { LogicalResourceId: 'Data', ResourceType: 'AWS::SQS::Queue', Action: 'Modify', Replacement: 'True' } };

  test('is refused, with the name that allows it', () => {
    expect(() => refuseLosses('alpha', [change], ['bravo/Data'])).toThrow(
      expect.objectContaining({
        code: 'REPLACEMENT_REFUSED',
        problems: [expect.objectContaining({ path: 'alpha/Data', fix: 'if the loss is meant: --allow-replacement alpha/Data' })],
      }),
    );
  });

  test('passes where somebody has named it in the cell; a name without a cell is none', () => {
    expect(() => refuseLosses('alpha', [change], ['alpha/Data'])).not.toThrow();
    expect(() => refuseLosses('alpha', [change], ['Data'])).toThrow('without a loss');
  });
});
