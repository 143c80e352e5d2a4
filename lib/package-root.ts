import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package: the same from `lib/` (tests) and from `dist/lib/` (everybody else). */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The version of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

/**
 * What of this folder is the package, as git's rules of what to ignore: all else is. With the lock file, so that whoever
 * installs it gets the very dependencies that it was tested with.
 */
export function packagePatterns(): string[] {
  const { files } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { files: readonly string[] };
  const parents = (path: string) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => `!/${parts.slice(0, index + 1).join('/')}/`);
  const kept = ['package.json', 'package-lock.json', ...files.filter((file) => !file.startsWith('!'))];
  const left = files.filter((file) => file.startsWith('!'));
  return ['*', ...kept.flatMap((path) => [...parents(path), `!/${path}`, `!/${path}/**`]), ...left.map((path) => `/${path.slice(1)}`)];
}
