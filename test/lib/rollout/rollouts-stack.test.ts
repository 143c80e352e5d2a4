import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { isStateful } from '../../../lib/review/stateful.ts';
import { RolloutsStack } from '../../../lib/rollout/rollouts-stack.ts';
import { foundations, registry } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';

const plan = requireInitialized(createPlan(registry()));
const built = new RolloutsStack(app(), plan);
const stack = () => built;

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Statements of the policies whose logical id begins so, by action. */
const statements = (of: RolloutsStack, id: string) =>
  Object.entries(resources(of, 'AWS::IAM::Policy'))
    .filter(([name]) => name.startsWith(id))
    .flatMap(([, { Properties }]) => (Object(Properties?.['PolicyDocument']) as { Statement: Statement[] }).Statement);

describe('stack Rollouts', () => {
  test('keeps what holds data, under the same logical ids', () => {
    const stateful = Object.entries(resources(stack())).flatMap(([id, { Type, DeletionPolicy }]) =>
      isStateful(Type) ? [`${Type} ${id} ${DeletionPolicy}`] : [],
    );
    expect(stateful).toEqual([
      'AWS::DynamoDB::Table TableCD117FA1 Retain',
      'AWS::Logs::LogGroup OperatorLog8B0717FA Retain',
      'AWS::Logs::LogGroup RunWaveLogC3568A04 Retain',
      'AWS::Logs::LogGroup WatchAfterLogE9C3DE2A Retain',
      'AWS::Logs::LogGroup WatchBetweenLog1F64E97B Retain',
      'AWS::Logs::LogGroup RolloutLog97AAFFA4 Retain',
      'AWS::Logs::LogGroup EventsLogF3A4B60A Retain',
      'AWS::SQS::Queue EventsUntold91AA3360 Retain',
    ]);
  });

  test('the table can be restored, is encrypted, and is not deleted by mistake', () => {
    Template.fromStack(stack()).hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    });
  });

  test('the operator assumes one role in cells of the organization, and writes nothing but the records of rollouts', () => {
    const [assume] = statements(stack(), 'OperatorRoleDefaultPolicy').filter(({ Action }) => Action === 'sts:AssumeRole');
    expect(JSON.stringify(assume?.Resource)).toContain('iam::*:role/cell-rollout');
    expect(assume?.Condition).toEqual({ StringEquals: { 'aws:ResourceOrgID': 'o-abcdefghij' } });
    const [put] = statements(stack(), 'OperatorRoleDefaultPolicy').filter(({ Action }) => Action === 's3:PutObject');
    expect(JSON.stringify(put?.Resource)).toMatch(/acme-cell-artifacts-200000000000-eu-west-1\/rollouts\/\*/);
  });

  test('the operator reads the published registry, and nothing else in its bucket', () => {
    const reads = statements(stack(), 'OperatorRoleDefaultPolicy').filter((each) => JSON.stringify(each).includes('cell-registry'));
    expect(reads.map(({ Action }) => Action)).toEqual(['s3:GetObject']);
    const resources = [reads[0]?.Resource].flat().map((resource) => JSON.stringify(resource));
    const [latest, revisions, ...others] = resources.filter((resource) => resource.includes('cell-registry'));
    expect(latest).toContain('acme-cell-registry-200000000000/latest.json"');
    expect(revisions).toContain('acme-cell-registry-200000000000/revisions/*"');
    expect(others).toEqual([]);
  });

  test('where foundations are rolled out, the operator assumes the CDK’s roles besides, and nowhere else', () => {
    const resource = (of: RolloutsStack) =>
      JSON.stringify(statements(of, 'OperatorRoleDefaultPolicy').find(({ Action }) => Action === 'sts:AssumeRole')?.Resource);
    expect(resource(stack())).not.toContain('cdk-hnb659fds');
    const with_ = requireInitialized(createPlan(registry(({ components }) => Object.assign(components, { foundations: foundations() }))));
    const text = resource(new RolloutsStack(app(true), with_));
    for (const role of ['cell-rollout', 'cdk-hnb659fds-deploy-role-*-*', 'cdk-hnb659fds-file-publishing-role-*-*']) {
      expect(text).toContain(`:role/${role}"`);
    }
  });

  test('machines call the operator and each other, and nobody else', () => {
    const actions = ['RunWaveRole', 'FanOut', 'RolloutRole', 'RunWaves']
      .flatMap((id) => statements(stack(), id))
      .flatMap(({ Action }) => Action)
      .filter((action) => !/^(logs|xray):/.test(action));
    expect([...new Set(actions)].sort()).toEqual([
      'events:DescribeRule',
      'events:PutRule',
      'events:PutTargets',
      'lambda:InvokeFunction',
      's3:GetObject',
      'states:DescribeExecution',
      'states:StartExecution',
      'states:StopExecution',
    ]);
  });

  test('what tells of rollouts reads records and plans, and puts events on its bus, and does nothing else', () => {
    const own = statements(stack(), 'EventsRole');
    const allowed = own.flatMap(({ Action }) => Action).filter((action) => !/^logs:/.test(action));
    expect(allowed.sort()).toEqual([
      ...['dynamodb:DescribeStream', 'dynamodb:GetItem', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      ...['events:PutEvents', 's3:GetObject', 's3:ListBucket', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'],
    ]);
    expect(JSON.stringify(own.find(({ Action }) => Action === 's3:GetObject')?.Resource)).toContain('/rollouts/*/plan.json');
    // Nobody else writes to the bus.
    const writers = statements(stack(), '').filter(({ Action }) => [Action].flat().includes('events:PutEvents'));
    expect(writers).toHaveLength(1);
  });

  test('hears of records and waves, and not of each cell; what can’t be told is kept', () => {
    const [mapping] = Object.values(resources(stack(), 'AWS::Lambda::EventSourceMapping'));
    const { FilterCriteria, DestinationConfig, StartingPosition } = Object(mapping?.Properties) as Record<string, unknown>;
    const patterns = (FilterCriteria as { Filters: { Pattern: string }[] }).Filters.map(({ Pattern }) => JSON.parse(Pattern) as unknown);
    const sk = (S: unknown) => ({ dynamodb: { Keys: { sk: { S: [S] } } } });
    expect(patterns).toEqual([sk('record'), sk({ prefix: 'wave#' })]);
    expect(JSON.stringify(DestinationConfig)).toContain('EventsUntold');
    expect(StartingPosition).toBe('TRIM_HORIZON');
  });

  test('webhooks are posted what they want to know, and their addresses stand in no template', () => {
    const webhooks = {
      oncall: { events: 'attention', body: 'chat', secret: 'cell-factory/webhooks/oncall' },
      audit: { events: 'all', body: 'event', secret: 'audit' },
    } as const;
    const told = requireInitialized(createPlan(registry(({ settings }) => Object.assign(settings, { notifications: { webhooks } }))));
    const of = new RolloutsStack(app(), told);
    const destinations = Object.values(resources(of, 'AWS::Events::ApiDestination'));
    expect(destinations.map(({ Properties }) => Properties?.['InvocationEndpoint'])).toEqual([
      '{{resolve:secretsmanager:cell-factory/webhooks/oncall:SecretString:url::}}',
      '{{resolve:secretsmanager:audit:SecretString:url::}}',
    ]);
    const rules = Object.entries(resources(of, 'AWS::Events::Rule')).filter(([id]) => id.startsWith('EventsRule'));
    const shown = rules.map(([, { Properties }]) => {
      const [target] = Object(Properties?.['Targets']) as Record<string, unknown>[];
      return {
        pattern: Properties?.['EventPattern'],
        input: target?.['InputTransformer'] ?? target?.['InputPath'],
        dead: target?.['DeadLetterConfig'],
      };
    });
    const dead = { Arn: { 'Fn::GetAtt': [expect.stringMatching(/^EventsUntold/), 'Arn'] } };
    expect(shown).toEqual([
      {
        pattern: { source: ['cell-factory'], detail: { attention: [true] } },
        input: { InputPathsMap: { 'detail-text': '$.detail.text' }, InputTemplate: '{"text":<detail-text>}' },
        dead,
      },
      { pattern: { source: ['cell-factory'] }, input: '$.detail', dead },
    ]);
    expect(Object.keys(resources(stack(), 'AWS::Events::Connection'))).toEqual([]);
  });
});
