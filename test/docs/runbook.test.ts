/** The runbook: every command of it is run by a suite on a local cloud, word for word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { commandsIn, RUNBOOK, runbook } from '../_helpers/runbook.ts';

const suites = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.local.test.ts'))
  .map((file) => readFileSync(join('test', file), 'utf8'))
  .join('\n');
const run = new Set([...suites.matchAll(/\brunbook\(\s*'([^']+)'/g)].map(([, command]) => command));

describe('the runbook', () => {
  test.each(commandsIn(RUNBOOK))('`%s` is run by a suite on a local cloud', (command) => {
    expect([...run]).toContain(command);
  });

  test('gives suites its own commands only, with every name filled in', () => {
    expect(runbook('cellctl rollout resume <id> --reason "…"', { id: 'orders-api-7' })).toEqual([
      ...['rollout', 'resume', 'orders-api-7'],
      ...['--reason', 'INC-42'],
    ]);
    expect(() => runbook('cellctl rollout undo <id>', { id: 'orders-api-7' })).toThrow('has no command `cellctl rollout undo <id>`');
    expect(() => runbook('cellctl rollout resume <id> --reason "…"')).toThrow('needs a id');
  });
});
