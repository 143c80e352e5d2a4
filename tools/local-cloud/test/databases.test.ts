import {
  CreateDBInstanceCommand,
  DescribeDBEngineVersionsCommand,
  DescribeDBInstancesCommand,
  DescribeOrderableDBInstanceOptionsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { aws, cloud } from './management.ts';
import { MANAGEMENT_ACCOUNT, REGION, type Template } from './server.ts';

const databases = async (wanted: object) => {
  const answer = await fetch(`${cloud.running.endpoint}/moto-api/cell-factory/databases`, { method: 'POST', body: JSON.stringify(wanted) });
  if (!answer.ok) throw new Error(await answer.text());
};
const happens = (wanted: object) => databases({ account: MANAGEMENT_ACCOUNT, ...wanted });

let rds: RDSClient;
beforeAll(() => {
  const credentials = { accessKeyId: 'AKIAMANAGEMENT', secretAccessKey: 'unused' };
  rds = new RDSClient({ endpoint: cloud.running.endpoint, region: REGION, credentials });
});
afterEach(() => databases({ withdrawn: [], defaults: {}, missing: {} }));

const create = (DBInstanceIdentifier: string, more: object = {}) =>
  rds.send(
    new CreateDBInstanceCommand({
      ...{ DBInstanceIdentifier, Engine: 'postgres', EngineVersion: '17', DBInstanceClass: 'db.t4g.medium', MasterUsername: 'postgres' },
      ...{ ManageMasterUserPassword: true, AllocatedStorage: 100, MaxAllocatedStorage: 500, StorageType: 'gp3', ...more },
    }),
  );
const modify = (DBInstanceIdentifier: string, more: object) =>
  rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ApplyImmediately: true, ...more }));
const described = async (DBInstanceIdentifier: string) =>
  (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }))).DBInstances?.[0];
const refused = (message: unknown) => ({ name: 'InvalidParameterCombination', message });

describe('a version of PostgreSQL', () => {
  test('is the default one of a major version, until it is withdrawn', async () => {
    await create('major');
    expect(await described('major')).toMatchObject({ EngineVersion: '17.7' });
    await databases({ withdrawn: ['17.7'], defaults: { '17': '17.8' } });
    await create('later');
    expect(await described('later')).toMatchObject({ EngineVersion: '17.8' });
    await expect(create('named', { EngineVersion: '17.7' })).rejects.toMatchObject(refused('Cannot find version 17.7 for postgres'));
    await expect(create('old', { EngineVersion: '17.4' })).rejects.toMatchObject(refused('Cannot find version 17.4 for postgres'));
  });

  test('never goes back; a major version alone lifts a database to its default, or leaves it alone', async () => {
    await create('upgraded');
    await happens({ database: 'upgraded', version: '17.9' });
    const pinned = modify('upgraded', { EngineVersion: '17.8' });
    await expect(pinned).rejects.toMatchObject(refused('Cannot find upgrade path from 17.9 to 17.8.'));
    await modify('upgraded', { EngineVersion: '17' });
    expect(await described('upgraded')).toMatchObject({ EngineVersion: '17.9' });
    await create('lower');
    await databases({ defaults: { '17': '17.8' } });
    await modify('lower', { EngineVersion: '17' });
    expect(await described('lower')).toMatchObject({ EngineVersion: '17.8' });
    await expect(modify('lower', { EngineVersion: '18' })).rejects.toMatchObject({ message: expect.stringMatching(/AllowMajorVersion/) });
  });

  test('is told: those on offer, those withdrawn too, and the default', async () => {
    const versions = async (more: object = {}) => {
      const command = new DescribeDBEngineVersionsCommand({ Engine: 'postgres', EngineVersion: '17', ...more });
      return (await rds.send(command)).DBEngineVersions?.map(({ EngineVersion, Status }) => `${EngineVersion} ${Status}`);
    };
    const offered = ['17.5 available', '17.6 available', '17.7 available', '17.8 available', '17.9 available'];
    expect(await versions()).toEqual(offered);
    expect(await versions({ IncludeAll: true })).toEqual(['1', '2', '3', '4'].map((minor) => `17.${minor} deprecated`).concat(offered));
    expect(await versions({ DefaultOnly: true })).toEqual(['17.7 available']);
  });
});

test('storage grows by itself up to its maximum, and gets no smaller', async () => {
  await create('storage');
  await happens({ database: 'storage', storageGiB: 300 });
  expect(await described('storage')).toMatchObject({ AllocatedStorage: 300, MaxAllocatedStorage: 500 });
  const smaller = modify('storage', { AllocatedStorage: 200 });
  await expect(smaller).rejects.toMatchObject(refused('Invalid storage size for engine name postgres and storage type gp3: 200'));
  await expect(modify('storage', { AllocatedStorage: 320 })).rejects.toMatchObject({ name: 'InvalidParameterCombination' });
  await modify('storage', { AllocatedStorage: 330 });
  await expect(happens({ database: 'storage', storageGiB: 501 })).rejects.toThrow('storage may grow to 500 GiB');
});

test('a class that cannot be ordered is refused, when a database is made and when it is changed', async () => {
  await databases({ missing: { 'db.r7g.2xlarge': [], 'db.m7g.large': ['a'] } });
  const not = (cls: string) => refused(expect.stringContaining(`DBInstanceClass=${cls}, Engine=postgres, EngineVersion=17.7`));
  await expect(create('class', { DBInstanceClass: 'db.r7g.2xlarge' })).rejects.toMatchObject(not('db.r7g.2xlarge'));
  await expect(create('class', { DBInstanceClass: 'db.m4.large' })).rejects.toMatchObject(not('db.m4.large'));
  await create('class');
  await expect(modify('class', { DBInstanceClass: 'db.r7g.2xlarge' })).rejects.toMatchObject(not('db.r7g.2xlarge'));
  const options = async (DBInstanceClass: string) => {
    const command = new DescribeOrderableDBInstanceOptionsCommand({ Engine: 'postgres', EngineVersion: '17.7', DBInstanceClass });
    const { OrderableDBInstanceOptions = [] } = await rds.send(command);
    return OrderableDBInstanceOptions.filter(({ StorageType }) => StorageType === 'gp3').map(({ AvailabilityZones }) =>
      AvailabilityZones?.map(({ Name }) => Name),
    );
  };
  expect(await options('db.r7g.2xlarge')).toEqual([]);
  expect(await options('db.m7g.large')).toEqual([[`${REGION}b`, `${REGION}c`]]);
});

describe('in a stack', () => {
  const template = (properties: object): Template => ({
    Resources: {
      Database: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          ...{ Engine: 'postgres', EngineVersion: '17', DBInstanceClass: 'db.t4g.medium', MasterUsername: 'postgres' },
          ...{ DBInstanceIdentifier: 'stacked', ManageMasterUserPassword: true, StorageType: 'gp3' },
          ...{ AllocatedStorage: '100', MaxAllocatedStorage: 500, ...properties },
        },
      },
    },
  });

  test('a database carries CloudFormation’s tags, and one that has grown takes every change but a smaller size', async () => {
    await aws.deploy('grown', template({}));
    const tags = new Map((await described('stacked'))?.TagList?.map(({ Key, Value }) => [Key, Value]));
    expect([tags.get('aws:cloudformation:stack-name'), tags.get('aws:cloudformation:logical-id')]).toEqual(['grown', 'Database']);
    await happens({ database: 'stacked', storageGiB: 300, version: '17.9' });
    expect(await aws.deploy('grown', template({ BackupRetentionPeriod: 7 }))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    expect(await described('stacked')).toMatchObject({ AllocatedStorage: 300, EngineVersion: '17.9', BackupRetentionPeriod: 7 });
    const failed = await aws.deploy('grown', template({ BackupRetentionPeriod: 7, AllocatedStorage: '200' }));
    expect(failed.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    const reasons = (await aws.events(failed)).map(({ ResourceStatusReason = '' }) => ResourceStatusReason).join('\n');
    expect(reasons).toContain('Invalid storage size for engine name postgres and storage type gp3: 200');
  });
});
