/** Reads how a cell is: its alarms now, those that fired in between, and the requests that its component served. */
import {
  CloudWatchClient,
  type CompositeAlarm,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricAlarm,
  paginateDescribeAlarmHistory,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import type { Session } from '../../aws/session.ts';
import { cellAccountName, componentAlarmPrefix, isOfComponent, messageOf } from '../../registry/index.ts';
import type { AlarmState, CellHealth } from '../health.ts';
import type { RolloutCell, RolloutPlan } from '../rollout-record.ts';

/** Alarms that a call may name. Source: DescribeAlarms, Amazon CloudWatch API Reference. */
const NAMES_PER_CALL = 100;

/** Metrics that a call may ask for. Source: GetMetricData, Amazon CloudWatch API Reference. */
const QUERIES_PER_CALL = 500;

export interface HealthQuestion extends Pick<RolloutPlan, 'component' | 'kind' | 'traffic'> {
  /** Alarms that fired since then count, also those that are quiet again. */
  readonly firedSince?: string | undefined;
  /** From when on requests are counted. */
  readonly requestsSince?: string | undefined;
  readonly now: string;
}

/** How the cell is. A cell that can't be looked at says why; it never throws. */
export async function healthOf(cellSession: Session, cell: RolloutCell, question: HealthQuestion): Promise<CellHealth> {
  const cloudwatch = new CloudWatchClient({ ...cellSession, maxAttempts: 5 });
  try {
    const alarms = await alarmStates(cloudwatch, cell, question);
    const there = new Set(alarms.map(({ name }) => name));
    const [fired, requests] = await Promise.all([firedIn(cloudwatch, there, question), requestsIn(cloudwatch, cell.name, question)]);
    const missing = [cell.healthAlarm, ...cell.alarms].filter((name) => !there.has(name));
    return { cell: cell.name, alarms, missing, fired, requests };
  } catch (error) {
    return { cell: cell.name, alarms: [], missing: [], fired: [], requests: undefined, unreachable: messageOf(error) };
  }
}

/**
 * The composite, what it is made of, and the component's own; of a foundation those of all components, which stand on it.
 * The children count by themselves: without data, they leave the composite OK.
 */
async function alarmStates(cloudwatch: CloudWatchClient, cell: RolloutCell, { component, kind }: HealthQuestion): Promise<AlarmState[]> {
  const types = { AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] as ('MetricAlarm' | 'CompositeAlarm')[] };
  const names = [cell.healthAlarm, ...cell.alarms];
  const found = new Map<string, AlarmState>();
  const add = (alarms: readonly (MetricAlarm | CompositeAlarm)[] = []) => {
    for (const { AlarmName: name = '', StateValue: state = 'INSUFFICIENT_DATA' } of alarms) found.set(name, { name, state });
  };
  for (let from = 0; from < names.length; from += NAMES_PER_CALL) {
    const AlarmNames = names.slice(from, from + NAMES_PER_CALL);
    const answer = await cloudwatch.send(new DescribeAlarmsCommand({ ...types, AlarmNames, MaxRecords: NAMES_PER_CALL }));
    add(answer.MetricAlarms);
    add(answer.CompositeAlarms);
  }
  const prefix = kind === 'foundation' ? `${cellAccountName(cell.name)}-` : componentAlarmPrefix(cell.name, component);
  for await (const page of paginateDescribeAlarms({ client: cloudwatch }, { ...types, AlarmNamePrefix: prefix })) {
    // Of the cell's own, those count that are its health: that it is full calls for a person, and is no reason to put anything back.
    const counts = ({ AlarmName = '' }: MetricAlarm | CompositeAlarm) => isOfComponent(AlarmName, cell.name);
    add(page.MetricAlarms?.filter(counts));
    add(page.CompositeAlarms?.filter(counts));
  }
  return [...found.values()];
}

async function firedIn(
  cloudwatch: CloudWatchClient,
  names: ReadonlySet<string>,
  { firedSince, now }: HealthQuestion,
): Promise<CellHealth['fired']> {
  if (firedSince === undefined) return [];
  const fired: { name: string; at: string }[] = [];
  // The account is the cell: all of its alarms are few.
  const pages = paginateDescribeAlarmHistory(
    { client: cloudwatch },
    {
      AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
      HistoryItemType: 'StateUpdate',
      StartDate: new Date(firedSince),
      EndDate: new Date(now),
      ScanBy: 'TimestampAscending',
    },
  );
  for await (const { AlarmHistoryItems = [] } of pages) {
    for (const { AlarmName: name = '', HistoryData = '{}', Timestamp } of AlarmHistoryItems) {
      if (names.has(name) && newState(HistoryData) === 'ALARM') fired.push({ name, at: Timestamp?.toISOString() ?? now });
    }
  }
  return fired;
}

function newState(data: string): string | undefined {
  const { newState } = JSON.parse(data) as { newState?: { stateValue?: string } };
  return newState?.stateValue;
}

async function requestsIn(
  cloudwatch: CloudWatchClient,
  cell: string,
  { traffic, requestsSince, now }: HealthQuestion,
): Promise<number | undefined> {
  if (requestsSince === undefined || traffic.length === 0) return undefined;
  let values: readonly number[] = [];
  for (let from = 0; from < traffic.length; from += QUERIES_PER_CALL) {
    const { MetricDataResults = [] } = await cloudwatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: traffic.slice(from, from + QUERIES_PER_CALL).map((component, index) => ({
          Id: `requests${index}`,
          MetricStat: { Metric: requestsMetric(cell, component), Period: 60, Stat: 'Sum' },
        })),
        StartTime: new Date(requestsSince),
        EndTime: new Date(now),
      }),
    );
    values = [...values, ...MetricDataResults.flatMap(({ Values = [] }) => Values)];
  }
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

const requestsMetric = (cell: string, component: string) => ({
  Namespace: 'Cell',
  MetricName: 'Requests',
  Dimensions: [
    { Name: 'cell', Value: cell },
    { Name: 'component', Value: component },
  ],
});
