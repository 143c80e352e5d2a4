/**
 * Small texts in a bucket, with the conditions that keep two writers from overwriting each other: revisions, the pointer,
 * records, leases. What does it on S3 is `lib/aws/s3-objects.ts`: the CDK app reads the registry, and needs no SDK.
 */
/** What must hold for a write to happen: nothing there yet, or still the object with that ETag. */
export type Condition = { readonly absent: true } | { readonly etag: string };

export interface StoredObject {
  readonly text: string;
  readonly etag: string;
}

/** What the factory needs of a bucket. In tests, a map in memory that keeps the same promises. */
export interface Objects {
  readonly bucket: string;
  get(key: string): Promise<StoredObject | undefined>;
  /** Writes, if `condition` holds. @returns the new ETag, or undefined when somebody else wrote first */
  put(key: string, text: string, condition: Condition): Promise<string | undefined>;
  /** Keys that begin with `prefix`, sorted. */
  list(prefix: string): Promise<string[]>;
  delete(key: string): Promise<void>;
}
