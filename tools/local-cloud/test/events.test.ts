/** What tells of what happened: streams of tables, rules of EventBridge, and executions of state machines. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { sessionIn } from '../../../test/_helpers/rollout-stacks.ts';
import { Caller, outputsOf, REGION, type Template } from './server.ts';

const ACCOUNT = '444444444444';

let cloud: TestCloud;
let aws: Caller;
let server: Server;
const posted: { path: string | undefined; key: string | undefined; body: string }[] = [];

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const part of request) body += String(part);
  return body;
};

beforeAll(async () => {
  cloud = await TestCloud.start();
  process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
  for (const name of ['lambda', 'states']) {
    const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: `${name}.amazonaws.com` } };
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await aws.query('iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust });
  }
  server = createServer(async (request, answer) => {
    const key = request.headers['x-key'];
    posted.push({ path: request.url, key: typeof key === 'string' ? key : undefined, body: await bodyOf(request) });
    const isFirst = posted.filter(({ path }) => path === request.url).length === 1;
    answer.writeHead(request.url === '/refuses' ? 400 : request.url === '/later' && isFirst ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  server.close();
  await cloud.stop();
});

const session = () => sessionIn(ACCOUNT, REGION);
const queue = (name: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName: name } });
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

/** Takes what is in the queue, until there are so many messages. */
async function messages(name: string, count: number): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  const QueueUrl = `${cloud.running.endpoint}/${ACCOUNT}/${name}`;
  await eventually(
    `${count} messages in ${name}`,
    async () => {
      const { Messages = [] } = await aws.json<{ Messages?: { Body: string; ReceiptHandle: string }[] }>(
        'sqs',
        'AmazonSQS.ReceiveMessage',
        { QueueUrl, MaxNumberOfMessages: 10 },
      );
      for (const { Body, ReceiptHandle } of Messages) {
        found.push(JSON.parse(Body) as Record<string, unknown>);
        await aws.json('sqs', 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
      }
      return found.length >= count;
    },
    { deadline: 20_000, seen: () => found },
  );
  return found;
}

describe('the stream of a table', () => {
  /** Logs what it is given, a line each; fails for a batch with poison in it. */
  const code = `
    exports.handler = async ({ Records }) => {
      const values = Records.map(({ dynamodb: { OldImage, NewImage } }) => [OldImage?.value?.S ?? null, NewImage?.value?.S ?? null]);
      if (values.some(([, value]) => value === 'poison')) throw new Error('it is poison');
      for (const value of values) console.log(JSON.stringify({ value }));
    };`;
  const template = (stream: object): Template => ({
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          TableName: 'things',
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
          ...stream,
        },
      },
    },
  });
  const listening: Template['Resources'] = {
    Lost: queue('lost'),
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        ...{ FunctionName: 'listens', Runtime: 'nodejs20.x', Handler: 'index.handler', Role: `arn:aws:iam::${ACCOUNT}:role/lambda` },
        ...{ Code: { ZipFile: code }, Timeout: 20 },
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Function' },
        EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 10,
        BisectBatchOnFunctionError: true,
        FilterCriteria: { Filters: [{ Pattern: JSON.stringify({ dynamodb: { Keys: { sk: { S: ['told', { prefix: 'told#' }] } } } }) }] },
        DestinationConfig: { OnFailure: { Destination: arnOf('Lost') } },
      },
    },
  };
  /** What the function has been given, when it is so many items. */
  const heard = (count: number): Promise<unknown[]> =>
    eventually(`${count} items to be heard of`, async () => {
      const { events } = await aws.json<{ events: { message: string }[] }>('logs', 'Logs_20140328.FilterLogEvents', {
        logGroupName: '/aws/lambda/listens',
      });
      const found = events
        .filter(({ message }) => message.startsWith('{"value"'))
        .map(({ message }) => JSON.parse(message).value as unknown);
      return found.length >= count && found;
    });
  const item = (sk: string, value: string) => ({ TableName: 'things', Item: { pk: { S: 'one' }, sk: { S: sk }, value: { S: value } } });

  beforeAll(async () => {
    // A stream that a table gets later, as one does that was there before.
    await aws.deploy('things', template({}));
    const StreamSpecification = { StreamViewType: 'NEW_AND_OLD_IMAGES' };
    const { Resources } = template({ StreamSpecification });
    await aws.deploy('things', { Resources: { ...Resources, ...listening } });
  });

  test('has a function called in order, with what its filter wants', async () => {
    const table = new DynamoDBClient(session());
    for (const [sk, value] of [
      ['told', 'a'],
      ['kept', 'b'],
      ['told#1', 'c'],
      ['told', 'd'],
    ] as const) {
      await table.send(new PutItemCommand(item(sk, value)));
    }
    expect(await heard(3)).toEqual([
      [null, 'a'],
      [null, 'c'],
      ['a', 'd'],
    ]);
  });

  test('tells nothing of a transaction that was taken back', async () => {
    const table = new DynamoDBClient(session());
    const TransactItems = [
      { Put: item('told', 'never') },
      { Put: { ...item('kept', 'never'), ConditionExpression: 'attribute_not_exists(pk)' } },
    ];
    await expect(table.send(new TransactWriteItemsCommand({ TransactItems }))).rejects.toThrow(/cancelled/i);
    await table.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: item('told', 'e') }, { Put: item('kept', 'f') }] }));
    expect((await heard(4)).slice(3)).toEqual([['d', 'e']]);
  });

  test('sends what a function fails for, again and again, to the failure destination, and goes on', async () => {
    const table = new DynamoDBClient(session());
    await table.send(new PutItemCommand(item('told', 'poison')));
    await table.send(new PutItemCommand(item('told', 'g')));
    const [lost] = await messages('lost', 1);
    expect(lost).toMatchObject({ responseContext: { functionError: 'it is poison' }, DDBStreamBatchInfo: { batchSize: 1 } });
    expect((await heard(5)).slice(4)).toEqual([['poison', 'g']]);
  });
});

describe('a rule', () => {
  const rule = (pattern: object, targets: object[], more: object = {}) => ({
    Type: 'AWS::Events::Rule',
    Properties: { EventBusName: { Ref: 'Bus' }, EventPattern: pattern, Targets: targets, ...more },
  });

  /** A destination at a path of the test's own server. */
  const destination = (path: string) => ({
    Type: 'AWS::Events::ApiDestination',
    Properties: {
      Name: path,
      ConnectionArn: arnOf('Connection'),
      HttpMethod: 'POST',
      InvocationEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`,
    },
  });
  const posting = (id: string, more: object = {}) => ({ Id: id, Arn: arnOf(id), DeadLetterConfig: { Arn: arnOf('Dead') }, ...more });

  beforeAll(async () => {
    const key = { ApiKeyName: 'x-key', ApiKeyValue: 'secret' };
    const stack = await aws.deploy('rules', {
      Resources: {
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'news' } },
        Wanted: queue('wanted'),
        Dead: queue('dead'),
        Connection: {
          Type: 'AWS::Events::Connection',
          Properties: { Name: 'chat', AuthorizationType: 'API_KEY', AuthParameters: { ApiKeyAuthParameters: key } },
        },
        Takes: destination('takes'),
        Later: destination('later'),
        Refuses: destination('refuses'),
        All: rule({ source: ['test'] }, [
          { Id: 'Wanted', Arn: arnOf('Wanted'), InputPath: '$.detail' },
          posting('Takes', { InputTransformer: { InputPathsMap: { says: '$.detail.says' }, InputTemplate: '{"text": <says>}' } }),
          posting('Later', { InputTransformer: { InputPathsMap: { says: '$.detail.says' }, InputTemplate: '{"text": "so: <says>"}' } }),
          posting('Refuses'),
        ]),
        Off: rule({ source: ['test'] }, [{ Id: 'Wanted', Arn: arnOf('Wanted') }], { State: 'DISABLED' }),
      },
    });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const entry = { EventBusName: 'news', DetailType: 'Test', Detail: JSON.stringify({ says: 'a "word"' }) };
    await new EventBridgeClient(session()).send(
      new PutEventsCommand({
        Entries: [
          { ...entry, Source: 'other' },
          { ...entry, Source: 'test' },
        ],
      }),
    );
  });

  test('gives a queue the part of an event that it wants, once', async () => {
    expect(await messages('wanted', 1)).toEqual([{ says: 'a "word"' }]);
  });

  test('posts to a destination what the template makes of the event, with the key of its connection, again after an error', async () => {
    const at = (path: string) => posted.filter((each) => each.path === path);
    await eventually('two posts', async () => at('/takes').length === 1 && at('/later').length === 2);
    expect(at('/takes')).toEqual([{ path: '/takes', key: 'secret', body: '{"text": "a \\"word\\""}' }]);
    expect(JSON.parse(at('/later')[1]?.body ?? '')).toEqual({ text: 'so: a "word"' });
  });

  test('sends to the dead letters what a destination refuses, without trying again', async () => {
    const [letter] = await messages('dead', 1);
    expect(letter).toMatchObject({ source: 'test', 'detail-type': 'Test', detail: { says: 'a "word"' } });
    expect(letter?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(posted.filter(({ path }) => path === '/refuses')).toHaveLength(1);
  });
});

test('an execution that ends says how, with what it was given', async () => {
  const definition = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } };
  const stack = await aws.deploy('ends', {
    Resources: {
      Ends: queue('ends'),
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { RoleArn: `arn:aws:iam::${ACCOUNT}:role/states`, DefinitionString: JSON.stringify(definition) },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['aws.states'], detail: { stateMachineArn: [{ Ref: 'Machine' }], status: ['ABORTED', 'FAILED'] } },
          Targets: [{ Id: 'Ends', Arn: arnOf('Ends') }],
        },
      },
    },
    Outputs: { Machine: { Value: { Ref: 'Machine' } } },
  });
  const machines = new SFNClient(session());
  const stateMachineArn = outputsOf(stack)['Machine'];
  const { executionArn } = await machines.send(new StartExecutionCommand({ stateMachineArn, name: 'one', input: '{"a":1}' }));
  await machines.send(new StopExecutionCommand({ executionArn }));
  const [ended] = await messages('ends', 1);
  expect(ended).toMatchObject({
    'detail-type': 'Step Functions Execution Status Change',
    detail: { executionArn, stateMachineArn, name: 'one', status: 'ABORTED', input: '{"a":1}' },
  });
});
