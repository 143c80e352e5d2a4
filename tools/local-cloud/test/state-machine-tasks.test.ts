import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { aws, parameterNames } from './management.ts';
import { MANAGEMENT_ACCOUNT, outputsOf } from './server.ts';

const OTHER_ACCOUNT = '222222222222';
const ROLE = `arn:aws:iam::${MANAGEMENT_ACCOUNT}:role/machine`;

describe('state machines', () => {
  test('a state machine runs again after it has run', async () => {
    const machine = await createMachine('again', { Ok: { Type: 'Pass', Result: 'done', End: true } });

    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a task acts in the account of the role in its credentials', async () => {
    const machine = await createMachine('elsewhere', {
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:ssm:putParameter',
        Parameters: { Name: '/made/elsewhere', Value: 'v', Type: 'String' },
        Credentials: { RoleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/worker` },
        End: true,
      },
    });

    expect(await run(machine)).toMatchObject({ status: 'SUCCEEDED' });

    expect(await parameterNames(await aws.inAccount(OTHER_ACCOUNT))).toContain('/made/elsewhere');
    expect(await parameterNames(aws)).not.toContain('/made/elsewhere');
  });

  test("a task without credentials acts in the state machine's own account", async () => {
    const other = await aws.inAccount(OTHER_ACCOUNT);
    const states = {
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:ssm:putParameter',
        Parameters: { Name: '/made/at-home', Value: 'v', Type: 'String' },
        End: true,
      },
    };
    const machine = await createMachine('home', states, other, `arn:aws:iam::${OTHER_ACCOUNT}:role/machine`);

    expect(await run(machine, other)).toMatchObject({ status: 'SUCCEEDED' });

    expect(await parameterNames(other)).toContain('/made/at-home');
    expect(await parameterNames(aws)).not.toContain('/made/at-home');
  });

  test('a choice on a path with an array index matches', async () => {
    const machine = await createMachine('choice', {
      Look: { Type: 'Pass', Result: { Stacks: [{ StackStatus: 'CREATE_COMPLETE' }] }, ResultPath: '$.now', Next: 'Is' },
      Is: {
        Type: 'Choice',
        Choices: [{ Variable: '$.now.Stacks[0].StackStatus', StringEquals: 'CREATE_COMPLETE', Next: 'Yes' }],
        Default: 'No',
      },
      Yes: { Type: 'Pass', Result: 'yes', End: true },
      No: { Type: 'Pass', Result: 'no', End: true },
    });

    expect(await run(machine)).toMatchObject({ output: '"yes"' });
  });

  test('a wildcard path still answers a list', async () => {
    const machine = await createMachine('wildcard', { All: { Type: 'Pass', InputPath: '$.list[*].name', End: true } });

    expect(await run(machine, aws, { list: [{ name: 'a' }] })).toMatchObject({ output: '["a"]' });
  });

  test("a task's error is named as AWS names it", async () => {
    const machine = await createMachine('failing', {
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:cloudformation:describeStacks',
        Parameters: { StackName: 'no-such-stack' },
        Catch: [{ ErrorEquals: ['CloudFormation.CloudFormationException'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Pass', Result: 'caught', End: true },
    });

    expect(await run(machine)).toMatchObject({ output: '"caught"' });
  });

  test("a stack's state machine can be executed", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
    const definition = JSON.stringify({ StartAt: 'Say', States: { Say: { Type: 'Pass', Result: '${Word}', End: true } } });
    const stack = await aws.deploy('machine', {
      Resources: {
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: { RoleArn: ROLE, DefinitionString: definition, DefinitionSubstitutions: { Word: 'hello' } },
        },
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Machine', 'Arn'] } } },
    });

    expect(await run(outputsOf(stack)['Arn'] ?? '')).toMatchObject({ output: '"hello"' });
  });
});

async function createMachine(name: string, states: Record<string, object>, caller = aws, roleArn = ROLE): Promise<string> {
  const definition = JSON.stringify({ StartAt: Object.keys(states)[0], States: states });
  const input = { name, roleArn, definition };
  return (await caller.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', input)).stateMachineArn;
}

async function run(stateMachineArn: string, caller = aws, input: object = {}): Promise<{ status: string; output?: string }> {
  const start = { stateMachineArn, input: JSON.stringify(input) };
  const { executionArn } = await caller.json<{ executionArn: string }>('states', 'AWSStepFunctions.StartExecution', start);
  for (let attempt = 0; attempt < 600; attempt++) {
    const now = await caller.json<{ status: string; output?: string }>('states', 'AWSStepFunctions.DescribeExecution', { executionArn });
    if (now.status !== 'RUNNING') return now;
    await sleep(50);
  }
  throw new Error(`${executionArn} has not ended in 30 s`);
}
