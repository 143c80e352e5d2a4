import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type AlarmId, type AlarmPlan, plannedAlarms, watchesEngine } from '../../plan/alarms.ts';
import type { CellPlan } from '../../plan/plan.ts';
import { cellHealthAlarmName } from '../../registry/index.ts';
import type { CellData } from './data.ts';
import type { CellIngress } from './ingress.ts';
import type { CellProbe } from './probe.ts';

/** One alarm that says whether the cell is well, and the alarms it is made of, all named after the cell. */
export class CellAlarms extends Construct {
  readonly alarm: cloudwatch.CompositeAlarm;

  constructor(scope: Construct, id: string, cell: CellPlan, data: CellData, ingress: CellIngress, probe: CellProbe) {
    super(scope, id);
    const metrics = metricsOf(cell, data, ingress, probe);
    const plans = plannedAlarms(cell);
    const alarms = new Map(plans.map((plan) => [plan, this.createAlarm(plan, metrics[plan.id](Duration.minutes(plan.minutes)))]));
    this.alarm = new cloudwatch.CompositeAlarm(this, 'Health', {
      compositeAlarmName: cellHealthAlarmName(cell.name),
      alarmDescription: `Cell ${cell.name} is not well: one of its alarms fires.`,
      alarmRule: cloudwatch.AlarmRule.anyOf(...[...alarms].filter(([plan]) => plan.health).map(([, alarm]) => alarm)),
    });
  }

  private createAlarm(plan: AlarmPlan, metric: cloudwatch.IMetric): cloudwatch.Alarm {
    const [datapointsToAlarm, evaluationPeriods] = plan.datapoints;
    return new cloudwatch.Alarm(this, pascalCase(plan.id), {
      alarmName: plan.name,
      alarmDescription: `${plan.description} Without data: ${plan.because}.`,
      metric,
      threshold: plan.threshold,
      datapointsToAlarm,
      evaluationPeriods,
      comparisonOperator:
        plan.fires === 'above' ? cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD : cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: plan.missing === 'breaching' ? cloudwatch.TreatMissingData.BREACHING : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }
}

const pascalCase = (id: string) => id.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

/** What each alarm watches, by the length of its periods. */
function metricsOf(
  cell: CellPlan,
  { database, queue, deadLetters }: CellData,
  { loadBalancer }: CellIngress,
  { canary }: CellProbe,
): Readonly<Record<AlarmId, (period: Duration) => cloudwatch.IMetric>> {
  const requests = (name: string, statistic: string, period: Duration) => loadBalancer.metrics.custom(name, { statistic, period });
  // Nodes come and go with failovers and overrides, and the account is the cell: whatever node of its cache is worst.
  const nodes = (statistic: string, metric: string) => (period: Duration) =>
    query(`SELECT ${statistic}(${metric}) FROM SCHEMA("AWS/ElastiCache", CacheClusterId, CacheNodeId)`, period);
  return {
    'server-errors': (period) =>
      new cloudwatch.MathExpression({
        // A handful of errors in a quiet minute is a large share of little: not yet a sick cell.
        // SUM leaves out what has no value: of two kinds of errors, one mostly has none.
        expression: 'IF(SUM([target, own]) > 5, 100 * SUM([target, own]) / requests, 0)',
        usingMetrics: {
          target: requests('HTTPCode_Target_5XX_Count', 'Sum', period),
          own: requests('HTTPCode_ELB_5XX_Count', 'Sum', period),
          requests: requests('RequestCount', 'Sum', period),
        },
        period,
        label: 'share of 5xx in %',
      }),
    latency: (period) => requests('TargetResponseTime', 'p99', period),
    // Target groups belong to components, which come and go without a new foundation: all of this load balancer's.
    'unhealthy-targets': (period) =>
      query(
        `SELECT MAX(UnHealthyHostCount) FROM SCHEMA("AWS/ApplicationELB", LoadBalancer, TargetGroup) WHERE LoadBalancer = '${loadBalancer.loadBalancerFullName}'`,
        period,
      ),
    'probe-failures': (period) => canary.metricSuccessPercent({ period, statistic: 'Average' }),
    'probe-silent': (period) => canary.metricSuccessPercent({ period, statistic: 'SampleCount' }),
    'database-cpu': (period) => database.metricCPUUtilization({ period }),
    'database-connections': (period) => database.metricDatabaseConnections({ period, statistic: 'Maximum' }),
    'database-storage': (period) => database.metricFreeStorageSpace({ period, statistic: 'Minimum' }),
    'database-silent': (period) => database.metricCPUUtilization({ period, statistic: 'SampleCount' }),
    'cache-memory': nodes('MAX', 'DatabaseMemoryUsagePercentage'),
    'cache-evictions': nodes('SUM', 'Evictions'),
    'cache-cpu': nodes('MAX', watchesEngine(cell) ? 'EngineCPUUtilization' : 'CPUUtilization'),
    'cache-silent': nodes('COUNT', 'CPUUtilization'),
    'queue-age': (period) => queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' }),
    'dead-letters': (period) => deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    full: (period) =>
      new cloudwatch.MathExpression({
        expression: 'requests / PERIOD(requests)',
        usingMetrics: { requests: requests('RequestCount', 'Sum', period) },
        period,
        label: 'requests per second',
      }),
  };
}

/** A query of Metrics Insights, as the metric of an alarm. */
const query = (expression: string, period: Duration) => new cloudwatch.MathExpression({ expression, usingMetrics: {}, period });
