/** The libraries that a component's CDK app imports, as links to those of the factory: what `cellctl component link` makes. */
import { lstat, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../lib/package-root.ts';
import { FactoryError, isNamed } from '../lib/registry/index.ts';

/** One copy of each for the factory and the component: constructs of two copies don't fit together. */
const LIBRARIES = ['cell-factory', 'aws-cdk-lib', 'constructs'] as const;
type Library = (typeof LIBRARIES)[number];

const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
});

/** Where the factory itself finds a library: npm and pnpm put it into different folders. @throws FactoryError `PACKAGE_MISSING` */
function folderOf(library: Library): string {
  const root = packageRoot();
  if (library === 'cell-factory') return root;
  try {
    return dirname(createRequire(join(root, 'package.json')).resolve(`${library}/package.json`));
  } catch (cause) {
    throw new FactoryError('PACKAGE_MISSING', `the cell factory in ${root} finds no ${library}`, {
      cause,
      fix: `install it beside cell-factory: npm install ${library}`,
    });
  }
}

/** Names of the packages that the component installs itself. */
async function ownPackages(folder: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch((error: unknown) => {
    if (isNamed(error, 'ENOENT')) return '{}';
    throw error;
  });
  try {
    const { dependencies, devDependencies } = manifestSchema.parse(JSON.parse(text));
    return new Set(Object.keys({ ...dependencies, ...devDependencies }));
  } catch (cause) {
    throw new FactoryError('USAGE', `package.json in ${folder} is not one that npm reads`, { cause, fix: 'correct the file' });
  }
}

/**
 * Links `node_modules/<library>` in `folder` for each library that its package.json doesn't list.
 * @returns what was linked, with where it leads
 * @throws FactoryError `PACKAGE_MISSING`, `REFUSED` where something else than a link is in the place of one
 */
export async function linkLibraries(folder: string): Promise<Partial<Record<Library, string>>> {
  const own = await ownPackages(folder);
  const linked: Partial<Record<Library, string>> = {};
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  for (const library of LIBRARIES.filter((each) => !own.has(each))) {
    const link = join(folder, 'node_modules', library);
    const there = await lstat(link).catch(() => undefined);
    if (there !== undefined && !there.isSymbolicLink()) {
      throw new FactoryError('REFUSED', `${link} is no link, and package.json doesn't list ${library}`, {
        fix: `remove it, or add ${library} to devDependencies`,
      });
    }
    await rm(link, { force: true });
    const target = folderOf(library);
    await symlink(target, link, 'dir');
    linked[library] = target;
  }
  return linked;
}
