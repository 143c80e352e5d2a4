import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { IsolationReport } from '../../../lib/isolation/proof.ts';
import { cellctl } from '../../_helpers/cellctl.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

let folder: string;

/** A component as its build leaves it: a cloud assembly with one stack. */
async function built(name: string, template: object): Promise<string> {
  const dist = join(folder, '..', `${name}-dist-${process.pid}`);
  await mkdir(dist, { recursive: true });
  const artifacts = { [name]: { type: 'aws:cloudformation:stack', properties: { templateFile: 'orders.json' } } };
  await writeFile(join(dist, 'manifest.json'), JSON.stringify({ version: '55.0.0', artifacts }));
  await writeFile(join(dist, 'orders.json'), JSON.stringify(template));
  return dist;
}

beforeAll(async () => {
  folder = await definitionsFolder();
  const accounts = {
    organization: 'o-abcdefghij',
    control: { management: '100000000000', tooling: '200000000000', monitoring: '300000000000' },
    cells: { alpha: '400000000001', bravo: '400000000002' },
  };
  await writeFile(join(folder, 'accounts.json'), JSON.stringify(accounts));
});

describe('cellctl verify isolation', () => {
  test('explains itself, with examples', async () => {
    const { code, stdout } = await cellctl(['verify', 'isolation', '--help']);
    expect(code).toBe(0);
    for (const part of ['Usage: cellctl verify isolation', '--component <name=folder>', 'Examples:']) expect(stdout).toContain(part);
  });

  test('says that a cell is isolated, what it shares, and what was not looked at', async () => {
    const { code, stdout, stderr } = await cellctl(['verify', 'isolation', 'alpha', 'charlie', '--organization', folder]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('isolated: 1 cell, 1 pair, 2 templates');
    expect(stdout).toContain('delegation-role');
    expect(stdout).toContain('not looked at, without an account: charlie');
    expect(stdout).toContain('not looked at: component orders-api');
  });

  test('names a violation by template, logical id and property path, and ends with 1', async () => {
    const leak = { Type: 'AWS::SNS::Subscription', Properties: { Endpoint: 'arn:aws:sqs:eu-west-1:400000000002:orders' } };
    const dist = await built('orders-api', { Resources: { Leak: leak } });
    const args = ['verify', 'isolation', 'alpha', '--organization', folder, '--component', `orders-api=${dist}`];
    const { code, stdout } = await cellctl([...args, '--json']);
    const { violations } = JSON.parse(stdout) as IsolationReport;
    expect(code).toBe(1);
    expect(violations).toContainEqual(
      expect.objectContaining({
        kind: 'account',
        template: 'orders-api',
        logicalId: 'Leak',
        path: 'Properties.Endpoint',
        reaches: 'bravo',
      }),
    );
    const { stdout: text } = await cellctl(args);
    expect(text).toContain('NOT ISOLATED orders-api Leak Properties.Endpoint');
    expect(text).toContain('names account 400000000002 (bravo)');
  });

  test.each([
    ['orders-api', 'USAGE: --component is "orders-api"', 2],
    ['orders-api=/nowhere', 'COMPONENT_UNKNOWN: /nowhere is no cloud assembly', undefined],
  ])('--component %s says what is wrong', async (text, reason, expected) => {
    const { code, stdout, stderr } = await cellctl(['verify', 'isolation', '--organization', folder, '--component', text]);
    expect(stdout).toBe('');
    expect(stderr).toContain(reason);
    if (expected === undefined) expect(code).not.toBe(0);
    else expect(code).toBe(expected);
  });
});
