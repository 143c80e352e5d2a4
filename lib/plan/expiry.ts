/** The end of a personal cell. Pure: the caller says what time it is. */
import { FactoryError } from '../registry/index.ts';
import type { CellPlan } from './plan.ts';

type Ending = Pick<CellPlan, 'expiresAt' | 'stage'>;

const HOUR_MS = 60 * 60 * 1_000;

/** True for a personal cell that is past its end. Of other stages an end means nothing: customers don't go by a date. */
export const isExpired = ({ expiresAt, stage }: Ending, now: Date): boolean =>
  stage === 'personal' && expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();

type MayEnd = Ending & Pick<CellPlan, 'name' | 'intent'>;

/** Cells that are meant to go on: neither retiring nor past their end. */
export const lasting = <T extends MayEnd>(cells: readonly T[], now: Date): readonly T[] =>
  cells.filter((cell) => cell.intent !== 'retiring' && !isExpired(cell, now));

/** Refuses to build for a cell that is to end. @throws FactoryError `REFUSED`, naming every such cell */
export function refuseEnding(cells: readonly MayEnd[], now: Date): void {
  const going = new Set(lasting(cells, now));
  const ending = cells.filter((cell) => !going.has(cell));
  if (ending.length === 0) return;
  const why = ending.map((cell) => `${cell.name} ${isExpired(cell, now) ? 'has expired' : 'is retiring'}`);
  throw new FactoryError('REFUSED', `${why.join(', ')}: nothing was deployed`, {
    fix: `end it with \`cellctl destroy ${ending[0]?.name}\`, or set intent: 'active' (a personal cell: a later expiresAt)`,
  });
}

/** `expired at 2030-01-31T18:00:00Z, 3 days ago`; undefined for a cell that is not past its end. */
export function sinceWhen({ expiresAt, stage }: Ending, now: Date): string | undefined {
  if (expiresAt === undefined || !isExpired({ expiresAt, stage }, now)) return undefined;
  const hours = Math.floor((now.getTime() - Date.parse(expiresAt)) / HOUR_MS);
  const ago = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
  return `expired at ${expiresAt}, ${ago} ago`;
}
