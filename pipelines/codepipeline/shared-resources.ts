/** What all pipelines share, as one of them sees it: names of resources, read from parameters when its stack is deployed. */
import type * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import { Stack } from 'aws-cdk-lib/core';
import { PIPELINE_PARAMETERS } from '../../lib/plan/pipeline-stacks.ts';
import type { Grant } from '../grants.ts';
import { parameter } from '../parameter.ts';

/** Characters of a pipeline's name by which CodePipeline calls its folder in the bucket. */
const FOLDER_LENGTH = 20;

/** Where the actions of a pipeline hand things to each other. */
export class HandoverPlace {
  /** ARN of the key. */
  readonly key: string;
  readonly bucket: string;

  private readonly bucketArn: string;
  private readonly objects: string;

  constructor(scope: Stack, pipelineName: string, { bucket, key } = namesOf(scope)) {
    this.key = key;
    this.bucket = bucket;
    this.bucketArn = Stack.of(scope).formatArn({ service: 's3', region: '', account: '', resource: bucket });
    const folder = pipelineName.length > FOLDER_LENGTH ? `${pipelineName.slice(0, FOLDER_LENGTH)}*` : `${pipelineName}/*`;
    this.objects = `${this.bucketArn}/${folder}`;
  }

  /** To read what other actions have left. */
  get read(): readonly Grant[] {
    return this.use(['s3:GetObject', 's3:GetObjectVersion'], ['kms:Decrypt']);
  }

  /** To read, and to leave something. */
  get write(): readonly Grant[] {
    const keyed = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'];
    return this.use(
      ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:PutObjectAcl'],
      keyed.map((action) => `kms:${action}`),
    );
  }

  private use(objectActions: readonly string[], keyActions: readonly string[]): readonly Grant[] {
    return [
      { actions: objectActions, resources: [this.objects], why: 'Whatever the actions of this one pipeline hand to each other.' },
      { actions: ['s3:GetBucketAcl', 's3:GetBucketLocation', 's3:GetBucketVersioning', 's3:ListBucket'], resources: [this.bucketArn] },
      { actions: keyActions, resources: [this.key] },
    ];
  }
}

const namesOf = (scope: Stack) => ({
  bucket: parameter(scope, PIPELINE_PARAMETERS.bucket),
  key: parameter(scope, PIPELINE_PARAMETERS.key),
});

/** To take commits through a connection. Of two names: connections that were made before the service was renamed know the second. */
export const useConnection = (connection: string): Grant => ({
  actions: ['codeconnections:UseConnection', 'codestar-connections:UseConnection'],
  resources: [connection],
});

/**
 * Runs a pipeline on commits. The source's own detection is off: it knows no filters.
 * @param paths that must have changed, with `*` and `**`. @default - any
 */
export const pushTo = (
  sourceActionName: string,
  branch: string,
  paths: readonly string[] = [],
): codepipeline.CfnPipeline.PipelineTriggerDeclarationProperty => ({
  providerType: 'CodeStarSourceConnection',
  gitConfiguration: {
    sourceActionName,
    push: [{ branches: { includes: [branch] }, ...(paths.length === 0 ? {} : { filePaths: { includes: [...paths] } }) }],
  },
});
