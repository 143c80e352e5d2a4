import { fullDiff } from '@aws-cdk/cloudformation-diff';
import { describe, expect, test } from '@jest/globals';
import { STATEFUL } from '../../../lib/review/stateful.ts';
import { compareTemplates } from '../../../lib/review/template-diff.ts';

const resource = (Type: string, Properties: object = {}, rest: object = {}) => ({ Type, Properties, ...rest });
const compared = (before: object, after: object) => compareTemplates({ Resources: before }, { Resources: after });
const lines = (before: object, after: object) =>
  compared(before, after).map(({ change, logicalId, type, certain, properties, kept }) =>
    [change, logicalId, type, certain ? '' : '(maybe)', properties.map(({ name, before: a, after: b }) => `${name} ${a}>${b}`).join(), kept]
      .filter((text) => text !== '' && text !== 'nothing')
      .join(' '),
  );

describe('two templates', () => {
  test('that are the same have no changes', () => {
    const same = { A: resource('AWS::SQS::Queue', { DelaySeconds: 1 }) };
    expect(compared(same, same)).toEqual([]);
  });

  test('differ by what is added, changed, replaced and removed, each with its type and property', () => {
    const before = {
      Changed: resource('AWS::RDS::DBInstance', { DBInstanceClass: 'db.t4g.medium' }),
      Replaced: resource('AWS::SQS::Queue', { QueueName: 'a' }),
      Removed: resource('AWS::KMS::Key', {}, { DeletionPolicy: 'Retain' }),
    };
    const after = {
      Added: resource('AWS::SNS::Topic'),
      Changed: resource('AWS::RDS::DBInstance', { DBInstanceClass: 'db.m7g.large' }),
      Replaced: resource('AWS::SQS::Queue', { QueueName: 'b' }),
    };
    expect(lines(before, after)).toEqual([
      'add Added AWS::SNS::Topic',
      'change Changed AWS::RDS::DBInstance DBInstanceClass db.t4g.medium>db.m7g.large',
      'remove Removed AWS::KMS::Key all',
      'replace Replaced AWS::SQS::Queue QueueName a>b',
    ]);
  });

  test('replace what refers to a replaced resource by a property that forces it', () => {
    const template = (block: string) => ({
      Vpc: resource('AWS::EC2::VPC', { CidrBlock: block }),
      Subnet: resource('AWS::EC2::Subnet', { VpcId: { Ref: 'Vpc' } }),
    });
    expect(lines(template('10.0.0.0/20'), template('10.0.16.0/20'))).toEqual([
      'replace Subnet AWS::EC2::Subnet VpcId Vpc>Vpc (replaced)',
      'replace Vpc AWS::EC2::VPC CidrBlock 10.0.0.0/20>10.0.16.0/20',
    ]);
  });

  test('are the same but for the CDK’s own metadata and the order of tags', () => {
    const tags = [
      { Key: 'cell', Value: 'alpha' },
      { Key: 'stage', Value: 'production' },
    ];
    const before = resource('AWS::SQS::Queue', { Tags: tags }, { Metadata: { 'aws:cdk:path': 'a' } });
    const after = resource('AWS::SQS::Queue', { Tags: [...tags].reverse() }, { Metadata: { 'aws:cdk:path': 'b', cdk_nag: {} } });
    expect(compared({ A: before }, { A: after })).toEqual([]);
    expect(compared({ A: before }, { A: resource('AWS::SQS::Queue', { Tags: tags.slice(1) }) })).toHaveLength(1);
  });

  test('may replace where CloudFormation decides later; a database’s standby and backups change in place', () => {
    const database = (properties: object) => ({ A: resource('AWS::RDS::DBInstance', properties) });
    expect(lines(database({ Engine: 'postgres' }), database({ Engine: 'mysql' }))).toEqual([
      'replace A AWS::RDS::DBInstance (maybe) Engine postgres>mysql',
    ]);
    expect(lines(database({ MultiAZ: true, BackupRetentionPeriod: 14 }), database({ MultiAZ: false, BackupRetentionPeriod: 7 }))).toEqual([
      'change A AWS::RDS::DBInstance MultiAZ true>false,BackupRetentionPeriod 14>7',
    ]);
  });

  test('replace a resource that becomes one of another type, and say what is left of the old one', () => {
    const policies = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Snapshot' };
    const before = { A: resource('AWS::RDS::DBInstance', {}, policies) };
    const after = { A: resource('AWS::RDS::DBCluster', {}, policies) };
    expect(lines(before, after)).toEqual(['replace A AWS::RDS::DBInstance Type AWS::RDS::DBInstance>AWS::RDS::DBCluster snapshot']);
  });

  test('differ in what is about no resource', () => {
    const template = (Conditions: string) => ({ Conditions, Resources: {} });
    expect(compareTemplates(template('small'), template('medium'))).toMatchObject([
      { logicalId: '(template)', change: 'change', properties: [{ name: 'Conditions', before: 'small', after: 'medium' }] },
    ]);
  });

  test('don’t differ by a description and metadata alone, which CloudFormation changes only along with a resource', () => {
    const template = (text: string) => ({ Description: text, Metadata: { text }, Resources: {} });
    expect(compareTemplates(template('small'), template('medium'))).toEqual([]);
  });

  test('don’t show values that nobody can read', () => {
    const policy = (Action: string) => ({ A: resource('AWS::SQS::QueuePolicy', { PolicyDocument: { Action } }) });
    expect(compared(policy('a'), policy('b'))[0]?.properties).toEqual([{ name: 'PolicyDocument' }]);
  });
});

test('what is said to change in place is what the schema calls a possible replacement, and nothing that is a certain one', () => {
  const listed = Object.entries(STATEFUL).flatMap(([type, { inPlace = [] }]) => inPlace.map((property) => [type, property] as const));
  expect(listed.length).toBeGreaterThan(0);
  const impacts = listed.map(([Type, property]) => {
    const template = (value: string) => ({ Resources: { A: resource(Type, { [property]: value }) } });
    return fullDiff(template('a'), template('b')).resources.get('A').changeImpact;
  });
  expect(new Set(impacts)).toEqual(new Set(['MAY_REPLACE']));
});
