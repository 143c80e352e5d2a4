import { CfnResource, type Stack } from 'aws-cdk-lib/core';

/**
 * Takes away what the CDK's custom resource providers say twice: that the function comes after its role, which naming the
 * role says already. cfn-lint warns of it (W3005), and warnings stay at zero.
 */
export function dropRepeatedDependencies(stack: Stack): void {
  const handlers = stack.node.children.flatMap((child) => (child.node.id.startsWith('Custom::') ? child.node.tryFindChild('Handler') : []));
  for (const handler of handlers) if (handler instanceof CfnResource) handler.addDeletionOverride('DependsOn');
}
