/** Images without an engine: layers and manifests as ECR takes them. */
import { createHash } from 'node:crypto';
import {
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  type ECRClient,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';

export const digestOf = (data: Buffer | string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** Uploads a layer by parts, as ECR asks for. */
async function upload(ecr: ECRClient, repositoryName: string, data: Buffer): Promise<string> {
  const { uploadId, partSize = 0 } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
  for (let at = 0; at < data.length; at += partSize) {
    const layerPartBlob = data.subarray(at, at + partSize);
    const range = { partFirstByte: at, partLastByte: at + layerPartBlob.length - 1 };
    await ecr.send(new UploadLayerPartCommand({ repositoryName, uploadId, layerPartBlob, ...range }));
  }
  await ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf(data)] }));
  return digestOf(data);
}

/** The manifest of an image of these layers, as PutImage takes it. */
export function manifestOf(config: string, layers: readonly string[]): { imageManifest: string; imageManifestMediaType: string } {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const described = (digest: string) => ({ mediaType: 'application/octet-stream', size: 1, digest });
  return {
    imageManifest: JSON.stringify({ schemaVersion: 2, mediaType, config: described(config), layers: layers.map(described) }),
    imageManifestMediaType: mediaType,
  };
}

/** The layer of an image that {@link pushImage} pushes: more than one part. */
export const layerOf = (tag: string): Buffer => Buffer.alloc(2_500, tag);

/** Pushes an image of one layer. @returns its digest */
export async function pushImage(ecr: ECRClient, repositoryName: string, imageTag: string): Promise<string> {
  const layer = await upload(ecr, repositoryName, layerOf(imageTag));
  const manifest = manifestOf(await upload(ecr, repositoryName, Buffer.from(`config ${imageTag}`)), [layer]);
  await ecr.send(new PutImageCommand({ repositoryName, imageTag, ...manifest }));
  return digestOf(manifest.imageManifest);
}

export async function hasImage(ecr: ECRClient, repositoryName: string, imageDigest: string): Promise<boolean> {
  const { images = [] } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest }] }));
  return images.length > 0;
}
