/** What rollouts need of the local cloud: state machines with functions and maps, alarms with a past, traffic, change sets, faults. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
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
import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  type DescribeAlarmHistoryInput,
  DescribeAlarmsCommand,
  type DescribeAlarmsInput,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  type StateValue,
} from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, REGION, type Template, textOf } from './server.ts';

const ACCOUNT = '555555555555';
const MACHINE_ROLE = `arn:aws:iam::${ACCOUNT}:role/machine`;
const BUCKET = 'rollouts-test';

let cloud: TestCloud;
let aws: Caller;
let cloudwatch: CloudWatchClient;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
  cloudwatch = new CloudWatchClient({ endpoint: cloud.running.endpoint, region: REGION, credentials: await credentialsIn(ACCOUNT) });
  const lambda = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
  const trust = { Version: '2012-10-17', Statement: [lambda] };
  await aws.query('iam', 'CreateRole', { RoleName: 'function', AssumeRolePolicyDocument: JSON.stringify(trust) });
  const location = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await aws.rest('s3', 'PUT', `/${BUCKET}`, location);
  await aws.deploy('functions', { Resources: { Echo: functionOf(ECHO, { FunctionName: 'echo' }) } });
});

afterAll(() => cloud.stop());

/** Answers what it was given, late or with an error if that says so. */
const ECHO = `
  class Busy extends Error { constructor(message) { super(message); this.name = 'Busy'; } }
  exports.handler = async (event) => {
    if (event.fail) throw new Busy('not now: ' + event.fail);
    if (event.wait) await new Promise((done) => setTimeout(done, event.wait));
    return { got: event };
  };`;

async function credentialsIn(account: string) {
  const role = { RoleArn: `arn:aws:iam::${account}:role/any`, RoleSessionName: 'test' };
  const xml = await new Caller(cloud.running.endpoint).query('sts', 'AssumeRole', role);
  return { accessKeyId: textOf(xml, 'AccessKeyId'), secretAccessKey: 'unused', sessionToken: textOf(xml, 'SessionToken') };
}

const functionOf = (code: string, more: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Role: `arn:aws:iam::${ACCOUNT}:role/function`,
    Code: { ZipFile: code },
    Timeout: 20,
    ...more,
  },
});

interface Execution {
  executionArn: string;
  name: string;
  status: string;
  input: string;
  output?: string;
  error?: string;
  cause?: string;
  startDate: number;
  stopDate?: number;
}

type States = Record<string, object>;

const states = <T>(operation: string, input: object) => aws.json<T>('states', `AWSStepFunctions.${operation}`, input);

/** A machine that begins with the first of the states. */
async function machineOf(all: States, name: string = randomUUID()): Promise<string> {
  const definition = JSON.stringify({ StartAt: Object.keys(all)[0], States: all });
  const { stateMachineArn } = await states<{ stateMachineArn: string }>('CreateStateMachine', { name, definition, roleArn: MACHINE_ROLE });
  return stateMachineArn;
}

const start = (machine: string, input: unknown = {}, name?: string) =>
  states<{ executionArn: string; startDate: number }>('StartExecution', { stateMachineArn: machine, input: JSON.stringify(input), name });

const execution = (executionArn: string) => states<Execution>('DescribeExecution', { executionArn });

const stop = (executionArn: string, why: object = {}) => states<{ stopDate: number }>('StopExecution', { executionArn, ...why });

async function ended(executionArn: string): Promise<Execution> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const now = await execution(executionArn);
    if (now.status !== 'RUNNING') return now;
    await sleep(50);
  }
  throw new Error(`${executionArn} does not end`);
}

async function run(all: States, input: unknown = {}): Promise<Execution> {
  const { executionArn } = await start(await machineOf(all), input);
  return ended(executionArn);
}

const outputOf = async (all: States, input: unknown = {}): Promise<unknown> => {
  const { status, output, error, cause } = await run(all, input);
  if (status !== 'SUCCEEDED') throw new Error(`${status}: ${error} ${cause}`);
  return JSON.parse(output ?? 'null');
};

const put = (key: string, value: unknown) => aws.rest('s3', 'PUT', `/${BUCKET}/${key}`, JSON.stringify(value));

/** A task that runs a function. */
const invoke = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: name, 'Payload.$': '$' },
  OutputPath: '$.Payload',
  End: true,
  ...more,
});

/** A distributed map over a list in S3. */
const distributed = (processor: States, more: object = {}) => ({
  Type: 'Map',
  Label: 'Cells',
  ItemReader: {
    Resource: 'arn:aws:states:::s3:getObject',
    ReaderConfig: { InputType: 'JSON' },
    Parameters: { Bucket: BUCKET, 'Key.$': '$.key' },
  },
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(processor)[0],
    States: processor,
  },
  End: true,
  ...more,
});

describe('a state machine', () => {
  test('gives a function its payload, and goes on with what this answers', async () => {
    const echo = invoke('echo', {
      Parameters: { FunctionName: 'echo', Payload: { op: 'advance', 'rollout.$': '$.id', 'execution.$': '$$.Execution.Id', list: [1] } },
      ResultSelector: { 'answer.$': '$.Payload.got', 'code.$': '$.StatusCode' },
      ResultPath: '$.result',
      OutputPath: '$',
    });
    const { output, executionArn } = await run({ Echo: echo }, { id: 'api-1' });

    expect(JSON.parse(output ?? '')).toEqual({
      id: 'api-1',
      result: { answer: { op: 'advance', rollout: 'api-1', execution: executionArn, list: [1] }, code: 200 },
    });
  });

  test("sees a function's error by its name, with its cause", async () => {
    const echo = invoke('echo', { Catch: [{ ErrorEquals: ['Busy'], ResultPath: '$.error', Next: 'Caught' }] });
    const caught = (await outputOf({ Echo: echo, Caught: { Type: 'Pass', End: true } }, { fail: 'x' })) as {
      fail: string;
      error: { Error: string; Cause: string };
    };

    expect(caught).toMatchObject({ fail: 'x', error: { Error: 'Busy' } });
    expect(JSON.parse(caught.error.Cause)).toMatchObject({ errorType: 'Busy', errorMessage: 'not now: x', trace: expect.any(Array) });
  });

  test('fails with the error of its function when nobody catches it', async () => {
    const failed = await run({ Echo: invoke('echo') }, { fail: 'y' });

    expect(failed).toMatchObject({ status: 'FAILED', error: 'Busy', cause: expect.stringContaining('not now: y') });
    expect(failed.stopDate).toBeGreaterThanOrEqual(failed.startDate);
  });

  test('tries again as often and as late as it says', async () => {
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 8, MaxDelaySeconds: 1 };
    const jittered = { ...retry, JitterStrategy: 'FULL' };
    const { executionArn } = await run({ Echo: invoke('echo', { Retry: [retry] }) }, { fail: 'z' });
    const { executionArn: other } = await run({ Echo: invoke('echo', { Retry: [jittered] }) }, { fail: 'z' });

    const times = async (arn: string) => {
      const { events } = await states<{ events: { type: string; timestamp: number }[] }>('GetExecutionHistory', { executionArn: arn });
      return events.filter(({ type }) => type === 'TaskScheduled').map(({ timestamp }) => timestamp);
    };
    const steady = await times(executionArn);
    expect(steady).toHaveLength(4);
    for (const [index, time] of steady.slice(1).entries()) {
      expect(time - (steady[index] ?? 0)).toBeGreaterThanOrEqual(0.99);
      expect(time - (steady[index] ?? 0)).toBeLessThan(3);
    }
    expect(await times(other)).toHaveLength(4);
  });

  test('chooses, waits as long as the input says, and fails with words from the input', async () => {
    const all: States = {
      Which: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.seconds', IsPresent: true },
              { Variable: '$.seconds', NumericGreaterThan: 0 },
            ],
            Next: 'Wait',
          },
          { Variable: '$.action', StringEquals: 'fail', Next: 'Fail' },
        ],
        Default: 'Done',
      },
      Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Done' },
      Fail: { Type: 'Fail', ErrorPath: '$.error', CausePath: "States.Format('{} of {}', $.cause, $$.Execution.Name)" },
      Done: { Type: 'Succeed' },
    };
    const waited = await run(all, { seconds: 1 });

    expect(waited).toMatchObject({ status: 'SUCCEEDED' });
    expect((waited.stopDate ?? 0) - waited.startDate).toBeGreaterThanOrEqual(1);
    const failed = await run(all, { action: 'fail', error: 'Stopped', cause: 'somebody' });
    expect(failed).toMatchObject({ status: 'FAILED', error: 'Stopped', cause: `somebody of ${failed.name}` });
    expect(await outputOf(all, { action: 'none' })).toEqual({ action: 'none' });
  });

  test('runs another one and goes on with its output', async () => {
    const child = await machineOf({ Say: { Type: 'Pass', Parameters: { 'heard.$': '$.word', 'as.$': '$$.Execution.Name' }, End: true } });
    const started = await outputOf(
      {
        Run: {
          Type: 'Task',
          Resource: 'arn:aws:states:::states:startExecution.sync:2',
          Parameters: { StateMachineArn: child, 'Name.$': '$.name', Input: { 'word.$': '$.word' } },
          End: true,
        },
      },
      { name: 'api-7-wave-1', word: 'hello' },
    );

    expect(started).toMatchObject({
      Status: 'SUCCEEDED',
      Name: 'api-7-wave-1',
      Input: { word: 'hello' },
      Output: { heard: 'hello', as: 'api-7-wave-1' },
    });
  });

  test('sees that another one failed, and why', async () => {
    const child = await machineOf({ Fail: { Type: 'Fail', Error: 'Broken', Cause: 'of old age' } });
    const runs = (name: string) => ({
      Run: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: child, Name: name },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Pass', End: true },
    });
    const caught = (await outputOf(runs('once'))) as { Error: string; Cause: string };

    expect(caught.Error).toBe('States.TaskFailed');
    expect(JSON.parse(caught.Cause)).toMatchObject({ Status: 'FAILED', Error: 'Broken', Cause: 'of old age', Name: 'once' });
    expect(await outputOf(runs('once'))).toMatchObject({ Error: 'StepFunctions.ExecutionAlreadyExistsException' });
  });

  test('is started once under a name', async () => {
    const machine = await machineOf({ Wait: { Type: 'Wait', SecondsPath: '$.seconds', End: true } });
    const starts = await Promise.all(Array.from({ length: 6 }, () => start(machine, { seconds: 60 }, 'one')));

    expect(new Set(starts.map(({ executionArn }) => executionArn)).size).toBe(1);
    const { executions } = await states<{ executions: object[] }>('ListExecutions', { stateMachineArn: machine });
    expect(executions).toHaveLength(1);
    await expect(start(machine, { seconds: 61 }, 'one')).rejects.toThrow('ExecutionAlreadyExists');
    await stop(starts[0]?.executionArn ?? '');
    await expect(start(machine, { seconds: 60 }, 'one')).rejects.toThrow('ExecutionAlreadyExists');
  });

  test('is stopped at once, with what it runs', async () => {
    const child = await machineOf({ Wait: { Type: 'Wait', Seconds: 300, End: true } });
    const parent = await machineOf({
      Run: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: child, Name: 'child' },
        ResultSelector: { 'out.$': '$.Output' },
        End: true,
      },
    });
    const { executionArn } = await start(parent);
    const childArn = `${child.replace(':stateMachine:', ':execution:')}:child`;
    for (let attempt = 0; attempt < 100 && !(await execution(childArn).catch(() => undefined)); attempt++) await sleep(50);
    expect(await execution(executionArn)).toMatchObject({ status: 'RUNNING' });

    await stop(executionArn, { error: 'Stopped', cause: 'by a test' });

    const stopped = await execution(executionArn);
    expect(stopped).toMatchObject({ status: 'ABORTED', error: 'Stopped', cause: 'by a test', stopDate: expect.any(Number) });
    expect(await ended(childArn)).toMatchObject({ status: 'ABORTED' });
    const { events } = await states<{ events: { type: string }[] }>('GetExecutionHistory', { executionArn });
    expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted', executionAbortedEventDetails: { error: 'Stopped' } });
    expect(await execution(executionArn)).toEqual(stopped);
  });

  test('that waits to try again, or in a map, is stopped', async () => {
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 300, MaxAttempts: 3 };
    const waiting = await start(await machineOf({ Echo: invoke('echo', { Retry: [retry] }) }), { fail: 'z' });
    await put('waits.json', [1, 2, 3]);
    const mapping = await start(
      await machineOf({ Map: distributed({ Wait: { Type: 'Wait', Seconds: 300, Next: 'Never' }, Never: { Type: 'Pass', End: true } }) }),
      { key: 'waits.json' },
    );
    await sleep(700);

    for (const { executionArn } of [waiting, mapping]) {
      await stop(executionArn);
      expect(await execution(executionArn)).toMatchObject({ status: 'ABORTED' });
      await sleep(300);
      const { events } = await states<{ events: { type: string }[] }>('GetExecutionHistory', { executionArn });
      expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted' });
    }
  });

  test('maps a list in S3 with as many at once as its input says', async () => {
    await put(
      'cells.json',
      Array.from({ length: 40 }, (_, cell) => ({ cell })),
    );
    const all = {
      Map: distributed(
        { Say: { Type: 'Pass', Parameters: { 'cell.$': '$.cell', 'rollout.$': '$.rollout', 'child.$': '$$.Execution.Id' }, End: true } },
        {
          MaxConcurrencyPath: '$.width',
          ToleratedFailurePercentage: 100,
          ItemSelector: { 'cell.$': '$$.Map.Item.Value.cell', 'rollout.$': '$.rollout', 'parent.$': '$$.Execution.Id' },
        },
      ),
    };
    const output = (await outputOf(all, { key: 'cells.json', width: 5, rollout: 'api-1' })) as { cell: number; child: string }[];

    expect(output.map(({ cell }) => cell)).toEqual(Array.from({ length: 40 }, (_, cell) => cell));
    expect(output[0]).toMatchObject({ rollout: 'api-1' });
    // Each item has an execution of its own.
    expect(new Set(output.map(({ child }) => child)).size).toBe(40);
    expect(output[0]?.child).toMatch(/:execution:[^:]+\/Cells:/);
  });

  test('runs no more at once than it may', async () => {
    await put('timed.json', [1, 2, 3, 4]);
    const all = {
      Map: distributed({ Wait: { Type: 'Wait', Seconds: 1, End: true } }, { MaxConcurrencyPath: '$.width', ResultPath: null }),
    };
    const input = { key: 'timed.json', width: 2 };
    const { output, startDate, stopDate = 0 } = await run(all, input);

    expect(JSON.parse(output ?? '')).toEqual(input);
    expect(stopDate - startDate).toBeGreaterThanOrEqual(2);
    expect(stopDate - startDate).toBeLessThan(3.9);
  });

  test('maps an empty list', async () => {
    await put('none.json', []);
    const all = { Map: distributed({ Say: { Type: 'Pass', End: true } }, { MaxConcurrencyPath: '$.width' }) };

    expect(await outputOf(all, { key: 'none.json', width: 3 })).toEqual([]);
  });

  test.each([
    [0, 'FAILED', 'States.ExceedToleratedFailureThreshold'],
    [24, 'FAILED', 'States.ExceedToleratedFailureThreshold'],
    [25, 'SUCCEEDED', undefined],
    [100, 'SUCCEEDED', undefined],
  ])('with one of four items failed and %d %% tolerated has %s', async (percentage, status, error) => {
    await put('quarter.json', [{}, { fail: 'here' }, {}, {}]);
    const all = { Map: distributed({ Echo: invoke('echo') }, { ToleratedFailurePercentage: percentage, ResultPath: null }) };
    const result = await run(all, { key: 'quarter.json' });

    expect(result).toMatchObject({ status });
    expect(result.error).toBe(error);
  });

  test('catches the failure of a map', async () => {
    await put('bad.json', [{ fail: 'here' }]);
    const all = {
      Map: distributed({ Echo: invoke('echo') }, { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' }] }),
      Caught: { Type: 'Pass', End: true },
    };

    expect(await outputOf(all, { key: 'bad.json' })).toMatchObject({ error: { Error: 'States.ExceedToleratedFailureThreshold' } });
  });

  test('catches that there is no list', async () => {
    const all = {
      Map: distributed({ Say: { Type: 'Pass', End: true } }, { Catch: [{ ErrorEquals: ['States.ItemReaderFailed'], Next: 'Caught' }] }),
      Caught: { Type: 'Pass', End: true },
    };

    expect(await outputOf(all, { key: 'nowhere.json' })).toMatchObject({ Error: 'States.ItemReaderFailed' });
  });

  test('runs beside many others', async () => {
    const machine = await machineOf({
      Say: { Type: 'Pass', Parameters: { 'n.$': '$.n', 'name.$': '$$.Execution.Name' }, Next: 'Echo' },
      Echo: invoke('echo', { Parameters: { FunctionName: 'echo', 'Payload.$': '$' } }),
    });
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => start(machine, { n }, `run-${n}`)));
    const outputs = await Promise.all(all.map(async ({ executionArn }) => JSON.parse((await ended(executionArn)).output ?? 'null')));

    expect(outputs).toEqual(Array.from({ length: 12 }, (_, n) => ({ got: { n, name: `run-${n}` } })));
  });

  test('is described and listed', async () => {
    const machine = await machineOf({ Say: { Type: 'Pass', End: true } });
    const { executionArn } = await start(machine, { a: 1 }, 'listed');
    await ended(executionArn);

    expect(await execution(executionArn)).toMatchObject({ name: 'listed', input: '{"a":1}', output: '{"a": 1}', status: 'SUCCEEDED' });
    await expect(execution(`${executionArn}-not`)).rejects.toThrow('ExecutionDoesNotExist');
    const { executions } = await states<{ executions: object[] }>('ListExecutions', {
      stateMachineArn: machine,
      statusFilter: 'SUCCEEDED',
    });
    expect(executions).toMatchObject([{ name: 'listed', stopDate: expect.any(Number) }]);
  });
});

describe('a function that is invoked again', () => {
  const call = async <T>(name: string, event: object = {}): Promise<T> =>
    JSON.parse(await aws.rest('lambda', 'POST', `/2015-03-31/functions/${name}/invocations`, JSON.stringify(event))) as T;

  const counter = `
    let calls = 0;
    let stuck;
    exports.handler = async (event) => {
      calls += 1;
      console.log('call', calls, event.print ? 'x'.repeat(event.print) : '');
      if (event.exit !== undefined) process.exit(event.exit);
      if (event.fail) throw new RangeError('as told');
      if (event.late) setTimeout(() => { throw new Error('much later'); }, 10);
      if (event.spin) for (;;) {}
      if (event.never) await new Promise(() => {});
      if (event.hang) await new Promise(() => setInterval(() => {}, 1000));
      if (event.wait) await new Promise((done) => setTimeout(done, event.wait));
      return { calls, pid: process.pid, colour: process.env.COLOUR, version: 'VERSION' };
    };`;
  interface Answer {
    calls: number;
    pid: number;
    colour?: string;
    version: string;
    errorType?: string;
    errorMessage?: string;
  }
  const deploy = (version: string, colour: string) =>
    aws.deploy('counter', {
      Resources: {
        Counter: functionOf(counter.replace('VERSION', version), {
          FunctionName: 'counter',
          Timeout: 2,
          Environment: { Variables: { COLOUR: colour } },
        }),
      },
    });

  beforeAll(() => deploy('1', 'red'));

  test('keeps what it has in memory, also after an error', async () => {
    const first = await call<Answer>('counter');
    expect(first).toMatchObject({ calls: 1, colour: 'red', version: '1' });
    expect(await call('counter', { fail: true })).toMatchObject({ errorType: 'RangeError', errorMessage: 'as told' });
    expect(await call('counter')).toMatchObject({ calls: 3, pid: first.pid });
  });

  test('answers nothing when nothing can happen any more', async () => {
    expect(await call('counter', { never: true })).toBeNull();
    expect(await call<Answer>('counter')).toMatchObject({ version: '1' });
  });

  test('runs beside itself when events overlap', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => call<Answer>('counter', { wait: 400 })));

    const processes = new Set(answers.map(({ pid }) => pid)).size;
    expect(processes).toBeGreaterThan(1);
    expect(processes).toBeLessThanOrEqual(4);
  });

  test('begins anew with other code or another configuration', async () => {
    const before = await call<Answer>('counter');
    await deploy('1', 'blue');
    const recoloured = await call<Answer>('counter');
    await deploy('2', 'blue');
    const recoded = await call<Answer>('counter');

    expect(recoloured).toMatchObject({ calls: 1, colour: 'blue', version: '1' });
    expect(recoded).toMatchObject({ calls: 1, colour: 'blue', version: '2' });
    expect(new Set([before.pid, recoloured.pid, recoded.pid]).size).toBe(3);
  });

  test.each([
    ['ends its process', { exit: 3 }, 'Runtime.ExitError', 'exit status 3'],
    ['has an error that nobody expects', { late: true, hang: true }, 'Error', 'much later'],
    ['takes too long', { hang: true }, 'Sandbox.Timedout', 'Task timed out after 2.00 seconds'],
  ])('and that %s says so, and begins anew', async (_, event, errorType, message) => {
    const { pid } = await call<Answer>('counter');

    expect(await call('counter', event)).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) });

    const next = await call<Answer>('counter');
    expect(next.calls).toBe(1);
    expect(next.pid).not.toBe(pid);
  });

  test('has what it printed in its log, event by event', async () => {
    await call('counter', { print: 200_000 });
    await call('counter', { exit: 0 });
    await call('counter');
    const { events } = await aws.json<{ events: { message: string; logStreamName: string }[] }>('logs', 'Logs_20140328.FilterLogEvents', {
      logGroupName: '/aws/lambda/counter',
      limit: 1000,
    });

    const [long, exit, last] = events.slice(-3);
    expect(long?.message).toHaveLength(200_000 + (long?.message.indexOf('x') ?? 0));
    expect(exit?.message).toMatch(/^call \d/);
    expect(last?.message).toMatch(/^call 1/);
    expect(new Set([long?.logStreamName, exit?.logStreamName, last?.logStreamName]).size).toBe(3);
  });

  test('takes events of megabytes, and answers so', async () => {
    const echo = 'exports.handler = async (event) => ({ length: event.text.length, text: event.text })';
    await aws.deploy('megabytes', { Resources: { Echo: functionOf(echo, { FunctionName: 'megabytes' }) } });

    expect(await call('megabytes', { text: 'é'.repeat(2_000_000) })).toMatchObject({ length: 2_000_000 });
    expect(await call('megabytes', { text: 'short' })).toEqual({ length: 5, text: 'short' });
  });
});

describe('alarms', () => {
  const putAlarm = (AlarmName: string, Threshold = 1) =>
    cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'n',
        MetricName: 'm',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
  const putComposite = (AlarmName: string, AlarmRule: string) => cloudwatch.send(new PutCompositeAlarmCommand({ AlarmName, AlarmRule }));
  const set = (AlarmName: string, StateValue: StateValue) =>
    cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: `because ${StateValue}`, StateReasonData: '{"a":1}' }));
  const described = async (input: DescribeAlarmsInput) => {
    const {
      MetricAlarms: metric = [],
      CompositeAlarms: composite = [],
      NextToken: next,
    } = await cloudwatch.send(new DescribeAlarmsCommand(input));
    return { metric, composite, next };
  };
  const stateOf = async (name: string) =>
    (await described({ AlarmNames: [name], AlarmTypes: ['CompositeAlarm', 'MetricAlarm'] })).composite[0]?.StateValue;
  const history = async (input: DescribeAlarmHistoryInput) => {
    const { AlarmHistoryItems: items = [], NextToken: next } = await cloudwatch.send(new DescribeAlarmHistoryCommand(input));
    return { items, next };
  };

  test('have a past', async () => {
    await putAlarm('past');
    const start = new Date();
    await set('past', 'ALARM');
    await set('past', 'ALARM');
    await sleep(20);
    const middle = new Date();
    await sleep(20);
    await set('past', 'INSUFFICIENT_DATA');
    await set('past', 'OK');

    const { items } = await history({ AlarmName: 'past', HistoryItemType: 'StateUpdate', StartDate: start, EndDate: new Date() });
    expect(items.map(({ HistorySummary: summary }) => summary)).toEqual([
      'Alarm updated from INSUFFICIENT_DATA to OK',
      'Alarm updated from ALARM to INSUFFICIENT_DATA',
      'Alarm updated from OK to ALARM',
    ]);
    expect(items[2]).toMatchObject({ AlarmName: 'past', AlarmType: 'MetricAlarm', HistoryItemType: 'StateUpdate' });
    expect(items[2]?.Timestamp?.getTime()).toBeGreaterThanOrEqual(start.getTime() - 1);
    expect(items[2]?.Timestamp?.getTime()).toBeLessThanOrEqual(middle.getTime());
    expect(JSON.parse(items[2]?.HistoryData ?? '')).toEqual({
      version: '1.0',
      oldState: { stateValue: 'OK', stateReason: expect.any(String) },
      newState: { stateValue: 'ALARM', stateReason: 'because ALARM', stateReasonData: { a: 1 } },
    });
    expect((await history({ AlarmName: 'past', EndDate: middle })).items).toHaveLength(1);
    expect((await history({ AlarmName: 'past', StartDate: middle })).items).toHaveLength(2);
    expect((await history({ AlarmName: 'past', HistoryItemType: 'Action' })).items).toEqual([]);
    expect((await history({ AlarmName: 'past', AlarmTypes: ['CompositeAlarm'] })).items).toEqual([]);
  });

  test('tell it page by page, in either direction', async () => {
    await putAlarm('paged');
    for (let change = 0; change < 5; change++) await set('paged', change % 2 === 0 ? 'ALARM' : 'OK');

    const first = await history({ AlarmName: 'paged', MaxRecords: 3, ScanBy: 'TimestampAscending' });
    const rest = await history({ AlarmName: 'paged', MaxRecords: 3, ScanBy: 'TimestampAscending', NextToken: first.next });

    expect(rest.next).toBeUndefined();
    const times = [...first.items, ...rest.items].map(({ Timestamp: time }) => time?.getTime() ?? 0);
    expect(times).toHaveLength(5);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test.each([
    ['ALARM(one)', ['ALARM', 'OK', 'OK'], 'ALARM'],
    ['ALARM("one") AND ALARM(two)', ['ALARM', 'OK', 'OK'], 'OK'],
    ['ALARM("one") AND ALARM(two)', ['ALARM', 'ALARM', 'OK'], 'ALARM'],
    ['ALARM(one) OR ALARM(two) AND ALARM(three)', ['ALARM', 'OK', 'OK'], 'ALARM'],
    ['(ALARM(one) OR ALARM(two)) AND ALARM(three)', ['ALARM', 'OK', 'OK'], 'OK'],
    ['NOT OK(one) AND NOT (ALARM(two) OR ALARM(three))', ['INSUFFICIENT_DATA', 'OK', 'OK'], 'ALARM'],
    ['INSUFFICIENT_DATA(two)', ['OK', 'INSUFFICIENT_DATA', 'OK'], 'ALARM'],
    ['FALSE OR ALARM("arn:aws:cloudwatch:eu-west-1:555555555555:alarm:three")', ['OK', 'OK', 'ALARM'], 'ALARM'],
    ['TRUE', ['OK', 'OK', 'OK'], 'ALARM'],
    ['TRUE AND FALSE', ['OK', 'OK', 'OK'], 'OK'],
  ])('are combined: %s of %j is %s', async (rule, states, expected) => {
    for (const name of ['one', 'two', 'three']) {
      await putAlarm(name);
      await set(name, 'OK');
    }
    await putComposite('combined', rule);
    for (const [index, name] of ['one', 'two', 'three'].entries()) await set(name, states[index] as StateValue);

    expect(await stateOf('combined')).toBe(expected);
    for (const name of ['one', 'two', 'three']) await set(name, 'OK');
    await putComposite('created', rule);
    for (const [index, name] of ['one', 'two', 'three'].entries()) await set(name, states[index] as StateValue);
    await putComposite('created late', rule);

    expect(await stateOf('created late')).toBe(expected);
  });

  test('a rule that cannot be read is refused', async () => {
    for (const rule of ['ALARM(one', 'ALARM(one) AND', 'MAYBE(one)', '(TRUE', 'TRUE FALSE']) {
      await expect(putComposite('unreadable', rule)).rejects.toThrow('AlarmRule');
    }
  });

  test('composites of composites follow, with a past of their own, and stay as they are set until a child changes', async () => {
    await putAlarm('leaf');
    await putComposite('branch', 'ALARM(leaf)');
    await putComposite('tree', 'ALARM("branch")');
    const start = new Date();
    await set('leaf', 'ALARM');

    expect(await stateOf('tree')).toBe('ALARM');
    const all = await history({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], StartDate: start, ScanBy: 'TimestampAscending' });
    expect(all.items.map(({ AlarmName: name, AlarmType: type }) => [name, type])).toEqual([
      ['leaf', 'MetricAlarm'],
      ['branch', 'CompositeAlarm'],
      ['tree', 'CompositeAlarm'],
    ]);
    const { composite } = await described({ AlarmNames: ['tree'], AlarmTypes: ['CompositeAlarm'] });
    expect(composite[0]?.StateUpdatedTimestamp?.getTime()).toBeGreaterThanOrEqual(start.getTime() - 1);
    await set('tree', 'OK');
    expect(await stateOf('tree')).toBe('OK');
    await set('leaf', 'OK');
    await set('leaf', 'ALARM');
    expect(await stateOf('tree')).toBe('ALARM');
  });

  test('are described as they are asked for', async () => {
    for (const name of ['cell-a-one', 'cell-a-two', 'cell-b-one']) await putAlarm(name);
    await putComposite('cell-a', 'ALARM(cell-a-one) OR ALARM(cell-a-two)');
    await set('cell-a-two', 'ALARM');
    const namesOf = async (input: DescribeAlarmsInput) => {
      const { metric, composite } = await described(input);
      return [...metric, ...composite].map(({ AlarmName: name }) => name);
    };

    expect(await namesOf({ AlarmNamePrefix: 'cell-' })).toEqual(['cell-a-one', 'cell-a-two', 'cell-b-one']);
    expect(await namesOf({ AlarmNamePrefix: 'cell-a', AlarmTypes: ['CompositeAlarm'] })).toEqual(['cell-a']);
    expect(await namesOf({ AlarmNames: ['cell-a', 'cell-b-one'] })).toEqual(['cell-b-one']);
    expect(await namesOf({ AlarmNamePrefix: 'cell-', StateValue: 'ALARM', AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] })).toEqual([
      'cell-a-two',
      'cell-a',
    ]);
    expect(await namesOf({ ChildrenOfAlarmName: 'cell-a' })).toEqual(['cell-a-one', 'cell-a-two']);
    const first = await described({ AlarmNamePrefix: 'cell-', MaxRecords: 2 });
    expect(first.metric).toHaveLength(2);
    expect(await namesOf({ AlarmNamePrefix: 'cell-', MaxRecords: 2, NextToken: first.next })).toEqual(['cell-b-one']);
  });

  test('keep their state when they are put again', async () => {
    await putAlarm('kept');
    await set('kept', 'ALARM');
    await putAlarm('kept', 2);

    expect((await described({ AlarmNames: ['kept'] })).metric).toMatchObject([{ StateValue: 'ALARM', Threshold: 2 }]);
  });

  test('a stack of alarms comes up as it is', async () => {
    const rule = { 'Fn::Join': ['', ['ALARM("', { 'Fn::GetAtt': ['Child', 'Arn'] }, '")']] };
    const child = { Namespace: 'n', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 };
    await aws.deploy('alarms', {
      Resources: {
        Child: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: { AlarmName: 'stack-child', ...child, ComparisonOperator: 'GreaterThanThreshold' },
        },
        Whole: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmName: 'stack-whole', AlarmRule: rule } },
      },
    });

    expect(await stateOf('stack-whole')).toBe('OK');
    await set('stack-child', 'ALARM');
    expect(await stateOf('stack-whole')).toBe('ALARM');
  });
});

describe('traffic', () => {
  const Dimensions = (component: string) => [
    { Name: 'cell', Value: 'alpha' },
    { Name: 'component', Value: component },
  ];
  const requests = async (component: string, StartTime: Date, EndTime = new Date()): Promise<number> => {
    const Metric = { Namespace: 'Cell', MetricName: 'Requests', Dimensions: Dimensions(component) };
    const { MetricDataResults: results = [] } = await cloudwatch.send(
      new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries: [{ Id: 'r', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }] }),
    );
    return (results[0]?.Values ?? []).reduce((sum, value) => sum + value, 0);
  };
  const rate = (wanted: object) =>
    fetch(`${cloud.running.endpoint}/moto-api/cell-factory/traffic`, { method: 'POST', body: JSON.stringify(wanted) });
  const probe = (component: string) =>
    aws.json('ssm', 'AmazonSSM.PutParameter', { Name: `/cell/probe/${component}`, Value: '{}', Type: 'String', Overwrite: true });
  const hourAgo = () => new Date(Date.now() - 3_600_000);
  const deployCanary = (starts: boolean) =>
    aws.deploy('canary', {
      Resources: {
        Canary: {
          Type: 'AWS::Synthetics::Canary',
          Properties: {
            Name: 'probe',
            ArtifactS3Location: `s3://${BUCKET}`,
            Code: { Handler: 'index.handler', S3Bucket: BUCKET, S3Key: 'x' },
            ExecutionRoleArn: MACHINE_ROLE,
            RuntimeVersion: 'syn-nodejs-puppeteer-9.0',
            Schedule: { Expression: 'rate(1 minute)' },
            StartCanaryAfterCreation: starts,
          },
        },
      },
    });

  test('needs a running canary and a parameter', async () => {
    await probe('api');
    expect(await requests('api', hourAgo())).toBe(0);
    await deployCanary(false);
    expect(await requests('api', hourAgo())).toBe(0);
    await deployCanary(true);
    await sleep(1100);

    expect(await requests('api', hourAgo())).toBeGreaterThanOrEqual(500);
    expect(await requests('web', hourAgo())).toBe(0);
  });

  test('is of the asked interval, and comes on top of what is put', async () => {
    await probe('api');
    await sleep(2000);
    const now = Date.now();
    const second = await requests('api', new Date(now - 1000), new Date(now));
    expect(second).toBeGreaterThanOrEqual(450);
    expect(second).toBeLessThanOrEqual(550);
    expect(await requests('api', new Date(now - 100), new Date(now))).toBeCloseTo(50, 0);

    await probe('put');
    await rate({ account: ACCOUNT, component: 'put', rate: 0 });
    await sleep(20);
    const before = await requests('put', hourAgo());
    const datum = { MetricName: 'Requests', Dimensions: Dimensions('put'), Value: 7 };
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Cell', MetricData: [datum] }));
    await sleep(1100);
    expect((await requests('put', hourAgo())) - before).toBeCloseTo(7, 0);
    const { Datapoints: points = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'Cell',
        MetricName: 'Requests',
        Dimensions: Dimensions('api'),
        StartTime: hourAgo(),
        EndTime: new Date(),
        Period: 3600,
        Statistics: ['Sum'],
      }),
    );
    expect(points[0]?.Sum).toBeGreaterThanOrEqual(100);
  });

  test('can be set, for what comes', async () => {
    await probe('set');
    await sleep(1000);
    await rate({ account: ACCOUNT, component: 'set', rate: 0 });
    await sleep(20);
    const start = new Date();
    const past = await requests('set', hourAgo());
    expect(past).toBeGreaterThanOrEqual(45);
    await sleep(1200);
    expect(await requests('set', start)).toBeLessThan(2);
    expect((await requests('set', hourAgo())) - past).toBeLessThan(2);
    await rate({ account: ACCOUNT, rate: 1000 });
    await sleep(1200);
    expect(await requests('set', start)).toBeGreaterThan(1000);
    expect((await rate({ account: ACCOUNT })).status).toBe(400);
    await rate({ account: ACCOUNT, rate: 500 });
  });
});

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

describe('types', () => {
  const ecr = <T>(operation: string, input: object = {}) => aws.json<T>('ecr', `AmazonEC2ContainerRegistry_V20150921.${operation}`, input);
  const dynamo = <T>(operation: string, input: object) => aws.json<T>('dynamodb', `DynamoDB_20120810.${operation}`, input);

  test('a repository and the registry are made, changed and removed', async () => {
    const policy = (actions: string[], more: object = {}) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: actions, ...more }],
    });
    const lifecycle = (days: number) =>
      JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: days },
            action: { type: 'expire' },
          },
        ],
      });
    const template = (days: number, more: object): Template => ({
      Resources: {
        Images: {
          Type: 'AWS::ECR::Repository',
          Properties: {
            RepositoryName: 'cells/api',
            ImageTagMutability: 'IMMUTABLE',
            ImageScanningConfiguration: { ScanOnPush: true },
            EncryptionConfiguration: { EncryptionType: 'AES256' },
            LifecyclePolicy: { LifecyclePolicyText: lifecycle(days) },
            ...more,
          },
        },
        Replication: {
          Type: 'AWS::ECR::ReplicationConfiguration',
          Properties: {
            ReplicationConfiguration: {
              Rules: [
                {
                  Destinations: [{ Region: 'eu-central-1', RegistryId: ACCOUNT }],
                  RepositoryFilters: [{ Filter: 'cells/', FilterType: 'PREFIX_MATCH' }],
                },
              ],
            },
          },
        },
        RegistryPolicy: { Type: 'AWS::ECR::RegistryPolicy', Properties: { PolicyText: policy(['ecr:ReplicateImage'], { Resource: '*' }) } },
        Scanning: { Type: 'AWS::ECR::RegistryScanningConfiguration', Properties: { ScanType: 'BASIC', Rules: [] } },
      },
      Outputs: { Uri: { Value: { 'Fn::GetAtt': ['Images', 'RepositoryUri'] } }, Arn: { Value: { 'Fn::GetAtt': ['Images', 'Arn'] } } },
    });
    const pull = { RepositoryPolicyText: policy(['ecr:BatchGetImage']), Tags: [{ Key: 'component', Value: 'api' }] };
    const made = await aws.deploy('registry', template(30, pull));
    expect(made).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    expect(made.Outputs?.map(({ OutputValue: value }) => value)).toContain(`${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/cells/api`);
    const repository = { repositoryName: 'cells/api' };
    const described = await ecr<{ repositories: object[] }>('DescribeRepositories', { repositoryNames: ['cells/api'] });
    expect(described.repositories).toMatchObject([
      {
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'AES256' },
      },
    ]);
    expect(JSON.stringify(await ecr('GetRepositoryPolicy', repository))).toContain('ecr:BatchGetImage');
    expect(JSON.stringify(await ecr('DescribeRegistry'))).toContain('eu-central-1');

    await aws.deploy('registry', template(60, { ImageScanningConfiguration: { ScanOnPush: false } }));
    expect(JSON.stringify(await ecr('GetLifecyclePolicy', repository))).toContain('60');
    await expect(ecr('GetRepositoryPolicy', repository)).rejects.toThrow('RepositoryPolicyNotFoundException');
    expect(await aws.skipped()).toEqual([]);
    expect(await aws.destroy('registry')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    expect(JSON.stringify(await ecr('DescribeRegistry'))).not.toContain('eu-central-1');
  });

  test('a table is changed in place, and holds conditions and transactions', async () => {
    const table = (protect: boolean, more: object = {}): Template => ({
      Resources: {
        Table: {
          Type: 'AWS::DynamoDB::Table',
          Properties: {
            TableName: 'rollouts',
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
            KeySchema: [
              { AttributeName: 'pk', KeyType: 'HASH' },
              { AttributeName: 'sk', KeyType: 'RANGE' },
            ],
            SSESpecification: { SSEEnabled: true },
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
            TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
            DeletionProtectionEnabled: protect,
            ...more,
          },
        },
      },
    });
    await aws.deploy('table', table(true));
    const TableName = 'rollouts';
    const key = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
    await dynamo('PutItem', { TableName, Item: { ...key('a', 'count'), count: { N: '0' } } });
    await aws.deploy('table', table(true, { Tags: [{ Key: 'a', Value: 'b' }] }));
    const { Table: now } = await dynamo<{ Table: object }>('DescribeTable', { TableName });
    expect(now).toMatchObject({
      DeletionProtectionEnabled: true,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      SSEDescription: { Status: 'ENABLED' },
      ItemCount: 1,
    });
    expect(JSON.stringify(await dynamo('DescribeContinuousBackups', { TableName }))).toContain('"PointInTimeRecoveryStatus":"ENABLED"');
    expect(JSON.stringify(await dynamo('DescribeTimeToLive', { TableName }))).toContain('expires');

    // Of many that write the same thing at once one wins, and counters lose nothing.
    const won = async (operation: string, input: object) =>
      dynamo(operation, input).then(
        () => 1,
        (error: Error) => (/ConditionalCheckFailed|TransactionCanceled/.test(error.message) ? 0 : Promise.reject(error)),
      );
    const times = <T>(work: (index: number) => Promise<T>) => Promise.all(Array.from({ length: 20 }, (_, index) => work(index)));
    const ConditionExpression = 'attribute_not_exists(pk)';
    const puts = await times((index) =>
      won('PutItem', { TableName, Item: { ...key('a', 'lock'), by: { N: `${index}` } }, ConditionExpression }),
    );
    expect(puts.reduce((sum: number, one) => sum + one, 0)).toBe(1);
    const transactions = await times((index) =>
      won('TransactWriteItems', {
        TransactItems: [
          { Put: { TableName, Item: { ...key('b', 'lock'), by: { N: `${index}` } }, ConditionExpression } },
          { Put: { TableName, Item: key('b', `rollout#${index}`) } },
        ],
      }),
    );
    expect(transactions.reduce((sum: number, one) => sum + one, 0)).toBe(1);
    await times(() =>
      dynamo('UpdateItem', {
        TableName,
        Key: key('a', 'count'),
        UpdateExpression: 'ADD #count :one',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ':one': { N: '1' } },
      }),
    );
    const { Item: counted } = await dynamo<{ Item: object }>('GetItem', { TableName, Key: key('a', 'count'), ConsistentRead: true });
    expect(counted).toMatchObject({ count: { N: '20' } });
    const { Items: written } = await dynamo<{ Items: object[] }>('Query', {
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: 'b' }, ':sk': { S: 'rollout#' } },
    });
    expect(written).toHaveLength(1);

    expect(await aws.destroy('table')).toMatchObject({ StackStatus: 'DELETE_FAILED' });
    await aws.json('dynamodb', 'DynamoDB_20120810.UpdateTable', { TableName, DeletionProtectionEnabled: false });
    expect(await aws.destroy('table')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  test('a state machine is changed in place while an execution goes on with the old definition', async () => {
    const definition = {
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', Seconds: 2, Next: 'Say' }, Say: { Type: 'Pass', Result: `\${Word}`, End: true } },
    };
    await put('definitions/machine.json', definition);
    const template = (word: string): Template => ({
      Resources: {
        Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/cell/rollouts', RetentionInDays: 30 } },
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            StateMachineName: 'steady',
            RoleArn: MACHINE_ROLE,
            DefinitionS3Location: { Bucket: BUCKET, Key: 'definitions/machine.json' },
            DefinitionSubstitutions: { Word: word },
            TracingConfiguration: { Enabled: true },
            LoggingConfiguration: {
              Level: 'ALL',
              IncludeExecutionData: true,
              Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: { 'Fn::GetAtt': ['Logs', 'Arn'] } } }],
            },
          },
        },
      },
    });
    await aws.deploy('steady', template('old'));
    const machine = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:steady`;
    const { executionArn } = await start(machine);
    expect(await aws.deploy('steady', template('new'))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    const { executionArn: later } = await start(machine);

    expect((await ended(executionArn)).output).toBe('"old"');
    expect((await ended(later)).output).toBe('"new"');
    expect(await aws.skipped()).toEqual([]);
  });

  test('a function has its code from S3, and its settings for events', async () => {
    // A zip of index.mjs with `export const handler = async (event) => ({ got: event })`, stored without compression.
    await aws.deploy('packer', { Resources: { Packer: functionOf(PACKER, { FunctionName: 'packer' }) } });
    await aws.rest(
      'lambda',
      'POST',
      '/2015-03-31/functions/packer/invocations',
      JSON.stringify({ bucket: BUCKET, key: 'assets/code.zip' }),
    );
    const template = (attempts: number): Template => ({
      Resources: {
        Function: functionOf('', { FunctionName: 'from-s3', Code: { S3Bucket: BUCKET, S3Key: 'assets/code.zip' }, Runtime: 'nodejs22.x' }),
        Events: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: { FunctionName: { Ref: 'Function' }, Qualifier: '$LATEST', MaximumRetryAttempts: attempts },
        },
      },
    });
    expect(await aws.deploy('from-s3', template(0))).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    expect(await aws.deploy('from-s3', template(1))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    const settings = await aws.rest('lambda', 'GET', '/2019-09-25/functions/from-s3/event-invoke-config');
    expect(JSON.parse(settings)).toMatchObject({ MaximumRetryAttempts: 1 });

    expect(await outputOf({ Call: invoke('from-s3') }, { a: 1 })).toEqual({ got: { a: 1 } });
    expect(await aws.destroy('from-s3')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
  });

  /** Puts a zip with one stored file into a bucket: nothing in the project can write one. */
  const PACKER = `
    const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3');
    const zlib = require('node:zlib');
    exports.handler = async ({ bucket, key }) => {
      const name = Buffer.from('index.mjs');
      const data = Buffer.from('export const handler = async (event) => ({ got: event });');
      const common = Buffer.alloc(26);
      common.writeUInt16LE(20, 0);
      common.writeUInt32LE(crc(data), 10);
      common.writeUInt32LE(data.length, 14);
      common.writeUInt32LE(data.length, 18);
      common.writeUInt16LE(name.length, 22);
      const local = Buffer.concat([Buffer.from('PK\\x03\\x04'), common, name, data]);
      const central = Buffer.concat([Buffer.from('PK\\x01\\x02'), Buffer.from([20, 0]), common, Buffer.alloc(14), name]);
      const end = Buffer.alloc(18);
      end.writeUInt16LE(1, 4);
      end.writeUInt16LE(1, 6);
      end.writeUInt32LE(central.length, 8);
      end.writeUInt32LE(local.length, 12);
      const Body = Buffer.concat([local, central, Buffer.from('PK\\x05\\x06'), end]);
      await new S3Client({ forcePathStyle: true }).send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }));
    };
    function crc(data) {
      let value = ~0;
      for (const byte of data) {
        value ^= byte;
        for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0xedb88320 & -(value & 1));
      }
      return ~value >>> 0;
    }`;
});

describe('faults', () => {
  const faults = (method: string, fault?: object) =>
    fetch(`${cloud.running.endpoint}/moto-api/cell-factory/faults`, { method, ...(fault ? { body: JSON.stringify(fault) } : {}) });
  const ok = async (call: () => Promise<unknown>) =>
    call().then(
      () => 'ok',
      (error: Error) => `${error.name} ${error.message}`,
    );
  const options = async (account = ACCOUNT) => ({
    endpoint: cloud.running.endpoint,
    region: REGION,
    maxAttempts: 1,
    credentials: await credentialsIn(account),
  });

  afterEach(() => faults('DELETE'));

  test('come in the format of their service, so often, and then no more', async () => {
    const shared = await options();
    const stacks = new CloudFormationClient(shared);
    const alarms = new CloudWatchClient(shared);
    const s3 = new S3Client({ ...shared, forcePathStyle: true });
    await put('faults/there.json', {});
    const calls: [service: string, operation: string, call: () => Promise<unknown>][] = [
      ['cloudformation', 'DescribeStacks', () => stacks.send(new DescribeStacksCommand({}))],
      ['cloudwatch', 'DescribeAlarms', () => alarms.send(new DescribeAlarmsCommand({}))],
      ['sts', 'GetCallerIdentity', () => new STSClient(shared).send(new GetCallerIdentityCommand({}))],
      ['s3', 'GetObject', () => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'faults/there.json' }))],
      ['s3', 'PutObject', () => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'faults/new.json', Body: '{}' }))],
      ['s3', 'ListObjectsV2', () => s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'faults/' }))],
      ['lambda', 'Invoke', () => aws.rest('lambda', 'POST', '/2015-03-31/functions/echo/invocations', '{}')],
      ['dynamodb', 'ListTables', () => aws.json('dynamodb', 'DynamoDB_20120810.ListTables', {})],
      ['stepfunctions', 'ListStateMachines', () => states('ListStateMachines', {})],
    ];

    for (const [service, operation, call] of calls) {
      expect(await ok(call)).toBe('ok');
      const code = 'ThrottlingException';
      expect((await faults('POST', { service, operation, code, message: 'Too fast', status: 400, times: 2 })).status).toBe(204);
      expect(await ok(call)).toMatch(/ThrottlingException.*Too fast|Too fast.*ThrottlingException/s);
      expect(await ok(call)).toContain('Too fast');
      expect(await ok(call)).toBe('ok');
    }
  });

  test("are one operation's and one account's, until they are cleared", async () => {
    const mine = new CloudFormationClient(await options());
    const other = new CloudFormationClient(await options('666666666666'));
    const list = (client: CloudFormationClient) => ok(() => client.send(new DescribeStacksCommand({})));
    const fault = {
      service: 'cloudformation',
      operation: 'DescribeStacks',
      code: 'ThrottlingException',
      account: '666666666666',
      times: 9,
    };
    await faults('POST', fault);

    expect(await list(mine)).toBe('ok');
    expect(await list(other)).toContain('Rate exceeded');
    expect(await ok(() => other.send(new DescribeStackEventsCommand({ StackName: 'none' })))).not.toContain('Rate exceeded');
    expect(await (await faults('GET')).json()).toMatchObject({ faults: [{ operation: 'DescribeStacks', times: 8 }] });
    await faults('DELETE');
    expect(await list(other)).toBe('ok');
  });

  test('of a role are those of its account', async () => {
    await faults('POST', { service: 'sts', operation: 'AssumeRole', code: 'AccessDenied', status: 403, account: '666666666666' });

    await credentialsIn(ACCOUNT);
    await expect(credentialsIn('666666666666')).rejects.toThrow(/403.*AccessDenied/s);
    await credentialsIn('666666666666');
  });

  test('that make no sense are refused', async () => {
    for (const fault of [{}, { service: 'sts', operation: 'None', code: 'x' }, { service: 'none', operation: 'x', code: 'x' }]) {
      expect((await faults('POST', fault)).status).toBe(400);
    }
  });
});
