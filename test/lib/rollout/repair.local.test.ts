/** Records of rollouts that were deleted or damaged: what goes on in spite of it, and what `rollout repair` says and mends. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DeleteCommand, DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLLOUT_PARAMETERS } from '../../../lib/plan/plan.ts';
import { callIn } from '../../_helpers/lab-cellctl.ts';
import { threeCells } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';
import { runbook } from '../../_helpers/runbook.ts';

let lab: RolloutLab;
let db: DynamoDBDocumentClient;
let TableName: string;
const BY = { by: 'ada', reason: 'a test' };

beforeAll(async () => {
  lab = await RolloutLab.start(threeCells('r', 5));
  db = DynamoDBDocumentClient.from(new DynamoDBClient(lab.session));
  const found = await new SSMClient(lab.session).send(new GetParameterCommand({ Name: ROLLOUT_PARAMETERS.table }));
  TableName = found.Parameter?.Value ?? '';
});
afterAll(() => lab?.stop());

const recordKey = (id: string) => ({ pk: `rollout#${id}`, sk: 'record' });
const erase = (Key: { pk: string; sk: string }) => db.send(new DeleteCommand({ TableName, Key }));
/** Has the record say something that no rollout can be. */
const damage = (id: string) =>
  db.send(
    new UpdateCommand({
      ...{ TableName, Key: recordKey(id), UpdateExpression: 'SET #status = :status' },
      ...{ ExpressionAttributeNames: { '#status': 'status' }, ExpressionAttributeValues: { ':status': 7 } },
    }),
  );

async function through(id: string) {
  for (const wave of [0, 1, 2]) await lab.client.skipBake(id, wave, BY);
  const view = await lab.ended(id);
  expect(view.record.status).toBe('succeeded');
  return id;
}

const call = (...args: string[]) => callIn(lab, ...args);

describe('a record', () => {
  test('that is deleted stops neither the next rollout of its component nor the status of others', async () => {
    const gone = await through(await lab.roll('r0', '1.0.0'));
    const other = await through(await lab.roll('r1', '1.0.0'));
    await erase(recordKey(gone));
    const { code, stdout, stderr } = await call('rollout', 'status');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(`${gone}: its record is missing`) });
    expect(stdout).toContain(other);
    expect(await call('rollout', 'status', 'r1')).toMatchObject({ code: 0 });
    await through(await lab.roll('r0', '2.0.0'));
    expect(await lab.running('r0')).toEqual({ staging: '2.0.0', alpha: '2.0.0', charlie: '2.0.0' });
  });

  test('that is damaged while its rollout runs does not, either, and its locks go to the next', async () => {
    const damaged = await lab.roll('r2', '1.0.0');
    await lab.baking(damaged, 0);
    await damage(damaged);
    await expect(lab.client.view(damaged)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    await through(await lab.roll('r2', '2.0.0'));
    expect(await lab.running('r2')).toEqual({ staging: '2.0.0', alpha: '2.0.0', charlie: '2.0.0' });
    expect(await lab.client.store.locks('r2')).toEqual([]);
  });
});

test('a pointer that is deleted, and its counter with it, gives the next rollout a number and a plan of its own', async () => {
  await through(await lab.roll('r3', '1.0.0'));
  await erase({ pk: 'component#r3', sk: 'active' });
  const id = await through(await lab.roll('r3', '2.0.0'));
  expect(id).toBe('r3-2');
  expect(await lab.running('r3')).toEqual({ staging: '2.0.0', alpha: '2.0.0', charlie: '2.0.0' });
});

test('repair says what is wrong, and mends pointers and locks that name what is not there', async () => {
  const first = await through(await lab.roll('r4', '1.0.0'));
  const second = await lab.roll('r4', '2.0.0');
  await lab.baking(second, 0);
  await erase(recordKey(second));
  await lab.client.store.lock('r4', 'alpha', first);
  const sentences = [
    `${second}: its record is missing`,
    `the last rollout of r4 is said to be ${second}, and its record is missing`,
    expect.stringMatching(new RegExp(`^alpha is locked by ${first} since .*, which is succeeded$`)),
    expect.stringMatching(new RegExp(`^staging is locked by ${second} since .*, and its record is missing$`)),
  ];
  const dry = JSON.parse((await call(...runbook('cellctl rollout repair <component> --dry-run', { component: 'r4' }), '--json')).stdout);
  expect(dry).toMatchObject({ changed: false, findings: sentences.map((sentence) => ({ component: 'r4', sentence })) });
  expect(await lab.client.store.active({ component: 'r4' })).toBe(second);
  const mended = await call(...runbook('cellctl rollout repair <component>', { component: 'r4' }));
  expect(mended).toMatchObject({ code: 0, stdout: expect.stringContaining(`it is ${first} now`) });
  expect(await lab.client.store.active({ component: 'r4' })).toBe(first);
  expect(await lab.client.store.locks('r4')).toEqual([]);
  // Its operator has found out that there is nothing to drive.
  expect((await call('rollout', 'repair', 'r4', '--json')).stdout).toContain(`${second}: its record is missing`);
  await lab.client.rollback(first, 'all', BY);
  expect((await lab.ended(first)).record.status).toBe('rolled back');
});
