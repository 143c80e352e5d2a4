/**
 * What an alarm means for a rollout: the version is to blame, one cell is sick by itself, or it was noise. Pure, like `decide.ts`.
 *
 * Alarms fire without a cause in the version, too. So while one does, nothing further begins, and the question is whether more
 * cells with the version fall sick than would without it. How many would, follows from {@link NOISE} or, where that is more,
 * from the cells without the version in the same time. The expectation is that of the whole wave with its bake: a number of
 * cells that is too high for it is too high whenever somebody looks, however often they do.
 */
import type { RolloutWave } from '../plan/waves.ts';
import { type RolloutPolicy, seconds } from '../registry/index.ts';

/** Alarms of a healthy cell by the hour: one a month. Cells without the version correct it, where there are enough. */
export const NOISE = 1 / 720;
/** With fewer cells than that on the version there is nothing to compare: the second sick cell is to blame on it. */
const FEW_CELLS = 20;
/** A wave of no more cells is rolled back at once: waiting costs more than rolling back. */
export const SMALL_WAVE = 3;
/** By chance so many or more cells would be sick: once in ten thousand waves. The version is to blame, however few they are of all. */
const BEYOND_DOUBT = 1e-4;
/** Once in fifty waves; the version is to blame, if they are at least {@link NOTABLE_SHARE} of the cells as well. */
const DOUBTFUL = 0.02;
const NOTABLE_SHARE = 0.04;

type OnAlarm = NonNullable<RolloutPolicy['waves'][number]['onAlarm']>;

/**
 * What follows an alarm while the wave is in work: what its policy says, or else at once where it is small.
 * @param own whether the sick cell is one of the wave; what has baked for hours is judged, however small the wave is now
 */
export function onAlarmOf(
  wave: Pick<RolloutWave, 'number' | 'name' | 'cells' | 'policyWave'>,
  policy: RolloutPolicy,
  own: boolean,
): OnAlarm {
  // A wave of one region is called otherwise than the policy's wave that it is part of.
  const planned = [...policy.waves, ...policy.emergency].find(({ name }) => name === wave.name) ?? policy.waves[(wave.policyWave ?? 0) - 1];
  return planned?.onAlarm ?? (own && (wave.number === 0 || wave.cells.length <= SMALL_WAVE) ? policy.onFailure : 'judge');
}

/** The number of cells that a tolerance allows, of so many. */
export const toleratedOf = (tolerance: RolloutPolicy['alarmTolerance'], cells: number): number =>
  'cells' in tolerance ? tolerance.cells : Math.max(1, Math.floor((tolerance.percent * cells) / 100));

/** A cell with the version that has an alarm, or had one since it was last looked at. */
export interface SickCell {
  readonly cell: string;
  readonly wave: number;
  /** When it fell sick, ISO 8601. */
  readonly since: string;
  /** False once its alarms are quiet again. */
  readonly still: boolean;
  /** A whole sentence: which alarm, and since when. */
  readonly sentence: string;
}

/** How many of how many cells fell sick since the wave began. */
export interface Tally {
  readonly cells: number;
  readonly sick: number;
}

export interface JudgeInput {
  readonly wave: Pick<RolloutWave, 'number' | 'name' | 'cells' | 'bakeSeconds'>;
  readonly policy: RolloutPolicy;
  readonly sick: readonly SickCell[];
  /** Of all cells with the version, since the wave began. Each cell once, also those that are well again. */
  readonly all: Tally;
  /** Of those of the wave. */
  readonly own: Tally;
  /** Of cells without the version. */
  readonly others: Tally;
  /** Cells that the rollout goes on without so far, because they were sick. */
  readonly apart: number;
  /** When the first cell of the wave began to change. */
  readonly began: string;
  readonly now: string;
}

/** What is written down of a verdict: the numbers that led to it. */
export interface Numbers {
  readonly sick: number;
  readonly of: number;
  /** How many of them chance would make sick in the whole wave. */
  readonly expected: number;
  /** How likely chance makes so many sick, or more: 0 to 1. */
  readonly chance: number;
}

/** What follows. `alone`: these cells are rolled back, and the rollout goes on. `ask`: a person decides. */
export type Verdict =
  | { readonly verdict: 'well' }
  | { readonly verdict: 'blip' | 'hold'; readonly cells: readonly SickCell[]; readonly sentence: string }
  | {
      readonly verdict: 'blame';
      readonly scope: 'wave' | 'all';
      readonly cell: string;
      readonly sentence: string;
      readonly numbers?: Numbers;
    }
  | { readonly verdict: 'alone' | 'ask'; readonly cells: readonly SickCell[]; readonly sentence: string; readonly numbers: Numbers }
  | { readonly verdict: 'stop'; readonly cell: string; readonly sentence: string };

/** How likely chance makes at least so many sick where so many are expected: the tail of a Poisson distribution. */
export function chanceOf(sick: number, expected: number): number {
  let term = Math.exp(-expected);
  let below = 0;
  for (let count = 0; count < sick; count++) {
    below += term;
    term *= expected / (count + 1);
  }
  // What is left of one by rounding is nothing.
  return Math.max(0, Math.min(1, 1 - below));
}

/** Hours from the wave's beginning to the end of its bake, as far as that is known. */
function hoursOf({ wave, policy, began, now }: JudgeInput): number {
  const gone = (Date.parse(now) - Date.parse(began)) / 1_000;
  return (Math.max(0, gone) + wave.bakeSeconds * policy.timeScale) / 3_600;
}

/** Numbers of a tally: what chance would do to it. */
function numbersOf(input: JudgeInput, { cells, sick }: Tally): Numbers {
  const hours = hoursOf(input);
  const { others } = input;
  // Two of them may be chance as well; where they are more, something else than the version is wrong.
  const rate = others.sick >= 2 ? Math.max(NOISE, others.sick / (others.cells * hours)) : NOISE;
  const expected = cells * rate * hours;
  return { sick, of: cells, expected, chance: chanceOf(sick, expected) };
}

/** Whether so many sick cells are more than chance. */
const isTelling = ({ sick, of, chance }: Numbers): boolean =>
  sick >= 2 && (chance < BEYOND_DOUBT || (chance < DOUBTFUL && sick >= NOTABLE_SHARE * of));

/** Judges what a look has shown. */
export function judge(input: JudgeInput): Verdict {
  const { wave, policy, sick, all, now } = input;
  const [first] = sick;
  if (!first) return { verdict: 'well' };
  const own = sick.find((each) => each.wave === wave.number);
  const scope = own ? 'wave' : 'all';
  const on = onAlarmOf(wave, policy, own !== undefined);
  if (on === 'stop') return { verdict: 'stop', cell: first.cell, sentence: first.sentence };
  // Rolling the wave back would leave the sick cell as it is, where it is one of an earlier wave.
  if (on !== 'judge') {
    const { cell, sentence } = own ?? first;
    return { verdict: 'blame', scope: on === 'rollback-all' ? 'all' : scope, cell, sentence };
  }

  const [total, here] = [numbersOf(input, all), numbersOf(input, input.own)];
  const blame = (why: string, numbers: Numbers): Verdict => ({
    verdict: 'blame',
    scope: 'all',
    cell: first.cell,
    sentence: `${first.sentence}; ${why}: the version is to blame`,
    numbers,
  });
  const told = isTelling(here) ? here : total;
  const few = all.cells < FEW_CELLS;
  if (few && all.sick >= 2) return blame(`${all.sick} of ${all.cells} cells with the version fell sick`, total);
  if (isTelling(told)) return blame(`${told.sick} of ${told.of} cells fell sick, and chance makes ${figure(told.expected)} so`, told);

  const patience = seconds(policy.diagnosisTime) * policy.timeScale * 1_000;
  const lasting = sick.filter(({ still, since }) => still && Date.parse(now) - Date.parse(since) >= patience);
  const [longest] = lasting;
  if (few && longest) return blame(`it has not cleared within ${policy.diagnosisTime}`, total);
  if (longest) {
    const allowed = toleratedOf(policy.alarmTolerance, all.cells);
    const one = `${longest.sentence}, for more than ${policy.diagnosisTime}; ${all.sick} of ${all.cells} cells fell sick, which chance explains`;
    if (input.apart + lasting.length <= allowed) return { verdict: 'alone', cells: lasting, sentence: one, numbers: total };
    const sentence = `${one}, but no more than ${allowed} may be rolled back alone`;
    return { verdict: 'ask', cells: lasting, sentence, numbers: total };
  }
  const still = sick.filter((each) => each.still);
  if (still.length === 0) return { verdict: 'blip', cells: sick, sentence: `${first.sentence}, and cleared by itself` };
  const names = still.length === 1 ? (still[0]?.sentence ?? '') : `${still.length} cells are sick, first ${first.sentence}`;
  return { verdict: 'hold', cells: still, sentence: `${names}; nothing begins until that is judged` };
}

const figure = (value: number): string => (value < 0.1 ? 'less than 0.1' : value.toFixed(1));
