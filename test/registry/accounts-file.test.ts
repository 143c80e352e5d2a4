import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readAccountsFile, updateAccountsFile, validate, withAccounts } from '../../registry/index.ts';
import { unchecked } from '../_helpers/organization.ts';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'accounts-')), 'accounts.json');
});

const addCell = (name: string, id: string) =>
  updateAccountsFile(file, (accounts) => ({ ...accounts, cells: { ...accounts.cells, [name]: id } }));

describe('the lock file', () => {
  test('is an organization without accounts while it does not exist', async () => {
    expect(await readAccountsFile(file)).toEqual({ control: {}, cells: {} });
  });

  test('loses no entry of updates made at once, and has one sorted line per cell', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, '0')}`);
    await Promise.all([...names].reverse().map((name, index) => addCell(name, String(100_000_000_000 + index))));
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /"c\d/.test(line));
    expect(lines.map((line) => line.trim().slice(1, 4))).toEqual(names);
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
    });
    const organization = validate(input, 'test');
    expect(organization.cells['alpha']).toMatchObject({ accountId: '444444444444' });
    expect(organization.cells['bravo']).not.toHaveProperty('accountId');
    expect(Object.keys(organization.cells)).not.toContain('gone');
    expect(organization).toMatchObject({ organizationId: 'o-abcdefghij', accounts: { tooling: { accountId: '222222222222' } } });
  });
});
