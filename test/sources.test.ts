import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Sources of the product, but not what an organization writes, the table of regions, and the local cloud. */
const sources = ['bin', 'lib', 'registry', 'examples/orders-api/src']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .filter((file) => /\.(ts|js|cjs)$/.test(file))
  .filter((file) => !/^(registry\/(regions\.ts|cells\/|organization\.ts)|lib\/local\/moto\/)/.test(file));

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
