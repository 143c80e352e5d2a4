import * as route53 from 'aws-cdk-lib/aws-route53';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { RemovalPolicy, Stack, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { CONTROL_STACKS, type InitializedPlan, ZONE_PARAMETER } from '../plan/plan.ts';

/** The zone `cells.<domain>`, in tooling: every cell's zone hangs from it. Whoever owns the domain delegates it, once. */
export class DomainStack extends Stack {
  constructor(scope: Construct, plan: InitializedPlan) {
    super(scope, CONTROL_STACKS.domain, {
      env: { account: plan.tooling.accountId, region: plan.homeRegion },
      description: `Names of the cells of ${plan.organization}`,
      terminationProtection: true,
    });
    const zone = new route53.PublicHostedZone(this, 'Zone', { zoneName: plan.cellsDomain });
    // Another zone of that name would have other name servers, and all cells would be gone until somebody delegates it again.
    zone.applyRemovalPolicy(RemovalPolicy.RETAIN);
    for (const [key, value] of Object.entries(plan.tooling.tags)) Tags.of(zone).add(key, value);
    new ssm.StringParameter(this, 'ZoneId', { parameterName: ZONE_PARAMETER, stringValue: zone.hostedZoneId });
  }
}
