/**
 * What is known of an account on its way: one record each in the registry's bucket. For people who watch, and for the next
 * run to carry on from. The truth about which accounts exist is Organizations and the lock file: lost records lose nothing.
 */
import { z } from 'zod';
import type { Emit } from '../messages.ts';
import type { Records } from '../registry/index.ts';

/** The steps of an account in their order, and the three states outside of it. */
const STEPS = [
  'waiting',
  'creating',
  'created',
  'placing',
  'tagging',
  'region',
  'contacts',
  'services',
  'quotas',
  'bootstrap',
  'zones',
  'ready',
  'failed',
  'returning',
  'returned',
] as const;
export type AccountStep = (typeof STEPS)[number];

/** Steps that a record remembers, the newest last. */
const HISTORY = 40;

/** Folder of the records in the bucket. */
export const RECORDS_PREFIX = 'accounts/';

export const accountRecordSchema = z.object({
  name: z.string(),
  email: z.string(),
  /** The cell it is for; absent in the pool. */
  cell: z.string().optional(),
  step: z.enum(STEPS),
  /** When the step began, ISO 8601. */
  since: z.string(),
  /** Organizations' id of the creation. */
  requestId: z.string().optional(),
  accountId: z.string().optional(),
  /** Requests for this account that AWS was sent. */
  attempts: z.int().min(0),
  /** Why it failed or waits, and what a person can do. */
  problem: z.object({ in: z.enum(STEPS), reason: z.string(), advice: z.string() }).optional(),
  /** What does not keep it from being ready, such as a quota that AWS has not raised yet. */
  warnings: z.array(z.string()),
  /** The cell that has taken this account out of the pool. */
  claimedBy: z.string().optional(),
  /** Who wrote this, and in which run. */
  run: z.string(),
  history: z.array(z.object({ step: z.enum(STEPS), at: z.string() })),
});
export type AccountRecord = z.infer<typeof accountRecordSchema>;

/** Where records are kept. */
export type AccountRecords = Pick<Records<AccountRecord>, 'all' | 'update'>;

/** What may change with a step. `undefined` takes a field away. */
export type RecordChange = { [K in 'requestId' | 'accountId' | 'problem' | 'claimedBy' | 'cell']?: AccountRecord[K] | undefined } & {
  readonly attempts?: number;
  readonly warnings?: readonly string[];
};

/** Who the record is about, and who writes. */
export interface Writer {
  readonly name: string;
  readonly email: string;
  readonly cell: string | undefined;
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The record after `step` has begun. */
export function entered(current: AccountRecord | undefined, step: AccountStep, writer: Writer, change: RecordChange = {}): AccountRecord {
  const at = new Date(writer.now).toISOString();
  const same = current?.step === step;
  const { name, email, cell, run } = writer;
  const merged = {
    attempts: 0,
    warnings: [],
    ...current,
    name,
    email,
    cell: cell ?? current?.cell,
    run,
    step,
    since: same ? current.since : at,
    history: [...(current?.history ?? []), ...(same ? [] : [{ step, at }])].slice(-HISTORY),
    // A problem belongs to the step it came up in.
    problem: same ? current.problem : undefined,
    ...change,
  };
  return accountRecordSchema.parse(merged);
}

/** Records of a run that has no bucket to keep them in: `init`, which makes the bucket. */
export function unrecorded(): AccountRecords {
  const records = new Map<string, AccountRecord>();
  return {
    all: async () => new Map(records),
    update: async (name, change) => {
      const next = change(records.get(name));
      if (next) records.set(name, next);
      return next;
    },
  };
}

/** All records. One that is damaged counts as lost, which is said: it must not keep the other accounts waiting. */
export const knownRecords = (records: AccountRecords, emit: Emit) =>
  records.all((error) => emit({ kind: 'warning', subject: 'records', text: error.message }));

/** Every step has ended, well or not. */
export const isFinal = ({ step }: Pick<AccountRecord, 'step'>): boolean => step === 'ready' || step === 'failed' || step === 'returned';
