import { describe, expect, test } from '@jest/globals';
import { ACCOUNT, aws, cloud, deploy, destroy, TAGS, tagged } from './cell.ts';
import { type Template, textOf } from './server.ts';

describe('data', () => {
  test('a database is encrypted with a key, watched closely, and has its own settings', async () => {
    const template = (connections: string, days: number, secretKey: string): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: {} },
        OtherKey: { Type: 'AWS::KMS::Key', Properties: {} },
        Settings: {
          Type: 'AWS::RDS::DBParameterGroup',
          Properties: { Family: 'postgres16', Description: 'd', Parameters: { max_connections: connections }, Tags: TAGS },
        },
        Database: {
          Type: 'AWS::RDS::DBInstance',
          Properties: {
            Engine: 'postgres',
            EngineVersion: '16',
            DBInstanceClass: 'db.t4g.micro',
            AllocatedStorage: '20',
            BackupRetentionPeriod: days,
            DBParameterGroupName: { Ref: 'Settings' },
            EnablePerformanceInsights: true,
            PerformanceInsightsKMSKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] },
            PerformanceInsightsRetentionPeriod: 7,
            KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] },
            StorageEncrypted: true,
            ManageMasterUserPassword: true,
            MasterUserSecret: { KmsKeyId: { 'Fn::GetAtt': [secretKey, 'Arn'] } },
            MasterUsername: 'postgres',
            Tags: TAGS,
          },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Database' } },
        Settings: { Value: { Ref: 'Settings' } },
        Key: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } },
        OtherKey: { Value: { 'Fn::GetAtt': ['OtherKey', 'Arn'] } },
        Secret: { Value: { 'Fn::GetAtt': ['Database', 'MasterUserSecret.SecretArn'] } },
      },
    });
    const before = await deploy('data', template('100', 7, 'Key'));
    const described = await aws.query('rds', 'DescribeDBInstances');
    const keys = (xml: string) => [...xml.matchAll(/<KmsKeyId>([^<]+)</g)].map((found) => found[1]);
    expect(textOf(described, 'PerformanceInsightsEnabled')).toBe('true');
    expect(textOf(described, 'PerformanceInsightsKMSKeyId')).toBe(before['Key']);
    expect(keys(described)).toEqual([before['Key'], before['Key']]);
    expect(textOf(described, 'DBParameterGroupName')).toBe(before['Settings']);
    const secret = () =>
      aws.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: before['Secret'] });
    expect(JSON.parse((await secret()).SecretString)).toMatchObject({ username: 'postgres' });

    expect(await deploy('data', template('200', 14, 'OtherKey'))).toEqual(before);
    const changed = await aws.query('rds', 'DescribeDBInstances');
    expect(textOf(changed, 'BackupRetentionPeriod')).toBe('14');
    expect(keys(changed)).toEqual([before['Key'], before['OtherKey']]);
    const values = await aws.query('rds', 'DescribeDBParameters', { DBParameterGroupName: before['Settings'] ?? '' });
    expect(values).toContain('<ParameterValue>200</ParameterValue>');
    expect(await tagged()).toContainEqual(expect.stringMatching(new RegExp(`:db:${before['Id']}$`)));

    await destroy('data');
    expect(await aws.query('rds', 'DescribeDBParameterGroups')).not.toContain(before['Settings']);
  });

  test('a cache has its own settings', async () => {
    const template = (policy: string): Template => ({
      Resources: {
        Settings: {
          Type: 'AWS::ElastiCache::ParameterGroup',
          Properties: {
            CacheParameterGroupFamily: 'valkey8',
            Description: 'd',
            Properties: { 'maxmemory-policy': policy, 'notify-keyspace-events': 'Ex' },
            Tags: TAGS,
          },
        },
        Cache: {
          Type: 'AWS::ElastiCache::ReplicationGroup',
          Properties: {
            ReplicationGroupDescription: 'd',
            Engine: 'valkey',
            NumCacheClusters: 1,
            CacheParameterGroupName: { Ref: 'Settings' },
          },
        },
      },
      Outputs: { Name: { Value: { Ref: 'Settings' } } },
    });
    const before = await deploy('cache', template('noeviction'));
    const name = { CacheParameterGroupName: before['Name'] ?? '' };
    expect(await aws.query('elasticache', 'DescribeCacheParameterGroups', name)).toContain('valkey8');
    expect(await aws.query('elasticache', 'DescribeCacheParameters', name)).toMatch(/noeviction/);

    expect(await deploy('cache', template('allkeys-lru'))).toEqual(before);
    const values = await aws.query('elasticache', 'DescribeCacheParameters', name);
    expect([values.includes('allkeys-lru'), values.includes('noeviction')]).toEqual([true, false]);

    await destroy('cache');
    await expect(aws.query('elasticache', 'DescribeCacheParameterGroups', name)).rejects.toThrow('CacheParameterGroupNotFound');
  });

  test('a bucket, a secret and a queue are encrypted with a key', async () => {
    const template = (days: number): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: {} },
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            BucketName: 'encrypted',
            BucketEncryption: {
              ServerSideEncryptionConfiguration: [
                {
                  BucketKeyEnabled: true,
                  ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': ['Key', 'Arn'] } },
                },
              ],
            },
            LifecycleConfiguration: { Rules: [{ Id: 'old', Status: 'Enabled', ExpirationInDays: days }] },
            PublicAccessBlockConfiguration: {
              BlockPublicAcls: true,
              BlockPublicPolicy: true,
              IgnorePublicAcls: true,
              RestrictPublicBuckets: true,
            },
            Tags: TAGS,
          },
        },
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { Name: 'encrypted', KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] }, Tags: TAGS },
        },
        Queue: {
          Type: 'AWS::SQS::Queue',
          Properties: { QueueName: 'encrypted', KmsMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] }, Tags: TAGS },
        },
      },
      Outputs: { Key: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    await deploy('encrypted', template(30));
    const { Key: key = 'none' } = await deploy('encrypted', template(90));

    expect(await aws.rest('s3', 'GET', '/encrypted?encryption')).toContain(key);
    expect(await aws.rest('s3', 'GET', '/encrypted?lifecycle')).toContain('<Days>90</Days>');
    expect((await aws.rest('s3', 'GET', '/encrypted?publicAccessBlock')).match(/>true</gi)).toHaveLength(4);
    expect(await aws.json('secretsmanager', 'secretsmanager.DescribeSecret', { SecretId: 'encrypted' })).toMatchObject({ KmsKeyId: key });
    const queue = { QueueUrl: `${cloud.running.endpoint}/${ACCOUNT}/encrypted`, AttributeNames: ['KmsMasterKeyId'] };
    expect(await aws.json('sqs', 'AmazonSQS.GetQueueAttributes', queue)).toMatchObject({ Attributes: { KmsMasterKeyId: key } });
    const arns = (await tagged()).join(' ');
    for (const part of [':::encrypted', ':secret:encrypted', ':sqs:']) expect(arns).toContain(part);
    await destroy('encrypted');
  });
});
