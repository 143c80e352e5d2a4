import { describe, expect, test } from '@jest/globals';
import { Foundation } from '../../../lib/cell/foundation/foundation.ts';
import { patienceFor, USUAL } from '../../../lib/review/patience.ts';
import { plannedCell } from '../../_helpers/cells.ts';
import { app, resources } from '../../_helpers/synth.ts';

const template = (Resources: Record<string, object>) => ({ Resources });
const database = (properties: object = {}) => ({
  Database: { Type: 'AWS::RDS::DBInstance', Properties: { DBInstanceClass: 'db.m7g.large', AllocatedStorage: '100', ...properties } },
});
const cache = (properties: object = {}) => ({
  Cache: { Type: 'AWS::ElastiCache::ReplicationGroup', Properties: { CacheNodeType: 'cache.m7g.large', ...properties } },
});
const minutes = (before: object, after: object) => {
  const { seconds, what } = patienceFor(before, after);
  return `${seconds / 60} ${what}`;
};

describe('a change is waited for', () => {
  test('an hour, when nothing of it is slow', () => {
    const queue = (VisibilityTimeout: number) => ({ Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout } } });
    expect(patienceFor(template({ ...queue(1), ...database() }), template({ ...queue(2), ...database() }))).toBe(USUAL);
    expect(USUAL.seconds).toBe(3_600);
  });

  test('as long as the slowest of what changes in a resource', () => {
    const changed = (properties: object) => minutes(template(database()), template(database(properties)));
    expect(changed({ DBInstanceClass: 'db.m7g.xlarge' })).toBe('120 another class of the database');
    expect(changed({ DBInstanceClass: 'db.m7g.xlarge', AllocatedStorage: '200' })).toBe('240 other storage of the database');
    expect(changed({ MultiAZ: true })).toBe('180 a standby of the database');
    expect(changed({ BackupRetentionPeriod: 7 })).toBe('90 the database');
  });

  test('longer for what is new, or goes', () => {
    expect(minutes({}, template(database()))).toBe('90 the database');
    expect(minutes(template(cache()), {})).toBe('90 the cache');
  });

  test('longer for each kind of change, and not for each resource', () => {
    const service = (name: string, TaskDefinition: string) => ({ [name]: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition } } });
    const at = (version: string) => template({ ...service('A', version), ...service('B', version) });
    expect(minutes(at('1'), at('2'))).toBe('75 new tasks of a service');
    expect(
      minutes(
        template({ ...database(), ...cache() }),
        template({ ...database({ DBInstanceClass: 'db.m7g.xlarge' }), ...cache({ CacheNodeType: 'cache.r7g.large' }) }),
      ),
    ).toBe('210 another class of the database, other nodes of the cache');
  });

  test('hours, when a cell becomes a size larger', () => {
    const at = (size: 'medium' | 'large') => ({ Resources: resources(new Foundation(app(), plannedCell('production', size))) });
    const { seconds, what } = patienceFor(at('medium'), at('large'));
    expect(seconds).toBe(330 * 60);
    expect(what).toContain('other storage of the database, other nodes of the cache');
  });
});
