import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  costs,
  counted,
  END,
  filesOf,
  hourly,
  paidDuring,
  planOf,
  rateAfter,
  rateDuring,
  STEPS,
} from '../../../tools/aws-check/check-plan.ts';

const SUBJECT = { domain: 'example.com', emailPattern: 'aws+{account}@example.com', region: 'eu-west-1', retiring: false, timeScale: 1 };
const NOW = new Date('2026-11-30T12:00:00Z');
const plan = planOf(SUBJECT, NOW);

describe('the check on AWS', () => {
  test('pays for nothing at first, and never less from one step to the next until the cells end', () => {
    const rates = STEPS.map((_, index) => rateDuring(plan, index));
    expect(rates.slice(0, 2)).toEqual([0, 0]);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates.at(-1)).toBeGreaterThan(0);
  });

  test('ends whatever it has begun to pay for, and every cell that there is, in the step that cleans up', () => {
    expect(paidDuring(STEPS.length)).toEqual([]);
    const destroyed = STEPS[END]?.commands.flatMap(({ words }) => (words[0] === 'destroy' ? [words[1]] : []));
    expect([...(destroyed ?? [])].sort()).toEqual(plan.cells.map(({ name }) => name).sort());
  });

  test('says what it costs: minutes of each step, at the prices of the cells that run', () => {
    const [organization, , sandbox = 0] = costs(plan);
    expect(organization).toBe(0);
    expect(sandbox).toBeCloseTo(1.5 * hourly(plan, 'sandbox'), 6);
    expect(costs(plan).reduce((sum, each) => sum + each, 0)).toBeLessThan(10);
  });

  test('counts what cells cost between two runs, too, until they are gone', () => {
    const begun = counted({ spent: 1, at: '2026-11-30T12:00:00Z', rate: 0 }, NOW, 2);
    expect(begun).toEqual({ spent: 1, at: '2026-11-30T12:00:00.000Z', rate: 2 });
    const nextDay = counted(begun, new Date('2026-12-01T12:00:00Z'), 0);
    expect(nextDay.spent).toBe(49);
    expect(counted(nextDay, new Date('2027-12-01T12:00:00Z')).spent).toBe(49);
    // A clock that was put back gives nothing back.
    expect(counted(begun, new Date('2026-11-29T12:00:00Z')).spent).toBe(1);
    expect(rateAfter(plan, END)).toBe(0);
    STEPS.slice(0, END).forEach((_, index) => {
      expect(rateAfter(plan, index)).toBeLessThanOrEqual(rateDuring(plan, index + 1));
    });
  });

  test('has definitions that are valid, and those of its end, which let the production cell go', () => {
    expect(Object.keys(filesOf(SUBJECT, NOW)).sort()).toEqual([
      'cells/first.ts',
      'cells/sandbox.ts',
      'cells/staging.ts',
      'components/orders-api.ts',
      'organization.ts',
    ]);
    expect(planOf({ ...SUBJECT, retiring: true }, NOW).cells.find(({ name }) => name === 'first')?.intent).toBe('retiring');
    expect(() => planOf({ ...SUBJECT, region: 'nowhere' }, NOW)).toThrow(expect.objectContaining({ code: 'REGISTRY_INVALID' }));
  });

  test('asks for what is missing, and refuses what is beyond the budget, before it looks for credentials', () => {
    const check = (...words: string[]) =>
      spawnSync('npx', ['jiti', join('tools', 'aws-check', 'main.ts'), ...words], {
        encoding: 'utf8',
        env: { ...process.env, AWS_ENDPOINT_URL: '', AWS_REGION: 'eu-west-1' },
      });
    const nothing = check();
    expect([nothing.status, nothing.stderr]).toEqual([
      1,
      expect.stringMatching(/^USAGE: --domain is missing; --email is missing, and needs/),
    ]);
    const named = ['--domain', 'example.com', '--email', 'aws+{account}@example.com'];
    const poor = check(...named, '--budget', '1');
    expect([poor.status, poor.stderr]).toEqual([
      1,
      expect.stringMatching(/^REFUSED: it would cost about \$\d.*\n {2}fix: pass --budget \d/),
    ]);
    const planned = check(...named, '--plan');
    expect([planned.status, planned.stderr]).toEqual([0, '']);
    expect(planned.stdout).toMatch(/^AWS: this makes accounts, and costs money\./);
  });
});
