/** The deletion of a stack, as CloudFormation answers it over the minutes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { deleteStack } from '../../../lib/aws/stacks.ts';

const ID = 'arn:aws:cloudformation:eu-west-1:400000000000:stack/Cell-alpha/1';
let server: Server;
/** What the stack is after each deletion: in progress for so many looks, then this. */
let outcomes: { looks: number; status: string; reason?: string; type?: string }[];
let deletions: number;
let looks: number;

const event = (id: string, type: string, status: string, physicalId: string, reason = '') =>
  `<member><StackId>${ID}</StackId><EventId>e</EventId><StackName>Cell-alpha</StackName><LogicalResourceId>${id}</LogicalResourceId><ResourceType>${type}</ResourceType><ResourceStatus>${status}</ResourceStatus><ResourceStatusReason>${reason}</ResourceStatusReason><PhysicalResourceId>${physicalId}</PhysicalResourceId><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>`;

function answer(action: string): string {
  const outcome = outcomes[Math.min(deletions, outcomes.length) - 1];
  const done = outcome !== undefined && looks > outcome.looks;
  if (action === 'DeleteStack') {
    deletions += 1;
    looks = 0;
  }
  if (action === 'ListStackResources') return '<StackResourceSummaries/>';
  if (action === 'DescribeStackEvents') {
    const failed = event('Group', outcome?.type ?? 'AWS::EC2::SecurityGroup', 'DELETE_FAILED', 'sg-1', outcome?.reason);
    const began = event('Cell-alpha', 'AWS::CloudFormation::Stack', 'DELETE_IN_PROGRESS', ID);
    const before = event('Other', 'AWS::SQS::Queue', 'DELETE_FAILED', 'q', 'of an earlier deletion');
    return `<StackEvents>${failed}${began}${before}</StackEvents>`;
  }
  if (action !== 'DescribeStacks') return '';
  looks += 1;
  const status = done ? outcome.status : 'DELETE_IN_PROGRESS';
  return `<Stacks><member><StackName>Cell-alpha</StackName><StackId>${ID}</StackId><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks>`;
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action') ?? '';
      response.setHeader('content-type', 'text/xml');
      response.end(`<${action}Response><${action}Result>${answer(action)}</${action}Result></${action}Response>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await new Promise((resolve) => server.close(resolve));
});

let clock: number;
let said: string[];
beforeEach(() => {
  [deletions, looks, clock, said] = [0, 0, 0, []];
});

const remove = (seconds?: number) =>
  deleteStack(
    { region: 'eu-west-1', credentials: async () => ({ accessKeyId: 'x', secretAccessKey: 'x' }) },
    { StackName: 'Cell-alpha', StackId: ID, CreationTime: new Date(0), StackStatus: 'UPDATE_COMPLETE' },
    ({ text }) => said.push(text),
    {
      ...(seconds === undefined ? {} : { seconds }),
      now: () => clock,
      sleep: async (milliseconds) => {
        clock += milliseconds;
      },
    },
  );

const HELD = 'resource sg-1 has a dependent object (Service: AmazonEC2; Status Code: 400; Error Code: DependencyViolation)';

test('is begun again while interfaces of a function that is gone hold the network, and says so', async () => {
  const held = { looks: 0, status: 'DELETE_FAILED', reason: HELD };
  outcomes = [held, held, held, { looks: 0, status: 'DELETE_COMPLETE' }];
  await remove();
  expect(deletions).toBe(4);
  expect(said).toContain('waiting for network interfaces of functions that are gone, which AWS deletes within 40 minutes: they hold Group');
  // 2, 4 and 8 seconds before each further deletion, 2 after it until it shows, and looks of 2 seconds.
  expect(clock).toBe(14_000 + 3 * 2_000 + 4 * 2_000);
});

test('ends with its deadline, and with what was waited for', async () => {
  outcomes = [{ looks: 0, status: 'DELETE_FAILED', reason: HELD }];
  await expect(remove(600)).rejects.toMatchObject({
    code: 'DEPLOY_FAILED',
    message: `Cell-alpha: not deleted after 10 minutes: Group (AWS::EC2::SecurityGroup): ${HELD}`,
    fix: expect.stringContaining('run the same command again, which carries on'),
  });
  expect(clock).toBeLessThan(670_000);
});

test('ends with its deadline, too, when CloudFormation goes on for ever', async () => {
  outcomes = [{ looks: Number.POSITIVE_INFINITY, status: '' }];
  await expect(remove(600)).rejects.toMatchObject({ message: 'Cell-alpha: not deleted after 10 minutes: 0 resources are left' });
});

test.each([
  [
    'of a subnet, by a resource handler',
    'AWS::EC2::Subnet',
    'Resource handler returned message: "The subnet \'subnet-1\' has dependencies and cannot be deleted."',
  ],
  [
    'of a gateway',
    'AWS::EC2::VPCGatewayAttachment',
    'Network vpc-1 has some mapped public address(es). Please unmap those before detaching the gateway.',
  ],
  ['of an interface', 'AWS::EC2::NetworkInterface', 'Network interface eni-1 is currently in use.'],
  ['in words that nobody has seen yet', 'AWS::EC2::SecurityGroup', 'Resource of type AWS::EC2::SecurityGroup did not stabilize.'],
  ['of what was not tried for it', 'AWS::RDS::DBSubnetGroup', 'Resource deletion cancelled'],
])('is begun again for what holds a network: %s', async (_, type, reason) => {
  outcomes = [
    { looks: 0, status: 'DELETE_FAILED', reason, type },
    { looks: 0, status: 'DELETE_COMPLETE' },
  ];
  await remove();
  expect(deletions).toBe(2);
});

test.each([
  ['AWS::S3::Bucket', 'The bucket you tried to delete is not empty'],
  ['AWS::EC2::SecurityGroup', 'You are not authorized to perform this operation. (Service: Ec2, Status Code: 403)'],
])('fails at once for any other reason: %s', async (type, reason) => {
  outcomes = [{ looks: 0, status: 'DELETE_FAILED', reason, type }];
  await expect(remove()).rejects.toMatchObject({ code: 'DEPLOY_FAILED', message: `Cell-alpha: Group (${type}): ${reason}` });
  expect(deletions).toBe(1);
});
