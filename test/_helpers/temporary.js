/** What all tests share: a folder for everything temporary, which goes with them, programs that are loaded once, and no validation in each synthesis. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

let folder;
let hosts;

/** Workers, and programs that tests start, inherit it. Each project of jest's calls this. */
export default async function setup() {
  if (folder !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'cell-factory-tests-'));
  process.env.TMPDIR = folder;
  // The CDK's validator takes ten seconds of each process. test/templates.test.ts asks it about every kind of stack.
  process.env.CDK_VALIDATION ??= 'false';
  const socket = join(folder, 'cellctl');
  hosts = fork(fileURLToPath(new URL('cellctl-hosts.js', import.meta.url)), [socket]);
  await once(hosts, 'message');
  // Jest ends when its tests have.
  hosts.unref();
  hosts.channel.unref();
  process.env.TESTS_HOSTS = socket;
}

export function teardown() {
  hosts?.kill();
  rmSync(folder, { recursive: true, force: true });
}
