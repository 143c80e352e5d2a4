/**
 * Every call of AWS's API in the code of stack Rollouts, against what the roles of that code may do: the local cloud checks no
 * policies. The calls are read from the bundle that is deployed, so that what nobody reaches is not in it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib/core';
import { Foundation } from '../../../lib/cell/foundation/foundation.ts';
import { packageRoot } from '../../../lib/package-root.ts';
import { createPlan, isVended, requireInitialized } from '../../../lib/plan/plan.ts';
import { RolloutsStack } from '../../../lib/rollout/rollouts-stack.ts';
import { registry } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';

/** Who calls: a role of stack Rollouts, the role in a cell, or the CDK's own there, whose policies are the CDK's. */
type Caller = 'operator' | 'teller' | 'cell' | 'cdk';

/** What each call takes, and of whom. Source: "Actions, resources, and condition keys for AWS services", Service Authorization Reference. */
const CALLS: Readonly<Record<string, { readonly by: readonly Caller[]; readonly actions: readonly string[] }>> = {
  'cloudformation CreateChangeSetCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:CreateChangeSet', 'iam:PassRole'] },
  'cloudformation DeleteChangeSetCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:DeleteChangeSet'] },
  'cloudformation DeleteStackCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:DeleteStack', 'iam:PassRole'] },
  'cloudformation DescribeChangeSetCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:DescribeChangeSet'] },
  'cloudformation DescribeStacksCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:DescribeStacks'] },
  'cloudformation ExecuteChangeSetCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:ExecuteChangeSet'] },
  'cloudformation GetTemplateCommand': { by: ['cell', 'cdk'], actions: ['cloudformation:GetTemplate'] },
  'cloudformation paginateDescribeStackEvents': { by: ['cell', 'cdk'], actions: ['cloudformation:DescribeStackEvents'] },
  'cloudwatch paginateDescribeAlarmHistory': { by: ['cell'], actions: ['cloudwatch:DescribeAlarmHistory'] },
  'cloudwatch paginateDescribeAlarms': { by: ['cell'], actions: ['cloudwatch:DescribeAlarms'] },
  'cloudwatch paginateGetMetricData': { by: ['cell'], actions: ['cloudwatch:GetMetricData'] },
  'codepipeline GetPipelineExecutionCommand': { by: ['operator'], actions: ['codepipeline:GetPipelineExecution'] },
  'dynamodb DeleteCommand': { by: ['operator'], actions: ['dynamodb:DeleteItem'] },
  'dynamodb GetCommand': { by: ['operator', 'teller'], actions: ['dynamodb:GetItem'] },
  'dynamodb PutCommand': { by: ['operator'], actions: ['dynamodb:PutItem'] },
  'dynamodb TransactWriteCommand': {
    by: ['operator'],
    actions: ['dynamodb:ConditionCheckItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
  },
  'dynamodb UpdateCommand': { by: ['operator'], actions: ['dynamodb:UpdateItem'] },
  'dynamodb paginateQuery': { by: ['operator'], actions: ['dynamodb:Query'] },
  'eventbridge PutEventsCommand': { by: ['teller'], actions: ['events:PutEvents'] },
  'rds paginateDescribeDBEngineVersions': { by: ['cell'], actions: ['rds:DescribeDBEngineVersions'] },
  'rds paginateDescribeDBInstances': { by: ['cell'], actions: ['rds:DescribeDBInstances'] },
  'rds paginateDescribeOrderableDBInstanceOptions': { by: ['cell'], actions: ['rds:DescribeOrderableDBInstanceOptions'] },
  // Methods of a class that others call: neither function deletes or lists objects.
  's3 DeleteObjectCommand': { by: [], actions: [] },
  's3 paginateListObjectsV2': { by: [], actions: [] },
  // Without the right to list, a missing object is "forbidden".
  's3 GetObjectCommand': { by: ['operator', 'teller'], actions: ['s3:GetObject', 's3:ListBucket'] },
  's3 HeadObjectCommand': { by: ['cdk'], actions: ['s3:GetObject'] },
  's3 PutObjectCommand': { by: ['operator', 'cdk'], actions: ['s3:PutObject'] },
  'sfn DescribeExecutionCommand': { by: ['operator'], actions: ['states:DescribeExecution'] },
  'sts AssumeRole': { by: ['operator'], actions: ['sts:AssumeRole'] },
};

/** What the roles may do besides, and who does it. */
const BY_OTHERS: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'the runtime of the function',
  'logs:PutLogEvents': 'the runtime of the function',
  'ssm:GetParameters': 'CloudFormation, with the rights of who makes the change set',
  's3:GetObject': 'CloudFormation, which reads the template in the artifacts’ bucket',
  'dynamodb:DescribeStream': 'Lambda, which reads the stream',
  'dynamodb:GetRecords': 'Lambda, which reads the stream',
  'dynamodb:GetShardIterator': 'Lambda, which reads the stream',
  'dynamodb:ListStreams': 'Lambda, which reads the stream',
  'sqs:SendMessage': 'Lambda, which puts there what could not be told',
  'sqs:GetQueueAttributes': 'Lambda, which puts there what could not be told',
  'sqs:GetQueueUrl': 'Lambda, which puts there what could not be told',
};

const plan = requireInitialized(createPlan(registry()));
const [alpha] = plan.cells.filter(isVended).filter(({ name }) => name === 'alpha');
if (!alpha) throw new Error('the test has no cell alpha');
const rollouts = new RolloutsStack(app(), plan);
const foundation = new Foundation(app(), alpha);

/** Actions of the policies of a role, by the beginning of its logical id. */
function allowed(stack: Stack, role: string): ReadonlySet<string> {
  const policies = Object.values(resources(stack, 'AWS::IAM::Policy')).map(
    ({ Properties }) => Properties as { Roles: { Ref?: string }[]; PolicyDocument: { Statement: { Action: string | string[] }[] } },
  );
  const own = policies.filter(({ Roles }) => Roles.some(({ Ref }) => Ref?.startsWith(role)));
  return new Set(own.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action)));
}

const ROLES = {
  operator: allowed(rollouts, 'OperatorRole'),
  teller: allowed(rollouts, 'EventsRole'),
  cell: allowed(foundation, 'RolloutRole'),
} as const;

describe('the functions of stack Rollouts', () => {
  const bundle = readFileSync(join(packageRoot(), 'dist/operator/index.cjs'), 'utf8');

  test('make the calls of the table, and no others', () => {
    const made = [...bundle.matchAll(/\bimport_(?:client_(s3|[a-z]+)|lib_(dynamodb))\d*\.(\w+Command|paginate\w+)\b/g)];
    const calls = made.map(([, client, lib, name]) => `${client ?? lib} ${name}`);
    expect([...new Set(calls)].sort()).toEqual(
      Object.keys(CALLS)
        .filter((call) => call !== 'sts AssumeRole')
        .sort(),
    );
  });

  test.each(Object.entries(ROLES))('%s may do what its calls take, and no more than somebody needs', (caller, actions) => {
    const taken = Object.values(CALLS).flatMap((call) => (call.by.includes(caller as Caller) ? call.actions : []));
    expect([...new Set(taken)].filter((action) => !actions.has(action))).toEqual([]);
    expect([...actions].filter((action) => !taken.includes(action) && BY_OTHERS[action] === undefined)).toEqual([]);
  });
});
