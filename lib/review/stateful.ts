/**
 * Resources whose loss can't be made good by deploying again: with them goes data, or a name that others know. The one
 * list behind what `plan` marks, what `deploy` refuses, and the logical ids that a test pins.
 */
import { changesOf, type PropertyChange, type ResourceChange } from './changes.ts';

interface StatefulType {
  /** What is gone when the resource is, in words that follow "lost:". */
  readonly lost: string;
  /**
   * Properties that the resource's schema says may replace it, and that change in place in the way we use it.
   * Without them, a longer backup would be refused as the loss of a database.
   */
  readonly inPlace?: readonly string[];
}

/** By CloudFormation's type. */
export const STATEFUL: Readonly<Record<string, StatefulType>> = {
  'AWS::RDS::DBInstance': {
    lost: 'the database: the new one is empty, and has another address',
    // All of them are parameters of ModifyDBInstance (Amazon RDS API Reference). The schema's "may" is about read replicas.
    inPlace: [
      'AutoMinorVersionUpgrade',
      'BackupRetentionPeriod',
      'DBParameterGroupName',
      'MultiAZ',
      'PreferredMaintenanceWindow',
      'StorageType',
    ],
  },
  'AWS::RDS::DBCluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::RDS::DBSubnetGroup': { lost: 'where the database lives: it can only move by being made anew' },
  'AWS::RDS::GlobalCluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::DocDB::DBCluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::Neptune::DBCluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::Redshift::Cluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::MemoryDB::Cluster': { lost: 'the database: the new one is empty, and has another address' },
  'AWS::ElastiCache::CacheCluster': { lost: 'what is cached, sessions included: the new one begins empty, at another address' },
  'AWS::ElastiCache::ReplicationGroup': { lost: 'what is cached, sessions included: the new one begins empty, at another address' },
  'AWS::ElastiCache::ServerlessCache': { lost: 'what is cached, sessions included: the new one begins empty, at another address' },
  'AWS::SQS::Queue': { lost: 'messages that wait in the queue, and its address' },
  'AWS::SNS::Topic': { lost: 'the subscriptions of the topic, and its address' },
  'AWS::AmazonMQ::Broker': { lost: 'messages that wait in the broker, and its address' },
  'AWS::MSK::Cluster': { lost: 'records of the cluster that nobody has read, and its address' },
  'AWS::Kinesis::Stream': { lost: 'records of the stream that nobody has read' },
  'AWS::KMS::Key': { lost: 'whatever is encrypted with the key, for good, once its waiting time is over' },
  'AWS::SecretsManager::Secret': { lost: 'the secret: who knows it or its address must be told the new one' },
  'AWS::S3::Bucket': { lost: 'the objects in the bucket, and its name, which anybody may take' },
  'AWS::EFS::FileSystem': { lost: 'the files' },
  'AWS::FSx::FileSystem': { lost: 'the files' },
  'AWS::EC2::Volume': { lost: 'the data on the volume' },
  'AWS::Cassandra::Table': { lost: 'the rows of the table' },
  'AWS::Timestream::Table': { lost: 'the records of the table' },
  'AWS::DynamoDB::Table': { lost: 'the items of the table' },
  'AWS::DynamoDB::GlobalTable': { lost: 'the items of the table' },
  'AWS::OpenSearchService::Domain': { lost: 'the indexes of the domain' },
  'AWS::Cognito::UserPool': { lost: 'the users and their passwords' },
  'AWS::ECR::Repository': { lost: 'the images of the repository' },
  'AWS::Logs::LogGroup': { lost: 'the logs so far' },
  'AWS::Backup::BackupVault': { lost: 'the backups in the vault' },
  'AWS::Route53::HostedZone': { lost: 'the zone: another one has other name servers, and names are gone until it is delegated anew' },
  'AWS::EC2::VPC': { lost: 'the network: databases and caches can’t follow into another one, and what can is made anew' },
  'AWS::EC2::Subnet': { lost: 'the addresses: another subnet can’t be made while this one has them, so that the update fails' },
  'AWS::EC2::EIP': { lost: 'the address, which others may have on their lists' },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': { lost: 'the entrance: the new one has another address, and no component behind it' },
};

/** True for a type whose loss is lost data or a lost name. */
export const isStateful = (type: string): boolean => Object.hasOwn(STATEFUL, type);

/** True for a property of which the schema says "may replace", and which changes in place. */
export const changesInPlace = (type: string, property: string): boolean => STATEFUL[type]?.inPlace?.includes(property) ?? false;

/** A change by which something is lost. */
export interface Destruction {
  readonly logicalId: string;
  readonly type: string;
  readonly change: 'replace' | 'remove';
  /** False when it may come to it. */
  readonly certain: boolean;
  /** What forces a replacement. */
  readonly properties: readonly PropertyChange[];
  /** What is lost, in words. */
  readonly lost: string;
  /** What is left behind of the old resource, in words. */
  readonly stays: string | undefined;
}

const STAYS = {
  all: 'the old one stays, outside of the stack',
  snapshot: 'a snapshot of the old one stays',
  nothing: undefined,
} as const satisfies Record<ResourceChange['kept'], string | undefined>;

/**
 * The changes by which something is lost: replacements of what is stateful, whatever its policies say, because the new one
 * begins empty; and removals, unless the policy leaves the resource as it is.
 */
export function destructionsIn(changes: readonly ResourceChange[]): Destruction[] {
  const removed = changesOf(changes, 'remove').filter(({ kept }) => kept !== 'all');
  return [...changesOf(changes, 'replace'), ...removed].flatMap(({ logicalId, type, change, certain, properties, kept }) => {
    const lost = STATEFUL[type]?.lost;
    if (lost === undefined || !isLoss(change)) return [];
    return [{ logicalId, type, change, certain, properties, lost, stays: STAYS[kept] }];
  });
}

const isLoss = (change: ResourceChange['change']): change is Destruction['change'] => change === 'replace' || change === 'remove';
