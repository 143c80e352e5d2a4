import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { loadRegistry, serialize } from '../../../lib/registry/index.ts';
import { cellctl } from '../../_helpers/cellctl.ts';
import { definitionsFolder, registry } from '../../_helpers/organization.ts';

let folder: string;
beforeEach(async () => {
  folder = await definitionsFolder();
});

const writeCell = (file: string, text: string) => writeFile(join(folder, 'cells', file), text);

describe('an organization is read from', () => {
  test('a folder of definitions, without node_modules in sight', async () => {
    const { organization, published } = await loadRegistry(folder);
    expect(Object.keys(organization.cells)).toEqual(['alpha', 'bravo', 'charlie', 'staging']);
    expect(Object.keys(organization.components)).toEqual(['orders-api']);
    expect(published).toBeUndefined();
  });

  test('the same folder again after an edit, as it now is', async () => {
    const before = await loadRegistry(folder);
    await rm(join(folder, 'cells', 'charlie.ts'));
    const after = await loadRegistry(folder);
    expect(Object.keys(after.organization.cells)).toEqual(['alpha', 'bravo', 'staging']);
    expect(after.digest).not.toBe(before.digest);
  });

  test('its settings alone, whatever is wrong with its cells', async () => {
    await writeCell('broken.ts', 'export default {{');
    await writeFile(
      join(folder, 'accounts.json'),
      JSON.stringify({ control: { tooling: '222222222222' }, cells: { gone: '111111111111' } }),
    );
    const { organization } = await loadRegistry(folder, { only: 'settings' });
    expect(organization).toMatchObject({ name: 'acme', accounts: { tooling: { accountId: '222222222222' } }, cells: {}, components: {} });
  });

  test('a published document', async () => {
    const file = join(folder, 'registry.json');
    await writeFile(file, serialize({ ...registry(), published: { revision: 3, at: '2026-01-01T00:00:00Z', by: 'ada' } }));
    expect((await loadRegistry(file)).published?.revision).toBe(3);
  });
});

describe('it is refused', () => {
  test('when there is no organization.ts, or no such document', async () => {
    await mkdir(join(folder, 'empty'));
    await expect(loadRegistry(join(folder, 'empty'))).rejects.toMatchObject({ code: 'ORGANIZATION_NOT_FOUND', exitCode: 2 });
    await expect(loadRegistry(join(folder, 'no.json'))).rejects.toMatchObject({ code: 'ORGANIZATION_NOT_FOUND', exitCode: 2 });
  });

  test('with the problems of every file, whether it does not parse, exports nothing, or breaks a rule', async () => {
    await writeCell('broken.ts', 'export default {{');
    await writeCell('empty.ts', 'export const nothing = 1;');
    await writeCell(
      'clash.ts',
      `import { defineCell } from 'cell-factory/registry';
      export default defineCell({ name: 'clash', stage: 'production', region: 'eu-west-1', network: { block: '10.0.16.0/20' } });`,
    );
    const error = await loadRegistry(folder).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REGISTRY_INVALID' });
    expect((error as { problems: { code: string; path: string }[] }).problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'FILE_UNREADABLE cells/broken.ts',
      'FILE_WITHOUT_DEFAULT cells/empty.ts',
      'NETWORK_DUPLICATE cells.clash.network.block',
    ]);
  });

  test('when a file can’t be a definition by its name, or has a name that JavaScript knows', async () => {
    await writeCell('zulu.TS', '');
    const text =
      "import { defineCell } from 'cell-factory/registry';\nexport default defineCell({ name: '__proto__', stage: 'production', region: 'eu-west-1', network: { block: '10.9.0.0/20' } });";
    await writeCell('__proto__.ts', text);
    await writeCell('.hidden.ts', 'not looked at');
    await expect(loadRegistry(folder)).rejects.toMatchObject({
      problems: [
        { code: 'FILE_IGNORED', path: 'cells/zulu.TS' },
        { code: 'FIELD_FORMAT', path: 'cells.__proto__.name' },
      ],
    });
  });

  test('when a definition would end the process; what one prints does not get between the results', async () => {
    await writeCell('early.ts', 'console.log("hi from early.ts"); process.exit(0);');
    const { code, stdout, stderr } = await cellctl(['validate', '--json', '--organization', folder]);
    expect({ code, problems: JSON.parse(stdout).problems }).toMatchObject({
      code: 2,
      problems: [{ code: 'FILE_UNREADABLE', path: 'cells/early.ts', message: 'calls process.exit(0)' }],
    });
    expect(stderr).toContain('hi from early.ts');
  });

  test('when the lock file gives one account to two cells', async () => {
    await writeFile(
      join(folder, 'accounts.json'),
      JSON.stringify({ control: {}, cells: { alpha: '111111111111', bravo: '111111111111' } }),
    );
    await expect(loadRegistry(folder)).rejects.toMatchObject({ problems: [{ code: 'ACCOUNT_REUSED', path: 'cells.bravo.accountId' }] });
  });
});
