/** The published document: one JSON value that holds the whole organization, and the header that says which one it is. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { FactoryError } from './errors.ts';
import type { Organization } from './model.ts';
import { validate } from './validate.ts';

/** Version of the document's shape. A reader refuses any other. */
export const SCHEMA_VERSION = 1;

/** An organization with the digest of its content: what everything downstream works from. */
export interface Registry {
  readonly organization: Organization;
  /** `sha256:<hex>` of the organization's canonical JSON (RFC 8785). Equal digests mean equal organizations. */
  readonly digest: string;
  /** Which publication this is; absent for definitions that were read from a folder. */
  readonly published?: { readonly revision: number; readonly at: string; readonly by: string };
}

const headerSchema = z.object({
  schemaVersion: z.int(),
  revision: z.int().positive(),
  digest: z.string(),
  publishedAt: z.string(),
  publisher: z.string(),
  organization: z.record(z.string(), z.unknown()),
});

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new FactoryError('INTERNAL', 'a value that JSON cannot express');
  return text;
}

/** `sha256:<hex>` over the canonical JSON of `value`. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`;
}

/** The registry of an organization that has not been published yet. */
export function draft(organization: Organization): Registry {
  return { organization, digest: digestOf(organization) };
}

/** The bytes of a publication: canonical JSON, so that the same publication has the same bytes. */
export function serialize(registry: Registry & Required<Pick<Registry, 'published'>>): string {
  const { organization, digest, published } = registry;
  return canonical({
    schemaVersion: SCHEMA_VERSION,
    revision: published.revision,
    digest,
    publishedAt: published.at,
    publisher: published.by,
    organization,
  });
}

/**
 * Reads a published document. Checks the version before the shape, and the digest before the content is used.
 * @param source where the text came from, for messages
 * @throws FactoryError `DOCUMENT_INVALID` (no JSON, unknown version, wrong digest), `REGISTRY_INVALID` (content breaks a rule)
 */
export function parseDocument(text: string, source: string): Registry {
  const damaged = (what: string, fix: string) => new FactoryError('DOCUMENT_INVALID', `${source}: ${what}`, { fix });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FactoryError('DOCUMENT_INVALID', `${source} is not JSON`, {
      fix: 'pass a document that `cellctl registry show --json` wrote',
      cause: error,
    });
  }
  const version = z.object({ schemaVersion: z.int() }).safeParse(value).data?.schemaVersion;
  if (version === undefined) throw damaged('no schemaVersion', 'pass a document that `cellctl publish` made');
  if (version !== SCHEMA_VERSION) {
    throw damaged(
      `schema version ${version}, this reader knows ${SCHEMA_VERSION}`,
      'use the version of cell-factory that published it, or a newer one',
    );
  }
  const header = headerSchema.safeParse(value);
  if (!header.success) throw damaged(`header: ${z.prettifyError(header.error)}`, 'fetch the document again');
  const { organization, digest, revision, publishedAt, publisher } = header.data;
  const found = digestOf(organization);
  if (found !== digest)
    throw damaged(`content has digest ${found}, header says ${digest}`, 'the document was changed after it was published: fetch it again');
  const { cells = {}, components = {}, ...settings } = organization;
  const checked = validate({ settings, cells: Object(cells), components: Object(components) }, source);
  return { organization: checked, digest, published: { revision, at: publishedAt, by: publisher } };
}
