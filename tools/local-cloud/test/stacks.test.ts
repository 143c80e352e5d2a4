import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  ListChangeSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { describe, expect, test } from '@jest/globals';
import { aws, parameterValue, putParameter, queue } from './management.ts';
import { outputsOf, REGION, type Template } from './server.ts';

const OTHER_ACCOUNT = '222222222222';

describe('change sets', () => {
  const NAME = 'cdk-deploy-change-set';

  test('one is found by name and stack', async () => {
    await changeSet('first', NAME, queue());
    await changeSet('second', NAME, queue());

    expect(await describeChangeSet('first', NAME)).toMatchObject({ StackName: 'first', Status: 'CREATE_COMPLETE' });
    expect(await describeChangeSet('second', NAME)).toMatchObject({ StackName: 'second' });
    await aws.stacks.send(new ExecuteChangeSetCommand({ ChangeSetName: NAME, StackName: 'second' }));
    expect(await aws.describe('first')).toMatchObject({ StackStatus: 'REVIEW_IN_PROGRESS' });
    expect(await aws.describe('second')).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    const { Summaries: listed } = await aws.stacks.send(new ListChangeSetsCommand({ StackName: 'first' }));
    expect(listed).toHaveLength(1);
  });

  test('one that is gone is not found', async () => {
    await changeSet('gone', NAME, queue());
    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: NAME, StackName: 'gone' }));

    await expect(describeChangeSet('gone', NAME)).rejects.toMatchObject({ name: 'ChangeSetNotFoundException', Code: 'ChangeSetNotFound' });
  });

  test('one is deleted by its ARN, and again', async () => {
    const { Id: arn } = await changeSet('by-arn', NAME, queue());

    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: arn }));
    await aws.stacks.send(new DeleteChangeSetCommand({ ChangeSetName: arn }));

    await expect(aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: arn }))).rejects.toThrow('does not exist');
  });

  test('a second one reuses the stack in review', async () => {
    const { StackId: first } = await changeSet('reviewed', 'one', queue());
    const { StackId: second } = await changeSet('reviewed', 'two', queue());

    expect(second).toBe(first);
  });

  test('executing one sets outputs and exports', async () => {
    await changeSet('exporting', NAME, {
      ...queue(),
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Queue', 'Arn'] }, Export: { Name: 'queue-arn' } } },
    });
    await aws.stacks.send(new ExecuteChangeSetCommand({ ChangeSetName: NAME, StackName: 'exporting' }));

    const importing = await aws.deploy('importing', {
      ...queue(),
      Outputs: { Imported: { Value: { 'Fn::ImportValue': 'queue-arn' } } },
    });

    expect(outputsOf(importing)['Imported']).toBe(outputsOf(await aws.describe('exporting'))['Arn']);
    expect(await aws.destroy('exporting')).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'Export queue-arn cannot be deleted as it is in use by importing',
    });
  });
});

describe('parameters', () => {
  const template = (name: string): Template => ({
    Parameters: { Path: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/parameters/none' } },
    Resources: { Copy: { Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: { Ref: 'Path' } } } },
  });
  const again = [{ ParameterKey: 'Path', UsePreviousValue: true }];

  test('an SSM parameter keeps its previous value', async () => {
    await putParameter('/parameters/keep', 'value');
    await aws.deploy('keep', template('/copy/keep'), [{ ParameterKey: 'Path', ParameterValue: '/parameters/keep' }]);

    const stack = await aws.deploy('keep', template('/copy/kept'), again);

    expect(stack.Parameters).toEqual([{ ParameterKey: 'Path', ParameterValue: '/parameters/keep', ResolvedValue: 'value' }]);
    expect(await parameterValue('/copy/kept')).toBe('value');
  });

  test('an SSM parameter with another value is a change, and one with the same is none', async () => {
    await putParameter('/parameters/change', 'one');
    await aws.deploy('change', template('/copy/change'), [{ ParameterKey: 'Path', ParameterValue: '/parameters/change' }]);

    await expect(aws.deploy('change', template('/copy/change'), again)).rejects.toThrow('No updates are to be performed.');
    await putParameter('/parameters/change', 'two');
    await aws.deploy('change', template('/copy/change'), again);

    expect(await parameterValue('/copy/change')).toBe('two');
  });

  test('an SSM parameter that does not exist refuses the template', async () => {
    await expect(aws.deploy('none', template('/copy/none'))).rejects.toThrow(
      'Unable to fetch parameters [/parameters/none] from parameter store for this account.',
    );
  });
});

describe('skipped resources', () => {
  const sink = { Type: 'AWS::Oam::Sink', Properties: { Name: 's' } };

  test('they are listed until they or their stack are gone, and can be referred to', async () => {
    const copy = {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/copy/sink', Type: 'String', Value: { 'Fn::GetAtt': ['Sink', 'Arn'] } },
    };
    const other = await aws.inAccount(OTHER_ACCOUNT);
    await other.deploy('skipping', {
      Resources: { Sink: sink, Copy: copy, More: { Type: 'Custom::Thing', Properties: {} }, Meta: { Type: 'AWS::CDK::Metadata' } },
    });
    const entry = { account: OTHER_ACCOUNT, region: REGION, stack: 'skipping' };
    expect(await aws.skipped()).toEqual([
      { ...entry, logicalId: 'More', type: 'Custom::Thing' },
      { ...entry, logicalId: 'Sink', type: 'AWS::Oam::Sink' },
    ]);

    await other.deploy('skipping', { Resources: { Sink: sink, Copy: copy } });
    expect(await aws.skipped()).toEqual([{ ...entry, logicalId: 'Sink', type: 'AWS::Oam::Sink' }]);

    await other.destroy('skipping');
    expect(await aws.skipped()).toEqual([]);
  });
});

describe('failures', () => {
  test('each resource has events as it is created', async () => {
    const events = await aws.events(await aws.deploy('eventful', queue()));

    expect(events.map((event) => `${event.LogicalResourceId} ${event.ResourceType} ${event.ResourceStatus}`)).toEqual([
      'eventful AWS::CloudFormation::Stack CREATE_IN_PROGRESS',
      'Queue AWS::SQS::Queue CREATE_IN_PROGRESS',
      'Queue AWS::SQS::Queue CREATE_COMPLETE',
      'eventful AWS::CloudFormation::Stack CREATE_COMPLETE',
    ]);
    const times = events.map((event) => event.Timestamp?.getTime());
    expect(new Set(times).size).toBe(events.length);
  });

  test.each([
    ['AWS::SQS::Queue', 'QueueName'],
    ['AWS::S3::Bucket', 'BucketName'],
    ['AWS::SNS::Topic', 'TopicName'],
  ])('a %s whose name is taken rolls the new stack back and says why', async (type, property) => {
    const suffix = property.toLowerCase();
    const taken: Template = { Resources: { Taken: { Type: type, Properties: { [property]: `taken-${suffix}` } } } };
    await aws.deploy(`owner-${suffix}`, taken);

    const stack = await aws.deploy(`late-${suffix}`, { Resources: { Early: { Type: 'AWS::SQS::Queue' }, ...taken.Resources } });

    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    const events = await aws.events(stack);
    expect(events.find((event) => event.ResourceStatus === 'CREATE_FAILED')).toMatchObject({
      LogicalResourceId: 'Taken',
      ResourceType: type,
      ResourceStatusReason: expect.stringContaining(`taken-${suffix} already exists`),
    });
    expect(events.find((event) => event.LogicalResourceId === 'Early' && event.ResourceStatus === 'DELETE_COMPLETE')).toBeDefined();
    expect(await aws.describe(`owner-${suffix}`)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  });

  test('an update that fails puts everything back', async () => {
    const template = (value: string, extra: Template['Resources'] = {}): Template => ({
      Resources: { Value: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/failing/value', Type: 'String', Value: value } }, ...extra },
    });
    await aws.deploy('failing', template('old'));

    const stack = await aws.deploy(
      'failing',
      template('new', {
        More: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'short-lived' } },
        Bad: {
          Type: 'AWS::IAM::Role',
          DependsOn: 'More',
          Properties: { AssumeRolePolicyDocument: {}, ManagedPolicyArns: ['arn:aws:iam::aws:policy/None'] },
        },
      }),
    );

    expect(stack.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await parameterValue('/failing/value')).toBe('old');
    const { QueueUrls: queues = [] } = await aws.json<{ QueueUrls?: string[] }>('sqs', 'AmazonSQS.ListQueues');
    expect(queues.filter((url) => url.endsWith('/short-lived'))).toEqual([]);
    const failed = (await aws.events(stack)).find((event) => event.ResourceStatus === 'CREATE_FAILED');
    expect(failed).toMatchObject({ LogicalResourceId: 'Bad', ResourceType: 'AWS::IAM::Role' });
    expect(await aws.deploy('failing', template('newer'))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  });

  test('a stack whose resource cannot be deleted stays, and says why', async () => {
    await aws.deploy('full', { Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'full' } } } });
    await aws.rest('s3', 'PUT', '/full/object', 'content');

    const stack = await aws.destroy('full');

    expect(stack.StackStatus).toBe('DELETE_FAILED');
    expect(
      (await aws.events(stack)).find((event) => event.LogicalResourceId === 'Bucket' && event.ResourceStatus === 'DELETE_FAILED'),
    ).toMatchObject({
      ResourceStatusReason: expect.stringContaining('not empty'),
    });
    await aws.rest('s3', 'DELETE', '/full/object');
    expect(await aws.destroy('full')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  test('a resource that is to be retained stays', async () => {
    await aws.deploy('retaining', {
      Resources: { Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain', Properties: { BucketName: 'retained' } } },
    });

    expect(await aws.destroy('retaining')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });

    expect(await aws.rest('s3', 'GET', '/retained?location')).toContain('LocationConstraint');
  });

  test('CloudTrail has no events to explain them, instead of an error', async () => {
    const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents';

    expect(await aws.json('cloudtrail', target)).toEqual({ Events: [] });
  });
});

function changeSet(stack: string, name: string, template: Template) {
  const input = { StackName: stack, ChangeSetName: name, ChangeSetType: 'CREATE' as const, TemplateBody: JSON.stringify(template) };
  return aws.stacks.send(new CreateChangeSetCommand(input));
}

function describeChangeSet(stack: string, name: string) {
  return aws.stacks.send(new DescribeChangeSetCommand({ StackName: stack, ChangeSetName: name }));
}
