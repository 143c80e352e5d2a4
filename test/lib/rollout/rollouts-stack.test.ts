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
      'AWS::Logs::LogGroup RolloutLog97AAFFA4 Retain',
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
});
