/**
 * A lease on a piece of work, as an object in the registry's bucket: whoever creates the object holds it.
 * It runs out by itself, so that a holder that died blocks nobody for long.
 */
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { FactoryError, isNamed } from '../../registry/index.ts';
import { s3Client } from './s3.ts';
import type { Session } from './session.ts';

const LEASE_MS = 90_000;
const RENEW_MS = 30_000;

const leaseSchema = z.object({ holder: z.string(), since: z.string(), until: z.string() });
type Lease = z.infer<typeof leaseSchema>;

export class Leases {
  private readonly s3: S3Client;
  private readonly held = new Set<string>();

  /** @param holder who we are, for the message that others get */
  constructor(
    session: Session,
    private readonly bucket: string,
    private readonly holder: string,
  ) {
    this.s3 = s3Client(session);
  }

  /**
   * Does `work` while holding the lease `name`.
   * @throws FactoryError `LOCKED` when somebody else holds it, naming them
   */
  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = `locks/${name}.json`;
    let etag = await this.acquire(key, name);
    const since = new Date();
    this.held.add(key);
    const timer = setInterval(() => {
      this.put(key, since, { IfMatch: etag }).then(
        (renewed) => {
          etag = renewed;
        },
        // A renewal that fails leaves the lease to run out; the work itself fails or ends on its own.
        () => undefined,
      );
    }, RENEW_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.held.delete(key);
      await this.release(key);
    }
  }

  /** Who holds the lease `name` now, or undefined when nobody does. */
  async holderOf(name: string): Promise<string | undefined> {
    const held = await this.read(`locks/${name}.json`);
    return held && Date.parse(held.lease.until) > Date.now() ? held.lease.holder : undefined;
  }

  /** Gives back everything that is held, for a program that is about to end. */
  async releaseAll(): Promise<void> {
    await Promise.all([...this.held].map((key) => this.release(key)));
  }

  private async acquire(key: string, name: string): Promise<string> {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        return await this.put(key, new Date(), { IfNoneMatch: '*' });
      } catch (error) {
        if (!isNamed(error, 'PreconditionFailed', 'ConditionalRequestConflict')) throw error;
      }
      const held = await this.read(key);
      if (!held) continue;
      if (Date.parse(held.lease.until) > Date.now()) {
        throw new FactoryError('LOCKED', `${name} is being worked on by ${held.lease.holder} since ${held.lease.since}`, {
          fix: `wait until it is done; if it died, its lock runs out at ${held.lease.until}`,
        });
      }
      try {
        return await this.put(key, new Date(), { IfMatch: held.etag });
      } catch (error) {
        if (!isNamed(error, 'PreconditionFailed', 'ConditionalRequestConflict')) throw error;
      }
    }
    throw new FactoryError('LOCKED', `${name}: others keep taking the lock`, { fix: 'run the command again' });
  }

  private async put(key: string, since: Date, condition: { IfMatch?: string; IfNoneMatch?: string }): Promise<string> {
    const lease: Lease = { holder: this.holder, since: since.toISOString(), until: new Date(Date.now() + LEASE_MS).toISOString() };
    const { ETag } = await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: JSON.stringify(lease), ...condition }));
    return ETag ?? '';
  }

  private async read(key: string): Promise<{ lease: Lease; etag: string } | undefined> {
    try {
      const { Body, ETag } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return { lease: leaseSchema.parse(JSON.parse((await Body?.transformToString()) ?? '{}')), etag: ETag ?? '' };
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      throw error;
    }
  }

  /** Only our own: after a pause longer than the lease somebody else may hold it. */
  private async release(key: string): Promise<void> {
    const held = await this.read(key);
    if (held?.lease.holder === this.holder) await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }
}
