import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Problem } from '../../../lib/registry/index.ts';
import { cellctl, run } from '../../_helpers/cellctl.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

let folder: string;
beforeAll(async () => {
  folder = await definitionsFolder();
});

describe('cellctl', () => {
  test.each([
    '',
    'init',
    'validate',
    'plan',
    'publish',
    'registry',
    'registry show',
    'registry diff',
    'registry rollback',
    'registry verify',
    'cell',
    'cell add',
    'accounts',
    'deploy',
    'component new',
    'component check',
    'component package',
    'component publish',
    'component releases',
    'component deploy',
    'component remove',
    'component rename',
    'rollout',
    'rollout plan',
    'rollout start',
    'rollout watch',
    'rollout status',
    'rollout pause',
    'rollout resume',
    'rollout stop',
    'rollout rollback',
    'rollout approve',
    'rollout skip-bake',
    'rollout history',
    'status',
    'versions',
    'drill',
    'drill alarm',
    'destroy',
    'local',
    'local env',
  ])('explains itself, with examples: %s --help', async (command) => {
    const { code, stdout, stderr } = await cellctl([...command.split(' ').filter(Boolean), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of ['Usage: cellctl', '--organization', '--json', '--quiet']) expect(stdout).toContain(part);
    if (!['registry', 'component', 'cell', 'rollout', 'drill'].includes(command)) expect(stdout).toContain('Example');
  });

  test.each([
    [['nonsense'], 'unknown command'],
    [['deploy', '--fast'], 'unknown option'],
    [['destroy'], 'missing required argument'],
    [['deploy'], 'USAGE: no cell was named'],
    [['deploy', 'alpha', '--all'], 'USAGE: cells and --all together'],
    [['deploy', 'alpha', '--tooling'], 'USAGE: --tooling deploys no cells'],
    [['deploy', 'alpha', '--concurrency', 'many'], 'USAGE: --concurrency is "many"'],
    [['deploy', 'zulu'], 'CELL_UNKNOWN: no such cell: zulu'],
    [['plan', 'zulu'], 'CELL_UNKNOWN: no such cell: zulu'],
    [['cell', 'add'], 'missing required argument'],
    [['cell', 'add', 'delta'], 'USAGE: no region'],
    [['cell', 'add', 'delta', '--like', 'alpha', '--prefix', '23'], 'USAGE: --prefix is "23"'],
    [['cell', 'add', 'delta', '--like', 'alpha', '--prefix', '20', '--block', '10.9.0.0/20'], 'USAGE: --block and --prefix'],
    [['cell', 'add', 'delta', '--like', 'alpha', '--override', 'standby'], 'USAGE: --override is "standby"'],
    [['cell', 'add', 'delta', '--like', 'zulu'], 'CELL_UNKNOWN: no such cell: zulu'],
    [['cell', 'add', 'delta', '--like', 'alpha', '--organization', 'registry.json'], 'USAGE: registry.json is a published document'],
    [['component', 'publish', 'orders-api'], "required option '-f, --from <folder>'"],
    [['component', 'new', 'billing'], "required option '-k, --kind <kind>'"],
    [['component', 'new', 'billing', '--kind', 'helm'], 'Allowed choices are cloudformation, kubernetes'],
    [['component', 'check', '--', '--upload-pack=x'], 'USAGE: "--upload-pack=x" would be an option of git'],
    [['component', 'check', 'http://example.com/x'], 'USAGE: git is not allowed http://'],
    [['component', 'package', 'billing', '--release', '1'], 'USAGE: nothing to package'],
    [['component', 'package', 'billing', '-a', '.', '-m', '.', '--release', '1'], 'USAGE: --assembly and --manifests at once'],
    [['component', 'package', 'billing', '-a', '.', '--image', '.', '--release', '1'], 'USAGE: --image is "."'],
    [['component', 'publish', 'billing', '--from', '.', '--release', '1'], 'COMPONENT_UNKNOWN: no such component: billing'],
    [['component', 'publish', 'orders-api', '--from', '.', '--release', '1'], 'COMPONENT_UNKNOWN: . is no cloud assembly'],
    [['component', 'publish', 'orders-api', '--from', '.', '--release', '1', '-p', 'x'], 'USAGE: --parameter is "x"'],
    [
      ['component', 'deploy', 'orders-api', 'staging', 'alpha', '--from', '.', '--image', 'x', '--release', '1'],
      'REFUSED: staging, alpha are no personal cells',
    ],
    [['component', 'releases', 'billing'], 'COMPONENT_UNKNOWN: no such component: billing'],
    [['registry', 'history', '--limit', '0'], 'USAGE: --limit is "0"'],
    [['registry', 'diff', 'one'], 'USAGE: from is "one"'],
    [['registry', 'rollback', '-1'], 'USAGE: revision is "-1"'],
    [['accounts', '--watch', 'pool', '--keep', '1'], 'USAGE: --watch only looks'],
    [['publish', '--base', '1.5'], 'USAGE: --base is "1.5"'],
    [['rollout', 'plan'], 'missing required argument'],
    [['rollout', 'plan', 'nonsense'], 'COMPONENT_UNKNOWN: no such component: nonsense'],
    [['rollout', 'plan', 'orders-api', '--time-scale', '2'], 'USAGE: --time-scale is "2"'],
    [['rollout', 'plan', 'orders-api', '--time-scale', '0'], 'USAGE: --time-scale is "0"'],
    [['rollout', 'start', 'orders-api'], "required option '-r, --release <version>' not specified"],
    [['rollout', 'start', 'orders-api', '--release', '2', '--time-scale', 'fast'], 'USAGE: --time-scale is "fast"'],
    [['rollout', 'start', 'orders-api', '--release', '2'], 'NOT_INITIALIZED'],
    [['rollout', 'pause'], 'missing required argument'],
    [['rollout', 'approve', 'orders-api', '--wave', 'one'], 'USAGE: --wave is "one"'],
    [['rollout', 'skip-bake', 'orders-api'], "required option '--reason <text>' not specified"],
    [['rollout', 'skip-bake', 'orders-api', '--reason', ' '], 'USAGE: --reason is empty'],
    [['rollout', 'rollback', 'orders-api', '--all', '--wave-only'], 'USAGE: --all and --wave-only together'],
    [['rollout', 'history', '--limit', '0'], 'USAGE: --limit is "0"'],
    [['drill', 'alarm'], "required option '-c, --cell <name>' not specified"],
    [['drill', 'alarm', '--cell', 'zulu'], 'CELL_UNKNOWN: no such cell: zulu'],
    [['drill', 'alarm', '--cell', 'alpha'], 'REFUSED: alpha serves customers'],
    [['drill', 'alarm', '--cell', 'alpha', '--for', 'ever'], 'USAGE: --for is "ever"'],
    [['drill', 'alarm', '--cell', 'alpha', '--for', '2h'], 'USAGE: --for is "2h"'],
    [['drill', 'alarm', '--cell', 'alpha', '--alarm', 'cell-bravo-latency'], 'USAGE: cell-bravo-latency is no alarm of alpha'],
    [['drill', 'alarm', '--cell', 'alpha', '--during', 'orders-api'], 'REFUSED: alpha serves customers'],
    [
      ['drill', 'alarm', '--cell', 'staging', '--during', 'orders-api', '--for', '5s'],
      "option '--for <duration>' cannot be used with option '--during",
    ],
    [['drill', 'alarm', '--cell', 'staging', '--during', 'orders-api', '--wait', '8d'], 'USAGE: --wait is "8d"'],
    [['drill', 'alarm', '--cell', 'staging'], 'CELL_WITHOUT_ACCOUNT'],
    [['validate', '--organization', ''], 'ORGANIZATION_NOT_FOUND: the path of the organization is empty'],
    [['validate', '--organization', 'nowhere'], 'ORGANIZATION_NOT_FOUND: nowhere'],
  ])('%p is wrong usage: 2, said on stderr', async (args, reason) => {
    const { code, stdout, stderr } = await cellctl(args, { CELL_FACTORY_ACCOUNTS: '/nowhere/accounts.json' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(reason);
  });

  test('says wrong usage as JSON with --json', async () => {
    const { code, stdout, stderr } = await cellctl(['nonsense', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE', message: expect.stringContaining('nonsense') } });
  });

  test('foresees a rollout by the definitions where nothing can be published yet, and says so', async () => {
    const environment = { CELL_FACTORY_ACCOUNTS: '/nowhere/accounts.json' };
    const human = await cellctl(['rollout', 'plan', 'orders-api', '--release', '2.0.0', '--organization', folder], environment);
    expect(human).toMatchObject({ code: 0, stderr: expect.stringMatching(/^`cellctl init` has not been run/) });
    expect(human.stdout).toMatch(/^orders-api 2\.0\.0 through 0 cells, by definitions that nobody has published\n/);
    expect(human.stdout).toContain('left out: alpha: It is not built yet');
    const machine = await cellctl(
      ['rollout', 'plan', 'orders-api', '--time-scale', '0.01', '--json', '--organization', folder],
      environment,
    );
    expect(machine).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(machine.stdout)).toMatchObject({ component: 'orders-api', timeScale: 0.01, waves: expect.any(Array) });
  });

  test('gives a shell that wanted the local cloud an endpoint where nothing is, rather than leaving it on AWS', async () => {
    const broken = await definitionsFolder();
    await writeFile(join(broken, 'organization.ts'), 'export default {};');
    const program = `eval "$(bin/cellctl local env --organization ${broken})"; echo "$? $AWS_ENDPOINT_URL"`;
    expect((await run('bash', ['-c', program])).stdout).toBe('1 http://localhost:1\n');
  });

  test('takes global options before and after the command', async () => {
    const before = await cellctl(['--json', '--organization', folder, 'validate']);
    const after = await cellctl(['validate', '--organization', folder, '--json']);
    expect(before).toEqual(after);
    expect(JSON.parse(after.stdout)).toMatchObject({ valid: true, cells: 4, components: 1 });
  });

  test('tells every problem of an invalid registry, to people and to machines', async () => {
    const broken = await definitionsFolder();
    const define = (name: string, rest: string) =>
      writeFile(
        join(broken, 'cells', `${name}.ts`),
        `import { defineCell } from 'cell-factory/registry';\nexport default defineCell({ name: '${name}', ${rest} });\n`,
      );
    await define('one', "stage: 'production', region: 'eu-west-9', network: { block: '10.0.16.0/20' }");
    await define('me', "stage: 'personal', region: 'eu-west-1', network: { block: '10.9.0.0/20' }");
    const human = await cellctl(['validate', '--organization', broken]);
    expect(human).toMatchObject({ code: 2, stdout: '' });
    expect(human.stderr).toMatch(/^REGISTRY_INVALID: 4 problems in .*; nothing was changed\n/);
    const machine = await cellctl(['validate', '--organization', broken, '--json']);
    expect(machine).toMatchObject({ code: 2, stderr: '' });
    const { valid, problems } = JSON.parse(machine.stdout) as { valid: boolean; problems: Problem[] };
    expect(valid).toBe(false);
    expect(problems.map(({ code, path, file, line }) => `${code} ${path} ${file}:${line}`)).toEqual([
      'REGION_UNKNOWN cells.one.region cells/one.ts:2',
      'NETWORK_DUPLICATE cells.one.network.block cells/one.ts:2',
      'PERSONAL_WITHOUT_OWNER cells.me.owner cells/me.ts:undefined',
      'PERSONAL_WITHOUT_EXPIRY cells.me.expiresAt cells/me.ts:undefined',
    ]);
    for (const { path, fix } of problems) {
      expect(human.stderr).toContain(path);
      expect(human.stderr).toContain(`fix: ${fix}`);
    }
  });

  test('tells what is legal and unwise, which fails only when it shall', async () => {
    const unwise = await definitionsFolder();
    const file = join(unwise, 'cells', 'alpha.ts');
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace("importance: 'low',", "importance: 'low',\n  capacity: { headroom: 0.95 },"),
    );
    const { code, stdout, stderr } = await cellctl(['validate', '--organization', unwise]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^valid: acme/) });
    expect(stderr).toMatch(
      /^warning cells\.alpha\.capacity\.headroom {2}0\.95 leaves no room for a peak {2}HEADROOM_SMALL {2}cells\/alpha\.ts:10\n/,
    );
    expect((await cellctl(['validate', '--strict', '--organization', unwise])).code).toBe(2);
    const machine = await cellctl(['validate', '--json', '--organization', unwise]);
    expect(JSON.parse(machine.stdout)).toMatchObject({
      valid: true,
      warnings: [{ code: 'HEADROOM_SMALL', file: 'cells/alpha.ts', line: 10 }],
    });
  });

  test('says no word more than asked with --quiet, and colours nothing with NO_COLOR', async () => {
    expect(await cellctl(['validate', '--quiet', '--organization', folder])).toEqual({ code: 0, stdout: '', stderr: '' });
    const { stdout } = await cellctl(['plan', '--organization', folder], {
      CELL_FACTORY_ACCOUNTS: '/nowhere/accounts.json',
      FORCE_COLOR: '',
    });
    expect(stdout).toContain('CHANGE');
    expect(stdout).not.toContain('\u001b[');
  });
});

test('cell-factory/registry can be imported alone, by its package name', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'cell-factory-import-'));
  const program = `const { defineCell, RegistryReader } = await import('cell-factory/registry');
    const { size } = defineCell({ name: 'a', stage: 'production', region: 'eu-west-1', network: { block: '10.0.0.0/20' } });
    console.log(size, typeof RegistryReader);`;
  await mkdir(join(elsewhere, 'node_modules'));
  await symlink(resolve('.'), join(elsewhere, 'node_modules', 'cell-factory'));
  await writeFile(join(elsewhere, 'main.mjs'), program);
  expect(
    await run(process.execPath, [join(elsewhere, 'main.mjs')], { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }),
  ).toMatchObject({
    code: 0,
    stdout: 'small function\n',
  });
});
