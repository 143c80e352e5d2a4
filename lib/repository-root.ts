/** The repository that people work in: their own, where the package is installed, or a checkout of the factory. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from './package-root.ts';

const isRepository = (folder: string) => existsSync(join(folder, 'registry', 'organization.ts'));

/**
 * The folder with `registry/organization.ts`: the working directory, or the nearest above it, as git and npm look for theirs.
 * Outside of all such folders, a checkout of the factory uses its own. @default - the working directory
 */
export function repositoryRoot(workingDirectory: string = process.cwd()): string {
  let folder = resolve(workingDirectory);
  while (!isRepository(folder)) {
    const parent = dirname(folder);
    if (parent === folder) return isRepository(packageRoot()) ? packageRoot() : resolve(workingDirectory);
    folder = parent;
  }
  return folder;
}

/** Where definitions are when nobody says otherwise. */
export const defaultOrganization = (): string => join(repositoryRoot(), 'registry');
