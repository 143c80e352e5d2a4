import { describe, expect, test } from '@jest/globals';
import { RegistryStack } from '../../../lib/accounts/registry-stack.ts';
import { VendingStack } from '../../../lib/accounts/vending-stack.ts';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { registry } from '../../_helpers/organization.ts';
import { app, type Resource, resources } from '../../_helpers/synth.ts';

const plan = requireInitialized(createPlan(registry()));

interface Statement {
  readonly Action: string | string[];
  readonly Principal?: unknown;
  readonly Resource: unknown;
  readonly Effect: string;
  readonly Condition?: Record<string, Record<string, string>>;
}

const document = (policy: Resource | undefined) => policy?.Properties?.['PolicyDocument'] as { Statement: Statement[] };

describe('the stacks of the control accounts', () => {
  test('Registry: the bucket keeps its id, is versioned, encrypted, private, and stays when the stack goes', () => {
    const stack = new RegistryStack(app(), plan);
    const [[id, bucket] = []] = Object.entries(resources(stack, 'AWS::S3::Bucket'));
    expect(id).toBe('Bucket83908E77');
    expect(bucket?.DeletionPolicy).toBe('Retain');
    expect(bucket?.Properties).toMatchObject({
      BucketName: 'acme-cell-registry-200000000000',
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: expect.anything(),
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  test('Registry: everybody is allowed something only inside the organization, and nothing without TLS', () => {
    const [policy] = Object.values(resources(new RegistryStack(app(), plan), 'AWS::S3::BucketPolicy'));
    const { Statement: statements } = document(policy);
    const allowed = statements.filter((statement) => statement.Effect === 'Allow');
    expect(allowed).toHaveLength(1);
    expect(allowed[0]).toMatchObject({ Action: 's3:GetObject', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } });
    expect(statements.find((statement) => statement.Effect === 'Deny')?.Condition).toEqual({ Bool: { 'aws:SecureTransport': 'false' } });
  });

  test('Vending: tooling alone may assume the role, which creates accounts and becomes one role name inside the organization', () => {
    const stack = new VendingStack(app(), plan);
    const [role] = Object.values(resources(stack, 'AWS::IAM::Role'));
    const trust = role?.Properties?.['AssumeRolePolicyDocument'] as { Statement: Statement[] };
    expect(JSON.stringify(trust.Statement.map((statement) => statement.Principal))).toContain('200000000000');
    expect(trust.Statement).toHaveLength(1);
    const [policy] = Object.values(resources(stack, 'AWS::IAM::Policy'));
    const { Statement: statements } = document(policy);
    expect(
      statements
        .flatMap((statement) => statement.Action)
        .filter((action) => !/^organizations:(Create|Describe|List|Move|Tag|Untag)|^sts:AssumeRole$/.test(action)),
    ).toEqual([]);
    expect(statements.find((statement) => statement.Action === 'sts:AssumeRole')?.Condition).toEqual({
      StringEquals: { 'aws:ResourceOrgID': 'o-abcdefghij' },
    });
    expect(JSON.stringify(statements)).not.toContain('CloseAccount');
    const denied = statements.find((statement) => statement.Effect === 'Deny');
    expect([...(denied?.Action ?? [])].sort()).toEqual([
      'organizations:MoveAccount',
      'organizations:TagResource',
      'organizations:UntagResource',
      'sts:AssumeRole',
    ]);
    expect(JSON.stringify(denied?.Resource)).toMatch(/200000000000.*300000000000/);
  });

  test.each([RegistryStack, VendingStack])('%p is protected', (Kind) => {
    expect(new Kind(app(), plan).terminationProtection).toBe(true);
  });
});
