/** README and docs promise only what exists: every command, option, make target and link in them is checked here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cellctl } from './_helpers/cellctl.ts';

const files = [
  'README.md',
  'examples/orders-api/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file)),
].filter((file) => file.endsWith('.md'));
const text = Object.fromEntries(files.map((file) => [file, readFileSync(file, 'utf8')]));
const all = Object.values(text).join('\n');
/** Code: fenced blocks, indented blocks and `spans`. */
const code = [...all.matchAll(/```[a-z]*\n([\s\S]*?)```|^ {4}(.*)$|`([^`\n]+)`/gm)]
  .map(([, block, line, span]) => block ?? line ?? span ?? '')
  .join('\n');
const matches = (pattern: RegExp) => [...new Set([...code.matchAll(pattern)].map(([, found]) => found ?? ''))];

/** Anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string) =>
  [...(text[page] ?? readFileSync(page, 'utf8')).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('README and docs', () => {
  test.each(matches(/(?:^|[\s/"(])cellctl ((?:local|registry|component|cell|verify|rollout|drill|pipelines) [a-z-]+|[a-z]+)/gm))(
    'cellctl %s exists',
    async (command) => {
      const { code: exit, stdout } = await cellctl([...command.split(' '), '--help']);
      expect({ exit, usage: stdout.startsWith(`Usage: cellctl ${command}`) }).toEqual({ exit: 0, usage: true });
    },
  );

  test.each(matches(/^(?:\$ )?make (?:-s |-C \S+ )*([a-z][a-z-]*)/gm))('make %s exists', (target) => {
    const makefiles = readFileSync('Makefile', 'utf8') + readFileSync('examples/orders-api/Makefile', 'utf8');
    expect(makefiles).toMatch(new RegExp(`^${target}:`, 'm'));
  });

  test.each(files)('the links of %s lead somewhere', (file) => {
    const links = [...(text[file] ?? '').matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .map(([link, target = '', anchor]) => ({ link, page: target === '' ? file : join(dirname(file), target), anchor }))
      .filter(({ link }) => !link.includes('://'));
    expect(links.filter(({ page, anchor }) => !existsSync(page) || (anchor !== undefined && !anchorsOf(page).includes(anchor)))).toEqual(
      [],
    );
  });
});
