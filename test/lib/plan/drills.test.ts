import { describe, expect, test } from '@jest/globals';
import { drillAlarm, refuseDrill, refuseRehearsal } from '../../../lib/plan/drills.ts';
import { createPlan, selectCells } from '../../../lib/plan/plan.ts';
import { registry } from '../../_helpers/organization.ts';

const cells = selectCells(createPlan(registry()), ['staging', 'alpha']);
const named = (name: string) => {
  const found = cells.find((cell) => cell.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const alpha = named('alpha');

describe('the alarm of a drill', () => {
  test.each([
    [undefined, 'cell-alpha-server-errors'],
    ['latency', 'cell-alpha-latency'],
    ['cell-alpha-latency', 'cell-alpha-latency'],
    ['full', 'cell-alpha-full'],
    ['orders-api.errors', 'cell-alpha-orders-api.errors'],
    ['cell-alpha-orders-api.errors', 'cell-alpha-orders-api.errors'],
  ])('%s is %s', (wanted, name) => {
    expect(drillAlarm(alpha, wanted)).toBe(name);
  });

  test.each([
    ['cell-bravo-latency', 'cell-bravo-latency is no alarm of alpha'],
    ['', 'an empty name is no alarm of alpha'],
    ['health', 'cell-alpha-health is made of'],
    ['cell-alpha-health', 'cell-alpha-health is made of'],
  ])('%p is none: %s', (wanted, message) => {
    expect(() => drillAlarm(alpha, wanted)).toThrow(message);
  });
});

test('a cell that serves customers takes a word more', () => {
  const meant = false;
  expect(() => refuseDrill(alpha, { reachesCustomers: true, meant })).toThrow('alpha serves customers');
  expect(() => refuseDrill(alpha, { reachesCustomers: true, meant: true })).not.toThrow();
  expect(() => refuseDrill(alpha, { reachesCustomers: false, meant })).not.toThrow();
  expect(() => refuseDrill(named('staging'), { reachesCustomers: true, meant })).not.toThrow();
});

test.each([
  ['on customers', 0.5, { reachesCustomers: true, meant: false, reason: 'a test' }, true],
  ['on customers, meant, and nobody says why', 0.5, { reachesCustomers: true, meant: true, reason: undefined }, true],
  ['on customers, meant, for a reason', 0.5, { reachesCustomers: true, meant: true, reason: 'a test' }, false],
  ['where no customers are', 0.5, { reachesCustomers: false, meant: false, reason: undefined }, false],
  ['that is none', 1, { reachesCustomers: true, meant: false, reason: undefined }, false],
])('a rehearsal %s', (_, timeScale, how, refused) => {
  if (refused) expect(() => refuseRehearsal(timeScale, how)).toThrow('--time-scale 0.5 shortens bakes and calendars');
  else expect(() => refuseRehearsal(timeScale, how)).not.toThrow();
});
