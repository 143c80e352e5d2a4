/** Proves that an account holds nothing any more, or says what is left. */
import { CloudFormationClient, paginateListStacks } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client, paginateDescribeVpcs } from '@aws-sdk/client-ec2';
import { paginateDescribeDBInstances, paginateDescribeDBSnapshots, RDSClient } from '@aws-sdk/client-rds';
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../aws/s3.ts';
import type { Session } from '../aws/session.ts';

/** The CDK's bootstrap may stay: the next cell uses it, or bootstraps another region. */
const BOOTSTRAP_STACK = 'CDKToolkit';
/** What the bootstrap makes carries its qualifier in its name. */
const BOOTSTRAP_RESOURCE = /[:/]cdk-hnb659fds-|:stack\/CDKToolkit\/|\/cdk-bootstrap\/hnb659fds\//;
const BOOTSTRAP_BUCKET = /^cdk-hnb659fds-assets-/;

type Look = (session: Session) => Promise<string[]>;

async function collect<Page, Found>(pages: AsyncIterable<Page>, of: (page: Page) => readonly Found[] | undefined): Promise<Found[]> {
  const found: Found[] = [];
  for await (const page of pages) found.push(...(of(page) ?? []));
  return found;
}

/** Everything that is looked for in a region. Each look has a service of its own: the tagging API knows tagged resources only. */
const LOOKS: readonly Look[] = [
  async (session) =>
    (await collect(paginateListStacks({ client: new CloudFormationClient(session) }, {}), (page) => page.StackSummaries))
      .filter(({ StackStatus, StackName }) => StackStatus !== 'DELETE_COMPLETE' && StackName !== BOOTSTRAP_STACK)
      .map(({ StackName, StackStatus }) => `stack ${StackName} (${StackStatus})`),
  async (session) =>
    (await collect(paginateDescribeDBInstances({ client: new RDSClient(session) }, {}), (page) => page.DBInstances)).map(
      ({ DBInstanceIdentifier }) => `database ${DBInstanceIdentifier}`,
    ),
  async (session) =>
    (await collect(paginateDescribeDBSnapshots({ client: new RDSClient(session) }, {}), (page) => page.DBSnapshots)).map(
      ({ DBSnapshotIdentifier }) => `database snapshot ${DBSnapshotIdentifier}`,
    ),
  async (session) =>
    (await collect(paginateDescribeLogGroups({ client: new CloudWatchLogsClient(session) }, {}), (page) => page.logGroups)).map(
      ({ logGroupName }) => `log group ${logGroupName}`,
    ),
  async (session) =>
    (await collect(paginateDescribeVpcs({ client: new EC2Client(session) }, {}), (page) => page.Vpcs))
      .filter(({ IsDefault }) => IsDefault !== true)
      .map(({ VpcId }) => `network ${VpcId}`),
  async (session) =>
    (
      await collect(
        paginateGetResources({ client: new ResourceGroupsTaggingAPIClient(session) }, {}),
        (page) => page.ResourceTagMappingList,
      )
    )
      .map(({ ResourceARN = '' }) => ResourceARN)
      .filter((arn) => !BOOTSTRAP_RESOURCE.test(arn))
      .map((arn) => `tagged resource ${arn}`),
];

/**
 * What is left in an account, in the given regions, as lines for people; nothing proves it empty.
 * @param administrator a session in the account, in a region
 */
export async function whatIsLeft(administrator: (region: string) => Session, regions: readonly string[]): Promise<string[]> {
  const perRegion = await Promise.all(
    regions.map(async (region) => {
      const found = await Promise.all(LOOKS.map((look) => look(administrator(region))));
      return found.flat().map((each) => `${region}: ${each}`);
    }),
  );
  // Buckets are listed for all regions at once.
  const { Buckets = [] } = await s3Client(administrator(regions[0] ?? '')).send(new ListBucketsCommand({}));
  const buckets = Buckets.map(({ Name = '' }) => Name).filter((name) => !BOOTSTRAP_BUCKET.test(name));
  return [...perRegion.flat(), ...buckets.map((name) => `bucket ${name}`)];
}
