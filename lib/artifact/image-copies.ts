/**
 * Copies of an image in other regions. ECR makes them of what is pushed, after a while, and of nothing that was pushed before a
 * region was added: those are made here, byte for byte, so that an image has one digest everywhere.
 * Sources: "Private image replication in Amazon ECR", Amazon ECR User Guide; DescribeImageReplicationStatus and
 * InitiateLayerUpload, Amazon ECR API Reference; read on 2026-11-30.
 */
import {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  DescribeImageReplicationStatusCommand,
  DescribeImagesCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
  type Image,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import pLimit from 'p-limit';
import { z } from 'zod';
import { FactoryError, isNamed } from '../registry/index.ts';

type Ecr = Pick<ECRClient, 'send'>;

/** ECR at home and in the other regions that cells use. */
export interface Registries {
  readonly home: Ecr;
  readonly elsewhere: ReadonlyMap<string, Ecr>;
}

export interface CopyOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Told what is waited for, and what is copied. */
  readonly say: (text: string) => void;
  /** True for an image that was pushed just now: ECR gets a moment to begin. */
  readonly fresh: boolean;
}

/** How long copies may take, in milliseconds; ECR makes most of them within half an hour. */
const COPIED_WITHIN = 45 * 60_000;
/** How long ECR may take to begin. */
const BEGUN_WITHIN = 60_000;
const PAUSE = 5_000;
const LAYERS_AT_ONCE = 4;
/** How long a layer may take to arrive, in milliseconds. */
const LAYER_WITHIN = 20 * 60_000;
/** Length of a part, where ECR doesn't ask for one. */
const PART_BYTES = 10 * 2 ** 20;
/** Images that a call takes. Source: BatchGetImage, Amazon ECR API Reference. */
const IMAGES_PER_CALL = 100;

export const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

const blob = z.looseObject({ digest: z.string() });
const manifestSchema = z.looseObject({
  config: blob.optional(),
  layers: z.array(blob).optional(),
  /** Of an index: an image for each platform. */
  manifests: z.array(blob).optional(),
});

/** Which of the images are in a region. */
export async function presentIn(client: Ecr, repositoryName: string, digests: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  try {
    for (let from = 0; from < digests.length; from += IMAGES_PER_CALL) {
      const imageIds = digests.slice(from, from + IMAGES_PER_CALL).map((imageDigest) => ({ imageDigest }));
      const { images = [] } = await client.send(new BatchGetImageCommand({ repositoryName, imageIds, acceptedMediaTypes: MANIFESTS }));
      for (const { imageId } of images) if (imageId?.imageDigest !== undefined) found.add(imageId.imageDigest);
    }
  } catch (error) {
    // ECR makes a repository with the first copy.
    if (!isNamed(error, 'RepositoryNotFoundException')) throw error;
  }
  return found;
}

/**
 * Sees to it that the image is in every region: waits for copies that ECR makes, and makes those that it doesn't.
 * @throws FactoryError `IMAGE_FAILED` when one is missing in the end; run again, it goes on
 */
export async function bringImage(
  { home, elsewhere }: Registries,
  repositoryName: string,
  digest: string,
  { now, sleep, say, fresh }: CopyOptions,
): Promise<void> {
  const began = now();
  const copied = new Set<string>();
  let told = '';
  for (;;) {
    const open: string[] = [];
    for (const [region, client] of elsewhere) if (!(await presentIn(client, repositoryName, [digest])).has(digest)) open.push(region);
    if (open.length === 0) return;
    const states = await replication(home, repositoryName, digest);
    // A copy that ECR has made may have been deleted since: what is complete and not there is waited for no longer than a begin.
    const early = now() - began < BEGUN_WITHIN;
    const theirs = (state: string | undefined) =>
      state === 'IN_PROGRESS' || (early && (state === 'COMPLETE' || (fresh && state === undefined)));
    const ours = open.filter((region) => !theirs(states.get(region)));
    for (const region of ours) {
      const client = elsewhere.get(region);
      if (copied.has(region)) {
        throw new FactoryError('IMAGE_FAILED', `${repositoryName}@${digest} was copied to ${region}, and is not there`, {
          fix: `its tag may be another image's in ${region}: delete that image there, and run the same command again`,
        });
      }
      copied.add(region);
      say(`copying ${repositoryName}@${digest.slice(0, 19)} to ${region}, which ECR doesn't`);
      if (client) await copyImage(home, client, region, repositoryName, digest);
    }
    if (ours.length === open.length) continue;
    if (now() - began > COPIED_WITHIN) {
      throw new FactoryError(
        'IMAGE_FAILED',
        `${repositoryName}@${digest} is not in ${open.join(', ')} after ${COPIED_WITHIN / 60_000} minutes`,
        {
          fix: `look at its replication in ECR (\`aws ecr describe-image-replication-status\`), and publish again`,
        },
      );
    }
    const waiting = `waiting for ECR's copies of ${repositoryName} in ${open.join(', ')}`;
    if (waiting !== told) say(waiting);
    told = waiting;
    await sleep(PAUSE);
  }
}

/** How far ECR is with its copies, by region; empty for an image that it doesn't copy. */
async function replication(home: Ecr, repositoryName: string, imageDigest: string): Promise<Map<string, string>> {
  const { replicationStatuses = [] } = await home.send(
    new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageDigest } }),
  );
  return new Map(replicationStatuses.map(({ region = '', status = '' }) => [region, status]));
}

/** Copies an image and everything that it is made of. */
async function copyImage(home: Ecr, there: Ecr, region: string, repositoryName: string, digest: string): Promise<void> {
  const { imageManifest = '', imageManifestMediaType } = await readImage(home, repositoryName, digest);
  const { config, layers = [], manifests = [] } = manifestSchema.parse(JSON.parse(imageManifest));
  try {
    for (const each of manifests) await copyImage(home, there, region, repositoryName, each.digest);
    const limit = pLimit(LAYERS_AT_ONCE);
    const blobs = [...new Set([...(config ? [config] : []), ...layers].map((each) => each.digest))];
    await Promise.all(blobs.map((each) => limit(() => copyBlob(home, there, repositoryName, each))));
    // Without a tag it would expire there.
    const { imageDetails = [] } = await home.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageDigest: digest }] }));
    const [imageTag] = imageDetails[0]?.imageTags ?? [];
    const named = { imageDigest: digest, ...(imageTag === undefined ? {} : { imageTag }) };
    await there.send(new PutImageCommand({ repositoryName, imageManifest, imageManifestMediaType, ...named }));
  } catch (error) {
    // ECR was faster.
    if (isNamed(error, 'ImageAlreadyExistsException', 'ImageTagAlreadyExistsException')) return;
    if (!isNamed(error, 'RepositoryNotFoundException')) throw error;
    throw new FactoryError('NOT_INITIALIZED', `tooling has no repository for copies of ${repositoryName} in ${region}`, {
      fix: 'run `cellctl deploy --tooling`: it makes the repository, and copies what was published before',
    });
  }
}

async function readImage(home: Ecr, repositoryName: string, imageDigest: string): Promise<Image> {
  const { images = [] } = await home.send(
    new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest }], acceptedMediaTypes: MANIFESTS }),
  );
  if (images[0]) return images[0];
  throw new FactoryError('IMAGE_FAILED', `${repositoryName}@${imageDigest} is gone`, { fix: 'publish another version' });
}

/** Copies a layer, unless it is there: by parts as long as ECR asks for, so that its size doesn't matter. */
async function copyBlob(home: Ecr, there: Ecr, repositoryName: string, layerDigest: string): Promise<void> {
  const { layers = [] } = await there.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [layerDigest] }));
  if (layers[0]?.layerAvailability === 'AVAILABLE') return;
  const { downloadUrl = '' } = await home.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }));
  const { uploadId = '', partSize = PART_BYTES } = await there.send(new InitiateLayerUploadCommand({ repositoryName }));
  const answer = await fetch(downloadUrl, { signal: AbortSignal.timeout(LAYER_WITHIN) });
  if (!answer.ok || !answer.body) {
    throw new FactoryError('IMAGE_FAILED', `layer ${layerDigest} of ${repositoryName} can't be read: ${answer.status}`, {
      fix: 'try again',
    });
  }
  let at = 0;
  for await (const layerPartBlob of partsOf(answer.body, partSize)) {
    const last = at + layerPartBlob.length - 1;
    await there.send(new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: at, partLastByte: last, layerPartBlob }));
    at = last + 1;
  }
  try {
    await there.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [layerDigest] }));
  } catch (error) {
    if (!isNamed(error, 'LayerAlreadyExistsException')) throw error;
  }
}

/** A stream in parts of `size` bytes; the last may be shorter. */
export async function* partsOf(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    held = Buffer.concat([held, chunk]);
    for (; held.length >= size; held = held.subarray(size)) yield held.subarray(0, size);
  }
  if (held.length > 0) yield held;
}
