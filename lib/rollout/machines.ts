/**
 * The three state machines, as data: what is deployed, what runs on the local cloud, what docs/rollout-states.md draws. They wait,
 * loop and fan out; every decision is the operator's, and comes back as `action`.
 */
import { ANSWERS, type AnswerTo, type OperationName } from './operator/answers.ts';
import { RETRIED } from './operator/operator-error.ts';

type Json = { readonly [key: string]: unknown };
/** A state of Amazon States Language. */
export interface State {
  readonly Type: 'Task' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Pass' | 'Succeed' | 'Fail';
  readonly Comment?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly [field: string]: unknown;
}
export interface Machine {
  readonly Comment: string;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** What the stack fills in, as `${…}`: nothing in a definition knows an account or a partition. */
export type Blank = 'Partition' | 'Operator' | 'Bucket' | 'RunWave' | 'WatchAfter' | 'WatchBetween';
const given = (name: Blank) => `\${${name}}`;
const service = (action: string) => `arn:${given('Partition')}:states:::${action}`;

/** Full jitter: hundreds of cells that were throttled together don't come back together. */
const BACKOFF = { IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 8, MaxDelaySeconds: 60, JitterStrategy: 'FULL' };
const RETRY = [
  {
    ErrorEquals: [
      ...RETRIED,
      'Lambda.TooManyRequestsException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      // One crash must not take a healthy wave back.
      'Lambda.Unknown',
      'Runtime.ExitError',
      'Runtime.OutOfMemory',
      'Sandbox.Timedout',
    ],
    ...BACKOFF,
  },
];

const caught = (Next: string) => [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next }];

/** A call of the operator. Its answer is at `$.step.answer`. */
const call = (op: OperationName, payload: Json, onError: string | undefined, Next: string, Comment: string): State => ({
  Type: 'Task',
  Comment,
  Resource: service('lambda:invoke'),
  Parameters: { FunctionName: given('Operator'), Payload: { op, 'rollout.$': '$.rollout', ...payload } },
  ResultSelector: { 'answer.$': '$.Payload' },
  ResultPath: '$.step',
  Retry: RETRY,
  ...(onError === undefined ? {} : { Catch: caught(onError) }),
  Next,
});

/** On by what the operator said to that operation. There is no default: an action that nobody knows is an error. */
const branch = <Name extends OperationName>(name: Name, targets: Readonly<Record<AnswerTo<Name>, string>>): State => ({
  Type: 'Choice',
  Choices: (ANSWERS[name] as readonly AnswerTo<Name>[]).map((action) => ({
    Variable: '$.step.answer.action',
    StringEquals: action,
    Next: targets[action],
  })),
});

const pause = (Next: string, Comment: string): State => ({ Type: 'Wait', Comment, SecondsPath: '$.step.answer.seconds', Next });

/** Does `cell` for each cell of the list that the operator has named. Every cell is an execution of its own, with a history of its own. */
const forEachCell = (Label: string, payload: Json, cell: Branch, next: Readonly<Record<string, unknown>>, Comment: string): State => ({
  Type: 'Map',
  Comment,
  Label,
  ItemReader: {
    Resource: service('s3:getObject'),
    ReaderConfig: { InputType: 'JSON' },
    Parameters: { Bucket: given('Bucket'), 'Key.$': '$.step.answer.cells' },
  },
  ItemSelector: { 'rollout.$': '$.rollout', ...payload },
  MaxConcurrencyPath: '$.step.answer.concurrency',
  ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...cell },
  // What became of a cell is in the table. Hundreds of answers here would be beyond a payload's size.
  ResultPath: null,
  // A list that can't be read for a moment: nothing was begun yet.
  Retry: [{ ErrorEquals: ['States.ItemReaderFailed'], ...BACKOFF }],
  ...next,
});

export interface Branch {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/**
 * What the way out and the way back of a cell have in common: looked at until it is done. Names of states are unique in the
 * whole machine, also those inside a map: Step Functions takes no other.
 */
function polled(way: 'Deploy' | 'Restore', payload: Json): Branch['States'] {
  const operation = way === 'Deploy' ? 'pollDeploy' : 'pollRestore';
  const [poll, later, giveUp, done] = [`Poll${way}`, `${way}Wait`, `${way}Broken`, `${way}Done`];
  return {
    [later]: pause(poll, 'CloudFormation is at work.'),
    [poll]: call(operation, payload, giveUp, `${poll}Says`, 'Takes the change a step on.'),
    [`${poll}Says`]: branch(operation, { poll: later, done }),
    [giveUp]: call('cellBroken', { ...payload, 'error.$': '$.error' }, undefined, done, 'Writes down why, for people.'),
    // Nothing but an empty object goes back to the wave.
    [done]: { Type: 'Pass', Result: {}, End: true },
  };
}

/** One cell, the way out. */
function deployOne(): Branch {
  const payload = { 'run.$': '$.run', 'wave.$': '$.wave', 'cell.$': '$.cell' };
  return {
    StartAt: 'StartDeploy',
    States: {
      StartDeploy: call('startDeploy', payload, 'DeployBroken', 'StartDeploySays', 'Begins, or leaves the cell alone.'),
      StartDeploySays: branch('startDeploy', { again: 'StartDeployLater', poll: 'DeployWait', done: 'DeployDone' }),
      StartDeployLater: pause('StartDeploy', 'Somebody else is changing the stack, or the next look comes first.'),
      ...polled('Deploy', payload),
    },
  };
}

/** One cell, the way back. Its wave may be an earlier one. No calendar keeps it. */
function restoreOne(): Branch {
  const payload = { 'run.$': '$.run', 'wave.$': '$.cell.wave', 'cell.$': '$.cell' };
  return {
    StartAt: 'StartRestore',
    States: {
      StartRestore: call('startRestore', payload, 'RestoreBroken', 'StartRestoreSays', 'Begins, or leaves the cell alone.'),
      StartRestoreSays: branch('startRestore', { poll: 'RestoreWait', done: 'RestoreDone' }),
      ...polled('Restore', payload),
    },
  };
}

/** One wave: preflight, deploy, bake, and on failure the way back. What a pipeline's stage calls, and the machine below. */
export function runWave(): Machine {
  const payload = { 'run.$': '$.run', 'wave.$': '$.wave' };
  return {
    Comment: 'One wave of a rollout: preflight, deploy, bake; on failure, what it changed is rolled back.',
    StartAt: 'Preflight',
    States: {
      Preflight: call(
        'preflight',
        { ...payload, 'execution.$': '$$.Execution.Id' },
        'Broken',
        'PreflightSays',
        'Alarms, locks, calendars, approval; and what people have asked for.',
      ),
      PreflightSays: branch('preflight', { go: 'Deploying', wait: 'PreflightWait', pass: 'Passed', rollback: 'ChooseCells', end: 'Ended' }),
      PreflightWait: pause('Preflight', 'For a calendar that is closed, a freeze, or an alarm that has no data yet.'),
      Deploying: {
        Type: 'Parallel',
        Comment: 'Cells get the version, and whatever has it is watched.',
        Branches: [
          {
            StartAt: 'Deploy',
            States: {
              Deploy: forEachCell(
                'Deploy',
                { ...payload, 'cell.$': '$$.Map.Item.Value' },
                deployOne(),
                { End: true },
                'The cells of the wave, some at a time. After a failure, or while a cell is sick, no other begins.',
              ),
            },
          },
          {
            StartAt: 'Watch',
            States: {
              Watch: call('watch', payload, undefined, 'WatchSays', 'Alarms of all cells with the version, each since its own deployment.'),
              WatchSays: branch('watch', { wait: 'WatchLater', done: 'Watched' }),
              WatchLater: pause('Watch', 'About as long as a cell takes.'),
              Watched: { Type: 'Pass', Result: {}, End: true },
            },
          },
        ],
        ResultPath: null,
        Catch: caught('Broken'),
        Next: 'Deployed',
      },
      Deployed: call('deployed', payload, 'Broken', 'DeployedSays', 'What became of the cells.'),
      DeployedSays: branch('deployed', { bake: 'Bake', rollback: 'ChooseCells', end: 'Ended' }),
      Bake: pause('Look', 'Long bakes are looked at less often.'),
      Look: call('look', payload, 'Broken', 'LookSays', 'Alarms of all cells with the version, also those that are quiet again; requests.'),
      LookSays: branch('look', { wait: 'Bake', again: 'Preflight', pass: 'Passed', rollback: 'ChooseCells', end: 'Ended' }),
      ChooseCells: call('rollback', payload, 'Broken', 'ChooseCellsSays', 'This wave, all so far, or single cells.'),
      ChooseCellsSays: branch('rollback', { rollback: 'PutBack', pass: 'Restored', end: 'Ended' }),
      PutBack: forEachCell(
        'PutBack',
        { 'run.$': '$.run', 'cell.$': '$$.Map.Item.Value' },
        restoreOne(),
        { Catch: caught('Broken'), Next: 'Restored' },
        'What each cell ran before, more at a time than on the way out.',
      ),
      Restored: call('restored', payload, 'Broken', 'RestoredSays', 'Names what could not be rolled back.'),
      RestoredSays: branch('restored', { again: 'Preflight', end: 'Ended' }),
      Broken: call('broken', { ...payload, 'error.$': '$.error' }, 'GaveUp', 'BrokenSays', 'An error that nothing else expects.'),
      BrokenSays: branch('broken', { rollback: 'ChooseCells', end: 'Ended' }),
      Ended: { Type: 'Choice', Choices: [{ Variable: '$.step.answer.well', BooleanEquals: true, Next: 'Passed' }], Default: 'Failed' },
      Passed: { Type: 'Succeed' },
      Failed: { Type: 'Fail', Error: 'WaveFailed', CausePath: '$.step.answer.sentence' },
      GaveUp: { Type: 'Fail', Comment: 'Not even the record could be written.', Error: 'OperatorFailed', CausePath: '$.error.Cause' },
    },
  };
}

/** Starts another machine for the rollout, and ends well, whatever becomes of that. */
const beside = (machine: 'WatchAfter' | 'WatchBetween', input: Json, Comment: string): State => ({
  Type: 'Task',
  Comment,
  Resource: service('states:startExecution'),
  Parameters: {
    StateMachineArn: given(machine),
    'Name.$': '$.step.answer.name',
    Input: { 'rollout.$': '$.rollout', ...input, 'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$': '$$.Execution.Id' },
  },
  ResultPath: null,
  Retry: [{ ErrorEquals: ['StepFunctions.ExecutionLimitExceeded', 'StepFunctions.SdkClientException'], ...BACKOFF }],
  Catch: caught('Done'),
  Next: 'Done',
});

/** One rollout: wave after wave, as its record says. */
export function rollout(): Machine {
  return {
    Comment: 'A rollout: wave after wave. A pause or a missing approval ends it; going on is another execution.',
    StartAt: 'NextWave',
    States: {
      NextWave: call(
        'next',
        { 'execution.$': '$$.Execution.Id', 'stage.$': '$.stage' },
        'GaveUp',
        'NextWaveSays',
        'The next wave, or the end; for a pipeline, the end of its stage.',
      ),
      NextWaveSays: branch('next', {
        wave: 'RunWave',
        wait: 'NextWaveWait',
        after: 'WatchAfter',
        between: 'WatchBetween',
        end: 'Ended',
      }),
      NextWaveWait: pause('NextWave', 'For another rollout of the component, or another execution of this one.'),
      RunWave: {
        Type: 'Task',
        Comment: 'The wave, as an execution of its own: its history is not this one’s.',
        Resource: service('states:startExecution.sync:2'),
        Parameters: {
          StateMachineArn: given('RunWave'),
          'Name.$': '$.step.answer.name',
          Input: {
            'rollout.$': '$.rollout',
            'run.$': '$.step.answer.run',
            'wave.$': '$.step.answer.wave',
            'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$': '$$.Execution.Id',
          },
        },
        ResultPath: null,
        // Only what happens before the wave begins: one that has failed is not tried again.
        Retry: [{ ErrorEquals: ['StepFunctions.ExecutionLimitExceeded', 'StepFunctions.SdkClientException'], ...BACKOFF }],
        Catch: caught('WaveFailed'),
        Next: 'NextWave',
      },
      // Begun already, or not to be begun: the rollout has succeeded, or waits for its pipeline, all the same.
      WatchAfter: beside(
        'WatchAfter',
        {},
        'Begins to look at the cells after the success, as an execution of its own that nobody waits for.',
      ),
      WatchBetween: beside(
        'WatchBetween',
        { 'machine.$': '$$.StateMachine.Id' },
        'Begins to look at whether the pipeline is still there, as an execution of its own that nobody waits for.',
      ),
      WaveFailed: call(
        'waveFailed',
        { 'execution.$': '$$.Execution.Id', 'error.$': '$.error' },
        'GaveUp',
        'Ended',
        'Because the wave did, or because its execution died.',
      ),
      Ended: { Type: 'Choice', Choices: [{ Variable: '$.step.answer.well', BooleanEquals: true, Next: 'Done' }], Default: 'Failed' },
      Done: { Type: 'Succeed' },
      Failed: { Type: 'Fail', Error: 'RolloutEnded', CausePath: '$.step.answer.sentence' },
      GaveUp: { Type: 'Fail', Comment: 'Not even the record could be written.', Error: 'OperatorFailed', CausePath: '$.error.Cause' },
    },
  };
}

/** Looks at a rollout's cells after its success, until the policy's `watchAfter` is over. */
export function watchAfter(): Machine {
  return {
    Comment: 'After the success of a rollout: alarms in cells that still run its version are reported, and nothing is done.',
    StartAt: 'LookAfter',
    States: {
      LookAfter: call('after', {}, 'GaveUp', 'LookAfterSays', 'Alarms since the rollout succeeded.'),
      LookAfterSays: branch('after', { wait: 'LookAfterWait', end: 'Done' }),
      LookAfterWait: pause('LookAfter', 'A hundredth of the time.'),
      Done: { Type: 'Succeed' },
      GaveUp: { Type: 'Fail', Error: 'OperatorFailed', CausePath: '$.error.Cause' },
    },
  };
}

/** Looks at a rollout between two waves, until its pipeline has taken it on, or is gone. */
export function watchBetween(): Machine {
  return {
    Comment: 'Between two waves of a rollout: when its pipeline has failed or is gone, the rollout stops or is rolled back.',
    StartAt: 'LookBetween',
    States: {
      LookBetween: call('idle', {}, 'GaveUp', 'LookBetweenSays', 'Whether the pipeline is still there, and within its time.'),
      LookBetweenSays: branch('idle', { wait: 'LookBetweenWait', stage: 'TakeOn', end: 'Done' }),
      LookBetweenWait: pause('LookBetween', 'The longer nothing happens, the longer.'),
      TakeOn: {
        Type: 'Task',
        Comment: 'The machine that drives rollouts takes it on, finds nobody behind the stage, and does what the policy says.',
        Resource: service('states:startExecution'),
        Parameters: {
          'StateMachineArn.$': '$.machine',
          Input: {
            'rollout.$': '$.rollout',
            'stage.$': '$.step.answer.stage',
            'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$': '$$.Execution.Id',
          },
        },
        ResultPath: null,
        Retry: [{ ErrorEquals: ['StepFunctions.ExecutionLimitExceeded', 'StepFunctions.SdkClientException'], ...BACKOFF }],
        Catch: caught('GaveUp'),
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
      GaveUp: { Type: 'Fail', Error: 'OperatorFailed', CausePath: '$.error.Cause' },
    },
  };
}

/** The definition as text, with its blanks filled in. */
export const definitionOf = (machine: Machine, values: Readonly<Partial<Record<Blank, string>>>): string =>
  Object.entries(values).reduce((text, [name, value]) => text.replaceAll(given(name as Blank), value), JSON.stringify(machine));

/** Events that a state adds to the history of its execution, of a Parallel without those of its branches. Source: "Standard workflows: history events", AWS Step Functions Developer Guide. */
const EVENTS = { Task: 5, Choice: 2, Wait: 2, Map: 5, Parallel: 4, Pass: 2, Succeed: 2, Fail: 1 } as const;

/** What a Parallel does side by side: part of the same execution, unlike what a distributed map does. */
export const branchesOf = (state: State): readonly Branch[] => (state['Branches'] ?? []) as readonly Branch[];

const find = ({ States }: Branch, name: string): State | undefined =>
  States[name] ??
  Object.values(States)
    .flatMap(branchesOf)
    .map((each) => find(each, name))
    .find((state) => state !== undefined);

/** Events of one round through these states. */
export const eventsOf = (machine: Branch, round: readonly string[]): number =>
  round.reduce((sum, name) => {
    const state = find(machine, name);
    return sum + (state ? EVENTS[state.Type] : 0);
  }, 0);
