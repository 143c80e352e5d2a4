import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type AccountsFile,
  FactoryError,
  readAccountsFile,
  updateAccountsFile,
  validate,
  withAccounts,
} from '../../../lib/registry/index.ts';
import { run } from '../../_helpers/cellctl.ts';
import { unchecked } from '../../_helpers/organization.ts';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'accounts-')), 'accounts.json');
});

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

  const ZONES = ['eu-west-1a', 'eu-west-1b'];
  const vend = (...names: string[]) =>
    updateAccountsFile(file, (accounts) => ({
      ...accounts,
      cells: { ...accounts.cells, ...Object.fromEntries(names.map((name) => [name, idOf(name)])) },
      zones: { ...accounts.zones, ...Object.fromEntries(names.map((name) => [name, ZONES])) },
    }));

  test.each([
    [[], ['alpha'], ['bravo']],
    [[], ['alpha', 'charlie'], ['bravo', 'delta']],
    [['mike'], ['alpha', 'zulu'], ['bravo', 'yankee']],
    [['alpha', 'mike'], ['bravo'], ['zulu']],
    [['alpha', 'bravo', 'mike', 'november', 'oscar'], ['zulu'], ['charlie']],
  ])('two branches that each add cells with their zones need no hand: to %j one adds %j, the other %j', async (base, ours, theirs) => {
    await vend(...base);
    await merged(
      () => vend(...ours),
      () => vend(...theirs),
    );
    const all = [...base, ...ours, ...theirs].sort();
    const { cells, zones } = await readAccountsFile(file);
    expect(cells).toEqual(Object.fromEntries(all.map((name) => [name, idOf(name)])));
    expect(zones).toEqual(Object.fromEntries(all.map((name) => [name, ZONES])));
  });

  test('zones that differ are refused, with both; a line that has none yet is no contradiction', async () => {
    await addCell('alpha', '200000000000');
    const at = (...zones: string[]) => updateAccountsFile(file, (accounts) => ({ ...accounts, zones: { alpha: zones } }));
    await merged(
      () => at('eu-west-1a', 'eu-west-1b'),
      () => at('eu-west-1c', 'eu-west-1a'),
    );
    await expect(readAccountsFile(file)).rejects.toMatchObject({
      code: 'LOCK_FILE_INVALID',
      message: expect.stringContaining(
        '"alpha" stands twice, with 200000000000 eu-west-1a eu-west-1b and 200000000000 eu-west-1c eu-west-1a',
      ),
      fix: expect.stringContaining('cellctl accounts'),
    });
    const lines = (...values: string[]) =>
      writeFile(file, `{"control":{},"cells":{\n${values.map((value) => `"alpha":"200000000000${value}"`).join(',\n')}}}`);
    await lines(' eu-west-1a eu-west-1b', '');
    expect((await readAccountsFile(file)).zones).toEqual({ alpha: ['eu-west-1a', 'eu-west-1b'] });
    await lines(' eu-west-1a eu-west-1b', '', ' eu-west-1a eu-west-1c');
    await expect(readAccountsFile(file)).rejects.toMatchObject({ code: 'LOCK_FILE_INVALID' });
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

/** An account id that a name always gets. */
const idOf = (name: string) => String(100_000_000_000 + Number.parseInt(name.slice(0, 6), 36));

/** The file as it was written while zones had a section of their own, and before there were any. */
function formerText({ control, cells, zones }: AccountsFile, withZones = true): string {
  const section = (lines: Record<string, string>) => ({
    ...Object.fromEntries(Object.entries(lines).sort(([a], [b]) => (a < b ? -1 : 1))),
    '~': 'stays last, so that git can merge the lines above',
  });
  const zoneLines = Object.fromEntries(Object.entries(zones).map(([cell, names]) => [cell, names.join(' ')]));
  const former = { control, cells: section({ ...cells }), ...(withZones ? { zones: section(zoneLines) } : {}) };
  return `${JSON.stringify(former, undefined, 2)}\n`;
}

describe('the former format, in which zones had a section of their own', () => {
  const FORMER: AccountsFile = { control: {}, cells: { alpha: idOf('alpha'), bravo: idOf('bravo') }, zones: { alpha: ['eu-west-1a'] } };

  test('is read, and moved into one line per cell by the next change', async () => {
    await writeFile(file, formerText(FORMER));
    expect(await readAccountsFile(file)).toEqual(FORMER);
    await addCell('mike', idOf('mike'));
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      control: {},
      cells: {
        alpha: `${idOf('alpha')} eu-west-1a`,
        bravo: idOf('bravo'),
        mike: idOf('mike'),
        '~': expect.any(String),
      },
    });
    expect(await readAccountsFile(file)).toEqual({ ...FORMER, cells: { ...FORMER.cells, mike: idOf('mike') } });
    await writeFile(file, formerText({ ...FORMER, zones: {} }, false));
    expect(await readAccountsFile(file)).toEqual({ ...FORMER, zones: {} });
  });

  test.each([
    // What git made of two branches that each vended a cell: bravo's account came to stand among the zones.
    [
      '{"control":{},"cells":{"alpha":"100000000000"},"zones":{"alpha":"eu-west-1a","bravo":"200000000000"},"zones":{"bravo":"eu-west-1b"}}',
      'the section "zones" stands twice',
    ],
    ['{"control":{},"cells":{"alpha":"100000000000"},"cells":{"bravo":"200000000000"}}', 'the section "cells" stands twice'],
    ['{"control":{},"cells":{},"zones":{"bravo":"200000000000"}}', 'expected names of zones'],
    ['{"control":{},"cells":{"bravo":"eu-west-1a eu-west-1b"}}', 'expected an account id'],
    ['{"control":{},"cells":{},"zones":{"bravo":"eu-west-1a"}}', '"bravo" has zones and no account'],
    ['{"control":{},"cells":{"bravo":"200000000000 eu-west-1a"},"zones":{"bravo":"eu-west-1b"}}', 'with eu-west-1a and eu-west-1b'],
    ['{"control":{"tooling":"100000000000","tooling":"200000000000"},"cells":{}}', '"tooling" stands twice'],
  ])('damaged by a merge (%s) is refused, with a way out', async (text, message) => {
    await writeFile(file, text);
    await expect(readAccountsFile(file)).rejects.toMatchObject({
      code: 'LOCK_FILE_INVALID',
      message: expect.stringContaining(message),
      fix: expect.stringContaining('cellctl accounts'),
    });
  });
});

describe('a merge by union', () => {
  const NAMES = Array.from('abcdefghij', (letter) => `${letter}ell`);
  const FORMATS = ['without zones', 'former', 'now'];
  const format = fc.constantFrom(...FORMATS);
  const zones = fc.constantFrom<string[]>(['eu-west-1a', 'eu-west-1b'], ['eu-west-1b', 'eu-west-1c'], []);
  const scenario = fc.record({
    // Who has each cell: both from before, or one of the branches.
    owners: fc.array(fc.constantFrom('base', 'base', 'ours', 'theirs', 'nobody'), { minLength: NAMES.length, maxLength: NAMES.length }),
    zones: fc.array(zones, { minLength: NAMES.length, maxLength: NAMES.length }),
    base: format,
    ours: format,
    theirs: format,
  });
  type Side = 'base' | 'ours' | 'theirs';

  /** Merges what a scenario says as git does, and reads the result. */
  async function mergeOf(
    each: { owners: string[]; zones: string[][] } & Record<Side, string>,
  ): Promise<{ all: AccountsFile; merged: unknown }> {
    const folder = dirname(file);
    const content = (...owners: string[]): AccountsFile => {
      const names = NAMES.filter((_, index) => owners.includes(each.owners[index] ?? ''));
      const zoned = names.flatMap((name) => {
        const list = each.zones[NAMES.indexOf(name)] ?? [];
        return list.length === 0 ? [] : [[name, list] as const];
      });
      return { control: {}, cells: Object.fromEntries(names.map((name) => [name, idOf(name)])), zones: Object.fromEntries(zoned) };
    };
    const write = async (side: Side, value: AccountsFile) => {
      const path = join(folder, side);
      await writeFile(path, formerText(value, each[side] === 'former'));
      if (each[side] === 'now') {
        await writeFile(path, '{"control":{},"cells":{}}');
        await updateAccountsFile(path, () => value);
      }
    };
    await write('base', content('base'));
    await write('ours', content('base', 'ours'));
    await write('theirs', content('base', 'theirs'));
    await writeFile(file, git('merge-file', '--stdout', '--union', 'ours', 'base', 'theirs'));
    const merged = await readAccountsFile(file).catch((error: unknown) => error);
    return { all: content('base', 'ours', 'theirs'), merged };
  }

  test('of branches that add cells keeps every account and every zone', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (each) => {
        const { all, merged } = await mergeOf({ ...each, base: 'now', ours: 'now', theirs: 'now' });
        expect(merged).toEqual(all);
      }),
      { numRuns: 40 },
    );
  });

  test('of branches in different formats keeps every account and every zone, or is refused with a way out', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (any) => {
        // Formats only move on.
        const atLeastBase = (side: Side) => FORMATS[Math.max(FORMATS.indexOf(any.base), FORMATS.indexOf(any[side]))] ?? '';
        const each = { ...any, ours: atLeastBase('ours'), theirs: atLeastBase('theirs') };
        // Before there were zones, nobody added any: such a side says nothing of them.
        const knows = (side: Side) => each[side] !== 'without zones';
        const { all, merged } = await mergeOf(each);
        if (merged instanceof FactoryError) {
          expect(merged).toMatchObject({ code: 'LOCK_FILE_INVALID', fix: expect.stringContaining('cellctl accounts') });
          return;
        }
        const told = NAMES.filter((_, index) => {
          const owner = each.owners[index];
          return owner === 'base' ? knows('ours') || knows('theirs') : (owner === 'ours' || owner === 'theirs') && knows(owner);
        });
        expect(merged).toMatchObject({
          cells: all.cells,
          zones: Object.fromEntries(Object.entries(all.zones).filter(([name]) => told.includes(name))),
        });
      }),
      { numRuns: 80 },
    );
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
