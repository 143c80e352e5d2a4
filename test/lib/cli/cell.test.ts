import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { cellctl } from '../../_helpers/cellctl.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

/** No lock file, and a git that knows who we are. */
const ENVIRONMENT = {
  CELL_FACTORY_ACCOUNTS: '/nowhere/accounts.json',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'user.email',
  GIT_CONFIG_VALUE_0: 'jo@example.com',
};

let folder: string;
beforeEach(async () => {
  folder = await definitionsFolder();
});
const add = (...args: string[]) => cellctl(['cell', 'add', ...args, '--organization', folder], ENVIRONMENT);

describe('cellctl cell add', () => {
  test('writes the definition, and says on one screen what it brings, costs and changes, and what comes next', async () => {
    const { code, stdout, stderr } = await add('delta', '--like', 'bravo', '--override', 'cache.replicas=2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const file = join(folder, 'cells', 'delta.ts');
    for (const part of [
      `wrote ${file}\n`,
      'delta: production, medium, shared, in eu-west-1',
      '10.0.64.0/20; after it, 4,091 more /20 are free in 10.0.0.0/8',
      'cell-delta, aws+cell-delta@example.com',
      'https://delta.cells.example.com',
      'PostgreSQL m7g.large, with standby, 100 GiB growing to 500, 14 days of recovery',
      'Valkey m7g.large, 2 replicas',
      '3 to 12 tasks of each component, 0.5 vCPU and 1,024 MiB each',
      '3 zones, a NAT gateway in each',
      '1,000 requests/s, 500 tenants; counts as full at 70 %: 700 requests/s, 350 tenants',
      'cache.replicas is 2 instead of 1',
      'an estimate',
      'list prices of us-east-1',
      'number 4 of 5 cells: after bravo, before charlie',
      '33 % of the traffic by weight: 4 of 12',
      `git add ${file}`,
      `cellctl accounts delta --organization ${folder}`,
      `cellctl publish --organization ${folder}`,
      `cellctl deploy delta --organization ${folder}`,
      `cellctl publish --organization ${folder}`,
      `cellctl rollout catch-up delta --organization ${folder}`,
    ])
      expect(stdout).toContain(part);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 140)).toEqual([]);
    expect(await readFile(file, 'utf8')).toContain('overrides: { cache: { replicas: 2 } }');
    expect((await cellctl(['validate', '--organization', folder], ENVIRONMENT)).code).toBe(0);
  });

  test('says the same as data with --json', async () => {
    const { code, stdout, stderr } = await add('delta', '--region', 'us-east-1', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const data = JSON.parse(stdout) as Record<string, unknown> & {
      definition: string;
      estimate: { monthly: number; items: { monthly: number }[] };
    };
    expect(data).toMatchObject({
      file: join(folder, 'cells', 'delta.ts'),
      written: true,
      assumed: [],
      cell: { name: 'delta', stage: 'production', region: 'us-east-1', size: 'small', endpoint: 'https://delta.cells.example.com' },
      account: { name: 'cell-delta', email: 'aws+cell-delta@example.com' },
      network: { block: '10.0.64.0/20', supernet: '10.0.0.0/8', prefix: 20, free: 4_091 },
      estimate: { source: expect.stringMatching(/^estimate: /) },
      rollout: { place: 3, of: 5, after: 'alpha', before: 'bravo' },
      traffic: { weight: 1, total: 9 },
      warnings: [],
      next: expect.arrayContaining([`cellctl deploy delta --organization ${folder}`]),
    });
    expect(data.definition).toBe(await readFile(join(folder, 'cells', 'delta.ts'), 'utf8'));
    expect(data.estimate.items.reduce((sum, { monthly }) => sum + monthly, 0)).toBeCloseTo(data.estimate.monthly, 6);
  });

  test('says whose a personal cell is and when it ends, where nobody said it', async () => {
    const { code, stdout } = await add('jo', '--stage', 'personal', '--region', 'eu-west-1', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^would write /);
    expect(stdout).toContain('it belongs to jo@example.com, from git config user.email');
    expect(stdout).toMatch(/it ends at \d{4}-\d{2}-\d{2}T[\d:]+Z, in 30 days/);
    expect(stdout).toContain("none of the customers' traffic: it is a personal cell");
    expect(stdout).toContain('run it again without --dry-run');
    expect(await readdir(join(folder, 'cells'))).not.toContain('jo.ts');
  });

  test('asks the operating system where git knows nobody', async () => {
    const { stdout } = await cellctl(
      ['cell', 'add', 'jo', '--stage', 'personal', '--region', 'eu-west-1', '--dry-run', '--json', '--organization', folder],
      { ...ENVIRONMENT, GIT_CONFIG_VALUE_0: '' },
    );
    expect(JSON.parse(stdout)).toMatchObject({ assumed: [expect.stringContaining('from the user of this machine'), expect.anything()] });
  });

  test('warns of what is unwise since the cell is there', async () => {
    const { code, stderr } = await add('delta', '--region', 'eu-west-1', '--override', 'database.standby=false');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning cells\.delta\.overrides\.database\.standby .* PRODUCTION_WEAKENED\n {4}fix: remove the override\n$/);
  });

  test('tells every problem of bad input, and changes nothing', async () => {
    const { code, stdout, stderr } = await add(
      'delta',
      '--region',
      'us-west-1',
      '--size',
      'huge',
      '--override',
      'disk.size=5',
      '--expires',
      'soon',
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^REGISTRY_INVALID: 4 problems in the new cell delta; nothing was changed\n/);
    for (const path of ['region', 'size', 'overrides.disk', 'expiresAt']) expect(stderr).toContain(`cells.delta.${path}  `);
    expect(stderr.match(/fix: /g)).toHaveLength(4);
    expect(await readdir(join(folder, 'cells'))).toEqual(['alpha.ts', 'bravo.ts', 'charlie.ts', 'staging.ts']);
  });

  test('tells what is left of a network plan that is exhausted', async () => {
    const file = join(folder, 'organization.ts');
    await writeFile(file, (await readFile(file, 'utf8')).replace('10.0.0.0/8', '10.0.0.0/18'));
    const { code, stderr } = await add('delta', '--region', 'eu-west-1', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'NETWORK_EXHAUSTED',
        message: expect.stringContaining('10.0.0.0/18 has no free /20: 4 cells are there'),
        problems: [],
      },
    });
  });
});
