import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../lib/cli/main.ts';

const COMMANDS = join('lib', 'cli', 'commands');
const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];

describe('--yes', () => {
  test('is the same on every command that has it, and -y is nothing else', () => {
    const options = all(createProgram(false)).flatMap(({ options }) => options);
    const said = options
      .filter(({ short, long }) => short === '-y' || long === '--yes')
      .map(({ flags, description }) => `${flags}: ${description}`);
    expect(said.length).toBeGreaterThan(5);
    expect([...new Set(said)]).toEqual(["-y, --yes: don't ask"]);
  });

  test('is there wherever somebody is asked', async () => {
    const texts = await Promise.all(
      (await readdir(COMMANDS)).map(async (name) => ({ name, text: await readFile(join(COMMANDS, name), 'utf8') })),
    );
    const asking = texts.filter(({ text }) => /\bconfirmed\(/.test(text)).map(({ name }) => name);
    expect(asking.length).toBeGreaterThan(5);
    expect(texts.filter(({ text }) => text.includes('yesOption()')).map(({ name }) => name)).toEqual(asking);
  });
});
