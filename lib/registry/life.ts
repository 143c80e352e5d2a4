/**
 * The life of a cell: what it is doing, as the factory has seen it. What people want of it (`intent`) stands in its
 * definition; this is a record in the bucket, and is merged into the document when that is published.
 */
import { z } from 'zod';

const STATES = ['provisioning', 'active', 'draining', 'drained', 'retired'] as const;
export type LifeState = (typeof STATES)[number];

export const lifeSchema = z.strictObject({
  state: z.enum(STATES),
  /** When the cell came into that state. */
  since: z.iso.datetime({ offset: true }),
});

/** State of a cell, and since when. */
export type Life = z.infer<typeof lifeSchema>;

/** What happens to a cell, the states in which it means something, and the state it leads to. A cell without a record has never been. */
const EVENTS = {
  /** It has an account. */
  vended: { in: ['never', 'retired'], to: 'provisioning' },
  /** Its foundation is there. A cell that is being drained stays so, however often it is deployed. */
  built: { in: ['never', 'provisioning', 'retired'], to: 'active' },
  /** Its foundation is gone. */
  destroyed: { in: ['provisioning', 'active', 'draining', 'drained'], to: 'retired' },
} as const satisfies Record<string, { in: readonly (LifeState | 'never')[]; to: LifeState }>;

export type LifeEvent = keyof typeof EVENTS;

/** The life after `event`; the same life where the event means nothing. Undefined for a cell that still has never been. */
export function after(event: LifeEvent, life: Life | undefined, now: Date): Life | undefined {
  const { in: states, to }: { in: readonly string[]; to: LifeState } = EVENTS[event];
  return states.includes(life?.state ?? 'never') ? { state: to, since: now.toISOString() } : life;
}

/** True while a cell has something in the cloud: from its first account to its end. */
export const exists = (life: Life | undefined): boolean => life !== undefined && life.state !== 'retired';

/** Cells that are in another state than before. */
export const movedOn = (before: Readonly<Record<string, Life>>, now: Readonly<Record<string, Life>>): string[] =>
  Object.keys(now).filter((cell) => now[cell]?.state !== before[cell]?.state);
