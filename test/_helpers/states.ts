/**
 * Runs machines in Amazon States Language, as far as ours use it, on a clock of the test's own: the definitions that are
 * deployed decide what is called when, and nothing here knows what a rollout is.
 */
import pLimit from 'p-limit';
import { type Branch, branchesOf, eventsOf, type State } from '../../lib/rollout/machines.ts';
import type { VirtualClock } from './clock.ts';
import type { MemoryObjects } from './objects.ts';

type Value = unknown;
type Data = Readonly<Record<string, Value>>;

/** An error by the name that `Retry` and `Catch` know. */
export class StateError extends Error {
  constructor(
    readonly error: string,
    override readonly cause: string,
  ) {
    super(`${error}: ${cause}`);
  }
}

/** Thrown through everything when somebody has ended an execution from outside. */
class Killed extends Error {}

interface Rule {
  readonly ErrorEquals: readonly string[];
}
interface RetryRule extends Rule {
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds: number;
}
interface CatchRule extends Rule {
  readonly Next: string;
}

const matches = ({ ErrorEquals }: Rule, name: string) => ErrorEquals.includes(name) || ErrorEquals.includes('States.ALL');

/** An execution, and how it went. */
export interface Execution {
  readonly id: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Events in its history. */
  events: number;
  /** Why it failed, for people. */
  cause?: string;
  /** Settles when it has ended, however it did. */
  done: Promise<void>;
}

export interface Surroundings {
  readonly clock: VirtualClock;
  readonly objects: MemoryObjects;
  /** What the function answers. */
  readonly invoke: (payload: Data) => Promise<Data>;
  /** By the name that a definition has for them. */
  readonly machines: Readonly<Record<string, Branch>>;
}

export class StepFunctions {
  readonly executions = new Map<string, Execution>();

  constructor(private readonly around: Surroundings) {}

  isRunning(id: string): boolean {
    return this.executions.get(id)?.status === 'RUNNING';
  }

  /** @throws StateError for a name that was used before: it stays used for ninety days */
  start(machine: string, name: string, input: Data): Execution {
    const id = `${machine}:${name}`;
    const definition = this.around.machines[machine];
    if (!definition) throw new StateError('StateMachineDoesNotExist', machine);
    if (this.executions.has(id)) throw new StateError('StepFunctions.ExecutionAlreadyExistsException', id);
    const execution: Execution = { id, status: 'RUNNING', events: 2, done: Promise.resolve() };
    this.executions.set(id, execution);
    execution.done = this.drive(execution, definition, input);
    return execution;
  }

  /** Ends every execution, as an account's administrator may. What the function is doing, it finishes. */
  killAll(): void {
    for (const execution of this.executions.values()) if (execution.status === 'RUNNING') execution.status = 'ABORTED';
  }

  private async drive(execution: Execution, machine: Branch, input: Data): Promise<void> {
    try {
      await this.run(execution, machine, input, {});
      if (execution.status === 'RUNNING') execution.status = 'SUCCEEDED';
    } catch (error) {
      if (error instanceof Killed) return;
      if (!(error instanceof StateError)) throw error;
      execution.status = 'FAILED';
      execution.cause = error.cause;
    }
  }

  /** From state to state, until one ends. @returns its output */
  private async run(execution: Execution, machine: Branch, input: Data, context: Data): Promise<Data> {
    const whole = { Execution: { Id: execution.id }, ...context };
    let data = input;
    for (let name = machine.StartAt; ; ) {
      if (execution.status !== 'RUNNING') throw new Killed();
      const state = machine.States[name];
      if (!state) throw new StateError('States.Runtime', `no state ${name}`);
      execution.events += eventsOf(machine, [name]);
      const step = await this.step(execution, state, data, whole);
      data = step.data;
      if (step.next === undefined) return data;
      name = step.next;
    }
  }

  private async step(execution: Execution, state: State, data: Data, context: Data): Promise<{ data: Data; next: string | undefined }> {
    switch (state.Type) {
      case 'Choice':
        return { data, next: chosen(state, data) };
      case 'Wait':
        await this.around.clock.sleep(Number(at(data, String(state['SecondsPath']))) * 1_000);
        return { data, next: state.Next };
      case 'Pass':
        return { data: (state['Result'] as Data | undefined) ?? data, next: state.Next };
      case 'Succeed':
        return { data, next: undefined };
      case 'Fail':
        throw new StateError(String(state['Error']), String(at(data, String(state['CausePath']))));
      default:
        return this.work(execution, state, data, context);
    }
  }

  /** A task, a map or what is side by side, with its retries and catches. */
  private async work(execution: Execution, state: State, data: Data, context: Data): Promise<{ data: Data; next: string | undefined }> {
    const tried = new Map<RetryRule, number>();
    for (;;) {
      try {
        const work = { Map: this.map, Parallel: this.parallel }[state.Type as string] ?? this.task;
        const result = await work.call(this, execution, state, data, context);
        const path = state['ResultPath'];
        return { data: path === null ? data : { ...data, [String(path).slice(2)]: result }, next: state.Next };
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        const retry = ((state['Retry'] ?? []) as readonly RetryRule[]).find((rule) => matches(rule, error.error));
        const count = retry ? (tried.get(retry) ?? 0) : 0;
        if (retry && count < retry.MaxAttempts) {
          tried.set(retry, count + 1);
          execution.events += 3;
          await this.around.clock.sleep(Math.min(retry.MaxDelaySeconds, retry.IntervalSeconds * retry.BackoffRate ** count) * 1_000);
          if (execution.status !== 'RUNNING') throw new Killed();
          continue;
        }
        const caught = ((state['Catch'] ?? []) as readonly CatchRule[]).find((rule) => matches(rule, error.error));
        if (!caught) throw error;
        return { data: { ...data, error: { Error: error.error, Cause: error.cause } }, next: caught.Next };
      }
    }
  }

  private async task(execution: Execution, state: State, data: Data, context: Data): Promise<Value> {
    const parameters = filled(state['Parameters'] as Data, data, context);
    if (String(state['Resource']).endsWith('lambda:invoke')) {
      const answer = await this.around.invoke(parameters['Payload'] as Data);
      if (execution.status !== 'RUNNING') throw new Killed();
      return { answer };
    }
    const child = this.start(String(parameters['StateMachineArn']), String(parameters['Name']), parameters['Input'] as Data);
    // Nobody waits for one that is only started.
    if (!String(state['Resource']).endsWith('.sync:2')) return {};
    await child.done;
    if (execution.status !== 'RUNNING') throw new Killed();
    if (child.status !== 'SUCCEEDED') throw new StateError('States.TaskFailed', child.cause ?? child.status);
    return {};
  }

  /** All branches, in the history of the same execution. The first that fails ends the others. */
  private async parallel(execution: Execution, state: State, data: Data): Promise<Value> {
    let failure: StateError | undefined;
    const whole = {
      id: execution.id,
      done: execution.done,
      get status() {
        return failure ? 'ABORTED' : execution.status;
      },
      get events() {
        return execution.events;
      },
      set events(events: number) {
        execution.events = events;
      },
    } as Execution;
    await Promise.all(
      branchesOf(state).map(async (each) => {
        try {
          await this.run(whole, each, data, {});
        } catch (error) {
          if (!(error instanceof Killed)) failure ??= error instanceof StateError ? error : new StateError('INTERNAL', String(error));
        }
      }),
    );
    if (execution.status !== 'RUNNING') throw new Killed();
    if (failure) throw failure;
    return {};
  }

  /** A distributed map: each item is an execution of its own, so many at once; the first that fails ends the others. */
  private async map(execution: Execution, state: State, data: Data, context: Data): Promise<Value> {
    const reader = filled((state['ItemReader'] as { Parameters: Data }).Parameters, data, context);
    const found = await this.around.objects.get(String(reader['Key']));
    if (!found) throw new StateError('States.ItemReaderFailed', `no ${String(reader['Key'])}`);
    const items = JSON.parse(found.text) as readonly Value[];
    const processor = state['ItemProcessor'] as unknown as Branch;
    const limit = pLimit(Number(at(data, String(state['MaxConcurrencyPath']))));
    let failure: StateError | undefined;
    await Promise.all(
      items.map((item) =>
        limit(async () => {
          if (failure || execution.status !== 'RUNNING') return;
          const input = filled(state['ItemSelector'] as Data, data, { ...context, Map: { Item: { Value: item } } });
          // As alive as the wave is.
          const child: Execution = {
            id: execution.id,
            events: 2,
            done: execution.done,
            get status() {
              return failure ? 'ABORTED' : execution.status;
            },
          };
          try {
            await this.run(child, processor, input, {});
          } catch (error) {
            if (!(error instanceof Killed)) failure ??= error instanceof StateError ? error : new StateError('INTERNAL', String(error));
          }
          if (child.events > 25_000) failure ??= new StateError('States.Runtime', 'the history of a child is too long');
        }),
      ),
    );
    if (execution.status !== 'RUNNING') throw new Killed();
    if (failure) throw new StateError('States.ExceedToleratedFailureThreshold', failure.message);
    return {};
  }
}

/** What lies at a path such as `$.step.answer`. */
function at(root: Value, path: string): Value {
  return path
    .split('.')
    .slice(1)
    .reduce<Value>((value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined), root);
}

/** A template: what ends in `.$` is looked up. */
function filled(template: Data, data: Data, context: Data): Data {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]): [string, Value] => {
      if (name.endsWith('.$')) {
        const path = String(value);
        const found = path.startsWith('$$') ? at(context, path.slice(1)) : at(data, path);
        if (found === undefined) throw new StateError('States.ParameterPathFailure', `${path} in ${JSON.stringify(data)}`);
        return [name.slice(0, -2), found];
      }
      return [name, typeof value === 'object' && value !== null ? filled(value as Data, data, context) : value];
    }),
  );
}

interface Choice {
  readonly Variable: string;
  readonly StringEquals?: string;
  readonly BooleanEquals?: boolean;
  readonly Next: string;
}

function chosen(state: State, data: Data): string {
  const choices = state['Choices'] as readonly Choice[];
  const found = choices.find(({ Variable, StringEquals, BooleanEquals }) => at(data, Variable) === (StringEquals ?? BooleanEquals));
  const next = found?.Next ?? (state['Default'] as string | undefined);
  if (next === undefined) throw new StateError('States.NoChoiceMatched', JSON.stringify(data));
  return next;
}
