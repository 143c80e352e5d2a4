/**
 * Records: what the factory remembers of one thing (an account on its way, the life of a cell), each an object of its own
 * in the registry's bucket. Every change is a compare-and-swap, so that of two writers none overwrites what it hasn't read.
 */
import pLimit from 'p-limit';
import type { z } from 'zod';
import { FactoryError } from './errors.ts';
import type { Objects } from './objects.ts';

/** Records that are read at once. */
const CONCURRENCY = 30;
/** Lost races on one record before something must be wrong. */
const ATTEMPTS = 20;

export class Records<T> {
  /**
   * @param prefix folder of the records, with a slash at its end
   * @param schema what a record holds; one that doesn't fit is refused, never guessed at
   */
  constructor(
    private readonly objects: Objects,
    private readonly prefix: string,
    private readonly schema: z.ZodType<T>,
  ) {}

  /** The record `name`, or undefined when there is none. @throws FactoryError `RECORD_INVALID` */
  async read(name: string): Promise<T | undefined> {
    return (await this.load(name))?.value;
  }

  /**
   * All records by name, sorted.
   * @param damaged told of a record that is damaged, which then counts as lost. @default - it is an error
   */
  async all(damaged?: (error: FactoryError) => void): Promise<Map<string, T>> {
    const limit = pLimit(CONCURRENCY);
    const names = (await this.objects.list(this.prefix)).map((key) => key.slice(this.prefix.length, -'.json'.length));
    const read = async (name: string) => {
      try {
        return await this.read(name);
      } catch (error) {
        if (!damaged || !(error instanceof FactoryError) || error.code !== 'RECORD_INVALID') throw error;
        damaged(error);
        return undefined;
      }
    };
    const values = await Promise.all(names.map((name) => limit(() => read(name))));
    return new Map(names.flatMap((name, index) => (values[index] === undefined ? [] : [[name, values[index]]])));
  }

  /**
   * Changes the record `name`: reads it, applies `change`, writes it if nobody else has written since, and otherwise begins
   * anew. `change` returns the record as it was (or undefined for none) to leave it alone, and may throw to refuse.
   * @returns the record as it is now
   */
  async update<R extends T | undefined>(name: string, change: (current: T | undefined) => R): Promise<R> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const current = await this.load(name);
      const next = change(current?.value);
      if (next === current?.value) return next;
      const condition = current ? { etag: current.etag } : ({ absent: true } as const);
      if ((await this.objects.put(this.key(name), `${JSON.stringify(next)}\n`, condition)) !== undefined) return next;
    }
    throw new FactoryError('RECORD_CONFLICT', `others keep changing ${this.key(name)}`, { fix: 'run the command again' });
  }

  private key(name: string): string {
    return `${this.prefix}${name}.json`;
  }

  private async load(name: string): Promise<{ value: T; etag: string } | undefined> {
    const found = await this.objects.get(this.key(name));
    if (!found) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(found.text);
    } catch {
      value = undefined;
    }
    const parsed = this.schema.safeParse(value);
    if (parsed.success) return { value: parsed.data, etag: found.etag };
    throw new FactoryError('RECORD_INVALID', `s3://${this.objects.bucket}/${this.key(name)} is not what the factory wrote`, {
      fix: 'restore its previous version in S3; the record of an account may also be deleted, and is then written anew',
    });
  }
}
