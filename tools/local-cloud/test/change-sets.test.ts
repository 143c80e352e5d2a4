import {
  CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetInput,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  type ResourceChange,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { DeleteAlarmsCommand, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { describe, expect, test } from '@jest/globals';
import { aws, BUCKET, cloud, cloudwatch, credentialsIn, MACHINE_ROLE } from './account.ts';
import { REGION, type Template, textOf } from './server.ts';

describe('change sets', () => {
  const parameter = (name: string, value: unknown, more: object = {}) => ({
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: name, Type: 'String', Value: value, ...more },
  });
  /** An alias for a key that does not exist: it cannot be created. */
  const broken = { Type: 'AWS::SSM::Parameter', Properties: { Name: '/aws/not-allowed', Type: 'String', Value: 'x' } };
  const create = async (
    StackName: string,
    ChangeSetName: string,
    template: Template | string,
    more: Partial<CreateChangeSetInput> = {},
  ) => {
    const TemplateBody = typeof template === 'string' ? template : JSON.stringify(template);
    const body = more.TemplateURL === undefined ? { TemplateBody } : {};
    const { Id } = await aws.stacks.send(
      new CreateChangeSetCommand({ StackName, ChangeSetName, ChangeSetType: 'CREATE', ...body, ...more }),
    );
    return Id ?? '';
  };
  const execute = (id: string, ClientRequestToken?: string) =>
    aws.stacks.send(new ExecuteChangeSetCommand({ ChangeSetName: id, ...(ClientRequestToken ? { ClientRequestToken } : {}) }));
  const changesOf = async (id: string): Promise<Record<string, ResourceChange>> => {
    const { Changes: changes = [] } = await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: id }));
    return Object.fromEntries(changes.map(({ ResourceChange: change = {} }) => [change.LogicalResourceId ?? '', change]));
  };
  const statesOf = async (stack: string) => {
    const { StackEvents: events = [] } = await aws.stacks.send(new DescribeStackEventsCommand({ StackName: stack }));
    return events
      .reverse()
      .filter(({ ResourceType: type }) => type === 'AWS::CloudFormation::Stack')
      .map(({ ResourceStatus: status }) => status);
  };

  test('are executed once', async () => {
    const id = await create('once', 'one', { Resources: { A: parameter('/once', 'a') } });
    const other = await create('once', 'two', { Resources: { A: parameter('/once', 'b') } });
    await execute(id, 'token-1');

    for (const token of ['token-1', 'token-2']) {
      await expect(execute(id, token)).rejects.toMatchObject({ name: 'InvalidChangeSetStatusException' });
    }
    await expect(execute(other)).rejects.toMatchObject({ name: 'ChangeSetNotFoundException' });
    const { StackEvents: events = [] } = await aws.stacks.send(new DescribeStackEventsCommand({ StackName: 'once' }));
    expect(events[0]).toMatchObject({ ResourceStatus: 'CREATE_COMPLETE', ClientRequestToken: 'token-1' });
    const { ExecutionStatus: status } = await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: id }));
    expect(status).toBe('EXECUTE_COMPLETE');
  });

  test('of another description and other metadata alone are none: they only go along with a resource', async () => {
    const template = (Description: string, value: string) => ({
      Description,
      Metadata: { 'Cell/Definition': Description },
      Resources: { A: parameter('/along', value) },
    });
    await execute(await create('along', 'one', template('first', 'a')));
    const alone = await create('along', 'two', template('second', 'a'), { ChangeSetType: 'UPDATE' });
    expect(await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: alone }))).toMatchObject({
      Status: 'FAILED',
      StatusReason: expect.stringContaining("didn't contain changes"),
    });
    await execute(await create('along', 'three', template('second', 'b'), { ChangeSetType: 'UPDATE' }));
    const { TemplateBody = '' } = await aws.stacks.send(new GetTemplateCommand({ StackName: 'along' }));
    expect(JSON.parse(TemplateBody)).toMatchObject({ Description: 'second', Metadata: { 'Cell/Definition': 'second' } });
  });

  test('without changes are not executed', async () => {
    const template = { Resources: { A: parameter('/unchanged', 'a') } };
    await execute(await create('unchanged', 'one', template));
    const id = await create('unchanged', 'two', template, { ChangeSetType: 'UPDATE' });

    expect(await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: id }))).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason: expect.stringContaining("didn't contain changes"),
    });
    await expect(execute(id)).rejects.toMatchObject({ name: 'InvalidChangeSetStatusException' });
  });

  test('make anew what somebody has deleted only if they are to revert drift', async () => {
    const alarm = (AlarmName: string) => ({
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        ...{ AlarmName, MetricName: 'M', Namespace: 'N', Period: 60, Statistic: 'Sum', Threshold: 1 },
        ...{ EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold' },
      },
    });
    const template = (value: string): Template => ({
      Resources: {
        Alarm: alarm('drift-alarm'),
        Other: alarm('drift-other'),
        A: parameter('/drift/a', 'a'),
        B: parameter('/drift/b', value),
        // A stack knows the attributes of what it has made, also when that is gone.
        Arn: parameter('/drift/arn', { 'Fn::GetAtt': ['Alarm', 'Arn'] }),
      },
    });
    const alarms = async () => {
      const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'drift-' }));
      return MetricAlarms.map(({ AlarmName }) => AlarmName).sort();
    };
    const parameterA = () => aws.json('ssm', 'AmazonSSM.GetParameter', { Name: '/drift/a' });
    await execute(await create('drift', 'one', template('b')));
    await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['drift-alarm'] }));
    await aws.json('ssm', 'AmazonSSM.DeleteParameter', { Name: '/drift/a' });

    // Without changes, and with a change of something else.
    const empty = await create('drift', 'two', template('b'), { ChangeSetType: 'UPDATE' });
    expect(await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: empty }))).toMatchObject({ Status: 'FAILED' });
    const other = await create('drift', 'three', template('c'), { ChangeSetType: 'UPDATE' });
    expect(Object.keys(await changesOf(other))).toEqual(['B']);
    await execute(other);
    expect(await alarms()).toEqual(['drift-other']);
    await expect(parameterA()).rejects.toThrow('ParameterNotFound');

    const reverts = { ChangeSetType: 'UPDATE', DeploymentMode: 'REVERT_DRIFT' } as const;
    const id = await create('drift', 'four', template('c'), reverts);
    expect(await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: id }))).toMatchObject({ DeploymentMode: 'REVERT_DRIFT' });
    const changes = Object.entries(await changesOf(id)).map(([name, { Action: action }]) => `${action} ${name}`);
    expect(changes.sort()).toEqual(['Add A', 'Add Alarm', 'Modify Arn']);
    await execute(id);
    expect(await aws.describe('drift')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    expect(await alarms()).toEqual(['drift-alarm', 'drift-other']);
    expect(await parameterA()).toMatchObject({ Parameter: { Value: 'a' } });

    const nothing = await create('drift', 'five', template('c'), reverts);
    expect(await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: nothing }))).toMatchObject({ Status: 'FAILED' });
  });

  test('refuse to change what somebody has deleted, whatever it is, and roll back', async () => {
    const template = (text: string, days: number): Template => ({
      Resources: {
        Alarm: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...{ AlarmName: 'gone-alarm', MetricName: 'M', Namespace: 'N', Period: 60, Statistic: 'Sum', Threshold: days },
            ...{ EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold' },
          },
        },
        Parameter: parameter('/gone', text),
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'gone', VisibilityTimeout: days } },
        Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/gone', RetentionInDays: days } },
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: { BucketName: 'gone-bucket', Tags: [{ Key: 'text', Value: text }] },
        },
        // What was made from it is known to the stack.
        Arn: parameter('/gone/arn', { 'Fn::GetAtt': ['Queue', 'Arn'] }),
        Other: parameter('/gone/other', text),
      },
    });
    const deletions = {
      Alarm: () => cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['gone-alarm'] })),
      Parameter: () => aws.json('ssm', 'AmazonSSM.DeleteParameter', { Name: '/gone' }),
      Queue: async () => {
        const { QueueUrl } = await aws.json<{ QueueUrl: string }>('sqs', 'AmazonSQS.GetQueueUrl', { QueueName: 'gone' });
        await aws.json('sqs', 'AmazonSQS.DeleteQueue', { QueueUrl });
      },
      Logs: () => aws.json('logs', 'Logs_20140328.DeleteLogGroup', { logGroupName: '/gone' }),
      Bucket: () => aws.rest('s3', 'DELETE', '/gone-bucket'),
    };
    for (const [logicalId, remove] of Object.entries(deletions)) {
      const stack = `gone-${logicalId.toLowerCase()}`;
      await execute(await create(stack, 'one', template('a', 7)));
      await remove();
      await execute(await create(stack, 'two', template('b', 14), { ChangeSetType: 'UPDATE' }));
      const { StackEvents: events = [] } = await aws.stacks.send(new DescribeStackEventsCommand({ StackName: stack }));
      const failed = events.find(({ ResourceStatus: status }) => status === 'UPDATE_FAILED');
      expect(failed).toMatchObject({
        LogicalResourceId: logicalId,
        ResourceStatusReason: expect.stringMatching(
          /^Resource of type '.*' with identifier '.*' was not found\. \(HandlerErrorCode: NotFound\)$/,
        ),
      });
      expect(await aws.describe(stack)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
      expect(await aws.json('ssm', 'AmazonSSM.GetParameter', { Name: '/gone/other' })).toMatchObject({ Parameter: { Value: 'a' } });
      expect(await aws.destroy(stack)).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    }
  });

  test('say what a failure comes to: a new stack', async () => {
    const template = { Resources: { A: parameter('/fails/a', 'a'), B: { ...broken, DependsOn: 'A' } } };
    const endOf = async (stack: string, OnStackFailure?: 'ROLLBACK' | 'DELETE' | 'DO_NOTHING') => {
      const id = await create(stack, 'one', template, OnStackFailure ? { OnStackFailure } : {});
      const { StackId: arn = '', OnStackFailure: shown } = await aws.stacks.send(new DescribeChangeSetCommand({ ChangeSetName: id }));
      expect(shown).toBe(OnStackFailure);
      await execute(id);
      return { arn, states: await statesOf(arn), status: (await aws.describe(arn)).StackStatus };
    };

    expect(await endOf('fails-rollback')).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
    expect(await endOf('fails-rollback-too', 'ROLLBACK')).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
    expect(await endOf('fails-nothing', 'DO_NOTHING')).toMatchObject({ status: 'CREATE_FAILED' });
    await aws.destroy('fails-nothing');
    expect(await endOf('fails-delete', 'DELETE')).toMatchObject({
      status: 'DELETE_COMPLETE',
      states: ['REVIEW_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_FAILED', 'DELETE_IN_PROGRESS', 'DELETE_COMPLETE'],
    });
    await expect(aws.describe('fails-delete')).rejects.toThrow('does not exist');
    // What was rolled back can only be deleted.
    await expect(create('fails-rollback', 'two', template, { ChangeSetType: 'UPDATE' })).rejects.toThrow('ROLLBACK_COMPLETE');
    expect(await aws.destroy('fails-rollback')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    await execute(await create('fails-rollback', 'three', { Resources: { A: parameter('/fails/b', 'a') } }));
  });

  test('say what a failure comes to: an update', async () => {
    const good = { Resources: { A: parameter('/update/a', 'a') } };
    const bad = { Resources: { A: parameter('/update/a', 'b'), B: { ...broken, DependsOn: 'A' } } };
    for (const [choice, status] of [
      ['ROLLBACK', 'UPDATE_ROLLBACK_COMPLETE'],
      ['DO_NOTHING', 'UPDATE_FAILED'],
    ] as const) {
      const stack = `update-${status.toLowerCase().replaceAll('_', '-')}`;
      await execute(await create(stack, 'one', good));
      await execute(await create(stack, 'two', bad, { ChangeSetType: 'UPDATE', OnStackFailure: choice }));
      expect(await aws.describe(stack)).toMatchObject({ StackStatus: status });
      await aws.destroy(stack);
    }
    await expect(create('x', 'y', good, { ChangeSetType: 'UPDATE', OnStackFailure: 'DELETE' })).rejects.toThrow();
  });

  test('tell what is added, changed, replaced and removed', async () => {
    const table = (key: string, protect: boolean) => ({
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'told',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
        DeletionProtectionEnabled: protect,
      },
    });
    const machine = (type: string) => ({
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineType: type,
        RoleArn: MACHINE_ROLE,
        DefinitionString: JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Succeed' } } }),
      },
    });
    const before: Template = {
      Parameters: { Word: { Type: 'String', Default: 'one' } },
      Resources: {
        Same: parameter('/told/same', 'a'),
        Changed: parameter('/told/changed', { Ref: 'Word' }),
        Renamed: parameter('/told/renamed', 'a'),
        Gone: parameter('/told/gone', 'a'),
        Kept: { ...parameter('/told/kept', 'a'), DeletionPolicy: 'Retain' },
        Protected: table('pk', false),
        Machine: machine('STANDARD'),
        Follower: parameter('/told/follower', { Ref: 'Machine' }),
        Noted: { ...parameter('/told/noted', 'a'), Metadata: { note: 1 } },
      },
    };
    await execute(await create('told', 'one', before));
    const { Gone: _, Kept: __, ...rest } = before.Resources;
    const after: Template = {
      ...before,
      Resources: {
        ...rest,
        Renamed: parameter('/told/renamed-too', 'a'),
        Protected: table('pk', true),
        Machine: machine('EXPRESS'),
        New: parameter('/told/new', { Ref: 'Changed' }),
        Noted: { ...parameter('/told/noted', 'a'), Metadata: { note: 2 } },
      },
    };
    const parameters = { Parameters: [{ ParameterKey: 'Word', ParameterValue: 'two' }] };
    const changes = await changesOf(await create('told', 'two', after, { ChangeSetType: 'UPDATE', ...parameters }));

    expect(
      Object.fromEntries(Object.entries(changes).map(([name, { Action: action, Replacement: how }]) => [name, [action, how]])),
    ).toEqual({
      Changed: ['Modify', 'False'],
      Renamed: ['Modify', 'True'],
      Protected: ['Modify', 'False'],
      Machine: ['Modify', 'True'],
      Follower: ['Modify', 'False'],
      New: ['Add', undefined],
      Noted: ['Modify', 'False'],
      Gone: ['Remove', undefined],
      Kept: ['Remove', undefined],
    });
    expect(changes['Machine']).toMatchObject({
      ResourceType: 'AWS::StepFunctions::StateMachine',
      PhysicalResourceId: expect.stringContaining(':stateMachine:told-Machine'),
      Scope: ['Properties'],
      Details: [
        {
          Target: { Attribute: 'Properties', Name: 'StateMachineType', RequiresRecreation: 'Always' },
          Evaluation: 'Static',
        },
      ],
    });
    expect(changes['Follower']?.Details).toMatchObject([{ Target: { Name: 'Value', RequiresRecreation: 'Never' }, Evaluation: 'Dynamic' }]);
    expect(changes['Noted']).toMatchObject({ Scope: ['Metadata'] });
    expect([changes['Gone']?.PolicyAction, changes['Kept']?.PolicyAction]).toEqual(['Delete', 'Retain']);
    const renamed = { ...after, Resources: { ...after.Resources, Renamed: parameter('/told/renamed', 'a'), Machine: machine('EXPRESS') } };
    const name = {
      ...renamed.Resources,
      Follower: { ...parameter('x', 'y'), Properties: { Name: { 'Fn::Sub': `/told/\${Machine.Name}` }, Type: 'String', Value: 'x' } },
    };
    const conditional = await changesOf(await create('told', 'three', { ...renamed, Resources: name }, { ChangeSetType: 'UPDATE' }));
    expect(conditional['Follower']).toMatchObject({ Replacement: 'Conditional' });
    // Looking has changed nothing.
    await expect(aws.json('ssm', 'AmazonSSM.GetParameter', { Name: '/told/new' })).rejects.toThrow('ParameterNotFound');
  });

  test('give the template back as it was submitted', async () => {
    const text = (value: string) => `{ "Resources" : {\n\t"A": ${JSON.stringify(parameter(`/template/${value}`, value))}  } }\n`;
    const versioning = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await aws.rest('s3', 'PUT', `/${BUCKET}?versioning`, versioning);
    await aws.rest('s3', 'PUT', `/${BUCKET}/artifacts/api/template%20one.json`, text('host'));
    const { versionId } = await putVersion('artifacts/api/template.json', text('one'));
    await putVersion('artifacts/api/template.json', text('two'));
    const submitted = async (stack: string) =>
      (await aws.stacks.send(new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' }))).TemplateBody;
    const at = (query: string) => `${cloud.running.endpoint}/${BUCKET}/artifacts/api/template.json${query}`;

    await execute(await create('template-body', 'one', text('three')));
    expect(await submitted('template-body')).toBe(text('three'));
    await execute(await create('template-old', 'one', '', { TemplateURL: at(`?versionId=${versionId}`) }));
    expect(await submitted('template-old')).toBe(text('one'));
    const id = await create('template-old', 'two', '', { TemplateURL: at(''), ChangeSetType: 'UPDATE' });
    const { TemplateBody: planned } = await aws.stacks.send(new GetTemplateCommand({ ChangeSetName: id }));
    expect(planned).toBe(text('two'));
    expect(await submitted('template-old')).toBe(text('one'));
    const host = `https://${BUCKET}.s3.${REGION}.amazonaws.com/artifacts/api/template%20one.json`;
    await execute(await create('template-host', 'one', '', { TemplateURL: host }));
    expect(await submitted('template-host')).toBe(text('host'));
    await expect(create('template-none', 'one', '', { TemplateURL: `${cloud.running.endpoint}/${BUCKET}/none` })).rejects.toThrow(
      'key does not exist',
    );
    // The template of another account.
    const other = new CloudFormationClient({
      endpoint: cloud.running.endpoint,
      region: REGION,
      credentials: await credentialsIn('666666666666'),
    });
    await other.send(new CreateStackCommand({ StackName: 'template', TemplateURL: at('') }));
    expect((await other.send(new GetTemplateCommand({ StackName: 'template' }))).TemplateBody).toBe(text('two'));
  });

  async function putVersion(key: string, body: string): Promise<{ versionId: string }> {
    await aws.rest('s3', 'PUT', `/${BUCKET}/${key}`, body);
    const listed = await aws.rest('s3', 'GET', `/${BUCKET}?versions&prefix=${key}`);
    return { versionId: textOf(listed, 'VersionId') };
  }

  test('are made and executed in many accounts at once', async () => {
    const accounts = Array.from({ length: 8 }, (_, index) => `77777777777${index}`);
    const ends = await Promise.all(
      accounts.map(async (account): Promise<Stack[]> => {
        const client = new CloudFormationClient({
          endpoint: cloud.running.endpoint,
          region: REGION,
          credentials: await credentialsIn(account),
        });
        const deploy = async (StackName: string, ChangeSetType: 'CREATE' | 'UPDATE', fails: boolean) => {
          const value = { 'Fn::Sub': `\${AWS::AccountId} ${ChangeSetType}` };
          const resources = { A: parameter(`/at-once/${StackName}`, value), ...(fails ? { B: { ...broken, DependsOn: 'A' } } : {}) };
          const TemplateBody = JSON.stringify({ Resources: resources, Outputs: { Value: { Value: { 'Fn::GetAtt': ['A', 'Value'] } } } });
          const { Id } = await client.send(
            new CreateChangeSetCommand({ StackName, ChangeSetName: `c${ChangeSetType}`, ChangeSetType, TemplateBody }),
          );
          await client.send(new ExecuteChangeSetCommand({ ChangeSetName: Id }));
        };
        await Promise.all([deploy('one', 'CREATE', false), deploy('two', 'CREATE', true)]);
        await deploy('one', 'UPDATE', account.endsWith('3'));
        await client.send(new DeleteStackCommand({ StackName: 'two' }));
        return (await client.send(new DescribeStacksCommand({}))).Stacks ?? [];
      }),
    );

    for (const [index, stacks] of ends.entries()) {
      const status = index === 3 ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE';
      const value = `${accounts[index]} ${index === 3 ? 'CREATE' : 'UPDATE'}`;
      expect(stacks).toMatchObject([{ StackName: 'one', StackStatus: status, Outputs: [{ OutputValue: value }] }]);
    }
  });
});
