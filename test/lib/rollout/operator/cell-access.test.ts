import { expect, test } from '@jest/globals';
import { databaseRefusal } from '../../../../lib/rollout/operator/cell-access.ts';

const template = (storage: string) =>
  JSON.stringify({
    Resources: {
      Database: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          Engine: 'postgres',
          EngineVersion: '17',
          DBInstanceClass: 'db.t4g.micro',
          StorageType: 'gp3',
          AllocatedStorage: storage,
        },
      },
    },
  });
const facts = { live: { storageGiB: 100, version: '17.6', zones: ['a', 'b'] }, offered: '17.6', version: '17.6', zones: ['a', 'b'] };

test('RDS is asked about what a foundation changes, and refuses less storage', async () => {
  await expect(databaseRefusal('alpha', template('100'), template('50'), async () => facts)).resolves.toMatch(/100/);
  await expect(databaseRefusal('alpha', template('100'), template('200'), async () => facts)).resolves.toBeUndefined();
});

test('a template that the CDK has written as YAML counts as one without a database, and the new one is asked about', async () => {
  const gone = { ...facts, live: undefined, offered: undefined };
  await expect(databaseRefusal('alpha', 'Resources: {}', template('50'), async () => gone)).resolves.toMatch(/17/);
  await expect(databaseRefusal('alpha', 'Resources: {}', template('50'), async () => facts)).resolves.toBeUndefined();
});

test('a foundation whose role may not ask RDS yet goes on without', async () => {
  const denied = Object.assign(new Error('not authorized to perform: rds:DescribeDBInstances'), { name: 'AccessDenied' });
  await expect(databaseRefusal('alpha', template('100'), template('50'), () => Promise.reject(denied))).resolves.toBeUndefined();
  const broken = Object.assign(new Error('try later'), { name: 'InternalFailure' });
  await expect(databaseRefusal('alpha', template('100'), template('50'), () => Promise.reject(broken))).rejects.toBe(broken);
});
