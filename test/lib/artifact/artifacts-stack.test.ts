import { describe, expect, test } from '@jest/globals';
import type { App, Stack } from 'aws-cdk-lib/core';
import { ArtifactReplicaStack, ArtifactsStack } from '../../../lib/artifact/artifacts-stack.ts';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { toolingStacks } from '../../../lib/plan/tooling-stacks.ts';
import { isStateful } from '../../../lib/review/stateful.ts';
import { registry } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';

const plan = requireInitialized(createPlan(registry()));
const home = (scope: App = app()) => new ArtifactsStack(scope, plan);
const replica = (scope: App = app()) => new ArtifactReplicaStack(scope, plan, 'us-east-1');

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const stateful = (stack: Stack) =>
  Object.entries(resources(stack)).flatMap(([id, { Type, DeletionPolicy }]) =>
    isStateful(Type) ? [`${Type} ${id} ${DeletionPolicy}`] : [],
  );
const bucketPolicy = (stack: Stack) => {
  const [policy] = Object.values(resources(stack, 'AWS::S3::BucketPolicy'));
  return (Object(policy?.Properties?.['PolicyDocument']) as { Statement: Statement[] }).Statement;
};
/** The objects of the bucket that a statement is about. */
const objects = ({ Resource }: Statement) => JSON.stringify(Resource).match(/\/[a-z]+\/\*/g);

const PULL = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'PullInsideTheOrganization',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } },
    },
  ],
};

describe('the stacks of artifacts', () => {
  test('are one at home, and one in each other region that cells on AWS use', () => {
    expect(plan.regions).toEqual(['eu-west-1', 'us-east-1']);
    expect(toolingStacks(plan)).toEqual([
      { kind: 'registry', stackName: 'Registry', region: 'eu-west-1' },
      { kind: 'domain', stackName: 'Domain', region: 'eu-west-1' },
      { kind: 'artifacts-replica', stackName: 'Artifacts-us-east-1', region: 'us-east-1' },
      { kind: 'artifacts', stackName: 'Artifacts', region: 'eu-west-1' },
      { kind: 'rollouts', stackName: 'Rollouts', region: 'eu-west-1' },
    ]);
    expect([home().stackName, replica().stackName]).toEqual(['Artifacts', 'Artifacts-us-east-1']);
  });

  test('keep the logical ids of what holds artifacts, which stays when the stack goes', () => {
    expect(stateful(home())).toEqual([
      'AWS::S3::Bucket Bucket83908E77 Retain',
      'AWS::ECR::Repository Imagesbilling Retain',
      'AWS::ECR::Repository Imagesordersapi Retain',
    ]);
    expect(stateful(replica())).toEqual(['AWS::S3::Bucket Bucket83908E77 Retain']);
  });

  test.each([
    ['home', home, 'eu-west-1'],
    ['replica', replica, 'us-east-1'],
  ] as const)('%s: the bucket has its fixed name, and is versioned, encrypted, private', (_, make, region) => {
    const [bucket] = Object.values(resources(make(), 'AWS::S3::Bucket'));
    expect(bucket?.Properties).toMatchObject({
      BucketName: `acme-cell-artifacts-200000000000-${region}`,
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  test.each([
    ['home', home],
    ['replica', replica],
  ] as const)('%s: the organization reads artifacts, and what is written stays as it is', (_, make) => {
    const statements = bucketPolicy(make());
    expect(statements.map(({ Sid, Effect, Action, Condition }) => ({ Sid, Effect, Action, Condition }))).toEqual([
      { Sid: undefined, Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      {
        Sid: 'ReadInsideTheOrganization',
        Effect: 'Allow',
        Action: 's3:GetObject',
        Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } },
      },
      {
        Sid: 'WriteOnce',
        Effect: 'Deny',
        Action: 's3:PutObject',
        Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      },
      { Sid: 'KeepArtifacts', Effect: 'Deny', Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'], Condition: undefined },
    ]);
    expect(statements.slice(1).map(objects)).toEqual([['/artifacts/*'], ['/artifacts/*', '/rollouts/*'], ['/artifacts/*']]);
  });

  test('hold the images of each component: tags stay, what comes is scanned, the organization pulls', () => {
    const repositories = Object.values(resources(home(), 'AWS::ECR::Repository')).map(({ Properties }) => Properties);
    expect(repositories.map((each) => each?.['RepositoryName'])).toEqual(['billing', 'orders-api']);
    for (const repository of repositories) {
      expect(repository).toMatchObject({
        ImageTagMutability: 'IMMUTABLE',
        ImageScanningConfiguration: { ScanOnPush: true },
        RepositoryPolicyText: PULL,
      });
      const { rules } = JSON.parse(String(Object(repository?.['LifecyclePolicy'])['LifecyclePolicyText'])) as {
        rules: { selection: { tagStatus: string; countNumber: number } }[];
      };
      expect(rules.map(({ selection }) => `${selection.tagStatus} ${selection.countNumber}`)).toEqual(['untagged 14', 'any 1000']);
    }
  });

  test('copy images to the other regions, where the copies are guarded alike', () => {
    const [replication] = Object.values(resources(home(), 'AWS::ECR::ReplicationConfiguration'));
    expect(replication?.Properties).toEqual({
      ReplicationConfiguration: { Rules: [{ Destinations: [{ Region: 'us-east-1', RegistryId: '200000000000' }] }] },
    });
    const [template] = Object.values(resources(replica(), 'AWS::ECR::RepositoryCreationTemplate'));
    const { RepositoryPolicy: policy, LifecyclePolicy: lifecycle, ...rest } = template?.Properties ?? {};
    expect(rest).toMatchObject({ Prefix: 'ROOT', AppliedFor: ['REPLICATION'], ImageTagMutability: 'IMMUTABLE' });
    expect(JSON.parse(String(policy))).toEqual(PULL);
    const [repository] = Object.values(resources(home(), 'AWS::ECR::Repository'));
    expect(repository?.Properties?.['LifecyclePolicy']).toEqual({ LifecyclePolicyText: lifecycle });
  });

  test('copy nothing where all cells are at home', () => {
    const small = requireInitialized(createPlan(registry(({ cells }) => Reflect.deleteProperty(cells, 'bravo'))));
    expect(resources(new ArtifactsStack(app(), small), 'AWS::ECR::ReplicationConfiguration')).toEqual({});
  });

  test.each([
    ['home', home],
    ['replica', replica],
  ] as const)('%s is protected', (_, make) => {
    expect(make().terminationProtection).toBe(true);
  });

  test('need no bootstrap beyond the home region, however many components there are', () => {
    const assembly = (() => {
      const scope = app();
      replica(scope);
      return scope.synth();
    })();
    const { template, dependencies } = assembly.getStackByName('Artifacts-us-east-1');
    expect(dependencies).toEqual([]);
    expect(JSON.stringify(template)).not.toContain('BootstrapVersion');
    expect(JSON.stringify(template, undefined, 1).length).toBeLessThan(51_200);
  });
});
