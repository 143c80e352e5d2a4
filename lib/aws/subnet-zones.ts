/** In which availability zones the subnets of a stack are. */
import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DescribeSubnetsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { isNamed } from '../registry/index.ts';

/** Names of zones by the logical id of the subnet. Nothing for a stack that isn't there, or has none. */
export async function subnetZones(cloudFormation: CloudFormationClient, ec2: EC2Client, stackName: string): Promise<Map<string, string>> {
  const subnets = await subnetsOf(cloudFormation, stackName);
  if (subnets.size === 0) return new Map();
  // By a filter: an id that is gone would be an error.
  const filter = { Name: 'subnet-id', Values: [...subnets.keys()] };
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: [filter] }));
  return new Map(
    Subnets.flatMap(({ SubnetId = '', AvailabilityZone: zone }) => {
      const logicalId = subnets.get(SubnetId);
      return logicalId === undefined || zone === undefined ? [] : [[logicalId, zone]];
    }),
  );
}

/** Logical ids of the subnets of a stack, by their id. */
async function subnetsOf(client: CloudFormationClient, StackName: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName })) {
      for (const { ResourceType, LogicalResourceId, PhysicalResourceId, ResourceStatus } of StackResourceSummaries) {
        if (ResourceType !== 'AWS::EC2::Subnet' || ResourceStatus === 'DELETE_COMPLETE') continue;
        if (LogicalResourceId && PhysicalResourceId) found.set(PhysicalResourceId, LogicalResourceId);
      }
    }
  } catch (error) {
    if (isNamed(error, 'ValidationError') && /does not exist/.test(error.message)) return new Map();
    throw error;
  }
  return found;
}
