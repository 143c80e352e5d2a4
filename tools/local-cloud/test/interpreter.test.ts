import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../../test/_helpers/cellctl.ts';
import { findInterpreter } from '../launcher/interpreter.ts';

type Answer = { version: readonly [number, number, number]; missing?: string } | 'fails';

/** A folder for PATH with interpreters of these names, each of which answers as told. */
async function pathWith(interpreters: Readonly<Record<string, Answer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-path-'));
  for (const [name, answer] of Object.entries(interpreters)) {
    const file = join(folder, name);
    const says = answer === 'fails' ? '' : JSON.stringify({ missing: null, executable: file, ...answer });
    await writeFile(file, answer === 'fails' ? '#!/bin/sh\nexit 127\n' : `#!/bin/sh\necho '${says.replaceAll("'", '')}'\n`);
    await chmod(file, 0o755);
  }
  return folder;
}

const find = async (interpreters: Readonly<Record<string, Answer>>) => findInterpreter({ PATH: await pathWith(interpreters) });

describe('the interpreter', () => {
  test('is python3 where that is new enough', async () => {
    const found = await find({ python3: { version: [3, 11, 7] }, 'python3.13': { version: [3, 13, 0] } });
    expect(found).toMatchObject({ name: 'python3', version: '3.11.7', minor: '3.11' });
  });

  test.each([
    ['too old', { version: [3, 9, 18] }],
    ['newer than the packages support', { version: [3, 15, 0] }],
    ['without what virtual environments are made with', { version: [3, 12, 1], missing: 'No module named ensurepip' }],
    ['a name that pyenv has switched off', 'fails'],
  ] as const)('is another one on PATH where python3 is %s', async (_, python3) => {
    const found = await find({ python3, 'python3.10': { version: [3, 10, 13] } });
    expect(found).toMatchObject({ name: 'python3.10', version: '3.10.13' });
  });

  test('is the one of this machine, as it says itself', async () => {
    const { executable, version } = await findInterpreter(process.env);
    const { stdout } = await run(executable, ['--version']);
    expect(stdout.trim()).toBe(`Python ${version}`);
  });
});

describe('where there is none, it says', () => {
  test('that there is no python3', async () => {
    await expect(find({})).rejects.toMatchObject({
      code: 'LOCAL_CLOUD_UNAVAILABLE',
      message: 'Python 3.10 to 3.14 is needed, and there is no python3 on PATH',
      fix: expect.stringMatching(/apt-get install python3 python3-venv.*brew install.*python3\.13.*run the command again/),
    });
  });

  test('which versions there are', async () => {
    await expect(find({ python3: { version: [3, 9, 18] }, 'python3.14': { version: [3, 15, 2] } })).rejects.toMatchObject({
      code: 'LOCAL_CLOUD_UNAVAILABLE',
      message: 'Python 3.10 to 3.14 is needed, and python3 is 3.9.18, python3.14 is 3.15.2',
    });
  });

  test.each([
    ['python3', 'python3-venv'],
    ['python3.12', 'python3.12-venv'],
  ])('which of Debian’s packages %s lacks', async (name, debian) => {
    await expect(find({ [name]: { version: [3, 12, 1], missing: 'No module named ensurepip' } })).rejects.toMatchObject({
      code: 'LOCAL_CLOUD_UNAVAILABLE',
      message: `${name} is 3.12.1 and can't make a virtual environment: No module named ensurepip`,
      fix: expect.stringContaining(`sudo apt-get install ${debian})`),
    });
  });

  test('all that to somebody who calls cellctl', async () => {
    const PATH = await pathWith({ python3: { version: [3, 9, 18] } });
    const { code, stderr } = await run(process.execPath, ['bin/cellctl', 'local', 'tools'], { PATH });
    expect(code).toBe(1);
    expect(stderr).toContain('Python 3.10 to 3.14 is needed, and python3 is 3.9.18');
  });
});
