import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { distributed, ended, execution, invoke, machineOf, outputOf, put, run, type States, start, states, stop } from './account.ts';

describe('a state machine', () => {
  test('gives a function its payload, and goes on with what this answers', async () => {
    const echo = invoke('echo', {
      Parameters: { FunctionName: 'echo', Payload: { op: 'advance', 'rollout.$': '$.id', 'execution.$': '$$.Execution.Id', list: [1] } },
      ResultSelector: { 'answer.$': '$.Payload.got', 'code.$': '$.StatusCode' },
      ResultPath: '$.result',
      OutputPath: '$',
    });
    const { output, executionArn } = await run({ Echo: echo }, { id: 'api-1' });

    expect(JSON.parse(output ?? '')).toEqual({
      id: 'api-1',
      result: { answer: { op: 'advance', rollout: 'api-1', execution: executionArn, list: [1] }, code: 200 },
    });
  });

  test("sees a function's error by its name, with its cause", async () => {
    const echo = invoke('echo', { Catch: [{ ErrorEquals: ['Busy'], ResultPath: '$.error', Next: 'Caught' }] });
    const caught = (await outputOf({ Echo: echo, Caught: { Type: 'Pass', End: true } }, { fail: 'x' })) as {
      fail: string;
      error: { Error: string; Cause: string };
    };

    expect(caught).toMatchObject({ fail: 'x', error: { Error: 'Busy' } });
    expect(JSON.parse(caught.error.Cause)).toMatchObject({ errorType: 'Busy', errorMessage: 'not now: x', trace: expect.any(Array) });
  });

  test('fails with the error of its function when nobody catches it', async () => {
    const failed = await run({ Echo: invoke('echo') }, { fail: 'y' });

    expect(failed).toMatchObject({ status: 'FAILED', error: 'Busy', cause: expect.stringContaining('not now: y') });
    expect(failed.stopDate).toBeGreaterThanOrEqual(failed.startDate);
  });

  test('tries again as often and as late as it says', async () => {
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 8, MaxDelaySeconds: 1 };
    const jittered = { ...retry, JitterStrategy: 'FULL' };
    const { executionArn } = await run({ Echo: invoke('echo', { Retry: [retry] }) }, { fail: 'z' });
    const { executionArn: other } = await run({ Echo: invoke('echo', { Retry: [jittered] }) }, { fail: 'z' });

    const times = async (arn: string) => {
      const { events } = await states<{ events: { type: string; timestamp: number }[] }>('GetExecutionHistory', { executionArn: arn });
      return events.filter(({ type }) => type === 'TaskScheduled').map(({ timestamp }) => timestamp);
    };
    const steady = await times(executionArn);
    expect(steady).toHaveLength(4);
    for (const [index, time] of steady.slice(1).entries()) {
      expect(time - (steady[index] ?? 0)).toBeGreaterThanOrEqual(0.99);
      expect(time - (steady[index] ?? 0)).toBeLessThan(3);
    }
    expect(await times(other)).toHaveLength(4);
  });

  test('chooses, waits as long as the input says, and fails with words from the input', async () => {
    const all: States = {
      Which: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.seconds', IsPresent: true },
              { Variable: '$.seconds', NumericGreaterThan: 0 },
            ],
            Next: 'Wait',
          },
          { Variable: '$.action', StringEquals: 'fail', Next: 'Fail' },
        ],
        Default: 'Done',
      },
      Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Done' },
      Fail: { Type: 'Fail', ErrorPath: '$.error', CausePath: "States.Format('{} of {}', $.cause, $$.Execution.Name)" },
      Done: { Type: 'Succeed' },
    };
    const waited = await run(all, { seconds: 1 });

    expect(waited).toMatchObject({ status: 'SUCCEEDED' });
    expect((waited.stopDate ?? 0) - waited.startDate).toBeGreaterThanOrEqual(1);
    const failed = await run(all, { action: 'fail', error: 'Stopped', cause: 'somebody' });
    expect(failed).toMatchObject({ status: 'FAILED', error: 'Stopped', cause: `somebody of ${failed.name}` });
    expect(await outputOf(all, { action: 'none' })).toEqual({ action: 'none' });
  });

  test('runs another one and goes on with its output', async () => {
    const child = await machineOf({ Say: { Type: 'Pass', Parameters: { 'heard.$': '$.word', 'as.$': '$$.Execution.Name' }, End: true } });
    const started = await outputOf(
      {
        Run: {
          Type: 'Task',
          Resource: 'arn:aws:states:::states:startExecution.sync:2',
          Parameters: { StateMachineArn: child, 'Name.$': '$.name', Input: { 'word.$': '$.word' } },
          End: true,
        },
      },
      { name: 'api-7-wave-1', word: 'hello' },
    );

    expect(started).toMatchObject({
      Status: 'SUCCEEDED',
      Name: 'api-7-wave-1',
      Input: { word: 'hello' },
      Output: { heard: 'hello', as: 'api-7-wave-1' },
    });
  });

  test('sees that another one failed, and why', async () => {
    const child = await machineOf({ Fail: { Type: 'Fail', Error: 'Broken', Cause: 'of old age' } });
    const runs = (name: string) => ({
      Run: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: child, Name: name },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Pass', End: true },
    });
    const caught = (await outputOf(runs('once'))) as { Error: string; Cause: string };

    expect(caught.Error).toBe('States.TaskFailed');
    expect(JSON.parse(caught.Cause)).toMatchObject({ Status: 'FAILED', Error: 'Broken', Cause: 'of old age', Name: 'once' });
    expect(await outputOf(runs('once'))).toMatchObject({ Error: 'StepFunctions.ExecutionAlreadyExistsException' });
  });

  test('is started once under a name', async () => {
    const machine = await machineOf({ Wait: { Type: 'Wait', SecondsPath: '$.seconds', End: true } });
    const starts = await Promise.all(Array.from({ length: 6 }, () => start(machine, { seconds: 60 }, 'one')));

    expect(new Set(starts.map(({ executionArn }) => executionArn)).size).toBe(1);
    const { executions } = await states<{ executions: object[] }>('ListExecutions', { stateMachineArn: machine });
    expect(executions).toHaveLength(1);
    await expect(start(machine, { seconds: 61 }, 'one')).rejects.toThrow('ExecutionAlreadyExists');
    await stop(starts[0]?.executionArn ?? '');
    await expect(start(machine, { seconds: 60 }, 'one')).rejects.toThrow('ExecutionAlreadyExists');
  });

  test('is stopped at once, with what it runs', async () => {
    const child = await machineOf({ Wait: { Type: 'Wait', Seconds: 300, End: true } });
    const parent = await machineOf({
      Run: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: child, Name: 'child' },
        ResultSelector: { 'out.$': '$.Output' },
        End: true,
      },
    });
    const { executionArn } = await start(parent);
    const childArn = `${child.replace(':stateMachine:', ':execution:')}:child`;
    for (let attempt = 0; attempt < 100 && !(await execution(childArn).catch(() => undefined)); attempt++) await sleep(50);
    expect(await execution(executionArn)).toMatchObject({ status: 'RUNNING' });

    await stop(executionArn, { error: 'Stopped', cause: 'by a test' });

    const stopped = await execution(executionArn);
    expect(stopped).toMatchObject({ status: 'ABORTED', error: 'Stopped', cause: 'by a test', stopDate: expect.any(Number) });
    expect(await ended(childArn)).toMatchObject({ status: 'ABORTED' });
    const { events } = await states<{ events: { type: string }[] }>('GetExecutionHistory', { executionArn });
    expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted', executionAbortedEventDetails: { error: 'Stopped' } });
    expect(await execution(executionArn)).toEqual(stopped);
  });

  test('that waits to try again, or in a map, is stopped', async () => {
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 300, MaxAttempts: 3 };
    const waiting = await start(await machineOf({ Echo: invoke('echo', { Retry: [retry] }) }), { fail: 'z' });
    await put('waits.json', [1, 2, 3]);
    const mapping = await start(
      await machineOf({ Map: distributed({ Wait: { Type: 'Wait', Seconds: 300, Next: 'Never' }, Never: { Type: 'Pass', End: true } }) }),
      { key: 'waits.json' },
    );
    await sleep(700);

    for (const { executionArn } of [waiting, mapping]) {
      await stop(executionArn);
      expect(await execution(executionArn)).toMatchObject({ status: 'ABORTED' });
      await sleep(300);
      const { events } = await states<{ events: { type: string }[] }>('GetExecutionHistory', { executionArn });
      expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted' });
    }
  });

  test('maps a list in S3 with as many at once as its input says', async () => {
    await put(
      'cells.json',
      Array.from({ length: 40 }, (_, cell) => ({ cell })),
    );
    const all = {
      Map: distributed(
        { Say: { Type: 'Pass', Parameters: { 'cell.$': '$.cell', 'rollout.$': '$.rollout', 'child.$': '$$.Execution.Id' }, End: true } },
        {
          MaxConcurrencyPath: '$.width',
          ToleratedFailurePercentage: 100,
          ItemSelector: { 'cell.$': '$$.Map.Item.Value.cell', 'rollout.$': '$.rollout', 'parent.$': '$$.Execution.Id' },
        },
      ),
    };
    const output = (await outputOf(all, { key: 'cells.json', width: 5, rollout: 'api-1' })) as { cell: number; child: string }[];

    expect(output.map(({ cell }) => cell)).toEqual(Array.from({ length: 40 }, (_, cell) => cell));
    expect(output[0]).toMatchObject({ rollout: 'api-1' });
    // Each item has an execution of its own.
    expect(new Set(output.map(({ child }) => child)).size).toBe(40);
    expect(output[0]?.child).toMatch(/:execution:[^:]+\/Cells:/);
  });

  test('runs no more at once than it may', async () => {
    await put('timed.json', [1, 2, 3, 4]);
    const all = {
      Map: distributed({ Wait: { Type: 'Wait', Seconds: 1, End: true } }, { MaxConcurrencyPath: '$.width', ResultPath: null }),
    };
    const input = { key: 'timed.json', width: 2 };
    const { output, startDate, stopDate = 0 } = await run(all, input);

    expect(JSON.parse(output ?? '')).toEqual(input);
    expect(stopDate - startDate).toBeGreaterThanOrEqual(2);
    expect(stopDate - startDate).toBeLessThan(3.9);
  });

  test('maps an empty list', async () => {
    await put('none.json', []);
    const all = { Map: distributed({ Say: { Type: 'Pass', End: true } }, { MaxConcurrencyPath: '$.width' }) };

    expect(await outputOf(all, { key: 'none.json', width: 3 })).toEqual([]);
  });

  test.each([
    [0, 'FAILED', 'States.ExceedToleratedFailureThreshold'],
    [24, 'FAILED', 'States.ExceedToleratedFailureThreshold'],
    [25, 'SUCCEEDED', undefined],
    [100, 'SUCCEEDED', undefined],
  ])('with one of four items failed and %d %% tolerated has %s', async (percentage, status, error) => {
    await put('quarter.json', [{}, { fail: 'here' }, {}, {}]);
    const all = { Map: distributed({ Echo: invoke('echo') }, { ToleratedFailurePercentage: percentage, ResultPath: null }) };
    const result = await run(all, { key: 'quarter.json' });

    expect(result).toMatchObject({ status });
    expect(result.error).toBe(error);
  });

  test('catches the failure of a map', async () => {
    await put('bad.json', [{ fail: 'here' }]);
    const all = {
      Map: distributed({ Echo: invoke('echo') }, { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' }] }),
      Caught: { Type: 'Pass', End: true },
    };

    expect(await outputOf(all, { key: 'bad.json' })).toMatchObject({ error: { Error: 'States.ExceedToleratedFailureThreshold' } });
  });

  test('catches that there is no list', async () => {
    const all = {
      Map: distributed({ Say: { Type: 'Pass', End: true } }, { Catch: [{ ErrorEquals: ['States.ItemReaderFailed'], Next: 'Caught' }] }),
      Caught: { Type: 'Pass', End: true },
    };

    expect(await outputOf(all, { key: 'nowhere.json' })).toMatchObject({ Error: 'States.ItemReaderFailed' });
  });

  test('runs beside many others', async () => {
    const machine = await machineOf({
      Say: { Type: 'Pass', Parameters: { 'n.$': '$.n', 'name.$': '$$.Execution.Name' }, Next: 'Echo' },
      Echo: invoke('echo', { Parameters: { FunctionName: 'echo', 'Payload.$': '$' } }),
    });
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => start(machine, { n }, `run-${n}`)));
    const outputs = await Promise.all(all.map(async ({ executionArn }) => JSON.parse((await ended(executionArn)).output ?? 'null')));

    expect(outputs).toEqual(Array.from({ length: 12 }, (_, n) => ({ got: { n, name: `run-${n}` } })));
  });

  test('is described and listed', async () => {
    const machine = await machineOf({ Say: { Type: 'Pass', End: true } });
    const { executionArn } = await start(machine, { a: 1 }, 'listed');
    await ended(executionArn);

    expect(await execution(executionArn)).toMatchObject({ name: 'listed', input: '{"a":1}', output: '{"a": 1}', status: 'SUCCEEDED' });
    await expect(execution(`${executionArn}-not`)).rejects.toThrow('ExecutionDoesNotExist');
    const { executions } = await states<{ executions: object[] }>('ListExecutions', {
      stateMachineArn: machine,
      statusFilter: 'SUCCEEDED',
    });
    expect(executions).toMatchObject([{ name: 'listed', stopDate: expect.any(Number) }]);
  });
});
