/**
 * Rollouts on a local cloud: the real stacks `Artifacts` and `Rollouts` in tooling, with the real machines and the real
 * function, over cells that have what a rollout touches (alarms, probe, component) and nothing else, so that it goes quickly.
 */
import { CloudWatchClient, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Template as CdkTemplate } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import { assetFile, CELL, madeFor } from '../../lib/artifact/artifacts.ts';
import { ArtifactsStack } from '../../lib/artifact/artifacts-stack.ts';
import { publishArtifact } from '../../lib/artifact/publishing.ts';
import { s3Client } from '../../lib/aws/s3.ts';
import { S3Objects } from '../../lib/aws/s3-objects.ts';
import type { Session } from '../../lib/aws/session.ts';
import { findStack, stackResources } from '../../lib/aws/stacks.ts';
import { plannedAlarms } from '../../lib/plan/alarms.ts';
import { createPlan, requireInitialized } from '../../lib/plan/plan.ts';
import { artifactBucketName, cellHealthAlarmName, type Registry, RegistryStore, type RolloutPolicy } from '../../lib/registry/index.ts';
import { RolloutClient } from '../../lib/rollout/client.ts';
import { draftRollout, type PinnedArtifact } from '../../lib/rollout/draft.ts';
import { reachOf } from '../../lib/rollout/executions.ts';
import { type RolloutView, stageOf } from '../../lib/rollout/rollout-lookup.ts';
import { hasEnded } from '../../lib/rollout/rollout-record.ts';
import { RolloutsStack } from '../../lib/rollout/rollouts-stack.ts';
import { Caller, type Template } from '../../tools/local-cloud/test/server.ts';
import { TestCloud } from './cloud.ts';
import { eventually } from './eventually.ts';
import { component, registry } from './organization.ts';
import { createStack, sessionIn, templateOf, withCode, withoutBootstrap } from './rollout-stacks.ts';

const TOOLING = '200000000000';
const REGION = 'eu-west-1';
/** How long Wait states last, as a part of what they say. */
const PACE = 0.3;
/** Long enough that something can happen in the middle of a bake, short enough to wait for. */
const POLICY = {
  timeScale: 0.02,
  stagingBake: '50s',
  waves: [
    { name: 'one', prefer: 'low-traffic', admit: { cells: 1 }, bake: '100s', approval: false },
    { name: 'rest', prefer: 'any', admit: { rest: true }, bake: '100s', approval: false },
  ],
  multiRegionFromWave: 2,
  minRequestsPerCell: 10,
  concurrency: 5,
  alarmGrace: '150s',
  diagnosisTime: '150s',
  maxBakeExtension: '150s',
  watchAfter: '0s',
} as const;

type Change = Parameters<typeof registry>[0];

export class RolloutLab {
  private constructor(
    private readonly cloud: TestCloud,
    readonly session: Session,
    readonly bucket: string,
    readonly client: RolloutClient,
    private readonly registry: Registry,
  ) {}

  /**
   * @param change what the organization is besides a staging cell and cells alpha (eu-west-1) and bravo (us-east-1)
   * @param urls addresses of its webhooks, by name
   */
  static async start(change: Change, urls: Readonly<Record<string, string>> = {}): Promise<RolloutLab> {
    const cloud = await TestCloud.start();
    // Between two looks at a stack that is changed in a moment, nothing happens. Bakes last as long as ever.
    await cloud.pace(PACE);
    process.env['AWS_ENDPOINT_URL'] = cloud.running.endpoint;
    const session = sessionIn(TOOLING, REGION);
    const organization = registry((input) => {
      Object.assign(input.settings.rollout, structuredClone(POLICY));
      input.components['orders-api'] = component('orders-api', 100);
      change?.(input);
    });
    const plan = requireInitialized(createPlan(organization));
    const tooling = await new Caller(cloud.running.endpoint).inAccount(TOOLING);
    const Bucket = plan.registryBucket;
    await s3Client(session).send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
    for (const [name, url] of Object.entries(urls)) {
      const SecretString = JSON.stringify({ url, authorization: `key of ${name}` });
      const command = new CreateSecretCommand({ Name: plan.notifications.webhooks[name]?.secret, SecretString });
      await new SecretsManagerClient(session).send(command);
    }
    const app = new App();
    const artifacts = new ArtifactsStack(app, plan);
    const rollouts = new RolloutsStack(app, plan);
    await tooling.deploy('Artifacts', withoutBootstrap(CdkTemplate.fromStack(artifacts).toJSON()));
    await tooling.deploy('Rollouts', await withCode(withoutBootstrap(CdkTemplate.fromStack(rollouts).toJSON()), session));
    const bucket = artifactBucketName(plan.organization, TOOLING, REGION);
    const lab = new RolloutLab(cloud, session, bucket, await RolloutClient.connect(session, bucket), organization);
    await lab.published();
    await Promise.all(plan.cells.map((cell) => lab.build(cell.name)));
    return lab;
  }

  /** What happens on AWS by itself. */
  readonly control: TestCloud['control'] = (what, wanted) => this.cloud.control(what, wanted);

  async stop(): Promise<void> {
    delete process.env['AWS_ENDPOINT_URL'];
    await this.cloud.stop();
  }

  /** Has Wait states last so many times as long as they say. */
  async pace(waits = PACE): Promise<void> {
    await this.cloud.pace(waits);
  }

  get endpoint(): string {
    return this.cloud.running.endpoint;
  }

  get plan() {
    return createPlan(this.registry);
  }

  cell(name: string) {
    const cell = this.plan.cells.find((each) => each.name === name);
    if (!cell) throw new Error(`the test has no cell ${name}`);
    return { ...cell, session: sessionIn(cell.account.accountId ?? '', cell.region) };
  }

  /** Publishes the organization. @param change what has become of it. @default - as the lab started with it */
  async published(change: (organization: Registry['organization']) => void = () => undefined): Promise<void> {
    const organization = structuredClone(this.registry.organization);
    change(organization);
    const bucket = requireInitialized(this.plan).registryBucket;
    await new RegistryStore(new S3Objects(s3Client(this.session), bucket)).publish(organization, { by: 'test' });
  }

  /** Publishes a version of the component, whose template is the usual one with `more` in it. @param parameters what it is given */
  async publish(
    name: string,
    version: string,
    more: Template['Resources'] = {},
    declared: Template['Parameters'] = {},
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const files = new Map([['template.json', JSON.stringify(templateOf(name, more, declared))]]);
    const content = {
      component: name,
      kind: 'cloudformation',
      version,
      files,
      template: 'template.json',
      images: {},
      parameters,
    } as const;
    const byRegion = new Map([[REGION, new S3Objects(s3Client(this.session), this.bucket)]]);
    const { manifest } = await publishArtifact({ ...content, commit: undefined, by: 'test' }, { homeRegion: REGION, byRegion });
    return manifest.digest;
  }

  /** Puts a version into every cell at once, as if rollouts before had. */
  async install(
    name: string,
    version: string,
    more: Template['Resources'] = {},
    declared: Template['Parameters'] = {},
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const given = Object.entries({ Version: version, ...parameters });
    const Parameters = given.map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
    const template = templateOf(name, more, declared);
    await Promise.all(this.plan.cells.map((cell) => createStack(this.cell(cell.name).session, name, template, Parameters)));
  }

  /** Sets a rollout going, of a version that was published. */
  async start(name: string, version: string, digest: string, policy: Partial<RolloutPolicy> = {}): Promise<string> {
    return (await this.client.start(this.draft(name, version, digest, policy))).id;
  }

  /** Publishes, and writes a rollout down for the stages of a pipeline to take on. */
  async enqueue(name: string, version: string): Promise<string> {
    return (await this.client.enqueue(this.draft(name, version, await this.publish(name, version)))).id;
  }

  /** Sets a rollout going, of whatever was published. */
  async startArtifact(name: string, artifact: PinnedArtifact): Promise<string> {
    return (await this.client.start(this.draftOf(name, artifact))).id;
  }

  private draft(component: string, version: string, digest: string, policy: Partial<RolloutPolicy> = {}) {
    return this.draftOf(component, { version, digest }, policy);
  }

  private draftOf(component: string, artifact: PinnedArtifact, policy: Partial<RolloutPolicy> = {}) {
    const plan = { ...this.plan, revision: 1, rollout: { ...this.plan.rollout, ...policy } };
    return draftRollout({ plan, component, artifact, by: 'test', reason: undefined, allowReplacement: [], now: new Date() });
  }

  /** Goes through a stage of a pipeline. @returns how the rollout is after it */
  async stage(id: string, through: number, approved = false, last = false): Promise<{ state: string; view: RolloutView }> {
    const stage = { through, approved, last };
    await this.client.runStage(id, stage);
    const view = await this.until(
      id,
      (seen) => stageOf(seen, reachOf(stage, seen.waves)).state !== 'going on' && isIdle(seen),
      `through with stage ${through}`,
    );
    return { state: stageOf(view, reachOf(stage, view.waves)).state, view };
  }

  /** Publishes and starts. */
  async roll(name: string, version: string, more: Template['Resources'] = {}): Promise<string> {
    return this.start(name, version, await this.publish(name, version, more));
  }

  /** Looks until `reached`. @param pause milliseconds between two looks: few for what is soon over again */
  async until(id: string, reached: (view: RolloutView) => boolean, what: string, pause = 150): Promise<RolloutView> {
    let last: RolloutView | undefined;
    return eventually(
      `${id} to be ${what}`,
      async () => {
        last = await this.client.view(id);
        return reached(last) && last;
      },
      { deadline: 180_000, pause, seen: () => ({ ...last, plan: undefined }) },
    );
  }

  /** Looks until the rollout is over, or waits for somebody. */
  ended(id: string): Promise<RolloutView> {
    return this.until(id, ({ record, alive }) => hasEnded(record.status) || record.status !== 'running' || !alive, 'over', 500);
  }

  baking(id: string, wave: number): Promise<RolloutView> {
    return this.until(id, ({ waves }) => waves[wave]?.status === 'baking', `baking in wave ${wave}`);
  }

  async alarm(cell: string, alarm: string, state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'): Promise<void> {
    const { session } = this.cell(cell);
    await new CloudWatchClient(session).send(
      new SetAlarmStateCommand({ AlarmName: `cell-${cell}-${alarm}`, StateValue: state, StateReason: 'a test' }),
    );
  }

  /** Requests a second that the cell's probe makes of its components. */
  async traffic(cell: string, rate: number): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/cell-factory/traffic`, {
      method: 'POST',
      body: JSON.stringify({ account: this.cell(cell).account.accountId, rate }),
    });
  }

  /** Changes a component by hand, past the rollout. */
  async hotfix(cell: string, name: string, version: string): Promise<void> {
    const { CloudFormationClient, UpdateStackCommand } = await import('@aws-sdk/client-cloudformation');
    const Parameters = [{ ParameterKey: 'Version', ParameterValue: version }];
    await new CloudFormationClient(this.cell(cell).session).send(
      new UpdateStackCommand({ StackName: name, UsePreviousTemplate: true, Parameters }),
    );
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/cell-factory/faults`, { method: 'DELETE' });
  }

  /** Has the next calls fail. */
  async fault(fault: { service: string; operation: string; code: string; times: number; account?: string }): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/cell-factory/faults`, { method: 'POST', body: JSON.stringify(fault) });
  }

  async parameter(cell: string, name: string): Promise<string | undefined> {
    try {
      return (await new SSMClient(this.cell(cell).session).send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
    } catch {
      return undefined;
    }
  }

  /** Everything that a component's stack shows of itself: template, parameters as they were given, resources by logical id. */
  async stack(cell: string, name: string) {
    const { session } = this.cell(cell);
    const [template, found, resources] = await Promise.all([
      this.templateOf(cell, name),
      findStack(session, name),
      stackResources(session, name),
    ]);
    return { template, parameters: found?.Parameters, resources: Object.fromEntries(resources) };
  }

  /** Puts something where a stack wants to put its own. */
  async occupy(cell: string, name: string): Promise<void> {
    await new SSMClient(this.cell(cell).session).send(new PutParameterCommand({ Name: name, Value: 'somebody’s', Type: 'String' }));
  }

  /** What runs in each cell: asked of the cells, not of the record. */
  async running(name: string): Promise<Record<string, string>> {
    const found = await Promise.all(
      this.plan.cells.map(async (cell) => [cell.name, (await this.parameter(cell.name, `/${name}/version`)) ?? '-'] as const),
    );
    return Object.fromEntries(found);
  }

  async overwrite(key: string, text: string): Promise<void> {
    await s3Client(this.session).send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: text }));
  }

  /** Makes what rollouts look at. @param stackName @default - the cell's own stack */
  async build(name: string, stackName?: string): Promise<void> {
    const cell = this.cell(name);
    await createStack(cell.session, stackName ?? cell.stackName, this.foundation(name));
  }

  /** What a foundation has of what rollouts look at. */
  foundation(name: string): Template {
    const cell = this.cell(name);
    const alarms = plannedAlarms(cell).filter(({ health }) => health);
    const metric = {
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 1,
      MetricName: 'M',
      Namespace: 'N',
      Period: 60,
      Statistic: 'Sum',
      Threshold: 1,
    };
    const children = Object.fromEntries(
      alarms.map(({ name: AlarmName }, index) => [
        `Alarm${index}`,
        { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName, ...metric } },
      ]),
    );
    return {
      Resources: {
        ...children,
        Health: {
          Type: 'AWS::CloudWatch::CompositeAlarm',
          DependsOn: Object.keys(children),
          Properties: {
            AlarmName: cellHealthAlarmName(name),
            AlarmRule: alarms.map((alarm) => `ALARM("${alarm.name}")`).join(' OR '),
          },
        },
        Probe: {
          Type: 'AWS::Synthetics::Canary',
          Properties: {
            Name: `cell-${name}`.slice(0, 21),
            ArtifactS3Location: 's3://none',
            Code: { Handler: 'index.handler', Script: 'exports.handler = async () => {}' },
            ExecutionRoleArn: `arn:aws:iam::${cell.account.accountId}:role/probe`,
            RuntimeVersion: 'syn-nodejs-puppeteer-15.0',
            Schedule: { Expression: 'rate(1 minute)' },
            StartCanaryAfterCreation: true,
          },
        },
      },
    };
  }

  /** Publishes a version of the cells' own stacks. */
  async publishFoundations(
    component: string,
    version: string,
    templates: ReadonlyMap<string, Template>,
    assets: Readonly<Record<string, string>>,
  ): Promise<PinnedArtifact> {
    const files = new Map([...templates].map(([cell, template]) => [`${cell}.template.json`, JSON.stringify(template)]));
    for (const [key, text] of Object.entries(assets)) files.set(assetFile(key), Buffer.from(text).toString('base64'));
    const content = {
      component,
      kind: 'foundation',
      version,
      files,
      template: `${CELL}.template.json`,
      images: {},
      parameters: {},
    } as const;
    const byRegion = new Map([[REGION, new S3Objects(s3Client(this.session), this.bucket)]]);
    const { manifest } = await publishArtifact({ ...content, commit: undefined, by: 'test' }, { homeRegion: REGION, byRegion });
    return { version, digest: manifest.digest, madeFor: madeFor(manifest.template, files.keys()) };
  }

  /** The template that a stack of a cell has, as it was given to CloudFormation. */
  async templateOf(cell: string, stack: string): Promise<Template> {
    const { CloudFormationClient, GetTemplateCommand } = await import('@aws-sdk/client-cloudformation');
    const { TemplateBody = '' } = await new CloudFormationClient(this.cell(cell).session).send(
      new GetTemplateCommand({ StackName: stack }),
    );
    return JSON.parse(TemplateBody) as Template;
  }
}

/** Whether no execution drives it. */
const isIdle = ({ record, alive }: RolloutView) => record.status !== 'running' || !alive;
