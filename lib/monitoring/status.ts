/** How the cells are, looked at from tooling through the read-only role in each account. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import { assumeLookup, type Session } from '../aws/session.ts';
import { findStack, versionOf } from '../aws/stacks.ts';
import { missingInStack } from '../cell/missing.ts';
import { isExpired } from '../plan/expiry.ts';
import { type CellPlan, componentStackName, isVended, type Plan, type VendedCell } from '../plan/plan.ts';
import { cellHealthAlarmName } from '../registry/index.ts';
import { type UnaskedStack, unaskedIn } from './unasked.ts';

/** Cells that are looked at once. */
const CONCURRENCY = 10;

export interface CellStatus {
  readonly cell: string;
  readonly stage: string;
  readonly region: string;
  readonly size: string;
  readonly intent: string;
  readonly accountId: string | undefined;
  /** Where clients and routers reach the cell. */
  readonly endpoint: string;
  /** When a personal cell ends, ISO 8601. */
  readonly expiresAt: string | undefined;
  /** True for a cell that is past its end. Nothing happens to it by itself. */
  readonly expired: boolean;
  /** CloudFormation's status of the foundation; undefined when there is none. */
  readonly foundation: string | undefined;
  /** Components by name: version and CloudFormation's status; undefined when the cell doesn't have it. */
  readonly components: Readonly<Record<string, { readonly version: string; readonly status: string } | undefined>>;
  /** Stacks that no component of the registry has: see {@link unaskedIn}. */
  readonly unasked: readonly UnaskedStack[];
  /** State of the alarm `cell-<name>-health`. */
  readonly health: string | undefined;
  /** Alarms and parameters that its foundation should have and has no more: somebody has deleted them. */
  readonly missing: readonly string[];
  /** Why the cell could not be looked at. */
  readonly error?: string;
}

async function stack(session: Session, name: string): Promise<{ status: string; version: string } | undefined> {
  const found = await findStack(session, name);
  return found && { status: found.StackStatus ?? 'UNKNOWN', version: versionOf(found) ?? '' };
}

/** True for a stack that has all it should: of one that is being made, or was never complete, much is missing. */
const isSettled = (status: string): boolean => /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE$/.test(status);

async function health(session: Session, cell: string): Promise<string | undefined> {
  const name = cellHealthAlarmName(cell);
  // Composite alarms are left out unless they are asked for.
  const answer = await new CloudWatchClient(session).send(
    new DescribeAlarmsCommand({ AlarmNames: [name], AlarmTypes: ['CompositeAlarm'] }),
  );
  return answer.CompositeAlarms?.find((alarm) => alarm.AlarmName === name)?.StateValue;
}

async function look(
  cell: VendedCell,
  plan: Plan,
  session: Session,
  partition: string,
): Promise<Pick<CellStatus, 'foundation' | 'components' | 'unasked' | 'health' | 'missing'>> {
  const cellSession = assumeLookup(session, partition, cell.account.accountId, cell.region);
  const [foundation, alarm, unasked, ...components] = await Promise.all([
    stack(cellSession, cell.stackName),
    health(cellSession, cell.name),
    unaskedIn(cellSession, plan, cell),
    ...plan.components.map(async (component) => [component.name, await stack(cellSession, componentStackName(component, cell))] as const),
  ]);
  const missing = foundation && isSettled(foundation.status) ? await missingInStack(cellSession, cell.stackName) : [];
  return { foundation: foundation?.status, missing, health: alarm, unasked, components: Object.fromEntries(components) };
}

/** The status of each cell. A cell that can't be looked at says why, and hides no other. */
export async function cellStatuses(
  plan: Plan,
  cells: readonly CellPlan[],
  session: Session,
  partition: string,
  now: Date,
): Promise<CellStatus[]> {
  const limit = pLimit(CONCURRENCY);
  return Promise.all(
    cells.map((cell) =>
      limit(async (): Promise<CellStatus> => {
        const { name, stage, region, size, intent, account, endpoint, expiresAt } = cell;
        const known = {
          cell: name,
          stage,
          region,
          size,
          intent,
          accountId: account.accountId,
          endpoint,
          expiresAt,
          expired: isExpired(cell, now),
        };
        const nothing = { foundation: undefined, components: {}, unasked: [], health: undefined, missing: [] };
        if (!isVended(cell)) return { ...known, ...nothing };
        try {
          return { ...known, ...(await look(cell, plan, session, partition)) };
        } catch (error) {
          return { ...known, ...nothing, error: asCloudError(error).message };
        }
      }),
    ),
  );
}
