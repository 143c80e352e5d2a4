import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { run } from '../../../test/_helpers/cellctl.ts';
import { oneAtATime } from '../launcher/one-at-a-time.ts';

let file: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'cell-factory-turn-')), 'lock');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const doing = 'bakes bread';

async function started(program: string, ...args: string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

async function deadProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('work of one process is done one after the other', async () => {
  let working = 0;
  const most = await Promise.all(
    Array.from({ length: 8 }, () =>
      oneAtATime({ file, doing, patienceMs: 60_000 }, async () => {
        working += 1;
        await sleep(5);
        return working--;
      }),
    ),
  );
  expect(most).toEqual(Array(8).fill(1));
});

test('work of several processes is done one after the other, also when a dead one has left its file', async () => {
  await writeFile(file, String(await deadProcess()));
  const log = `${dirname(file)}/log`;
  const program = `
    const { oneAtATime } = await import('./dist/tools/local-cloud/launcher/one-at-a-time.js');
    const { appendFile } = await import('node:fs/promises');
    await oneAtATime({ file: '${file}', doing: 'writes', patienceMs: 60_000 }, async () => {
      await appendFile('${log}', 'begin\\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await appendFile('${log}', 'end\\n');
    });`;
  const ends = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', program])));
  expect(ends).toEqual(Array(4).fill({ code: 0, stdout: '', stderr: '' }));
  expect(await readFile(log, 'utf8')).toBe('begin\nend\n'.repeat(4));
  expect(await readdir(dirname(file))).toEqual(['log']);
});

test('who waits says for whom, and after a time that this one does not finish', async () => {
  const pid = await started('sleep', '60');
  await writeFile(file, String(pid));
  const told: string[] = [];
  const waiting = (text: string) => void told.push(text);
  await expect(oneAtATime({ file, doing, patienceMs: 300, waiting }, async () => 'never')).rejects.toMatchObject({
    code: 'LOCAL_CLOUD_UNAVAILABLE',
    message: `waited 0 s for process ${pid} (sleep 60), which bakes bread`,
    fix: expect.stringContaining(`delete ${file}`),
  });
  expect(told).toEqual([`waiting for process ${pid} (sleep 60), which bakes bread`]);
  expect(await readFile(file, 'utf8')).toBe(String(pid));
});

test.each([
  ['the id of a dead process', async () => String(await deadProcess())],
  ['our own id, from a process that had it before', async () => String(process.pid)],
  ['nothing', async () => ''],
])('a file with %s is taken over', async (_, text) => {
  await writeFile(file, await text());
  expect(await oneAtATime({ file, doing, patienceMs: 10_000 }, async () => 'done')).toBe('done');
  expect(await readdir(dirname(file))).toEqual([]);
});

test('after work that fails it is the next one’s turn', async () => {
  const turn = { file, doing, patienceMs: 10_000 };
  await expect(oneAtATime(turn, () => Promise.reject(new Error('burnt')))).rejects.toThrow('burnt');
  expect(await oneAtATime(turn, async () => 'done')).toBe('done');
});
