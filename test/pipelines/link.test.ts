/** The factory's libraries in a component's node_modules. */
import { mkdir, mkdtemp, readdir, readlink, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { linkLibraries } from '../../pipelines/link.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cell-factory-link-'));
});
const inModules = (...path: string[]) => join(folder, 'node_modules', ...path);

describe('linking libraries into a component', () => {
  test('links the factory, and the very packages that the factory loads', async () => {
    await linkLibraries(folder);
    expect(await realpath(inModules('cell-factory'))).toBe(await realpath('.'));
    for (const name of ['aws-cdk-lib', 'constructs'])
      expect(await realpath(inModules(name))).toBe(await realpath(join('node_modules', name)));
  });

  test('leaves packages alone that the component installs itself', async () => {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ devDependencies: { 'aws-cdk-lib': '2.276.0', constructs: '10.8.1' } }));
    expect(Object.keys(await linkLibraries(folder))).toEqual(['cell-factory']);
    expect(await readdir(inModules())).toEqual(['cell-factory']);
  });

  test('corrects a link that leads to another factory, or nowhere', async () => {
    await mkdir(inModules());
    await symlink('/nowhere/cell-factory', inModules('cell-factory'));
    await linkLibraries(folder);
    expect(await realpath(inModules('cell-factory'))).toBe(await realpath('.'));
    const before = await readlink(inModules('cell-factory'));
    await linkLibraries(folder);
    expect(await readlink(inModules('cell-factory'))).toBe(before);
  });

  test('removes nothing that is no link', async () => {
    await mkdir(inModules('aws-cdk-lib'), { recursive: true });
    await writeFile(inModules('aws-cdk-lib', 'index.js'), '');
    await expect(linkLibraries(folder)).rejects.toMatchObject({ code: 'REFUSED', fix: expect.stringContaining('devDependencies') });
    expect(await readdir(inModules('aws-cdk-lib'))).toEqual(['index.js']);
  });
});
