/** Where revisions lie in the bucket, and the object that says which one is the newest. Writers and readers meet here. */
import { z } from 'zod';
import { FactoryError } from './errors.ts';

/** Object that says which revision is the newest. */
export const POINTER_KEY = 'latest.json';
/** Folder of the revisions. */
export const REVISIONS = 'revisions/';
/** Object that holds revision `revision`. */
export const revisionKey = (revision: number) => `${REVISIONS}${String(revision).padStart(8, '0')}.json`;

const pointerSchema = z.object({ revision: z.int().positive(), digest: z.string() });

/** What `latest.json` says. */
export type Pointer = z.infer<typeof pointerSchema>;

/** Reads `latest.json`. @throws FactoryError `DOCUMENT_INVALID` */
export function parsePointer(text: string, source: string): Pointer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = pointerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FactoryError('DOCUMENT_INVALID', `${source} is no pointer`, { fix: 'restore its previous version in S3' });
}
