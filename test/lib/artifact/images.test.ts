import { BatchGetImageCommand, DescribeRepositoriesCommand, type ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import type { BuiltImage } from '../../../lib/artifact/build.ts';
import { ContainerEngine } from '../../../lib/artifact/containers.ts';
import { ImageRepository, publishImages, requireBuilt } from '../../../lib/artifact/images.ts';
import type { Session } from '../../../lib/aws/session.ts';
import type { ProgramOptions } from '../../../lib/program.ts';
import { FactoryError } from '../../../lib/registry/index.ts';

const ID = `sha256:${'1'.repeat(64)}`;
const DIGEST = `sha256:${'2'.repeat(64)}`;
const HOST = '200000000000.dkr.ecr.eu-west-1.amazonaws.com';
const SESSION = { region: 'eu-west-1' } as Session;

/** ECR with one repository. Images are there by tag: the digest of their manifest, and of their configuration. */
function registry(images: Map<string, [digest: string, configuration: string]>): Pick<ECRClient, 'send'> {
  const send = async (command: unknown): Promise<unknown> => {
    if (command instanceof GetAuthorizationTokenCommand) {
      return { authorizationData: [{ authorizationToken: Buffer.from('AWS:secret:word').toString('base64') }] };
    }
    if (command instanceof DescribeRepositoriesCommand) {
      if (command.input.repositoryNames?.[0] === 'orders-api') return { repositories: [{ repositoryUri: `${HOST}/orders-api` }] };
      throw Object.assign(new Error('none'), { name: 'RepositoryNotFoundException' });
    }
    if (!(command instanceof BatchGetImageCommand)) throw new Error('unexpected');
    const found = images.get(command.input.imageIds?.[0]?.imageTag ?? '');
    if (!found) return { images: [] };
    return { images: [{ imageId: { imageDigest: found[0] }, imageManifest: JSON.stringify({ config: { digest: found[1] } }) }] };
  };
  return { send: send as ECRClient['send'] };
}

/** An engine whose pushes reach `images`. */
async function engine(images: Map<string, [string, string]>, told: [string, ProgramOptions][]): Promise<ContainerEngine> {
  const found = await ContainerEngine.find(async (program, words, options) => {
    told.push([[program, ...words].join(' '), options]);
    if (words[0] === 'push') images.set(words[1]?.split(':').at(-1) ?? '', [DIGEST, ID]);
    return { code: 0, stdout: '', stderr: '' };
  });
  if (!found) throw new Error('no engine');
  return found;
}

const BUILT: BuiltImage = { status: 'built', reference: 'orders-api:1.0.0', id: ID };
const UNBUILT: BuiltImage = { status: 'not built', tree: { files: 3, sha256: 'ab'.repeat(32) } };
const published = async (image: BuiltImage, images = new Map<string, [string, string]>(), told: [string, ProgramOptions][] = []) =>
  publishImages(
    { version: '1.0.0', images: { ImageUri: image } },
    [['ImageUri', image]],
    await ImageRepository.of('orders-api', SESSION, registry(images)),
    () => engine(images, told),
    async (digest, fresh) => void brought.push([digest, fresh]),
  );
/** Images that were brought to every region, and whether they had been pushed right before. */
const brought: [string, boolean][] = [];
const failureOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (error instanceof FactoryError) return error;
  throw new Error(`no FactoryError but ${String(error)}`);
};

describe('an image that was built', () => {
  test('is pushed, and called by its digest, the same in every region', async () => {
    const told: [string, ProgramOptions][] = [];
    const name = '200000000000.dkr.ecr.{region}.amazonaws.com/orders-api';
    expect(await published(BUILT, new Map(), told)).toEqual({ ImageUri: `${name}@${DIGEST}` });
    expect(told.map(([line]) => line)).toEqual([
      'docker info',
      `docker login --username AWS --password-stdin ${HOST}`,
      `docker tag ${ID} ${HOST}/orders-api:1.0.0`,
      `docker push ${HOST}/orders-api:1.0.0`,
    ]);
    expect(told[1]?.[1].input).toBe('secret:word');
  });

  test('and is there already is not pushed again, whether the engine calls it by configuration or manifest', async () => {
    for (const there of [
      [DIGEST, ID],
      [ID, 'x'],
    ] as [string, string][]) {
      const told: [string, ProgramOptions][] = [];
      expect(Object.values(await published(BUILT, new Map([['1.0.0', there]]), told))[0]).toMatch(new RegExp(`@${there[0]}$`));
      expect(told.map(([line]) => line)).toEqual(['docker info']);
    }
  });

  test('is brought to every region before it is called by its digest, pushed now or before', async () => {
    brought.length = 0;
    await published(BUILT);
    await published(BUILT, new Map([['1.0.0', [DIGEST, ID]]]));
    expect(brought).toEqual([
      [DIGEST, true],
      [DIGEST, false],
    ]);
  });

  test('does not replace another under the same version', async () => {
    expect((await failureOf(published(BUILT, new Map([['1.0.0', [DIGEST, 'sha256:other']]])))).code).toBe('ARTIFACT_DIFFERS');
  });

  test('needs a repository', async () => {
    expect(await failureOf(ImageRepository.of('billing', SESSION, registry(new Map())))).toMatchObject({
      code: 'NOT_INITIALIZED',
      fix: expect.stringContaining('deploy --tooling'),
    });
  });

  test('needs an engine to push it', async () => {
    const repository = await ImageRepository.of('orders-api', SESSION, registry(new Map()));
    const build = { version: '1', images: { ImageUri: BUILT } };
    const work = publishImages(
      build,
      [['ImageUri', BUILT]],
      repository,
      async () => undefined,
      async () => undefined,
    );
    expect((await failureOf(work)).code).toBe('IMAGE_FAILED');
  });
});

describe('an image that was not built', () => {
  test('is refused, with what to do', () => {
    const build = { component: 'orders-api', version: '1.0.0' };
    expect(() => requireBuilt(build, [['ImageUri', UNBUILT]])).toThrow(
      expect.objectContaining({ code: 'IMAGE_NOT_BUILT', fix: expect.stringContaining('--image ImageUri=<uri>') }),
    );
    expect(() => requireBuilt(build, [['ImageUri', BUILT]])).not.toThrow();
  });

  test('is called after its tree, where that is wanted', async () => {
    expect(await published(UNBUILT)).toEqual({ ImageUri: '200000000000.dkr.ecr.{region}.amazonaws.com/orders-api:tree-abababababab' });
  });
});
