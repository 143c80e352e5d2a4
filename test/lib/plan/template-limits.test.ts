import { describe, expect, test } from '@jest/globals';
import { checkTemplate, TEMPLATE_LIMITS } from '../../../lib/plan/template-limits.ts';

const section = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`A${index}`, {}]));

describe('a template', () => {
  test('far from CloudFormation’s limits has nothing to say', () => {
    expect(checkTemplate({ Resources: section(399), Outputs: section(159), Parameters: section(10) })).toEqual([]);
  });

  test('names each limit that it comes near', () => {
    expect(checkTemplate({ Resources: section(400), Outputs: section(160), Parameters: section(200) })).toEqual([
      { what: 'resources', used: 400, limit: 500 },
      { what: 'parameters', used: 200, limit: 200 },
      { what: 'outputs', used: 160, limit: 200 },
    ]);
  });

  test('counts in bytes, not in characters', () => {
    const text = (size: number) => ({ Resources: { A: 'ü'.repeat(size) } });
    expect(checkTemplate(text(399_000))).toEqual([]);
    expect(checkTemplate(text(400_000)).map(({ what }) => what)).toEqual(['bytes']);
  });

  test('counts what it makes in an account that has asked for nothing more', () => {
    const rule = { CidrIp: '192.0.2.0/24' };
    const group = { Type: 'AWS::EC2::SecurityGroup', Properties: { SecurityGroupIngress: Array.from({ length: 40 }, () => rule) } };
    const apart = (to: string) => ({ Type: 'AWS::EC2::SecurityGroupIngress', Properties: { GroupId: { 'Fn::GetAtt': [to, 'GroupId'] } } });
    const named = (prefix: string, count: number, resource: (index: number) => object) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, resource(index)]));
    const Resources = {
      ...{ Group: group, Other: { Type: 'AWS::EC2::SecurityGroup' } },
      ...named('Rule', 7, () => apart('Group')),
      ...named('OtherRule', 30, () => apart('Other')),
      ...named('Address', 3, () => ({ Type: 'AWS::EC2::EIP' })),
    };
    expect(checkTemplate({ Resources })).toEqual([]);
    expect(checkTemplate({ Resources: { ...Resources, Rule8: apart('Group'), Address4: { Type: 'AWS::EC2::EIP' } } })).toEqual([
      { what: 'elastic addresses', used: 4, limit: 5 },
      { what: 'inbound rules of a security group', used: 48, limit: 60 },
    ]);
  });

  test('is held to every limit of the table, by any share', () => {
    expect(checkTemplate({}, 0).map(({ what }) => what)).toEqual(TEMPLATE_LIMITS.map(({ what }) => what));
  });
});
