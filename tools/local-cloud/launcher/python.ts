/** Finds a Python that has moto in the version the plugin is written for, or makes one. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../lib/package-root.ts';
import { FactoryError, messageOf } from '../../../lib/registry/index.ts';

const run = promisify(execFile);

/** The version of moto that `python` has, or undefined. */
async function motoVersion(python: string): Promise<string | undefined> {
  return run(python, ['-c', 'import importlib.metadata as m; import flask; print(m.version("moto"))']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/**
 * Path of a Python with the moto of `tools/local-cloud/requirements.txt`, whose gaps the plugin mends: the system's, or that of a virtual environment in `venv`, made if need be.
 * @throws FactoryError `LOCAL_CLOUD_UNAVAILABLE`, with the command to run by hand
 */
export async function findPython(venv: string, progress: (text: string) => void): Promise<string> {
  const requirement = (await readFile(join(packageRoot(), 'tools/local-cloud/requirements.txt'), 'utf8')).trim();
  const wanted = requirement.split('==')[1];
  const own = join(venv, 'bin', 'python');
  const candidates = await Promise.all(['python3', own].map(async (python) => ({ python, version: await motoVersion(python) })));
  const found = candidates.find(({ version }) => version === wanted);
  if (found) return found.python;
  const other = candidates[0]?.version;
  progress(`python3 has ${other === undefined ? 'no moto' : `moto ${other}`}; installing ${wanted} into ${venv}`);
  try {
    await run('python3', ['-m', 'venv', venv]);
    await run(own, ['-m', 'pip', 'install', '--quiet', requirement], { maxBuffer: 16 * 1024 * 1024 });
    return own;
  } catch (error) {
    const reason = messageOf(error).trim().split('\n').at(-1);
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `there is no moto ${wanted}, and it can't be installed: ${reason}`, {
      fix: `install Python 3.9 or newer, then run: python3 -m venv ${venv} && ${own} -m pip install '${requirement}'`,
      cause: error,
    });
  }
}
