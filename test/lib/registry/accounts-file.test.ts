import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readAccountsFile, updateAccountsFile, validate, withAccounts } from '../../../lib/registry/index.ts';
import { run } from '../../_helpers/cellctl.ts';
import { unchecked } from '../../_helpers/organization.ts';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'accounts-')), 'accounts.json');
});

const addZones = (name: string, zones: readonly string[]) =>
  updateAccountsFile(file, (accounts) => ({ ...accounts, zones: { ...accounts.zones, [name]: [...zones] } }));

const addCell = (name: string, id: string) =>
  updateAccountsFile(file, (accounts) => ({ ...accounts, cells: { ...accounts.cells, [name]: id } }));

/** Runs git in the folder of the lock file. */
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    cwd: dirname(file),
    encoding: 'utf8',
    stdio: 'pipe',
  });

describe('merged by git', () => {
  /** Two branches that each change the file; then one is merged into the other. */
  async function merged(ours: () => Promise<unknown>, theirs: () => Promise<unknown>): Promise<void> {
    await cp('registry/.gitattributes', join(dirname(file), '.gitattributes'));
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '.');
    git('commit', '--quiet', '--message', 'base');
    git('switch', '--quiet', '--create', 'theirs');
    await theirs();
    git('commit', '--quiet', '--all', '--message', 'theirs');
    git('switch', '--quiet', 'main');
    await ours();
    git('commit', '--quiet', '--all', '--message', 'ours');
    git('merge', '--quiet', 'theirs');
  }

  test.each([
    ['between', ['alpha', 'zulu'], 'mike', 'november'],
    ['before', ['mike'], 'alpha', 'bravo'],
    ['after', ['alpha'], 'yankee', 'zulu'],
    ['in an empty file', [], 'alpha', 'bravo'],
  ])('two branches that each add a cell %s the others need no hand', async (_, present, ours, theirs) => {
    await updateAccountsFile(file, (accounts) => accounts);
    for (const [index, name] of present.entries()) await addCell(name, String(100_000_000_000 + index));
    await merged(
      () => addCell(ours, '200000000000'),
      () => addCell(theirs, '300000000000'),
    );
    const { cells } = await readAccountsFile(file);
    expect(Object.keys(cells).sort()).toEqual([...present, ours, theirs].sort());
    expect(cells).toMatchObject({ [ours]: '200000000000', [theirs]: '300000000000' });
  });

  test('two branches that each add a cell with its zones need no hand; zones that differ are refused, with both', async () => {
    await addCell('mike', '100000000000');
    const add = async (name: string, id: string, zones: readonly string[]) => {
      await addCell(name, id);
      await addZones(name, zones);
    };
    await merged(
      () => add('alpha', '200000000000', ['eu-west-1a', 'eu-west-1b']),
      () => add('zulu', '300000000000', ['eu-west-1c', 'eu-west-1a']),
    );
    expect(await readAccountsFile(file)).toMatchObject({
      cells: { alpha: '200000000000', mike: '100000000000', zulu: '300000000000' },
      zones: { alpha: ['eu-west-1a', 'eu-west-1b'], zulu: ['eu-west-1c', 'eu-west-1a'] },
    });
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"eu-west-1c eu-west-1a",', '"eu-west-1c eu-west-1a",\n    "zulu": "eu-west-1a eu-west-1b",'));
    await expect(readAccountsFile(file)).rejects.toMatchObject({
      code: 'LOCK_FILE_INVALID',
      message: expect.stringContaining('"zulu" stands twice, with eu-west-1c eu-west-1a and eu-west-1a eu-west-1b'),
      fix: expect.stringContaining('cellctl accounts'),
    });
  });

  test('a cell that two branches gave different accounts is refused, with both', async () => {
    await updateAccountsFile(file, (accounts) => accounts);
    await merged(
      () => addCell('alpha', '200000000000'),
      () => addCell('alpha', '300000000000'),
    );
    await expect(readAccountsFile(file)).rejects.toMatchObject({
      code: 'LOCK_FILE_INVALID',
      message: expect.stringMatching(/"alpha" stands twice, with (200000000000 and 300000000000|300000000000 and 200000000000)/),
    });
  });
});

describe('the lock file', () => {
  test('is an organization without accounts while it does not exist', async () => {
    expect(await readAccountsFile(file)).toEqual({ control: {}, cells: {}, zones: {} });
  });

  test('loses no entry of updates made at once, and has one sorted line per cell', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, '0')}`);
    await Promise.all([...names].reverse().map((name, index) => addCell(name, String(100_000_000_000 + index))));
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /"c\d/.test(line));
    expect(lines.map((line) => line.trim().slice(1, 4))).toEqual(names);
  });

  test('loses no entry of processes that write at once, and leaves nothing beside it', async () => {
    const script = `import { updateAccountsFile } from './dist/lib/registry/index.js';
      const [file, name, id] = process.argv.slice(1);
      for (let index = 0; index < 5; index++)
        await updateAccountsFile(file, (accounts) => ({ ...accounts, cells: { ...accounts.cells, [name + index]: id } }));`;
    const writer = (name: string, id: string) => run('node', ['--input-type=module', '--eval', script, '--', file, name, id]);
    const results = await Promise.all(['a', 'b', 'c', 'd'].map((name, index) => writer(name, String(100_000_000_000 + index))));
    for (const result of results) expect(result).toMatchObject({ code: 0 });
    expect(Object.keys((await readAccountsFile(file)).cells)).toHaveLength(20);
    expect(await readdir(dirname(file))).toEqual(['accounts.json']);
  });

  test.each([
    ['{ "cells": ', 'is not JSON'],
    ['<<<<<<< HEAD\n{}', 'unresolved merge'],
    ['{"control":{},"cells":{"alpha":"12"}}', 'cells.alpha'],
    ['{"control":{},"cells":{},"other":1}', 'other'],
  ])('that is broken (%p) is refused, and left as it is', async (text, reason) => {
    await writeFile(file, text);
    await expect(readAccountsFile(file)).rejects.toMatchObject({
      code: 'LOCK_FILE_INVALID',
      exitCode: 2,
      message: expect.stringContaining(reason),
    });
    await expect(addCell('alpha', '111111111111')).rejects.toMatchObject({ code: 'LOCK_FILE_INVALID' });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('gives its ids to cells that exist, and to no others', () => {
    const input = withAccounts(unchecked(), {
      organization: 'o-abcdefghij',
      control: { tooling: '222222222222' },
      cells: { alpha: '444444444444', gone: '555555555555' },
      zones: { alpha: ['eu-west-1c', 'eu-west-1a', 'eu-west-1b'], gone: ['eu-west-1a', 'eu-west-1b'] },
    });
    const organization = validate(input, 'test');
    expect(organization.cells['alpha']).toMatchObject({
      accountId: '444444444444',
      zones: ['eu-west-1c', 'eu-west-1a', 'eu-west-1b'],
    });
    expect(organization.cells['bravo']).not.toHaveProperty('zones');
    expect(organization.cells['bravo']).not.toHaveProperty('accountId');
    expect(Object.keys(organization.cells)).not.toContain('gone');
    expect(organization).toMatchObject({ organizationId: 'o-abcdefghij', accounts: { tooling: { accountId: '222222222222' } } });
  });
});
