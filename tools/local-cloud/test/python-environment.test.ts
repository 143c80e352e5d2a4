import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { zipSync } from 'fflate';
import { run } from '../../../test/_helpers/cellctl.ts';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { pythonEnvironment } from '../launcher/python-environment.ts';

/** A package with one module, as pip takes it. */
function wheel(name: string): Uint8Array {
  const info = `${name}-1.0.dist-info`;
  const text = new TextEncoder();
  return zipSync({
    [`${name}.py`]: text.encode('WORD = "hello"\n'),
    [`${info}/METADATA`]: text.encode(`Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`),
    [`${info}/WHEEL`]: text.encode('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    [`${info}/RECORD`]: text.encode(`${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`),
  });
}

let wheels: string;
let requirements: string;
beforeAll(async () => {
  wheels = await mkdtemp(join(tmpdir(), 'cell-factory-wheels-'));
  requirements = join(wheels, 'requirements.txt');
  await writeFile(join(wheels, 'greeting-1.0-py3-none-any.whl'), wheel('greeting'));
  await writeFile(requirements, 'greeting==1.0\n');
});

let cache: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'cell-factory-cache-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Nothing listens there. */
const UNREACHABLE = { PIP_INDEX_URL: 'http://localhost:1/simple', PIP_NO_INDEX: '0', PIP_FIND_LINKS: '', PIP_RETRIES: '0' };
const reachable = () => ({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels });

const find = (pip: Readonly<Record<string, string>>, progress: (text: string) => void = () => undefined) =>
  pythonEnvironment({ requirements, environment: { ...process.env, XDG_CACHE_HOME: cache, ...pip }, progress });

const entries = async () => (await readdir(join(cache, 'cell-factory'))).sort();

/** Another process that asks for the environment, as another `cellctl` would. */
function another(pip: Readonly<Record<string, string>>): ChildProcess {
  const program = `
    const { pythonEnvironment } = await import('./dist/tools/local-cloud/launcher/python-environment.js');
    const { python } = await pythonEnvironment({ requirements: '${requirements}', progress: (text) => console.error(text) });
    console.log(python);`;
  const env = { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: cache, ...pip };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function endOf(child: ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk) => (written[name] += String(chunk)));
  const [code] = await once(child, 'close');
  return { code, ...written };
}

describe('the virtual environment', () => {
  test('is outside of the clone, has what is required, and is found again without a network', async () => {
    const told: string[] = [];
    const { python, bin } = await find(reachable(), (text) => told.push(text));
    expect(told).toEqual([expect.stringMatching(/^installing the Python packages .* once$/)]);
    expect(python.startsWith(join(cache, 'cell-factory', 'python-3.'))).toBe(true);
    expect(python).toBe(join(bin, 'python'));
    const { stdout } = await run(python, ['-c', 'import greeting, sys; print(greeting.WORD, sys.prefix != sys.base_prefix)']);
    expect(stdout.trim()).toBe('hello True');

    expect(await find(UNREACHABLE, (text) => told.push(text))).toMatchObject({ python, bin });
    expect(told).toHaveLength(1);

    // Its Python is gone, as after an upgrade: it is made anew, and the old one goes.
    const old = await realpath(join(bin, '..'));
    await rm(join(old, 'bin', 'python'));
    await symlink('/nowhere/python3', join(old, 'bin', 'python'));
    await find(reachable());
    expect((await run(python, ['-c', 'import greeting; print(greeting.WORD)'])).stdout.trim()).toBe('hello');

    // Other requirements are another environment.
    const more = join(wheels, 'more.txt');
    await writeFile(more, '# more\ngreeting==1.0\n');
    const environment = { ...process.env, XDG_CACHE_HOME: cache, ...UNREACHABLE };
    await expect(pythonEnvironment({ requirements: more, environment })).rejects.toThrow("pip can't install");
  });

  test('without an index it says what to do, leaves nothing behind, and that works', async () => {
    const refused = await find(UNREACHABLE).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'LOCAL_CLOUD_UNAVAILABLE',
      message: expect.stringMatching(/^pip can't install the packages of .*requirements.txt: ERROR: .*greeting/),
      fix: expect.stringMatching(/connect this machine.* PIP_NO_INDEX=1 PIP_FIND_LINKS=<that folder>.*PIP_INDEX_URL/),
    });
    expect(await entries()).toEqual([]);
    const { python } = await find(reachable());
    expect((await run(python, ['-c', 'import greeting'])).code).toBe(0);
  });

  test('is one, made by one process while others wait for it', async () => {
    const ends = await Promise.all([another(reachable()), another(reachable()), another(reachable())].map(endOf));
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    const [python] = new Set(ends.map(({ stdout }) => stdout.trim()));
    expect(ends.map(({ stdout }) => stdout.trim())).toEqual([python, python, python]);
    expect(ends.filter(({ stderr }) => stderr.includes('installing'))).toHaveLength(1);
    // The link, and the one folder behind it.
    expect(await entries()).toHaveLength(2);
  });

  test('is never used half-made: when its maker is killed, the next process makes it', async () => {
    const asked: string[] = [];
    // An index that takes requests and never answers.
    const server = createServer(({ url = '' }) => void asked.push(url)).listen(0, 'localhost');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const maker = another({ ...UNREACHABLE, PIP_INDEX_URL: `http://localhost:${port}/simple` });
    await eventually('pip to ask its index', () => asked.length > 0, { deadline: 120_000 });
    expect(asked).toEqual(['/simple/greeting/']);
    const half = await entries();
    expect(half).toEqual([expect.stringMatching(/^python-[\d.]+-\w+-\d+-\w+$/), expect.stringMatching(/\.lock$/)]);

    maker.kill('SIGKILL');
    await once(maker, 'close');
    const { python } = await find(reachable());
    expect((await run(python, ['-c', 'import greeting'])).code).toBe(0);
    const made = await entries();
    expect(made).toHaveLength(2);
    expect(made).not.toContain(half[0]);
    expect(await readlink(join(cache, 'cell-factory', made[0] ?? ''))).toBe(made[1]);
    server.closeAllConnections();
    server.close();
  });

  test('is made anywhere if the cache folder can be written to, and otherwise says which to choose', async () => {
    await writeFile(join(cache, 'cell-factory'), 'a file where the folder should be');
    await expect(find(reachable())).rejects.toMatchObject({
      code: 'LOCAL_CLOUD_UNAVAILABLE',
      message: expect.stringContaining(join(cache, 'cell-factory')),
      fix: expect.stringContaining('XDG_CACHE_HOME'),
    });
  });
});

describe('the environment of this package', () => {
  let bin: string;
  let away: string;
  beforeAll(async () => {
    ({ bin } = await pythonEnvironment());
    away = await mkdtemp(join(tmpdir(), 'cell-factory-away-'));
    await mkdir(join(away, 'clone'));
  });
  afterAll(() => rm(away, { recursive: true, force: true }));

  test('is what `cellctl local tools` prints, from anywhere', async () => {
    const { stdout, code } = await run('sh', ['-c', `cd '${away}/clone' && '${process.execPath}' '${resolve('bin/cellctl')}' local tools`]);
    expect({ stdout, code }).toEqual({ stdout: `${bin}\n`, code: 0 });
  });

  test.each([
    ['aws', 'aws-cli/1.45.11 '],
    ['cfn-lint', 'cfn-lint 1.51.0'],
  ])('has %s in its pinned version', async (program, version) => {
    const { stdout, stderr } = await run(join(bin, program), ['--version']);
    expect(stdout + stderr).toContain(version);
  });

  test('has what each package needs, in versions that go together', async () => {
    expect(await run(join(bin, 'python'), ['-m', 'pip', 'check'])).toMatchObject({ code: 0, stdout: 'No broken requirements found.\n' });
  });
});
