/** Images in ECR: layers, copies in other regions, and tasks whose image isn't there. */
import {
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DescribeImageReplicationStatusCommand,
  ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  PutImageCommand,
  PutReplicationConfigurationCommand,
} from '@aws-sdk/client-ecr';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { digestOf, hasImage, layerOf, manifestOf, pushImage } from '../../../test/_helpers/images.ts';
import { ACCOUNT, aws, cloud, ROLE } from './cell.ts';
import { REGION } from './server.ts';

const ELSEWHERE = 'us-east-1';
let ecr: (region: string) => ECRClient;
beforeAll(() => {
  const { endpoint } = cloud.running;
  ecr = (region) => new ECRClient({ endpoint, region, credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: 'unused' } });
});

describe('an image', () => {
  test('is refused without its layers, and a layer that is not what its digest says, too', async () => {
    await ecr(REGION).send(new CreateRepositoryCommand({ repositoryName: 'lonely' }));
    const digest = `sha256:${'1'.repeat(64)}`;
    const image = new PutImageCommand({ repositoryName: 'lonely', imageTag: '1', ...manifestOf(digest, [digest]) });
    await expect(ecr(REGION).send(image)).rejects.toMatchObject({ name: 'LayersNotFoundException' });
    const { uploadId } = await ecr(REGION).send(new InitiateLayerUploadCommand({ repositoryName: 'lonely' }));
    const complete = new CompleteLayerUploadCommand({ repositoryName: 'lonely', uploadId, layerDigests: [digest] });
    await expect(ecr(REGION).send(complete)).rejects.toMatchObject({ name: 'InvalidLayerException' });
  });

  test('is copied to the regions of the rule that there is when it is pushed, after a while, with its repository', async () => {
    const repositoryName = 'copied';
    await ecr(REGION).send(new CreateRepositoryCommand({ repositoryName }));
    const before = await pushImage(ecr(REGION), repositoryName, 'before');
    const destinations = [{ region: ELSEWHERE, registryId: ACCOUNT }];
    await ecr(REGION).send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules: [{ destinations }] } }));
    const after = await pushImage(ecr(REGION), repositoryName, 'after');
    const status = async (imageDigest: string) => {
      const question = new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageDigest } });
      return (await ecr(REGION).send(question)).replicationStatuses?.map((each) => [each.region, each.status]);
    };
    expect(await status(after)).toEqual([[ELSEWHERE, 'IN_PROGRESS']]);
    await expect(hasImage(ecr(ELSEWHERE), repositoryName, after)).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
    await eventually('the copy is there', async () => (await status(after))?.[0]?.[1] === 'COMPLETE');
    expect(await hasImage(ecr(ELSEWHERE), repositoryName, after)).toBe(true);
    expect([await status(before), await hasImage(ecr(ELSEWHERE), repositoryName, before)]).toEqual([[], false]);
    const layerDigest = digestOf(layerOf('after'));
    const { downloadUrl = '' } = await ecr(ELSEWHERE).send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }));
    expect(Buffer.from(await (await fetch(downloadUrl)).arrayBuffer())).toEqual(layerOf('after'));
  });

  test('that is not in the region keeps the tasks from starting that name it by digest', async () => {
    await ecr(REGION).send(new CreateRepositoryCommand({ repositoryName: 'web' }));
    const digest = await pushImage(ecr(REGION), 'web', '1.0.0');
    const template = (of: string) => ({
      Resources: {
        Cluster: { Type: 'AWS::ECS::Cluster', Properties: {} },
        Task: {
          Type: 'AWS::ECS::TaskDefinition',
          Properties: {
            Family: 'web',
            TaskRoleArn: ROLE,
            ContainerDefinitions: [{ Name: 'web', Image: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/web@${of}`, Memory: 128 }],
          },
        },
        Service: {
          Type: 'AWS::ECS::Service',
          Properties: { Cluster: { Ref: 'Cluster' }, TaskDefinition: { Ref: 'Task' }, DesiredCount: 1 },
        },
      },
    });
    const missing = await aws.deploy('missing', template(`sha256:${'0'.repeat(64)}`));
    const reasons = (await aws.events(missing)).map((event) => event.ResourceStatusReason ?? '');
    expect(reasons.find((reason) => reason.includes('CannotPullContainerError'))).toMatch(/@sha256:0+: not found$/);
    expect((await aws.deploy('present', template(digest))).StackStatus).toBe('CREATE_COMPLETE');
  });
});
