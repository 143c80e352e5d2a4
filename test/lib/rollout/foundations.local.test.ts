/** The cells' own stacks, rolled out as components are: each cell gets its own template, through the CDK's own roles and bucket. */
import { CloudWatchClient, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stagingBucket } from '../../../lib/aws/roles.ts';
import { s3Client } from '../../../lib/aws/s3.ts';
import { deleteStack, findStack } from '../../../lib/aws/stacks.ts';
import { cell, foundations } from '../../_helpers/organization.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

const NAME = 'foundations';
/** With it, a template is too long to go along with a call: CloudFormation must find it in the cell's own bucket. */
const PADDING = {
  Type: 'AWS::SSM::Parameter',
  Metadata: { Padding: 'x'.repeat(60_000) },
  Properties: { Type: 'String', Name: '/padding', Value: 'x' },
};

/** What the CDK would have put beside the template. */
const CODE = `${'a'.repeat(64)}.zip`;

let lab: RolloutLab;

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    input.cells['bravo'] = cell('bravo', 2);
    input.cells['charlie'] = cell('charlie', 3, { trafficWeight: 5 });
    input.cells['ada'] = cell('ada', 4, { stage: 'personal', owner: 'ada', expiresAt: '2999-01-01T00:00:00Z' });
    input.components[NAME] = foundations();
  });
  // Whose requests say that the cells are used.
  await lab.install('orders-api', '1.0.0');
  for (const { name } of lab.plan.cells) {
    const { session, account } = lab.cell(name);
    const Bucket = stagingBucket(account.accountId ?? '', session.region);
    await s3Client(session).send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  }
});
afterAll(() => lab?.stop());

type Template = ReturnType<RolloutLab['foundation']>;

/** The foundation of a cell, with something that says which one it is. */
const foundation = (name: string, what: string, more: Template['Resources'] = {}): Template => ({
  ...lab.foundation(name),
  Parameters: { Version: { Type: 'String', Default: 'unreleased' } },
  Resources: {
    ...lab.foundation(name).Resources,
    Running: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: `/${NAME}/version`, Value: { Ref: 'Version' } } },
    Own: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/cell/own', Value: `${what} of ${name}, code ${CODE}` } },
    Padding: PADDING,
    ...more,
  },
});
const SHARED = ['staging', 'alpha', 'bravo', 'charlie'];
const publish = (version: string, cells: readonly string[], more: Template['Resources'] = {}) =>
  lab.publishFoundations(NAME, version, new Map(cells.map((name) => [name, foundation(name, version, more)])), { [CODE]: 'zipped' });
const roll = async (...args: Parameters<typeof publish>) => lab.ended(await lab.startArtifact(NAME, await publish(...args)));

/** An alarm of alpha besides those that its foundation has. */
const putAlarm = (name: string) =>
  new CloudWatchClient(lab.cell('alpha').session).send(
    new PutMetricAlarmCommand({
      ...{ AlarmName: `cell-alpha-${name}`, MetricName: 'M', Namespace: 'N', Period: 60, Statistic: 'Sum', Threshold: 1 },
      ...{ EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold' },
    }),
  );

describe('foundations', () => {
  test('go through the waves; each cell gets its own template, from a bucket of its own; personal cells get none', async () => {
    // That it is full calls for a person, and is no reason to halt.
    await putAlarm('full');
    await lab.alarm('alpha', 'full', 'ALARM');
    const view = await roll('1', SHARED);
    expect(view.record).toMatchObject({ status: 'succeeded', outcome: { sentence: 'foundations 1 is in every cell of its waves' } });
    expect(view.plan).toMatchObject({ kind: 'foundation', traffic: ['billing', 'orders-api'], parameters: {} });
    expect(await lab.running(NAME)).toEqual({ staging: '1', alpha: '1', bravo: '1', charlie: '1', ada: '-' });
    for (const name of SHARED) {
      expect(await lab.templateOf(name, `Cell-${name}`)).toEqual(foundation(name, '1'));
      const { session, account } = lab.cell(name);
      const Bucket = stagingBucket(account.accountId ?? '', session.region);
      const { Contents = [] } = await s3Client(session).send(new ListObjectsV2Command({ Bucket }));
      expect(Contents.map(({ Key }) => Key)).toEqual([CODE, expect.stringMatching(/^cell-factory\/[0-9a-f]{64}\.json$/)]);
      const { Body } = await s3Client(session).send(new GetObjectCommand({ Bucket, Key: CODE }));
      expect(await Body?.transformToString()).toBe('zipped');
    }
    expect(view.plan.leftOut.map(({ reason }) => reason)).toEqual([
      'It is a personal cell: ada decides what runs there (`cellctl deploy ada`).',
    ]);
  });

  test('with an alarm of any component are rolled back, template and all, and later cells never see them', async () => {
    await putAlarm('orders-api.errors');
    await lab.alarm('alpha', 'orders-api.errors', 'OK');
    const id = await lab.startArtifact(NAME, await publish('2', SHARED));
    await lab.baking(id, 1);
    await lab.alarm('alpha', 'orders-api.errors', 'ALARM');
    const view = await lab.ended(id);
    await lab.alarm('alpha', 'orders-api.errors', 'OK');
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { wave: 1, cell: 'alpha' } });
    expect(view.record.outcome?.sentence).toContain('cell-alpha-orders-api.errors');
    expect(await lab.running(NAME)).toEqual({ staging: '2', alpha: '1', bravo: '1', charlie: '1', ada: '-' });
    expect(await lab.templateOf('alpha', 'Cell-alpha')).toEqual(foundation('alpha', '1'));
  });

  test('leave out a cell that came after they were built, and say so', async () => {
    const view = await roll('3', ['staging', 'alpha', 'charlie']);
    expect(view.record.status).toBe('succeeded');
    expect(view.plan.leftOut).toContainEqual({
      cell: 'bravo',
      reason: 'It is not part of 3, which was built without it: the next version has it.',
    });
    expect(await lab.running(NAME)).toMatchObject({ alpha: '3', bravo: '1', charlie: '3' });
  });

  const queue = (QueueName: string) => ({ Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName } } });

  test('wait for whoever changes the cell by hand', async () => {
    const { store } = lab.client;
    const by = 'ada@laptop (run 1)';
    const released = await new Promise<() => void>((held) => {
      const wanted = { cell: 'staging', stack: 'Cell-staging', by, foundationAlone: true };
      void store.stackLocks.hold(wanted, () => new Promise<void>((done) => held(done)));
    });
    const id = await lab.startArtifact(NAME, await publish('3.5', SHARED));
    const waiting = await lab.until(id, ({ cells }) => cells[0]?.busySince !== undefined, 'waiting for ada');
    expect(waiting.cells[0]).toMatchObject({
      status: 'pending',
      sentence: expect.stringContaining(`${by} is changing Cell-staging in staging`),
    });
    released();
    await lab.until(id, ({ cells }) => cells[0]?.status === 'deployed', 'deployed');
    expect(await store.stackLocks.of('staging', new Date())).toEqual([]);
    await lab.client.stop(id, { by: 'test' });
    await lab.ended(id);
  });

  test('refuse to lose what holds data, before anything is changed', async () => {
    expect((await roll('4', SHARED, queue('one'))).record.status).toBe('succeeded');
    const view = await roll('5', SHARED, queue('two'));
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { wave: 0, cell: 'staging' } });
    expect(view.record.outcome?.sentence).toContain('Queue (AWS::SQS::Queue) would be replaced');
    expect(await lab.running(NAME)).toMatchObject({ staging: '4', alpha: '4' });
  });

  test('ask RDS before they change a database, and leave it alone where it would refuse', async () => {
    const database = (storage: string) => ({
      ...queue('one'),
      Database: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          ...{ Engine: 'postgres', EngineVersion: '17', DBInstanceClass: 'db.t4g.medium', StorageType: 'gp3', MasterUsername: 'postgres' },
          ...{ ManageMasterUserPassword: true, AllocatedStorage: storage, MaxAllocatedStorage: 500 },
        },
      },
    });
    expect((await roll('6', SHARED, database('100'))).record.status).toBe('succeeded');
    await lab.control('databases', { account: lab.cell('staging').account.accountId, storageGiB: 300 });
    const view = await roll('7', SHARED, database('200'));
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { wave: 0, cell: 'staging' } });
    expect(view.record.outcome?.sentence).toContain('staging/Database: storage has grown to 300 GiB, and 200 are wanted');
    expect(view.record.outcome?.sentence).toContain('storageGiB: 300');
    expect(await lab.running(NAME)).toMatchObject({ staging: '6', alpha: '6' });
  });

  test('are never created by a rollout, nor deleted on its way back', async () => {
    const { session } = lab.cell('staging');
    const stack = await findStack(session, 'Cell-staging');
    if (stack) await deleteStack(session, stack, () => undefined);
    // Its alarms went with it, and the preflight asks for them: here they come from elsewhere.
    await lab.build('staging', 'Elsewhere');
    const view = await roll('8', SHARED);
    expect(view.record).toMatchObject({ status: 'rolled back', outcome: { wave: 0, cell: 'staging' } });
    expect(view.record.outcome?.sentence).toContain('Cell-staging is not there: `cellctl deploy` builds what has never been whole');
    expect(await findStack(session, 'Cell-staging')).toBeUndefined();
  });
});
