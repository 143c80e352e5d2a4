import { expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { PipelineStack } from '../../../pipelines/codepipeline/pipeline-stack.ts';
import { registry } from '../../_helpers/organization.ts';
import { app, lint } from '../../_helpers/synth.ts';
const plan = requireInitialized(createPlan(registry()));
test('passes cdk-nag and cfn-lint', () => {
  const [component] = plan.components;
  const built = new PipelineStack(app(true), plan, component!);
  const template = Template.fromStack(built).toJSON();
  console.log(JSON.stringify(template, undefined, 1));
  expect(lint([template], 'eu-west-1') || '').toBe('');
});
