import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Fn, type Stack } from 'aws-cdk-lib/core';
import { acknowledgeLint } from '../../linting.ts';
import type { CellPlan } from '../../plan/plan.ts';

/**
 * The cell's availability zones: those that were written down when it was vended. Where none are, zones by CloudFormation at
 * deploy time: to be looked at only. `cellctl deploy`, the packaging of foundations and the CDK app refuse such a cell.
 */
export const zonesOf = ({ zones, profile }: CellPlan): readonly string[] =>
  zones ?? Array.from({ length: profile.zones }, (_, index) => Fn.select(index, Fn.getAzs()));

/** Tells cfn-lint and the CDK's validation that zones are named on purpose. */
export function acknowledgeZones(stack: Stack): void {
  const named = stack.node.findAll().filter((each) => each instanceof ec2.CfnSubnet || each instanceof ec2.CfnInstance);
  const reason =
    'CloudFormation may choose other zones when AWS adds one, and then replaces subnets. The lock file keeps those of each cell.';
  for (const resource of named) acknowledgeLint(resource, 'W3010', reason);
}
