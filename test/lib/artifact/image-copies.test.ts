/** Whose turn it is to copy an image, against an ECR that answers as it is told; real copies are in the suites on local clouds. */
import { BatchGetImageCommand, DescribeImageReplicationStatusCommand, type ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { bringImage, partsOf } from '../../../lib/artifact/image-copies.ts';
import { FactoryError } from '../../../lib/registry/index.ts';

const DIGEST = `sha256:${'2'.repeat(64)}`;
const named = (name: string) => Object.assign(new Error(name), { name });

/** An ECR at home, and one elsewhere, that has the image from the look on that is given; statuses by look. */
function world(statuses: readonly (string | undefined)[], there: { fromLook?: number; repository?: boolean; taken?: boolean } = {}) {
  let time = 0;
  let looks = 0;
  const done: string[] = [];
  const say: string[] = [];
  const image = { imageId: { imageDigest: DIGEST }, imageManifest: '{"layers":[]}', imageManifestMediaType: 'x' };
  const home = async (command: unknown): Promise<unknown> => {
    if (command instanceof DescribeImageReplicationStatusCommand) {
      const status = statuses[Math.min(looks - 1, statuses.length - 1)];
      return { replicationStatuses: status === undefined ? [] : [{ region: 'us-east-1', status }] };
    }
    if (command instanceof BatchGetImageCommand) return { images: [image] };
    return { imageDetails: [{ imageTags: ['1.0.0'] }] };
  };
  const elsewhere = async (command: unknown): Promise<unknown> => {
    if (command instanceof BatchGetImageCommand) {
      looks++;
      if (there.repository === false) throw named('RepositoryNotFoundException');
      return { images: done.length > 0 || looks >= (there.fromLook ?? Number.POSITIVE_INFINITY) ? [image] : [] };
    }
    if (!(command instanceof PutImageCommand)) throw new Error('unexpected');
    if (there.repository === false) throw named('RepositoryNotFoundException');
    if (there.taken) throw named('ImageTagAlreadyExistsException');
    done.push(`${command.input.imageTag} ${command.input.imageDigest}`);
    return {};
  };
  const client = (send: (command: unknown) => Promise<unknown>) => ({ send: send as ECRClient['send'] });
  const work = (fresh: boolean) =>
    bringImage({ home: client(home), elsewhere: new Map([['us-east-1', client(elsewhere)]]) }, 'orders-api', DIGEST, {
      now: () => time,
      sleep: async (milliseconds) => {
        time += milliseconds;
      },
      say: (text) => say.push(text),
      fresh,
    });
  return { work, done, say, minutes: () => time / 60_000 };
}

describe('an image that is not in a region', () => {
  test('is waited for while ECR copies it', async () => {
    const { work, done, say } = world(['IN_PROGRESS', 'IN_PROGRESS', 'COMPLETE'], { fromLook: 4 });
    await work(true);
    expect(done).toEqual([]);
    expect(say).toEqual(["waiting for ECR's copies of orders-api in us-east-1"]);
  });

  test('is copied by us where ECR does not: it was pushed before the region was used, or the copy failed', async () => {
    for (const status of [undefined, 'FAILED']) {
      const { work, done, minutes } = world([status]);
      await work(false);
      expect([done, minutes()]).toEqual([[`1.0.0 ${DIGEST}`], 0]);
    }
  });

  test('is copied by us where ECR says that its copy is complete, and somebody has deleted it', async () => {
    const { work, done, minutes } = world(['COMPLETE']);
    await work(false);
    expect([done.length, minutes()]).toEqual([1, 1]);
  });

  test('and was pushed just now is left to ECR for a minute, in which it may begin', async () => {
    const begins = world([undefined, undefined, 'IN_PROGRESS'], { fromLook: 5 });
    await begins.work(true);
    expect(begins.done).toEqual([]);
    const never = world([undefined]);
    await never.work(true);
    expect([never.done.length, never.minutes()]).toEqual([1, 1]);
  });

  test('after three quarters of an hour is given up, with where to look', async () => {
    const { work, minutes } = world(['IN_PROGRESS']);
    await expect(work(true)).rejects.toMatchObject({
      code: 'IMAGE_FAILED',
      fix: expect.stringContaining('describe-image-replication-status'),
    });
    expect(minutes()).toBeCloseTo(45, 0);
  });

  test('because its tag is another image there is copied once, and then refused with what to delete', async () => {
    await expect(world([undefined], { taken: true }).work(false)).rejects.toMatchObject({
      code: 'IMAGE_FAILED',
      message: expect.stringContaining('was copied to us-east-1, and is not there'),
      fix: expect.stringContaining('delete that image there'),
    });
  });

  test('and has no repository there is refused, with the command that makes it', async () => {
    const error: unknown = await world([undefined], { repository: false })
      .work(false)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FactoryError);
    expect(error).toMatchObject({ code: 'NOT_INITIALIZED', fix: expect.stringContaining('cellctl deploy --tooling') });
  });
});

test('a layer is sent by parts as long as was asked for, whatever pieces it arrives in', async () => {
  async function* pieces() {
    for (const size of [1, 5, 0, 11, 3]) yield Buffer.alloc(size, size);
  }
  const parts: Buffer[] = [];
  for await (const part of partsOf(pieces(), 4)) parts.push(part);
  expect(parts.map((part) => part.length)).toEqual([4, 4, 4, 4, 4]);
  expect(Buffer.concat(parts)).toEqual(Buffer.concat([1, 5, 0, 11, 3].map((size) => Buffer.alloc(size, size))));
});
