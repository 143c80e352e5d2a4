import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AwsCellDefinition } from '../../../lib/registry/define.ts';
import { definitionText } from '../../../lib/registry/definition-text.ts';
import { FactoryError } from '../../../lib/registry/errors.ts';
import { loadRegistry } from '../../../lib/registry/load.ts';
import type { AwsCell } from '../../../lib/registry/model.ts';
import { addCell, type NewCell, type NewCellOptions } from '../../../lib/registry/new-cell.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

const now = new Date('2026-11-21T12:00:00.500Z');
const person = async () => ({ name: 'jo@example.com', source: 'a test' });
const add = (wanted: Partial<NewCell>, options: Partial<NewCellOptions> = {}, path = folder) =>
  addCell(path, { name: 'delta', ...wanted }, { person, now, ...options });

let folder: string;
beforeEach(async () => {
  folder = await definitionsFolder();
});

const EUROPE = { region: 'eu-west-1' };
const files = async (path = folder) => (await readdir(join(path, 'cells'))).sort();
const define = (definition: Partial<AwsCellDefinition> & { name: string }) =>
  writeFile(
    join(folder, 'cells', `${definition.name}.ts`),
    definitionText({ stage: 'production', region: 'eu-west-1', network: { block: '10.7.0.0/20' }, ...definition }, 'Made for a test.'),
  );
/** Makes the network plan so small. */
async function supernet(block: string): Promise<void> {
  const file = join(folder, 'organization.ts');
  await writeFile(file, (await readFile(file, 'utf8')).replace('10.0.0.0/8', block));
}
/** What `work` fails with; the folder must be as it was. */
async function refusal(work: () => Promise<unknown>): Promise<FactoryError> {
  const before = await files();
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(await files()).toEqual(before);
  if (error instanceof FactoryError) return error;
  throw new Error(`not refused as expected: ${String(error)}`);
}
const found = ({ problems }: FactoryError) => problems.map(({ code, path }) => `${code} ${path}`);

describe('a new cell', () => {
  test('is written with the next free block, as a definition that loads', async () => {
    const { file, text, network, registry, assumed } = await add(EUROPE);
    expect(file).toBe(join(folder, 'cells', 'delta.ts'));
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(text).toBe(`import { defineCell } from 'cell-factory/registry';

/** Made by \`cellctl cell add\` on 2026-11-21. */
export default defineCell({
  name: 'delta',
  stage: 'production',
  region: 'eu-west-1',
  network: { block: '10.0.64.0/20' },
});
`);
    expect(network).toEqual({ supernet: '10.0.0.0/8', prefix: 20, free: 4_091 });
    expect(assumed).toEqual([]);
    const loaded = await loadRegistry(folder, { now });
    expect(loaded.digest).toBe(registry.digest);
    expect(await files()).toEqual(['alpha.ts', 'bravo.ts', 'charlie.ts', 'delta.ts', 'staging.ts']);
  });

  test('is told and not written by a dry run', async () => {
    const { text, registry } = await add(EUROPE, { dryRun: true });
    expect(text).toContain("block: '10.0.64.0/20'");
    expect(Object.keys(registry.organization.cells)).toContain('delta');
    expect(await files()).not.toContain('delta.ts');
  });

  test('takes a block of the size that is asked for, beside blocks of every size and cloud', async () => {
    await writeFile(
      join(folder, 'cells', 'google.ts'),
      `import { defineCell } from 'cell-factory/registry';
export default defineCell({ name: 'google', cloud: 'gcp', stage: 'staging', region: 'europe-west1', project: 'acme-google', network: { block: '10.0.64.0/22' } });`,
    );
    expect((await add({ ...EUROPE, prefix: 22 }, { dryRun: true })).text).toContain("'10.0.68.0/22'");
    expect((await add(EUROPE, { dryRun: true })).text).toContain("'10.0.80.0/20'");
    expect((await add({ ...EUROPE, block: '10.99.0.0/18' }, { dryRun: true })).network).toMatchObject({ prefix: 18 });
  });

  test('is made in a folder without cells, and two at once get blocks of their own', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'cell-factory-new-'));
    await writeFile(join(empty, 'organization.ts'), await readFile(join(folder, 'organization.ts'), 'utf8'));
    const names = ['one', 'two', 'three', 'four'];
    await Promise.all(names.map((name) => add({ ...EUROPE, name, stage: 'staging' }, {}, empty)));
    const { organization } = await loadRegistry(empty, { now });
    expect(
      Object.values(organization.cells)
        .map(({ network }) => network.block)
        .sort(),
    ).toEqual(['10.0.0.0/20', '10.0.16.0/20', '10.0.32.0/20', '10.0.48.0/20']);
    // Nothing is left beside what was asked for: no lock, no draft.
    expect(await readdir(empty)).toEqual(['cells', 'organization.ts']);
    expect(await files(empty)).toEqual(['four.ts', 'one.ts', 'three.ts', 'two.ts']);
  });

  test('brings the warnings that are new because of it, and no others', async () => {
    const { warnings } = await add({ ...EUROPE, overrides: new Map([['database.standby', false]]) });
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toEqual(['PRODUCTION_WEAKENED cells.delta.overrides.database.standby']);
    expect((await add({ ...EUROPE, name: 'echo' })).warnings).toEqual([]);
    await supernet('10.0.0.0/17');
    expect((await add({ ...EUROPE, name: 'golf' })).warnings.map(({ code }) => code)).toEqual(['NETWORK_NEARLY_FULL']);
  });
});

describe('a new cell like another', () => {
  test('takes over what the other decided, and nothing that is the other’s own', async () => {
    await define({
      name: 'model',
      stage: 'staging',
      region: 'us-east-1',
      size: 'medium',
      tier: 'dedicated',
      importance: 'high',
      trafficWeight: 7,
      tags: { team: 'orders' },
      platforms: ['ecs', 'eks'],
      capacity: { maxRequestsPerSecond: 900 },
      overrides: { database: { storageGiB: 200 }, nat: 'instance' },
      calendar: { timeZone: 'Europe/Berlin', windows: [{ days: ['mon', 'tue'], from: '09:00', until: '16:00' }] },
      network: { block: '10.7.0.0/20', clients: ['203.0.113.0/24'] },
      owner: 'kim@example.com',
      email: 'model@example.com',
      endpoints: { api: 'https://model.example.org' },
      intent: 'cordoned',
    });
    const { text, registry } = await add({ like: 'model' });
    const cells = registry.organization.cells as Record<string, AwsCell>;
    const { owner: _owner, email: _email, ...same } = cells['model'] as AwsCell;
    expect(text).toContain('on 2026-11-21, like model. */');
    expect(cells['delta']).toEqual({
      ...same,
      name: 'delta',
      network: { block: '10.0.64.0/20', clients: ['203.0.113.0/24'] },
      intent: 'active',
      endpoints: { api: 'https://delta.cells.example.com' },
    });
  });

  test('says only what differs from the defaults', async () => {
    const { text } = await add({ like: 'alpha' });
    expect(text).toContain(`
  name: 'delta',
  stage: 'production',
  region: 'eu-west-1',
  network: { block: '10.0.64.0/20' },
  importance: 'low',
});`);
  });

  test('of another size has the caps and resources of that size, and only what was decided otherwise', async () => {
    await define({
      name: 'model',
      capacity: { maxTenants: 50 },
      overrides: { database: { storageGiB: 100, maxStorageGiB: 500, backupDays: 20 }, service: { minTasks: 3 } },
    });
    const { registry, text } = await add({ like: 'model', size: 'medium' });
    const made = registry.organization.cells['delta'] as AwsCell;
    expect(made.capacity).toEqual({ maxRequestsPerSecond: 1_000, maxTenants: 50, headroom: 0.7 });
    // A medium cell has 100 GiB, which grow to 500, and three tasks anyway.
    expect(made.overrides).toEqual({ database: { backupDays: 20 } });
    expect(text).toContain('  overrides: { database: { backupDays: 20 } },\n');
  });

  test('follows what is said besides', async () => {
    const overrides = new Map<string, string | number>([
      ['database.storageGiB', 300],
      ['nat', 'one-gateway'],
    ]);
    const { registry } = await add({ like: 'bravo', region: 'us-east-1', stage: 'staging', tier: 'dedicated', overrides });
    expect(registry.organization.cells['delta']).toMatchObject({
      ...{ region: 'us-east-1', stage: 'staging', tier: 'dedicated', size: 'medium', trafficWeight: 4 },
      // One gateway is what staging has.
      overrides: { database: { storageGiB: 300 } },
    });
  });

  test('that is unknown, or in another cloud, is refused', async () => {
    expect(await refusal(() => add({ like: 'zulu' }))).toMatchObject({
      code: 'CELL_UNKNOWN',
      fix: expect.stringContaining('alpha, bravo, charlie, staging'),
    });
    expect(await refusal(() => add({ like: 'constructor' }))).toMatchObject({ code: 'CELL_UNKNOWN' });
  });
});

describe('a new personal cell', () => {
  const personal = { ...EUROPE, stage: 'personal' };

  test('belongs to whoever makes it for thirty days, unless said otherwise, and says so', async () => {
    const { assumed, text } = await add(personal, { dryRun: true });
    expect(text).toContain("  owner: 'jo@example.com',\n  expiresAt: '2026-12-21T12:00:00Z',\n");
    expect(assumed).toEqual([
      'it belongs to jo@example.com, from a test; --owner says otherwise',
      'it ends at 2026-12-21T12:00:00Z, in 30 days; --expires says otherwise',
    ]);
    const said = await add({ ...personal, owner: 'kim', expires: '14d' }, { dryRun: true });
    expect(said.assumed).toEqual([]);
    expect(said.text).toContain("  owner: 'kim',\n  expiresAt: '2026-12-05T12:00:00Z',\n");
    expect((await add({ ...personal, expires: '2027-01-01T00:00:00+01:00' }, { dryRun: true })).text).toContain(
      "'2027-01-01T00:00:00+01:00'",
    );
  });

  test('like another has an owner and an end of its own', async () => {
    await define({ name: 'kims', stage: 'personal', owner: 'kim', expiresAt: '2026-12-01T00:00:00Z' });
    expect((await add({ like: 'kims' }, { dryRun: true })).text).toContain(
      "  owner: 'jo@example.com',\n  expiresAt: '2026-12-21T12:00:00Z',\n",
    );
  });

  test('of another stage belongs to nobody, and nobody is asked', async () => {
    const nobody = () => Promise.reject(new Error('asked'));
    expect((await add(EUROPE, { person: nobody, dryRun: true })).text).not.toMatch(/owner|expiresAt/);
  });
});

describe('bad input changes nothing', () => {
  test('and gets all its problems at once', async () => {
    const error = await refusal(() =>
      add({
        ...{ name: 'Delta', region: 'us-west-1', size: 'medium', expires: 'soon', block: '10.0.17.0/24' },
        overrides: new Map<string, string | number>([
          ['database.instanceClas', 'm7g.large'],
          ['cache.replicas', 9],
        ]),
      }),
    );
    expect(error.code).toBe('REGISTRY_INVALID');
    expect(error.message).toBe('7 problems in the new cell Delta; nothing was changed');
    expect(found(error)).toEqual([
      'FIELD_FORMAT cells.Delta.name',
      'FIELD_FORMAT cells.Delta.expiresAt',
      'FIELD_UNKNOWN cells.Delta.overrides.database.instanceClas',
      'FIELD_RANGE cells.Delta.overrides.cache.replicas',
      'REGION_TOO_FEW_ZONES cells.Delta.region',
      'NETWORK_SIZE cells.Delta.network.block',
      'NETWORK_OVERLAP cells.Delta.network.block',
    ]);
    for (const { fix } of error.problems) expect(fix).not.toBe('');
  });

  test.each<[string, Partial<NewCell>, string[]]>([
    ['an unknown size', { size: 'huge' }, ['FIELD_VALUE cells.delta.size']],
    ['an unknown stage', { stage: 'prod' }, ['FIELD_VALUE cells.delta.stage']],
    ['an unknown override', { overrides: new Map([['disk.size', 5]]) }, ['FIELD_UNKNOWN cells.delta.overrides.disk']],
    [
      'an unknown class',
      { overrides: new Map([['database.instanceClass', 'x1']]) },
      ['RESOURCE_UNKNOWN cells.delta.overrides.database.instanceClass'],
    ],
    [
      'an override below what the caps need',
      { size: 'medium', overrides: new Map([['database.instanceClass', 't4g.micro']]) },
      ['CAPACITY_UNCARRIED cells.delta.overrides.database.instanceClass'],
    ],
    ['a region with two zones for production', { region: 'us-west-1' }, ['REGION_TOO_FEW_ZONES cells.delta.region']],
    ['an unknown region', { region: 'eu-west-9' }, ['REGION_UNKNOWN cells.delta.region']],
    ['a reserved name', { name: 'pool' }, ['NAME_RESERVED cells.pool.name']],
    ['another cell’s block', { block: '10.0.16.0/20' }, ['NETWORK_DUPLICATE cells.delta.network.block']],
    ['a name that leads elsewhere', { name: '../../elsewhere' }, ['FIELD_FORMAT cells.../../elsewhere.name']],
  ])('%s', async (_, wanted, problems) => {
    const error = await refusal(() => add({ ...EUROPE, ...wanted }));
    expect(error).toMatchObject({ code: 'REGISTRY_INVALID', exitCode: 2 });
    expect(found(error)).toEqual(problems);
  });

  test('a network plan that is exhausted: how many cells, what is left, and what else is wrong', async () => {
    await supernet('10.0.0.0/18');
    expect(await refusal(() => add({ ...EUROPE, size: 'huge' }))).toMatchObject({
      code: 'NETWORK_EXHAUSTED',
      exitCode: 2,
      message: '10.0.0.0/18 has no free /20: 4 cells are there, and there is room for no smaller one; nothing was changed',
      fix: 'widen network.supernet in organization.ts',
      problems: [expect.objectContaining({ code: 'FIELD_VALUE', path: 'cells.delta.size' })],
    });
    await define({ name: 'bravo', network: { block: '10.0.32.0/22' } });
    expect(await refusal(() => add(EUROPE))).toMatchObject({
      message: '10.0.0.0/18 has no free /20: 4 cells are there, and there is room for 1 /21 or 3 /22; nothing was changed',
      fix: 'pass --prefix 21 for a smaller block, or widen network.supernet in organization.ts',
      problems: [],
    });
    expect((await add({ ...EUROPE, prefix: 21 })).text).toContain("'10.0.40.0/21'");
  });

  test('a name that is taken: the file stays as it is', async () => {
    const file = join(folder, 'cells', 'alpha.ts');
    const before = await readFile(file, 'utf8');
    const error = await refusal(() => add({ ...EUROPE, name: 'alpha', size: 'huge' }));
    expect(error).toMatchObject({ code: 'REFUSED', message: 'cells/alpha.ts is there already; nothing was changed' });
    expect(found(error)).toEqual(['FIELD_VALUE cells.alpha.size']);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('a file of that name that came meanwhile: it stays, and nothing is left beside it', async () => {
    const file = join(folder, 'cells', 'delta.ts');
    const meanwhile = async () => {
      await writeFile(file, 'theirs');
      return person();
    };
    const error = await add({ ...EUROPE, stage: 'personal' }, { person: meanwhile }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REFUSED' });
    expect(await readFile(file, 'utf8')).toBe('theirs');
    expect(await readdir(join(folder, 'cells'))).toHaveLength(5);
  });

  test('an organization that is wrong already: its own problems', async () => {
    await define({ name: 'wrong', region: 'eu-west-9' });
    await writeFile(join(folder, 'cells', 'broken.ts'), 'export default');
    const error = await refusal(() => add({ ...EUROPE, size: 'huge' }));
    expect(error.code).toBe('REGISTRY_INVALID');
    expect(found(error)).toEqual(['FILE_UNREADABLE cells/broken.ts', 'REGION_UNKNOWN cells.wrong.region']);
  });

  test('a published document, no region, and no organization', async () => {
    expect(await refusal(() => add(EUROPE, {}, '/tmp/registry.json'))).toMatchObject({ code: 'USAGE' });
    expect(await refusal(() => add({}))).toMatchObject({ code: 'USAGE', message: 'no region' });
    expect(await refusal(() => add(EUROPE, {}, '/nowhere'))).toMatchObject({ code: 'ORGANIZATION_NOT_FOUND' });
    expect(await refusal(() => add(EUROPE, {}, ''))).toMatchObject({ code: 'ORGANIZATION_NOT_FOUND' });
  });

  test('the first production cell without a staging cell', async () => {
    await rm(join(folder, 'cells'), { recursive: true });
    await mkdir(join(folder, 'cells'));
    expect(found(await refusal(() => add(EUROPE)))).toEqual(['PRODUCTION_WITHOUT_STAGING cells']);
  });
});
