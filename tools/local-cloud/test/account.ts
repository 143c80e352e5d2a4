/** A cloud, an account with a function and a bucket in it, and what state machines are made of. A file that imports this has a cloud of its own: it starts before the first test, and ends after the last. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, REGION, textOf } from './server.ts';

export const ACCOUNT = '555555555555';
export const MACHINE_ROLE = `arn:aws:iam::${ACCOUNT}:role/machine`;
export const BUCKET = 'rollouts-test';

export let cloud: TestCloud;
export let aws: Caller;
export let cloudwatch: CloudWatchClient;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
  cloudwatch = new CloudWatchClient({ endpoint: cloud.running.endpoint, region: REGION, credentials: await credentialsIn(ACCOUNT) });
  const lambda = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } };
  const trust = { Version: '2012-10-17', Statement: [lambda] };
  await aws.query('iam', 'CreateRole', { RoleName: 'function', AssumeRolePolicyDocument: JSON.stringify(trust) });
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const policy = { RoleName: 'function', PolicyName: 'everything', PolicyDocument: JSON.stringify(everything) };
  await aws.query('iam', 'PutRolePolicy', policy);
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

export async function credentialsIn(account: string) {
  const role = { RoleArn: `arn:aws:iam::${account}:role/any`, RoleSessionName: 'test' };
  const xml = await new Caller(cloud.running.endpoint).query('sts', 'AssumeRole', role);
  return { accessKeyId: textOf(xml, 'AccessKeyId'), secretAccessKey: 'unused', sessionToken: textOf(xml, 'SessionToken') };
}

export const functionOf = (code: string, more: object = {}) => ({
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

export interface Execution {
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

export type States = Record<string, object>;

export const states = <T>(operation: string, input: object) => aws.json<T>('states', `AWSStepFunctions.${operation}`, input);

/** A machine that begins with the first of the states. */
export async function machineOf(all: States, name: string = randomUUID()): Promise<string> {
  const definition = JSON.stringify({ StartAt: Object.keys(all)[0], States: all });
  const { stateMachineArn } = await states<{ stateMachineArn: string }>('CreateStateMachine', { name, definition, roleArn: MACHINE_ROLE });
  return stateMachineArn;
}

export const start = (machine: string, input: unknown = {}, name?: string) =>
  states<{ executionArn: string; startDate: number }>('StartExecution', { stateMachineArn: machine, input: JSON.stringify(input), name });

export const execution = (executionArn: string) => states<Execution>('DescribeExecution', { executionArn });

export const stop = (executionArn: string, why: object = {}) => states<{ stopDate: number }>('StopExecution', { executionArn, ...why });

export async function ended(executionArn: string): Promise<Execution> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const now = await execution(executionArn);
    if (now.status !== 'RUNNING') return now;
    await sleep(50);
  }
  throw new Error(`${executionArn} does not end`);
}

export async function run(all: States, input: unknown = {}): Promise<Execution> {
  const { executionArn } = await start(await machineOf(all), input);
  return ended(executionArn);
}

export const outputOf = async (all: States, input: unknown = {}): Promise<unknown> => {
  const { status, output, error, cause } = await run(all, input);
  if (status !== 'SUCCEEDED') throw new Error(`${status}: ${error} ${cause}`);
  return JSON.parse(output ?? 'null');
};

export const put = (key: string, value: unknown) => aws.rest('s3', 'PUT', `/${BUCKET}/${key}`, JSON.stringify(value));

/** A task that runs a function. */
export const invoke = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: name, 'Payload.$': '$' },
  OutputPath: '$.Payload',
  End: true,
  ...more,
});

/** A distributed map over a list in S3. */
export const distributed = (processor: States, more: object = {}) => ({
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
