/** A rollout before it starts: what it would do, when, and why it may not start at all. Pure. */

import { plannedAlarms } from '../plan/alarms.ts';
import { requestsNeeded, trafficOf } from '../plan/bake-requests.ts';
import { inEmergency } from '../plan/emergency.ts';
import { type Plan, registryParameters, selectCells, selectComponent, type VendedCell } from '../plan/plan.ts';
import { trafficNotes } from '../plan/traffic.ts';
import { forecast, type MadeFor, planCatchUp, planWaves, type Wave } from '../plan/waves.ts';
import { type Component, cellHealthAlarmName, FactoryError, type Problem, type RolloutPolicy } from '../registry/index.ts';
import type { Draft } from './rollout-queue.ts';
import type { LeftOut, Removal, RolloutCell } from './rollout-record.ts';
import { expectedDeploySeconds, obstacles, requireStartable } from './start-checks.ts';

/** A wave as it would be. */
export interface ForeseenWave extends Omit<Wave, 'cells'> {
  readonly cells: readonly string[];
  /** When it would begin and be over, ISO 8601; undefined where its calendars are never open at once. */
  readonly begins: string | undefined;
  readonly ends: string | undefined;
}

/** A rollout as it would be, if nothing went wrong and nobody had to be waited for. */
export interface ForeseenRollout {
  readonly component: string;
  /** The registry that it comes from; without a revision, definitions that nobody has published. */
  readonly registry: { readonly revision: number | undefined; readonly digest: string };
  readonly timeScale: number;
  readonly waves: readonly ForeseenWave[];
  readonly leftOut: readonly LeftOut[];
  /** Requests of customers that each cell must have served before its bake can pass. */
  readonly minRequests: number;
  /** What is worth knowing of the traffic in waves, a sentence each. */
  readonly notes: readonly string[];
  /** What would keep it from starting. */
  readonly obstacles: readonly Problem[];
  /** ISO 8601; undefined where calendars leave no hour. */
  readonly ends: string | undefined;
  readonly seconds: number | undefined;
}

/** The organization's policy, with the time scale that was asked for in place of its own. */
const policyOf = ({ rollout }: Plan, timeScale: number | undefined): RolloutPolicy =>
  timeScale === undefined ? rollout : { ...rollout, timeScale };

/**
 * What a rollout of the component that starts at `now` would do, wave by wave.
 * @param artifact what would be rolled out. @default - something for every cell
 * @throws FactoryError `COMPONENT_UNKNOWN`
 */
export function foreseeRollout(
  plan: Plan,
  name: string,
  timeScale: number | undefined,
  now: Date,
  artifact?: PinnedArtifact,
  withoutStaging = false,
): ForeseenRollout {
  const policy = policyOf(plan, timeScale);
  const component = selectComponent(plan, name);
  const { waves, leftOut } = planWaves(plan, component, artifact && madeForOf(artifact));
  const times = forecast(waves, policy, { deploySeconds: expectedDeploySeconds(policy), now });
  const ends = times.at(-1)?.ends;
  return {
    component: name,
    registry: { revision: plan.revision, digest: plan.digest },
    timeScale: policy.timeScale,
    waves: waves.map((wave, index) => ({
      ...wave,
      cells: namesOf(wave.cells),
      begins: times[index]?.begins?.toISOString(),
      ends: times[index]?.ends?.toISOString(),
    })),
    leftOut,
    minRequests: requestsNeeded(plan, component),
    notes: trafficNotes(plan, component, waves),
    obstacles: obstacles({ component, policy, waves, leftOut, times, now, catchesUp: false, withoutStaging }),
    ends: ends?.toISOString(),
    seconds: ends && (ends.getTime() - now.getTime()) / 1_000,
  };
}

/** What is rolled out. */
export interface PinnedArtifact {
  readonly version: string;
  readonly digest: string;
  /** Names of the cells that it is made for. @default - every cell */
  readonly madeFor?: ReadonlySet<string> | undefined;
}

const madeForOf = ({ version, madeFor: cells }: PinnedArtifact): MadeFor | undefined => cells && { version, cells };

/** What a rollout is made from. */
export interface DraftInput {
  /** Of a published revision: what a rollout is pinned to must stay. */
  readonly plan: Plan;
  readonly component: string;
  readonly artifact: PinnedArtifact;
  readonly by: string;
  readonly reason: string | undefined;
  /** In place of the policy's. @default - the policy's */
  readonly timeScale?: number | undefined;
  readonly allowReplacement: readonly string[];
  /** A cell that is to be brought to the version of the others. @default - all cells, in waves */
  readonly only?: string | undefined;
  /** The component leaves the cells of the plan, which has its last entry; the artifact is none. @default - a version is deployed */
  readonly removal?: Removal | undefined;
  /** A cell in which a drill is to set an alarm off; its wave never passes. @default - none */
  readonly drill?: string | undefined;
  /** Name or number of the wave that waits for the drill. @default - the wave of its cell */
  readonly drillWave?: string | undefined;
  /** Whether it may go to production where no staging cell gets the version; with a reason. @default false */
  readonly withoutStaging?: boolean | undefined;
  /** Whether the policy's waves of an emergency are taken; with a reason. @default false */
  readonly emergency?: boolean | undefined;
  /** Cells that may be sick before it, because it is to cure them; with a reason. @default - none */
  readonly cures?: readonly string[] | undefined;
  /** What was found beforehand that keeps it from starting: of the artifact, and of components that it depends on. @default - nothing */
  readonly found?: readonly Problem[];
  /** When it would start. @default - now */
  readonly now?: Date;
}

/**
 * The rollout, ready to be written down.
 * @throws FactoryError `COMPONENT_UNKNOWN`; `USAGE` where a reason is missing; `REFUSED` with everything that keeps it from
 * starting, and for a plan that was not published
 */
export function draftRollout(input: DraftInput): Draft {
  const { component: name, artifact, by, reason, timeScale, allowReplacement, only, drill, drillWave, cures = [], found = [] } = input;
  const { removal } = input;
  const { now = new Date(), emergency = false, withoutStaging = false } = input;
  const plan = emergency ? inEmergency(input.plan) : input.plan;
  if (emergency) requireReason('--emergency', reason);
  if (withoutStaging) requireReason('--without-staging', reason);
  if (cures.length > 0) requireReason('--cures', reason);
  const component = selectComponent(plan, name);
  // What leaves serves nobody afterwards.
  const traffic = removal ? [] : trafficOf(plan, component);
  // Catching up waits for no requests: the others have baked the version, and this cell may have no customers yet.
  const minRequestsPerCell = only === undefined && !removal ? requestsNeeded(plan, component) : 0;
  const policy = { ...policyOf(plan, timeScale), minRequestsPerCell };
  const { waves, leftOut } =
    only === undefined ? planWaves(plan, component, madeForOf(artifact)) : catchUp(plan, component, only, artifact);
  const { revision, digest } = plan;
  if (revision === undefined) {
    throw new FactoryError('REFUSED', 'a rollout is pinned to a revision, and these definitions are none', {
      fix: 'run `cellctl publish` first',
    });
  }
  const times = forecast(waves, policy, { deploySeconds: expectedDeploySeconds(policy), now });
  requireStartable({ component, policy, waves, leftOut, times, now, catchesUp: only !== undefined, drill, cures, withoutStaging }, found);
  requireCellsOf(allowReplacement, waves);
  return {
    plan: {
      component: name,
      kind: component.kind,
      ...(only === undefined ? {} : { only }),
      ...(removal === undefined ? {} : { removal }),
      ...(drill === undefined ? {} : { drill }),
      ...(drill === undefined || drillWave === undefined ? {} : { drillWave: laterWave(waves, drill, drillWave) }),
      ...(emergency ? { emergency } : {}),
      ...(cures.length === 0 ? {} : { cures }),
      traffic,
      version: artifact.version,
      digest: artifact.digest,
      registry: { revision, digest },
      policy,
      parameters: registryParameters(component),
      waves: waves.map((wave) => ({ ...wave, cells: namesOf(wave.cells) })),
      leftOut,
      ...{ allowReplacement, by, reason },
    },
    cells: waves.map(({ cells }) => cells.map(rolloutCell)),
  };
}

/** The wave of one cell. */
function catchUp(plan: Plan, component: Component, name: string, artifact: PinnedArtifact): ReturnType<typeof planWaves> {
  const [cell] = selectCells(plan, [name]);
  if (!cell) throw new FactoryError('INTERNAL', `no cell ${name}`);
  const wave = planCatchUp(plan, component, cell, madeForOf(artifact));
  return 'reason' in wave ? { waves: [], leftOut: [{ cell: name, reason: wave.reason }] } : { waves: [wave], leftOut: [] };
}

/** Cells that a refusal names. */
const NAMED = 10;

const namesOf = (cells: readonly VendedCell[]): string[] => cells.map(({ name }) => name);

/** A cell as its rollout keeps it. */
function rolloutCell(cell: VendedCell): RolloutCell {
  const { name, stage, region, account, trafficWeight: weight, calendar } = cell;
  const alarms = plannedAlarms(cell).filter(({ health }) => health);
  return {
    ...{ name, stage, region, weight, calendar },
    accountId: account.accountId,
    healthAlarm: cellHealthAlarmName(name),
    alarms: alarms.map((alarm) => alarm.name),
  };
}

/** @throws FactoryError `USAGE` for an option that loosens a rule and comes without a word about why */
function requireReason(option: string, reason: string | undefined): void {
  if ((reason ?? '').trim() !== '') return;
  throw new FactoryError('USAGE', `${option} without a reason`, {
    fix: `say why with --reason: ${option} loosens what protects the other cells, and the record must tell what for`,
  });
}

/** @throws FactoryError `USAGE` for a name without a cell of the rollout: consent to a loss is for one cell */
function requireCellsOf(allowed: readonly string[], waves: readonly Wave[]): void {
  const cells = waves.flatMap((wave) => namesOf(wave.cells));
  const wrong = allowed.filter((name) => !cells.some((cell) => name.startsWith(`${cell}/`) && name.length > cell.length + 1));
  if (wrong.length === 0) return;
  throw new FactoryError('USAGE', `--allow-replacement ${wrong.join(' ')}: no cell of the rollout and a resource in it`, {
    fix: `write <cell>/<LogicalId>, once for each cell, with cells of the rollout: ${cells.slice(0, NAMED).join(', ')}${cells.length > NAMED ? ', …' : ''}`,
  });
}

/** The wave that is to wait for a drill in the cell: one that has cells, and not before the cell's. @throws FactoryError `USAGE` */
function laterWave(waves: readonly Wave[], cell: string, wanted: string): number {
  const own = waves.find(({ cells }) => namesOf(cells).includes(cell))?.number ?? 0;
  const fit = waves.filter(({ number, cells }) => number >= own && cells.length > 0);
  const found = fit.find(({ name, number }) => name === wanted || String(number) === wanted);
  if (found) return found.number;
  throw new FactoryError('USAGE', `no wave "${wanted}" that has cells, and comes with or after ${cell}`, {
    fix: `pass one of these with --drill-wave: ${fit.map(({ name, number }) => `${number} (${name})`).join(', ')}`,
  });
}
