import { type Stack, Tags } from 'aws-cdk-lib/core';

/**
 * Tags every resource of a stack, but not the stack itself: its tags can't refer to parameters.
 * Listeners and their rules are left out: they take tags only since lately, and cfn-lint's schema doesn't know it yet.
 */
export function tagResources(stack: Stack, tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) {
    Tags.of(stack).add(key, value, {
      excludeResourceTypes: ['aws:cdk:stack', 'AWS::ElasticLoadBalancingV2::Listener', 'AWS::ElasticLoadBalancingV2::ListenerRule'],
    });
  }
}
