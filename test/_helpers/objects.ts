import { createHash } from 'node:crypto';
import type { Condition, Objects, StoredObject } from '../../lib/registry/index.ts';

/** A bucket in memory, with S3's conditions. */
export class MemoryObjects implements Objects {
  readonly bucket = 'memory';
  readonly objects = new Map<string, string>();

  async get(key: string): Promise<StoredObject | undefined> {
    const text = this.objects.get(key);
    return text === undefined ? undefined : { text, etag: etagOf(text) };
  }

  async put(key: string, text: string, condition: Condition): Promise<string | undefined> {
    const current = this.objects.get(key);
    const holds = 'absent' in condition ? current === undefined : current !== undefined && etagOf(current) === condition.etag;
    if (!holds) return undefined;
    this.objects.set(key, text);
    return etagOf(text);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key);
  }
}

const etagOf = (text: string) => createHash('md5').update(text).digest('hex');
