/**
 * Who takes a rollout on from wave to wave, and whether they still do. A pipeline on CodePipeline is asked; whoever else
 * follows a stage gives signs of life. Nothing begins in a cell for a driver that is gone.
 */
import { type RolloutPolicy, seconds } from '../registry/index.ts';
import type { Control, RolloutRecord } from './rollout-record.ts';
import type { RolloutTable } from './rollout-table.ts';

/** Seconds between two signs of life. */
export const SIGN_SECONDS = 30;
/** Seconds of silence after which a driver counts as gone that is one process from the first wave to the last. */
export const PROCESS_SILENCE = 300;
/** The same for one whose jobs follow each other: between two, a machine has to be found for the next. */
export const JOBS_SILENCE = 3_600;

/** A sign of life. */
export interface Sign {
  /** Who gives it. Who comes after them calls themselves otherwise. */
  readonly by: string;
  /** When, ISO 8601. */
  readonly at: string;
  /** Seconds without another one after which they are gone. */
  readonly within: number;
  /** True where they give signs between two waves, too. @default - only while they follow a stage */
  readonly always?: true;
  /** Why they have left the rollout, a whole sentence. @default - they have not */
  readonly left?: string;
}

/** Why nobody takes a rollout on. */
export interface Absence {
  readonly sentence: string;
  /** True where somebody said so; false where there is only silence. */
  readonly said: boolean;
}

const driverPk = (id: string) => `driver#${id}`;
const SIGN = 'sign';

/** Signs of life, apart from the records: who may give them may write nothing else. */
export class Drivers {
  constructor(private readonly table: RolloutTable) {}

  async of(id: string): Promise<Sign | undefined> {
    return this.table.get<Sign>(driverPk(id), SIGN);
  }

  /** Gives a sign of life; whoever drove it before no longer does. Who is known keeps what they said first of their silence. */
  async sign(id: string, { by, at, within, always }: Omit<Sign, 'left'>): Promise<void> {
    const known = await this.table.update(driverPk(id), SIGN, { at, left: undefined }, { by });
    if (!known) await this.table.update(driverPk(id), SIGN, { by, at, within, always, left: undefined });
  }

  /** Says that they have left it. @returns false when somebody else has taken over, and nothing was written */
  async leave(id: string, by: string, left: string): Promise<boolean> {
    return this.table.update(driverPk(id), SIGN, { left }, { by });
  }
}

/** What the driver's signs say; undefined while they drive it, and where nobody has ever given one. */
export function absenceBy(sign: Sign | undefined, status: RolloutRecord['status'], now: Date): Absence | undefined {
  if (!sign) return undefined;
  if (sign.left !== undefined) return { sentence: sign.left, said: true };
  const silent = (now.getTime() - Date.parse(sign.at)) / 1_000;
  const counts = status !== 'between waves' || sign.always === true;
  return counts && silent > sign.within ? { sentence: `${sign.by} has given no sign of life since ${sign.at}`, said: false } : undefined;
}

/** What its pipeline on CodePipeline says of itself. Source: PipelineExecution, AWS CodePipeline API Reference, read 2026-12-01. */
export const absenceOf = (execution: string, status: string): Absence | undefined =>
  status === 'InProgress' ? undefined : { sentence: `execution ${execution} of its pipeline is ${status}`, said: true };

/** Why a rollout between two waves has waited too long for whoever takes it on; undefined while it has not. */
export function overdue({ updatedAt }: Pick<RolloutRecord, 'updatedAt'>, { betweenWaves }: RolloutPolicy, now: Date): Absence | undefined {
  if (now.getTime() - Date.parse(updatedAt) <= seconds(betweenWaves) * 1_000) return undefined;
  return { sentence: `nobody has taken it on since ${updatedAt}, and betweenWaves is ${betweenWaves}`, said: true };
}

/** What is asked of a rollout whose driver is gone, by the policy. */
export function askedInAbsence(control: Control, { onPipelineFailure }: RolloutPolicy, sentence: string, at: string): Control {
  const request = { by: 'its pipeline', at, reason: sentence };
  return onPipelineFailure === 'rollback'
    ? { ...control, rollback: { ...request, scope: 'all' } }
    : { ...control, stop: { ...request, pipeline: true } };
}
