/** When RDS may change a cell's database by itself. Pure. */
import type { CellPlan } from '../../plan/plan.ts';
import { parseBlock } from '../../registry/index.ts';

/** Nights on which databases of production are maintained: not Monday's, which is staging's and the developers'. */
const NIGHTS = ['tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** Beginnings of the hour, UTC: night in Europe, evening in America, and after the backup (01:00 to 02:00), which must not overlap. */
const HOURS = ['02:30', '03:30', '04:30'] as const;

/** The hour that begins at `time` on `night`, as RDS writes it. */
const hour = (night: string, time: string): string =>
  `${night}:${time}-${night}:${String(Number(time.slice(0, 2)) + 1).padStart(2, '0')}:30`;

/**
 * The hour of the week in which RDS maintains the cell's database, and upgrades it to a newer minor version. Staging and
 * personal cells have theirs on Monday, so that in most weeks they are first. Production is spread over 18 hours by the
 * cell's number in the network plan: cells that were added one after the other never share one, and a new cell moves nobody's.
 */
export function maintenanceWindow({ stage, block }: Pick<CellPlan, 'stage' | 'block'>): string {
  if (stage !== 'production') return hour('mon', HOURS[0]);
  const { start, prefix } = parseBlock('', block);
  const number = start / 2 ** (32 - prefix);
  const night = NIGHTS[number % NIGHTS.length] ?? NIGHTS[0];
  const time = HOURS[Math.floor(number / NIGHTS.length) % HOURS.length] ?? HOURS[0];
  return hour(night, time);
}
