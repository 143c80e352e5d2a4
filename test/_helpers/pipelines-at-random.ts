/**
 * Pipelines of several components over the same cells, in memory: the machines' own definitions, the operator's own code, the
 * client that `cellctl pipelines run` uses, and a clock of their own. What is made up is the world around them: stacks, commits,
 * steps that fail, machines that die, people who deploy by hand. Everything follows from the seed.
 */
import type { Stack } from '@aws-sdk/client-cloudformation';
import { artifactDigest, fileKey, manifestKey, sha256 } from '../../lib/artifact/artifacts.ts';
import { planWaves } from '../../lib/plan/waves.ts';
import { cellStackName, FactoryError, type RolloutPolicy } from '../../lib/registry/index.ts';
import { RolloutClient } from '../../lib/rollout/client.ts';
import { rollout as rolloutMachine, runWave, watchAfter, watchBetween } from '../../lib/rollout/machines.ts';
import type { CellAccess } from '../../lib/rollout/operator/cell-access.ts';
import type { ChangeProgress, Desired } from '../../lib/rollout/operator/change.ts';
import { type Operation, operate } from '../../lib/rollout/operator/index.ts';
import type { WaveContext } from '../../lib/rollout/operator/rollout-work.ts';
import { stageOf } from '../../lib/rollout/rollout-lookup.ts';
import { hasEnded, type RolloutCell, type RolloutRecord } from '../../lib/rollout/rollout-record.ts';
import { VirtualClock } from './clock.ts';
import type { MemoryObjects } from './objects.ts';
import { component as definedComponent } from './organization.ts';
import { MemoryRolloutStore } from './rollout-store.ts';
import { draw, organizationOf, scenario } from './simulator-scenario.ts';
import { StateError, StepFunctions } from './states.ts';

export const COMPONENTS = ['orders', 'search', 'mail'];
const TEMPLATE = JSON.stringify({ Parameters: { Version: { Type: 'String' } }, Resources: { X: { Type: 'AWS::SSM::Parameter' } } });
const MINUTE = 60_000;
/** Bakes of some looks each: what is to be found is between waves and between rollouts. */
const WAVE = { prefer: 'any', bake: '20m', approval: false } as const;
const POLICY: Partial<RolloutPolicy> = {
  stagingBake: '20m',
  waves: [
    { ...WAVE, name: 'one', admit: { cells: 1 } },
    { ...WAVE, name: 'rest', admit: { rest: true } },
  ],
  multiRegionFromWave: 1,
  minRequestsPerCell: 0,
};

export interface Chances {
  /** Of each: that a step fails, that its machine dies, that somebody presses Ctrl-C in it. */
  readonly fails: number;
  readonly dies: number;
  readonly stopped: number;
  /** That executions of Step Functions die while a stage goes on. */
  readonly killed: number;
  /** That somebody deploys a component or a foundation by hand, per cell. */
  readonly byHand: number;
}

/** How it all went. */
export interface Ended {
  readonly violations: readonly string[];
  readonly records: readonly RolloutRecord[];
  /** What runs, by component and cell. */
  readonly running: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;
  readonly last: Readonly<Record<string, string>>;
  readonly locks: number;
}

/** A stack in a cell, as CloudFormation treats it. */
class MadeUpStack implements ReturnType<CellAccess['stack']> {
  version: string | undefined;
  private operation: { readonly to: string; readonly until: number; readonly by: string } | undefined;
  private readonly sets = new Map<string, { readonly to: string; readonly from: number }>();

  constructor(
    private readonly world: RandomPipelines,
    readonly cell: string,
    readonly name: string,
  ) {}

  get by(): string | undefined {
    this.settle();
    return this.operation?.by;
  }

  private settle(): void {
    if (!this.operation || this.operation.until > this.world.clock.now()) return;
    this.version = this.operation.to;
    this.operation = undefined;
  }

  /** Begins to change it, and has the world look whether anybody else is at it. */
  begin(to: string, by: string): number {
    this.settle();
    this.world.audit(this, by);
    const until = this.world.clock.now() + this.world.between(30, 900, 'takes', this.cell, this.name, to) * 1_000;
    this.operation = { to, until, by };
    return until;
  }

  async find(): Promise<Stack | undefined> {
    this.settle();
    if (this.version === undefined && !this.operation) return undefined;
    const runs = this.operation?.to ?? this.version ?? '';
    const StackStatus = this.operation ? 'UPDATE_IN_PROGRESS' : 'UPDATE_COMPLETE';
    return {
      StackName: this.name,
      CreationTime: new Date(0),
      StackStatus,
      Parameters: [{ ParameterKey: 'Version', ParameterValue: runs }],
    };
  }

  async template() {
    return TEMPLATE;
  }

  async reason() {
    return '';
  }

  async propose(changeSet: string, { parameters }: Desired): Promise<ChangeProgress> {
    this.settle();
    if (this.operation) return { state: 'working', sentence: 'somebody is at work' };
    this.sets.set(changeSet, { to: parameters['Version'] ?? '', from: this.world.clock.now() });
    return { state: 'working', sentence: 'being made' };
  }

  async look(changeSet: string, executing: boolean): Promise<ChangeProgress> {
    this.settle();
    const set = this.sets.get(changeSet);
    if (set) {
      if (this.world.clock.now() < set.from + 5_000) return { state: 'working', sentence: 'being made' };
      if (set.to !== this.version) return { state: 'ready' };
      this.sets.delete(changeSet);
      return { state: 'done', changed: false };
    }
    if (!executing) return { state: 'absent' };
    return this.operation ? { state: 'working', sentence: 'being changed' } : { state: 'done', changed: true };
  }

  async execute(changeSet: string): Promise<ChangeProgress> {
    const set = this.sets.get(changeSet);
    if (!set) return { state: 'working', sentence: 'executed already' };
    this.sets.clear();
    this.begin(set.to, changeSet);
    return { state: 'working', sentence: 'begun' };
  }

  async remove(): Promise<void> {
    this.version = undefined;
  }
}

export class RandomPipelines {
  readonly clock = new VirtualClock();
  private readonly store = new MemoryRolloutStore(() => new Date(this.clock.now()));
  private readonly stacks = new Map<string, MadeUpStack>();
  private readonly violations: string[] = [];
  private readonly machines: StepFunctions;
  private readonly client: RolloutClient;
  private readonly plan;
  private calls = 0;

  constructor(
    private readonly seed: number,
    private readonly chances: Chances,
    policy: Partial<RolloutPolicy>,
  ) {
    this.plan = organizationOf(scenario({ seed, cells: 4, regions: 1, policy: { ...POLICY, ...policy } }));
    this.machines = new StepFunctions({
      clock: this.clock,
      objects: this.store.objects as MemoryObjects,
      invoke: (payload) => this.invoke(payload as unknown as Operation),
      machines: {
        Rollout: rolloutMachine(),
        ...{ [`\${RunWave}`]: runWave(), [`\${WatchAfter}`]: watchAfter(), [`\${WatchBetween}`]: watchBetween() },
      },
    });
    this.client = new RolloutClient(
      {
        idOf: (name) => `Rollout:${name}`,
        start: async (name, input) => void this.machines.start('Rollout', name, { ...input }),
        isRunning: async (id) => this.machines.isRunning(id),
      },
      this.store,
    );
    for (const { name } of this.plan.cells)
      for (const stack of [...COMPONENTS, cellStackName(name)]) this.stacks.set(`${name}/${stack}`, new MadeUpStack(this, name, stack));
  }

  chance(of: number, ...names: readonly (string | number)[]): boolean {
    return draw(this.seed, ...names) < of;
  }

  between(least: number, most: number, ...names: readonly (string | number)[]): number {
    return least + draw(this.seed, ...names) * (most - least);
  }

  stack(cell: string, name: string): MadeUpStack {
    const stack = this.stacks.get(`${cell}/${name}`);
    if (!stack) throw new Error(`nobody has heard of ${name} in ${cell}`);
    return stack;
  }

  /** Nobody changes a stack that another is at, nor a component beside its foundation. */
  audit(stack: MadeUpStack, by: string): void {
    const { cell, name } = stack;
    const now = new Date(this.clock.now()).toISOString();
    if (stack.by !== undefined) this.violations.push(`${now} ${cell}/${name}: ${by} begins while ${stack.by} is at it`);
    const foundation = cellStackName(cell);
    const excluded = name === foundation ? COMPONENTS : [foundation];
    for (const other of excluded) {
      const who = this.stack(cell, other).by;
      if (who !== undefined) this.violations.push(`${now} ${cell}: ${by} changes ${name} while ${who} changes ${other}`);
    }
  }

  private async invoke(operation: Operation): Promise<Readonly<Record<string, unknown>>> {
    this.calls += 1;
    try {
      return { ...(await operate(this.context, operation)) };
    } catch (error) {
      const { name, message } = error as Error;
      throw new StateError(name, JSON.stringify({ errorMessage: message }));
    }
  }

  private readonly context: WaveContext = {
    store: this.store,
    homeRegion: 'eu-west-1',
    now: () => new Date(this.clock.now()),
    published: { withdrawn: async () => new Map() },
    isRunning: async (id) => this.machines.isRunning(id),
    pipelineStatus: async () => 'InProgress',
    access: {
      stack: (cell, { component }) => this.stack(cell.name, component),
      health: async ({ name, healthAlarm }) => ({
        ...{ cell: name, missing: [], fired: [], requests: 1_000 },
        alarms: [{ name: healthAlarm, state: 'OK' as const }],
      }),
    },
  };

  private async publish(component: string, version: string): Promise<string> {
    const objects = this.store.objects as MemoryObjects;
    const files = { 'template.json': { sha256: sha256(TEMPLATE), bytes: TEMPLATE.length } };
    const content = { component, kind: 'cloudformation' as const, version, files, template: 'template.json', parameters: {}, images: {} };
    const digest = artifactDigest(content);
    await objects.put(fileKey(component, version, 'template.json'), TEMPLATE, { absent: true });
    await objects.put(
      manifestKey(component, version),
      JSON.stringify({ ...content, digest, publishedAt: '2026-01-01T00:00:00Z', by: 'test' }),
      {
        absent: true,
      },
    );
    return digest;
  }

  /**
   * One run of a pipeline for a commit: what `cellctl pipelines run` does. @returns whether it went through
   * @param attempt of the same commit; the last one is lucky
   */
  private async run(component: string, version: string, attempt: number, isLucky: boolean): Promise<boolean> {
    const happens = (of: number, what: string, where: string | number) =>
      !isLucky && this.chance(of, what, component, version, attempt, where);
    const { waves, leftOut } = planWaves(this.plan, definedComponent(component, 100));
    const cells = waves.map((wave) =>
      wave.cells.map(
        ({ name, stage, region, account, trafficWeight: weight, calendar }): RolloutCell => ({
          ...{ name, stage, region, accountId: account.accountId, weight, calendar, healthAlarm: `cell-${name}-health`, alarms: [] },
        }),
      ),
    );
    const digest = await this.publish(component, version);
    const { id } = await this.client.enqueue({
      cells,
      plan: {
        ...{ component, kind: 'cloudformation', traffic: [component], version, digest, registry: { revision: 1, digest: 'x' } },
        ...{ policy: this.plan.rollout, parameters: {}, leftOut, allowReplacement: [], by: 'test', reason: undefined },
        waves: waves.map((wave) => ({ ...wave, cells: wave.cells.map(({ name }) => name) })),
      },
    });
    let alive = true;
    const by = `run ${attempt} of ${version}`;
    const sign = { by, within: 300, always: true as const };
    await this.store.drivers.sign(id, { ...sign, at: new Date(this.clock.now()).toISOString() });
    void (async () => {
      for (; alive; await this.clock.sleep(MINUTE))
        await this.store.drivers.sign(id, { ...sign, at: new Date(this.clock.now()).toISOString() });
    })();
    const end = async (why?: string): Promise<false> => {
      alive = false;
      if (why !== undefined) await this.client.leave(id, by, why);
      return false;
    };
    for (const { number: through } of waves) {
      const stage = { through, approved: true, last: through === waves.length - 1 };
      let started = await this.client.runStage(id, stage);
      const dies = happens(this.chances.dies, 'dies', through)
        ? this.between(1, 3_600, 'when', component, version, attempt, through)
        : undefined;
      const stops = happens(this.chances.stopped, 'stopped', through)
        ? this.between(1, 3_600, 'then', component, version, attempt, through)
        : undefined;
      const kills = happens(this.chances.killed, 'killed', through)
        ? this.between(1, 3_600, 'kill', component, version, attempt, through)
        : undefined;
      let killed = false;
      for (const began = this.clock.now(); ; await this.clock.sleep(MINUTE)) {
        const elapsed = (this.clock.now() - began) / 1_000;
        if (dies !== undefined && elapsed > dies) return end();
        if (stops !== undefined && elapsed > stops) return end('its run was stopped by hand');
        if (kills !== undefined && elapsed > kills && !killed) {
          killed = true;
          this.machines.killAll();
        }
        const view = await this.client.view(id);
        const { state } = stageOf(view, through);
        if (state === 'passed') break;
        if (state === 'failed') return end(`stage ${through} failed`);
        if (!view.alive || !(await this.client.isAwaited(view.record, started))) started = await this.client.runStage(id, stage);
        // As long as somebody would watch. A queue that never ends is a fault of its own.
        if (elapsed > 14 * 86_400) {
          this.violations.push(`${id} has been in stage ${through} for two weeks: ${view.record.status}, ${view.record.outcome?.sentence}`);
          return end();
        }
      }
      if (happens(this.chances.fails, 'fails', through)) return end(`a step failed after wave ${through}`);
    }
    alive = false;
    return true;
  }

  /** Somebody who deploys by hand, under the lock. */
  private async byHand(cell: string, name: string): Promise<void> {
    await this.clock.sleep(this.between(0, 20, 'by hand', cell, name) * 3_600_000);
    const wanted = { cell, stack: name, by: `ada at ${name} in ${cell}`, foundationAlone: this.plan.rollout.foundationAlone };
    for (let tries = 0; tries < 40; tries++) {
      const held = await this.client.store.locks(name);
      const other = await this.store.stackLocks.take(wanted, new Date(this.clock.now()));
      if (!other && !held.some((lock) => lock.cell === cell)) {
        const stack = this.stack(cell, name);
        const until = stack.begin(stack.version ?? 'by-hand', wanted.by);
        while (this.clock.now() <= until) {
          await this.clock.sleep(60_000);
          await this.store.stackLocks.take(wanted, new Date(this.clock.now()));
        }
        await this.store.stackLocks.release(wanted);
        return;
      }
      await this.store.stackLocks.release(wanted);
      await this.clock.sleep(10 * MINUTE);
    }
  }

  /** Commits of each component, in quick succession; of the last, runs until one goes through. */
  private async commits(component: string): Promise<string> {
    const count = 1 + Math.floor(this.between(0, 3, 'commits', component));
    let version = '';
    const earlier: Promise<unknown>[] = [];
    for (let index = 1; index <= count; index++) {
      version = `${component}-${index}.0.0`;
      const isLast = index === count;
      if (!isLast) {
        earlier.push(this.attempts(component, version, 1, false));
        await this.clock.sleep(this.between(0, 240, 'next', component, index) * MINUTE);
      } else await this.attempts(component, version, 6, true);
    }
    await Promise.all(earlier);
    return version;
  }

  private async attempts(component: string, version: string, most: number, mustEnd: boolean): Promise<void> {
    for (let attempt = 1; attempt <= most; attempt++) {
      try {
        if (await this.run(component, version, attempt, mustEnd && attempt === most)) return;
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
      }
      await this.clock.sleep(this.between(1, 60, 'again', component, version, attempt) * MINUTE);
    }
    if (mustEnd) this.violations.push(`${version} did not get through, though nothing went wrong any more`);
  }

  async go(): Promise<Ended> {
    const hands = this.plan.cells.flatMap(({ name }) =>
      [...COMPONENTS, cellStackName(name)]
        .filter((stack) => this.chance(this.chances.byHand, 'hand', name, stack))
        .map((stack) => this.byHand(name, stack)),
    );
    const last: Record<string, string> = {};
    await this.clock.run(
      (async () => {
        await Promise.all([
          ...COMPONENTS.map(async (component) => Object.assign(last, { [component]: await this.commits(component) })),
          ...hands,
        ]);
        // Whatever waits for a pipeline that is gone is over by then.
        await this.clock.sleep(8 * 86_400_000);
      })(),
    );
    const histories = await Promise.all(COMPONENTS.map((component) => this.store.history(component, 1_000)));
    const records = await Promise.all(histories.flat().map((id) => this.store.requireRecord(id)));
    // Whose execution was killed is dead, and said to be: a person looks, or the next rollout takes over.
    const dead = new Set(
      records.flatMap(({ id, status, execution = '' }) => (status === 'running' && !this.machines.isRunning(execution) ? [id] : [])),
    );
    for (const { id, status } of records) if (!hasEnded(status) && !dead.has(id)) this.violations.push(`${id} is ${status} for ever`);
    const held = (await Promise.all(COMPONENTS.map((component) => this.store.locks(component)))).flat();
    const locks = held.filter(({ rollout }) => !dead.has(rollout));
    const running = Object.fromEntries(
      COMPONENTS.map((component) => [
        component,
        Object.fromEntries(this.plan.cells.map(({ name }) => [name, this.stack(name, component).version])),
      ]),
    );
    return { violations: this.violations, records, running, last, locks: locks.length };
  }
}
