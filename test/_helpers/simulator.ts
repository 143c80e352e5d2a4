/**
 * A rollout over any number of cells in memory: the plan that would be deployed, the machines' own definitions, the operator's
 * own code, the client that people use, and a clock of their own. What is made up here is the world around them: stacks, alarms,
 * requests, throttling, people. An auditor looks at what happens to cells, and knows nothing of what anybody decided.
 *
 * What happens follows from the seed and from names alone, never from the order in which things were asked for.
 */
import { createHash } from 'node:crypto';
import type { Stack } from '@aws-sdk/client-cloudformation';
import { artifactDigest, fileKey, manifestKey, sha256 } from '../../lib/artifact/artifacts.ts';
import { createPlan, type Plan } from '../../lib/plan/plan.ts';
import { planWaves } from '../../lib/plan/waves.ts';
import { type AwsCell, FactoryError, type RolloutPolicy } from '../../lib/registry/index.ts';
import { RolloutClient } from '../../lib/rollout/client.ts';
import type { CellHealth } from '../../lib/rollout/decide.ts';
import { type DrillWorld, type Judgement, untilBaking, untilJudged } from '../../lib/rollout/drill-during.ts';
import { rollout as rolloutMachine, runWave } from '../../lib/rollout/machines.ts';
import type { CellAccess } from '../../lib/rollout/operator/cell-access.ts';
import type { HealthQuestion } from '../../lib/rollout/operator/cell-health.ts';
import type { ChangeProgress, Desired } from '../../lib/rollout/operator/change.ts';
import { type Operation, operate } from '../../lib/rollout/operator/index.ts';
import { OperatorError } from '../../lib/rollout/operator/operator-error.ts';
import type { WaveContext } from '../../lib/rollout/operator/rollout-work.ts';
import {
  type CellRecord,
  hasEnded,
  type RolloutCell,
  type RolloutPlan,
  type RolloutRecord,
  type RolloutStatus,
  type WaveRecord,
} from '../../lib/rollout/rollout-record.ts';
import { VirtualClock } from './clock.ts';
import type { MemoryObjects } from './objects.ts';
import { cell as defined, component as definedComponent, registry, settings } from './organization.ts';
import { MemoryRolloutStore } from './rollout-store.ts';
import { type Execution, StateError, StepFunctions } from './states.ts';

/** What people do: at a time while it runs, or when it has come to rest. */
export type Deed = 'pause' | 'stop' | 'resume' | 'approve' | 'rollback-wave' | 'rollback-all' | 'skip-bake' | 'kill' | 'retry';

/** What can go wrong. Chances are between 0 and 1, for each cell and each attempt. */
export interface Scenario {
  readonly seed: number;
  /** Production cells; two of staging come with them. */
  readonly cells: number;
  readonly regions: number;
  readonly policy: Partial<RolloutPolicy>;
  /** Seconds that a deployment takes, at least and at most. */
  readonly deploySeconds: readonly [number, number];
  readonly chances: {
    readonly deployFails: number;
    readonly restoreFails: number;
    /** The new version makes an alarm fire some time after it came to a cell; half of them are quiet again within a minute. */
    readonly badVersion: number;
    /** An alarm of a cell fires that the new version has nothing to do with. */
    readonly coincidence: number;
    /** A cell's alarm has no data for a while. */
    readonly missingData: number;
    /** A cell that serves too few requests to tell. */
    readonly idle: number;
    /** A call of the function is throttled, or takes effect and says nothing. */
    readonly throttled: number;
    /** A cell that has the version already; one that has never had the component. */
    readonly unchanged: number;
    readonly first: number;
  };
  /** By the time at which they are done, in seconds from the start. */
  readonly deeds: readonly { readonly at: number; readonly deed: Deed }[];
  /** Whether a pipeline takes it on, stage by stage; `retry` is somebody who has its failed stage tried again. */
  readonly pipeline: boolean;
  /** A drill in the first cell of a wave, from a machine on which each look at the rollout takes so many seconds. */
  readonly drill?: { readonly wave: number; readonly lookSeconds: number };
  /** What is done, one after the other, whenever it has come to rest without success. */
  readonly afterwards: readonly Deed[];
}

export interface Result {
  readonly plan: RolloutPlan;
  readonly record: RolloutRecord;
  readonly waves: readonly WaveRecord[];
  readonly cells: readonly CellRecord[];
  /** Version by cell, of those in waves: before and at the end; undefined for none. */
  readonly before: ReadonlyMap<string, string | undefined>;
  readonly after: ReadonlyMap<string, string | undefined>;
  readonly locks: number;
  /** Each broken promise, as a sentence. */
  readonly violations: readonly string[];
  /** Seconds from start to rest, and those of the first deployment of each cell. */
  readonly makespan: number;
  readonly durations: ReadonlyMap<string, number>;
  /** How often the new version was begun, by cell. */
  readonly begun: ReadonlyMap<string, number>;
  /** Events of the longest history. */
  readonly events: number;
  readonly calls: number;
  /** How the drill ended: what the rollout made of it, or why it failed. */
  readonly drilled: Judgement | FactoryError | undefined;
}

const OLD = '1.0.0';
const NEW = '2.0.0';
const COMPONENT = 'orders-api';
const CHANGE_SET_SECONDS = 3;

/** A number from 0 to 1 that follows from seed and names alone. */
function draw(seed: number, ...names: readonly (string | number)[]): number {
  return (
    createHash('sha1')
      .update(`${seed}/${names.join('/')}`)
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

const base = registry();

/** A plan with so many cells of all weights and importances; nothing is checked, so that it takes no time. */
function organizationOf({ seed, cells, regions, policy }: Scenario): Plan {
  const names = ['eu-west-1', 'us-east-1', 'ap-southeast-2', 'sa-east-1'].slice(0, regions);
  const vended = (name: string, index: number): AwsCell => ({
    ...defined(name, index, {
      stage: index < 2 ? 'staging' : 'production',
      region: names[Math.floor(draw(seed, 'region', name) * names.length)] ?? 'eu-west-1',
      trafficWeight: Math.ceil(draw(seed, 'weight', name) ** 3 * 20),
      importance: draw(seed, 'importance', name) < 0.1 ? 'high' : 'normal',
    }),
    accountId: String(400_000_000_000 + index),
  });
  const all = Array.from({ length: cells + 2 }, (_, index) => vended(`c${String(index).padStart(5, '0')}`, index));
  const organization = {
    ...base.organization,
    rollout: { ...settings().rollout, ...policy },
    cells: Object.fromEntries(all.map((each) => [each.name, each])),
  };
  return createPlan({ ...base, organization, life: {} });
}

interface Window {
  readonly from: number;
  readonly to: number;
}
const covers = ({ from, to }: Window, time: number) => from <= time && time < to;

/** A cell as it really is. */
class Place {
  version: string | undefined;
  /** Which of CloudFormation's endings the last operation had. */
  status: Stack['StackStatus'];
  operation: { readonly to: string | undefined; readonly until: number; readonly fails: boolean } | undefined;
  readonly sets = new Map<string, { readonly to: string; readonly from: number }>();
  readonly alarms: (Window & { readonly causedBy: 'version' | 'coincidence' })[] = [];
  readonly silences: Window[] = [];
  requestsPerSecond = 10;
  /** How it is while nothing is wrong. */
  readonly well: CellHealth;
  /** How often something was begun here, by version. */
  readonly begun = new Map<string, number>();

  constructor(
    readonly cell: RolloutCell,
    readonly wave: number,
    before: string | undefined,
  ) {
    this.version = before;
    this.status = before === undefined ? undefined : 'UPDATE_COMPLETE';
    const alarms = [cell.healthAlarm, ...cell.alarms].map((name) => ({ name, state: 'OK' as const }));
    this.well = { cell: cell.name, alarms, missing: [], fired: [], requests: undefined };
  }
}

/** Who watches what really happens to cells. */
class Auditor {
  readonly violations: string[] = [];
  /** Cells on the new version, or on the way to it, that this rollout has brought there. */
  private readonly exposed = new Map<string, Place>();
  private readonly exposedIn = new Map<number, number>();
  /** The region in which a wave began. */
  private readonly regions = new Map<number, string>();
  private weight = 0;
  private readonly deploying = new Set<string>();
  /** When the last cell of a wave had it, by wave. */
  private readonly settledAt = new Map<number, number>();
  readonly failedAt = new Map<number, number>();
  /** Cells that nobody could put back, and that were named. */
  stuck: ReadonlySet<string> = new Set();

  constructor(
    private readonly plan: RolloutPlan,
    private readonly total: number,
    private readonly skipped: ReadonlySet<number>,
  ) {}

  private complain(now: number, what: string): void {
    if (this.violations.length < 20) this.violations.push(`${new Date(now).toISOString()} ${what}`);
  }

  /** Somebody has had a change set made: the cell has begun. */
  proposed(place: Place, now: number): void {
    const failed = this.failedAt.get(place.wave);
    if (failed !== undefined && failed < now) this.complain(now, `${place.cell.name} begins after a failure in wave ${place.wave}`);
  }

  /** What is written down of a cell: one that has the version is not begun again. */
  written(name: string, from: CellRecord['status'], to: CellRecord['status'] | undefined, now: number): void {
    if (from === 'deployed' && to === 'deploying') this.complain(now, `${name} has the version, and begins again`);
  }

  /** The new version begins to come to a cell. */
  begins(place: Place, now: number, status: CellRecord['status']): void {
    const { wave, cell } = place;
    const { policy, waves } = this.plan;
    if (place.version === NEW || status === 'deployed') this.complain(now, `${cell.name} has the version already, and gets it again`);
    this.deploying.add(cell.name);
    if (this.deploying.size > policy.concurrency) this.complain(now, `${this.deploying.size} cells at once`);
    this.expose(place, 1);
    for (const [number, count] of this.exposedIn) {
      if (number <= wave || count === 0) continue;
      const named = [...this.stuck].filter((name) => this.exposed.get(name)?.wave === number).length;
      if (count > named) this.complain(now, `wave ${wave} begins while ${count} cells of wave ${number} have the version`);
    }
    const share = this.total === 0 ? 0 : this.weight / this.total;
    if (share > (waves[wave]?.exposure ?? 0) + 1e-6 && this.stuck.size === 0) {
      this.complain(now, `${share} of the traffic in wave ${wave}, which allows ${waves[wave]?.exposure}`);
    }
    for (let before = 0; before < wave; before++) {
      const settled = this.settledAt.get(before);
      const bake = (waves[before]?.bakeSeconds ?? 0) * policy.timeScale;
      if (settled !== undefined && now - settled < bake * 1_000 && !this.skipped.has(before)) {
        this.complain(now, `wave ${wave} begins ${(now - settled) / 1_000} s after wave ${before}, which bakes ${bake} s`);
      }
    }
    const region = this.regions.get(wave) ?? cell.region;
    this.regions.set(wave, region);
    if (wave > 0 && wave < policy.multiRegionFromWave && region !== cell.region) this.complain(now, `wave ${wave} is in ${region}, too`);
  }

  /** An operation has ended. */
  ended(place: Place, now: number): void {
    this.deploying.delete(place.cell.name);
    if (place.version === NEW) this.settledAt.set(place.wave, now);
    else this.expose(place, -1);
  }

  private expose(place: Place, sign: 1 | -1): void {
    const { name, weight, stage } = place.cell;
    if (this.exposed.has(name) === (sign === 1)) return;
    if (sign === 1) this.exposed.set(name, place);
    else this.exposed.delete(name);
    this.exposedIn.set(place.wave, (this.exposedIn.get(place.wave) ?? 0) + sign);
    if (stage !== 'staging') this.weight += sign * weight;
  }
}

/** Everything around one rollout. */
class World {
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
      machines: { Rollout: rolloutMachine(), [`\${RunWave}`]: runWave() },
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
    isRunning: async (id) => this.machines.isRunning(id),
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

  async remove(): Promise<void> {
    const { place, world } = this;
    world.cure(place);
    const until = world.clock.now() + world.between(10, 60, 'removal', place.cell.name) * 1_000;
    place.operation = { to: undefined, until, fails: false };
  }
}

const templateOf = () => JSON.stringify({ Parameters: { Version: { Type: 'String' } }, Resources: { X: { Type: 'AWS::SSM::Parameter' } } });

/** Publishes both versions. @returns the digest of the new one */
async function publish(objects: MemoryObjects): Promise<string> {
  const template = templateOf();
  const digests = await Promise.all(
    [OLD, NEW].map(async (version) => {
      const files = { 'template.json': { sha256: sha256(template), bytes: template.length } };
      const content = { component: COMPONENT, kind: 'cloudformation' as const, version, files, template: 'template.json' };
      const whole = { ...content, parameters: {}, images: {} };
      const digest = artifactDigest(whole);
      const manifest = { ...whole, digest, publishedAt: '2026-01-01T00:00:00Z', by: 'test' };
      await objects.put(fileKey(COMPONENT, version, 'template.json'), template, { absent: true });
      await objects.put(manifestKey(COMPONENT, version), JSON.stringify(manifest), { absent: true });
      return digest;
    }),
  );
  return digests[1] ?? '';
}

const NEVER: Scenario['chances'] = {
  ...{ deployFails: 0, restoreFails: 0, badVersion: 0, coincidence: 0, missingData: 0, idle: 0, throttled: 0, unchanged: 0, first: 0 },
};

/** Nothing goes wrong, but for what is given. */
export const scenario = (change: Partial<Omit<Scenario, 'chances'>> & { chances?: Partial<Scenario['chances']> } = {}): Scenario => ({
  ...{ seed: 1, cells: 20, regions: 2, policy: {}, deploySeconds: [60, 300], deeds: [], afterwards: [], pipeline: false },
  ...change,
  chances: { ...NEVER, ...change.chances },
});

/**
 * The least time that the rollout could have taken, in seconds: for each wave with cells, deploying them and then the bake.
 * Where as many are deployed at once as the wave has, deploying takes as long as the slowest cell. Where the policy's
 * concurrency is less, it takes as long as the cells take in the wave's order, each begun the moment one of the places is free.
 */
export function criticalPath({ plan: { waves, policy }, durations }: Result): number {
  return waves.reduce((sum, { cells, bakeSeconds }) => {
    const places = new Array<number>(Math.min(policy.concurrency, cells.length)).fill(0);
    for (const cell of cells) {
      const first = places.indexOf(Math.min(...places));
      places[first] = (places[first] ?? 0) + (durations.get(cell) ?? 0);
    }
    return cells.length === 0 ? sum : sum + Math.max(...places) + bakeSeconds * policy.timeScale;
  }, 0);
}

/** Goes through a rollout, until it rests for good. */
export async function simulate(given: Scenario): Promise<Result> {
  const world = new World(given);
  const plan = organizationOf(given);
  const { waves, leftOut } = planWaves(plan, definedComponent(COMPONENT, 100));
  const cells = waves.map((wave) =>
    wave.cells.map(
      ({ name, stage, region, account, trafficWeight: weight, calendar }): RolloutCell => ({
        ...{ name, stage, region, accountId: account.accountId, weight, calendar },
        healthAlarm: `cell-${name}-health`,
        alarms: [`cell-${name}-errors`],
      }),
    ),
  );
  const digest = await publish(world.objects);
  const before = new Map<string, string | undefined>();
  for (const [wave, list] of cells.entries()) for (const cell of list) settleIn(world, before, cell, wave);

  const drill = given.drill && cells[given.drill.wave]?.[0]?.name;
  const draft = {
    cells,
    plan: {
      ...{
        component: COMPONENT,
        kind: 'cloudformation' as const,
        traffic: [COMPONENT],
        version: NEW,
        digest,
        registry: { revision: 1, digest: 'x' },
        policy: plan.rollout,
        parameters: {},
      },
      ...(drill === undefined ? {} : { drill }),
      ...{ leftOut, allowReplacement: [], by: 'test', reason: undefined },
      waves: waves.map((wave) => ({ ...wave, cells: wave.cells.map(({ name }) => name) })),
    },
  };
  const { id } = await (given.pipeline ? world.client.enqueue(draft) : world.client.start(draft));
  const pinned = await world.store.plan(id);
  world.auditor = new Auditor(pinned, plan.production.weight, world.skipped);
  world.bakeSeconds = (wave) => (pinned.waves[wave]?.bakeSeconds ?? 0) * pinned.policy.timeScale;
  watchRecords(world, world.auditor);
  const people = given.deeds.map(async ({ at, deed }) => {
    await world.clock.sleep(at * 1_000);
    await act(world, id, deed);
  });
  let drilled: Result['drilled'];
  if (given.drill && drill !== undefined) {
    const { lookSeconds } = given.drill;
    people.push(
      drillIn(world, id, drill, lookSeconds).then((end) => {
        drilled = end;
      }),
    );
  }
  let endedAt = world.start;
  await world.clock.run(
    (async () => {
      if (given.pipeline) await world.goThroughStages(pinned);
      await world.rest();
      endedAt = Date.parse((await world.store.requireRecord(id)).endedAt ?? new Date(world.clock.now()).toISOString());
      for (const deed of given.afterwards) {
        const { status } = await world.store.requireRecord(id);
        if (status === 'succeeded' && !deed.startsWith('rollback')) break;
        await world.clock.sleep(world.between(60, 20_000, 'later', deed) * 1_000);
        await act(world, id, deed);
        await world.rest();
      }
      // Whoever has asked for something by then is heard, too.
      await Promise.all(people);
      await world.rest();
      if ((await world.store.requireRecord(id)).status === 'running') {
        await act(world, id, 'resume');
        await world.rest();
      }
    })(),
  );
  const after = new Map([...world.places.keys()].map((name) => [name, world.place(name).version]));
  return {
    plan: pinned,
    record: await world.store.requireRecord(id),
    waves: await world.store.waves(pinned),
    cells: await world.store.cells(id),
    ...{ before, after },
    locks: (await world.store.locks(COMPONENT)).length,
    violations: [...world.auditor.violations, ...(await passedSick(world, id, pinned))],
    makespan: (endedAt - world.start) / 1_000,
    durations: world.durations,
    begun: new Map([...world.places.values()].map(({ cell, begun }) => [cell.name, begun.get(NEW) ?? 0])),
    events: world.events,
    calls: world.calls,
    drilled,
  };
}

/** What `cellctl drill alarm --during` does, on a machine on which a look takes so long that what it shows is old. */
async function drillIn(world: World, id: string, cell: string, lookSeconds: number): Promise<Judgement | FactoryError> {
  const seen: DrillWorld = {
    look: async () => {
      const view = await world.client.view(id);
      await world.clock.sleep(lookSeconds * 1_000);
      return view;
    },
    cell,
    now: () => world.clock.now(),
    sleep: (milliseconds) => world.clock.sleep(milliseconds),
    say: () => undefined,
  };
  try {
    await untilBaking(seen, 7 * 86_400);
    const from = world.clock.now();
    world.place(cell).alarms.push({ from, to: from + 5_000, causedBy: 'coincidence' });
    return await untilJudged(seen, 86_400);
  } catch (error) {
    if (error instanceof FactoryError && error.code === 'DRILL_FAILED') return error;
    throw error;
  }
}

/** A cell as it is before anything begins. */
function settleIn(world: World, before: Map<string, string | undefined>, cell: RolloutCell, wave: number): void {
  const { name } = cell;
  const version = world.chance('unchanged', name) ? NEW : world.chance('first', name) ? undefined : OLD;
  before.set(name, version);
  const place = new Place(cell, wave, version);
  world.places.set(name, place);
  // Some time in a day; the rollout may be there by then or not.
  const window = (what: string, lasts: number): Window => {
    const from = world.start + world.between(0, 86_400_000, what, name);
    return { from, to: from + lasts };
  };
  if (world.chance('coincidence', name)) place.alarms.push({ ...window('coincidence', 30_000), causedBy: 'coincidence' });
  if (world.chance('missingData', name)) place.silences.push(window('missing', world.between(60_000, 7_200_000, 'silent', name)));
  if (world.chance('idle', name)) place.requestsPerSecond = 0.001;
}

/** Tells the auditor what is written down: when a wave has failed, none of its cells may begin. */
function watchRecords(world: World, auditor: Auditor): void {
  const { store } = world;
  const write = store.updateWave.bind(store);
  store.updateWave = async (id, number, patch) => {
    if ('failedCell' in patch) {
      if (patch.failedCell === undefined) auditor.failedAt.delete(number);
      else if (!auditor.failedAt.has(number)) auditor.failedAt.set(number, world.clock.now());
    }
    await write(id, number, patch);
  };
  const writeCell = store.updateCell.bind(store);
  store.updateCell = async (id, patch) => {
    const { status } = await store.cell(id, 0, patch.cell);
    auditor.written(patch.cell, status, patch.status, world.clock.now());
    await writeCell(id, patch);
  };
  const end = store.updateRecord.bind(store);
  store.updateRecord = async (id, patch, expected) => {
    if (patch.status !== undefined && hasEnded(patch.status)) {
      auditor.stuck = new Set((await store.cells(id)).filter(({ status }) => status === 'not restored').map(({ cell }) => cell));
    }
    return end(id, patch, expected);
  };
}

/** Does what a person does; what is refused is refused. */
async function act(world: World, id: string, deed: Deed): Promise<void> {
  const asker = { by: 'ada', reason: deed };
  const { client, store } = world;
  const next = async (wanted: RolloutStatus | undefined) => {
    const waves = await store.waves(await store.plan(id));
    return wanted === 'awaiting approval' || wanted ? (waves.find(({ status }) => status !== 'passed')?.number ?? 0) : 0;
  };
  try {
    if (deed === 'kill') world.killAll();
    else if (deed === 'retry') await (world.scenario.pipeline && world.goThroughStages(await store.plan(id)));
    else if (deed === 'pause' || deed === 'stop' || deed === 'resume') await client[deed](id, asker);
    else if (deed === 'rollback-wave' || deed === 'rollback-all')
      await client.rollback(id, deed === 'rollback-all' ? 'all' : 'wave', asker);
    else {
      const wave = await next((await store.requireRecord(id)).status);
      if (deed === 'skip-bake') {
        world.skipped.add(wave);
        await client.skipBake(id, wave, asker);
      } else await client.approve(id, wave, asker);
    }
  } catch (error) {
    if (!(error instanceof FactoryError) || !['REFUSED', 'LOCKED'].includes(error.code)) throw error;
  }
}

/** Waves that have passed although one of their cells had an alarm between its deployment and the end of its bake. */
async function passedSick(world: World, id: string, plan: RolloutPlan): Promise<string[]> {
  const found: string[] = [];
  for (const { number, status, deployBeganAt = '', endedAt = '' } of await world.store.waves(plan)) {
    if (status !== 'passed' || deployBeganAt === '') continue;
    const [began, ended] = [Date.parse(deployBeganAt), Date.parse(endedAt)];
    for (const { name } of await world.store.cellsIn(id, number)) {
      const alarm = world.place(name).alarms.find(({ from, to }) => to > from && from >= began && from <= ended);
      if (alarm) found.push(`wave ${number} passed, though ${name} had an alarm at ${new Date(alarm.from).toISOString()}`);
    }
  }
  return found;
}
