import { describe, expect, test } from '@jest/globals';
import { aws, deploy, destroy, ROLE, TAGS, tagged } from './cell.ts';
import { type Template, textOf } from './server.ts';

describe('a probe', () => {
  test('is created, changed in place, tagged and deleted', async () => {
    const template = (script: string, value: string): Template => ({
      Resources: {
        Probe: {
          Type: 'AWS::Synthetics::Canary',
          Properties: {
            Name: 'probe-alpha',
            ArtifactS3Location: 's3://artifacts/probe',
            Code: { Handler: 'index.handler', Script: script },
            ExecutionRoleArn: ROLE,
            RuntimeVersion: 'syn-nodejs-puppeteer-9.1',
            RunConfig: { TimeoutInSeconds: 30 },
            Schedule: { Expression: 'rate(1 minute)', DurationInSeconds: '0' },
            StartCanaryAfterCreation: true,
            Tags: [{ Key: 'cell', Value: value }],
          },
        },
      },
      Outputs: { Id: { Value: { 'Fn::GetAtt': ['Probe', 'Id'] } }, Name: { Value: { Ref: 'Probe' } } },
    });
    const get = async () => (JSON.parse(await aws.rest('synthetics', 'GET', '/canary/probe-alpha')) as { Canary: object }).Canary;
    const before = await deploy('probe', template('one', 'alpha'));
    expect(before['Name']).toBe('probe-alpha');
    expect(await get()).toMatchObject({
      Id: before['Id'],
      Schedule: { Expression: 'rate(1 minute)' },
      Status: { State: 'RUNNING' },
      Tags: { cell: 'alpha' },
    });

    expect(await deploy('probe', template('two', 'beta'))).toEqual(before);
    expect(await get()).toMatchObject({ Id: before['Id'], Tags: { cell: 'beta' } });
    expect((await aws.deploy('second-probe', template('one', 'alpha'))).StackStatus).toBe('ROLLBACK_COMPLETE');

    await destroy('probe');
    await expect(get()).rejects.toThrow('404');
  });
});

describe('capacity and metrics', () => {
  test('a service scales within limits that are SSM parameters', async () => {
    const limits = (min: string, max: string): Template => ({
      Resources: {
        Min: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/cell/min', Type: 'String', Value: min } },
        Max: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/cell/max', Type: 'String', Value: max } },
      },
    });
    const target: Template = {
      Parameters: {
        Min: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/min' },
        Max: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/max' },
      },
      Resources: {
        Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: 'scaled' } },
        Task: {
          Type: 'AWS::ECS::TaskDefinition',
          Properties: { Family: 'scaled', ContainerDefinitions: [{ Name: 'web', Image: 'web', Memory: 128 }] },
        },
        Service: {
          Type: 'AWS::ECS::Service',
          Properties: { ServiceName: 'web', Cluster: { Ref: 'Cluster' }, TaskDefinition: { Ref: 'Task' }, DesiredCount: 1 },
        },
        Target: {
          Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
          Properties: {
            ServiceNamespace: 'ecs',
            ResourceId: { 'Fn::Join': ['', ['service/', { Ref: 'Cluster' }, '/', { 'Fn::GetAtt': ['Service', 'Name'] }]] },
            ScalableDimension: 'ecs:service:DesiredCount',
            MinCapacity: { Ref: 'Min' },
            MaxCapacity: { Ref: 'Max' },
            RoleARN: ROLE,
          },
        },
      },
    };
    const described = () =>
      aws.json<{ ScalableTargets: object[] }>('application-autoscaling', 'AnyScaleFrontendService.DescribeScalableTargets', {
        ServiceNamespace: 'ecs',
      });
    await deploy('limits', limits('1', '4'));
    await deploy('scaled', target);
    expect((await described()).ScalableTargets).toMatchObject([{ ResourceId: 'service/scaled/web', MinCapacity: 1, MaxCapacity: 4 }]);

    await deploy('limits', limits('2', '8'));
    await deploy('scaled', target);
    expect((await described()).ScalableTargets).toMatchObject([{ MinCapacity: 2, MaxCapacity: 8 }]);

    await destroy('scaled');
    expect((await described()).ScalableTargets).toEqual([]);
  });

  test('a log has a key, and a filter that counts by dimension', async () => {
    const template = (pattern: string, encryption: object): Template => ({
      Resources: {
        Key: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true, Tags: TAGS } },
        Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/cell-alpha', TargetKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
        Log: {
          Type: 'AWS::Logs::LogGroup',
          Properties: { LogGroupName: '/cell/alpha', RetentionInDays: 30, Tags: TAGS, ...encryption },
        },
        Filter: {
          Type: 'AWS::Logs::MetricFilter',
          Properties: {
            LogGroupName: { Ref: 'Log' },
            FilterPattern: pattern,
            MetricTransformations: [
              {
                MetricName: 'Requests',
                MetricNamespace: 'Cell',
                MetricValue: '$.count',
                Unit: 'Count',
                Dimensions: [{ Key: 'tenant', Value: '$.tenant' }],
              },
            ],
          },
        },
      },
      Outputs: { Key: { Value: { Ref: 'Key' } }, Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    const logs = <T>(operation: string, input: object) => aws.json<T>('logs', `Logs_20140328.${operation}`, input);
    const kms = (operation: string, input: object) => aws.json<object>('kms', `TrentService.${operation}`, input);
    const filters = () => logs<{ metricFilters: object[] }>('DescribeMetricFilters', { logGroupName: '/cell/alpha' });
    const group = async () =>
      (await logs<{ logGroups: object[] }>('DescribeLogGroups', { logGroupNamePrefix: '/cell/alpha' })).logGroups[0];
    const encryption = { KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } };
    const { Key: key = '', Arn: arn = '' } = await deploy('log', template('{ $.count = * }', encryption));
    expect(await group()).toMatchObject({ kmsKeyId: arn, retentionInDays: 30 });
    expect(await kms('GetKeyRotationStatus', { KeyId: key })).toMatchObject({ KeyRotationEnabled: true });
    expect(await kms('DescribeKey', { KeyId: 'alias/cell-alpha' })).toMatchObject({ KeyMetadata: { KeyId: key } });
    expect(await tagged()).toEqual(expect.arrayContaining([arn, expect.stringMatching(/log-group:\/cell\/alpha/)]));

    await deploy('log', template('{ $.count > 0 }', {}));
    expect(await group()).not.toHaveProperty('kmsKeyId');
    expect((await filters()).metricFilters).toMatchObject([
      { filterPattern: '{ $.count > 0 }', metricTransformations: [{ metricName: 'Requests', dimensions: { tenant: '$.tenant' } }] },
    ]);

    await destroy('log');
    expect(await kms('DescribeKey', { KeyId: key })).toMatchObject({ KeyMetadata: { KeyState: 'PendingDeletion' } });
    await expect(kms('DescribeKey', { KeyId: 'alias/cell-alpha' })).rejects.toThrow('NotFoundException');
  });

  test('an alarm watches an expression, and one the answer to a query', async () => {
    const statistic = (id: string, name: string) => ({
      Id: id,
      MetricStat: {
        Metric: { Namespace: 'Cell', MetricName: name, Dimensions: [{ Name: 'cell', Value: 'alpha' }] },
        Period: 60,
        Stat: 'Sum',
      },
      ReturnData: false,
    });
    const limit = {
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      TreatMissingData: 'notBreaching',
    };
    const query = 'SELECT MAX("Throttles") FROM SCHEMA("AWS/Lambda", FunctionName)';
    const template = (threshold: number): Template => ({
      Resources: {
        Rate: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...limit,
            AlarmName: 'rate',
            Threshold: threshold,
            Metrics: [
              { Id: 'rate', Expression: '100 * errors / requests', Label: 'Error rate', ReturnData: true },
              statistic('errors', 'Errors'),
              statistic('requests', 'Requests'),
            ],
            Tags: TAGS,
          },
        },
        Any: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...limit,
            AlarmName: 'any',
            Threshold: 0,
            Metrics: [{ Id: 'q', Expression: query, Period: 60, ReturnData: true }],
          },
        },
      },
    });
    await deploy('watching', template(1));
    await aws.query('monitoring', 'SetAlarmState', { AlarmName: 'rate', StateValue: 'ALARM', StateReason: 'test' });

    await deploy('watching', template(5));

    const rate = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmNames.member.1': 'rate' });
    expect(textOf(rate, 'Threshold')).toBe('5.0');
    expect(textOf(rate, 'StateValue')).toBe('ALARM');
    expect(rate).toContain('<Expression>100 * errors / requests</Expression>');
    expect(rate.match(/<MetricStat>/g)).toHaveLength(2);
    const any = await aws.query('monitoring', 'DescribeAlarms', { 'AlarmNames.member.1': 'any' });
    expect(textOf(any, 'Expression').replaceAll('&quot;', '"')).toBe(query);
    expect(any).not.toContain('<MetricStat>');
    expect(any).toContain('<Period>60</Period>');
    expect(await tagged()).toContainEqual(expect.stringMatching(/:alarm:rate$/));
    await destroy('watching');
    expect(await aws.query('monitoring', 'DescribeAlarms')).not.toMatch(/>rate<|>any</);
  });
});
