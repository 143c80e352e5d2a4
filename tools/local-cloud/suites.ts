/**
 * Runs the emulator's own suites, which take minutes, and records in suites.digest what they were green for.
 *
 *     jiti tools/local-cloud/suites.ts                 run them
 *     jiti tools/local-cloud/suites.ts --if-changed    run them unless this folder is as it was when they were green
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const RECORD = join(FOLDER, 'suites.digest');
const COMMAND = 'make local-cloud-suites';

/** What decides whether the suites are green: sources, the launcher, the suites, and the versions of packages. */
const PARTS = ['cell_factory_moto', 'launcher', 'test', 'jest.config.js', 'requirements.txt'];
const SOURCE = /\.(py|ts|js|cjs|txt)$/;

/** Digest of every source, by name and content: the same on every machine, and without git. */
function digest(): string {
  const files = PARTS.flatMap((part) =>
    SOURCE.test(part)
      ? [part]
      : readdirSync(join(FOLDER, part), { recursive: true, encoding: 'utf8' })
          .filter((file) => SOURCE.test(file))
          .map((file) => `${part}/${file.replaceAll('\\', '/')}`),
  );
  const hash = createHash('sha256');
  // Not by the order of a language: that depends on the machine.
  for (const file of files.sort((a, b) => (a < b ? -1 : 1))) {
    const text = readFileSync(join(FOLDER, file), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${file}\0${text.length}\0${text}`);
  }
  return hash.digest('hex');
}

function recorded(): string | undefined {
  try {
    return readFileSync(RECORD, 'utf8').trim();
  } catch {
    return undefined;
  }
}

const say = (text: string) => process.stdout.write(`${text}\n`);

function main(): number {
  // Before they run: what is edited meanwhile was not tested.
  const now = digest();
  if (process.argv.includes('--if-changed') && recorded() === now) {
    say(`The emulator's own suites: skipped, tools/local-cloud is as it was when they last passed (${COMMAND} runs them).`);
    return 0;
  }
  const jest = join(FOLDER, '../../node_modules/jest/bin/jest.js');
  const words = ['--experimental-vm-modules', '--no-warnings', jest, '--config', join(FOLDER, 'jest.config.js'), '--maxWorkers=100%'];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) return 1;
  if (recorded() === now) return 0;
  writeFileSync(RECORD, `${now}\n`);
  say(`The emulator's own suites passed. tools/local-cloud/suites.digest was out of date: commit it as it is now (or run ${COMMAND}).`);
  return 0;
}

process.exitCode = main();
