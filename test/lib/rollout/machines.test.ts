import { describe, expect, test } from '@jest/globals';
// @ts-expect-error -- its package has types, and doesn't say where
import aslValidator from 'asl-validator';
import { drawingOf } from '../../../docs/drawing.ts';
import { MOST_EVENTS } from '../../../lib/rollout/budget.ts';
import {
  type Blank,
  branchesOf,
  eventsOf,
  type Machine,
  rollout,
  runWave,
  type State,
  watchAfter,
  watchBetween,
} from '../../../lib/rollout/machines.ts';
import { ANSWERS, type OperationName } from '../../../lib/rollout/operator/answers.ts';

const MACHINES = [
  ['RunWave', runWave()],
  ['Rollout', rollout()],
  ['WatchAfter', watchAfter()],
  ['WatchBetween', watchBetween()],
] as const;

/** As the stack fills them in. */
const GIVEN: Readonly<Record<Blank, string>> = {
  Partition: 'aws',
  Operator: 'arn:aws:lambda:eu-west-1:200000000000:function:operator',
  Bucket: 'acme-cell-artifacts-200000000000-eu-west-1',
  RunWave: 'arn:aws:states:eu-west-1:200000000000:stateMachine:RunWave',
  WatchAfter: 'arn:aws:states:eu-west-1:200000000000:stateMachine:WatchAfter',
  WatchBetween: 'arn:aws:states:eu-west-1:200000000000:stateMachine:WatchBetween',
};
const deployed = (machine: Machine) =>
  Object.entries(GIVEN).reduce((text, [name, value]) => text.replaceAll(`\${${name}}`, value), JSON.stringify(machine));
const validate = aslValidator as (definition: object, options: object) => { isValid: boolean; errorsText: (separator: string) => string };

interface Rule {
  readonly Next: string;
  readonly ErrorEquals: readonly string[];
}
interface Choice {
  readonly Variable: string;
  readonly StringEquals?: string;
  readonly Next: string;
}
const catchesOf = (state: State) => (state['Catch'] ?? []) as readonly Rule[];
const choicesOf = (state: State) => (state['Choices'] ?? []) as readonly Choice[];
const nextOf = (state: State): string[] =>
  [
    state.Next,
    state['Default'] as string | undefined,
    ...choicesOf(state).map(({ Next }) => Next),
    ...catchesOf(state).map(({ Next }) => Next),
  ].filter((name) => name !== undefined);

/** A machine, and what it does for each cell. */
function scopes(machine: Machine): Machine[] {
  const inside = Object.values(machine.States).flatMap((state) => [
    ...(state['ItemProcessor'] ? [state['ItemProcessor'] as Machine] : []),
    ...(branchesOf(state) as readonly Machine[]),
  ]);
  return [machine, ...inside.flatMap(scopes)];
}
const statesOf = (machine: Machine) => scopes(machine).flatMap(({ States }) => Object.entries(States));

/** Names of the states that can come after this one, in its scope. */
function reachable({ States }: Machine, from: string): Set<string> {
  const seen = new Set<string>();
  const visit = (name: string) => {
    const state = States[name];
    if (seen.has(name) || !state) return;
    seen.add(name);
    nextOf(state).forEach(visit);
  };
  visit(from);
  return seen;
}

type Payload = Readonly<Record<string, unknown>>;
const payloadOf = (state: State) => (state['Parameters'] as { Payload?: Payload } | undefined)?.Payload;
const operationOf = (state: State) => payloadOf(state)?.['op'] as OperationName | undefined;

describe.each(MACHINES)('%s', (_, machine) => {
  test('is what Step Functions understands', () => {
    const { isValid, errorsText } = validate(JSON.parse(deployed(machine)), { checkPaths: true, checkArn: true });
    expect(isValid ? '' : errorsText('\n')).toBe('');
  });

  test('has a name of its own for every state, also inside maps', () => {
    const names = statesOf(machine).map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.length > 80)).toEqual([]);
  });

  test('leads only to states that there are, and to each of them', () => {
    for (const scope of scopes(machine)) {
      const there = Object.keys(scope.States);
      expect([scope.StartAt, ...Object.values(scope.States).flatMap(nextOf)].filter((name) => !there.includes(name))).toEqual([]);
      expect([...reachable(scope, scope.StartAt)].sort()).toEqual(there.sort());
    }
  });

  test('comes to an end from everywhere', () => {
    for (const scope of scopes(machine)) {
      for (const name of Object.keys(scope.States)) {
        const ends = [...reachable(scope, name)].filter((each) => {
          const state = scope.States[each];
          return state?.End === true || state?.Type === 'Succeed' || state?.Type === 'Fail';
        });
        expect({ name, ends: ends.length > 0 }).toEqual({ name, ends: true });
      }
    }
  });

  test('tries every task again, and catches what is left; only who writes down a failure has nobody behind it', () => {
    const tasks = statesOf(machine).filter(([, { Type }]) => Type === 'Task');
    expect(tasks.filter(([, state]) => state['Retry'] === undefined).map(([name]) => name)).toEqual([]);
    const uncaught = tasks.filter(([, state]) => catchesOf(state).length === 0).map(([, state]) => operationOf(state));
    // What is side by side is caught around it.
    expect(new Set(uncaught)).toEqual(new Set(machine.States['Deploying'] ? ['cellBroken', 'watch'] : []));
    const parallel = statesOf(machine).filter(([, { Type }]) => Type === 'Parallel');
    for (const [, state] of parallel) expect(catchesOf(state)).toHaveLength(1);
    for (const [, state] of statesOf(machine)) for (const { ErrorEquals } of catchesOf(state)) expect(ErrorEquals).toEqual(['States.ALL']);
  });

  test('never begins a wave again that has failed', () => {
    const retried = statesOf(machine)
      .filter(([, state]) => state.Type === 'Task' && operationOf(state) === undefined)
      .flatMap(([, state]) => (state['Retry'] as readonly Rule[]).flatMap(({ ErrorEquals }) => ErrorEquals));
    expect(retried.filter((name) => name.startsWith('States.'))).toEqual([]);
  });

  test('has a way for each answer of the operator, and none besides', () => {
    for (const { States } of scopes(machine)) {
      for (const state of Object.values(States)) {
        const operation = operationOf(state);
        const choice = States[state.Next ?? ''];
        if (operation === undefined) continue;
        if (choice?.Type === 'Choice' && choicesOf(choice)[0]?.Variable === '$.step.answer.action') {
          expect(choice['Default']).toBeUndefined();
          expect(choicesOf(choice).map(({ StringEquals }) => StringEquals)).toEqual(expect.arrayContaining([...ANSWERS[operation]]));
          expect(choicesOf(choice)).toHaveLength(ANSWERS[operation].length);
        } else {
          // One answer only, and no choice.
          expect({ operation, answers: ANSWERS[operation].length }).toEqual({ operation, answers: 1 });
        }
      }
    }
  });

  test('ends with a sentence for people, whatever was caught', () => {
    for (const scope of scopes(machine)) {
      for (const state of Object.values(scope.States)) {
        if (state.Type === 'Fail') expect(state['CausePath']).toMatch(/^\$\.(step\.answer\.sentence|error\.Cause)$/);
        for (const { Next } of catchesOf(state)) {
          const after = [...reachable(scope, Next)].map((name) => scope.States[name]);
          // What has succeeded stays so, also where nobody can look at it afterwards.
          if (Next === 'Done') continue;
          const told = after.some((each) => each?.Type === 'Fail' || (each && operationOf(each) === 'cellBroken'));
          expect({ Next, told }).toEqual({ Next, told: true });
        }
      }
    }
  });

  test('knows no account, no region and no partition', () => {
    expect(JSON.stringify(machine).match(/arn:aws|\b\d{12}\b|\b[a-z]{2}-[a-z]+-\d\b/g)).toBeNull();
    const used = [...JSON.stringify(machine).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
    expect(used.filter((name) => !(String(name) in GIVEN))).toEqual([]);
  });

  test('hands on names and numbers, not lists, and is far from the size that Step Functions takes', () => {
    const small = ['op', 'rollout', 'rollout.$', 'run.$', 'wave.$', 'cell.$', 'execution.$', 'error.$', 'stage.$'];
    for (const [, state] of statesOf(machine)) {
      expect(Object.keys(payloadOf(state) ?? {}).filter((name) => !small.includes(name))).toEqual([]);
      expect(Object.keys((state['ItemSelector'] ?? {}) as object).filter((name) => !small.includes(name))).toEqual([]);
      if (state.Type === 'Map') expect(state['ResultPath']).toBeNull();
    }
    expect(deployed(machine).length).toBeLessThan(50_000);
  });

  test('is drawn with each state that is not just a branch', () => {
    const drawing = drawingOf(machine);
    for (const [name, { Type }] of statesOf(machine)) {
      if (Type !== 'Choice') expect(drawing).toMatch(new RegExp(`(> |state )${name}\\b`));
    }
  });
});

test('every operation of the operator is called by a machine', () => {
  const called = MACHINES.flatMap(([, machine]) => statesOf(machine).flatMap(([, state]) => operationOf(state) ?? []));
  expect([...new Set(called)].sort()).toEqual(Object.keys(ANSWERS).sort());
});

test('the states are these', () => {
  const text = MACHINES.flatMap(([, machine]) => scopes(machine)).map(({ States }) => Object.keys(States).join(' '));
  expect(text.join('\n')).toMatchInlineSnapshot(`
"Preflight PreflightSays PreflightWait Deploying Deployed DeployedSays Bake Look LookSays ChooseCells ChooseCellsSays PutBack Restored RestoredSays Broken BrokenSays Ended Passed Failed GaveUp
Deploy
StartDeploy StartDeploySays StartDeployLater DeployWait PollDeploy PollDeploySays DeployBroken DeployDone
Watch WatchSays WatchLater Watched
StartRestore StartRestoreSays RestoreWait PollRestore PollRestoreSays RestoreBroken RestoreDone
NextWave NextWaveSays NextWaveWait RunWave WatchAfter WatchBetween WaveFailed Ended Done Failed GaveUp
LookAfter LookAfterSays LookAfterWait Done GaveUp
LookBetween LookBetweenSays LookBetweenWait TakeOn Done GaveUp"
`);
});

describe('the history', () => {
  test('of a rollout grows with its waves only', () => {
    expect(100 * eventsOf(rollout(), ['NextWave', 'NextWaveSays', 'RunWave'])).toBeLessThan(MOST_EVENTS / 10);
  });

  test('of a cell fits, if it is looked at for an hour', () => {
    const [cell] = scopes(runWave()).slice(1);
    expect(cell && (3_600 / 15) * eventsOf(cell, ['PollDeploy', 'PollDeploySays', 'DeployWait'])).toBeLessThan(MOST_EVENTS / 10);
  });
});
