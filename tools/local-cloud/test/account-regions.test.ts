/** Regions that an account has to enable before anything answers it there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountClient, EnableRegionCommand, GetRegionOptStatusCommand } from '@aws-sdk/client-account';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from '@jest/globals';
import { ACCOUNT, cloud, credentialsIn } from './account.ts';

const REGION = 'eu-south-1';
const clientIn = async (region: string, account = ACCOUNT) => ({
  endpoint: cloud.running.endpoint,
  region,
  maxAttempts: 1,
  credentials: await credentialsIn(account),
});
const statusIn = async (region: string, account = ACCOUNT) =>
  (await new AccountClient(await clientIn('eu-west-1', account)).send(new GetRegionOptStatusCommand({ RegionName: region })))
    .RegionOptStatus;

describe('a region that is opted in to', () => {
  test('refuses every regional call of an account that has not enabled it, as the service does, and none of a global service', async () => {
    const there = await clientIn(REGION);
    const role = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/any`, RoleSessionName: 'test' };
    await expect(new STSClient(there).send(new AssumeRoleCommand(role))).rejects.toMatchObject({ name: 'RegionDisabledException' });
    await expect(new EC2Client(there).send(new DescribeVpcsCommand({}))).rejects.toMatchObject({ name: 'AuthFailure' });
    await expect(new DynamoDBClient(there).send(new ListTablesCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(new CloudFormationClient(there).send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
    const s3 = new S3Client({ ...there, forcePathStyle: true });
    await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'InvalidToken' });
    expect(await new IAMClient(there).send(new ListUsersCommand({}))).toMatchObject({ Users: [] });
  });

  test('is enabled some seconds after it was asked for, in that account alone', async () => {
    const client = new AccountClient(await clientIn('eu-west-1'));
    const enable = (RegionName: string) => client.send(new EnableRegionCommand({ RegionName }));
    expect(await statusIn(REGION)).toBe('DISABLED');
    await enable(REGION);
    expect(await statusIn(REGION)).toBe('ENABLING');
    await expect(enable(REGION)).rejects.toMatchObject({ name: 'ConflictException' });
    await expect(new EC2Client(await clientIn(REGION)).send(new DescribeVpcsCommand({}))).rejects.toMatchObject({ name: 'AuthFailure' });
    await sleep(2_100);
    expect(await statusIn(REGION)).toBe('ENABLED');
    expect(await new EC2Client(await clientIn(REGION)).send(new DescribeVpcsCommand({}))).toMatchObject({ Vpcs: expect.anything() });
    expect(await statusIn(REGION, '666666666666')).toBe('DISABLED');
    // Who asks has the region; the account of the role hasn't.
    const role = { RoleArn: 'arn:aws:iam::666666666666:role/any', RoleSessionName: 'test' };
    await expect(new STSClient(await clientIn(REGION)).send(new AssumeRoleCommand(role))).rejects.toMatchObject({
      name: 'RegionDisabledException',
      message: expect.stringContaining('666666666666'),
    });
    expect(await statusIn('eu-west-1')).toBe('ENABLED_BY_DEFAULT');
    await expect(enable('eu-west-1')).rejects.toMatchObject({ name: 'ValidationException' });
  });
});
