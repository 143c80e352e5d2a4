/**
 * Writes the reader as a package of its own: `cell-factory/registry` and what it imports, from what was built, with a
 * package.json that lists the packages really imported. Usage: `npx jiti tools/reader-package.ts <folder>`.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { packageRoot } from '../lib/package-root.ts';

const ENTRY = 'lib/registry/public';

interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What a built file imports or re-exports, as it is written there. */
const importsOf = (text: string) => [...text.matchAll(/^(?:import|export)\b[^;]*?from ['"]([^'"]+)['"]/gm)].map(([, from = '']) => from);

/** The files that `entry` reaches by relative imports, itself included, and the packages that they import. */
async function reach(entry: string): Promise<{ files: Set<string>; packages: Set<string> }> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    files.add(file);
    for (const from of importsOf(await readFile(file, 'utf8'))) {
      // Declarations name their neighbours as .ts or .js; beside a .d.ts lies another one.
      if (from.startsWith('.')) await visit(join(dirname(file), file.endsWith('.d.ts') ? from.replace(/\.[jt]s$/, '.d.ts') : from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  await visit(entry);
  return { files, packages };
}

async function writePackage(folder: string): Promise<void> {
  const root = packageRoot();
  const built = join(root, 'dist');
  const { version, license, engines, dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as PackageJson;
  const [code, types] = await Promise.all([reach(join(built, `${ENTRY}.js`)), reach(join(built, `${ENTRY}.d.ts`))]);
  await rm(folder, { recursive: true, force: true });
  for (const file of [...code.files, ...types.files]) {
    const target = join(folder, relative(built, file));
    await mkdir(dirname(target), { recursive: true });
    await cp(file, target);
  }
  const manifest = {
    name: 'cell-factory',
    version,
    description: 'Reads the published cell registry, and defines what is in it.',
    license,
    type: 'module',
    engines,
    exports: { './registry': { types: `./${ENTRY}.d.ts`, default: `./${ENTRY}.js` }, './package.json': './package.json' },
    dependencies: Object.fromEntries([...new Set([...code.packages, ...types.packages])].sort().map((name) => [name, dependencies[name]])),
    // Without a scope, restricted can't be published to a public registry, even by mistake.
    publishConfig: { access: 'restricted' },
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await cp(join(root, 'docs/reading-the-registry.md'), join(folder, 'README.md'));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: npx jiti tools/reader-package.ts <folder>\n');
  process.exitCode = 2;
} else await writePackage(folder);
