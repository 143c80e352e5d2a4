/** Reads how a cell is: its alarms now, those that fired in between, and the requests that its component served. */
import {
  CloudWatchClient,
  type CompositeAlarm,
  type MetricAlarm,
  type MetricDataResult,
  paginateDescribeAlarmHistory,
  paginateDescribeAlarms,
  paginateGetMetricData,
} from '@aws-sdk/client-cloudwatch';
import { namingCalls } from '../../aws/named-calls.ts';
import type { Session } from '../../aws/session.ts';
import { cellAccountName, componentAlarmPrefix, isOfComponent, messageOf } from '../../registry/index.ts';
import type { AlarmState, CellHealth, Firing } from '../health.ts';
import type { RolloutCell, RolloutPlan } from '../rollout-record.ts';

/** Alarms that a call gives at most. Source: DescribeAlarms, Amazon CloudWatch API Reference. */
const ALARMS_PER_CALL = 100;

/** Metrics that a call may ask for. Source: GetMetricData, Amazon CloudWatch API Reference. */
const QUERIES_PER_CALL = 500;

export interface HealthQuestion extends Pick<RolloutPlan, 'component' | 'kind' | 'traffic' | 'removal'> {
  /** Alarms that fired since then count, also those that are quiet again. */
  readonly firedSince?: string | undefined;
  /** From when on requests are counted. */
  readonly requestsSince?: string | undefined;
  readonly now: string;
}

/** How the cell is. A cell that can't be looked at says why; it never throws. */
export async function healthOf(cellSession: Session, cell: RolloutCell, question: HealthQuestion): Promise<CellHealth> {
  const cloudwatch = namingCalls(new CloudWatchClient({ ...cellSession, maxAttempts: 5 }));
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
 * The composite, what it is made of, and the component's own; of a foundation those of all components, which stand on it. Where a
 * component leaves, those of all others, which may have needed it: its own go with it, and may go off on the way.
 * The children count by themselves: without data, they leave the composite OK.
 */
async function alarmStates(
  cloudwatch: CloudWatchClient,
  cell: RolloutCell,
  { component, kind, removal }: HealthQuestion,
): Promise<AlarmState[]> {
  const types = { AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] as ('MetricAlarm' | 'CompositeAlarm')[] };
  const names = new Set([cell.healthAlarm, ...cell.alarms]);
  const found = new Map<string, AlarmState>();
  const add = (alarms: readonly (MetricAlarm | CompositeAlarm)[] = []) => {
    for (const { AlarmName: name = '', StateValue: state = 'INSUFFICIENT_DATA' } of alarms) found.set(name, { name, state });
  };
  const own = `${cellAccountName(cell.name)}-`;
  const ofComponent = componentAlarmPrefix(cell.name, component);
  const prefix = kind === 'foundation' || removal ? own : ofComponent;
  const goes = (name: string) => removal !== undefined && name.startsWith(ofComponent);
  // Of the cell's own, those count that are its health: that it is full calls for a person, and is no reason to roll anything back.
  const counts = ({ AlarmName: name = '' }: MetricAlarm | CompositeAlarm) =>
    names.has(name) || (name.startsWith(prefix) && isOfComponent(name, cell.name) && !goes(name));
  // All alarms of the account, which is the cell, are few: most cells need one call.
  const pages = paginateDescribeAlarms({ client: cloudwatch, pageSize: ALARMS_PER_CALL }, { ...types, AlarmNamePrefix: own });
  for await (const page of pages) {
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
  const fired: Firing[] = [];
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
      const { oldState, newState } = JSON.parse(HistoryData) as { oldState?: { stateValue?: string }; newState?: { stateValue?: string } };
      if (!names.has(name) || newState?.stateValue !== 'ALARM') continue;
      fired.push({ name, at: Timestamp?.toISOString() ?? now, from: oldState?.stateValue });
    }
  }
  return fired;
}

/** Requests of customers to the components: what they served, less what the cell's probe asked for. Undefined without data. */
async function requestsIn(
  cloudwatch: CloudWatchClient,
  cell: string,
  { traffic, requestsSince, now }: HealthQuestion,
): Promise<number | undefined> {
  if (requestsSince === undefined || traffic.length === 0) return undefined;
  const results: MetricDataResult[] = [];
  // Two metrics of each component.
  const components = QUERIES_PER_CALL / 2;
  for (let from = 0; from < traffic.length; from += components) {
    const MetricDataQueries = traffic.slice(from, from + components).flatMap((component, index) =>
      (['Requests', 'ProbeRequests'] as const).map((metric) => ({
        Id: `${METRIC_IDS[metric]}${from + index}`,
        MetricStat: { Metric: requestsMetric(metric, cell, component), Period: 60, Stat: 'Sum' },
      })),
    );
    const question = { MetricDataQueries, StartTime: new Date(requestsSince), EndTime: new Date(now) };
    for await (const { MetricDataResults = [] } of paginateGetMetricData({ client: cloudwatch }, question))
      results.push(...MetricDataResults);
  }
  return customersOf(results);
}

/** What ids of metrics begin with; the component's place follows. */
const METRIC_IDS = { Requests: 'requests', ProbeRequests: 'probe' } as const;

/**
 * Requests of customers, by component: what one has served, less what the probe made. A component that logs nothing has none, and
 * takes nothing off what others have served.
 */
export function customersOf(results: readonly Pick<MetricDataResult, 'Id' | 'Values'>[]): number | undefined {
  const sums = new Map<string, number>();
  for (const { Id = '', Values = [] } of results) {
    if (Values.length > 0)
      sums.set(
        Id,
        Values.reduce((sum, value) => sum + value, sums.get(Id) ?? 0),
      );
  }
  const { Requests, ProbeRequests } = METRIC_IDS;
  const served = [...sums].filter(([id]) => id.startsWith(Requests));
  if (served.length === 0) return undefined;
  const customers = served.map(([id, count]) => Math.max(0, count - (sums.get(id.replace(Requests, ProbeRequests)) ?? 0)));
  return customers.reduce((sum, count) => sum + count, 0);
}

const requestsMetric = (MetricName: keyof typeof METRIC_IDS, cell: string, component: string) => ({
  Namespace: 'Cell',
  MetricName,
  Dimensions: [
    { Name: 'cell', Value: cell },
    { Name: 'component', Value: component },
  ],
});
