/** Where definitions are, when nobody says so. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../lib/package-root.ts';
import { repositoryRoot } from '../../lib/repository-root.ts';

test('the repository is the nearest folder with registry/organization.ts, at or above the working directory', async () => {
  const outer = await mkdtemp(join(tmpdir(), 'cell-factory-root-'));
  const inner = join(outer, 'components', 'billing');
  await mkdir(join(inner, 'registry'), { recursive: true });
  await mkdir(join(outer, 'registry'));
  await writeFile(join(outer, 'registry', 'organization.ts'), '');
  expect([repositoryRoot(outer), repositoryRoot(inner), repositoryRoot(join(inner, 'registry'))]).toEqual([outer, outer, outer]);
  await writeFile(join(inner, 'registry', 'organization.ts'), '');
  expect(repositoryRoot(inner)).toBe(inner);
});

test('outside of all repositories, a checkout of the factory uses its own', async () => {
  expect(repositoryRoot(await mkdtemp(join(tmpdir(), 'cell-factory-root-')))).toBe(packageRoot());
});
