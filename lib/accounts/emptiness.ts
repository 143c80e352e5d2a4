/** Proves that an account holds nothing any more, or says what is left. */
import { CloudFormationClient, paginateListStacks } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client, paginateDescribeInstances, paginateDescribeVpcs } from '@aws-sdk/client-ec2';
import { IAMClient, paginateListPolicies, paginateListRoles, paginateListUsers } from '@aws-sdk/client-iam';
import { paginateDescribeDBInstances, paginateDescribeDBSnapshots, RDSClient } from '@aws-sdk/client-rds';
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { ORGANIZATION_ROLE } from '../aws/roles.ts';
import { s3Client } from '../aws/s3.ts';
import type { Session } from '../aws/session.ts';

/** The CDK's bootstrap may stay: the next cell uses it, or bootstraps another region. */
const BOOTSTRAP_STACK = 'CDKToolkit';
/** What the bootstrap makes carries its qualifier in its name. */
const BOOTSTRAP_RESOURCE = /[:/]cdk-hnb659fds-|:stack\/CDKToolkit\/|\/cdk-bootstrap\/hnb659fds\//;
const BOOTSTRAP_BUCKET = /^cdk-hnb659fds-assets-/;

/** Instances are listed by their tags for an hour after they have gone; a look of their own sees those that run. */
const INSTANCE = /:ec2:[^:]*:\d+:instance\//;
/** What functions of custom resources leave, in groups that AWS made for them: lines about deployments, nothing of customers. */
const FUNCTION_LOG = /^\/aws\/lambda\/Cell-/;

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
    (await collect(paginateDescribeLogGroups({ client: new CloudWatchLogsClient(session) }, {}), (page) => page.logGroups))
      .filter(({ logGroupName = '' }) => !FUNCTION_LOG.test(logGroupName))
      .map(({ logGroupName }) => `log group ${logGroupName}`),
  async (session) =>
    (await collect(paginateDescribeInstances({ client: new EC2Client(session) }, {}), (page) => page.Reservations))
      .flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => State?.Name !== 'terminated')
      .map(({ InstanceId, State }) => `instance ${InstanceId} (${State?.Name})`),
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
      .filter((arn) => !BOOTSTRAP_RESOURCE.test(arn) && !INSTANCE.test(arn))
      .map((arn) => `tagged resource ${arn}`),
];

/** Roles that an account has anyway: the organization's, the bootstrap's, and those of AWS's own services and sign-on. */
const isOwnRole = (path: string, name: string) =>
  name === ORGANIZATION_ROLE ||
  name.startsWith('cdk-hnb659fds-') ||
  path.startsWith('/aws-service-role/') ||
  path.startsWith('/aws-reserved/');

/** What knows no region. A role that somebody left behind may let them into the account's next cell. */
async function whatIsGlobal(session: Session): Promise<string[]> {
  const client = new IAMClient(session);
  const [roles, users, policies, { Buckets = [] }] = await Promise.all([
    collect(paginateListRoles({ client }, {}), (page) => page.Roles),
    collect(paginateListUsers({ client }, {}), (page) => page.Users),
    collect(paginateListPolicies({ client }, { Scope: 'Local' }), (page) => page.Policies),
    s3Client(session).send(new ListBucketsCommand({})),
  ]);
  return [
    ...roles.filter(({ Path = '', RoleName = '' }) => !isOwnRole(Path, RoleName)).map(({ RoleName }) => `role ${RoleName}`),
    ...users.map(({ UserName }) => `user ${UserName}`),
    ...policies.map(({ PolicyName }) => `policy ${PolicyName}`),
    ...Buckets.map(({ Name = '' }) => Name)
      .filter((name) => !BOOTSTRAP_BUCKET.test(name))
      .map((name) => `bucket ${name}`),
  ];
}

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
  return [...perRegion.flat(), ...(await whatIsGlobal(administrator(regions[0] ?? '')))];
}
