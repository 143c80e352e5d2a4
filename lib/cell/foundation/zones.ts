import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { CfnResource, Fn, type Stack, Validations } from 'aws-cdk-lib/core';
import type { CellPlan } from '../../plan/plan.ts';

/**
 * The cell's availability zones: those that were written down when it was vended. Where none are, as it was before, zones by
 * CloudFormation at deploy time, which `cellctl deploy` refuses.
 */
export const zonesOf = ({ zones, profile }: CellPlan): readonly string[] =>
  zones ?? Array.from({ length: profile.zones }, (_, index) => Fn.select(index, Fn.getAzs()));

/** Tells cfn-lint and the CDK's validation that zones are named on purpose. */
export function acknowledgeZones(stack: Stack): void {
  const named = stack.node.findAll().filter((each) => each instanceof ec2.CfnSubnet || each instanceof ec2.CfnInstance);
  for (const resource of named) {
    if (CfnResource.isCfnResource(resource)) resource.addMetadata('cfn-lint', { config: { ignore_checks: ['W3010'] } });
    Validations.of(resource).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason: 'CloudFormation may choose other zones when AWS adds one, and then replaces subnets. The lock file keeps those of each cell.',
    });
  }
}
