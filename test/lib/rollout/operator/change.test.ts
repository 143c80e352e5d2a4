/** What CloudFormation may say of a change set that is being executed, and what the local cloud never shows. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ComponentStack } from '../../../../lib/rollout/operator/change.ts';

let server: Server;
/** The body of each answer, by action. */
const answers: Record<string, string> = {};
/** The code of the error that an action is answered with. */
const refusals: Record<string, string> = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action') ?? '';
      response.setHeader('content-type', 'text/xml');
      const code = refusals[action];
      if (code !== undefined) {
        response.statusCode = 400;
        response.end(`<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`);
        return;
      }
      response.end(`<${action}Response><${action}Result>${answers[action] ?? ''}</${action}Result></${action}Response>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await new Promise((resolve) => server.close(resolve));
});

const credentials = async () => ({ accessKeyId: 'x', secretAccessKey: 'x' });
const stack = (...lasting: [ConstructorParameters<typeof ComponentStack>[3]?]) =>
  new ComponentStack({ region: 'eu-west-1', credentials }, 'orders-api', 'arn:aws:iam::400000000000:role/x', ...lasting);

function says(execution: string, status: string) {
  answers['DescribeChangeSet'] =
    `<ChangeSetName>x</ChangeSetName><Status>CREATE_COMPLETE</Status><ExecutionStatus>${execution}</ExecutionStatus><Changes/>`;
  answers['DescribeStacks'] =
    `<Stacks><member><StackName>orders-api</StackName><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks>`;
}

test.each([
  ['EXECUTE_IN_PROGRESS', 'UPDATE_IN_PROGRESS', { state: 'working', sentence: 'orders-api is being changed' }],
  ['EXECUTE_COMPLETE', 'UPDATE_COMPLETE', { state: 'done', changed: true }],
  // Old resources are still being removed: whoever comes next must wait.
  [
    'EXECUTE_COMPLETE',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    { state: 'working', sentence: 'orders-api is UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
  ],
  ['EXECUTE_FAILED', 'UPDATE_ROLLBACK_IN_PROGRESS', { state: 'working', sentence: 'orders-api is UPDATE_ROLLBACK_IN_PROGRESS' }],
  ['OBSOLETE', 'UPDATE_COMPLETE', { state: 'failed', sentence: expect.stringContaining('the stack was changed meanwhile') }],
  ['AVAILABLE', 'UPDATE_COMPLETE', { state: 'ready' }],
])('a change set that is %s over a stack that is %s', async (execution, status, progress) => {
  says(execution, status);
  expect(await stack().look('x', true, 'all')).toEqual(progress);
});

test('a change set that failed in its execution: the stack says why', async () => {
  says('EXECUTE_FAILED', 'UPDATE_ROLLBACK_COMPLETE');
  const event = (id: string, status: string, reason: string, physical = id) =>
    `<member><EventId>${id}</EventId><StackId>s</StackId><StackName>orders-api</StackName><LogicalResourceId>${id}</LogicalResourceId>` +
    `<PhysicalResourceId>${physical}</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp>` +
    `<ResourceStatus>${status}</ResourceStatus><ResourceStatusReason>${reason}</ResourceStatusReason></member>`;
  answers['DescribeStackEvents'] = `<StackEvents>${[
    event('orders-api', 'UPDATE_ROLLBACK_COMPLETE', '', 's'),
    event('Other', 'UPDATE_FAILED', 'Resource update cancelled'),
    event('Jobs', 'UPDATE_FAILED', 'no such key'),
    event('orders-api', 'UPDATE_IN_PROGRESS', 'User Initiated', 's'),
    event('Jobs', 'CREATE_FAILED', 'of the operation before'),
  ].join('')}</StackEvents>`;
  expect(await stack().look('x', true, 'all')).toEqual({
    state: 'failed',
    sentence: 'orders-api is UPDATE_ROLLBACK_COMPLETE: Jobs (AWS::SQS::Queue): no such key',
  });
});

test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'])(
  'a foundation that is %s is neither deleted nor changed: it has never been whole, or is no longer',
  async (status) => {
    says('AVAILABLE', status);
    const stage = () => Promise.reject(new Error('nothing is to be written'));
    const [stageAsset, refusal] = [stage, stage];
    const desired = { template: '{}', templateUrl: '', parameters: {} };
    expect(await stack({ stage, stageAsset, refusal }).propose('x', desired)).toEqual({
      state: 'failed',
      sentence: `orders-api is ${status}: \`cellctl deploy\` builds what has never been whole, rollouts change it`,
    });
  },
);

test.each(['InvalidChangeSetStatus', 'ChangeSetNotFound'])(
  'a change set that somebody else has just executed (%s) is under way, and no error',
  async (code) => {
    refusals['ExecuteChangeSet'] = code;
    try {
      expect(await stack().execute('x-1-1')).toEqual({ state: 'working', sentence: 'orders-api is being changed' });
    } finally {
      delete refusals['ExecuteChangeSet'];
    }
  },
);
