/** Wait states of Step Functions, as long as they say or shorter. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { Caller } from './server.ts';

const ACCOUNT = '555555555555';
let cloud: TestCloud;
let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
});
afterAll(() => cloud?.stop());

const states = <T>(operation: string, input: object) => aws.json<T>('states', `AWSStepFunctions.${operation}`, input);

async function waiting(seconds: number): Promise<string> {
  const definition = JSON.stringify({ StartAt: 'Pause', States: { Pause: { Type: 'Wait', Seconds: seconds, End: true } } });
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/machine`;
  const { stateMachineArn } = await states<{ stateMachineArn: string }>('CreateStateMachine', {
    name: `waits-${seconds}`,
    definition,
    roleArn,
  });
  return (await states<{ executionArn: string }>('StartExecution', { stateMachineArn })).executionArn;
}

const statusOf = async (executionArn: string) => (await states<{ status: string }>('DescribeExecution', { executionArn })).status;
const ended = (executionArn: string) =>
  eventually('the end of the wait', async () => {
    const status = await statusOf(executionArn);
    return status !== 'RUNNING' && status;
  });

describe('a wait', () => {
  test('lasts as long as it says, and not twice as long', async () => {
    const begun = Date.now();
    expect(await ended(await waiting(1))).toBe('SUCCEEDED');
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1_000);
  });

  test('lasts a part of it once somebody says so, and is stopped all the same', async () => {
    await cloud.pace(0.001);
    expect(await ended(await waiting(600))).toBe('SUCCEEDED');
    await cloud.pace(1);
    const executionArn = await waiting(601);
    await states('StopExecution', { executionArn });
    expect(await ended(executionArn)).toBe('ABORTED');
    await expect(cloud.pace(-1)).rejects.toThrow('refuses pace {"waits":-1}: 400');
  });
});
