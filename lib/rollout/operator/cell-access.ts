/** How the operator reaches what is inside a cell: the component's stack, and how the cell is. */
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { sha256 } from '../../artifact/artifacts.ts';
import { lookAtDatabase } from '../../aws/databases.ts';
import { deployRole, executionRole, filePublishingRole, ROLLOUT_ROLE, stagingBucket } from '../../aws/roles.ts';
import { s3Client } from '../../aws/s3.ts';
import { assume, inRegion, remembering, type Session } from '../../aws/session.ts';
import { isNamed } from '../../registry/errors.ts';
import { cellStackName } from '../../registry/names.ts';
import { databaseProblems } from '../../review/database-change.ts';
import { storedTemplate } from '../../review/patience.ts';
import type { CellHealth } from '../health.ts';
import type { RolloutCell, RolloutPlan } from '../rollout-record.ts';
import { type HealthQuestion, healthOf } from './cell-health.ts';
import { ComponentStack } from './change.ts';

/** What is rolled out, as far as cells are concerned. */
type RolledOut = Pick<RolloutPlan, 'component' | 'kind'>;

/** What of cells rollouts need. In the simulator, ten thousand of them in memory. */
export interface CellAccess {
  readonly stack: (cell: RolloutCell, component: RolledOut) => Pick<ComponentStack, keyof ComponentStack>;
  readonly health: (cell: RolloutCell, question: HealthQuestion) => Promise<CellHealth>;
}

/**
 * Cells as they are. Components, alarms and metrics by the one role that may roll out; foundations by the CDK's own roles,
 * as `cdk deploy` would: that one is part of the foundation, and must not be able to change what it may do.
 */
export function cellAccess(tooling: Session, partition: string): CellAccess {
  const sessions = new Map<string, Session>();
  const session = ({ accountId, region }: RolloutCell, role: string): Session => {
    const key = `${accountId} ${region} ${role}`;
    const known = sessions.get(key) ?? remembering(assume(inRegion(tooling, region), partition, accountId, role));
    sessions.set(key, known);
    return known;
  };
  return {
    stack: (cell, { component, kind }) => {
      const { accountId, region } = cell;
      const execution = `arn:${partition}:iam::${accountId}:role/${executionRole(accountId, region)}`;
      if (kind !== 'foundation') return new ComponentStack(session(cell, ROLLOUT_ROLE), component, execution);
      const staging = new Staging(session(cell, filePublishingRole(accountId, region)), stagingBucket(accountId, region));
      return new ComponentStack(session(cell, deployRole(accountId, region)), cellStackName(cell.name), execution, {
        stage: (template) => staging.template(template),
        stageAsset: (key, read) => staging.asset(key, read),
        refusal: (before, after) =>
          databaseRefusal(cell.name, before, after, (change) =>
            lookAtDatabase(session(cell, ROLLOUT_ROLE), cellStackName(cell.name), change),
          ),
      });
    },
    health: (cell, question) => healthOf(session(cell, ROLLOUT_ROLE), cell, question),
  };
}

/**
 * What RDS would refuse of a change of templates, as one text; undefined for nothing, and where it may not be asked: the role
 * that asks is part of the foundation, and one that is older than the question goes to CloudFormation without it.
 */
export async function databaseRefusal(
  cell: string,
  before: string,
  after: string,
  look: Parameters<typeof databaseProblems>[3],
): Promise<string | undefined> {
  try {
    const problems = await databaseProblems(cell, storedTemplate(before), storedTemplate(after), look);
    return problems.length === 0 ? undefined : problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`).join('; ');
  } catch (error) {
    if (isNamed(error, 'AccessDenied', 'AccessDeniedException')) return undefined;
    throw error;
  }
}

/** The CDK's bucket in the cell's own account: what ran in a cell is nobody else's to read. */
class Staging {
  private readonly s3: S3Client;

  constructor(
    private readonly session: Session,
    private readonly bucket: string,
  ) {
    this.s3 = s3Client(session);
  }

  async template(text: string): Promise<string> {
    const Key = `cell-factory/${sha256(text)}.json`;
    await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body: text, ContentType: 'application/json' }));
    return `https://${this.bucket}.s3.${this.session.region}.amazonaws.com/${Key}`;
  }

  /** Called after its hash: one that is there is the same. */
  async asset(Key: string, read: () => Promise<string>): Promise<void> {
    const there = await this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key })).then(
      () => true,
      (error: unknown) => {
        if (isNamed(error, 'NotFound', 'NoSuchKey')) return false;
        throw error;
      },
    );
    if (!there) await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body: Buffer.from(await read(), 'base64') }));
  }
}
