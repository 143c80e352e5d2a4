/** Everything that tests put into the machine's temporary folder is in one, which goes with them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder;

/** Workers, and programs that tests start, inherit it. */
export default function setup() {
  folder = mkdtempSync(join(tmpdir(), 'cell-factory-tests-'));
  process.env.TMPDIR = folder;
}

export function teardown() {
  rmSync(folder, { recursive: true, force: true });
}
