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

/** Files of the package for readers: a change of theirs needs no new pipelines. */
const FOR_READERS = /^docs\//;

/**
 * The package without its documentation, as git's rules of what to ignore. With the lock file in `dist/`, where npm packs it:
 * at the root it never does. So whoever installs the dependencies gets those that the package was tested with.
 */
export function packagePatterns(): string[] {
  const { files } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { files: readonly string[] };
  const parents = (path: string) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => `!/${parts.slice(0, index + 1).join('/')}/`);
  const kept = ['package.json', ...files.filter((file) => !file.startsWith('!') && !FOR_READERS.test(file))];
  const left = files.filter((file) => file.startsWith('!'));
  return ['*', ...kept.flatMap((path) => [...parents(path), `!/${path}`, `!/${path}/**`]), ...left.map((path) => `/${path.slice(1)}`)];
}
