/** What tests on local clouds share besides: the process that their servers are forked from. It ends with the tests. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverVariables } from '../../dist/tools/local-cloud/launcher/cloud.js';
import { pythonEnvironment } from '../../dist/tools/local-cloud/launcher/python-environment.js';
import setup, { teardown as forget } from './temporary.js';

const PATIENCE_MS = 60_000;

let nursery;

export default async function begin() {
  await setup();
  const environment = await pythonEnvironment();
  const path = join(process.env.TMPDIR, 'nursery');
  nursery = spawn(environment.python, ['-m', 'cell_factory_moto.nursery', path], {
    env: { ...process.env, ...serverVariables(environment) },
    // When jest is gone, so is its end of this pipe.
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const deadline = Date.now() + PATIENCE_MS;
  while (!existsSync(path)) {
    if (nursery.exitCode !== null || Date.now() > deadline) throw new Error('the process that forks local clouds did not start');
    await sleep(50);
  }
  process.env.TESTS_NURSERY = path;
}

export function end() {
  nursery?.kill();
  forget();
}
