import { CloudFormationClient, DescribeStackEventsCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ACCOUNT, aws, BUCKET, cloud, credentialsIn, put, states } from './account.ts';
import { REGION } from './server.ts';

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
