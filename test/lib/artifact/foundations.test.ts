import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib/core';
import { unzipSync } from 'fflate';
import { assetFile, assetsIn } from '../../../lib/artifact/artifacts.ts';
import { readFoundations } from '../../../lib/artifact/foundations.ts';
import { requirePublishable } from '../../../lib/artifact/template-check.ts';
import { Foundation } from '../../../lib/cell/foundation/foundation.ts';
import { createPlan, isVended } from '../../../lib/plan/plan.ts';
import { registry } from '../../_helpers/organization.ts';

const CELLS = new Map([
  ['alpha', 'Cell-alpha'],
  ['staging', 'Cell-staging'],
]);

let folder: string;
let files: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cell-factory-foundations-'));
  const app = new App({ outdir: folder });
  for (const cell of createPlan(registry()).cells) if (CELLS.has(cell.name) && isVended(cell)) new Foundation(app, cell);
  app.synth();
  files = await readFoundations(folder, CELLS);
});

const content = { component: 'foundations', kind: 'foundation', version: '1', template: '{cell}.template.json' } as const;

describe('foundations as they are synthesized', () => {
  test('are the template of each cell, byte for byte, and all that these find beside them', async () => {
    for (const [cell, stack] of CELLS) {
      const text = await readFile(join(folder, `${stack}.template.json`), 'utf8');
      expect(files.get(`${cell}.template.json`)).toBe(text);
      // The zone's delegation is a function whose code the CDK puts there.
      expect(assetsIn(text).length).toBeGreaterThan(0);
      for (const key of assetsIn(text)) expect([...files.keys()]).toContain(assetFile(key));
    }
    expect(() => requirePublishable({ ...content, files, parameters: {}, images: {} })).not.toThrow();
  });

  test('bring code that unpacks to what the CDK has', async () => {
    const [key = ''] = assetsIn(files.get('alpha.template.json') ?? '');
    const unpacked = unzipSync(Buffer.from(files.get(assetFile(key)) ?? '', 'base64'));
    const source = join(folder, `asset.${key.replace('.zip', '')}`);
    expect(Buffer.from(unpacked['index.js'] ?? []).toString()).toBe(await readFile(join(source, 'index.js'), 'utf8'));
  });

  test('are the same bytes each time', async () => {
    expect([...(await readFoundations(folder, CELLS))]).toEqual([...files]);
  });

  test('can’t be published without what their templates need', () => {
    const [key = ''] = assetsIn(files.get('alpha.template.json') ?? '');
    const fewer = new Map([...files].filter(([name]) => name !== assetFile(key)));
    expect(() => requirePublishable({ ...content, files: fewer, parameters: {}, images: {} })).toThrow(
      expect.objectContaining({
        code: 'ARTIFACT_INVALID',
        problems: expect.arrayContaining([expect.objectContaining({ message: `needs ${key}, which is not part of it` })]),
      }),
    );
  });

  test('are refused with an image, which lies in one account', async () => {
    const other = await mkdtemp(join(tmpdir(), 'cell-factory-foundations-'));
    await writeFile(join(other, 'Cell-alpha.template.json'), '{}');
    await writeFile(join(other, 'Cell-alpha.assets.json'), JSON.stringify({ dockerImages: { abc: {} } }));
    await expect(readFoundations(other, new Map([['alpha', 'Cell-alpha']]))).rejects.toThrow('Cell-alpha needs images of the CDK');
  });
});
