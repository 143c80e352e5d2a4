/** Whether alarms and parameters are there: what components, probes and rollouts ask for by name, and nobody misses until then. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { namingCalls } from './named-calls.ts';
import type { Session } from './session.ts';

/** Names that a call may ask for. Sources: DescribeAlarms, Amazon CloudWatch API Reference; GetParameters, AWS Systems Manager API Reference. */
const ALARMS_PER_CALL = 100;
const PARAMETERS_PER_CALL = 10;

const inPieces = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size));

/** Those of the alarms that aren't there. */
export async function missingAlarms(session: Session, names: readonly string[]): Promise<string[]> {
  const client = namingCalls(new CloudWatchClient(session));
  const pages = await Promise.all(
    inPieces(names, ALARMS_PER_CALL).map((AlarmNames) =>
      // Composite alarms are left out unless they are asked for.
      client.send(new DescribeAlarmsCommand({ AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], MaxRecords: ALARMS_PER_CALL })),
    ),
  );
  const there = new Set(
    pages.flatMap(({ MetricAlarms = [], CompositeAlarms = [] }) => [...MetricAlarms, ...CompositeAlarms].map(({ AlarmName }) => AlarmName)),
  );
  return names.filter((name) => !there.has(name));
}

/** Those of the parameters that aren't there. */
export async function missingParameters(session: Session, names: readonly string[]): Promise<string[]> {
  const client = namingCalls(new SSMClient(session));
  const pages = await Promise.all(inPieces(names, PARAMETERS_PER_CALL).map((Names) => client.send(new GetParametersCommand({ Names }))));
  return pages.flatMap(({ InvalidParameters = [] }) => InvalidParameters);
}
