/**
 * A rollout over any number of cells in memory: the plan that would be deployed, the machines' own definitions, the operator's
 * own code, the client that people use, and a clock of their own. What is made up here is the world around them: stacks, alarms,
 * requests, throttling, people. An auditor looks at what happens to cells, and knows nothing of what anybody decided.
 *
 * What happens follows from the seed and from names alone, never from the order in which things were asked for.
 */
import { artifactDigest, fileKey, manifestKey, sha256 } from '../../lib/artifact/artifacts.ts';
import { planWaves } from '../../lib/plan/waves.ts';
import { FactoryError } from '../../lib/registry/index.ts';
import { type DrillWorld, type Judgement, untilBaking, untilJudged } from '../../lib/rollout/drill-during.ts';
import { hasEnded, type RolloutCell, type RolloutPlan, type RolloutStatus } from '../../lib/rollout/rollout-record.ts';
import type { MemoryObjects } from './objects.ts';
import { component as definedComponent } from './organization.ts';
import { Auditor, Place } from './simulator-places.ts';
import { COMPONENT, type Deed, draw, NEW, OLD, organizationOf, type Result, type Scenario, type Window } from './simulator-scenario.ts';
import { templateOf, World } from './simulator-world.ts';

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
    ...exposureOf(world, pinned),
    events: world.events,
    calls: world.calls,
    drilled,
  };
}

/** When the version came to cells, and what it did to them. */
function exposureOf({ places, auditor }: World, { waves }: RolloutPlan): Pick<Result, 'beginnings' | 'sickAt' | 'poisoned'> {
  const caused = [...places.values()].flatMap(({ wave, alarms }) =>
    alarms.filter(({ causedBy, from, to }) => causedBy === 'version' && to > from).map(({ from }) => ({ wave, from })),
  );
  const beginnings = auditor?.beginnings ?? [];
  const poisoned = new Map(waves.map(({ number }) => [number, caused.filter(({ wave }) => wave === number).length]));
  return { beginnings, sickAt: caused.length === 0 ? undefined : Math.min(...caused.map(({ from }) => from)), poisoned };
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
  if (world.scenario.noise) place.alarms.push(...noiseOf(world, name));
  if (world.chance('missingData', name)) place.silences.push(window('missing', world.between(60_000, 7_200_000, 'silent', name)));
  if (world.chance('idle', name)) place.requestsPerSecond = 0.001;
}

/** Alarms of a month, of a cell in which nothing is wrong: their number is Poisson's, with a mean of one. */
function noiseOf(world: World, name: string): Place['alarms'] {
  const { seed } = world.scenario;
  const MONTH = 30 * 86_400_000;
  const alarms: Place['alarms'] = [];
  let time = world.start;
  for (let index = 0; ; index++) {
    time -= Math.log(1 - draw(seed, 'noise', name, index)) * MONTH;
    if (time > world.start + MONTH) return alarms;
    const [u, v] = [draw(seed, 'noise u', name, index), draw(seed, 'noise v', name, index)];
    const normal = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
    alarms.push({ from: time, to: time + 600_000 * Math.exp(0.6 * normal), causedBy: 'coincidence' });
  }
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
  for (const { number, status, endedAt = '' } of await world.store.waves(plan)) {
    if (status !== 'passed') continue;
    for (const { name } of await world.store.cellsIn(id, number)) {
      const { blips = 0, startedAt = endedAt } = await world.store.cell(id, number, name);
      // Judged, and counted.
      if (blips > 0) continue;
      const [began, ended] = [Date.parse(startedAt), Date.parse(endedAt)];
      const alarm = world.place(name).alarms.find(({ from, to }) => to > from && from >= began && from <= ended);
      if (alarm) found.push(`wave ${number} passed, though ${name} had an alarm at ${new Date(alarm.from).toISOString()}`);
    }
  }
  return found;
}
