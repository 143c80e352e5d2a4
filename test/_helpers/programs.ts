/** Programs that stand in for npm, make, cellctl, docker and gh: they write down how they were called, and do what is needed to go on. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Call {
  /** Program and words. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

interface FakePrograms {
  /** For the front of PATH. */
  readonly folder: string;
  readonly calls: () => readonly Call[];
}

/** What GitHub's shell is expected to give to programs; the rest is the machine's. */
const SEEN = /^(COMPONENT|COMPONENT_VERSION|COMMIT|ROLLOUT|CELL_FACTORY|CELL_FACTORY_ORGANIZATION|CELL_FACTORY_DRIVER|GH_TOKEN)$/;

/** What a build says of itself, as far as it is handed on. */
const BUILT = {
  images: { ImageUri: { status: 'built', reference: 'orders-api:1' }, SideUri: { status: 'not built' } },
};

interface Behaviour {
  /** Calls, as `program words`, that fail. @default - none */
  readonly failing?: RegExp;
  /** Whether the environment has reviewers. @default true */
  readonly reviewers?: boolean;
}

export function fakePrograms({ failing, reviewers = true }: Behaviour = {}): FakePrograms {
  const folder = mkdtempSync(join(tmpdir(), 'cell-factory-programs-'));
  const record = join(folder, 'calls');
  const program = (text: string) => `#!/usr/bin/env node
const fs = require('node:fs');
const path = require('node:path');
const words = process.argv.slice(2);
const name = path.basename(process.argv[1]);
const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => ${SEEN}.test(key)));
fs.appendFileSync(${JSON.stringify(record)}, JSON.stringify({ words: [name, ...words], environment, folder: process.cwd() }) + '\\n');
if (${failing ?? /^$/}.test([name, ...words].join(' '))) process.exit(1);
${text}`;
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), program(text));
    chmodSync(join(folder, name), 0o755);
  };
  write(
    'cellctl',
    `if (words[1] === 'start') console.log(JSON.stringify({ rollout: { id: words[2] + '-7' } }));
if (words[1] === 'status') console.log('| wave | state |');`,
  );
  // What is installed is the fake above.
  write(
    'npm',
    `const bin = path.join(words[words.indexOf('--prefix') + 1], 'lib/node_modules/cell-factory/bin');
fs.mkdirSync(bin, { recursive: true });
fs.copyFileSync(${JSON.stringify(join(folder, 'cellctl'))}, path.join(bin, 'cellctl'));`,
  );
  write(
    'make',
    `if (words[0] === 'pipeline-build') { fs.mkdirSync('dist'); fs.writeFileSync('dist/component.json', ${JSON.stringify(JSON.stringify(BUILT))}); }
if (words[0] === 'pipeline-publish') fs.readFileSync('dist/component.json');`,
  );
  write('docker', `if (words[0] === 'save') fs.writeFileSync(words[2], 'images');`);
  write('gh', `console.log(${reviewers});`);
  return {
    folder,
    calls: () =>
      existsSync(record)
        ? readFileSync(record, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as Call)
        : [],
  };
}
