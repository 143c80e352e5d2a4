import { describe, expect, test } from '@jest/globals';
import { buildToolingStack } from '../../../lib/app/build-control.ts';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { type ToolingStack, toolingStacks } from '../../../lib/plan/tooling-stacks.ts';
import { FactoryError } from '../../../lib/registry/index.ts';
import { registry } from '../../_helpers/organization.ts';
import { app, resources } from '../../_helpers/synth.ts';

const plan = requireInitialized(createPlan(registry()));

describe('stacks of the tooling account are built', () => {
  test('under the name and in the region of the plan, each by the builder of its kind', async () => {
    const built = await Promise.all(
      toolingStacks(plan).map(async (stack) => ({ stack, built: await buildToolingStack(app(), plan, stack) })),
    );
    expect(built.map((each) => [each.stack.kind, each.built.constructor.name, each.built.stackName, each.built.region])).toEqual([
      ['registry', 'RegistryStack', 'Registry', 'eu-west-1'],
      ['domain', 'DomainStack', 'Domain', 'eu-west-1'],
      ['artifacts-replica', 'ArtifactReplicaStack', 'Artifacts-us-east-1', 'us-east-1'],
      ['artifacts', 'ArtifactsStack', 'Artifacts', 'eu-west-1'],
      ['rollouts', 'RolloutsStack', 'Rollouts', 'eu-west-1'],
    ]);
    for (const each of built) expect(resources(each.built)).not.toEqual({});
  });

  test.each(['monitoring', 'toString'])('only of known kinds: "%s" is refused, and becomes no bucket of artifacts', async (kind) => {
    const scope = app();
    const unknown = { kind: kind as ToolingStack['kind'], stackName: 'Monitoring', region: plan.homeRegion };
    const error = await buildToolingStack(scope, plan, unknown).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FactoryError);
    expect(error).toMatchObject({
      code: 'INTERNAL',
      message: `nothing builds the stack Monitoring: its kind "${kind}" has no builder`,
      fix: 'add the kind to TOOLING in lib/app/build-control.ts',
    });
    expect(scope.node.tryFindChild('Monitoring')).toBeUndefined();
  });
});
