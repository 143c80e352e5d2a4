/**
 * The registry on S3. `revisions/<n>.json` are immutable, `latest.json` points at the newest.
 * A revision is written first and pointed at second; a revision that nobody points at (its publisher died between the two)
 * is pointed at by whoever publishes next.
 */
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { draft, parseDocument, type Registry, serialize } from './document.ts';
import { FactoryError, isNamed } from './errors.ts';
import type { Organization } from './model.ts';

const POINTER_KEY = 'latest.json';
const revisionKey = (revision: number) => `revisions/${String(revision).padStart(8, '0')}.json`;

const pointerSchema = z.object({ revision: z.int().positive(), digest: z.string() });
type Pointer = z.infer<typeof pointerSchema> & { readonly etag: string };

export type PublishedRegistry = Registry & Required<Pick<Registry, 'published'>>;

/** What a publication did. */
export interface PublishResult {
  readonly registry: PublishedRegistry;
  /** False when the newest revision already had this content and nothing was written. */
  readonly changed: boolean;
  /** The revision of a dead publisher that was rolled forward first. */
  readonly rolledForward?: number;
}

/** S3's answers to a lost race: the condition did not hold, or another conditional write was under way. */
const LOST_RACE = ['PreconditionFailed', 'ConditionalRequestConflict'];

export class RegistryStore {
  constructor(
    private readonly s3: S3Client,
    readonly bucket: string,
  ) {}

  /** The newest revision, or undefined when nothing was published yet. */
  async latest(): Promise<PublishedRegistry | undefined> {
    const pointer = await this.pointer();
    return pointer && this.revision(pointer.revision);
  }

  /** Revision `revision`. @throws FactoryError `REVISION_NOT_FOUND` */
  async revision(revision: number): Promise<PublishedRegistry> {
    const found = await this.tryRevision(revision);
    if (found) return found;
    throw new FactoryError('REVISION_NOT_FOUND', `the registry has no revision ${revision}`, {
      fix: '`cellctl registry history` lists them',
    });
  }

  /** The newest `limit` revisions, newest first. */
  async history(limit: number): Promise<PublishedRegistry[]> {
    const pointer = await this.pointer();
    if (!pointer) return [];
    const numbers = Array.from({ length: Math.min(limit, pointer.revision) }, (_, index) => pointer.revision - index);
    return Promise.all(numbers.map((revision) => this.revision(revision)));
  }

  /**
   * Publishes `organization` as the next revision; writes nothing when the newest one has the same content.
   * @param by who publishes, for the history
   * @throws FactoryError `PUBLISH_CONFLICT` when somebody else published at the same time
   */
  async publish(organization: Organization, by: string, now = new Date()): Promise<PublishResult> {
    const { pointer, rolledForward } = await this.rollForward(await this.pointer());
    const next = draft(organization);
    const note = rolledForward === undefined ? {} : { rolledForward };
    if (pointer?.digest === next.digest) return { registry: await this.revision(pointer.revision), changed: false, ...note };
    const registry = { ...next, published: { revision: (pointer?.revision ?? 0) + 1, at: now.toISOString(), by } };
    await this.put(revisionKey(registry.published.revision), serialize(registry), { IfNoneMatch: '*' });
    await this.point(registry, pointer);
    return { registry, changed: true, ...note };
  }

  /** Points at a revision that a dead publisher left behind, if there is one. */
  private async rollForward(pointer: Pointer | undefined): Promise<{ pointer: Pointer | undefined; rolledForward?: number }> {
    const orphan = await this.tryRevision((pointer?.revision ?? 0) + 1);
    if (!orphan) return { pointer };
    const moved = await this.point(orphan, pointer);
    return { pointer: moved, rolledForward: orphan.published.revision };
  }

  private async point(registry: PublishedRegistry, previous: Pointer | undefined): Promise<Pointer> {
    const target = { revision: registry.published.revision, digest: registry.digest };
    const condition = previous ? { IfMatch: previous.etag } : { IfNoneMatch: '*' };
    return { ...target, etag: await this.put(POINTER_KEY, JSON.stringify(target), condition) };
  }

  private async put(key: string, body: string, condition: { IfMatch?: string; IfNoneMatch?: string }): Promise<string> {
    try {
      const { ETag } = await this.s3.send(
        new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, ContentType: 'application/json', ...condition }),
      );
      return ETag ?? '';
    } catch (error) {
      if (!isNamed(error, ...LOST_RACE)) throw error;
      throw new FactoryError('PUBLISH_CONFLICT', `somebody else wrote ${key} at the same time`, {
        fix: 'run `cellctl plan` to see what they published, then `cellctl publish` again',
        cause: error,
      });
    }
  }

  private async get(key: string): Promise<{ text: string; etag: string } | undefined> {
    try {
      const { Body, ETag } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return { text: (await Body?.transformToString()) ?? '', etag: ETag ?? '' };
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      if (!isNamed(error, 'NoSuchBucket')) throw error;
      throw new FactoryError('NOT_INITIALIZED', `there is no bucket ${this.bucket}`, {
        fix: 'run `cellctl init`; if that was done, the lock file belongs to another organization than the definitions',
        cause: error,
      });
    }
  }

  private async pointer(): Promise<Pointer | undefined> {
    const found = await this.get(POINTER_KEY);
    if (!found) return undefined;
    const parsed = pointerSchema.safeParse(JSON.parse(found.text));
    if (!parsed.success) {
      throw new FactoryError('DOCUMENT_INVALID', `s3://${this.bucket}/${POINTER_KEY} is no pointer`, {
        fix: 'restore its previous version in S3',
      });
    }
    return { ...parsed.data, etag: found.etag };
  }

  private async tryRevision(revision: number): Promise<PublishedRegistry | undefined> {
    const key = revisionKey(revision);
    const found = await this.get(key);
    if (!found) return undefined;
    const registry = parseDocument(found.text, `s3://${this.bucket}/${key}`);
    if (registry.published?.revision === revision) return { ...registry, published: registry.published };
    throw new FactoryError('DOCUMENT_INVALID', `${key} holds revision ${registry.published?.revision}`, {
      fix: 'restore its first version in S3',
    });
  }
}
