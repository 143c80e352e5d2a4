import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processInfo } from '../../../lib/process-info.ts';
import { run } from '../../../test/_helpers/cellctl.ts';
import { eventually } from '../../../test/_helpers/eventually.ts';
import { LocalCloud } from '../launcher/cloud.ts';
import { localEnvironment } from '../launcher/cloud-environment.ts';
import { pythonEnvironment } from '../launcher/python-environment.ts';

let folder: string;
let cloud: LocalCloud;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cell-factory-cloud-'));
  cloud = new LocalCloud(folder);
});
afterEach(() => cloud.down());

/** Not by a signal: an ended child stays until its parent has asked for it. */
const isAlive = (pid: number) => processInfo(pid) !== undefined;

describe('the local cloud', () => {
  test('started twice, even at once, is one cloud', async () => {
    const [first, second] = await Promise.all([cloud.up(), new LocalCloud(folder).up()]);
    expect([first.started, second.started].sort()).toEqual([false, true]);
    expect(second.cloud.pid).toBe(first.cloud.pid);
    expect((await cloud.up()).cloud).toEqual(first.cloud);
  });

  test('two in two folders are two clouds', async () => {
    const other = new LocalCloud(await mkdtemp(join(tmpdir(), 'cell-factory-cloud-')));
    const [mine, theirs] = await Promise.all([cloud.up(), other.up()]);
    expect(theirs.cloud.port).not.toBe(mine.cloud.port);
    await other.down();
    expect((await cloud.status()).running?.pid).toBe(mine.cloud.pid);
  });

  test('down ends its process, forgets its accounts, and is calm when there is none', async () => {
    const { pid } = (await cloud.up()).cloud;
    await writeFile(cloud.accountsFile, '{}');
    expect(await cloud.down()).toBe(true);
    expect(isAlive(pid)).toBe(false);
    await expect(readFile(cloud.accountsFile)).rejects.toThrow('ENOENT');
    expect(await cloud.down()).toBe(false);
  });

  test('a state file whose process is gone is noticed, and replaced by up', async () => {
    const { pid } = (await cloud.up()).cloud;
    process.kill(pid, 'SIGKILL');
    await eventually('the killed process to be gone', async () => (await cloud.status()).running === undefined, { pause: 20 });
    expect(await cloud.status()).toEqual({ stale: pid });
    const again = await cloud.up();
    expect(again).toMatchObject({ started: true, stale: pid });
  });

  test('a process that has got the number of a dead cloud is left alone', async () => {
    const bystander = spawn('sleep', ['60']);
    await once(bystander, 'spawn');
    await writeFile(join(folder, 'state.json'), JSON.stringify({ pid: bystander.pid, port: 5000, startedAt: '2026-01-01T00:00:00Z' }));
    expect(await cloud.status()).toEqual({ stale: bystander.pid });
    expect(await cloud.down()).toBe(false);
    expect(isAlive(bystander.pid ?? 0)).toBe(true);
    bystander.kill();
  });

  test('a starter that died does not block the next one', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    await writeFile(join(folder, 'starting'), String(dead.pid));
    expect((await cloud.up()).started).toBe(true);
  });

  test('its environment turns the unmodified aws command to it', async () => {
    const running = (await cloud.up()).cloud;
    const environment = await localEnvironment(running, {
      region: 'eu-west-1',
      accountId: '123412341234',
      accountsFile: cloud.accountsFile,
    });
    const { bin } = await pythonEnvironment();
    const { stdout } = await run(join(bin, 'aws'), ['sts', 'get-caller-identity', '--query', 'Account', '--output', 'text'], environment);
    expect(stdout.trim()).toBe('123412341234');
    expect(environment).toMatchObject({ CELL_FACTORY_RESOLVER: `127.0.0.1:${running.port}` });
    // Before its folder goes: without that nobody knows the process.
    await cloud.down();
    await rm(folder, { recursive: true, force: true });
  });
});
