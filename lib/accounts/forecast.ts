/** When accounts will be ready, and what is stuck. Pure: records, limits and the time in, rows out. */

import { type AccountRecord, type AccountStep, isFinal } from './account-record.ts';
import { CREATIONS_IN_FLIGHT } from './rates.ts';

/** One line of `cellctl accounts --watch`. */
export interface ForecastRow {
  readonly account: string;
  readonly cell: string | undefined;
  readonly step: AccountStep;
  /** Milliseconds since the step began. */
  readonly forMs: number;
  /** Milliseconds until the account is ready; undefined when it is, or when nobody can say. */
  readonly etaMs?: number;
  /** Why nothing will happen by itself, and what to do. */
  readonly stuck?: string;
  readonly note?: string;
}

export interface ForecastInput {
  /** In the order in which accounts are made. */
  readonly records: readonly AccountRecord[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds until the n-th next creation may be requested. */
  readonly waitFor: (n: number) => number;
  /** How many times faster than AWS the cloud is; 1 is AWS. */
  readonly pace: number;
  /** Who is working on the accounts; undefined when nobody is. */
  readonly heldBy: string | undefined;
}

const MINUTE = 60_000;

/** Longest that a step takes when all is well, in milliseconds. Waiting takes as long as the queue is. */
const LONGEST: Readonly<Record<AccountStep, number>> = {
  waiting: Number.POSITIVE_INFINITY,
  creating: 30 * MINUTE,
  created: 5 * MINUTE,
  placing: 5 * MINUTE,
  tagging: 5 * MINUTE,
  // AWS takes minutes to hours for a region that has to be enabled.
  region: 80 * MINUTE,
  // New accounts may refuse for half an hour.
  contacts: 35 * MINUTE,
  services: 35 * MINUTE,
  quotas: 10 * MINUTE,
  bootstrap: 35 * MINUTE,
  zones: 35 * MINUTE,
  ready: Number.POSITIVE_INFINITY,
  failed: Number.POSITIVE_INFINITY,
  returning: 15 * MINUTE,
  returned: Number.POSITIVE_INFINITY,
};

/** What creating and setting up take until something was measured, in milliseconds. */
const TYPICAL = { creation: 2 * MINUTE, setUp: 3 * MINUTE } as const;

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Time between the last `from` and the `to` after it, in milliseconds. */
function duration({ history }: AccountRecord, from: AccountStep, to: AccountStep): number[] {
  const start = history.findLast(({ step }) => step === from);
  const end = history.findLast(({ step }) => step === to);
  if (!start || !end) return [];
  const taken = Date.parse(end.at) - Date.parse(start.at);
  return taken >= 0 ? [taken] : [];
}

/** Medians of what the records show, in milliseconds; until they show something, what AWS takes. @param pace how many times faster than AWS the cloud is */
export function durations(records: readonly AccountRecord[], pace: number): { creation: number; setUp: number } {
  return {
    creation: median(records.flatMap((record) => duration(record, 'creating', 'created'))) ?? TYPICAL.creation / pace,
    setUp: median(records.flatMap((record) => duration(record, 'created', 'ready'))) ?? TYPICAL.setUp / pace,
  };
}

/**
 * Milliseconds until each of `count` waiting accounts exists: a token and a place in flight each, in order.
 * @param busy milliseconds until each creation under way ends
 */
export function creationTimes(count: number, waitFor: (n: number) => number, busy: readonly number[], creation: number): number[] {
  const places = [...busy, ...Array<number>(Math.max(0, CREATIONS_IN_FLIGHT - busy.length)).fill(0)];
  return Array.from({ length: count }, (_, index) => {
    const soonest = places.indexOf(Math.min(...places));
    const end = Math.max(waitFor(index + 1), places[soonest] ?? 0) + creation;
    places[soonest] = end;
    return end;
  });
}

/** A row for each account that is on its way, or was. */
export function forecastAccounts({ records, now, waitFor, heldBy, pace }: ForecastInput): ForecastRow[] {
  const typical = durations(records, pace);
  const since = ({ since: at }: AccountRecord) => Math.max(0, now - Date.parse(at));
  const left = (record: AccountRecord, whole: number) => Math.max(0, whole - since(record));
  const busy = records.filter(({ step }) => step === 'creating').map((record) => left(record, typical.creation));
  const waiting = records.filter(({ step }) => step === 'waiting');
  const times = creationTimes(waiting.length, waitFor, busy, typical.creation);
  const created = new Map(waiting.map(({ name }, index) => [name, times[index] ?? 0]));
  const etaOf = (record: AccountRecord): number => {
    if (record.step === 'waiting') return (created.get(record.name) ?? 0) + typical.setUp;
    if (record.step === 'creating') return left(record, typical.creation) + typical.setUp;
    return setUpLeft(record, now, typical.setUp);
  };
  return records.map((record) => rowOf(record, since(record), etaOf(record), stuckBecause(record, since(record), heldBy)));
}

function rowOf(record: AccountRecord, forMs: number, etaMs: number, stuck: string | undefined): ForecastRow {
  const { name, cell, claimedBy, step, problem, warnings } = record;
  const note = problem ? `${problem.reason}: ${problem.advice}` : warnings.join('; ');
  return {
    account: name,
    cell: cell ?? claimedBy,
    step,
    forMs,
    ...(isFinal(record) || stuck !== undefined || step === 'returning' ? {} : { etaMs }),
    ...(stuck === undefined ? {} : { stuck }),
    ...(note === '' ? {} : { note }),
  };
}

function setUpLeft({ history, since }: AccountRecord, now: number, setUp: number): number {
  const created = history.findLast(({ step }) => step === 'created')?.at ?? since;
  return Math.max(0, setUp - (now - Date.parse(created)));
}

function stuckBecause(record: AccountRecord, forMs: number, heldBy: string | undefined): string | undefined {
  const { step, problem } = record;
  if (step === 'failed') return `failed in ${problem?.in ?? 'an unknown step'}`;
  if (isFinal(record)) return undefined;
  if (heldBy === undefined) return 'nobody is working on it: run `cellctl accounts`';
  if (step === 'waiting' && problem) return 'waits for a person';
  const longest = LONGEST[step];
  return forMs > longest ? `${step} takes ${Math.round(longest / MINUTE)} minutes at most` : undefined;
}

/** A duration for people: `45 s`, `12 min`, `2 h 46 min`. */
export function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
