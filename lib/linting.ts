/** What cdk-nag and cfn-lint must be told of templates that are as they should be. */
import { CfnResource, Stack, Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

type Part = string | { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly [string, string] } | { readonly 'Fn::Select': object };

const shown = (part: Part): string => {
  if (typeof part === 'string') return part;
  if ('Ref' in part) return `<${part.Ref}>`;
  return 'Fn::GetAtt' in part ? `<${part['Fn::GetAtt'].join('.')}>` : JSON.stringify(part);
};

/** A text as cdk-nag shows it: references by their names. Where the partition is known it is text already, elsewhere a reference. */
function asNagShows(stack: Stack, text: string): string {
  const resolved = stack.resolve(text) as Part | { readonly 'Fn::Join': readonly [string, readonly Part[]] };
  if (typeof resolved === 'object' && 'Fn::Join' in resolved) return resolved['Fn::Join'][1].map(shown).join('');
  return shown(resolved);
}

/** Says why the statements below `scope` may name these resources, which hold a wildcard. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  const stack = Stack.of(scope);
  Validations.of(scope).acknowledge(
    ...resources.map((resource) => ({ id: `AwsSolutions-IAM5[Resource::${asNagShows(stack, resource)}]`, reason })),
  );
}

/**
 * Has `scope` wait for the role's policy. That it waits for the role, naming it says already: the CDK says it twice, and
 * cfn-lint warns of that (W3005).
 */
export function waitForPolicyOnly(scope: IConstruct, role: IConstruct): void {
  const resource = scope.node.defaultChild;
  const policy = role.node.tryFindChild('DefaultPolicy')?.node.defaultChild;
  if (!CfnResource.isCfnResource(resource) || !CfnResource.isCfnResource(policy)) return;
  resource.addOverride('DependsOn', [Stack.of(scope).getLogicalId(policy)]);
}

/** Says why a rule of cfn-lint, by itself or in the CDK's validation of templates, does not hold for the resource. */
export function acknowledgeLint(resource: CfnResource, rule: string, reason: string): void {
  const known = resource.getMetadata('cfn-lint') as { readonly config: { readonly ignore_checks: readonly string[] } } | undefined;
  resource.addMetadata('cfn-lint', { config: { ignore_checks: [...(known?.config.ignore_checks ?? []), rule] } });
  Validations.of(resource).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason });
}
