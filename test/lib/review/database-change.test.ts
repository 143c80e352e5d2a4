import { describe, expect, test } from '@jest/globals';
import { type DatabaseFacts, databaseChanges, databaseProblems } from '../../../lib/review/database-change.ts';

const PROPERTIES = {
  ...{ Engine: 'postgres', EngineVersion: '17', DBInstanceClass: 'db.m7g.large', StorageType: 'gp3', MultiAZ: true },
  ...{ AllocatedStorage: '100', MaxAllocatedStorage: 500, BackupRetentionPeriod: 14 },
};
const template = (properties: object = {}) => ({
  Resources: {
    Database: { Type: 'AWS::RDS::DBInstance', Properties: { ...PROPERTIES, ...properties } },
    Queue: { Type: 'AWS::SQS::Queue' },
  },
});
const ZONES = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];
const LIVE = { storageGiB: 300, version: '17.9', zones: ZONES };
const FACTS: DatabaseFacts = { live: LIVE, offered: '17.7', version: '17.9', zones: ZONES };

const problems = async (before: object, after: object, facts: Partial<DatabaseFacts> = {}) =>
  (await databaseProblems('alpha', before, after, async () => ({ ...FACTS, ...facts }))).map(
    ({ path, message, fix }) => `${path}: ${message} | ${fix}`,
  );
const created = (facts: Partial<DatabaseFacts> = {}, properties: object = {}) =>
  problems({}, template(properties), { live: undefined, version: '17.7', ...facts });

describe('a database is asked about', () => {
  test('when it is new, or changes in what RDS may refuse', () => {
    const changed = (properties: object) => databaseChanges(template(), template(properties)).map((change) => change.changed);
    expect(databaseChanges({}, template())).toMatchObject([{ logicalId: 'Database', changed: undefined, storageGiB: 100, standby: true }]);
    expect(changed({ DBInstanceClass: 'db.m7g.xlarge', AllocatedStorage: '200' })).toEqual([['DBInstanceClass', 'AllocatedStorage']]);
    expect(changed({ BackupRetentionPeriod: 7, PreferredMaintenanceWindow: 'tue:02:30-tue:03:30' })).toEqual([]);
    expect(databaseChanges(template(), {})).toEqual([]);
  });
});

describe('of a new database is refused', () => {
  test('nothing that RDS offers', async () => {
    expect(await created()).toEqual([]);
  });

  test('a version that is withdrawn', async () => {
    expect(await created({ offered: undefined, version: '17.4' }, { EngineVersion: '17.4' })).toEqual([
      expect.stringMatching(/^alpha\/Database: RDS offers no postgres 17\.4 in this region \| deploy a version of the factory/),
    ]);
  });

  test('a class that is on offer nowhere, or in too few zones for a standby', async () => {
    expect(await created({ zones: [] })).toEqual([
      'alpha/Database: RDS offers db.m7g.large with postgres 17.7 and gp3 in none of its zones | choose another class: overrides: { database: { instanceClass: … } } (registry/cells/alpha.ts)',
    ]);
    expect(await created({ zones: ['eu-west-1b'] })).toEqual([
      expect.stringContaining('in eu-west-1b only, and a standby needs two zones'),
    ]);
    expect(await created({ zones: ['eu-west-1b'] }, { MultiAZ: false })).toEqual([]);
  });

  test('a class that is on offer in the region, and in too few of the zones that the template names for the cell', async () => {
    const subnetIn = (AvailabilityZone: unknown) => ({ Type: 'AWS::EC2::Subnet', Properties: { AvailabilityZone } });
    const cellIn = (...zones: unknown[]) => ({
      Resources: { ...template().Resources, ...Object.fromEntries(zones.map((zone, index) => [`Subnet${index}`, subnetIn(zone)])) },
    });
    const offered = { live: undefined, zones: ['eu-west-1b', 'eu-west-1c'] };
    expect(await problems({}, cellIn('eu-west-1a', 'eu-west-1b', 'eu-west-1a'), offered)).toEqual([
      expect.stringContaining('in eu-west-1b only, and a standby needs two zones'),
    ]);
    expect(await problems({}, cellIn('eu-west-1a', 'eu-west-1d'), offered)).toEqual([expect.stringContaining('in none of its zones')]);
    expect(await problems({}, cellIn('eu-west-1b', 'eu-west-1c'), offered)).toEqual([]);
    // Zones that CloudFormation chooses are nobody's to compare with.
    expect(await problems({}, cellIn({ 'Fn::GetAZs': '' }), offered)).toEqual([]);
  });
});

describe('of a change is refused', () => {
  const change = (properties: object, facts: Partial<DatabaseFacts> = {}) => problems(template(), template(properties), facts);

  test('less storage than it has grown to; a size above it is fine', async () => {
    expect(await change({ AllocatedStorage: '200' })).toEqual([
      'alpha/Database: storage has grown to 300 GiB, and 200 are wanted: RDS makes storage no smaller | keep what it has: overrides: { database: { storageGiB: 300, maxStorageGiB: 500 } } (registry/cells/alpha.ts)',
    ]);
    expect(await change({ AllocatedStorage: '500', MaxAllocatedStorage: 2_000 })).toEqual([]);
  });

  test('a little more storage than it has grown to', async () => {
    expect(await change({ AllocatedStorage: '320', MaxAllocatedStorage: 500 })).toEqual([
      expect.stringMatching(
        /grown to 300 GiB, and 320 are wanted: RDS makes it larger by 10 % at least \| take more: .*storageGiB: 330, maxStorageGiB: 500/,
      ),
    ]);
    expect(await change({ AllocatedStorage: '330' })).toEqual([]);
    expect(await change({ AllocatedStorage: '300' })).toEqual([]);
  });

  test('a maximum that storage has reached', async () => {
    expect(await change({ MaxAllocatedStorage: 300 })).toEqual([expect.stringContaining('may only grow to 300 | keep what it has')]);
  });

  test('nothing for storage that has grown, when something else changes', async () => {
    expect(await change({ DBInstanceClass: 'db.m7g.xlarge' })).toEqual([]);
  });

  test('a lower version than it has; its major version alone never is', async () => {
    expect(await change({ EngineVersion: '17.8' }, { offered: '17.8' })).toEqual([
      expect.stringContaining('the database has postgres 17.9, and 17.8 is wanted: RDS makes no version lower'),
    ]);
    expect(await problems(template({ EngineVersion: '17.7' }), template())).toEqual([]);
    // Withdrawn for new databases; those that have it keep it.
    expect(await change({ EngineVersion: '17.9' }, { offered: undefined })).toEqual([]);
  });

  test('a class that is not on offer in the zones of its network', async () => {
    const elsewhere = { live: { ...LIVE, zones: ['eu-west-1a', 'eu-west-1b'] }, zones: ['eu-west-1b', 'eu-west-1c'] };
    expect(await change({ DBInstanceClass: 'db.r7g.large' }, elsewhere)).toEqual([
      expect.stringContaining('RDS offers db.r7g.large with postgres 17.9 and gp3 in eu-west-1b only'),
    ]);
  });

  test('all that is wrong, at once', async () => {
    expect(await change({ AllocatedStorage: '200', DBInstanceClass: 'db.r7g.large' }, { zones: [] })).toHaveLength(2);
  });
});
