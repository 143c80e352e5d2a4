import { type Stack, Tags } from 'aws-cdk-lib/core';

/** Types that take tags only since lately: cfn-lint's schema doesn't know it yet. The stack's own tags can't refer to parameters. */
const UNTAGGED = [
  'aws:cdk:stack',
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::ElasticLoadBalancingV2::ListenerRule',
];

/** Tags every resource of a stack. */
export function tagResources(stack: Stack, tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) Tags.of(stack).add(key, value, { excludeResourceTypes: UNTAGGED });
}
