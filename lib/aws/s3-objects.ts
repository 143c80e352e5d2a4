/** Small texts in a bucket of S3, by conditional writes. Everything that the factory keeps on S3 goes through here. */
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { type Condition, FactoryError, isNamed, type Objects, type StoredObject } from '../registry/index.ts';

/** S3's answers to a lost race: the condition did not hold, or another conditional write was under way. */
const LOST_RACE = ['PreconditionFailed', 'ConditionalRequestConflict'];

const INIT = 'run `cellctl init`; if that was done, the lock file belongs to another organization than the definitions';

export class S3Objects implements Objects {
  /** @param missing what to do when there is no such bucket. @default - run `cellctl init` */
  constructor(
    private readonly s3: S3Client,
    readonly bucket: string,
    private readonly missing = INIT,
  ) {}

  async get(key: string): Promise<StoredObject | undefined> {
    try {
      const { Body, ETag } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return { text: (await Body?.transformToString()) ?? '', etag: ETag ?? '' };
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      throw this.explained(error);
    }
  }

  async put(key: string, text: string, condition: Condition): Promise<string | undefined> {
    const header = 'absent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
    try {
      const { ETag } = await this.s3.send(
        new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: text, ContentType: 'application/json', ...header }),
      );
      return ETag ?? '';
    } catch (error) {
      // An object that is gone can't match either: S3 answers If-Match with 404 then.
      if (isNamed(error, ...LOST_RACE) || (isNamed(error, 'NoSuchKey') && 'etag' in condition)) return undefined;
      throw this.explained(error);
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    try {
      for await (const page of paginateListObjectsV2({ client: this.s3 }, { Bucket: this.bucket, Prefix: prefix })) {
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      }
    } catch (error) {
      throw this.explained(error);
    }
    return keys.sort();
  }

  async delete(key: string): Promise<void> {
    await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  private explained(error: unknown): unknown {
    if (!isNamed(error, 'NoSuchBucket')) return error;
    return new FactoryError('NOT_INITIALIZED', `there is no bucket ${this.bucket}`, {
      fix: this.missing,
      cause: error,
    });
  }
}
