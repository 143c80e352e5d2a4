import { expect, test } from '@jest/globals';
import { isUnasked } from '../../../lib/monitoring/unasked.ts';
import { createPlan } from '../../../lib/plan/plan.ts';
import { estimateStack } from '../../../lib/review/prices.ts';
import { registry } from '../../_helpers/organization.ts';

const plan = createPlan(registry());
const [cell] = plan.cells;
if (!cell) throw new Error('the organization has no cell');

test('nobody asks for a stack that is neither the cell’s, the CDK’s, a stack set’s, nor a component’s of the registry', () => {
  const names = ['CDKToolkit', cell.stackName, 'orders-api', 'billing', 'StackSet-guard-1', 'search', 'Cell-other', 'debug'];
  expect(names.filter((name) => isUnasked(plan, cell, name))).toEqual(['search', 'Cell-other', 'debug']);
});

test('a stack costs what runs in it, and names what holds data and has no price', () => {
  const types = ['AWS::ECS::Service', 'AWS::CloudWatch::Alarm', 'AWS::SQS::Queue', 'AWS::DynamoDB::Table', 'AWS::IAM::Role'];
  const { monthly, unpriced } = estimateStack(cell, types);
  const { monthly: alarm } = estimateStack(cell, ['AWS::CloudWatch::Alarm']);
  expect(alarm).toBe(0.1);
  expect(monthly).toBeGreaterThan(5 + alarm);
  expect(unpriced).toEqual(['AWS::DynamoDB::Table']);
  expect(estimateStack(cell, [])).toEqual({ monthly: 0, unpriced: [] });
});
