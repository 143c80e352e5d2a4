/**
 * Every kind of stack passes cdk-nag, the CDK's validation of templates and cfn-lint. All of them here and at once:
 * the validator takes ten seconds to start and cfn-lint five, however many templates they read.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type App, DefaultStackSynthesizer, type IStackSynthesizer, Stack, Token } from 'aws-cdk-lib/core';
import { DomainStack } from '../lib/accounts/domain-stack.ts';
import { RegistryStack } from '../lib/accounts/registry-stack.ts';
import { VendingStack } from '../lib/accounts/vending-stack.ts';
import { ArtifactReplicaStack, ArtifactsStack } from '../lib/artifact/artifacts-stack.ts';
import { Delegation } from '../lib/cell/foundation/delegation.ts';
import { Foundation } from '../lib/cell/foundation/foundation.ts';
import { CellService } from '../lib/cell/service/cell-service.ts';
import { createPlan, type InitializedPlan, requireInitialized } from '../lib/plan/plan.ts';
import { RolloutsStack } from '../lib/rollout/rollouts-stack.ts';
import { PipelineStack } from '../pipelines/codepipeline/pipeline-stack.ts';
import { PipelinesStack } from '../pipelines/codepipeline/pipelines-stack.ts';
import { GitHubRolesStack, GitHubStack } from '../pipelines/github/roles-stack.ts';
import { ALL_CLIENTS, plannedCell, SIZES, STAGES } from './_helpers/cells.ts';
import { component, foundations, registry, type unchecked } from './_helpers/organization.ts';
import { PIPELINE_SHAPES, pipelineWith } from './_helpers/pipelines.ts';
import { acknowledgedRules, app, type Checked, lintFindings, validationFindings } from './_helpers/synth.ts';

type Build = (scope: App) => Stack;

const planWith = (change?: (input: ReturnType<typeof unchecked>) => void): InitializedPlan =>
  requireInitialized(createPlan(registry(change)));
const plan = planWith();
/** Foundations are delivered as a component, by that engine. */
const delivered = (engine: 'codepipeline' | 'github-actions') =>
  planWith(({ components }) =>
    Object.assign(components, {
      foundations: foundations({ repository: { url: 'https://github.com/acme/cells', branch: 'trunk' }, pipeline: { engine } }),
    }),
  );
const withWebhooks = () =>
  planWith(({ settings }) => {
    settings.notifications = {
      webhooks: {
        oncall: { events: 'attention', body: 'chat', secret: 'cell-factory/webhooks/oncall' },
        audit: { events: 'all', body: 'event', secret: 'audit' },
      },
    };
  });
/** A component on each host that pipelines know. */
const hosted = planWith((input) => {
  input.components['search'] = component('search', 300, { repository: { url: 'https://gitlab.com/acme/search' } });
  input.components['legacy'] = component('legacy', 400, { repository: { url: 'file:///srv/legacy.git' } });
  input.components['site'] = component('site', 500, {
    repository: { url: 'https://github.com/acme/site' },
    pipeline: { engine: 'github-actions' },
  });
});

/** The template of a component, as its own repository would make it. */
const service: Build = (scope) => {
  const stack = new Stack(scope, 'orders-api', {
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
  });
  new CellService(stack, 'Service', { component: 'orders-api', path: '/orders*' });
  return stack;
};

const githubRoles: Build = (scope) => {
  const { plan: own, pipeline } = pipelineWith({ component: { repository: { url: 'https://github.com/acme/orders-api' } } });
  return new GitHubRolesStack(scope, own, pipeline.component);
};

/** Foundations of every stage and size, with the most clients that a definition can ask for or with none. */
const foundationsWith = (...clients: string[]) =>
  STAGES.flatMap((stage) =>
    SIZES.map((size): [string, Build] => [
      `Foundation of stage ${stage}, size ${size}, ${clients.length} clients`,
      (scope) =>
        new Foundation(scope, plannedCell(stage, size, clients.length === 0 ? {} : { network: { block: '10.7.0.0/20', clients } })),
    ]),
  );

const STACKS: readonly (readonly [string, Build])[] = [
  ['Delegation', (scope) => new Delegation(scope, plannedCell('production'))],
  ['Domain', (scope) => new DomainStack(scope, plan)],
  ['Registry', (scope) => new RegistryStack(scope, plan)],
  ['Vending', (scope) => new VendingStack(scope, plan)],
  ['Artifacts', (scope) => new ArtifactsStack(scope, plan)],
  ['Artifacts-us-east-1', (scope) => new ArtifactReplicaStack(scope, plan, 'us-east-1')],
  ['Rollouts', (scope) => new RolloutsStack(scope, plan)],
  ['Rollouts, with webhooks', (scope) => new RolloutsStack(scope, withWebhooks())],
  ['Rollouts, of foundations too', (scope) => new RolloutsStack(scope, delivered('codepipeline'))],
  ['Pipelines', (scope) => new PipelinesStack(scope, hosted)],
  ['Pipelines, of foundations too', (scope) => new PipelinesStack(scope, delivered('codepipeline'))],
  ...Object.entries(PIPELINE_SHAPES).map(([name, shape]): [string, Build] => {
    const { plan: own, pipeline } = pipelineWith(shape);
    return [`Pipeline of ${name}`, (scope) => new PipelineStack(scope, own, pipeline.component)];
  }),
  ['GitHub', (scope) => new GitHubStack(scope, pipelineWith().plan)],
  ['GitHub, of foundations too', (scope) => new GitHubStack(scope, delivered('github-actions'))],
  ['GitHub roles', githubRoles],
  ['CellService', service],
];

const folder = mkdtempSync(join(tmpdir(), 'cell-factory-templates-'));
const templates: Checked[] = [];

/** Writes a template to where the checks below look. */
function keep(name: string, region: string, template: unknown, acknowledged: ReadonlySet<string> = new Set()): Checked {
  const file = join(folder, `${name.replace(/\W+/g, '-')}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  const kept = { file, region, acknowledged };
  templates.push(kept);
  return kept;
}

/** Synthesizes a stack and keeps its template for the checks of all. */
function synthesize(name: string, build: Build, nag: boolean): void {
  const scope = app(nag);
  const { stackName, region } = build(scope);
  const { template } = scope.synth().getStackByName(stackName);
  keep(name, Token.isUnresolved(region) ? 'eu-west-1' : region, template, acknowledgedRules(scope));
}

describe('cdk-nag finds nothing in', () => {
  test.each(STACKS)('%s', (name, build) => synthesize(name, build, true));

  // With clients, its rule about ports cannot resolve the block and gives up.
  test.each(foundationsWith())('%s', (_, build) => {
    const scope = app(true);
    build(scope);
    scope.synth();
  });
});

test.each(foundationsWith(...ALL_CLIENTS))('%s is synthesized', (name, build) => synthesize(name, build, false));

describe('in all of them', () => {
  test('the CDK’s validation of templates finds nothing', () => {
    expect(templates).toHaveLength(STACKS.length + STAGES.length * SIZES.length);
    expect(validationFindings(templates)).toEqual([]);
  });

  test('cfn-lint finds nothing', async () => {
    // One of all shapes of pipelines will do: they differ in how often they have the same resources.
    const shapes = templates.filter(({ file }) => basename(file).startsWith('Pipeline-of-')).slice(0, -1);
    expect(await lintFindings(templates.filter((each) => !shapes.includes(each)))).toBe('');
  });
});

test('each of the two finds what is wrong with a property', async () => {
  const bucket = (Properties: object) => ({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties } } });
  expect(validationFindings([keep('unknown property', 'eu-west-1', bucket({ Bogus: true }))])).toEqual([expect.stringContaining('Bogus')]);
  expect(await lintFindings([keep('wrong value', 'eu-west-1', bucket({ AccessControl: 'Everybody' }))])).toContain('Everybody');
});
