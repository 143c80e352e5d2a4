/** A cloud, and the account of a cell with a network to put things into. A file that imports this has a cloud of its own: it starts before the first test, and ends after the last. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, outputsOf, REGION, type Template } from './server.ts';

export const ACCOUNT = '555555555555';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/any`;
export const TAGS = [{ Key: 'cell', Value: 'alpha' }];

export let cloud: TestCloud;
export let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = await new Caller(cloud.running.endpoint).inAccount(ACCOUNT);
});

afterAll(() => cloud.stop());

/** ARNs of everything that has the tag `cell`. */
export async function tagged(): Promise<string[]> {
  const { ResourceTagMappingList: list } = await aws.json<{ ResourceTagMappingList: { ResourceARN: string }[] }>(
    'tagging',
    'ResourceGroupsTaggingAPI_20170126.GetResources',
    { TagFilters: [{ Key: 'cell' }] },
  );
  return list.map((each) => each.ResourceARN);
}

/** Deploys, insists that all went well, and gives the outputs. */
export async function deploy(name: string, template: Template): Promise<Record<string, string>> {
  const stack = await aws.deploy(name, template);
  const failed = (await aws.events(stack)).find((event) => event.ResourceStatus?.endsWith('_FAILED'));
  expect(failed === undefined ? undefined : `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`).toBeUndefined();
  return outputsOf(stack);
}

export async function destroy(name: string): Promise<void> {
  const stack = await aws.destroy(name);
  const failed = (await aws.events(stack)).find((event) => event.ResourceStatus === 'DELETE_FAILED');
  expect(failed === undefined ? undefined : `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`).toBeUndefined();
}

export const ec2 = (action: string, parameters: Record<string, string> = {}) => aws.query('ec2', action, parameters);

export const network = (): Template['Resources'] => ({
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.7.0.0/16', EnableDnsHostnames: true, EnableDnsSupport: true } },
  SubnetA: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.7.0.0/24', AvailabilityZone: `${REGION}a` } },
  SubnetB: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.7.1.0/24', AvailabilityZone: `${REGION}b` } },
  Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: { Ref: 'Vpc' } } },
  Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'g', VpcId: { Ref: 'Vpc' } } },
});
