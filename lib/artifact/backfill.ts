/**
 * Brings to a region what was published before cells used it: ECR copies what is pushed from then on, and publishing writes to
 * the regions that there are. Images come first, then files, the manifest last: what is published can be read everywhere.
 */
import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import type { Emit } from '../messages.ts';
import { type Component, isNamed } from '../registry/index.ts';
import type { Objects } from '../registry/objects.ts';
import { type ArtifactManifest, fileKey, manifestKey, readFileChecked } from './artifacts.ts';
import { bringImage, type CopyOptions, presentIn, type Registries } from './image-copies.ts';
import { type ArtifactStores, listArtifacts } from './publishing.ts';
import { LIFECYCLE, pullPolicy } from './repository-settings.ts';

/** Versions of a component that are brought, the newest: what cells run, and what they may be rolled back to. */
const VERSIONS = 20;

export interface BackfillOptions extends Pick<CopyOptions, 'now' | 'sleep'> {
  readonly components: readonly Pick<Component, 'name' | 'kind'>[];
  readonly organizationId: string;
  readonly stores: ArtifactStores;
  readonly registries: Registries;
  readonly emit: Emit;
}

/** What was brought: to which region, and which version. */
export interface Brought {
  readonly component: string;
  readonly version: string;
  readonly region: string;
}

/** Brings the newest versions of every component to each region that lacks one. Run again, it goes on. @throws FactoryError `IMAGE_FAILED`, `ARTIFACT_CHANGED` */
export async function backfill({ components, organizationId, stores, registries, emit, ...time }: BackfillOptions): Promise<Brought[]> {
  const home = stores.byRegion.get(stores.homeRegion);
  if (!home || registries.elsewhere.size === 0) return [];
  const brought: Brought[] = [];
  for (const { name, kind } of components) {
    const releases = (await listArtifacts(home, name)).slice(0, VERSIONS);
    const manifests = releases.flatMap(({ artifact }) => ('unreadable' in artifact ? [] : [artifact]));
    const digests = [...new Set(manifests.flatMap((manifest) => ownDigests(manifest)))];
    for (const [region, ecr] of registries.elsewhere) {
      const there = await presentIn(ecr, name, digests);
      const missing = digests.filter((digest) => !there.has(digest));
      // Also for what is not published yet: its first image waits for its copies.
      if (kind !== 'foundation') await ensureRepository(ecr, name, organizationId);
      const say = (text: string) => emit({ kind: 'progress', subject: name, text });
      const only = { home: registries.home, elsewhere: new Map([[region, ecr]]) };
      for (const digest of missing) await bringImage(only, name, digest, { ...time, say, fresh: false });
      const store = stores.byRegion.get(region);
      if (!store) continue;
      const keys = new Set(await store.list(`artifacts/${name}/`));
      for (const manifest of manifests.filter(({ version }) => !keys.has(manifestKey(name, version)))) {
        await copyArtifact(home, store, manifest);
        brought.push({ component: name, version: manifest.version, region });
        emit({ kind: 'done', subject: name, text: `${manifest.version} brought to ${region}` });
      }
    }
  }
  return brought;
}

/** Digests of the images that are in a repository of the component's own name. */
function ownDigests({ component, images }: ArtifactManifest): string[] {
  const own = new RegExp(`^\\d{12}\\.dkr\\.ecr\\.\\{region\\}\\.[^/]+/${component}@(sha256:[0-9a-f]{64})$`);
  return Object.values(images).flatMap((uri) => own.exec(uri)?.[1] ?? []);
}

/** Files before the manifest. What is there already is left: artifacts are written once. */
async function copyArtifact(home: Objects, store: Objects, manifest: ArtifactManifest): Promise<void> {
  const { component, version, files } = manifest;
  for (const name of Object.keys(files))
    await store.put(fileKey(component, version, name), await readFileChecked(home, manifest, name), { absent: true });
  await store.put(manifestKey(component, version), JSON.stringify(manifest), { absent: true });
}

/** ECR makes a repository with its first copy, by the stack's template; for ours it is made here, as that would. */
async function ensureRepository(ecr: Pick<ECRClient, 'send'>, repositoryName: string, organizationId: string): Promise<void> {
  try {
    await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
    return;
  } catch (error) {
    if (!isNamed(error, 'RepositoryNotFoundException')) throw error;
  }
  try {
    await ecr.send(
      new CreateRepositoryCommand({
        repositoryName,
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'AES256' },
      }),
    );
  } catch (error) {
    // ECR was faster.
    if (!isNamed(error, 'RepositoryAlreadyExistsException')) throw error;
  }
  await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: LIFECYCLE }));
  await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(pullPolicy(organizationId)) }));
}
