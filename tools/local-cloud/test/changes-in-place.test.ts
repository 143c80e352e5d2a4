import { describe, expect, test } from '@jest/globals';
import { ACCOUNT, aws, BUCKET, ended, functionOf, invoke, MACHINE_ROLE, outputOf, put, start } from './account.ts';
import { REGION, type Template } from './server.ts';

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
