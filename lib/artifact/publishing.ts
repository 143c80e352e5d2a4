/**
 * Publishes what a component's build made, once and for all, to every region that cells use.
 *
 * The version is claimed at home first: of two publishers at once, one writes the claim, and the other finds out whether it
 * is the same. So everything after the claim has one content, whoever writes it, and whoever dies on the way can be carried
 * on from. Files come before manifests, and home's manifest last: what is published can be read everywhere.
 */
import pLimit from 'p-limit';
import { FactoryError } from '../registry/index.ts';
import type { Objects } from '../registry/objects.ts';
import {
  ARTIFACTS,
  type ArtifactContent,
  type ArtifactManifest,
  artifactDigest,
  fileKey,
  manifestKey,
  parseManifest,
  sha256,
  tryReadArtifact,
} from './artifacts.ts';
import { requirePublishable, type Unpublished } from './template-check.ts';

/** Manifests that are read at once. */
const CONCURRENCY = 20;

/** The buckets of artifacts. */
export interface ArtifactStores {
  readonly homeRegion: string;
  /** All of them, home's too. */
  readonly byRegion: ReadonlyMap<string, Objects>;
}

export interface ArtifactDraft extends Unpublished {
  /** What it was built from. */
  readonly commit: string | undefined;
  /** Who publishes. */
  readonly by: string;
}

export interface PublishedArtifact {
  readonly manifest: ArtifactManifest;
  /** `unchanged` when the very same was published already. */
  readonly state: 'published' | 'unchanged';
  /** Regions that did not have it yet. */
  readonly regions: readonly string[];
}

/** Where a version is claimed, at home only. */
const claimKey = (component: string, version: string) => `${ARTIFACTS}${component}/${version}/claim.json`;

/**
 * Publishes `draft` to every region. The same content again changes nothing, and brings it to regions that lack it.
 * @throws FactoryError `ARTIFACT_INVALID` when it can't go to every cell, `ARTIFACT_DIFFERS` when the version is something
 * else already, `ARTIFACT_CHANGED` when a bucket holds what was not published, `NOT_INITIALIZED` when a bucket is missing
 */
export async function publishArtifact(draft: ArtifactDraft, stores: ArtifactStores, now = new Date()): Promise<PublishedArtifact> {
  requirePublishable(draft);
  const home = stores.byRegion.get(stores.homeRegion);
  if (!home) throw new FactoryError('INTERNAL', `no bucket of artifacts in ${stores.homeRegion}`);
  const manifest = await claim(home, manifestOf(draft, now));
  const elsewhere = [...stores.byRegion].filter(([region]) => region !== stores.homeRegion);
  const texts = [...draft.files].map(([name, text]) => [fileKey(draft.component, draft.version, name), text] as const);
  await Promise.all([home, ...elsewhere.map(([, store]) => store)].map((store) => writeAll(store, texts)));
  const writeManifest = (store: Objects) => writeOnce(store, manifestKey(draft.component, draft.version), JSON.stringify(manifest));
  const written = await Promise.all(elsewhere.map(async ([region, store]) => ((await writeManifest(store)) ? [region] : [])));
  const isNew = await writeManifest(home);
  return {
    manifest,
    state: isNew ? 'published' : 'unchanged',
    regions: [...written.flat(), ...(isNew ? [stores.homeRegion] : [])].sort(),
  };
}

function manifestOf(
  { component, kind, version, files, template, parameters, images, commit, by }: ArtifactDraft,
  now: Date,
): ArtifactManifest {
  const hashed = [...files].map(([name, text]) => [name, { sha256: sha256(text), bytes: Buffer.byteLength(text) }] as const);
  const content: ArtifactContent = { component, kind, version, files: Object.fromEntries(hashed), template, parameters, images };
  return { ...content, digest: artifactDigest(content), ...(commit === undefined ? {} : { commit }), publishedAt: now.toISOString(), by };
}

/** Claims the version for `mine`. @returns the manifest to write: of somebody else, if they claimed it for the same content */
async function claim(home: Objects, mine: ArtifactManifest): Promise<ArtifactManifest> {
  const { component, version } = mine;
  const key = claimKey(component, version);
  if ((await home.put(key, JSON.stringify(mine), { absent: true })) !== undefined) return mine;
  const theirs = parseManifest((await home.get(key))?.text ?? '', `s3://${home.bucket}/${key}`);
  if (theirs.digest === mine.digest) return theirs;
  const finished = (await tryReadArtifact(home, component, version)) !== undefined;
  throw new FactoryError(
    'ARTIFACT_DIFFERS',
    `${component} ${version} was ${finished ? 'published' : 'begun'} by ${theirs.by} at ${theirs.publishedAt}, with another ${differencesOf(theirs, mine).join(', ')}`,
    { fix: 'publish under another version: what a version is never changes' },
  );
}

/** What two artifacts don't have in common, in words. */
function differencesOf(one: ArtifactContent, other: ArtifactContent): string[] {
  const names = (what: string, a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>) =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
      .sort()
      .map((name) => `${what} ${name}`);
  const hashes = ({ files }: ArtifactContent) => Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.sha256]));
  return [
    ...(one.kind === other.kind ? [] : ['kind']),
    ...(one.template === other.template ? [] : ['name of its template']),
    ...names('file', hashes(one), hashes(other)),
    ...names('parameter', one.parameters, other.parameters),
    ...names('image', one.images, other.images),
  ];
}

async function writeAll(store: Objects, texts: readonly (readonly [string, string])[]): Promise<void> {
  await Promise.all(texts.map(([key, text]) => writeOnce(store, key, text)));
}

/** Writes what must be there. @returns false when it was there already. @throws FactoryError `ARTIFACT_CHANGED` when that is another */
async function writeOnce(store: Objects, key: string, text: string): Promise<boolean> {
  if ((await store.put(key, text, { absent: true })) !== undefined) return true;
  if ((await store.get(key))?.text === text) return false;
  throw new FactoryError('ARTIFACT_CHANGED', `s3://${store.bucket}/${key} holds something else than this version was claimed for`, {
    fix: 'restore its first version in S3, or publish under another version',
  });
}

/** What was published under a version, or why it can't be read. */
export interface Release {
  readonly version: string;
  readonly artifact: ArtifactManifest | { readonly unreadable: string };
}

/** The time of a release; one that can't be read is older than all others. */
const timeOf = ({ artifact }: Release) => ('unreadable' in artifact ? '' : artifact.publishedAt);

/** All that was published of a component, newest first. */
export async function listArtifacts(home: Objects, component: string): Promise<Release[]> {
  const prefix = `${ARTIFACTS}${component}/`;
  const versions = (await home.list(prefix)).flatMap((key) => /^([^/]+)\/manifest\.json$/.exec(key.slice(prefix.length))?.[1] ?? []);
  const limit = pLimit(CONCURRENCY);
  const releases = await Promise.all(versions.map((version) => limit(() => readRelease(home, component, version))));
  return releases.flat().sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
}

/** A damaged release hides no other. */
async function readRelease(home: Objects, component: string, version: string): Promise<Release[]> {
  try {
    const artifact = await tryReadArtifact(home, component, version);
    return artifact ? [{ version, artifact }] : [];
  } catch (error) {
    if (error instanceof FactoryError && error.code === 'ARTIFACT_CHANGED') return [{ version, artifact: { unreadable: error.message } }];
    throw error;
  }
}
