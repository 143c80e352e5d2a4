/**
 * A lease on a piece of work, as an object in the registry's bucket: whoever creates the object holds it.
 * It runs out by itself, so that a holder that died blocks nobody for long.
 */
import { z } from 'zod';
import { type Condition, FactoryError, type Objects } from '../registry/index.ts';
import { s3Client } from './s3.ts';
import { S3Objects } from './s3-objects.ts';
import type { Session } from './session.ts';

const LEASE_MS = 90_000;
const RENEW_MS = 30_000;

const leaseSchema = z.object({ holder: z.string(), since: z.string(), until: z.string() });
type Lease = z.infer<typeof leaseSchema>;

export class Leases {
  private readonly objects: Objects;
  private readonly held = new Set<string>();

  /** @param holder who we are, for the message that others get */
  constructor(
    session: Session,
    bucket: string,
    private readonly holder: string,
  ) {
    this.objects = new S3Objects(s3Client(session), bucket);
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
      this.put(key, since, { etag }).then(
        (renewed) => {
          etag = renewed ?? etag;
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
      const taken = await this.put(key, new Date(), { absent: true });
      if (taken !== undefined) return taken;
      const held = await this.read(key);
      if (!held) continue;
      if (Date.parse(held.lease.until) > Date.now()) {
        throw new FactoryError('LOCKED', `${name} is being worked on by ${held.lease.holder} since ${held.lease.since}`, {
          fix: `wait until it is done; if it died, its lock runs out at ${held.lease.until}`,
        });
      }
      const takenOver = await this.put(key, new Date(), { etag: held.etag });
      if (takenOver !== undefined) return takenOver;
    }
    throw new FactoryError('LOCKED', `${name}: others keep taking the lock`, { fix: 'run the command again' });
  }

  private put(key: string, since: Date, condition: Condition): Promise<string | undefined> {
    const lease: Lease = { holder: this.holder, since: since.toISOString(), until: new Date(Date.now() + LEASE_MS).toISOString() };
    return this.objects.put(key, JSON.stringify(lease), condition);
  }

  private async read(key: string): Promise<{ lease: Lease; etag: string } | undefined> {
    const found = await this.objects.get(key);
    return found && { lease: leaseSchema.parse(JSON.parse(found.text)), etag: found.etag };
  }

  /** Only our own: after a pause longer than the lease somebody else may hold it. */
  private async release(key: string): Promise<void> {
    const held = await this.read(key);
    if (held?.lease.holder === this.holder) await this.objects.delete(key);
  }
}
