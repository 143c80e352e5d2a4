/** What a role may do: the actions that its policies name. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CreateTableCommand, DynamoDBClient, type TransactWriteItem, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeAll, expect, test } from '@jest/globals';
import { ACCOUNT, aws, cloud, deploy } from './cell.ts';
import { REGION, textOf } from './server.ts';

/** Configuration of a client as a role with these actions; without any, as one that nobody has made. */
async function as(name: string, actions?: string[]) {
  if (actions) {
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } }] };
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
    const Policies = [{ PolicyName: 'own', PolicyDocument: policy }];
    const Role = { Type: 'AWS::IAM::Role', Properties: { RoleName: name, AssumeRolePolicyDocument: trust, Policies } };
    await deploy(`role-${name}`, { Resources: { Role } });
  }
  const xml = await aws.query('sts', 'AssumeRole', { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`, RoleSessionName: 'test' });
  const credentials = { accessKeyId: textOf(xml, 'AccessKeyId'), secretAccessKey: 'unused' };
  return { endpoint: cloud.running.endpoint, region: REGION, credentials, forcePathStyle: true };
}
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: Error) => `${error.name}: ${error.message}`,
  );

beforeAll(async () => {
  const administrator = new DynamoDBClient(await as('anybody'));
  const key = { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }] };
  const types = { AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }] };
  await administrator.send(new CreateTableCommand({ TableName: 't', ...key, ...types, BillingMode: 'PAY_PER_REQUEST' }));
});

test('a transaction takes the action of each of its parts, the look at a condition, too', async () => {
  const of = { TableName: 't', Key: { id: { S: '1' } } };
  const parts: TransactWriteItem[] = [
    { ConditionCheck: { ...of, ConditionExpression: 'attribute_not_exists(id)' } },
    { Put: { TableName: 't', Item: { id: { S: '2' } } } },
  ];
  const transaction = () => new TransactWriteItemsCommand({ TransactItems: parts });
  const without = new DynamoDBClient(await as('without', ['dynamodb:PutItem', 'dynamodb:UpdateItem']));
  expect(await outcome(without.send(transaction()))).toMatch(
    /^AccessDeniedException: User: \S+role\/without is not authorized to perform: dynamodb:ConditionCheckItem because/,
  );
  const whole = new DynamoDBClient(await as('whole', ['dynamodb:PutItem', 'dynamodb:ConditionCheckItem']));
  expect(await outcome(whole.send(transaction()))).toBe('done');
});

test('an action may be called otherwise than its operation, and a pattern covers several', async () => {
  const lister = new S3Client(await as('lister', ['s3:List*']));
  await deploy('shelf', { Resources: { Shelf: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'shelf' } } } });
  expect(await outcome(lister.send(new ListObjectsV2Command({ Bucket: 'shelf' })))).toBe('done');
  expect(await outcome(lister.send(new GetObjectCommand({ Bucket: 'shelf', Key: 'x' })))).toMatch(/^AccessDenied: .* s3:GetObject because/);
});

test('the policy of a bucket lets in a role of its own account, whose own policies say nothing of it', async () => {
  const guest = new S3Client(await as('guest', ['logs:PutLogEvents']));
  const list = () => outcome(guest.send(new ListObjectsV2Command({ Bucket: 'hall' })));
  const policy = (role: string) => ({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:List*'], Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/${role}` }, Resource: 'arn:aws:s3:::hall' },
    ],
  });
  const hall = (role: string) => ({
    Resources: {
      Hall: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'hall' } },
      Policy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Hall' }, PolicyDocument: policy(role) } },
    },
  });
  await deploy('hall', hall('other'));
  expect(await list()).toMatch(/^AccessDenied/);
  await deploy('hall', hall('guest'));
  expect(await list()).toBe('done');
});

test('every service answers in its own format; who one is, everybody may ask', async () => {
  const nobody = await as('nobody', ['logs:PutLogEvents']);
  expect(await outcome(new CloudWatchClient(nobody).send(new DescribeAlarmsCommand({})))).toMatch(
    /^AccessDenied\w*: .* cloudwatch:DescribeAlarms because/,
  );
  expect(await outcome(new STSClient(nobody).send(new GetCallerIdentityCommand({})))).toBe('done');
});

test('administrators may do everything, and so may who comes by a role that nobody has made: a person', async () => {
  const administrator = await as('administrator', ['*']);
  expect(await outcome(new CloudWatchClient(administrator).send(new DescribeAlarmsCommand({})))).toBe('done');
  expect(await outcome(new CloudWatchClient(await as('person')).send(new DescribeAlarmsCommand({})))).toBe('done');
});
