/** The end of a personal cell. Pure: the caller says what time it is. */
import type { CellPlan } from './plan.ts';

type Ending = Pick<CellPlan, 'expiresAt'>;

const HOUR_MS = 60 * 60 * 1_000;

/** True for a cell that is past its end. A cell without one never is. */
export const isExpired = ({ expiresAt }: Ending, now: Date): boolean => expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();

/** `expired at 2030-01-31T18:00:00Z, 3 days ago`; undefined for a cell that is not past its end. */
export function sinceWhen({ expiresAt }: Ending, now: Date): string | undefined {
  if (expiresAt === undefined || !isExpired({ expiresAt }, now)) return undefined;
  const hours = Math.floor((now.getTime() - Date.parse(expiresAt)) / HOUR_MS);
  const ago = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
  return `expired at ${expiresAt}, ${ago} ago`;
}
