/** What a rollback restores, by comparing stacks: template, parameters, resources, and the secrets that stacks hide. */
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CellStatus } from '../../../lib/monitoring/status.ts';
import type { Registry } from '../../../lib/registry/index.ts';
import { previousKey, sentKey } from '../../../lib/rollout/rollout-record.ts';
import { callIn, doneIn } from '../../_helpers/lab-cellctl.ts';
import { addComponents } from '../../_helpers/rollout-fleets.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

let lab: RolloutLab;

beforeAll(async () => {
  lab = await RolloutLab.start((input) => {
    addComponents(input, 'c', 6);
  });
  for (const { name } of lab.plan.cells) await lab.occupy(name, '/cell/vpc/id');
});
afterAll(() => lab?.stop());

const DECLARED = {
  Password: { Type: 'String', NoEcho: true },
  Size: { Type: 'String', Default: 'small' },
  VpcId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/vpc/id' },
};
/** Resources that show what the parameters really are. */
const shows = (name: string) =>
  Object.fromEntries(
    Object.keys(DECLARED).map((parameter) => [
      `Shows${parameter}`,
      { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: `/${name}/${parameter}`, Value: { Ref: parameter } } },
    ]),
  );
const newer = (name: string) => ({
  ...shows(name),
  New: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: `/${name}/new`, Value: 'x' } },
});

/** All that the component is in a cell. */
async function all(cell: string, name: string) {
  const secrets = await Promise.all(Object.keys(DECLARED).map((parameter) => lab.parameter(cell, `/${name}/${parameter}`)));
  return { ...(await lab.stack(cell, name)), secrets, added: await lab.parameter(cell, `/${name}/new`) };
}

/** Rolls 2.0.0 out, and has an alarm roll it back in staging. */
async function rolledBack(name: string, parameters: Readonly<Record<string, string>> = { Password: 'two', Size: 'large' }) {
  const id = await lab.start(name, '2.0.0', await lab.publish(name, '2.0.0', newer(name), DECLARED, parameters));
  await lab.baking(id, 0);
  expect((await all('staging', name)).secrets).toEqual([parameters['Password'], parameters['Size'], 'somebody’s']);
  await lab.alarm('staging', 'latency', 'ALARM');
  const view = await lab.ended(id);
  await lab.alarm('staging', 'latency', 'OK');
  expect(view.record).toMatchObject({ status: 'rolled back', outcome: { cell: 'staging', wave: 0 } });
  return id;
}

test('a rollback restores what a rollout deployed, secrets included, from what was published and sent', async () => {
  const first = await lab.ended(
    await lab.start('c0', '1.0.0', await lab.publish('c0', '1.0.0', shows('c0'), DECLARED, { Password: 'one' })),
  );
  expect(first.record.status).toBe('succeeded');
  const before = await all('staging', 'c0');
  expect(before.secrets).toEqual(['one', 'small', 'somebody’s']);
  const id = await rolledBack('c0');
  expect(await all('staging', 'c0')).toEqual(before);

  const { objects } = lab.client.store;
  const texts = [previousKey(id, 'staging'), sentKey(id, 'staging')].map(async (key) => (await objects.get(key))?.text ?? '');
  for (const text of await Promise.all(texts)) {
    expect(JSON.parse(text)).toMatchObject({ schemaVersion: 2, artifact: expect.stringMatching(/^sha256:/) });
    expect(JSON.parse(text).parameters.Password).toEqual({ salt: expect.any(String), scrypt: expect.any(String) });
    expect(text).not.toMatch(/"(one|two)"/);
  }
  // And again, from the record that the rollback has left.
  expect(await lab.client.store.sentKeys('c0', 'staging')).toEqual([previousKey(id, 'staging')]);
  await rolledBack('c0');
  expect(await all('staging', 'c0')).toEqual(before);
});

test('a rollback restores what was deployed by hand as it was published', async () => {
  await lab.publish('c1', '1.0.0', shows('c1'), DECLARED, { Password: 'one' });
  await lab.install('c1', '1.0.0', shows('c1'), DECLARED, { Password: 'one' });
  const before = await all('staging', 'c1');
  await rolledBack('c1');
  expect(await all('staging', 'c1')).toEqual(before);
});

test('a rollback restores what was never published, where nothing of it is hidden', async () => {
  const { Password: _, ...declared } = DECLARED;
  const { ShowsPassword: __, ...resources } = shows('c2');
  await lab.install('c2', '0.9-by-hand', resources, declared, { Size: 'huge' });
  const before = await all('staging', 'c2');
  await rolledBack('c2');
  expect(await all('staging', 'c2')).toEqual(before);
});

test('a rollback keeps a secret whose artifact is damaged, where the version sent the same', async () => {
  const first = await lab.publish('c5', '1.0.0', shows('c5'), DECLARED, { Password: 'one' });
  await lab.ended(await lab.start('c5', '1.0.0', first));
  const before = await all('staging', 'c5');
  await lab.overwrite('artifacts/c5/1.0.0/manifest.json', '{}');
  await rolledBack('c5', { Password: 'one', Size: 'large' });
  expect(await all('staging', 'c5')).toEqual(before);

  const view = await lab.ended(
    await lab.start('c5', '3.0.0', await lab.publish('c5', '3.0.0', newer('c5'), DECLARED, { Password: 'three' })),
  );
  expect(view.record.outcome?.sentence).toContain('it has the secret parameter Password');
  expect(await all('staging', 'c5')).toEqual(before);
});

test.each([
  ['c3', 'was never published', { Password: 'by hand' }],
  ['c4', 'has other parameters than were published', { Password: 'by hand', Size: 'huge' }],
])('%s, which %s, and hides a parameter: refused before anything is deployed over it', async (name, _, parameters) => {
  if (name === 'c4') await lab.publish(name, '1.0.0', shows(name), DECLARED, { Password: 'one' });
  await lab.install(name, '1.0.0', shows(name), DECLARED, parameters);
  const before = await all('staging', name);
  const digest = await lab.publish(name, '2.0.0', newer(name), DECLARED, { Password: 'two' });
  const view = await lab.ended(await lab.start(name, '2.0.0', digest));
  expect(view.record.status).toBe('rolled back');
  expect(view.record.outcome?.sentence).toContain(
    `staging runs ${name} 1.0.0, which a rollback could not restore: it has the secret parameter Password, whose value CloudFormation hides and neither record nor artifact tells. ROLLBACK_IMPOSSIBLE: bring the cell to a published version of ${name} by hand, template and parameters, then start again`,
  );
  expect(await all('staging', name)).toEqual(before);
});

describe('a component that leaves', () => {
  const logs = { Type: 'AWS::Logs::LogGroup', Properties: {} };
  const holding = { Jobs: logs, Kept: { ...logs, DeletionPolicy: 'Retain' } };
  const NAMED = ['staging/Jobs', 'alpha/Jobs', 'bravo/Jobs'];
  const everywhere = (value: string) => ({ staging: value, alpha: value, bravo: value });
  const search = (organization: Registry['organization']) => {
    const { c0 } = organization.components;
    if (c0)
      Object.assign(organization.components, {
        search: { ...c0, name: 'search', route: undefined, repository: { ...c0.repository, path: 'search' } },
      });
  };
  const remove = (...more: string[]) => callIn(lab, 'component', 'remove', 'search', '--yes', ...more);
  const unasked = async () =>
    (await doneIn<{ cells: CellStatus[] }>(lab, 'status')).cells.map(({ cell, unasked }) => [
      cell,
      ...unasked.map(({ stackName }) => stackName),
    ]);

  beforeAll(async () => {
    await lab.published(search);
    await lab.publish('search', '1.0.0', holding);
    await lab.install('search', '1.0.0', holding);
  });

  test('is refused as long as the registry has it, and afterwards seen with what it costs', async () => {
    expect(await remove()).toMatchObject({ code: 2, stderr: expect.stringContaining('take it out of the definitions') });
    expect(await unasked()).toEqual([['staging'], ['alpha'], ['bravo']]);
    await lab.published();
    expect(await unasked()).toEqual([
      ['staging', 'search'],
      ['alpha', 'search'],
      ['bravo', 'search'],
    ]);
    const { stdout } = await callIn(lab, 'versions');
    expect(stdout).toContain('Nobody asks for these stacks, which cost $0 a month, an estimate:');
    expect(stdout).toMatch(/\nsearch +alpha +1\.0\.0 +CREATE_COMPLETE/);
    expect(stdout).toContain('search goes with `cellctl component remove search`');
    const rename = await callIn(lab, 'component', 'rename', 'search', 'finder');
    expect(rename).toMatchObject({ code: 1, stdout: expect.stringContaining('1. next  add registry/components/finder.ts') });
  });

  test('keeps what holds data until each resource is named, and no name may be a typo', async () => {
    const refused = await remove();
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('REPLACEMENT_REFUSED') });
    for (const name of NAMED) expect(refused.stderr).toContain(`--delete ${name}`);
    expect(refused.stderr).not.toContain('Kept');
    expect(await remove('--delete', ...NAMED, 'alpha/Jops')).toMatchObject({ code: 2, stderr: expect.stringContaining('alpha/Jops') });
    expect(await callIn(lab, 'component', 'remove', 'nothing', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REFUSED'),
    });
    expect(await lab.running('search')).toEqual(everywhere('1.0.0'));
  });

  test('comes back where an alarm of a cell fires after it has gone', async () => {
    const { rollout } = await doneIn<{ rollout: { id: string } }>(lab, 'component', 'remove', 'search', '--yes', '--delete', ...NAMED);
    await lab.baking(rollout.id, 1);
    expect((await callIn(lab, 'rollout', 'status')).stdout).toContain(`${rollout.id}  search removed`);
    expect(await lab.running('search')).toMatchObject({ staging: '-', alpha: '-', bravo: '1.0.0' });
    await lab.alarm('alpha', 'latency', 'ALARM');
    const { record } = await lab.ended(rollout.id);
    await lab.alarm('alpha', 'latency', 'OK');
    expect(record).toMatchObject({ status: 'rolled back', outcome: { cell: 'alpha' } });
    // By the policy, the wave goes back; staging, which was well, stays without it.
    expect(await lab.running('search')).toEqual({ ...everywhere('1.0.0'), staging: '-' });
  });

  test('goes wave by wave otherwise, once; and what is kept by its policy stays', async () => {
    const { Kept, Jobs } = (await lab.stack('bravo', 'search')).resources;
    const logs = new CloudWatchLogsClient(lab.cell('bravo').session);
    const groups = async () =>
      ((await logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? []).map(({ logGroupName }) => logGroupName);
    expect(await groups()).toEqual(expect.arrayContaining([Kept?.physicalId, Jobs?.physicalId]));
    const removed = (...more: string[]) =>
      doneIn<{ rollout: { id: string }; cells: string[] }>(lab, 'component', 'remove', 'search', '--yes', ...more);
    // One cell by its name goes at once, past all waves.
    const one = await removed('--cell', 'bravo', '--delete', 'bravo/Jobs');
    expect(one.cells).toEqual(['bravo']);
    expect((await lab.ended(one.rollout.id)).record).toMatchObject({ status: 'succeeded', only: 'bravo' });
    expect(await lab.running('search')).toEqual({ ...everywhere('-'), alpha: '1.0.0' });
    const { rollout, cells } = await removed('--delete', 'alpha/Jobs');
    expect(cells).toEqual(['alpha']);
    const view = await lab.ended(rollout.id);
    expect(view.record).toMatchObject({ status: 'succeeded', version: 'removed', removal: true });
    expect(view.cells.map(({ cell, status, removed: gone }) => [cell, status, gone])).toEqual([['alpha', 'deployed', true]]);
    expect(await lab.running('search')).toEqual(everywhere('-'));
    expect(await groups()).toContain(Kept?.physicalId);
    expect(await groups()).not.toContain(Jobs?.physicalId);
    expect(await unasked()).toEqual([['staging'], ['alpha'], ['bravo']]);
    expect(await remove()).toMatchObject({ code: 0, stdout: expect.stringContaining('search is in none of the cells any more') });
    expect(await lab.client.current('search')).toBeUndefined();
  });
});
