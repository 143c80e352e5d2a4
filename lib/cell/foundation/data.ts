import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { CellPlan } from '../../plan/plan.ts';
import type { CellKey } from './key.ts';
import { maintenanceWindow } from './maintenance.ts';
import type { CellNetwork } from './network.ts';
import { createServiceLog, nameOfStack } from './service-log.ts';

/** Name of the database inside the instance. */
export const DATABASE_NAME = 'cell';

/** What a cell remembers: PostgreSQL, a Valkey cache, and a queue with its dead letters. */
export class CellData extends Construct {
  readonly database: rds.DatabaseInstance;
  readonly cache: elasticache.CfnReplicationGroup;
  /** Password of the cache. */
  readonly cacheSecret: secretsmanager.Secret;
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;
  private readonly key: CellKey['key'];

  constructor(scope: Construct, id: string, cell: CellPlan, network: CellNetwork, { key }: CellKey) {
    super(scope, id);
    this.key = key;
    this.database = this.createDatabase(cell, network);
    this.cacheSecret = this.createCacheSecret();
    this.cache = this.createCache(cell, network);
    this.deadLetters = this.createQueue('DeadLetters', { retentionPeriod: Duration.days(14) });
    this.queue = this.createQueue('Queue', {
      visibilityTimeout: Duration.seconds(60),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
  }

  private createDatabase(cell: CellPlan, network: CellNetwork): rds.DatabaseInstance {
    const { resources, profile } = cell;
    const instanceIdentifier = nameOfStack(this, cell);
    const log = createServiceLog(this, 'DatabaseLog', cell, this.key, `/aws/rds/instance/${instanceIdentifier}/postgresql`);
    // The major version alone: RDS picks the minor version of a new database, and upgrades it from there (decision 0031).
    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 });
    const database = new rds.DatabaseInstance(this, 'Database', {
      instanceIdentifier,
      engine,
      parameterGroup: new rds.ParameterGroup(this, 'DatabaseParameters', {
        engine,
        description: `Cell ${cell.name}`,
        // Connections without TLS are refused.
        parameters: { 'rds.force_ssl': '1' },
      }),
      autoMinorVersionUpgrade: true,
      preferredBackupWindow: '01:00-02:00',
      preferredMaintenanceWindow: maintenanceWindow(cell),
      vpc: network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [network.data],
      instanceType: new ec2.InstanceType(resources.database.instanceClass),
      allocatedStorage: resources.database.storageGiB,
      maxAllocatedStorage: resources.database.maxStorageGiB,
      storageType: rds.StorageType.GP3,
      storageEncrypted: true,
      storageEncryptionKey: this.key,
      multiAz: resources.database.standby,
      backupRetention: Duration.days(resources.database.backupDays),
      deleteAutomatedBackups: !profile.keepsData,
      deletionProtection: profile.protected,
      removalPolicy: profile.keepsData ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
      copyTagsToSnapshot: true,
      enablePerformanceInsights: true,
      performanceInsightEncryptionKey: this.key,
      databaseName: DATABASE_NAME,
      // RDS makes and rotates the password itself, so that it never stands in a template.
      manageMasterUserPassword: true,
      iamAuthentication: true,
      cloudwatchLogsExports: ['postgresql'],
    });
    // RDS makes the group of an exported log when it isn't there.
    database.node.addDependency(log);
    // The construct has no property for it.
    (database.node.defaultChild as rds.CfnDBInstance).masterUserSecret = { kmsKeyId: this.key.keyArn };
    Validations.of(database).acknowledge({
      id: 'AwsSolutions-RDS11',
      reason:
        "PostgreSQL's own port: the database is in isolated subnets and only the cell's services reach it; another port hides nothing.",
    });
    if (!profile.protected) {
      const reason = 'Staging and personal cells hold no customer data and must be easy to remove; production cells are protected.';
      Validations.of(database).acknowledge({ id: 'AwsSolutions-RDS3', reason }, { id: 'AwsSolutions-RDS10', reason });
    }
    return database;
  }

  /** A replication group by its CloudFormation resource: aws-cdk-lib has no construct above it. */
  private createCache(cell: CellPlan, network: CellNetwork): elasticache.CfnReplicationGroup {
    const { nodeType, replicas } = cell.resources.cache;
    const subnets = new elasticache.CfnSubnetGroup(this, 'CacheSubnets', {
      description: `Cell ${cell.name}: isolated subnets`,
      subnetIds: network.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_ISOLATED }).subnetIds,
    });
    const cache = new elasticache.CfnReplicationGroup(this, 'Cache', {
      replicationGroupDescription: `Cell ${cell.name}`,
      engine: 'valkey',
      engineVersion: '8.1',
      cacheNodeType: nodeType,
      numCacheClusters: 1 + replicas,
      automaticFailoverEnabled: replicas > 0,
      multiAzEnabled: replicas > 0,
      kmsKeyId: this.key.keyArn,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [network.data.securityGroupId],
      port: 6379,
      snapshotRetentionLimit: 0,
      // A reference that CloudFormation resolves when it deploys: the password never stands in a template.
      authToken: this.cacheSecret.secretValue.unsafeUnwrap(),
    });
    if (replicas === 0) {
      Validations.of(cache).acknowledge({
        id: 'AwsSolutions-AEC4',
        reason: 'Outside production a cache may be away for as long as it takes to start another: no replica is paid for.',
      });
    }
    return cache;
  }

  private createCacheSecret(): secretsmanager.Secret {
    const secret = new secretsmanager.Secret(this, 'CacheSecret', {
      description: 'Password of the cache',
      encryptionKey: this.key,
      // ElastiCache takes 16 to 128 characters, and few of the punctuation marks.
      generateSecretString: { excludePunctuation: true, passwordLength: 64 },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Secrets Manager has no rotation of its own for ElastiCache, and a function in each cell would be one more thing to break.',
    });
    return secret;
  }

  private createQueue(id: string, props: sqs.QueueProps): sqs.Queue {
    return new sqs.Queue(this, id, {
      ...props,
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: this.key,
      enforceSSL: true,
    });
  }
}
