/**
 * Reads the published registry, for whoever must know which cells there are: routers, dashboards, builds, workloads in
 * other clouds. It asks S3 seldom, and when S3 can't be reached it goes on with what it had, and says so.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type OpenedDocument, openDocument, partsOf } from './document.ts';
import { FactoryError, isNamed, messageOf } from './errors.ts';
import { settingsSchema } from './model.ts';
import { registryBucketName } from './names.ts';
import { POINTER_KEY, parsePointer, revisionKey } from './pointer.ts';
import { Snapshot } from './snapshot.ts';

export interface ReaderOptions {
  /** The registry's bucket: `<organization>-cell-registry-<tooling account>`. */
  readonly bucket: string;
  /** Region of the bucket: the organization's home region. */
  readonly region: string;
  /** File that keeps the last registry that was read, for the day when S3 can't be reached. @default - none is kept */
  readonly cacheFile?: string;
  /** How long what was read is served without asking S3 again, in seconds. @default 60 */
  readonly maxAgeSeconds?: number;
  /** How long after S3 last confirmed it a registry is still served while S3 can't be reached, in seconds. @default - for ever */
  readonly maxStalenessSeconds?: number;
  /** How long one request may take, in seconds. @default 10 */
  readonly timeoutSeconds?: number;
  /** A client of one's own: other credentials, another endpoint. @default - the SDK's usual credentials */
  readonly s3?: S3Client;
  /** The time in milliseconds, for tests. @default Date.now */
  readonly now?: () => number;
}

/** A registry that S3 has confirmed to be the newest. */
interface Known {
  readonly document: OpenedDocument;
  /** As it was read, to be kept on disk. */
  readonly text: string;
  /** When that was, in milliseconds. */
  readonly confirmed: number;
}

export class RegistryReader {
  private readonly s3: S3Client;
  private readonly now: () => number;
  private known: Known | undefined;
  /** What is served, and until when without asking again. */
  private served: { readonly snapshot: Snapshot; readonly until: number } | undefined;
  private pointerTag: string | undefined;
  private underWay: Promise<Snapshot> | undefined;

  /** @throws FactoryError `USAGE` for options that make no sense */
  constructor(private readonly options: ReaderOptions) {
    const { bucket, region, maxAgeSeconds = 0, maxStalenessSeconds = 0, timeoutSeconds = 1 } = options;
    if (bucket === '' || region === '' || !(maxAgeSeconds >= 0) || !(maxStalenessSeconds >= 0) || !(timeoutSeconds > 0)) {
      throw new FactoryError(
        'USAGE',
        `a reader of bucket "${bucket}" in region "${region}" with ${JSON.stringify({ maxAgeSeconds, maxStalenessSeconds, timeoutSeconds })}`,
        {
          fix: 'name bucket and region; seconds are 0 or more, those of a request above 0',
        },
      );
    }
    // By path, as endpoints other than AWS's need it.
    this.s3 = options.s3 ?? new S3Client({ region: options.region, forcePathStyle: true });
    this.now = options.now ?? Date.now;
  }

  /**
   * The registry: at most `maxAgeSeconds` old, or `stale` when S3 can't be reached or holds something damaged. Calls at the
   * same time share one request.
   * @throws FactoryError `REGISTRY_UNREACHABLE` when S3 can't be read and nothing is known, or what is known is too old
   */
  async read(): Promise<Snapshot> {
    if (this.served && this.now() < this.served.until) return this.served.snapshot;
    this.underWay ??= this.refresh().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async refresh(): Promise<Snapshot> {
    this.known ??= await this.fromDisk();
    try {
      const fetched = await this.fetch();
      const notSaved = await this.save(fetched.text, fetched.document.digest === this.known?.document.digest);
      this.known = { ...fetched, confirmed: this.now() };
      return this.serve(new Snapshot(fetched.document, { confirmedAt: new Date(this.known.confirmed), notSaved }));
    } catch (error) {
      return this.serve(this.lastKnownGood(error));
    }
  }

  private serve(snapshot: Snapshot): Snapshot {
    this.served = { snapshot, until: this.now() + (this.options.maxAgeSeconds ?? 60) * 1000 };
    return snapshot;
  }

  /** The newest registry: what is known, if the pointer still says so; otherwise read and checked. */
  private async fetch(): Promise<Omit<Known, 'confirmed'>> {
    const { known } = this;
    const pointer = await this.get(POINTER_KEY, known && this.pointerTag);
    if (!pointer) {
      if (known) return known;
      throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet', { fix: 'run `cellctl publish`' });
    }
    const source = `s3://${this.options.bucket}/`;
    const { revision, digest } = parsePointer(pointer.text, `${source}${POINTER_KEY}`);
    const newest = known?.document.published.revision ?? 0;
    if (revision < newest) {
      throw new FactoryError('DOCUMENT_INVALID', `the pointer went back from revision ${newest} to ${revision}`, {
        fix: 'old content is published again as a new revision: `cellctl registry rollback`',
      });
    }
    if (known && newest === revision && known.document.digest === digest) {
      this.pointerTag = pointer.etag;
      return known;
    }
    const text = (await this.get(revisionKey(revision)))?.text ?? '';
    const document = openDocument(text, `${source}${revisionKey(revision)}`);
    if (document.digest !== digest || document.published.revision !== revision) {
      throw new FactoryError('DOCUMENT_INVALID', `${source}${revisionKey(revision)} is not what the pointer says`, {
        fix: '`cellctl registry verify` says what is wrong',
      });
    }
    this.pointerTag = pointer.etag;
    return { document, text };
  }

  /** An object, or undefined when it still has the ETag `unless`. */
  private async get(key: string, unless?: string): Promise<{ text: string; etag: string | undefined } | undefined> {
    try {
      const { Body, ETag } = await this.s3.send(
        new GetObjectCommand({ Bucket: this.options.bucket, Key: key, ...(unless === undefined ? {} : { IfNoneMatch: unless }) }),
        { abortSignal: AbortSignal.timeout((this.options.timeoutSeconds ?? 10) * 1000) },
      );
      return { text: (await Body?.transformToString()) ?? '', etag: ETag };
    } catch (error) {
      if (unless !== undefined && (isNamed(error, 'NotModified', '304') || statusOf(error) === 304)) return undefined;
      if (key === POINTER_KEY && isNamed(error, 'NoSuchKey')) return undefined;
      throw error;
    }
  }

  private lastKnownGood(error: unknown): Snapshot {
    const reason = reasonOf(error);
    const { known, options } = this;
    const age = known ? (this.now() - known.confirmed) / 1000 : 0;
    if (known && age <= (options.maxStalenessSeconds ?? Number.POSITIVE_INFINITY)) {
      return new Snapshot(known.document, { confirmedAt: new Date(known.confirmed), stale: reason });
    }
    const tooOld = known ? `; what is known was confirmed ${Math.round(age)} s ago` : '';
    throw new FactoryError('REGISTRY_UNREACHABLE', `s3://${options.bucket} can't be read: ${reason}${tooOld}`, {
      fix: error instanceof FactoryError && error.fix !== undefined ? error.fix : hint(error),
      cause: error,
    });
  }

  /** What an earlier run has kept. A file that is missing, damaged, or of another registry is as good as none. */
  private async fromDisk(): Promise<Known | undefined> {
    const { cacheFile } = this.options;
    if (cacheFile === undefined) return undefined;
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(cacheFile, 'utf8'), stat(cacheFile)]);
      const document = openDocument(text, cacheFile);
      const settings = settingsSchema.parse(partsOf(document).settings);
      if (registryBucketName(settings) !== this.options.bucket) return undefined;
      return { document, text, confirmed: mtimeMs };
    } catch {
      return undefined;
    }
  }

  /** Keeps what was read; of what is kept already, that it was confirmed now. Returns why it couldn't. */
  private async save(text: string, unchanged: boolean): Promise<string | undefined> {
    const { cacheFile } = this.options;
    if (cacheFile === undefined) return undefined;
    const time = new Date(this.now());
    try {
      // Unchanged, it only has to be known when it was confirmed; if the file is gone, it is written anew.
      if (unchanged && (await touch(cacheFile, time))) return undefined;
      await mkdir(dirname(cacheFile), { recursive: true });
      const whole = `${cacheFile}.${randomUUID()}`;
      try {
        await writeFile(whole, text);
        await utimes(whole, time, time);
        await rename(whole, cacheFile);
      } finally {
        await rm(whole, { force: true });
      }
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Sets the time of a file. Returns false when it can't. */
const touch = (file: string, time: Date) =>
  utimes(file, time, time).then(
    () => true,
    () => false,
  );

/** What went wrong, in words. The SDK calls an answer that it can't read UnknownError, and says no more. */
function reasonOf(error: unknown): string {
  const status = statusOf(error);
  const message = messageOf(error) || String(error);
  return typeof status === 'number' && !(error instanceof FactoryError) ? `${message} (HTTP ${status})` : message;
}

function statusOf(error: unknown): unknown {
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
}

function hint(error: unknown): string {
  // Without the permission to list, S3 doesn't say that an object is missing.
  if (isNamed(error, 'AccessDenied'))
    return 'allow s3:GetObject on latest.json and revisions/*; if it is allowed, nothing was published yet';
  if (isNamed(error, 'NoSuchBucket')) return 'check bucket and region: the bucket is <organization>-cell-registry-<tooling account>';
  return 'check network, region and credentials';
}
