/** A rollout before it starts: what it would do, when, and why it may not start at all. Pure. */

import { plannedAlarms } from '../plan/alarms.ts';
import { openTogether } from '../plan/calendar.ts';
import { inEmergency } from '../plan/emergency.ts';
import { type Plan, registryParameters, selectCells, selectComponent, type VendedCell } from '../plan/plan.ts';
import { forecast, type MadeFor, planCatchUp, planWaves, type Wave } from '../plan/waves.ts';
import { type Component, cellHealthAlarmName, FactoryError, type RolloutPolicy } from '../registry/index.ts';
import { historyBudget, longestBakeHours, MOST_EVENTS } from './budget.ts';
import type { Draft } from './client.ts';
import type { LeftOut, RolloutCell } from './rollout-record.ts';

/** What putting a version into a cell takes until something was measured, in seconds: ECS replaces tasks in some minutes. */
export const DEPLOY_SECONDS = 300;

/** Cells that a refusal names. */
const NAMED = 10;

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
  component: string,
  timeScale: number | undefined,
  now: Date,
  artifact?: PinnedArtifact,
): ForeseenRollout {
  const policy = policyOf(plan, timeScale);
  const { waves, leftOut } = planWaves(plan, selectComponent(plan, component), artifact && madeForOf(artifact));
  const times = forecast(waves, policy, { deploySeconds: DEPLOY_SECONDS, now });
  const ends = times.at(-1)?.ends;
  return {
    component,
    registry: { revision: plan.revision, digest: plan.digest },
    timeScale: policy.timeScale,
    waves: waves.map((wave, index) => ({
      ...wave,
      cells: namesOf(wave.cells),
      begins: times[index]?.begins?.toISOString(),
      ends: times[index]?.ends?.toISOString(),
    })),
    leftOut,
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
  /** A cell in which a drill is to set an alarm off; its wave never passes. @default - none */
  readonly drill?: string | undefined;
  /** Whether the policy's waves of an emergency are taken; with a reason. @default false */
  readonly emergency?: boolean | undefined;
  /** Cells that may be sick before it, because it is to cure them; with a reason. @default - none */
  readonly cures?: readonly string[] | undefined;
  /** When it would start. @default - now */
  readonly now?: Date;
}

/**
 * The rollout, ready to be written down.
 * @throws FactoryError `COMPONENT_UNKNOWN`; `USAGE` where a reason is missing; `REFUSED` when it would reach no cell, could never begin a wave, or would have an
 * execution that outgrows its history; and for a plan that was not published
 */
export function draftRollout(input: DraftInput): Draft {
  const { component: name, artifact, by, reason, timeScale, allowReplacement, only, drill, cures = [], now = new Date() } = input;
  const emergency = input.emergency === true;
  const plan = emergency ? inEmergency(input.plan) : input.plan;
  if (emergency) requireReason('--emergency', reason);
  if (cures.length > 0) requireReason('--cures', reason);
  const component = selectComponent(plan, name);
  const traffic = trafficOf(plan, component);
  // What the others have baked waits for nobody's requests in a cell that may have none yet.
  const policy = policyFor(only === undefined ? traffic : [], policyOf(plan, timeScale));
  const { waves, leftOut } =
    only === undefined ? planWaves(plan, component, madeForOf(artifact)) : catchUp(plan, component, only, artifact);
  const { revision, digest } = plan;
  if (revision === undefined) {
    throw new FactoryError('REFUSED', 'a rollout is pinned to a revision, and these definitions are none', {
      fix: 'run `cellctl publish` first',
    });
  }
  refuseEmpty(name, waves, leftOut);
  refuseDrillNowhere(name, waves, drill);
  refuseCureNowhere(name, waves, leftOut, cures);
  const times = forecast(waves, policy, { deploySeconds: DEPLOY_SECONDS, now });
  // Whoever pauses may begin a wave at any time until then, as far as anybody can tell.
  const end = times.at(-1)?.ends ?? now;
  for (const [index, wave] of waves.entries()) {
    refuseEndless(
      wave,
      policy,
      [now, times[index - 1]?.ends ?? now, end],
      namesOf(wave.cells).some((cell) => cell === drill),
    );
  }
  return {
    plan: {
      component: name,
      kind: component.kind,
      ...(only === undefined ? {} : { only }),
      ...(drill === undefined ? {} : { drill }),
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

/** Components whose requests count: on a foundation all of them, because it has none of its own. */
const trafficOf = ({ components }: Plan, { kind, name }: Component): readonly string[] =>
  kind === 'foundation' ? components.flatMap((each) => (each.kind === 'foundation' ? [] : [each.name])) : [name];

/** Where no component stands on a foundation, nobody sends requests that a bake could wait for; its alarms count all the same. */
const policyFor = (traffic: readonly string[], policy: RolloutPolicy): RolloutPolicy =>
  traffic.length === 0 ? { ...policy, minRequestsPerCell: 0 } : policy;

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

function refuseEmpty(component: string, waves: readonly Wave[], leftOut: readonly LeftOut[]): void {
  if (waves.some(({ cells }) => cells.length > 0)) return;
  const reasons = leftOut.slice(0, NAMED).map(({ cell, reason }) => `\n  ${cell}: ${reason}`);
  const more = leftOut.length > NAMED ? `\n  and ${leftOut.length - NAMED} more` : '';
  const why = leftOut.length === 0 ? ': the registry has none' : `:${reasons.join('')}${more}`;
  throw new FactoryError('REFUSED', `no cell would get ${component}${why}`, {
    fix: `mend that, \`cellctl publish\`, and look with \`cellctl rollout plan ${component}\``,
  });
}

/** @throws FactoryError `USAGE` for an option that loosens a rule and comes without a word about why */
function requireReason(option: string, reason: string | undefined): void {
  if ((reason ?? '').trim() !== '') return;
  throw new FactoryError('USAGE', `${option} without a reason`, {
    fix: `say why with --reason: ${option} loosens what protects the other cells, and the record must tell what for`,
  });
}

/** A cell that no wave has can't be cured by the rollout: it would stay sick, and nobody would know. */
function refuseCureNowhere(component: string, waves: readonly Wave[], leftOut: readonly LeftOut[], cures: readonly string[]): void {
  const cell = cures.find((each) => !waves.some(({ cells }) => namesOf(cells).includes(each)));
  if (cell === undefined) return;
  const reason = leftOut.find((left) => left.cell === cell)?.reason;
  throw new FactoryError('REFUSED', `a cure of ${cell}, and no wave of ${component} has that cell${reason ? `. ${reason}` : ''}`, {
    fix: `name cells that \`cellctl rollout plan ${component}\` shows in a wave`,
  });
}

/** A drill in a cell that the version never comes to would be waited for by no wave. */
function refuseDrillNowhere(component: string, waves: readonly Wave[], drill: string | undefined): void {
  if (drill === undefined || waves.some(({ cells }) => namesOf(cells).includes(drill))) return;
  throw new FactoryError('REFUSED', `a drill in ${drill}, and no wave of ${component} has that cell`, {
    fix: `name a cell that \`cellctl rollout plan ${component}\` shows in a wave`,
  });
}

/** Refuses a wave whose calendars never open, or that waits so long that its history would be full. */
function refuseEndless(
  { number, name, cells, bakeSeconds }: Wave,
  policy: RolloutPolicy,
  moments: readonly Date[],
  drilled: boolean,
): void {
  const closed = longestClosure(cells, moments);
  if (closed === undefined) {
    throw new FactoryError('REFUSED', `the calendars of wave ${number}, ${name}, have no hour in common within a year`, {
      fix: `give its cells windows that meet: ${namesOf(cells).slice(0, NAMED).join(', ')}${cells.length > NAMED ? ', …' : ''}`,
    });
  }
  const { events } = historyBudget(bakeSeconds, policy, closed, drilled);
  if (events <= MOST_EVENTS) return;
  const longest = longestBakeHours(policy, closed);
  const figure = (value: number) => value.toLocaleString('en');
  throw new FactoryError(
    'REFUSED',
    `wave ${number}, ${name}, may take ${figure(events)} events of its execution, and Step Functions allows ${figure(MOST_EVENTS)}`,
    {
      fix:
        longest === 0
          ? 'start it when calendars are closed for less long, or shorten alarmGrace or maxBakeExtension'
          : `shorten its bake, alarmGrace or maxBakeExtension; as the others are, a bake of at most ${longest} h will do`,
    },
  );
}

/**
 * How long the cells are closed at a stretch, in seconds, if the wave begins at one of these moments, or with a blackout that
 * begins between them. Undefined where they are then never open at once.
 */
function longestClosure(cells: readonly VendedCell[], moments: readonly Date[]): number | undefined {
  const visited = cells.map(({ name, calendar }) => ({ name, calendars: [calendar] }));
  const times = moments.map((moment) => moment.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const blackouts = cells.flatMap(({ calendar }) => calendar.blackouts.map(({ from }) => Date.parse(from)));
  let longest = 0;
  for (const time of new Set([...times, ...blackouts.filter((from) => first < from && from < last)])) {
    const opening = openTogether(visited, new Date(time));
    if (opening.open) continue;
    if (opening.until === undefined) return undefined;
    longest = Math.max(longest, (opening.until.getTime() - time) / 1_000);
  }
  return longest;
}
