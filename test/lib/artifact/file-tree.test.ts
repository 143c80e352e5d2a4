import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTree, type TreeFile, treeDigest } from '../../../lib/artifact/file-tree.ts';

const path = fc.stringMatching(/^[a-z.\- é😀]{1,6}(\/[a-z]{1,3})?$/u);
const file = fc.record({
  path,
  mode: fc.constantFrom('100644' as const, '100755' as const, '120000' as const),
  content: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
});
const tree = fc.uniqueArray(file, { selector: (each) => each.path, minLength: 1, maxLength: 6 });

/** A tree, and one of its files changed. */
const changed = (change: (each: TreeFile) => TreeFile) =>
  fc.tuple(tree, fc.nat()).map(([files, index]) => {
    const at = index % files.length;
    return [files, files.map((each, position) => (position === at ? change(each) : each))] as const;
  });

describe('the digest of a tree', () => {
  test('is the same in whatever order its files come', () => {
    const turned = tree.chain((files) => fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length })));
    fc.assert(fc.property(turned, ([files, shuffled]) => expect(treeDigest(shuffled)).toBe(treeDigest(files))));
  });

  test.each<[string, (file: TreeFile) => TreeFile]>([
    ['byte', (each) => ({ ...each, content: Buffer.from(each.content.map((byte, index) => (index === 0 ? byte ^ 1 : byte))) })],
    ['byte more', (each) => ({ ...each, content: Buffer.concat([each.content, Buffer.from([0])]) })],
    ['mode', (each) => ({ ...each, mode: each.mode === '100644' ? '100755' : '100644' })],
    ['name', (each) => ({ ...each, path: `${each.path}X` })],
  ])('is another with one other %s', (what, change) => {
    fc.assert(
      fc.property(changed(change), ([one, other]) => {
        fc.pre(what !== 'byte' || one.some((each, index) => !each.content.equals(other[index]?.content ?? each.content)));
        expect(treeDigest(other)).not.toBe(treeDigest(one));
      }),
    );
  });

  test('does not take bytes of one file for those of the next', () => {
    const plain = (name: string, content: string): TreeFile => ({ path: name, mode: '100644', content: Buffer.from(content) });
    expect(treeDigest([plain('a', 'x'), plain('b', '')])).not.toBe(treeDigest([plain('a', 'x100644 b\u00000\u0000')]));
  });

  test('stays what it is: others compare it', () => {
    expect(treeDigest([{ path: 'a', mode: '100644', content: Buffer.from('x\n') }])).toMatchInlineSnapshot(
      `"7fd2f44b8452fb61be9023e9b3914e0c53d672dd26156919b533c2ac0d28d11c"`,
    );
  });
});

describe('the tree of an image', () => {
  async function context(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'cell-factory-tree-'));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return folder;
  }
  const FILES = { Dockerfile: 'FROM x', 'src/a.js': 'a', 'src/b.js': 'b' };

  test('is the same wherever it lies, and another with one other file', async () => {
    const [one, same, other] = await Promise.all([context(FILES), context(FILES), context({ ...FILES, 'src/c.js': '' })]);
    expect(await readTree(one)).toEqual({ files: 3, sha256: (await readTree(same)).sha256 });
    expect((await readTree(other)).sha256).not.toBe((await readTree(one)).sha256);
  });

  test('heeds what can be run, and links by where they point, also to nowhere', async () => {
    const folder = await context(FILES);
    const seen = new Set([(await readTree(folder)).sha256]);
    await chmod(join(folder, 'src/a.js'), 0o755);
    seen.add((await readTree(folder)).sha256);
    await symlink('/nowhere', join(folder, 'link'));
    seen.add((await readTree(folder)).sha256);
    expect(seen.size).toBe(3);
  });

  test('leaves out what .dockerignore does, as Docker reads it, but never the Dockerfile', async () => {
    const ignored = { 'node_modules/x/y.js': '1', 'src/a.log': '2', 'src/keep.log': '3', '.env': '4' };
    const rules = '# remark\n\nnode_modules\n**/*.log\n!src/keep.log\n.env\nDockerfile\n.dockerignore\n';
    const [plain, with_] = await Promise.all([
      context({ ...FILES, 'src/keep.log': '3' }),
      context({ ...FILES, ...ignored, '.dockerignore': rules }),
    ]);
    expect(await readTree(with_)).toEqual(await readTree(plain));
    await writeFile(join(with_, 'Dockerfile'), 'FROM y');
    expect(await readTree(with_)).not.toEqual(await readTree(plain));
  });

  test.each(['', '!.git\n!**/.git\n'])('leaves out what git keeps for itself, whatever .dockerignore says: %j', async (rules) => {
    const git = { '.git/HEAD': 'a', 'src/.git': 'gitdir: ../x' };
    const [plain, cloned] = await Promise.all([
      context({ ...FILES, '.dockerignore': rules }),
      context({ ...FILES, ...git, '.dockerignore': rules }),
    ]);
    expect(await readTree(cloned)).toEqual(await readTree(plain));
  });

  test('that lists what counts is made of that only', async () => {
    const folder = await context({ ...FILES, 'README.md': 'x', '.dockerignore': '*\n!src\n' });
    expect((await readTree(folder)).files).toBe(3);
  });
});
