/** The published document: one JSON value that holds the whole organization and the life of its cells, with a header that says which one it is. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { FactoryError } from './errors.ts';
import { type Life, lifeSchema } from './life.ts';
import { MIGRATIONS, type Untyped } from './migrations.ts';
import { cellSchema, componentSchema, type Organization, settingsSchema } from './model.ts';
import { assemble, checkShape, isObject, type UncheckedOrganization } from './shape.ts';

/**
 * Version of the document's shape. Whoever changes the shape raises it, adds the step from the version before to
 * `migrations.ts`, and runs `make reference`; a test holds the shape to the schema that was committed for its version.
 */
export const SCHEMA_VERSION = 10;

/** What a document says. */
export interface Content {
  readonly organization: Organization;
  /** Life of the cells that have been seen, by name. */
  readonly life: Readonly<Record<string, Life>>;
}

/** A document's content and its digest: what everything downstream works from. */
export interface Registry extends Content {
  /** `sha256:<hex>` of the content's canonical JSON (RFC 8785). Equal digests mean equal content. */
  readonly digest: string;
  /** Which publication this is; absent for definitions that were read from a folder. */
  readonly published?: Publication;
}

/** Which publication a document is. */
export interface Publication {
  /** 1, 2, 3, … without gaps. */
  readonly revision: number;
  /** When, ISO 8601. */
  readonly at: string;
  /** By whom. */
  readonly by: string;
}

export type PublishedRegistry = Registry & { readonly published: Publication };

const lifeBook = z.record(z.string(), lifeSchema);

/** The whole document, for its JSON Schema. Reading goes step by step, so that what is wrong can be said. */
export const documentSchema = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  revision: z.int().positive(),
  /** `sha256:<hex>` of `{"life":…,"organization":…}` in canonical JSON (RFC 8785). */
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  publishedAt: z.iso.datetime({ offset: true }),
  publisher: z.string(),
  organization: settingsSchema.extend({ cells: z.record(z.string(), cellSchema), components: z.record(z.string(), componentSchema) }),
  life: lifeBook,
});

const { revision, digest, publishedAt, publisher } = documentSchema.shape;
/** What every version's header has. The content is looked at later. */
const headerSchema = z.object({
  revision,
  digest,
  publishedAt,
  publisher,
  organization: z.custom<Record<string, unknown>>(isObject),
  life: z.custom<Record<string, unknown>>(isObject).optional(),
});
type Header = z.infer<typeof headerSchema>;

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new FactoryError('INTERNAL', 'a value that JSON cannot express');
  return text;
}

/** What to do about a document that is not as it was published. */
const UNTOUCHED =
  'fetch it again (`cellctl registry show --json`), or, in the bucket, restore its first version (`cellctl registry verify`)';

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** `sha256:<hex>` over the canonical JSON of `value`. */
export const digestOf = (value: unknown): string => sha256(canonical(value));

/** A registry that has not been published yet. */
export function draft(organization: Organization, life: Content['life'] = {}): Registry {
  return { organization, life, digest: digestOf({ life, organization }) };
}

/** The bytes of a publication: canonical JSON, so that the same publication has the same bytes. */
export function serialize({ organization, life, digest, published }: PublishedRegistry): string {
  return canonical({
    schemaVersion: SCHEMA_VERSION,
    revision: published.revision,
    digest,
    publishedAt: published.at,
    publisher: published.by,
    organization,
    life,
  });
}

/** What the digest is taken of: up to version 1 the organization, then the life of its cells, too. */
const digested = (version: number, { organization, life }: Header): unknown => (version === 1 ? organization : { life, organization });

/**
 * The same as a piece of the document's own text. A published document is canonical, so the piece needs no building anew,
 * which would take more than twice as long as parsing it.
 */
function digestedText(version: number, text: string): string {
  const first = version === 1 ? '"organization":' : '"life":';
  const piece = text.slice(text.indexOf(first), text.lastIndexOf(',"publishedAt":'));
  return version === 1 ? piece.slice(first.length) : `{${piece}}`;
}

/** The version of a document, before anything else is looked at. */
function versionOf(value: unknown, damaged: (what: string, fix: string) => FactoryError): number {
  const version = z.object({ schemaVersion: z.int().positive() }).safeParse(value).data?.schemaVersion;
  if (version === undefined) throw damaged('no schemaVersion', 'pass a document that `cellctl publish` made');
  if (version <= SCHEMA_VERSION) return version;
  throw damaged(
    `schema version ${version}; this reader knows versions 1 to ${SCHEMA_VERSION}`,
    `install a cell-factory that reads schema version ${version}`,
  );
}

/** A document whose version and digest are right. Its content is of today's version; its shape has not been looked at. */
export interface OpenedDocument extends Untyped {
  readonly digest: string;
  readonly published: Publication;
}

/**
 * Opens a published document: version, then header, then digest; then brings the content to today's version.
 * @param source where the text came from, for messages
 * @throws FactoryError `DOCUMENT_INVALID`
 */
export function openDocument(text: string, source: string): OpenedDocument {
  const damaged = (what: string, fix: string, cause?: unknown) =>
    new FactoryError('DOCUMENT_INVALID', `${source}: ${what}`, { fix, cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged('not JSON', UNTOUCHED, error);
  }
  const version = versionOf(value, damaged);
  const header = headerSchema.safeParse(value);
  if (!header.success) throw damaged(`header: ${z.prettifyError(header.error).replaceAll('\n', ' ')}`, UNTOUCHED);
  const { organization, life = {}, digest, revision, publishedAt, publisher } = header.data;
  if (sha256(digestedText(version, text)) !== digest) {
    // Somebody may have formatted it; what it says is what counts.
    const found = digestOf(digested(version, header.data));
    if (found !== digest)
      throw damaged(`content has digest ${found}, header says ${digest}`, `it was changed after it was published: ${UNTOUCHED}`);
  }
  let content: Untyped = { organization, life };
  for (let step = version; step < SCHEMA_VERSION; step++) content = MIGRATIONS[step]?.(content) ?? content;
  return { ...content, digest, published: { revision, at: publishedAt, by: publisher } };
}

/**
 * Reads a published document: opens it, and checks its shape. Rules are not asked: they were when it was published, and a
 * rule that came later must not make old revisions unreadable.
 * @throws FactoryError `DOCUMENT_INVALID`
 */
export function parseDocument(text: string, source: string): PublishedRegistry {
  const { digest, published, ...content } = openDocument(text, source);
  return { organization: organizationOf(content, source), life: lifeOf(content, source), digest, published };
}

const damagedShape = (source: string, what: string) =>
  new FactoryError('DOCUMENT_INVALID', `${source}: ${what}`, { fix: 'publish it again with this version of cell-factory' });

/** The organization of a document, if it has the shape of one. @throws FactoryError `DOCUMENT_INVALID` */
export function organizationOf(content: Untyped, source: string): Organization {
  const { parts, problems } = checkShape(partsOf(content));
  const [first] = problems;
  if (first || !parts.settings) throw damagedShape(source, `${first?.path}: ${first?.message} (${problems.length} in all)`);
  return assemble(parts.settings, parts);
}

/** The life of a document's cells, if it has the shape of one. @throws FactoryError `DOCUMENT_INVALID` */
export function lifeOf({ life }: Untyped, source: string): Content['life'] {
  const parsed = lifeBook.safeParse(life);
  if (parsed.success) return parsed.data;
  throw damagedShape(source, `life: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
}

/** The parts of a document's organization, to be checked. */
export function partsOf({ organization }: Untyped): UncheckedOrganization {
  const { cells, components, ...settings } = organization;
  return { settings, cells: Object(cells), components: Object(components) };
}
