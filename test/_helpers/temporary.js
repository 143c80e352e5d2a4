/** What all tests share: a folder for everything temporary, which goes with them, and no validation in each synthesis. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder;

/** Workers, and programs that tests start, inherit it. */
export default function setup() {
  folder = mkdtempSync(join(tmpdir(), 'cell-factory-tests-'));
  process.env.TMPDIR = folder;
  // The CDK's validator takes ten seconds of each process. test/templates.test.ts asks it about every kind of stack.
  process.env.CDK_VALIDATION ??= 'false';
}

export function teardown() {
  rmSync(folder, { recursive: true, force: true });
}
