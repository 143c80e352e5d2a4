/** How a cell is, as a look shows it; and which cells with the version are sick. Pure. */
import { cellHealthAlarmName } from '../registry/index.ts';
import type { SickCell, Tally } from './judge.ts';
import type { CellRecord } from './rollout-record.ts';

/** An alarm, as it is now. */
export interface AlarmState {
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
}

/** An alarm that fired. */
export interface Firing {
  readonly name: string;
  readonly at: string;
  /** Its state before. @default - OK */
  readonly from?: string | undefined;
}

/** What a look at a cell showed. */
export interface CellHealth {
  readonly cell: string;
  readonly alarms: readonly AlarmState[];
  /** Alarms that the cell should have, and has not. */
  readonly missing: readonly string[];
  /** Alarms that fired since the time that was asked for, also those that are quiet again. */
  readonly fired: readonly Firing[];
  /** Requests that the component served since the bake began; undefined for no data. */
  readonly requests: number | undefined;
  /** Why the cell could not be looked at. */
  readonly unreachable?: string;
}

/** Some words of a list, and how many more there are. */
export const and = (words: readonly string[], most = 3): string =>
  words.length <= most ? words.join(', ') : `${words.slice(0, most).join(', ')} and ${words.length - most} more`;

/** Names of the alarms that fire now. */
const firingOf = ({ alarms }: CellHealth) => alarms.filter(({ state }) => state === 'ALARM').map(({ name }) => name);

/** What is wrong in the cell, as a sentence; undefined where nothing is. */
export function sicknessOf(health: CellHealth): string | undefined {
  const firing = firingOf(health);
  if (firing.length > 0) return `${health.cell}: ${and(firing)} in ALARM`;
  const [first] = health.fired;
  return first && `${health.cell}: ${first.name} fired at ${first.at}, though it is quiet again`;
}

/** Whether the cell runs the version, or is about to. */
export const hasVersion = ({ status, apart }: CellRecord): boolean =>
  apart === undefined && (status === 'deployed' || status === 'deploying' || status === 'restoring' || status === 'not restored');

/** Cells that the rollout goes on without because they were, or stayed, sick: what `alarmTolerance` counts. */
export const apartForAlarms = (cells: readonly CellRecord[]): readonly CellRecord[] =>
  cells.filter(({ apart, apartFor = 'alarm' }) => apart !== undefined && apartFor === 'alarm');

/** From when on alarms of the cell count: since its own deployment, or since one that cleared by itself. */
export const watchedFrom = ({ watchedFrom: from, startedAt }: CellRecord): string | undefined => from ?? startedAt;

/**
 * Whether an alarm of a cell that the version is to cure may have been there before: a deployment interrupts its data, and then it
 * fires again. The cell's health follows its alarms, which count themselves.
 */
const mayBeOld = (cell: string, { name, from }: Firing): boolean => from === 'INSUFFICIENT_DATA' || name === cellHealthAlarmName(cell);

/** What a look at all cells with the version has shown. */
export interface Survey {
  /** First those that fell sick first. */
  readonly sick: readonly SickCell[];
  /** How many have the version, and how many of them fell sick since the wave began. */
  readonly all: Tally;
  /** Those of the wave. */
  readonly own: Tally;
}

/**
 * @param cures cells that were sick before: what fires there since before the deployment counts at the end of the bake only
 * @param began when the wave began
 * @param continued when a person said that the cells that were sick then are no reason to wait; an alarm that fires later is
 */
export function surveyOf(
  records: readonly CellRecord[],
  healths: readonly CellHealth[],
  {
    wave,
    began,
    now,
    cures = [],
    continued = '',
  }: {
    readonly wave: number;
    readonly began: string;
    readonly now: string;
    readonly cures?: readonly string[] | undefined;
    readonly continued?: string | undefined;
  },
): Survey {
  const seen = new Map(healths.map((health) => [health.cell, health]));
  const exposed = records.filter(hasVersion);
  const sick = exposed.flatMap((record): SickCell[] => {
    const health = seen.get(record.cell);
    const sentence = health && sicknessOf(health);
    if (!health || sentence === undefined) return [];
    const cured = cures.includes(record.cell);
    const first = health.fired.find((firing) => firing.at > continued && !(cured && mayBeOld(record.cell, firing)));
    const from = watchedFrom(record) ?? now;
    if (!first && (cured || from < continued)) return [];
    return [
      {
        cell: record.cell,
        wave: record.wave,
        since: first?.at ?? watchedFrom(record) ?? now,
        still: firingOf(health).length > 0,
        sentence,
      },
    ];
  });
  const ill = new Set(sick.map(({ cell }) => cell));
  const fell = ({ cell, lastBlipAt = '' }: CellRecord) => ill.has(cell) || lastBlipAt >= began;
  const tally = (of: readonly CellRecord[]): Tally => ({ cells: of.length, sick: of.filter(fell).length });
  // Those that were rolled back alone are evidence, too.
  const had = records.filter((record) => hasVersion(record) || (record.apart !== undefined && record.lastBlipAt !== undefined));
  return {
    sick: sick.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0)),
    all: tally(had),
    own: tally(had.filter((record) => record.wave === wave)),
  };
}
