/** What an image would be made of, as a digest: the same for the same files, whoever has them wherever. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FactoryError, isNamed, messageOf } from '../registry/index.ts';

/** Git's modes: a file, one that can be run, a link. */
type Mode = '100644' | '100755' | '120000';

export interface TreeFile {
  /** Relative to the tree, with `/`. */
  readonly path: string;
  readonly mode: Mode;
  /** Of a link: where it points. */
  readonly content: Buffer;
}

/** SHA-256 over paths, modes and contents, in the order of paths. Owners and times are none of its business, as in git. */
export function treeDigest(files: readonly TreeFile[]): string {
  const hash = createHash('sha256');
  // By code units: the order must not depend on anybody's language.
  for (const { path, mode, content } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    // No path holds a NUL, and the length says where the content ends: two trees never make the same bytes.
    hash.update(`${mode} ${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * What git keeps for itself: of the same commit it is other bytes in each clone. In a submodule and a work tree it is a file.
 */
const GIT = '.git';

/** Says of a path, relative to the tree, whether it is left out; of a folder, with all that is in it. */
interface Ignore {
  file(path: string): boolean;
  folder(path: string): boolean;
}

/** What `.dockerignore` leaves out, as Docker understands it. */
async function ignoreOf(folder: string): Promise<Ignore> {
  const text = await readFile(join(folder, '.dockerignore'), 'utf8').catch((error: unknown) => {
    if (isNamed(error, 'ENOENT')) return '';
    throw error;
  });
  // The CDK's own reading of such files, by which it makes its images. Loaded here: it takes half a second.
  const { IgnoreStrategy } = await import('aws-cdk-lib/core');
  const patterns = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const strategy = IgnoreStrategy.docker(folder, patterns);
  return {
    // What decides what the image is counts, whatever .dockerignore says: Docker reads it all the same.
    file: (path) => path !== 'Dockerfile' && strategy.ignores(join(folder, path)),
    folder: (path) => strategy.completelyIgnores(join(folder, path)),
  };
}

async function* walk(folder: string, ignore: Ignore, leftOut: string | undefined, within = ''): AsyncGenerator<TreeFile> {
  for (const { name } of await readdir(join(folder, within), { withFileTypes: true })) {
    if (name === GIT) continue;
    const path = within === '' ? name : `${within}/${name}`;
    const at = join(folder, path);
    if (at === leftOut) continue;
    const state = await lstat(at);
    if (state.isDirectory()) {
      if (!ignore.folder(path)) yield* walk(folder, ignore, leftOut, path);
    } else if (ignore.file(path)) {
      // Left out.
    } else if (state.isSymbolicLink()) yield { path, mode: '120000', content: Buffer.from(await readlink(at)) };
    else if (state.isFile()) yield { path, mode: (state.mode & 0o100) === 0 ? '100644' : '100755', content: await readFile(at) };
  }
}

/**
 * The tree that an image of `context` is made of: all its files but those that `.dockerignore` leaves out, and, whatever it
 * says, `.git` and `leftOut`.
 * @param context absolute path of a folder with a Dockerfile
 * @param leftOut absolute path of a folder that the build itself writes: a second one would find what the first has left
 * @throws FactoryError `ARTIFACT_INVALID` when it can't be read
 */
export async function readTree(context: string, leftOut?: string): Promise<{ readonly files: number; readonly sha256: string }> {
  try {
    const files: TreeFile[] = [];
    for await (const file of walk(context, await ignoreOf(context), leftOut)) files.push(file);
    return { files: files.length, sha256: treeDigest(files) };
  } catch (error) {
    throw new FactoryError('ARTIFACT_INVALID', `${context} can't be read: ${messageOf(error)}`, {
      fix: 'pass a folder that holds a Dockerfile and can be read',
      cause: error,
    });
  }
}
