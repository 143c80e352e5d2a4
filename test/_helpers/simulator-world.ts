import type { Stack } from '@aws-sdk/client-cloudformation';
import { RolloutClient } from '../../lib/rollout/client.ts';
import type { CellHealth } from '../../lib/rollout/health.ts';
import { rollout as rolloutMachine, runWave, watchAfter, watchBetween } from '../../lib/rollout/machines.ts';
import type { CellAccess } from '../../lib/rollout/operator/cell-access.ts';
import type { HealthQuestion } from '../../lib/rollout/operator/cell-health.ts';
import type { ChangeProgress, Desired } from '../../lib/rollout/operator/change.ts';
import { type Operation, operate } from '../../lib/rollout/operator/index.ts';
import { OperatorError } from '../../lib/rollout/operator/operator-error.ts';
import type { WaveContext } from '../../lib/rollout/operator/rollout-work.ts';
import type { RolloutPlan } from '../../lib/rollout/rollout-record.ts';
import { VirtualClock } from './clock.ts';
import type { MemoryObjects } from './objects.ts';
import { MemoryRolloutStore } from './rollout-store.ts';
import type { Auditor, Place } from './simulator-places.ts';
import { CHANGE_SET_SECONDS, COMPONENT, covers, draw, NEW, type Scenario } from './simulator-scenario.ts';
import { type Execution, StateError, StepFunctions } from './states.ts';

/** Everything around one rollout. */
export class World {
  readonly clock = new VirtualClock();
  readonly start = this.clock.now();
  readonly places = new Map<string, Place>();
  readonly store = new MemoryRolloutStore(() => new Date(this.clock.now()));
  readonly durations = new Map<string, number>();
  readonly skipped = new Set<number>();
  calls = 0;
  auditor: Auditor | undefined;
  private readonly machines: StepFunctions;
  private readonly drivers: Execution[] = [];
  private tries = 0;
  readonly client: RolloutClient;

  constructor(readonly scenario: Scenario) {
    this.machines = new StepFunctions({
      clock: this.clock,
      objects: this.objects,
      invoke: (payload) => this.invoke(payload as unknown as Operation),
      machines: {
        Rollout: rolloutMachine(),
        [`\${RunWave}`]: runWave(),
        [`\${WatchAfter}`]: watchAfter(),
        [`\${WatchBetween}`]: watchBetween(),
      },
    });
    this.client = new RolloutClient(
      {
        idOf: (name) => `Rollout:${name}`,
        start: async (name, input) => {
          this.drivers.push(this.machines.start('Rollout', name, { ...input }));
        },
        isRunning: async (id) => this.machines.isRunning(id),
      },
      this.store,
    );
  }

  get objects(): MemoryObjects {
    return this.store.objects as MemoryObjects;
  }

  get events(): number {
    return Math.max(...[...this.machines.executions.values()].map(({ events }) => events));
  }

  chance(kind: keyof Scenario['chances'], ...names: readonly (string | number)[]): boolean {
    const chance = this.scenario.chances[kind];
    return chance > 0 && draw(this.scenario.seed, kind, ...names) < chance;
  }

  between(least: number, most: number, ...names: readonly (string | number)[]): number {
    return least + draw(this.scenario.seed, ...names) * (most - least);
  }

  killAll(): void {
    this.machines.killAll();
  }

  /** What a pipeline does: a stage for each wave, until one fails. Stages whose wave has passed pass at once. */
  async goThroughStages({ id, waves }: RolloutPlan): Promise<void> {
    const attempt = ++this.tries;
    for (const { number: through } of waves) {
      const last = through === waves.length - 1;
      const name = `${id}-stage-${through}-${attempt}`;
      const execution = this.machines.start('Rollout', name, { rollout: id, stage: { through, approved: true, last } });
      this.drivers.push(execution);
      await Promise.race([execution.done, this.quiet()]);
      if (execution.status !== 'SUCCEEDED') return;
    }
  }

  /** Until no execution of the conductor is under way. */
  async rest(): Promise<void> {
    for (let seen = -1; seen !== this.drivers.length; ) {
      seen = this.drivers.length;
      // An execution that was ended from outside leaves sleepers behind, and nobody may wait for them.
      await Promise.race([Promise.all(this.drivers.map(({ done }) => done)), this.quiet()]);
    }
  }

  private async quiet(): Promise<void> {
    while (this.drivers.some(({ status }) => status === 'RUNNING')) await this.clock.sleep(60_000);
  }

  /** The function: throttled now and then, or unheard although it has done its work. */
  private async invoke(operation: Operation): Promise<Readonly<Record<string, unknown>>> {
    const call = this.calls++;
    const trouble = this.chance('throttled', 'call', call);
    const lost = trouble && draw(this.scenario.seed, 'lost', call) < 0.5;
    const thrown = (name: string, errorMessage: string) => new StateError(name, JSON.stringify({ errorMessage }));
    if (trouble && !lost) throw thrown('Throttled', 'rate exceeded');
    try {
      const answer = await operate(this.context, operation);
      if (lost) throw new OperatorError('Unavailable', 'no answer');
      return { ...answer };
    } catch (error) {
      const { name, message } = error as Error;
      throw thrown(name, message);
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
      stack: (cell) => new SimulatedStack(this, this.place(cell.name)),
      health: async (cell, question) => this.health(this.place(cell.name), question),
    },
  };

  place(name: string): Place {
    const place = this.places.get(name);
    if (!place) throw new Error(`nobody has heard of ${name}`);
    this.settle(place);
    return place;
  }

  /** What has ended by now, has. */
  settle(place: Place): void {
    const { operation } = place;
    if (!operation || operation.until > this.clock.now()) return;
    place.operation = undefined;
    if (operation.fails) place.status = place.version === undefined ? 'ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
    else {
      place.version = operation.to;
      place.status = operation.to === undefined ? undefined : 'UPDATE_COMPLETE';
      if (operation.to === NEW) this.haunt(place, operation.until);
    }
    this.auditor?.ended(place, operation.until);
  }

  /** What the new version brings upon a cell. */
  private haunt(place: Place, since: number): void {
    const { name } = place.cell;
    const attempt = place.begun.get(NEW) ?? 0;
    const { poison, seed } = this.scenario;
    if (poison && (poison.wave ?? place.wave) === place.wave && draw(seed, 'poison', name) < poison.share) {
      const from = since + this.between(...poison.after, 'after', name) * 1_000;
      place.alarms.push({ from, to: from + poison.lasts * 1_000, causedBy: 'version' });
    }
    if (!this.chance('badVersion', name, attempt)) return;
    const bake = (this.auditor ? (this.bakeSeconds(place.wave) ?? 0) : 0) * 1_000;
    const from = since + this.between(0, bake, 'fires', name, attempt);
    const lasts = draw(this.scenario.seed, 'lasts', name, attempt) < 0.5 ? 45_000 : Number.POSITIVE_INFINITY;
    place.alarms.push({ from, to: from + lasts, causedBy: 'version' });
  }

  bakeSeconds: (wave: number) => number | undefined = () => undefined;

  /** Alarms of the old version end with it. */
  cure(place: Place): void {
    const now = this.clock.now();
    for (const [index, alarm] of place.alarms.entries()) {
      if (alarm.causedBy === 'version' && alarm.to > now) place.alarms[index] = { ...alarm, to: Math.max(alarm.from, now) };
    }
  }

  private health(place: Place, { firedSince, requestsSince }: HealthQuestion): CellHealth {
    const now = this.clock.now();
    const requests = requestsSince === undefined ? undefined : (place.requestsPerSecond * (now - Date.parse(requestsSince))) / 1_000;
    if (place.alarms.length === 0 && place.silences.length === 0) return { ...place.well, requests };
    const { healthAlarm, alarms } = place.cell;
    const fires = place.alarms.some((window) => covers(window, now));
    const silent = place.silences.some((window) => covers(window, now));
    const since = firedSince === undefined ? Number.POSITIVE_INFINITY : Date.parse(firedSince);
    return {
      ...place.well,
      requests,
      // Without data of its children, a composite says OK.
      alarms: [
        { name: healthAlarm, state: fires ? 'ALARM' : 'OK' },
        ...alarms.map((alarm) => ({ name: alarm, state: silent ? 'INSUFFICIENT_DATA' : fires ? 'ALARM' : 'OK' }) as const),
      ],
      fired: place.alarms
        .filter(({ from, to }) => from >= since && from <= now && to > from)
        .map(({ from }) => ({ name: alarms[0] ?? '', at: new Date(from).toISOString() })),
    };
  }
}

/** A component's stack, as CloudFormation treats it. */
class SimulatedStack implements ReturnType<CellAccess['stack']> {
  readonly name = COMPONENT;

  constructor(
    private readonly world: World,
    private readonly place: Place,
  ) {}

  async find(): Promise<Stack | undefined> {
    const { status, operation, version } = this.place;
    if (status === undefined && !operation) return undefined;
    const StackStatus = operation ? 'UPDATE_IN_PROGRESS' : status;
    const runs = operation && !operation.fails ? operation.to : version;
    const Parameters = runs === undefined ? [] : [{ ParameterKey: 'Version', ParameterValue: runs }];
    return { StackName: this.name, CreationTime: new Date(0), StackStatus, Parameters };
  }

  async template() {
    return templateOf();
  }

  async propose(changeSet: string, { parameters }: Desired): Promise<ChangeProgress> {
    const { place, world } = this;
    if (place.operation) return { state: 'working', sentence: 'somebody is at work' };
    if (place.status === 'ROLLBACK_COMPLETE') {
      await this.remove();
      return { state: 'working', sentence: 'deleted first' };
    }
    const to = parameters['Version'] ?? '';
    if (to === NEW && !changeSet.includes('-back-')) world.auditor?.proposed(place, world.clock.now());
    place.sets.set(changeSet, { to, from: world.clock.now() });
    return { state: 'working', sentence: 'being made' };
  }

  async look(changeSet: string, executing: boolean): Promise<ChangeProgress> {
    const { place, world } = this;
    const set = place.sets.get(changeSet);
    if (set) {
      if (world.clock.now() < set.from + CHANGE_SET_SECONDS * 1_000) return { state: 'working', sentence: 'being made' };
      if (set.to !== place.version) return { state: 'ready' };
      place.sets.delete(changeSet);
      return { state: 'done', changed: false };
    }
    if (!executing) return { state: 'absent' };
    if (place.operation) return { state: 'working', sentence: 'being changed' };
    if (place.status === 'UPDATE_COMPLETE') return { state: 'done', changed: true };
    return { state: 'failed', sentence: `${this.name} is ${place.status ?? 'gone'}` };
  }

  async execute(changeSet: string): Promise<ChangeProgress> {
    const { place, world } = this;
    const set = place.sets.get(changeSet);
    if (!set) return { state: 'working', sentence: 'executed already' };
    place.sets.clear();
    const { name } = place.cell;
    const attempt = (place.begun.get(set.to) ?? 0) + 1;
    place.begun.set(set.to, attempt);
    const now = world.clock.now();
    const seconds = world.between(...world.scenario.deploySeconds, 'takes', name, set.to, attempt);
    if (set.to === NEW) {
      world.durations.set(name, world.durations.get(name) ?? seconds);
      world.auditor?.begins(place, now, (await world.store.cell(`${COMPONENT}-1`, place.wave, name)).status);
    } else world.cure(place);
    const fails = world.chance(set.to === NEW ? 'deployFails' : 'restoreFails', name, set.to, attempt);
    place.operation = { to: set.to, until: now + seconds * 1_000, fails };
    return { state: 'working', sentence: 'begun' };
  }

  async reason() {
    return 'the simulator has no reasons';
  }

  async remove(): Promise<void> {
    const { place, world } = this;
    world.cure(place);
    const until = world.clock.now() + world.between(10, 60, 'removal', place.cell.name) * 1_000;
    place.operation = { to: undefined, until, fails: false };
  }
}

export const templateOf = () =>
  JSON.stringify({ Parameters: { Version: { Type: 'String' } }, Resources: { X: { Type: 'AWS::SSM::Parameter' } } });
