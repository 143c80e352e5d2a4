import { describe, expect, test } from '@jest/globals';
import { deletionLosses, lossSentence, unnamedLosses } from '../../../lib/review/deletion.ts';

const template = {
  Resources: {
    Table: { Type: 'AWS::DynamoDB::Table' },
    Kept: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
    KeptToo: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'RetainExceptOnCreate' },
    Database: { Type: 'AWS::RDS::DBInstance', DeletionPolicy: 'Snapshot' },
    Service: { Type: 'AWS::ECS::Service' },
    Nested: { Type: 'AWS::CloudFormation::Stack' },
  },
};
const losses = deletionLosses('search', JSON.stringify(template));

describe('deleting a stack', () => {
  test('loses what holds data and is not kept by its policy; a snapshot is not the database', () => {
    expect(losses.map(({ logicalId }) => logicalId)).toEqual(['Database', 'Nested', 'Table']);
    expect(losses[0]?.lost).toMatch(/^the database.*\(a snapshot stays\)$/);
    expect(losses[1]?.lost).toBe('whatever is in it: a nested stack hides its resources');
  });

  test('of which the template is YAML, as the CDK writes it when it uploads none, loses the same', () => {
    const yaml = 'Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: !Sub "x-t"\n';
    expect(deletionLosses('search', yaml).map(({ logicalId }) => logicalId)).toEqual(['Table']);
    expect(deletionLosses('search', '')).toEqual([]);
  });

  test('of which nobody can read the template is refused: nobody knows what would be lost', () => {
    expect(() => deletionLosses('search', '{"Resources": 1}')).toThrow('nobody knows what would be lost');
    expect(() => deletionLosses('search', '{"Resources":')).toThrow('the template of search can');
  });

  test('is allowed cell by cell, by name', () => {
    const open = unnamedLosses('alpha', losses, ['alpha/Table', 'bravo/Database', 'Nested']);
    expect(open.map(({ logicalId }) => logicalId)).toEqual(['Database', 'Nested']);
    expect(lossSentence('alpha', 'search', open)).toMatch(/If that is meant: --delete alpha\/Database alpha\/Nested$/);
  });
});
