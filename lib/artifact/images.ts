/** Images of a component in tooling's registry: what pushes them, and what they are called there. */
import {
  BatchGetImageCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  type Image,
} from '@aws-sdk/client-ecr';
import { z } from 'zod';
import type { Session } from '../aws/session.ts';
import { FactoryError, isNamed } from '../registry/index.ts';
import type { Build, BuiltImage } from './build.ts';
import { imageTag } from './build.ts';
import type { ContainerEngine } from './containers.ts';
import { MANIFESTS } from './image-copies.ts';

/** The repository of a component, in the home region. */
export class ImageRepository {
  private constructor(
    private readonly client: Pick<ECRClient, 'send'>,
    private readonly component: string,
    private readonly uri: string,
    private readonly homeRegion: string,
  ) {}

  /** @throws FactoryError `NOT_INITIALIZED` while tooling has none for the component */
  static async of(component: string, session: Session, client: Pick<ECRClient, 'send'> = new ECRClient(session)): Promise<ImageRepository> {
    try {
      const { repositories } = await client.send(new DescribeRepositoriesCommand({ repositoryNames: [component] }));
      const uri = repositories?.[0]?.repositoryUri;
      if (uri !== undefined) return new ImageRepository(client, component, uri, session.region);
    } catch (error) {
      if (!isNamed(error, 'RepositoryNotFoundException')) throw error;
    }
    throw new FactoryError('NOT_INITIALIZED', `tooling has no repository for images of ${component} in ${session.region}`, {
      fix: 'run `cellctl deploy --tooling`',
    });
  }

  /** How an image is called from every region: ECR copies what is pushed at home. */
  private everywhere(suffix: string): string {
    return `${this.uri.replace(this.homeRegion, '{region}')}${suffix}`;
  }

  /** What an image would be called that nobody pushes: one that was not built by its tree, of which its name tells. */
  unpushed(image: BuiltImage, tag: string): string {
    return this.everywhere(`:${image.status === 'not built' ? `tree-${image.tree.sha256.slice(0, 12)}` : tag}`);
  }

  /** What the image of that digest is called. */
  byDigest(digest: string): string {
    return this.everywhere(`@${digest}`);
  }

  /**
   * Pushes the image `id` under `tag`, unless it is there. @returns its digest, and whether it was pushed now
   * @throws FactoryError `ARTIFACT_DIFFERS` when the tag is another image, `IMAGE_FAILED`
   */
  async push(engine: ContainerEngine, id: string, tag: string): Promise<{ readonly digest: string; readonly fresh: boolean }> {
    const there = await this.find(tag);
    if (there) return { digest: this.requireSame(there, id, tag), fresh: false };
    const { authorizationData } = await this.client.send(new GetAuthorizationTokenCommand({}));
    const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString();
    const colon = token.indexOf(':');
    await engine.login(this.uri.split('/')[0] ?? '', token.slice(0, colon), token.slice(colon + 1));
    await engine.push(id, `${this.uri}:${tag}`);
    const pushed = await this.find(tag);
    if (!pushed)
      throw new FactoryError('IMAGE_FAILED', `${engine.name} pushed ${this.uri}:${tag}, which is not there`, { fix: 'try again' });
    // Of the registry, not of what the engine printed: each engine prints something else, and tags there never move.
    return { digest: this.requireSame(pushed, id, tag), fresh: true };
  }

  private async find(tag: string): Promise<Image | undefined> {
    const { images } = await this.client.send(
      new BatchGetImageCommand({ repositoryName: this.component, imageIds: [{ imageTag: tag }], acceptedMediaTypes: MANIFESTS }),
    );
    return images?.[0];
  }

  /** An engine calls an image by the digest of its configuration, or of its manifest; a registry by the latter. */
  private requireSame({ imageId, imageManifest }: Image, id: string, tag: string): string {
    const digest = imageId?.imageDigest ?? '';
    const configuration = manifestSchema.safeParse(jsonOf(imageManifest)).data?.config?.digest;
    if (digest !== '' && [digest, configuration].includes(id)) return digest;
    throw new FactoryError('ARTIFACT_DIFFERS', `${this.uri}:${tag} is another image, ${digest}, than the one that was built, ${id}`, {
      fix: 'publish under another version: what a version is never changes',
    });
  }
}

const manifestSchema = z.looseObject({ config: z.looseObject({ digest: z.string() }).optional() });

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** Images of a build that nobody has named: those that can be pushed, and those that are not there. */
export function openImages({ images }: Pick<Build, 'images'>, named: Readonly<Record<string, string>>): [string, BuiltImage][] {
  return Object.entries(images).filter(([name]) => !Object.hasOwn(named, name));
}

/** Refuses what is not built, unless that is wanted. @throws FactoryError `IMAGE_NOT_BUILT` */
export function requireBuilt(
  { component, version }: Pick<Build, 'component' | 'version'>,
  open: readonly (readonly [string, BuiltImage])[],
): void {
  const missing = open.filter(([, { status }]) => status === 'not built').map(([name]) => name);
  if (missing.length === 0) return;
  throw new FactoryError(
    'IMAGE_NOT_BUILT',
    `nobody has built ${missing.join(', ')} of ${component} ${version}: it was packaged without a container engine`,
    {
      fix: `package it where docker, podman or finch answers, or name the image: --image ${missing[0]}=<uri>`,
    },
  );
}

/**
 * What the images of a build are called in every region, by parameter; those that are built and not there yet are pushed.
 * @param bring sees to it that an image is in every region: what is published after that can be pulled everywhere
 * @param push false where nobody will pull them
 * @throws FactoryError `IMAGE_FAILED`, `ARTIFACT_DIFFERS`, `NOT_INITIALIZED`
 */
export async function publishImages(
  build: Pick<Build, 'version' | 'images'>,
  open: readonly (readonly [string, BuiltImage])[],
  repository: ImageRepository,
  findEngine: () => Promise<ContainerEngine | undefined>,
  bring: (digest: string, fresh: boolean) => Promise<void>,
  push = true,
): Promise<Record<string, string>> {
  const count = Object.keys(build.images).length;
  let engine: ContainerEngine | undefined;
  const published: [string, string][] = [];
  for (const [name, image] of open) {
    const tag = imageTag(build.version, name, count);
    if (!push || image.status === 'not built') {
      published.push([name, repository.unpushed(image, tag)]);
      continue;
    }
    engine ??= await findEngine();
    if (!engine) {
      throw new FactoryError('IMAGE_FAILED', `no container engine answers that could push ${image.reference}`, {
        fix: `publish where it was built, or name an image that was pushed: --image ${name}=<uri>`,
      });
    }
    const { digest, fresh } = await repository.push(engine, image.id, tag);
    await bring(digest, fresh);
    published.push([name, repository.byDigest(digest)]);
  }
  return Object.fromEntries(published);
}
