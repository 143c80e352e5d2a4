/** Drills and rehearsals: which alarm a drill is about, and where there is neither. Pure. */
import { cellHealthAlarmName, FactoryError } from '../registry/index.ts';
import { plannedAlarms } from './alarms.ts';
import type { CellPlan } from './plan.ts';

/**
 * The name of the alarm to set: by name, or by what stands after `cell-<cell>-` in it, so that those of components can be
 * meant, too. Without either, the first that the cell's health depends on.
 * @throws FactoryError `USAGE` for an alarm of another cell, or for the composite, which follows the others
 */
export function drillAlarm(cell: CellPlan, wanted: string | undefined): string {
  const alarms = plannedAlarms(cell);
  const composite = cellHealthAlarmName(cell.name);
  const prefix = composite.replace(/health$/, '');
  const fix = `pass one of ${alarms.map(({ id }) => id).join(', ')}, or the name of a component's alarm in the cell (${prefix}…)`;
  const first = alarms.find(({ health }) => health);
  if (wanted === undefined && first) return first.name;
  const asked = wanted ?? '';
  // An id may begin as a name does; what is known goes first.
  const name = alarms.find(({ id }) => id === asked)?.name ?? (asked.startsWith('cell-') ? asked : `${prefix}${asked}`);
  if (!name.startsWith(prefix) || name === prefix) {
    throw new FactoryError('USAGE', `${asked === '' ? 'an empty name' : asked} is no alarm of ${cell.name}`, { fix });
  }
  if (name === composite) throw new FactoryError('USAGE', `${composite} is made of the cell's other alarms, and follows them`, { fix });
  return name;
}

/**
 * Makes sure that a drill hurts nobody who was not asked.
 * @param reachesCustomers whether the cell is in a cloud that serves any
 * @throws FactoryError `REFUSED`
 */
export function refuseDrill({ name, stage }: CellPlan, { reachesCustomers, meant }: { reachesCustomers: boolean; meant: boolean }): void {
  if (stage !== 'production' || !reachesCustomers || meant) return;
  throw new FactoryError('REFUSED', `${name} serves customers: an alarm there stops rollouts, and wakes people`, {
    fix: 'drill in a staging cell, or pass --i-mean-it',
  });
}

/**
 * A rehearsal bakes for seconds and heeds no calendar: on customers, it is none.
 * @param timeScale factor on bakes and calendars; 1 for the real thing
 * @param reason why it must be on customers all the same
 * @throws FactoryError `REFUSED`
 */
export function refuseRehearsal(
  timeScale: number,
  { reachesCustomers, meant, reason }: { reachesCustomers: boolean; meant: boolean; reason: string | undefined },
): void {
  if (timeScale >= 1 || !reachesCustomers || (meant && reason !== undefined)) return;
  throw new FactoryError('REFUSED', `--time-scale ${timeScale} shortens bakes and calendars of cells that serve customers`, {
    fix: 'leave it out, or pass --i-mean-it with a --reason',
  });
}
