/** The record of a rollout as it is read from the table: checked, so that a damaged one is found where it is read. */
import { z } from 'zod';
import { FactoryError } from '../registry/index.ts';
import { instant } from '../registry/values.ts';
import { ENDED, type RolloutRecord } from './rollout-record.ts';

/** What every decision needs of a record. The rest is optional, and as the operator has written it. */
const schema = z.looseObject({
  id: z.string(),
  component: z.string(),
  version: z.string(),
  digest: z.string(),
  status: z.enum(['queued', 'running', 'between waves', 'paused', 'awaiting approval', 'awaiting decision', ...ENDED]),
  by: z.string(),
  startedAt: instant,
  updatedAt: instant,
  runs: z.int().min(0),
  control: z.looseObject({}),
});

/** @throws FactoryError `RECORD_INVALID` for what is no record of a rollout */
export function parseRecord(id: string, item: Readonly<Record<string, unknown>>): RolloutRecord {
  const parsed = schema.safeParse(item);
  // Its shape was checked as far as anything depends on it.
  if (parsed.success) return item as unknown as RolloutRecord;
  const [issue] = parsed.error.issues;
  throw new FactoryError('RECORD_INVALID', `the record of ${id} can't be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
    fix: 'run `cellctl rollout repair`: it says what that means, and mends what can be mended',
  });
}
