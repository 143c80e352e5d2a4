import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { DefaultStackSynthesizer, type IStackSynthesizer, Stack } from 'aws-cdk-lib/core';
import { CellService } from '../../../../lib/cell/service/cell-service.ts';
import { CELL_PARAMETERS } from '../../../../lib/plan/cell-parameters.ts';
import { app, resources } from '../../../_helpers/synth.ts';

function component(scope = app()): Stack {
  const stack = new Stack(scope, 'orders-api', {
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
  });
  new CellService(stack, 'Service', { component: 'orders-api', path: '/orders*' });
  return stack;
}

describe('the template of a component', () => {
  const stack = component();
  const template = Template.fromStack(stack).toJSON() as { Parameters: Record<string, { Type: string; Default?: string }> };

  test('knows no account, no region, no partition and no asset', () => {
    const text = JSON.stringify(template);
    expect(text).not.toMatch(/arn:aws|\d{12}|[a-z]{2}-[a-z]+-\d\b|cdk-hnb659fds/);
    expect(text).not.toContain('AssetParameters');
  });

  test('finds its cell through parameters of the contract, and takes image, version and priority', () => {
    const given = Object.entries(template.Parameters).filter(([, { Default }]) => Default === undefined);
    expect(given.map(([name]) => name).sort()).toEqual(['ImageUri', 'ListenerPriority', 'Version']);
    const names: string[] = Object.values(CELL_PARAMETERS);
    for (const { Type, Default } of Object.values(template.Parameters)) {
      if (Default === undefined) continue;
      expect(Type).toMatch(/^AWS::SSM::Parameter::Value</);
      expect(names).toContain(Default);
    }
  });

  test('takes subnets as a list, whatever the number of zones', () => {
    const [service] = Object.values(resources(stack, 'AWS::ECS::Service'));
    expect(service?.Properties).toMatchObject({ NetworkConfiguration: { AwsvpcConfiguration: { Subnets: { Ref: expect.any(String) } } } });
    const text = JSON.stringify(service?.Properties?.['NetworkConfiguration']);
    const parameter = /"Subnets":\{"Ref":"(\w+)"/.exec(text)?.[1] ?? '';
    expect(template.Parameters[parameter]?.Type).toBe('AWS::SSM::Parameter::Value<List<String>>');
  });

  test('runs as many tasks, of the size, as its cell’s size says', () => {
    const [task] = Object.values(resources(stack, 'AWS::ECS::TaskDefinition'));
    const [scaling] = Object.values(resources(stack, 'AWS::ApplicationAutoScaling::ScalableTarget'));
    const [service] = Object.values(resources(stack, 'AWS::ECS::Service'));
    const parameterOf = (value: unknown) => template.Parameters[String(Object(value)['Ref'])]?.Default;
    expect(parameterOf(task?.Properties?.['Cpu'])).toBe(CELL_PARAMETERS.serviceCpu);
    expect(parameterOf(task?.Properties?.['Memory'])).toBe(CELL_PARAMETERS.serviceMemory);
    expect(parameterOf(scaling?.Properties?.['MinCapacity'])).toBe(CELL_PARAMETERS.serviceMinTasks);
    expect(parameterOf(scaling?.Properties?.['MaxCapacity'])).toBe(CELL_PARAMETERS.serviceMaxTasks);
    // A count of its own would undo, at each deployment, what scaling has done.
    expect(service?.Properties).not.toHaveProperty('DesiredCount');
  });

  test('says who it is: in its environment, in metrics of its log, in its tags', () => {
    const [task] = Object.values(resources(stack, 'AWS::ECS::TaskDefinition'));
    const [container] = (task?.Properties?.['ContainerDefinitions'] ?? []) as { Environment: { Name: string; Value: unknown }[] }[];
    const environment = new Map(container?.Environment.map(({ Name, Value }) => [Name, Value]));
    const defaultOf = (name: string) => template.Parameters[String(Object(environment.get(name))['Ref'])]?.Default;
    expect([defaultOf('CELL_NAME'), defaultOf('CELL_STAGE')]).toEqual([CELL_PARAMETERS.name, CELL_PARAMETERS.stage]);
    expect(environment.get('CELL_REGION')).toEqual({ Ref: 'AWS::Region' });
    const filters = Object.values(resources(stack, 'AWS::Logs::MetricFilter')).map(({ Properties }) => Properties);
    expect(filters).toHaveLength(2);
    for (const filter of filters) {
      expect(filter).toMatchObject({
        MetricTransformations: [
          {
            Dimensions: [
              { Key: 'cell', Value: '$.cell' },
              { Key: 'component', Value: '$.component' },
            ],
          },
        ],
      });
    }
  });

  test('has an alarm of its own, on the share of errors in its log, that carries the cell’s name', () => {
    const [alarm] = Object.values(resources(stack, 'AWS::CloudWatch::Alarm'));
    expect(Object.keys(resources(stack, 'AWS::CloudWatch::Alarm'))).toHaveLength(1);
    const { AlarmName, Metrics, ...rest } = alarm?.Properties ?? {};
    const [cellName] = Object.entries(template.Parameters).find(([, { Default }]) => Default === CELL_PARAMETERS.name) ?? [];
    expect(AlarmName).toEqual({ 'Fn::Join': ['', ['cell-', { Ref: cellName }, '-orders-api.errors']] });
    expect(rest).toMatchObject({
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 5,
      DatapointsToAlarm: 2,
      EvaluationPeriods: 3,
      TreatMissingData: 'notBreaching',
    });
    const metrics = Metrics as { Id: string; Expression?: string; MetricStat?: { Period: number; Stat: string; Metric: object } }[];
    expect(metrics.map(({ Expression }) => Expression).filter(Boolean)).toEqual([
      'IF(errors > 3, 100 * errors / MAX([errors, requests]), 0)',
    ]);
    const dimensions = [
      { Name: 'cell', Value: { Ref: cellName } },
      { Name: 'component', Value: 'orders-api' },
    ];
    expect(metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [[Id, MetricStat]] : []))).toEqual([
      ['errors', { Period: 60, Stat: 'Sum', Metric: { Namespace: 'Cell', MetricName: 'Errors', Dimensions: dimensions } }],
      ['requests', { Period: 60, Stat: 'Sum', Metric: { Namespace: 'Cell', MetricName: 'Requests', Dimensions: dimensions } }],
    ]);
  });

  test('tells the cell’s probe what to ask for', () => {
    Template.fromStack(stack).hasResourceProperties('AWS::SSM::Parameter', { Name: '/cell/probe/orders-api', Value: '/orders' });
  });

  test('without a path has no listener rule, no target group and no priority, and is not probed', () => {
    const worker = new Stack(app(), 'mailer', {
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
    });
    new CellService(worker, 'Service', { component: 'mailer' });
    const built = Template.fromStack(worker);
    for (const type of ['AWS::ElasticLoadBalancingV2::ListenerRule', 'AWS::ElasticLoadBalancingV2::TargetGroup', 'AWS::SSM::Parameter']) {
      expect(resources(worker, type)).toEqual({});
    }
    const { Parameters } = built.toJSON() as typeof template;
    const given = Object.entries(Parameters).filter(([, { Default }]) => Default === undefined);
    expect(given.map(([name]) => name).sort()).toEqual(['ImageUri', 'Version']);
    const [service] = Object.values(resources(worker, 'AWS::ECS::Service'));
    expect(service?.Properties).not.toHaveProperty('LoadBalancers');
    expect(Object.keys(resources(worker, 'AWS::CloudWatch::Alarm'))).toHaveLength(1);
  });

  test('gives up on a bad image', () => {
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true } },
    });
  });

  test('tags resources with the cell, and the stack with nothing that only a cell knows', () => {
    expect(JSON.stringify(stack.tags.renderedTags ?? '')).not.toContain('Token');
    for (const { Properties } of Object.values(resources(stack, 'AWS::IAM::Role'))) {
      expect(Properties?.['Tags']).toEqual(expect.arrayContaining([expect.objectContaining({ Key: 'cell' })]));
    }
  });
});
