import { describe, expect, test } from '@jest/globals';
import { DomainStack } from '../../../../lib/accounts/domain-stack.ts';
import { Delegation } from '../../../../lib/cell/foundation/delegation.ts';
import { createPlan, isVended, requireInitialized } from '../../../../lib/plan/plan.ts';
import { registry } from '../../../_helpers/organization.ts';
import { app, resources } from '../../../_helpers/synth.ts';

const plan = requireInitialized(createPlan(registry()));
const [alpha] = plan.cells.filter(isVended).filter((cell) => cell.name === 'alpha');
if (!alpha) throw new Error('no such cell');

describe('the delegation of a cell’s name', () => {
  const stack = new Delegation(app(), alpha);
  const [role] = Object.values(resources(stack, 'AWS::IAM::Role'));

  test('is in tooling, and trusts the foundation’s roles in the cell’s account and nobody else', () => {
    expect([stack.account, stack.region]).toEqual([plan.tooling.accountId, plan.homeRegion]);
    expect(role?.Properties).toMatchObject({
      RoleName: 'cell-delegation-alpha',
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Principal: { AWS: `arn:aws:iam::${alpha.account.accountId}:root` },
            Condition: {
              ArnLike: {
                'aws:PrincipalArn': `arn:aws:iam::${alpha.account.accountId}:role/Cell-*`,
              },
            },
          },
        ],
      },
    });
  });

  test('lets it write the one record that delegates its own name', () => {
    const [policy] = Object.values(resources(stack, 'AWS::IAM::Policy'));
    expect(policy?.Properties?.['PolicyDocument']).toMatchObject({
      Statement: [
        {
          Action: 'route53:ChangeResourceRecordSets',
          Resource: {
            'Fn::Join': ['', ['arn:aws:route53:::hostedzone/', { Ref: expect.stringMatching(/zoneid/) }]],
          },
          Condition: {
            'ForAllValues:StringEquals': {
              'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
              'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['alpha.cells.example.com'],
            },
          },
        },
        { Action: 'route53:ListHostedZonesByName' },
      ],
    });
  });
});

describe('the zone that cells’ zones hang from', () => {
  test('is in tooling, and outlives its stack', () => {
    const stack = new DomainStack(app(), plan);
    const zones = resources(stack, 'AWS::Route53::HostedZone');
    expect(Object.entries(zones)).toEqual([
      [
        'ZoneA5DE4B68',
        expect.objectContaining({ DeletionPolicy: 'Retain', Properties: expect.objectContaining({ Name: 'cells.example.com.' }) }),
      ],
    ]);
    expect(stack.terminationProtection).toBe(true);
  });
});
