import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeAlarmHistoryCommand,
  type DescribeAlarmHistoryInput,
  DescribeAlarmsCommand,
  type DescribeAlarmsInput,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  type StateValue,
} from '@aws-sdk/client-cloudwatch';
import { describe, expect, test } from '@jest/globals';
import { ACCOUNT, aws, BUCKET, cloud, cloudwatch, MACHINE_ROLE } from './account.ts';

describe('alarms', () => {
  const putAlarm = (AlarmName: string, Threshold = 1) =>
    cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'n',
        MetricName: 'm',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
  const putComposite = (AlarmName: string, AlarmRule: string) => cloudwatch.send(new PutCompositeAlarmCommand({ AlarmName, AlarmRule }));
  const set = (AlarmName: string, StateValue: StateValue) =>
    cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: `because ${StateValue}`, StateReasonData: '{"a":1}' }));
  const described = async (input: DescribeAlarmsInput) => {
    const {
      MetricAlarms: metric = [],
      CompositeAlarms: composite = [],
      NextToken: next,
    } = await cloudwatch.send(new DescribeAlarmsCommand(input));
    return { metric, composite, next };
  };
  const stateOf = async (name: string) =>
    (await described({ AlarmNames: [name], AlarmTypes: ['CompositeAlarm', 'MetricAlarm'] })).composite[0]?.StateValue;
  const history = async (input: DescribeAlarmHistoryInput) => {
    const { AlarmHistoryItems: items = [], NextToken: next } = await cloudwatch.send(new DescribeAlarmHistoryCommand(input));
    return { items, next };
  };

  test('have a past', async () => {
    await putAlarm('past');
    const start = new Date();
    await set('past', 'ALARM');
    await set('past', 'ALARM');
    await sleep(20);
    const middle = new Date();
    await sleep(20);
    await set('past', 'INSUFFICIENT_DATA');
    await set('past', 'OK');

    const { items } = await history({ AlarmName: 'past', HistoryItemType: 'StateUpdate', StartDate: start, EndDate: new Date() });
    expect(items.map(({ HistorySummary: summary }) => summary)).toEqual([
      'Alarm updated from INSUFFICIENT_DATA to OK',
      'Alarm updated from ALARM to INSUFFICIENT_DATA',
      'Alarm updated from OK to ALARM',
    ]);
    expect(items[2]).toMatchObject({ AlarmName: 'past', AlarmType: 'MetricAlarm', HistoryItemType: 'StateUpdate' });
    expect(items[2]?.Timestamp?.getTime()).toBeGreaterThanOrEqual(start.getTime() - 1);
    expect(items[2]?.Timestamp?.getTime()).toBeLessThanOrEqual(middle.getTime());
    expect(JSON.parse(items[2]?.HistoryData ?? '')).toEqual({
      version: '1.0',
      oldState: { stateValue: 'OK', stateReason: expect.any(String) },
      newState: { stateValue: 'ALARM', stateReason: 'because ALARM', stateReasonData: { a: 1 } },
    });
    expect((await history({ AlarmName: 'past', EndDate: middle })).items).toHaveLength(1);
    expect((await history({ AlarmName: 'past', StartDate: middle })).items).toHaveLength(2);
    expect((await history({ AlarmName: 'past', HistoryItemType: 'Action' })).items).toEqual([]);
    expect((await history({ AlarmName: 'past', AlarmTypes: ['CompositeAlarm'] })).items).toEqual([]);
  });

  test('tell it page by page, in either direction', async () => {
    await putAlarm('paged');
    for (let change = 0; change < 5; change++) await set('paged', change % 2 === 0 ? 'ALARM' : 'OK');

    const first = await history({ AlarmName: 'paged', MaxRecords: 3, ScanBy: 'TimestampAscending' });
    const rest = await history({ AlarmName: 'paged', MaxRecords: 3, ScanBy: 'TimestampAscending', NextToken: first.next });

    expect(rest.next).toBeUndefined();
    const times = [...first.items, ...rest.items].map(({ Timestamp: time }) => time?.getTime() ?? 0);
    expect(times).toHaveLength(5);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test.each([
    ['ALARM(one)', ['ALARM', 'OK', 'OK'], 'ALARM'],
    ['ALARM("one") AND ALARM(two)', ['ALARM', 'OK', 'OK'], 'OK'],
    ['ALARM("one") AND ALARM(two)', ['ALARM', 'ALARM', 'OK'], 'ALARM'],
    ['ALARM(one) OR ALARM(two) AND ALARM(three)', ['ALARM', 'OK', 'OK'], 'ALARM'],
    ['(ALARM(one) OR ALARM(two)) AND ALARM(three)', ['ALARM', 'OK', 'OK'], 'OK'],
    ['NOT OK(one) AND NOT (ALARM(two) OR ALARM(three))', ['INSUFFICIENT_DATA', 'OK', 'OK'], 'ALARM'],
    ['INSUFFICIENT_DATA(two)', ['OK', 'INSUFFICIENT_DATA', 'OK'], 'ALARM'],
    ['FALSE OR ALARM("arn:aws:cloudwatch:eu-west-1:555555555555:alarm:three")', ['OK', 'OK', 'ALARM'], 'ALARM'],
    ['TRUE', ['OK', 'OK', 'OK'], 'ALARM'],
    ['TRUE AND FALSE', ['OK', 'OK', 'OK'], 'OK'],
  ])('are combined: %s of %j is %s', async (rule, states, expected) => {
    for (const name of ['one', 'two', 'three']) {
      await putAlarm(name);
      await set(name, 'OK');
    }
    await putComposite('combined', rule);
    for (const [index, name] of ['one', 'two', 'three'].entries()) await set(name, states[index] as StateValue);

    expect(await stateOf('combined')).toBe(expected);
    for (const name of ['one', 'two', 'three']) await set(name, 'OK');
    await putComposite('created', rule);
    for (const [index, name] of ['one', 'two', 'three'].entries()) await set(name, states[index] as StateValue);
    await putComposite('created late', rule);

    expect(await stateOf('created late')).toBe(expected);
  });

  test('a rule that cannot be read is refused', async () => {
    for (const rule of ['ALARM(one', 'ALARM(one) AND', 'MAYBE(one)', '(TRUE', 'TRUE FALSE']) {
      await expect(putComposite('unreadable', rule)).rejects.toThrow('AlarmRule');
    }
  });

  test('composites of composites follow, with a past of their own, and stay as they are set until a child changes', async () => {
    await putAlarm('leaf');
    await putComposite('branch', 'ALARM(leaf)');
    await putComposite('tree', 'ALARM("branch")');
    const start = new Date();
    await set('leaf', 'ALARM');

    expect(await stateOf('tree')).toBe('ALARM');
    const all = await history({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], StartDate: start, ScanBy: 'TimestampAscending' });
    expect(all.items.map(({ AlarmName: name, AlarmType: type }) => [name, type])).toEqual([
      ['leaf', 'MetricAlarm'],
      ['branch', 'CompositeAlarm'],
      ['tree', 'CompositeAlarm'],
    ]);
    const { composite } = await described({ AlarmNames: ['tree'], AlarmTypes: ['CompositeAlarm'] });
    expect(composite[0]?.StateUpdatedTimestamp?.getTime()).toBeGreaterThanOrEqual(start.getTime() - 1);
    await set('tree', 'OK');
    expect(await stateOf('tree')).toBe('OK');
    await set('leaf', 'OK');
    await set('leaf', 'ALARM');
    expect(await stateOf('tree')).toBe('ALARM');
  });

  test('are described as they are asked for', async () => {
    for (const name of ['cell-a-one', 'cell-a-two', 'cell-b-one']) await putAlarm(name);
    await putComposite('cell-a', 'ALARM(cell-a-one) OR ALARM(cell-a-two)');
    await set('cell-a-two', 'ALARM');
    const namesOf = async (input: DescribeAlarmsInput) => {
      const { metric, composite } = await described(input);
      return [...metric, ...composite].map(({ AlarmName: name }) => name);
    };

    expect(await namesOf({ AlarmNamePrefix: 'cell-' })).toEqual(['cell-a-one', 'cell-a-two', 'cell-b-one']);
    expect(await namesOf({ AlarmNamePrefix: 'cell-a', AlarmTypes: ['CompositeAlarm'] })).toEqual(['cell-a']);
    expect(await namesOf({ AlarmNames: ['cell-a', 'cell-b-one'] })).toEqual(['cell-b-one']);
    expect(await namesOf({ AlarmNamePrefix: 'cell-', StateValue: 'ALARM', AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] })).toEqual([
      'cell-a-two',
      'cell-a',
    ]);
    expect(await namesOf({ ChildrenOfAlarmName: 'cell-a' })).toEqual(['cell-a-one', 'cell-a-two']);
    const first = await described({ AlarmNamePrefix: 'cell-', MaxRecords: 2 });
    expect(first.metric).toHaveLength(2);
    expect(await namesOf({ AlarmNamePrefix: 'cell-', MaxRecords: 2, NextToken: first.next })).toEqual(['cell-b-one']);
  });

  test('keep their state when they are put again', async () => {
    await putAlarm('kept');
    await set('kept', 'ALARM');
    await putAlarm('kept', 2);

    expect((await described({ AlarmNames: ['kept'] })).metric).toMatchObject([{ StateValue: 'ALARM', Threshold: 2 }]);
  });

  test('a stack of alarms comes up as it is', async () => {
    const rule = { 'Fn::Join': ['', ['ALARM("', { 'Fn::GetAtt': ['Child', 'Arn'] }, '")']] };
    const child = { Namespace: 'n', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 };
    await aws.deploy('alarms', {
      Resources: {
        Child: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: { AlarmName: 'stack-child', ...child, ComparisonOperator: 'GreaterThanThreshold' },
        },
        Whole: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmName: 'stack-whole', AlarmRule: rule } },
      },
    });

    expect(await stateOf('stack-whole')).toBe('OK');
    await set('stack-child', 'ALARM');
    expect(await stateOf('stack-whole')).toBe('ALARM');
  });
});

describe('traffic', () => {
  const Dimensions = (component: string) => [
    { Name: 'cell', Value: 'alpha' },
    { Name: 'component', Value: component },
  ];
  const requests = async (component: string, StartTime: Date, EndTime = new Date()): Promise<number> => {
    const Metric = { Namespace: 'Cell', MetricName: 'Requests', Dimensions: Dimensions(component) };
    const { MetricDataResults: results = [] } = await cloudwatch.send(
      new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries: [{ Id: 'r', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }] }),
    );
    return (results[0]?.Values ?? []).reduce((sum, value) => sum + value, 0);
  };
  const rate = (wanted: object) =>
    fetch(`${cloud.running.endpoint}/moto-api/cell-factory/traffic`, { method: 'POST', body: JSON.stringify(wanted) });
  const probe = (component: string) =>
    aws.json('ssm', 'AmazonSSM.PutParameter', { Name: `/cell/probe/${component}`, Value: '{}', Type: 'String', Overwrite: true });
  const hourAgo = () => new Date(Date.now() - 3_600_000);
  const deployCanary = (starts: boolean) =>
    aws.deploy('canary', {
      Resources: {
        Canary: {
          Type: 'AWS::Synthetics::Canary',
          Properties: {
            Name: 'probe',
            ArtifactS3Location: `s3://${BUCKET}`,
            Code: { Handler: 'index.handler', S3Bucket: BUCKET, S3Key: 'x' },
            ExecutionRoleArn: MACHINE_ROLE,
            RuntimeVersion: 'syn-nodejs-puppeteer-9.0',
            Schedule: { Expression: 'rate(1 minute)' },
            StartCanaryAfterCreation: starts,
          },
        },
      },
    });

  test('needs a running canary and a parameter', async () => {
    await probe('api');
    expect(await requests('api', hourAgo())).toBe(0);
    await deployCanary(false);
    expect(await requests('api', hourAgo())).toBe(0);
    await deployCanary(true);
    await sleep(1100);

    expect(await requests('api', hourAgo())).toBeGreaterThanOrEqual(500);
    expect(await requests('web', hourAgo())).toBe(0);
  });

  test('is of the asked interval, and comes on top of what is put', async () => {
    await probe('api');
    await sleep(2000);
    const now = Date.now();
    const second = await requests('api', new Date(now - 1000), new Date(now));
    expect(second).toBeGreaterThanOrEqual(450);
    expect(second).toBeLessThanOrEqual(550);
    expect(await requests('api', new Date(now - 100), new Date(now))).toBeCloseTo(50, 0);

    await probe('put');
    await rate({ account: ACCOUNT, component: 'put', rate: 0 });
    await sleep(20);
    const before = await requests('put', hourAgo());
    const datum = { MetricName: 'Requests', Dimensions: Dimensions('put'), Value: 7 };
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Cell', MetricData: [datum] }));
    await sleep(1100);
    expect((await requests('put', hourAgo())) - before).toBeCloseTo(7, 0);
    const { Datapoints: points = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'Cell',
        MetricName: 'Requests',
        Dimensions: Dimensions('api'),
        StartTime: hourAgo(),
        EndTime: new Date(),
        Period: 3600,
        Statistics: ['Sum'],
      }),
    );
    expect(points[0]?.Sum).toBeGreaterThanOrEqual(100);
  });

  test('can be set, for what comes', async () => {
    await probe('set');
    await sleep(1000);
    await rate({ account: ACCOUNT, component: 'set', rate: 0 });
    await sleep(20);
    const start = new Date();
    const past = await requests('set', hourAgo());
    expect(past).toBeGreaterThanOrEqual(45);
    await sleep(1200);
    expect(await requests('set', start)).toBeLessThan(2);
    expect((await requests('set', hourAgo())) - past).toBeLessThan(2);
    await rate({ account: ACCOUNT, rate: 1000 });
    await sleep(1200);
    expect(await requests('set', start)).toBeGreaterThan(1000);
    expect((await rate({ account: ACCOUNT })).status).toBe(400);
    await rate({ account: ACCOUNT, rate: 500 });
  });
});
