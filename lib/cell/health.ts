import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { cellHealthAlarmName } from '../../registry/index.ts';
import type { CellPlan } from '../plan/plan.ts';
import type { CellData } from './data.ts';
import type { CellIngress } from './ingress.ts';

/** One alarm that says whether the cell is well, and the alarms it is made of, all named after the cell. */
export class CellHealth extends Construct {
  readonly alarm: cloudwatch.CompositeAlarm;

  constructor(scope: Construct, id: string, cell: CellPlan, data: CellData, ingress: CellIngress) {
    super(scope, id);
    const minute = Duration.minutes(1);
    const alarms = [
      new cloudwatch.Alarm(this, 'ServerErrors', {
        alarmName: `cell-${cell.name}-server-errors`,
        alarmDescription: 'More than 10 responses a minute with a 5xx status.',
        metric: ingress.loadBalancer.metrics.custom('HTTPCode_Target_5XX_Count', { statistic: 'Sum', period: minute }),
        threshold: 10,
        evaluationPeriods: 3,
        datapointsToAlarm: 2,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        // The load balancer reports this metric only when there is such a response: no data means no errors.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
      new cloudwatch.Alarm(this, 'DatabaseCpu', {
        alarmName: `cell-${cell.name}-database-cpu`,
        alarmDescription: 'The database uses more than 90 % of its processor.',
        metric: data.database.metricCPUUtilization({ period: minute }),
        threshold: 90,
        evaluationPeriods: 5,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        // A running database always reports; one that doesn't is in trouble.
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      }),
      new cloudwatch.Alarm(this, 'DeadLetters', {
        alarmName: `cell-${cell.name}-dead-letters`,
        alarmDescription: 'Messages that nobody could process.',
        metric: data.deadLetters.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: 'Maximum' }),
        threshold: 0,
        evaluationPeriods: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        // SQS stops reporting on a queue that was empty for six hours.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
    ];
    this.alarm = new cloudwatch.CompositeAlarm(this, 'Health', {
      compositeAlarmName: cellHealthAlarmName(cell.name),
      alarmDescription: `Cell ${cell.name} is not well: one of its alarms fires.`,
      alarmRule: cloudwatch.AlarmRule.anyOf(...alarms),
    });
  }
}
