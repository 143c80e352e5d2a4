import { expect, test } from '@jest/globals';
import { check } from '../../../../lib/registry/index.ts';
import { access, role } from '../../../_helpers/broken-rules.ts';
import { cell, unchecked } from '../../../_helpers/organization.ts';

test('a name’s limit follows from what is made of it, wherever that is', () => {
  const input = unchecked();
  input.settings = { ...input.settings, name: 'o'.repeat(40) };
  access(input, { ['r'.repeat(28)]: role({}) });
  Object.assign(input.cells, { beta: cell('beta', 6, { email: `${'e'.repeat(60)}@example.com` }) });
  expect(check(input).problems.map(({ code, path, fix }) => `${code} ${path}: ${fix.split(':')[0]}`)).toEqual([
    'NAME_TOO_LONG name: AWS takes 63',
    'NAME_TOO_LONG name: AWS takes 63',
    'NAME_TOO_LONG name: AWS takes 32',
    'NAME_TOO_LONG cells.alpha.name: AWS takes 32',
    'NAME_TOO_LONG cells.beta.name: AWS takes 32',
    'NAME_TOO_LONG cells.bravo.name: AWS takes 32',
    "NAME_TOO_LONG cells.beta.email: AWS takes 64 in an account's e-mail",
  ]);
});
