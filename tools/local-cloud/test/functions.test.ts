import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { Caller, outputsOf, REGION, type Template } from './server.ts';

const ACCOUNT = '444444444444';

let cloud: TestCloud;
let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
  const lambda = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
  const trust = { Version: '2012-10-17', Statement: [lambda] };
  await aws.query('iam', 'CreateRole', { RoleName: 'function', AssumeRolePolicyDocument: JSON.stringify(trust) });
});

afterAll(() => cloud.stop());

const functionOf = (code: string, more: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Runtime: 'nodejs20.x',
    Handler: 'index.handler',
    Role: `arn:aws:iam::${ACCOUNT}:role/function`,
    Code: { ZipFile: code },
    Timeout: 20,
    ...more,
  },
});

/** Answers CloudFormation over https without a port, as the CDK's handlers do. `answer` is an expression of `event`. */
const answering = (answer: string) => `
  const https = require('node:https');
  exports.handler = (event) => new Promise((resolve, reject) => {
    console.log(JSON.stringify(event));
    const { hostname, pathname: path } = new URL(event.ResponseURL);
    const { StackId, RequestId, LogicalResourceId } = event;
    const request = https.request({ hostname, path, method: 'PUT' }, (answer) => { answer.resume(); resolve(); });
    request.on('error', reject);
    request.end(JSON.stringify({ StackId, RequestId, LogicalResourceId, ...(${answer}) }));
  });`;

const custom = (properties: object): Template['Resources'][string] => ({
  Type: 'Custom::Thing',
  Properties: { ServiceToken: { 'Fn::GetAtt': ['Function', 'Arn'] }, ...properties },
});

interface Event {
  RequestType: string;
  PhysicalResourceId?: string;
  ResourceProperties: Record<string, unknown>;
  OldResourceProperties?: Record<string, unknown>;
  [key: string]: unknown;
}

/** What the function has logged: one event per line. */
async function eventsIn(name: string): Promise<Event[]> {
  const { events } = await aws.json<{ events: { message: string }[] }>('logs', 'Logs_20140328.FilterLogEvents', {
    logGroupName: `/aws/lambda/${name}`,
  });
  return events.filter(({ message }) => message.startsWith('{')).map(({ message }) => JSON.parse(message) as Event);
}

const failureOf = async (name: string) =>
  (await aws.events(await aws.describe(name))).find((event) => event.ResourceStatus?.endsWith('_FAILED'));

const invoke = (name: string, event: object) =>
  aws.rest('lambda', 'POST', `/2015-03-31/functions/${name}/invocations`, JSON.stringify(event));

describe('a custom resource', () => {
  test('is created, updated and deleted by its function, and has the attributes that this answers', async () => {
    const answer = `{ Status: 'SUCCESS', PhysicalResourceId: event.PhysicalResourceId ?? 'thing-1', Data: { Said: event.ResourceProperties.Word } }`;
    const template = (word: string): Template => ({
      Resources: {
        Function: functionOf(answering(answer), { FunctionName: 'steady' }),
        Thing: custom({ Word: word, Number: 1, Flag: true }),
      },
      Outputs: { Said: { Value: { 'Fn::GetAtt': ['Thing', 'Said'] } }, Id: { Value: { Ref: 'Thing' } } },
    });

    const stack = await aws.deploy('steady', template('one'));
    expect(outputsOf(stack)).toEqual({ Said: 'one', Id: 'thing-1' });
    expect(outputsOf(await aws.deploy('steady', template('two')))).toEqual({ Said: 'two', Id: 'thing-1' });
    expect(await aws.skipped()).toEqual([]);
    expect(await aws.destroy('steady')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });

    const [created, updated, deleted] = await eventsIn('steady');
    expect(created).toEqual({
      RequestType: 'Create',
      ResponseURL: expect.stringMatching(/^https:\/\/[^:]+$/),
      StackId: stack.StackId,
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      LogicalResourceId: 'Thing',
      ResourceType: 'Custom::Thing',
      ServiceToken: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:steady`,
      ResourceProperties: { ServiceToken: expect.stringContaining(':steady'), Word: 'one', Number: '1', Flag: 'true' },
    });
    expect(updated).toMatchObject({
      RequestType: 'Update',
      PhysicalResourceId: 'thing-1',
      ResourceProperties: { Word: 'two' },
      OldResourceProperties: { Word: 'one', Number: '1' },
    });
    expect(deleted).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'thing-1', ResourceProperties: { Word: 'two' } });
  });

  test('that answers another id to an update is deleted under the one before', async () => {
    const answer = `{ Status: 'SUCCESS', PhysicalResourceId: event.RequestType === 'Delete' ? event.PhysicalResourceId : event.ResourceProperties.Word }`;
    const template = (word: string): Template => ({
      Resources: { Function: functionOf(answering(answer), { FunctionName: 'renewed' }), Thing: custom({ Word: word }) },
    });
    await aws.deploy('renewed', template('one'));

    expect(await aws.deploy('renewed', template('two'))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });

    expect((await eventsIn('renewed')).at(-1)).toMatchObject({
      RequestType: 'Delete',
      PhysicalResourceId: 'one',
      ResourceProperties: { Word: 'one' },
    });
  });

  test('whose function answers FAILED fails the stack with its reason', async () => {
    const answer = `{ Status: 'FAILED', Reason: 'no luck', PhysicalResourceId: 'half' }`;
    const stack = await aws.deploy('unlucky', {
      Resources: { Function: functionOf(answering(answer), { FunctionName: 'unlucky' }), Thing: custom({}) },
    });

    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(await failureOf('unlucky')).toMatchObject({
      LogicalResourceId: 'Thing',
      ResourceStatusReason: expect.stringContaining('Received response status [FAILED] from custom resource. Message returned: no luck'),
    });
    // What it may have made is deleted, under the id that it gave.
    expect((await eventsIn('unlucky')).map((event) => [event.RequestType, event.PhysicalResourceId])).toEqual([
      ['Create', undefined],
      ['Delete', 'half'],
    ]);
  });

  test('whose update fails gets its old properties back', async () => {
    const answer = `{ Status: event.ResourceProperties.Word === 'bad' ? 'FAILED' : 'SUCCESS', Reason: 'bad word', PhysicalResourceId: 'p' }`;
    const template = (word: string): Template => ({
      Resources: { Function: functionOf(answering(answer), { FunctionName: 'returning' }), Thing: custom({ Word: word }) },
    });
    await aws.deploy('returning', template('good'));

    expect(await aws.deploy('returning', template('bad'))).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });

    expect((await eventsIn('returning')).at(-1)).toMatchObject({
      RequestType: 'Update',
      ResourceProperties: { Word: 'good' },
      OldResourceProperties: { Word: 'bad' },
    });
  });

  test.each([
    ['throws', 'exports.handler = async () => { throw new Error("broken"); }', 'broken'],
    ['takes too long', 'exports.handler = () => new Promise(() => setInterval(() => {}, 1000));', 'Task timed out after 1.00 seconds'],
    ['ends without an answer', 'exports.handler = async () => ({})', 'did not receive a response'],
    ['does not load', 'require("no-such-module");', 'no-such-module'],
  ])('whose function %s fails the stack and says why', async (how, code, reason) => {
    const name = how.replaceAll(' ', '-');
    const stack = await aws.deploy(name, { Resources: { Function: functionOf(code, { Timeout: 1 }), Thing: custom({}) } });

    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(await failureOf(name)).toMatchObject({ LogicalResourceId: 'Thing', ResourceStatusReason: expect.stringContaining(reason) });
  });

  test('of a function that cannot run here is listed', async () => {
    await aws.deploy('python', { Resources: { Function: functionOf('', { Runtime: 'python3.13' }), Thing: custom({}) } });

    expect(await aws.skipped()).toMatchObject([{ stack: 'python', logicalId: 'Thing', type: 'Custom::Thing' }]);
    await aws.destroy('python');
    expect(await aws.skipped()).toEqual([]);
  });
});

describe('a function', () => {
  const greeting = (word: string, more: object = {}): Template => ({
    Resources: {
      Function: functionOf(
        `exports.handler = async (event, context) => ({ said: '${word} ' + event.name, by: context.functionName, colour: process.env.COLOUR })`,
        { FunctionName: 'greeter', ...more },
      ),
    },
    Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Function', 'Arn'] } } },
  });

  test('is invoked, changed in place, tagged and deleted', async () => {
    const tags = (value: string) => ({ Tags: [{ Key: 'cell', Value: value }] });
    const colour = { Environment: { Variables: { COLOUR: 'red' } } };
    const { Arn: arn = '' } = outputsOf(await aws.deploy('greeter', greeting('hello', { ...tags('alpha'), ...colour })));
    expect(JSON.parse(await invoke('greeter', { name: 'you' }))).toEqual({ said: 'hello you', by: 'greeter', colour: 'red' });

    expect(outputsOf(await aws.deploy('greeter', greeting('goodbye', tags('beta'))))['Arn']).toBe(arn);

    expect(JSON.parse(await invoke('greeter', { name: 'you' }))).toEqual({ said: 'goodbye you', by: 'greeter' });
    const { ResourceTagMappingList: tagged } = await aws.json<{ ResourceTagMappingList: object[] }>(
      'tagging',
      'ResourceGroupsTaggingAPI_20170126.GetResources',
      { TagFilters: [{ Key: 'cell', Values: ['beta'] }] },
    );
    expect(tagged).toMatchObject([{ ResourceARN: arn }]);
    await aws.destroy('greeter');
    await expect(invoke('greeter', {})).rejects.toThrow('404');
  });

  test('acts in its own account, with the SDK of the runtime, as its role', async () => {
    const code = `
      import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
      export const handler = async () => (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;`;
    // Inline code is index.js; this one is loaded as a module from text, as an \`.mjs\` would be.
    const loading = `
      const { writeFileSync } = require('node:fs');
      writeFileSync('inner.mjs', ${JSON.stringify(code)});
      exports.handler = async () => (await import(process.cwd() + '/inner.mjs')).handler();`;
    await aws.deploy('identity', { Resources: { Function: functionOf(loading, { FunctionName: 'identity' }) } });

    expect(JSON.parse(await invoke('identity', {}))).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/function/identity`);
  });

  test('that throws answers the error, and the cloud goes on meanwhile', async () => {
    await aws.deploy('thrower', {
      Resources: {
        Function: functionOf('exports.handler = async () => { throw new TypeError("oh no"); }', { FunctionName: 'thrower' }),
        Slow: functionOf('exports.handler = () => new Promise((done) => setTimeout(done, 3000, "late"))', { FunctionName: 'slow' }),
      },
    });

    const slow = invoke('slow', {});
    let isOver = false;
    void slow.then(() => {
      isOver = true;
    });
    expect(JSON.parse(await invoke('thrower', {}))).toMatchObject({ errorType: 'TypeError', errorMessage: 'oh no' });
    expect(isOver).toBe(false);
    expect(await slow).toBe('"late"');
  });

  test('is invoked by a state machine', async () => {
    const stack = await aws.deploy('machine', {
      Resources: {
        Function: functionOf('exports.handler = async ({ number }) => ({ twice: 2 * number })', { FunctionName: 'twice' }),
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            RoleArn: `arn:aws:iam::${ACCOUNT}:role/machine`,
            Definition: {
              StartAt: 'Double',
              States: {
                Double: {
                  Type: 'Task',
                  Resource: 'arn:aws:states:::lambda:invoke',
                  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
                  Parameters: { FunctionName: '${Arn}', 'Payload.$': '$' },
                  OutputPath: '$.Payload',
                  End: true,
                },
              },
            },
            DefinitionSubstitutions: { Arn: { 'Fn::GetAtt': ['Function', 'Arn'] } },
          },
        },
      },
      Outputs: { Arn: { Value: { Ref: 'Machine' } } },
    });
    const states = <T>(operation: string, input: object) => aws.json<T>('states', `AWSStepFunctions.${operation}`, input);
    const { executionArn } = await states<{ executionArn: string }>('StartExecution', {
      stateMachineArn: outputsOf(stack)['Arn'],
      input: '{"number":21}',
    });
    let execution: { status: string; output?: string } = { status: 'RUNNING' };
    await eventually('the execution to end', async () => {
      execution = await states('DescribeExecution', { executionArn });
      return execution.status !== 'RUNNING';
    });

    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: '{"twice": 42}' });
  });
});
