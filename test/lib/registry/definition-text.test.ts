import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createJiti } from 'jiti';
import { type AwsCellDefinition, defineCell } from '../../../lib/registry/define.ts';
import { definitionText } from '../../../lib/registry/definition-text.ts';
import { run } from '../../_helpers/cellctl.ts';

const REMARK = 'Made for a test.';
const plain: AwsCellDefinition = { name: 'delta', stage: 'production', region: 'eu-west-1', network: { block: '10.0.64.0/20' } };
const clients = (count: number) => Array.from({ length: count }, (_, index) => `203.0.${index}.0/24`);

const VARIANTS: Record<string, AwsCellDefinition> = {
  plain,
  sized: { ...plain, size: 'large', tier: 'dedicated', importance: 'high', trafficWeight: 0.5 },
  personal: { ...plain, stage: 'personal', owner: 'jo@example.com', expiresAt: '2030-01-31T18:00:00Z' },
  apostrophes: { ...plain, owner: "Jo O'Neill", tags: { it: `'a' and "b"`, back: 'a\\b', both: `it's "one"`, lines: 'a\nb' } },
  overridden: {
    ...plain,
    capacity: { maxTenants: 50, headroom: 0.6 },
    overrides: { database: { standby: false, storageGiB: 200 }, cache: { replicas: 0 }, service: { minTasks: 4 }, nat: 'one-gateway' },
  },
  overlong: {
    ...plain,
    overrides: {
      database: { instanceClass: 'r7g.2xlarge', storageGiB: 1_000, maxStorageGiB: 4_000, standby: true, backupDays: 35 },
      cache: { nodeType: 'cache.r7g.2xlarge', replicas: 2 },
      service: { cpu: 4_096, memoryMiB: 16_384, minTasks: 10, maxTasks: 200 },
    },
  },
  'overlong-list': { ...plain, platforms: ['ecs', 'eks'], network: { block: '10.0.64.0/20', clients: clients(12) } },
  tagged: { ...plain, tags: { 'cost-center': '42', team: 'orders', Größe: 'x', class: 'y', '1': 'one' } },
  'overlong-tags': { ...plain, tags: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`tag-${index}`, 'x'.repeat(20)])) },
};
// Lines right at the limit, and one character beyond it on either side.
for (let length = 118; length <= 130; length++) VARIANTS[`width-${length}`] = { ...plain, tags: { a: 'x'.repeat(length) } };
for (let length = 40; length <= 52; length++)
  VARIANTS[`clients-${length}`] = { ...plain, network: { block: '10.0.64.0/20', clients: [...clients(5), 'x'.repeat(length - 30)] } };

describe('the text of a definition', () => {
  test('leaves Biome nothing to change', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cell-factory-text-'));
    await mkdir(join(folder, 'cells'));
    for (const [name, definition] of Object.entries(VARIANTS))
      await writeFile(join(folder, 'cells', `${name}.ts`), definitionText(definition, REMARK));
    expect(await readdir(join(folder, 'cells'))).toHaveLength(Object.keys(VARIANTS).length);
    const biome = resolve('node_modules/.bin/biome');
    const { code, stdout, stderr } = await run(biome, [
      'ci',
      '--error-on-warnings',
      '--colors=off',
      `--config-path=${resolve('.')}`,
      folder,
    ]);
    expect({ code, stdout: stdout.replace(/Checked (\d+) files.*\n?/, '$1'), stderr }).toEqual({
      code: 0,
      stdout: String(Object.keys(VARIANTS).length),
      stderr: '',
    });
  });

  test('is the definition: whatever it holds, importing it gives the same', async () => {
    const jiti = createJiti(import.meta.url, { alias: { 'cell-factory/registry': resolve('lib/registry/define.ts') }, fsCache: false });
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    // A prototype can't be set by writing a field, and no tag is called so.
    const key = text.filter((each) => each !== '__proto__' && each !== '');
    await fc.assert(
      fc.asyncProperty(text, fc.dictionary(key, text, { maxKeys: 4 }), fc.array(text, { maxLength: 4 }), async (owner, tags, list) => {
        const definition = { ...plain, owner, tags, network: { block: '10.0.64.0/20', clients: list } };
        const module = (await jiti.evalModule(definitionText(definition, REMARK), { filename: resolve('registry/cells/delta.ts') })) as {
          default: unknown;
        };
        expect(module.default).toEqual(defineCell(definition));
      }),
      { numRuns: 100 },
    );
  });

  test('has its fields in the order in which people read them, and nothing that is undefined', () => {
    expect(
      definitionText({ tags: { team: 'a' }, ...plain, size: 'medium', owner: undefined } as unknown as AwsCellDefinition, REMARK),
    ).toBe(
      `import { defineCell } from 'cell-factory/registry';

/** Made for a test. */
export default defineCell({
  name: 'delta',
  stage: 'production',
  region: 'eu-west-1',
  size: 'medium',
  network: { block: '10.0.64.0/20' },
  tags: { team: 'a' },
});
`,
    );
  });
});
