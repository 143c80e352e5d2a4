/** A component to start from: what `cellctl component new` writes. Its texts are files, in `templates/`. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { requireName } from '../lib/artifact/packaging.ts';
import { packageRoot } from '../lib/package-root.ts';
import { type Component, FactoryError, isNamed } from '../lib/registry/index.ts';

/** Stands for the component's name. The rule for names keeps anything out that a shell, make, JSON or YAML would heed. */
const PLACEHOLDER = /__COMPONENT__/g;

/** npm leaves `.gitignore` out of packages: in `templates/` such files have this for their dot. */
const DOT = /^dot-/;

/** What both kinds have, and what is a kind's own. */
const folderOf = (part: 'common' | Component['kind']) => join(packageRoot(), 'pipelines', 'templates', part);

/** Writes a component. @returns its files, relative to `folder` @throws FactoryError `USAGE` for the name, `REFUSED` where something is */
export async function writeSkeleton(name: string, kind: Component['kind'], folder: string): Promise<string[]> {
  requireName(name);
  await requireEmpty(folder);
  const written = await Promise.all(
    ([folderOf('common'), folderOf(kind)] as const).map(async (from) => {
      const files = (await readdir(from, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
      return Promise.all(
        files.map(async (entry) => {
          const source = join(entry.parentPath, entry.name);
          const within = source.slice(from.length + 1);
          const path = join(dirname(within), basename(within).replace(DOT, '.'));
          await mkdir(dirname(join(folder, path)), { recursive: true });
          const text = (await readFile(source, 'utf8')).replaceAll(PLACEHOLDER, name);
          await writeFile(join(folder, path), text, { flag: 'wx' });
          return path;
        }),
      );
    }),
  );
  return written.flat().sort();
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isNamed(error, 'ENOENT')) return [];
    if (isNamed(error, 'ENOTDIR')) return [basename(folder)];
    throw error;
  });
  if (names.length === 0) return;
  const found = (await stat(folder)).isDirectory() ? `holds ${names.slice(0, 5).join(', ')}` : 'is a file';
  throw new FactoryError('REFUSED', `${folder} ${found}; nothing was written`, {
    fix: 'name another folder with --folder, or empty this one',
  });
}

/** The entry of the registry that makes it known: `registry/components/<name>.ts`. */
export function registryEntry(name: string, kind: Component['kind'], priority: number): string {
  return [
    "import { defineComponent } from 'cell-factory/registry';",
    '',
    'export default defineComponent({',
    `  name: '${name}',`,
    ...(kind === 'cloudformation' ? [] : [`  kind: '${kind}',`]),
    "  repository: { url: '<what git clone takes>' },",
    `  route: { priority: ${priority}, path: '/${name}*' },`,
    '});',
    '',
  ].join('\n');
}
