/**
 * AWS regions and how many availability zones a new account can use there.
 * Source: "Regions and Zones", Amazon EC2 documentation. Kept here because validation must not need the network.
 */
export const REGION_ZONES: Readonly<Record<string, number>> = {
  'af-south-1': 3,
  'ap-east-1': 3,
  'ap-northeast-1': 3,
  'ap-northeast-2': 4,
  'ap-northeast-3': 3,
  'ap-south-1': 3,
  'ap-south-2': 3,
  'ap-southeast-1': 3,
  'ap-southeast-2': 3,
  'ap-southeast-3': 3,
  'ap-southeast-4': 3,
  'ca-central-1': 3,
  'ca-west-1': 3,
  'eu-central-1': 3,
  'eu-central-2': 3,
  'eu-north-1': 3,
  'eu-south-1': 3,
  'eu-south-2': 3,
  'eu-west-1': 3,
  'eu-west-2': 3,
  'eu-west-3': 3,
  'il-central-1': 3,
  'me-central-1': 3,
  'me-south-1': 3,
  'sa-east-1': 3,
  'us-east-1': 6,
  'us-east-2': 3,
  'us-west-1': 2,
  'us-west-2': 4,
};

/**
 * Regions that an account has to enable before it can use them: those that were launched after 2019-03-20.
 * Source: "AWS Regions" (AWS Regions and Availability Zones) and "Enable or disable AWS Regions in your account" (AWS Account
 * Management Reference Guide), read 2026-11-30.
 */
export const OPT_IN_REGIONS: ReadonlySet<string> = new Set([
  'af-south-1',
  'ap-east-1',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ca-west-1',
  'eu-central-2',
  'eu-south-1',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'me-south-1',
]);

/**
 * Zones, by id, in which Fargate runs tasks, of regions in which it doesn't in all. No API tells.
 * Source: "Supported Regions for Amazon ECS on AWS Fargate", Amazon ECS Developer Guide, read 2026-11-30.
 */
export const FARGATE_ZONES: Readonly<Record<string, readonly string[]>> = {
  'ap-northeast-1': ['apne1-az1', 'apne1-az2', 'apne1-az4'],
  // The page has no restriction here. In use1-az3 EC2 offers no type with an ARM processor (DescribeInstanceTypeOfferings),
  // which cells' tasks are for, so that nobody should rely on Fargate there.
  'us-east-1': ['use1-az1', 'use1-az2', 'use1-az4', 'use1-az5', 'use1-az6'],
  'us-west-1': ['usw1-az1', 'usw1-az3'],
};

/** Where AWS keeps the quotas of what has no region, such as IAM. Source: "Service Quotas endpoints", AWS General Reference, read 2026-11-30. */
export const GLOBAL_REGION = 'us-east-1';
