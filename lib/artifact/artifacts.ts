/**
 * What a component's build published, as it lies in tooling's buckets: `artifacts/<component>/<version>/manifest.json` and
 * `files/<name>`, alike in every region. This file only reads, and is part of the operator's function: it imports little.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { FactoryError } from '../registry/errors.ts';
import type { Objects } from '../registry/objects.ts';

const fileSchema = z.object({
  /** Hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
});

const contentSchema = z.object({
  component: z.string(),
  /** How it is deployed. */
  kind: z.enum(['cloudformation', 'kubernetes', 'foundation']),
  version: z.string(),
  /** By name. */
  files: z.record(z.string(), fileSchema),
  /** Name of the file that is the CloudFormation template; `{cell}` becomes the cell's name where each has a template of its own. */
  template: z.string(),
  /** Values of the template's parameters, the same in every cell. */
  parameters: z.record(z.string(), z.string()),
  /** Images by the template's parameter that takes them; `{region}` becomes the cell's region. */
  images: z.record(z.string(), z.string()),
});

const manifestSchema = contentSchema.extend({
  /** Over all of the above. Two artifacts with the same are the same, whoever published them and when. */
  digest: z.string(),
  /** What it was built from. */
  commit: z.string().optional(),
  /** ISO 8601. */
  publishedAt: z.iso.datetime(),
  by: z.string(),
});

export type ArtifactContent = z.infer<typeof contentSchema>;
export type ArtifactManifest = z.infer<typeof manifestSchema>;

/** Where artifacts begin in a bucket. */
export const ARTIFACTS = 'artifacts/';
export const manifestKey = (component: string, version: string) => `${ARTIFACTS}${component}/${version}/manifest.json`;
export const fileKey = (component: string, version: string, name: string) => `${ARTIFACTS}${component}/${version}/files/${name}`;

/** Hexadecimal SHA-256. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** `sha256:<hex>` of the canonical JSON of what an artifact is; who published it, when and from what is not part of it. */
export function artifactDigest({ component, kind, version, files, template, parameters, images }: ArtifactContent): string {
  return `sha256:${sha256(canonicalize({ component, kind, version, files, template, parameters, images }) ?? '')}`;
}

const UNTOUCHED = 'restore its first version in S3: an artifact is written once; until then, roll out another version';

/** The placeholder for a cell in names of templates. */
export const CELL = '{cell}';

/** Name of the file that is the template for a cell. */
export const templateFor = ({ template }: Pick<ArtifactContent, 'template'>, cell: string): string => template.replaceAll(CELL, cell);

/**
 * The cells that an artifact is made for; undefined for one that goes to every cell.
 * @param names of its files
 */
export function madeFor(template: string, names: Iterable<string>): ReadonlySet<string> | undefined {
  const [before = '', after] = template.split(CELL);
  if (after === undefined) return undefined;
  const templates = [...names].filter((name) => name.startsWith(before) && name.endsWith(after));
  return new Set(templates.map((name) => name.slice(before.length, name.length - after.length)));
}

/** What ends the name of a file that is no text: artifacts are kept as text. */
const ENCODED = '.base64';

/** Name of the file that goes into the CDK's bucket of a cell, under this key. */
export const assetFile = (key: string): string => `${key}${ENCODED}`;

/** How the CDK calls what a template finds in that bucket: by its hash. */
const ASSET_KEY = /(?<![0-9a-zA-Z])[0-9a-f]{64}\.[a-z0-9]+/g;

/** Keys of what a template finds in the CDK's bucket of its own account. */
export const assetsIn = (template: string): readonly string[] => [...new Set(template.match(ASSET_KEY) ?? [])];

/** A manifest as `at` holds it. @throws FactoryError `ARTIFACT_CHANGED` when it is damaged, or not what its digest says */
export function parseManifest(text: string, at: string): ArtifactManifest {
  const changed = (message: string, cause?: unknown) => new FactoryError('ARTIFACT_CHANGED', `${at} ${message}`, { fix: UNTOUCHED, cause });
  let manifest: ArtifactManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw changed('is damaged', error);
  }
  const digest = artifactDigest(manifest);
  if (digest !== manifest.digest) throw changed(`says that its digest is ${manifest.digest}; it is ${digest}`);
  return manifest;
}

/** What was published of a component under a version, or undefined. @throws FactoryError `ARTIFACT_CHANGED` */
export async function tryReadArtifact(store: Objects, component: string, version: string): Promise<ArtifactManifest | undefined> {
  const key = manifestKey(component, version);
  const found = await store.get(key);
  if (!found) return undefined;
  const manifest = parseManifest(found.text, `s3://${store.bucket}/${key}`);
  if (manifest.component === component && manifest.version === version) return manifest;
  throw new FactoryError('ARTIFACT_CHANGED', `s3://${store.bucket}/${key} holds ${manifest.component} ${manifest.version}`, {
    fix: UNTOUCHED,
  });
}

/**
 * What was published of a component under a version.
 * @param digest what it must be, for whoever has pinned it. @default - whatever was published
 * @throws FactoryError `ARTIFACT_UNKNOWN`, `ARTIFACT_CHANGED`
 */
export async function readArtifact(store: Objects, component: string, version: string, digest?: string): Promise<ArtifactManifest> {
  const manifest = await tryReadArtifact(store, component, version);
  if (!manifest) {
    throw new FactoryError('ARTIFACT_UNKNOWN', `${component} ${version} is not published in s3://${store.bucket}`, {
      fix: `\`cellctl component releases ${component}\` lists what is; \`cellctl component publish\` again brings it to every region`,
    });
  }
  if (digest === undefined || digest === manifest.digest) return manifest;
  throw new FactoryError('ARTIFACT_CHANGED', `${component} ${version} in s3://${store.bucket} is ${manifest.digest}, not ${digest}`, {
    fix: UNTOUCHED,
  });
}

/** A file of an artifact, byte for byte as it was published. @throws FactoryError `ARTIFACT_CHANGED` when it is gone or another */
export async function readFileChecked(store: Objects, manifest: ArtifactManifest, name: string): Promise<string> {
  const { component, version, files } = manifest;
  const key = fileKey(component, version, name);
  const wanted = files[name]?.sha256;
  if (wanted === undefined) throw new FactoryError('INTERNAL', `${component} ${version} has no file ${name}`);
  const found = await store.get(key);
  const what = !found ? 'is gone' : sha256(found.text) === wanted ? undefined : `has sha-256 ${sha256(found.text)}, not ${wanted}`;
  if (found && what === undefined) return found.text;
  throw new FactoryError('ARTIFACT_CHANGED', `s3://${store.bucket}/${key} ${what}`, { fix: UNTOUCHED });
}

/** A template, as far as its parameters go. */
interface Parametrized {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
}

/**
 * The parameters of a component's stack in a cell, of those that its template takes: what was published, the images as they
 * are called in the cell's region, `Version`, and what the registry says of the component.
 */
export function stackParameters(
  { parameters, images, version }: Pick<ArtifactContent, 'parameters' | 'images' | 'version'>,
  { Parameters: taken = {} }: Parametrized,
  region: string,
  fromRegistry: Readonly<Record<string, string>>,
): Record<string, string> {
  const there = Object.entries(images).map(([name, uri]) => [name, uri.replaceAll('{region}', region)] as const);
  const all = { ...parameters, ...Object.fromEntries(there), Version: version, ...fromRegistry };
  return Object.fromEntries(Object.entries(all).filter(([name]) => Object.hasOwn(taken, name)));
}
