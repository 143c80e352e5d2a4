import { join } from 'node:path';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CustomResource, CustomResourceProvider, CustomResourceProviderRuntime, Duration, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { packageRoot } from '../../package-root.ts';
import type { VendedCell } from '../../plan/plan.ts';
import { cellDelegationRoleName } from '../../registry/index.ts';

/** The cell's name: a zone of its own, delegated from tooling's, and a certificate for it. */
export class CellDomain extends Construct {
  readonly zone: route53.PublicHostedZone;
  readonly certificate: acm.Certificate;

  constructor(scope: Construct, id: string, cell: VendedCell) {
    super(scope, id);
    this.zone = new route53.PublicHostedZone(this, 'Zone', { zoneName: cell.domain });
    const delegation = new route53.CrossAccountZoneDelegationRecord(this, 'Delegation', {
      delegatedZone: this.zone,
      parentHostedZoneName: cell.parentZone.name,
      delegationRole: this.delegationRole(cell),
      // Long enough for resolvers, short enough to move a zone within a working day.
      ttl: Duration.hours(1),
      assumeRoleRegion: Stack.of(this).region,
    });
    this.certificate = new acm.Certificate(this, 'Certificate', {
      domainName: cell.domain,
      subjectAlternativeNames: [`*.${cell.domain}`],
      validation: acm.CertificateValidation.fromDns(this.zone),
    });
    // ACM asks the world's DNS, which finds the zone by its delegation only. Without it, CloudFormation waits for hours.
    this.certificate.node.addDependency(delegation, this.removeValidationRecords());
  }

  private delegationRole(cell: VendedCell): iam.IRole {
    const arn = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      account: cell.parentZone.accountId,
      resource: 'role',
      resourceName: cellDelegationRoleName(cell.name),
    });
    return iam.Role.fromRoleArn(this, 'DelegationRole', arn);
  }

  /** Made before the certificate, so that it goes after it and before the zone. */
  private removeValidationRecords(): CustomResource {
    const type = 'Custom::ValidationRecords';
    const serviceToken = CustomResourceProvider.getOrCreate(this, type, {
      codeDirectory: join(packageRoot(), 'lib/cell/foundation/functions/validation-records'),
      runtime: CustomResourceProviderRuntime.NODEJS_22_X,
      description: "Removes ACM's validation records before the zone goes",
      policyStatements: [
        {
          Effect: 'Allow',
          Action: ['route53:ListResourceRecordSets', 'route53:ChangeResourceRecordSets'],
          Resource: this.zone.hostedZoneArn,
        },
      ],
    });
    return new CustomResource(this, 'ValidationRecords', {
      resourceType: type,
      serviceToken,
      properties: { HostedZoneId: this.zone.hostedZoneId },
    });
  }
}
