import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { REFERENCE_FILES, SECTIONS, schemaFile, schemaText, VERSIONS_FILE, withSections } from '../../docs/reference.ts';
import { SCHEMA_VERSION } from '../../lib/registry/index.ts';
import { MIGRATIONS } from '../../lib/registry/migrations.ts';

const versions = JSON.parse(readFileSync(VERSIONS_FILE, 'utf8')) as Record<string, string>;

describe('the document’s shape', () => {
  test('is the schema that was committed for its version; another shape needs another version', () => {
    const committed = readFileSync(schemaFile(SCHEMA_VERSION), 'utf8');
    expect(schemaText()).toBe(committed);
    expect(versions[SCHEMA_VERSION]).toBe(`sha256:${createHash('sha256').update(committed).digest('hex')}`);
  });

  test('of every version that is behind has a step to the next', () => {
    expect(Object.keys(MIGRATIONS).map(Number)).toEqual(Array.from({ length: SCHEMA_VERSION - 1 }, (_, index) => index + 1));
    expect(Math.max(...Object.keys(versions).map(Number))).toBe(SCHEMA_VERSION);
  });
});

describe('the documentation', () => {
  const texts = REFERENCE_FILES.map((file) => [file, readFileSync(file, 'utf8')] as const);

  test.each(texts)('%s says what the sources say; otherwise run make reference', (_, text) => {
    expect(withSections(text)).toBe(text);
  });

  test('has every section that is generated, once', () => {
    const present = texts.flatMap(([, text]) => [...text.matchAll(/<!-- generated: ([a-z-]+) -->/g)].map(([, name]) => name));
    expect(present.sort()).toEqual(Object.keys(SECTIONS).sort());
  });
});
