import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Client } from '../../../lib/aws/s3.ts';
import { S3Objects } from '../../../lib/aws/s3-objects.ts';
import { RegistryStore, registryBucketName, serialize } from '../../../lib/registry/index.ts';
import { cellctl, startCellctl } from '../../_helpers/cellctl.ts';
import { cell, registry } from '../../_helpers/organization.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';
import { runbook } from '../../_helpers/runbook.ts';

let lab: RolloutLab;
let environment: Record<string, string>;
let document: string;
let store: RegistryStore;

type Input = Parameters<NonNullable<Parameters<typeof registry>[0]>>[0];

const rehearsal = { timeScale: 0.02, minRequestsPerCell: 0, multiRegionFromWave: 1 } as const;
const bake = { prefer: 'any', bake: '250s' } as const;

beforeAll(async () => {
  // One cell more than is published at first.
  lab = await RolloutLab.start((input) => {
    input.cells['delta'] = cell('delta', 4);
  });
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await lab.session.credentials();
  environment = {
    AWS_ENDPOINT_URL: lab.endpoint,
    AWS_REGION: lab.session.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  // Revision 1 is the lab's own.
  store = new RegistryStore(new S3Objects(s3Client(lab.session), registryBucketName(registry().organization)));
  document = await documentOf(await publish(asItWas));
  await lab.publish('orders-api', '1.0.0');
  await lab.publish('orders-api', '2.0.0');
}, 300_000);
afterAll(() => lab?.stop());

function policy({ settings }: Input, waves: Input['settings']['rollout']['waves']): void {
  Object.assign(settings.rollout, rehearsal, { stagingBake: '1000s', waves });
}

function asItWas(input: Input): void {
  policy(input, [
    { name: 'one', ...bake, bake: '1200s', admit: { cells: 1 }, approval: false },
    { name: 'rest', ...bake, admit: { rest: true }, approval: true },
  ]);
}

/** Publishes the next revision of the organization. */
const publish = (change: (input: Input) => void) => store.publish(registry(change).organization, { by: 'ada' });

/** A file with what was published. */
async function documentOf({ registry: published }: Awaited<ReturnType<typeof publish>>): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'cell-factory-document-')), 'registry.json');
  await writeFile(file, serialize(published));
  return file;
}

const call = (...args: string[]) => cellctl([...args, '--organization', document], environment);
async function json<T>(...args: string[]): Promise<T> {
  const { stdout, stderr } = await call(...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

describe('cellctl rollout', () => {
  test('says what there is, when there is nothing', async () => {
    expect(await call('rollout', 'status')).toMatchObject({ code: 0, stdout: expect.stringContaining('there was no rollout yet') });
    expect(await call('rollout', 'status', 'orders-api')).toMatchObject({ code: 2, stderr: expect.stringContaining('ROLLOUT_UNKNOWN') });
    expect(await call('rollout', 'start', 'orders-api', '--release', '9.9.9', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ARTIFACT_UNKNOWN'),
    });
    const asked = await call('rollout', 'start', 'orders-api', '--release', '1.0.0');
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('USAGE: there is no terminal to ask on') });
    // Shown before it is asked for.
    expect(asked.stdout).toContain('orders-api 1.0.0 through 3 cells, by revision 2');
  });

  test('starts a rollout and follows it until somebody must agree; then to its end', async () => {
    const started = await call('rollout', 'start', 'orders-api', '--release', '1.0.0', '--reason', 'the first', '--yes', '--watch');
    // Its tooling is a new account.
    const narrower = /^tooling may run 10 functions at once: a wave deploys 2 at once of the policy's 10, and rolls 2 back of 20; .*\n$/;
    expect(started).toMatchObject({ code: 0, stderr: expect.stringMatching(narrower) });
    expect(started.stdout).toContain('started orders-api-1\n');
    expect(started.stdout).toMatch(/\norders-api-1 wave 1 one: baking until /);
    expect(started.stdout).toMatch(/\norders-api-1 awaiting approval; wave 2, rest, waits for an approval\n/);
    const approved = await json<{ wave: number; next: string }>(
      ...runbook('cellctl rollout approve <id> --reason "…"', { id: 'orders-api-1' }),
    );
    expect(approved).toMatchObject({ asked: 'approve', wave: 2, next: 'wave 2, rest, begins now' });
    const watched = await call('rollout', 'watch', 'orders-api-1', '--json');
    expect({ code: watched.code, stderr: watched.stderr }).toEqual({ code: 0, stderr: '' });
    const lines = watched.stdout.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ id: 'orders-api-1', status: 'succeeded', halted: true, well: true });
    // `history`, `status` and `watch` say the same by the same names.
    const { rollouts } = await json<{ rollouts: object[] }>('rollout', 'history', 'orders-api');
    const { afterwards: _, ...summary } = (rollouts[0] ?? {}) as Record<string, unknown>;
    expect(summary).toMatchObject({ id: 'orders-api-1', status: 'succeeded', alive: true, halted: true, well: true, next: [] });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject(summary);
    const picture = await json<object>('rollout', 'status', 'orders-api');
    expect(picture).toMatchObject({ ...summary, exposure: { now: 1, planned: 1 }, cells: expect.any(Array) });
    const { stdout } = await call(...runbook('cellctl rollout status <component>', { component: 'orders-api' }));
    expect(stdout).toMatch(/^orders-api-1 {2}orders-api 1\.0\.0 {2}succeeded/);
    expect(stdout).toMatch(/\nbravo +2 +deployed +- +1\.0\.0/);
  });

  test('can be halted and has it go on, and watchers come and go', async () => {
    expect(await call('rollout', 'start', 'orders-api', '--release', '2.0.0', '--yes', '--quiet')).toMatchObject({ code: 0 });
    // Before it bakes, too.
    expect(await json('rollout', 'skip-bake', 'orders-api', '--wave', '0', '--reason', 'a test')).toMatchObject({ wave: 0 });
    const watcher = startCellctl(['rollout', 'watch', '--organization', document], environment);
    await watcher.says('\n', 'stdout');
    watcher.kill('SIGINT');
    const { code, stderr } = await watcher.ended();
    expect(code).toBe(130);
    expect(stderr).toContain('orders-api-2 goes on; come back with `cellctl rollout watch orders-api-2');
    await lab.baking('orders-api-2', 1);
    expect(await call('rollout', 'pause', 'orders-api')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^pause orders-api-2: wave 1, one, bakes to its end/),
    });
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({ code: 0, stdout: expect.stringContaining('paused by') });
    expect(await json('rollout', 'resume', 'orders-api')).toMatchObject({ next: expect.stringContaining('wave 2, rest') });
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({ code: 0 });
    expect(await call('rollout', 'rollback', 'orders-api')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await call('rollout', 'rollback', 'orders-api', '--yes')).toMatchObject({ code: 0 });
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({ code: 1, stdout: expect.stringContaining('rolled back by') });
    expect(await lab.running('orders-api')).toMatchObject({ staging: '1.0.0', alpha: '1.0.0', bravo: '1.0.0' });
    const { rollouts } = await json<{ rollouts: { id: string; status: string }[] }>('rollout', 'history');
    expect(rollouts.map(({ id, status }) => [id, status])).toEqual([
      ['orders-api-2', 'rolled back'],
      ['orders-api-1', 'succeeded'],
    ]);
  });

  test('keeps to the revision that it began with, whatever is published while it runs but a cordon, and holds its cells', async () => {
    expect(await call('rollout', 'start', 'orders-api', '--release', '2.0.0', '--yes', '--json')).toMatchObject({ code: 0 });
    const { plan } = await lab.baking('orders-api-3', 0);
    // Other waves, no approvals, one cell more, and one that no rollout may go to any more.
    const changed = await publish((input) => {
      policy(input, [{ name: 'all', ...bake, admit: { rest: true }, approval: false }]);
      input.cells['alpha'] = cell('alpha', 1, { intent: 'cordoned' });
      input.cells['charlie'] = cell('charlie', 3);
    });
    expect(changed.registry.published.revision).toBe(3);
    const later = await documentOf(changed);
    const foreseen = JSON.parse(
      (await cellctl(['rollout', 'plan', 'orders-api', '--json', '--organization', later], environment)).stdout,
    ) as {
      waves: { cells: string[] }[];
    };
    expect(foreseen.waves.map(({ cells }) => cells)).toEqual([['staging'], ['bravo', 'charlie']]);
    expect(await call('destroy', 'staging', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('LOCKED: orders-api-3 is going through staging'),
    });
    await lab.client.skipBake('orders-api-3', 0, { by: 'ada', reason: 'a test' });
    // The wave that needed an approval still does.
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({ code: 0, stdout: expect.stringContaining('wave 2, rest, waits') });
    await json('rollout', 'approve', 'orders-api');
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({ code: 0 });
    const view = await lab.client.view('orders-api-3');
    expect(view.record).toMatchObject({ status: 'succeeded', revision: 2 });
    expect(view.record.outcome?.sentence).toContain('but for alpha (alpha is cordoned since a revision');
    expect(view.plan).toEqual(plan);
    expect(view.cells.map(({ cell: name, wave, status }) => [name, wave, status])).toEqual([
      ['alpha', 1, 'skipped'],
      ['bravo', 2, 'deployed'],
      ['staging', 0, 'deployed'],
    ]);
    expect(await lab.running('orders-api')).toMatchObject({ staging: '2.0.0', alpha: '1.0.0', bravo: '2.0.0' });
    await publish(asItWas);
  });

  test('catch-up brings a new cell to the version of the others, also beside a rollout to all, and changes nothing the second time', async () => {
    await publish((input) => {
      asItWas(input);
      input.cells['delta'] = cell('delta', 4);
    });
    expect(await call('rollout', 'start', 'orders-api', '--release', '1.0.0', '--yes', '--json')).toMatchObject({ code: 0 });
    await lab.baking('orders-api-4', 0);
    const asked = await call('rollout', 'catch-up', 'delta');
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no terminal to ask on') });
    expect(asked.stdout).toMatch(/^orders-api: nothing -> 2\.0\.0\nbilling: skipped\. No rollout of it has succeeded yet/);
    const skipped = { component: 'billing', state: 'skipped', sentence: expect.stringContaining('no version to catch up with') };
    const orders = { component: 'orders-api', version: '2.0.0' };
    expect(await json('rollout', 'catch-up', 'delta', '--yes')).toEqual({
      cell: 'delta',
      components: [{ ...orders, state: 'deployed', rollout: 'orders-api-5' }, skipped],
    });
    expect(await lab.running('orders-api')).toMatchObject({ bravo: '2.0.0', delta: '2.0.0' });
    expect(await json('rollout', 'catch-up', 'delta', '--yes')).toMatchObject({ components: [{ ...orders, state: 'unchanged' }, skipped] });
    // The one to all still runs, and is nobody's that went beside it.
    expect((await lab.client.view('orders-api-4')).record).toMatchObject({ status: 'running', runs: 1 });
    await json(...runbook('cellctl rollout stop <id> --reason "…"', { id: 'orders-api-4' }));
    expect(await call('rollout', 'watch', 'orders-api-4')).toMatchObject({ code: 1, stdout: expect.stringContaining('stopped by') });
    expect(await call('rollout', 'catch-up', 'nonsense')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no such cell: nonsense'),
    });
    await publish(asItWas);
  });

  test('takes the waves of an emergency when it is told why, freezes and unfreezes, and leaves a cell out', async () => {
    const start = ['rollout', 'start', 'orders-api', '--release', '1.0.0', '--emergency', '--yes'];
    expect(await call(...start)).toMatchObject({ code: 2, stderr: expect.stringContaining('USAGE: --emergency without a reason') });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect(await call(...runbook('cellctl freeze'))).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing is frozen') });
    for (const [wrong, sentence] of [
      [['--all', '--reason', 'INC-42'], 'a freeze without --until'],
      [['--all', '--until', 'tomorrow', '--reason', 'INC-42'], '--until is "tomorrow"'],
      [['--all', '--until', '2020-01-01T00:00:00Z', '--reason', 'INC-42'], 'which is over'],
      [['--all', '--until', '2090-01-01T00:00:00Z', '--reason', 'INC-42'], 'more than 14 days away'],
      [['--all', '--cell', 'alpha', '--until', until, '--reason', 'INC-42'], '--cell alpha and --all together'],
      [['--all', '--until', until], '--reason is missing'],
    ] as const) {
      expect(await call('freeze', ...wrong)).toMatchObject({ code: 2, stderr: expect.stringContaining(sentence) });
    }
    expect(await call('freeze', '--cell', 'zulu', '--until', until, '--reason', 'INC-42')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CELL_UNKNOWN'),
    });
    const frozen = `orders-api is frozen until ${until} by `;
    expect(await call('freeze', '--component', 'orders-api', '--until', until, '--reason', 'INC-42')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(frozen),
    });
    expect(await json('freeze')).toMatchObject({ freezes: [{ scope: { on: 'component', name: 'orders-api' }, reason: 'INC-42' }] });
    const names = { component: 'orders-api', version: '1.0.0' };
    const { waves: foreseen } = await json<{ waves: { name: string }[] }>(
      ...runbook('cellctl rollout plan <component> --emergency', names),
    );
    expect(foreseen.map(({ name }) => name)).toEqual(['staging', 'emergency-first', 'emergency-rest']);
    const { rollout } = await json<{ rollout: { id: string } }>(
      ...runbook('cellctl rollout start <component> --release <version> --emergency --reason "…"', names),
      '--yes',
    );
    const { id } = rollout;
    await lab.until(id, ({ waves }) => waves[0]?.sentence?.startsWith(frozen) === true, 'frozen');
    // Of two freezes, the one that ends last is named.
    const later = new Date(Date.now() + 7_200_000).toISOString();
    expect(await call(...runbook('cellctl freeze --all --until <time> --reason "…"', { time: later }))).toMatchObject({ code: 0 });
    await lab.until(id, ({ waves }) => waves[0]?.sentence?.startsWith('everything is frozen') === true, 'frozen with everything');
    expect(await call(...runbook('cellctl unfreeze --all'))).toMatchObject({ code: 0 });
    await lab.until(id, ({ waves }) => waves[0]?.sentence?.startsWith(frozen) === true, 'frozen as before');
    const { stdout } = await call(...runbook('cellctl rollout status <id>', { id }));
    expect(stdout).toContain('waves of an emergency: INC-42');
    expect(stdout).toContain(frozen);
    expect(await call('unfreeze', '--all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REFUSED: everything is not frozen'),
    });
    expect(await json('rollout', 'skip-cell', 'bravo', '--reason', 'its database is full')).toMatchObject({
      asked: 'skip-cell',
    });
    expect(await call(...runbook('cellctl unfreeze --component <component>', names))).toMatchObject({ code: 0 });
    await lab.baking(id, 0);
    await json(...runbook('cellctl rollout skip-bake <id> --reason "…"', { id }));
    expect(await call('rollout', 'watch', id)).toMatchObject({ code: 0, stdout: expect.stringContaining('bravo (skipped by ') });
    const { plan, cells } = await lab.client.view(id);
    expect(plan.waves.map(({ name }) => name)).toEqual(['staging', 'emergency-first', 'emergency-rest']);
    expect(cells.find(({ cell: name }) => name === 'bravo')).toMatchObject({ status: 'skipped' });
    expect(await call('rollout', 'skip-cell', 'alpha', '--rollout', id, '--reason', 'late')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REFUSED: alpha runs orders-api 1.0.0 already'),
    });
  });

  test('waits for the drill that it was started for, also when its bake is long over, and is rolled back at the alarm', async () => {
    const refused = await call('rollout', 'start', 'orders-api', '--release', '1.0.0', '--drill', 'zulu', '--yes');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('CELL_UNKNOWN: no such cell: zulu') });
    const before = await lab.running('orders-api');
    const started = await json<{ rollout: { id: string } }>(
      'rollout',
      'start',
      'orders-api',
      '--release',
      '1.0.0',
      '--drill',
      'alpha',
      '--yes',
    );
    const { id } = started.rollout;
    await lab.client.skipBake(id, 0, { by: 'ada', reason: 'a test' });
    expect(await call('rollout', 'skip-bake', id, '--wave', '1', '--reason', 'a test')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REFUSED: wave 1, one, waits for a drill in alpha'),
    });
    // As on a machine on which nobody came to run the drill before the bake was over.
    await lab.until(id, ({ waves }) => waves[1]?.extended !== undefined, 'waiting for its drill');
    const drilled = await json(...runbook('cellctl drill alarm --cell <cell> --during <id>', { cell: 'alpha', id }), '--wait', '2m');
    expect(drilled).toMatchObject({
      ...{ cell: 'alpha', alarm: 'cell-alpha-server-errors' },
      judgement: { rollout: id, wave: 1, sentence: expect.stringContaining('cell-alpha-server-errors') },
    });
    expect(await call('rollout', 'watch', 'orders-api')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(new RegExp(`${id} rolled back; alpha: cell-alpha-server-errors.*\n$`)),
    });
    expect(await lab.running('orders-api')).toEqual({ ...before, staging: '1.0.0' });
    expect(await call('drill', 'alarm', '--cell', 'alpha', '--during', id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`DRILL_FAILED: the drill comes too late: ${id} (rolled back) wave 1 one: rolled back`),
    });
  });

  test('is not what every drill is about: one may last for a while, and end', async () => {
    const drilled = await json('drill', 'alarm', '--cell', 'alpha', '--for', '1s');
    expect(drilled).toMatchObject({ cell: 'alpha', alarm: 'cell-alpha-server-errors', seconds: 1 });
    expect(await call('drill', 'alarm', '--cell', 'alpha', '--alarm', 'nonsense')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DRILL_FAILED: alpha has no alarm cell-alpha-nonsense'),
    });
  });
});
