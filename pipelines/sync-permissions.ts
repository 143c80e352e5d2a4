import { DefaultStackSynthesizer, type Stack } from 'aws-cdk-lib/core';
import { GITHUB_STACK, PIPELINE_STACK_PREFIX, PIPELINES_STACK } from '../lib/plan/pipeline-stacks.ts';
import type { InitializedPlan } from '../lib/plan/plan.ts';
import type { Grant } from './grants.ts';
import { readRegistry } from './permissions.ts';

/**
 * What keeps pipelines in step with the registry. Stacks are changed by the CDK's own roles, as `cdk deploy` does; besides,
 * busy pipelines are held and let go, and those whose component is gone are removed.
 */
export function syncPermissions(stack: Stack, plan: InitializedPlan): readonly Grant[] {
  const cdkRoles = ['deploy', 'file-publishing', 'lookup'].map((purpose) =>
    stack.formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: `cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}-${purpose}-role-${stack.account}-${stack.region}`,
    }),
  );
  const registry = stack.formatArn({ service: 's3', region: '', account: '', resource: plan.registryBucket });
  // Who is part of what an engine shares can't take that away: a person does.
  const others = [PIPELINES_STACK, GITHUB_STACK].filter((name) => name !== stack.stackName);
  const stacks = [`${PIPELINE_STACK_PREFIX}*`, `${GITHUB_STACK}-*`, ...others].map((name) =>
    stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${name}/*` }),
  );
  return [
    ...readRegistry(stack, plan),
    // Two at once would change each other's change sets.
    {
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      resources: [`${registry}/locks/pipelines.json`, `${registry}/locks/tooling.json`],
    },
    { actions: ['sts:AssumeRole'], resources: cdkRoles },
    {
      actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate', 'cloudformation:ListStacks', 'codepipeline:ListPipelines'],
      resources: ['*'],
      why: 'What is there is listed: pipelines whose component is gone, too.',
    },
    {
      actions: [
        'cloudformation:DeleteStack',
        'cloudformation:DescribeStackEvents',
        'cloudformation:ListStackResources',
        'cloudformation:UpdateTerminationProtection',
      ],
      resources: stacks,
      why: 'Every component has a stack; those of components that are gone, too, and what an engine that delivers none has shared.',
    },
    {
      actions: [
        'codepipeline:GetPipelineState',
        'codepipeline:ListPipelineExecutions',
        'codepipeline:DisableStageTransition',
        'codepipeline:EnableStageTransition',
      ],
      resources: [stack.formatArn({ service: 'codepipeline', resource: '*' })],
      why: 'Every component has a pipeline; those of components that are gone, too.',
    },
  ];
}
