/** What the table says of a rollout: the keys of its items, and what they are together. Pure. */
import { FactoryError } from '../registry/index.ts';
import type { CellRecord, Lane, RolloutPlan, RolloutRecord, WaveRecord } from './rollout-record.ts';
import { parseRecord } from './stored-record.ts';

export const rolloutPk = (id: string) => `rollout#${id}`;
export const RECORD = 'record';
export const WAVE = 'wave#';
export const CELL = 'cell#';
export const waveSk = (wave: number) => `${WAVE}${String(wave).padStart(3, '0')}`;
export const componentPk = (component: string) => `component#${component}`;
export const ACTIVE = 'active';
/** The pointer to the last rollout of a lane that has begun. */
export const pointerKey = ({ component, only }: Lane) => ({
  pk: componentPk(component),
  sk: only === undefined ? ACTIVE : `${ACTIVE}#${only}`,
});
export const lockSk = (cell: string) => `lock#${cell}`;
export const sentSk = (cell: string) => `sent#${cell}`;
export const historySk = (startedAt: string, id: string) => `rollout#${startedAt}#${id}`;
export const cellSk = (cell: string) => `${CELL}${cell}`;

export interface Written {
  readonly record: RolloutRecord;
  /** One for each wave of the plan. */
  readonly waves: readonly WaveRecord[];
  /** Cells that something was done to, or was about to be. */
  readonly cells: readonly CellRecord[];
}

/** @throws FactoryError `ROLLOUT_UNKNOWN` */
export function unknownRollout(id: string): never {
  throw new FactoryError('ROLLOUT_UNKNOWN', `there is no rollout ${id}`, {
    fix: 'list what there is with `cellctl rollout history <component>`',
  });
}

/** A wave that nobody has begun: it has no item. */
export const untouchedWave = (number: number): WaveRecord => ({ number, status: 'pending', attempts: 0 });

/** A record of each wave of the plan. @param stored those that were begun */
export function wavesOf(plan: RolloutPlan, stored: readonly Partial<WaveRecord>[]): readonly WaveRecord[] {
  const found = new Map(stored.map((wave) => [wave.number, wave]));
  return plan.waves.map(({ number }) => ({ ...untouchedWave(number), ...found.get(number) }));
}

export const waveOf = ({ waves }: Written, number: number): WaveRecord =>
  waves.find((wave) => wave.number === number) ?? untouchedWave(number);

/** All items of a rollout together. @throws FactoryError `ROLLOUT_UNKNOWN`, `RECORD_INVALID` */
export function writtenOf(
  plan: RolloutPlan,
  entries: readonly { readonly sk: string; readonly item: Readonly<Record<string, unknown>> }[],
): Written {
  const record = entries.find(({ sk }) => sk === RECORD);
  const below = <T>(prefix: string) => entries.filter(({ sk }) => sk.startsWith(prefix)).map(({ item }) => item as T);
  return {
    record: record ? parseRecord(plan.id, record.item) : unknownRollout(plan.id),
    waves: wavesOf(plan, below(WAVE)),
    cells: below(CELL),
  };
}
