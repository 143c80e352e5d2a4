import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const filesIn = (...folders: string[]) =>
  folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
    .filter((file) => /\.(ts|js|cjs)$|^bin\/cellctl$/.test(file));

/** Sources of the product, but not what an organization writes, and the table of regions. */
const sources = filesIn('bin', 'lib', 'registry', 'examples/orders-api/src').filter(
  (file) => !/^(lib\/registry\/regions\.ts|registry\/(cells\/|organization\.ts))/.test(file),
);

/** Sources that run as part of the factory: functions of a cell and what a new component starts with are programs of their own. */
const factory = filesIn('bin', 'docs', 'lib', 'pipelines', 'registry', 'tools').filter(
  (file) => !/^(lib\/cell\/foundation\/functions\/|pipelines\/templates\/|tools\/local-cloud\/(test|cell_factory_moto)\/)/.test(file),
);

/** Ways to read the environment. */
const reads = (text: string) =>
  text.match(/\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[['"`]env|\benv\b[^;]*(=\s*process\b(?!\.)|from '(node:)?process')/g) ?? [];

/** Text that names an account, a partition or a region: they come from the environment and the registry. */
function literals(text: string): string[] {
  // Comments, help and messages may give examples; only they say "such as", show a command, or explain.
  const code = text
    .replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '')
    .replace(/must look like \S+/g, '')
    .replace(/(cellctl|--image) .*$/gm, '')
    .replace(/at list prices of [a-z0-9-]+/g, '');
  return code.match(/arn:aws[\w-]*|\b\d{12}\b|\b(us|eu|ap|sa|ca|me|af|il|mx|cn)(-gov)?-[a-z]+-\d\b/g) ?? [];
}

test('the sources name no account, no partition and no region', () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.flatMap((file) => literals(readFileSync(file, 'utf8')).map((literal) => `${file}: ${literal}`))).toEqual([]);
});

test('which finds them where they are', () => {
  expect(literals("const role = 'arn:aws:iam::123456789012:role/x'; // arn:aws\nconst region = `eu-west-1`;")).toEqual([
    'arn:aws',
    '123456789012',
    'eu-west-1',
  ]);
});

test('one file reads the environment', () => {
  expect(factory.length).toBeGreaterThan(100);
  const readers = factory.filter((file) => reads(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')).length > 0);
  expect(readers).toEqual(['lib/environment.ts']);
});

test.each([
  "process.env['AWS_REGION']",
  'process.env.AWS_REGION',
  'Object.keys(process.env)',
  "process['env']",
  'const { env } = process;',
  "import { env } from 'node:process';",
])('%s reads the environment', (text) => {
  expect(reads(text)).toHaveLength(1);
});

test.each(['spawn(program, { env });\nprocess.kill(1);', 'const env = environment.region;\nprocess.exitCode = 1;'])(
  '%j does not',
  (text) => {
    expect(reads(text)).toEqual([]);
  },
);
