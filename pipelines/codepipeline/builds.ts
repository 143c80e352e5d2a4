/** Projects of CodeBuild, the way that pipelines use them. */
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { stagingBucket } from '../../lib/aws/roles.ts';
import { PIPELINE_PARAMETERS } from '../../lib/plan/pipeline-stacks.ts';
import { INSTALL_FACTORY } from '../commands.ts';
import { type Grant, roleWith } from '../grants.ts';

/** ARM, as cells run: images are built for it where they are built. */
const IMAGE = 'aws/codebuild/amazonlinux-aarch64-standard:3.0';
const NODE = 22;

/** What CodeBuild is told to run. */
export interface BuildSpec {
  /** Bash; run with `-euo pipefail`. */
  readonly lines: readonly string[];
  /** Whether the factory is installed first; without, the lines bring their own. @default true */
  readonly installs?: boolean;
  /** Variables that are set when the lines have run, for other actions. */
  readonly leaves?: readonly string[];
  /** Folder whose files are the artifact that the build leaves. */
  readonly artifact?: string;
  /** JUnit's reports, if there are any, and the group that they go to. */
  readonly reports?: { readonly group: string; readonly folder: string; readonly files: string };
}

/**
 * Puts the factory there, of the version that has rendered the pipeline, byte for byte. Not from a registry of npm: a package
 * of the same name in the public one would be run with what the step may do.
 */
const INSTALL = [
  'export CELL_FACTORY="$HOME/factory"',
  `aws s3 cp --only-show-errors "$(aws ssm get-parameter --name ${PIPELINE_PARAMETERS.factory} --query Parameter.Value --output text)" "$HOME/factory.zip"`,
  'unzip -q -o "$HOME/factory.zip" -d "$CELL_FACTORY"',
  'chmod +x "$CELL_FACTORY/bin/cellctl"',
  `(cd "$CELL_FACTORY" && ${INSTALL_FACTORY})`,
];

/** What it takes to do so: files of the CDK are called after their hash. */
const installing = (stack: Stack): readonly Grant[] => [
  { actions: ['ssm:GetParameter'], resources: [stack.formatArn({ service: 'ssm', resource: `parameter${PIPELINE_PARAMETERS.factory}` })] },
  {
    actions: ['s3:GetObject'],
    resources: [
      `${stack.formatArn({ service: 's3', region: '', account: '', resource: stagingBucket(stack.account, stack.region) })}/*.zip`,
    ],
    why: 'The factory is called after its hash, and each version has its own.',
  },
];

const textOf = ({ lines, installs = true, leaves = [], artifact, reports }: BuildSpec): object => ({
  version: '0.2',
  env: { shell: 'bash', ...(leaves.length === 0 ? {} : { 'exported-variables': leaves }) },
  phases: {
    install: { 'runtime-versions': { nodejs: NODE }, ...(installs ? { commands: INSTALL } : {}) },
    // One command: CodeBuild hands variables from one to the next, but none of the shell's options.
    build: { commands: [['set -euo pipefail', ...lines].join('\n')] },
  },
  ...(artifact === undefined ? {} : { artifacts: { 'base-directory': artifact, files: ['**/*'] } }),
  ...(reports === undefined
    ? {}
    : { reports: { [reports.group]: { 'base-directory': reports.folder, files: [reports.files], 'file-format': 'JUNITXML' } } }),
  cache: { paths: ['/root/.npm/**/*'] },
});

interface BuildProps {
  readonly projectName: string;
  readonly description: string;
  readonly spec: BuildSpec;
  readonly environment: Readonly<Record<string, string>>;
  readonly grants: readonly Grant[];
  readonly minutes: number;
  /** Whether it needs a container engine. */
  readonly containers: boolean;
  readonly logGroup: logs.ILogGroup;
  /** ARN of the key for what it leaves. */
  readonly key: string;
}

/** A project that runs for actions of a pipeline. */
export function buildProject(scope: Construct, id: string, props: BuildProps): codebuild.CfnProject {
  const { projectName, description, spec, environment, grants, minutes, containers, logGroup, key } = props;
  const role = roleWith(scope, `${id}Role`, {
    description,
    assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com'),
    grants: [
      { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] },
      ...(spec.installs === false ? [] : installing(Stack.of(scope))),
      ...grants,
    ],
  });
  const project = new codebuild.CfnProject(scope, id, {
    name: projectName,
    description,
    serviceRole: role.roleArn,
    encryptionKey: key,
    source: { type: 'CODEPIPELINE', buildSpec: JSON.stringify(textOf(spec), undefined, 2) },
    artifacts: { type: 'CODEPIPELINE' },
    environment: {
      type: 'ARM_CONTAINER',
      computeType: 'BUILD_GENERAL1_SMALL',
      image: IMAGE,
      privilegedMode: containers,
      environmentVariables: Object.entries(environment).map(([name, value]) => ({ name, value })),
    },
    cache: { type: 'LOCAL', modes: ['LOCAL_CUSTOM_CACHE', ...(containers ? ['LOCAL_DOCKER_LAYER_CACHE'] : [])] },
    logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: logGroup.logGroupName } },
    timeoutInMinutes: minutes,
  });
  if (containers) {
    Validations.of(project).acknowledge({
      id: 'AwsSolutions-CB3',
      reason: 'It builds or pushes images, for which a container engine runs.',
    });
  }
  return project;
}
