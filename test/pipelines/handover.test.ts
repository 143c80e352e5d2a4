import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../lib/program.ts';
import { HANDOVER } from '../../pipelines/commands.ts';

/** A container engine that says what it was asked for, and whose archives are that. */
const DOCKER = '#!/bin/bash\nif [ "$1" = save ]; then echo "$@" > "$3"; else echo "$@" "$(cat "$3")" >> "$DOCKER_LOG"; fi\n';

/** Packs a build with these images on one machine, and unpacks it on another. */
async function handOver(images: object) {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-handover-'));
  const place = (name: string) => join(folder, name);
  for (const name of ['bin', 'built/dist', 'published/dist']) await mkdir(place(name), { recursive: true });
  await writeFile(place('bin/docker'), DOCKER);
  await chmod(place('bin/docker'), 0o755);
  await writeFile(place('built/dist/component.json'), JSON.stringify({ images }));
  await writeFile(place('published/dist/old.json'), 'of another build');
  const environment = { PATH: `${place('bin')}:${process.env['PATH']}`, HANDOVER: place('handover'), DOCKER_LOG: place('log') };
  const on = (machine: string, lines: readonly string[]) =>
    run('bash', ['-euo', 'pipefail', '-c', lines.join('\n')], { folder: place(machine), environment, timeout: 60_000 });
  expect(await on('built', HANDOVER.pack)).toMatchObject({ code: 0 });
  expect(await on('published', HANDOVER.unpack)).toMatchObject({ code: 0 });
  return {
    handed: (await readdir(place('handover'))).sort(),
    dist: await readdir(place('published/dist')),
    loaded: await readFile(place('log'), 'utf8').catch(() => ''),
  };
}

describe('what building hands to publishing', () => {
  test('is dist/, and nothing of what was there before', async () => {
    const handed = await handOver({ ImageUri: { status: 'not built', tree: { files: 1, sha256: 'a' } } });
    expect(handed).toEqual({ handed: ['dist'], dist: ['component.json'], loaded: '' });
  });

  test('is also the images that were built: another machine pushes them', async () => {
    const built = (reference: string) => ({ status: 'built', reference, id: 'sha256:1' });
    const { handed, loaded } = await handOver({ ImageUri: built('orders-api:1'), Sidecar: built('orders-api:1-sidecar') });
    expect(handed).toEqual(['dist', 'images.tar']);
    expect(loaded).toMatch(/^load --input .*images\.tar save --output .*images\.tar orders-api:1 orders-api:1-sidecar\n$/);
  });
});
