/** The cells' own stacks as they were synthesized: what an artifact of kind `foundation` is made of. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strToU8, type Zippable, zipSync } from 'fflate';
import { z } from 'zod';
import { FactoryError } from '../registry/index.ts';
import { assetFile, CELL, templateFor } from './artifacts.ts';
import { readJson, readText } from './build-files.ts';

/** Name of a cell's template among the files of an artifact. */
export const TEMPLATE = `${CELL}.template.json`;

const assetsSchema = z.looseObject({
  files: z
    .record(
      z.string(),
      z.looseObject({
        source: z.looseObject({ path: z.string(), packaging: z.enum(['zip', 'file']) }),
        destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
      }),
    )
    .default({}),
  dockerImages: z.record(z.string(), z.unknown()).default({}),
});

/** A moment that every archive is from, so that the same files are the same bytes; ZIP begins with 1980. */
const EPOCH = new Date(1980, 0, 1, 12);

/**
 * Reads the templates of cells from an assembly of the CDK, and what lies beside them: code of functions, which goes along
 * as base64, because artifacts are kept as text.
 * @param stacks name of the stack, by the name of the cell
 * @returns texts by the name of the file
 * @throws FactoryError `ARTIFACT_INVALID` for images, which lie in one account
 */
export async function readFoundations(directory: string, stacks: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const packed = new Map<string, string>();
  for (const [cell, stack] of stacks) {
    const template = `${stack}.template.json`;
    files.set(templateFor({ template: TEMPLATE }, cell), await readText(join(directory, template)));
    const assets = await readJson(join(directory, `${stack}.assets.json`), assetsSchema);
    const images = Object.keys(assets.dockerImages);
    if (images.length > 0) {
      throw new FactoryError('ARTIFACT_INVALID', `${stack} needs images of the CDK, which lie in one account: ${images.join(', ')}`, {
        fix: 'let a component run them, or deploy this cell with `cellctl deploy`',
      });
    }
    for (const { source, destinations } of Object.values(assets.files)) {
      if (source.path === template) continue;
      const path = join(directory, source.path);
      const content =
        packed.get(path) ?? Buffer.from(source.packaging === 'zip' ? await zipped(path) : await readFile(path)).toString('base64');
      // Most cells have the same.
      packed.set(path, content);
      for (const { objectKey } of Object.values(destinations)) files.set(assetFile(objectKey), content);
    }
  }
  return files;
}

async function zipped(folder: string): Promise<Uint8Array> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const zip: Zippable = {};
  // Readable by everybody: functions run as somebody else.
  for (const path of paths) zip[path.slice(folder.length + 1)] = [await readFile(path), { mtime: EPOCH, os: 3, attrs: 0o100644 << 16 }];
  return paths.length === 0 ? strToU8('') : zipSync(zip);
}
